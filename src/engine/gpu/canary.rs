//! Pools whose answers are known: one of each node kind, solvent, breached and on the threshold, in every chunk. They fill
//! the first workgroup, so that their sums stay apart.

use crate::engine::cpu::Decider;
use crate::engine::job::Job;
use crate::engine::plan::SCENARIO_BLOCK;
use crate::program::{Builder, Instruction, Magnitude, Program, Reduction, RowRange, Weights};

/// Largest row a canary is built on: its square, which one of them forms, must have a bound, or the canaries would not take
/// the places they are looked for in.
const ROW_MAX: f64 = 1e14;
/// Adjusted equity and raw equity alike.
const ALL: Weights = Weights::VALUE;
/// A requirement of both kinds.
const REQUIRED: Weights = Weights { equity: 0.0, initial: -1.0, maintenance: -1.0, requirement: 1.0, gross: 0.0 };

/// The canary programs and what they must answer.
#[derive(Debug)]
pub struct Canaries {
    /// One program each.
    pub program: Program,
    /// Certain restricted, liquidatable and bankrupt verdicts per tile of each canary: `[n_canaries][n_tiles]`.
    pub expected: Vec<Vec<[u32; 3]>>,
    /// The row they are built on.
    pub row: u32,
    /// Position of the canary on the threshold, whose every verdict must be uncertain.
    pub threshold: usize,
}

impl Canaries {
    /// Builds canaries on a row that moves, and works out their answers in f64. `None` where no row does, or none small
    /// enough: then no pool goes to the device.
    pub fn new(job: &Job<'_>, tile_scenarios: usize) -> Option<Self> {
        let usable = |range: &RowRange| !range.is_constant() && range.parts_largest() < ROW_MAX;
        let row = job.ranges.iter().position(usable)? as u32;
        let mut builder = Builder::new(job.ranges);
        let range = job.ranges[row as usize];
        for sign in [1.0, -1.0] {
            affine(&mut builder, row, range, sign);
        }
        builder.finish_pool();
        let threshold = 2;
        for recipe in [kink, sum, larger, smaller, absolute, scaled, scaled_by_row, chosen] {
            builder.constant(2.0 * range.value_largest() + 1.0, Weights::EQUITY);
            recipe(&mut builder, row, range);
            builder.finish_pool();
        }
        // Two neighbours if there are any: reading the first twice would show.
        let pair = job.ranges.windows(2).position(|pair| pair.iter().all(usable));
        let (block, points) = pair.map_or((row, 1), |first| (first as u32, 2));
        for reduction in [Reduction::Max, Reduction::Min] {
            let largest =
                job.ranges[block as usize..][..points].iter().map(RowRange::value_largest).fold(0.0, f64::max);
            builder.constant(4.0 * largest + 1.0, Weights::EQUITY);
            reduced(&mut builder, (block, &job.ranges[block as usize..][..points]), reduction);
            builder.finish_pool();
        }
        let program = builder.build();
        let mut decider = Decider::new(job);
        let n_tiles = job.scenario_count().div_ceil(tile_scenarios);
        let expected = (0..program.pools.len()).map(|index| {
            let counts = |tile: usize| {
                let scenarios = tile * tile_scenarios..((tile + 1) * tile_scenarios).min(job.scenario_count());
                scenarios.step_by(SCENARIO_BLOCK).fold([0; 3], |sum, start| {
                    let counts = decider.signs(program.parts(index), job.tiles.block(start));
                    [sum[0] + counts[0], sum[1] + counts[1], sum[2] + counts[2]]
                })
            };
            (0..n_tiles).map(counts).collect()
        });
        let expected = expected.collect();
        Some(Self { program, expected, row, threshold })
    }
}

/// `sign · (2·largest + 1) + row`: certainly solvent, or certainly bankrupt.
fn affine(builder: &mut Builder<'_>, row: u32, range: RowRange, sign: f64) {
    builder.constant(sign * (2.0 * range.value_largest() + 1.0), ALL);
    builder.affine(row, 1.0, ALL);
    builder.finish_pool();
}

