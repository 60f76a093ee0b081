use pulp::{Arch, Simd, WithSimd};

use super::kernel::{RootValues, RootsOfBlock};
use super::reduction::Points;
use crate::engine::direct;
use crate::engine::job::Job;
use crate::engine::plan::SCENARIO_BLOCK;
use crate::engine::tile::TileBlock;
use crate::engine::verdicts::{Verdicts, lanes, low_bits};
use crate::pricing::Column;
use crate::program::{Bound, PoolParts};

/// Certified f64 error of the three deciding roots of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Errors {
    /// Of raw equity.
    pub equity: f64,
    /// Of adjusted equity − initial margin.
    pub initial: f64,
    /// Of adjusted equity − maintenance margin.
    pub maintenance: f64,
}

impl Errors {
    /// The errors of a pool; `None` where there is no bound and the direct formulas must decide everything.
    pub fn of(parts: PoolParts<'_>) -> Option<Self> {
        if parts.pool.direct {
            return None;
        }
        let [equity, initial, maintenance] =
            parts.pool.magnitudes.map(|magnitude| Bound::F64.error(magnitude, parts.pool.compile_error));
        Some(Self { equity: equity?, initial: initial?, maintenance: maintenance? })
    }
}

/// Decides a pool's verdicts by its f64 program, and asks the arbiter where the bound does not tell. One per worker: it
/// owns the buffers.
pub struct Decider<'j, 'a> {
    job: &'j Job<'a>,
    /// Values of the roots on the block evaluated last.
    pub roots: RootValues,
    points: Points,
    /// The widest vectors of this machine.
    pub arch: Arch,
}

/// Whether a block's verdicts needed the arbiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Every verdict was certain.
    Nobody,
    /// At least one was not.
    Arbiter,
}

impl<'j, 'a> Decider<'j, 'a> {
    /// A decider for a job.
    pub fn new(job: &'j Job<'a>) -> Self {
        Self { job, roots: RootValues::default(), points: Points::default(), arch: Arch::new() }
    }

    /// Evaluates every root of a pool on a block, into `roots`.
    pub fn evaluate(&mut self, parts: PoolParts<'_>, block: TileBlock<'_>) {
        RootsOfBlock { parts, block, points: &mut self.points, roots: &mut self.roots }.run(self.arch);
    }

    /// Turns the values evaluated last into verdicts.
    pub fn judge(&self, pool: usize, block: TileBlock<'_>, errors: Errors) -> (Verdicts, Asked) {
        let (mut verdicts, uncertain) = self.arch.dispatch(Masks { roots: &self.roots, errors });
        let present = low_bits(block.len());
        verdicts.restricted &= present;
        verdicts.liquidatable &= present;
        verdicts.bankrupt &= present;
        if uncertain & present == 0 {
            return (verdicts, Asked::Nobody);
        }
        let pool = self.job.pool(pool);
        for lane in lanes(uncertain & present) {
            verdicts.set(lane, self.job.arbiter.decide(&pool, Column::Scenario(block.first() + lane)));
        }
        (verdicts, Asked::Arbiter)
    }

    /// Verdicts of a pool on a block.
    pub fn decide(&mut self, pool: usize, parts: PoolParts<'_>, block: TileBlock<'_>) -> Verdicts {
        match Errors::of(parts) {
            Some(errors) => {
                self.evaluate(parts, block);
                self.judge(pool, block, errors).0
            }
            None => direct::decide_block(self.job, &self.job.pool(pool), block).0,
        }
    }

    /// Lowest maintenance root on the block evaluated last; NaN where a branch is uncertain.
    pub fn lowest(&self, block: TileBlock<'_>) -> f64 {
        self.roots.maintenance[..block.len()].iter().copied().fold(f64::INFINITY, lower_or_nan)
    }