/// Half the row's range, its middle.
fn middle(range: RowRange) -> (f64, f64) {
    (0.5 * (range.high - range.low), 0.5 * (range.high + range.low))
}

/// A requirement above the middle of the range, against a quarter of it.
fn kink(builder: &mut Builder<'_>, row: u32, range: RowRange) {
    let (half, middle) = middle(range);
    builder.constant(0.25 * half, Weights::ADJUSTED);
    builder.hinge(row, 1.0, middle, REQUIRED);
}

/// Pushes the row's distance from its middle.
fn distance(builder: &mut Builder<'_>, row: u32, range: RowRange) -> f64 {
    let (half, middle) = middle(range);
    builder.leaf(&[(row, 1.0)], -middle);
    half
}

fn close(builder: &mut Builder<'_>, allowance: f64) {
    builder.constant(allowance, Weights::ADJUSTED);
    builder.emit(Instruction::Fold(REQUIRED));
}

fn sum(builder: &mut Builder<'_>, row: u32, range: RowRange) {
    let half = distance(builder, row, range);
    distance(builder, row, range);
    builder.emit(Instruction::Add);
    close(builder, 0.5 * half);
}

fn larger(builder: &mut Builder<'_>, row: u32, range: RowRange) {
    let half = distance(builder, row, range);
    builder.emit(Instruction::Constant(0.1 * half));
    builder.emit(Instruction::Max);
    close(builder, 0.3 * half);
}

fn smaller(builder: &mut Builder<'_>, row: u32, range: RowRange) {
    let half = distance(builder, row, range);
    builder.emit(Instruction::Constant(0.1 * half));
    builder.emit(Instruction::Min);
    close(builder, -0.2 * half);
}

fn absolute(builder: &mut Builder<'_>, row: u32, range: RowRange) {
    let half = distance(builder, row, range);
    builder.emit(Instruction::Abs);
    close(builder, 0.4 * half);
}

fn scaled(builder: &mut Builder<'_>, row: u32, range: RowRange) {
    let half = distance(builder, row, range);
    builder.emit(Instruction::Scale(0.75));
    close(builder, 0.3 * half);
}

fn scaled_by_row(builder: &mut Builder<'_>, row: u32, range: RowRange) {
    let half = distance(builder, row, range);
    builder.emit(Instruction::ScaleByRow { row, level: range.level });
    close(builder, 0.2 * half * range.value_largest());
}

fn chosen(builder: &mut Builder<'_>, row: u32, range: RowRange) {
    let half = distance(builder, row, range);
    builder.emit(Instruction::Constant(2.0 * half));
    builder.emit(Instruction::Constant(0.0));
    // The predicate's own magnitude: one constant (base − middle) and one product.
    let predicate = Magnitude::constant(range.level.abs() + middle(range).1.abs()).plus(Magnitude::product(
        1.0,
        range.delta_largest(),
        range.value_largest(),
    ));
    builder.emit(Instruction::Select(predicate));
    close(builder, half);
}

/// The largest or smallest Δ of some neighbouring rows, against half of what it may come to.
fn reduced(builder: &mut Builder<'_>, (row, ranges): (u32, &[RowRange]), reduction: Reduction) {
    builder.emit(Instruction::Repeat { points: ranges.len() as u32 });
    builder.emit(Instruction::Constant(0.0));
    builder.emit(Instruction::StridedTerm { row, coefficient: 1.0 });
    builder.emit(Instruction::Reduce(reduction));
    let ends = ranges.iter().map(|range| if reduction == Reduction::Max { range.delta_high } else { range.delta_low });
    let end = ends.reduce(|a, b| if reduction == Reduction::Max { a.max(b) } else { a.min(b) });
    close(builder, 0.5 * end.unwrap_or(0.0));
}