    /// Appends the scenarios of some blocks whose canonical excess may be the lowest of them: those whose f64 value lies
    /// within the bounds of the lowest.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "the device engine settles with it"))]
    pub fn lowest_scenarios<'b>(
        &mut self,
        parts: PoolParts<'_>,
        blocks: impl Iterator<Item = TileBlock<'b>>,
        out: &mut Vec<usize>,
    ) {
        let slack = Errors::of(parts).map_or(f64::INFINITY, |e| 2.0 * (e.maintenance + 2.0 * parts.pool.compile_error));
        let mut values = Vec::new();
        for block in blocks {
            self.evaluate(parts, block);
            values.extend((0..block.len()).map(|lane| (block.first() + lane, self.roots.maintenance[lane])));
        }
        let lowest = values.iter().fold(f64::INFINITY, |low, (_, value)| if *value < low { *value } else { low });
        out.extend(values.iter().filter(|(_, v)| *v <= lowest + slack || v.is_nan()).map(|(scenario, _)| *scenario));
    }

    /// Adds the nodes' part of the maintenance margin of the pool and block evaluated last.
    pub fn add_nodes_requirement(&self, parts: PoolParts<'_>, total: &mut [f64]) {
        if !parts.code.is_empty() {
            total.iter_mut().zip(self.roots.nodes.requirement).for_each(|(total, part)| *total += part);
        }
    }

    /// How many of the roots' values lie below zero on a block: restricted, liquidatable, bankrupt.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "the device engine settles with it"))]
    pub fn signs(&mut self, parts: PoolParts<'_>, block: TileBlock<'_>) -> [u32; 3] {
        self.evaluate(parts, block);
        let none = Errors { equity: 0.0, initial: 0.0, maintenance: 0.0 };
        let verdicts = self.arch.dispatch(Masks { roots: &self.roots, errors: none }).0;
        [verdicts.restricted, verdicts.liquidatable, verdicts.bankrupt]
            .map(|mask| (mask & low_bits(block.len())).count_ones())
    }
}

/// The lower of two values; NaN if either is.
fn lower_or_nan(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if b < a {
        b
    } else {
        a
    }
}

/// Verdicts by the bounds, and the lanes that they leave open.
struct Masks<'a> {
    roots: &'a RootValues,
    errors: Errors,
}

impl WithSimd for Masks<'_> {
    type Output = (Verdicts, u32);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let (roots, errors) = (self.roots, self.errors);
        if all_certain(roots, errors) {
            let liquidatable = signs(&roots.maintenance);
            let restricted = liquidatable | signs(&roots.initial);
            return (Verdicts { restricted, liquidatable, bankrupt: signs(&roots.equity) }, 0);
        }
        let liquidatable = below(&roots.maintenance, -errors.maintenance);
        let restricted = liquidatable | below(&roots.initial, -errors.initial);
        let bankrupt = below(&roots.equity, -errors.equity);
        let certain = (liquidatable | above(&roots.maintenance, errors.maintenance))
            & (restricted | above(&roots.initial, errors.initial))
            & (bankrupt | above(&roots.equity, errors.equity));
        (Verdicts { restricted, liquidatable, bankrupt }, !certain)
    }
}

/// Whether every value lies further from zero than its error; a NaN does not.
#[inline(always)]
fn all_certain(roots: &RootValues, errors: Errors) -> bool {
    let mut certain = true;
    for lane in 0..SCENARIO_BLOCK {
        certain &= roots.maintenance[lane].abs() > errors.maintenance;
        certain &= roots.initial[lane].abs() > errors.initial;
        certain &= roots.equity[lane].abs() > errors.equity;
    }
    certain
}

/// The signs of values of which none is zero.
#[inline(always)]
fn signs(values: &[f64; SCENARIO_BLOCK]) -> u32 {
    let mut mask = 0;
    for lane in 0..SCENARIO_BLOCK {
        mask |= ((values[lane].to_bits() >> 63) as u32) << lane;
    }
    mask
}

#[inline(always)]
fn below(values: &[f64; SCENARIO_BLOCK], limit: f64) -> u32 {
    let mut mask = 0;
    for lane in 0..SCENARIO_BLOCK {
        mask |= u32::from(values[lane] < limit) << lane;
    }
    mask
}

#[inline(always)]
fn above(values: &[f64; SCENARIO_BLOCK], limit: f64) -> u32 {
    let mut mask = 0;
    for lane in 0..SCENARIO_BLOCK {
        mask |= u32::from(values[lane] > limit) << lane;
    }
    mask
}
