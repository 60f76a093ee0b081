//! Turns programs into device bytes: coefficients rounded to f32, error bounds rounded up.

use super::inherited::Inherited;
use super::layout::{Instruction, Kink, Pool, Term, operation};
use crate::engine::plan::GROUP_POOLS;
use crate::program::{self, Bound, Magnitude, PoolParts, Reduction, RowRange, Weights, compile_error};

/// Largest coefficient that goes to the device.
const COEFFICIENT_MAX: f64 = 1.267_650_600_228_229_4e30; // 2^100
/// Smallest weight a device may be given: far enough above the subnormal numbers to survive rounding.
const WEIGHT_MIN: f64 = 2.350_988_701_644_575e-38; // 2^-125
/// Twice the smallest normal f32: what a flushed operand or product may lose, per unit of the other operand.
const FLUSH: f64 = 2.350_988_701_644_575e-38; // 2^-125
/// Loop iterations of one invocation of the kernel, at most: half of what llvmpipe allows all loops of an invocation together
/// before it ends them wherever they stand, and short enough for a driver's watchdog.
const STEPS_MAX: u64 = 32_768;
/// Iterations that a pool takes beside its terms, kinks and code: ends of loops, lists, the reduction over lanes.
const POOL_STEPS: u64 = 64;

/// A chunk's buffers, ready to upload.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    /// One per pool.
    pub pools: Vec<Pool>,
    /// Terms of all pools.
    pub terms: Vec<Term>,
    /// Coefficient of each term in gross notional.
    pub gross: Vec<f32>,
    /// Kinks of all pools.
    pub kinks: Vec<Kink>,
    /// Code of all pools.
    pub code: Vec<Instruction>,
    /// Certified errors of the roots of each pool: equity, initial, maintenance.
    pub errors: Vec<[f64; 3]>,
    /// How large the roots of each pool may be on the device, every summand positive.
    pub sizes: Vec<[f64; 3]>,
    /// Loop iterations that each pool takes the kernel, at most.
    pub steps: Vec<u64>,
}

/// What tests may break on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filter {
    /// Errors as derived.
    #[default]
    Certified,
    /// Errors of zero: plain f32, to prove that the tests would see it.
    #[cfg(test)]
    Off,
}

impl Packed {
    /// Adds a pool; `false` where it is not one for the device (sizes beyond f32, no valid bound, an order statistic, too long a
    /// program), with nothing added.
    pub fn push(&mut self, parts: PoolParts<'_>, rows: RowFacts<'_>, filter: Filter) -> bool {
        if parts.pool.direct || parts.code.iter().any(is_order_statistic) {
            return false;
        }
        let steps = steps(parts);
        if steps > STEPS_MAX {
            return false;
        }
        let Some(Certified { errors, sizes, guards, underflow }) = Certified::of(parts, rows) else { return false };
        let _ = filter;
        #[cfg(test)]
        let errors = if filter == Filter::Off { [0.0; 3] } else { errors };
        let starts = [self.terms.len(), self.kinks.len(), self.code.len()].map(|start| start as u32);
        self.terms.extend(
            parts
                .terms
                .iter()
                .map(|term| Term::new(term.row, [term.equity, term.initial, term.maintenance].map(single))),
        );
        self.gross.extend(parts.gross.iter().map(|&gross| single(gross)));
        self.kinks.extend(parts.kinks.iter().map(|kink| {
            let shape = [kink.slope, kink.offset, kink.requirement];
            Kink::new(kink.row, shape.map(single), [kink.initial, kink.maintenance].map(single))
        }));
        let mut guards = guards.into_iter();
        self.code.extend(parts.code.iter().map(|step| instruction(step, &mut guards, underflow)));
        let constant = parts.pool.constant;
        let [equity, initial, maintenance] = [constant.equity, constant.initial, constant.maintenance].map(single);
        let [equity_error, initial_error, maintenance_error] = errors.map(upward);
        self.pools.push(Pool {
            terms_and_kinks: [starts[0], parts.terms.len() as u32, starts[1], parts.kinks.len() as u32],
            code: [starts[2], parts.code.len() as u32],
            quiet: upward(quiet(parts.pool.gap, errors)),
            gross: single(constant.gross),
            constants: [equity, initial, maintenance, 0.0],
            errors: [equity_error, initial_error, maintenance_error, 0.0],
        });
        self.errors.push(errors);
        self.sizes.push(sizes);
        self.steps.push(steps);
        true
    }

    /// Adds the pools of another behind those here.
    pub fn append(&mut self, other: Self) {
        let starts = [self.terms.len(), self.kinks.len(), self.code.len()].map(|start| start as u32);
        self.pools.extend(other.pools.into_iter().map(|mut pool| {
            pool.terms_and_kinks[0] += starts[0];
            pool.terms_and_kinks[2] += starts[1];
            pool.code[0] += starts[2];
            pool
        }));
        self.terms.extend(other.terms);
        self.gross.extend(other.gross);
        self.kinks.extend(other.kinks);
        self.code.extend(other.code);
        self.errors.extend(other.errors);
        self.sizes.extend(other.sizes);
        self.steps.extend(other.steps);
    }

    /// Pools of a group that one dispatch takes: the whole group, halved until no invocation takes more than [`STEPS_MAX`]
    /// iterations.
    pub fn slice_pools(&self) -> usize {
        let fits = |pools: usize| self.steps.chunks(pools).all(|slice| slice.iter().sum::<u64>() <= STEPS_MAX);
        let mut pools = GROUP_POOLS;
        while pools > 1 && !fits(pools) {
            pools /= 2;
        }
        pools
    }
}

/// A maintenance root as computed above which no verdict is below any threshold (`NUMERICS.md` §6): the initial root is at
/// most `gap` lower. The factor covers a compiler that takes this limit into the sum: m·u ≤ 2⁻¹⁰ (§3).
fn quiet(gap: f64, [_, initial, maintenance]: [f64; 3]) -> f64 {
    (gap.max(0.0) + initial + maintenance) * (1.0 + 1.0 / 512.0)
}

/// Loop iterations that a pool takes the kernel, at most: its terms twice (values, then gross notional), its kinks, its code
/// with what a reduction repeats.
fn steps(parts: PoolParts<'_>) -> u64 {
    let (mut code, mut points) = (0u64, 1u64);
    for instruction in parts.code {
        code = code.saturating_add(points);
        match instruction {
            program::Instruction::Repeat { points: own } => points = u64::from(*own),
            program::Instruction::Reduce(_) => points = 1,
            _ => {}
        }
    }
    code.saturating_add(2 * parts.terms.len() as u64 + parts.kinks.len() as u64 + POOL_STEPS)
}

/// What is known of the rows that programs read.
#[derive(Debug, Clone, Copy)]
pub struct RowFacts<'r> {
    /// Their ranges.
    pub ranges: &'r [RowRange],
    /// How far the device's own values lie from them; `None` where the host sends them.
    pub errors: &'r [Option<f64>],
}

/// What is certain of a pool's roots on the device.
struct Certified {
    errors: [f64; 3],
    sizes: [f64; 3],
    /// Errors of the predicates in the pool's code, in order.
    guards: Vec<f64>,
    underflow: f64,
}

impl Certified {
    /// Certified f32 errors of a pool's roots (`NUMERICS.md` §4, §12), or `None` where the derivation does not hold.
    fn of(parts: PoolParts<'_>, rows: RowFacts<'_>) -> Option<Self> {
        let inherited = Inherited::of(parts, rows.errors, rows.ranges)?;
        let underflow = underflow(parts, rows.ranges)?;
        let (mut errors, mut sizes) = ([0.0; 3], [0.0; 3]);
        for root in 0..3 {
            // A row that is off by e is up to e larger: that, too, is rounded.
            let magnitude = inherited.grown(parts.pool.magnitudes[root], inherited.roots[root]);
            sizes[root] = magnitude.size;
            errors[root] = Bound::F32.error(magnitude, parts.pool.compile_error)? + inherited.roots[root] + underflow;
        }
        let guard = |(predicate, error): (Magnitude, f64)| {
            let compiled = compile_error(predicate.operations, predicate.uncancelled);
            Bound::F32.error(inherited.grown(predicate, error), compiled).map(|bound| bound + error)
        };
        // Without a bound the branch is never certain.
        let guards = inherited.predicates.iter().map(|&predicate| guard(predicate).unwrap_or(f64::INFINITY));
        Some(Self { errors, sizes, guards: guards.collect(), underflow })
    }
}

/// Whether a step needs all values of a reduction at once, which no lane of the device holds.
fn is_order_statistic(step: &program::Instruction) -> bool {
    matches!(step, program::Instruction::Reduce(Reduction::Rank(_) | Reduction::Tail { .. }))
}

/// What flushing subnormal rows, products and sums to zero may lose: 2⁻¹²⁵ per unit of each operand, times the weights it
/// passes. `None` where a number is too large for the device, or too small not to be flushed itself.
fn underflow(parts: PoolParts<'_>, ranges: &[RowRange]) -> Option<f64> {
    let mut operands = 0.0;
    let (mut weights, mut factors) = (1.0, 1.0);
    let mut largest: f64 = 0.0;
    // A flushed weight loses all of what it multiplies, which no operand here bounds.
    let mut flushed = false;
    let mut weight = |weight: f64| {
        flushed |= weight != 0.0 && weight.abs() < WEIGHT_MIN;
        weight.abs()
    };
    let mut operand = |row: u32, coefficient: f64| {
        let delta = ranges[row as usize].delta_largest();
        operands += coefficient.abs() + delta + 2.0;
        largest = largest.max(coefficient.abs()).max(delta);
    };
    for (term, gross) in parts.terms.iter().zip(parts.gross) {
        let coefficient = term.equity.abs().max(term.initial.abs()).max(term.maintenance.abs()).max(gross.abs());
        operand(term.row, coefficient);
    }
    for kink in parts.kinks {
        operand(kink.row, kink.slope);
        operand(kink.row, kink.offset);
        weights += weight(kink.initial) + weight(kink.maintenance);
    }
    let mut points = 1;
    for instruction in parts.code {
        match *instruction {
            program::Instruction::Term { row, coefficient } => operand(row, coefficient),
            program::Instruction::Repeat { points: own } => points = own,
            // Any one point decides a reduction: the row that is largest there stands for its block.
            program::Instruction::StridedTerm { row, coefficient } => {
                operand(largest_of(row, points, ranges), coefficient)
            }
            // As an operand it is its own coefficient; any row stands for the other one.
            program::Instruction::Constant(value) => operand(0, value),
            program::Instruction::Fold(Weights { initial, maintenance, .. }) => {
                weights += weight(initial) + weight(maintenance)
            }
            // A factor may stand before any of the weights.
            program::Instruction::Scale(factor) => factors *= 1.0 + weight(factor),
            program::Instruction::ScaleByRow { row, level } => {
                factors *= 1.0 + ranges[row as usize].parts_largest();
                operand(row, level);
            }
            _ => {}
        }
    }
    let pool = parts.pool.constant;
    let weights = weights * factors;
    let gross =
        parts.terms.iter().zip(parts.gross).map(|(term, g)| g.abs() * ranges[term.row as usize].delta_largest());
    let gross = pool.gross.abs() + gross.sum::<f64>();
    let fits = [pool.equity, pool.initial, pool.maintenance, gross, largest, weights];
    let fits = fits.iter().all(|size| size.abs() < COEFFICIENT_MAX) && !flushed;
    fits.then_some(FLUSH * weights * (operands + 4.0))
}

/// The row of a block that moves most.
fn largest_of(row: u32, points: u32, ranges: &[RowRange]) -> u32 {
    let size = |row: u32| ranges[row as usize].delta_largest();
    (row..row + points).fold(row, |largest, row| if size(row) > size(largest) { row } else { largest })
}

fn instruction(
    instruction: &program::Instruction,
    guards: &mut impl Iterator<Item = f64>,
    underflow: f64,
) -> Instruction {
    let code = |operation: u32, row: u32, a: f64| Instruction { operation, row, a: single(a), b: 0.0, c: 0.0 };
    match *instruction {
        program::Instruction::Constant(value) => code(operation::CONSTANT, 0, value),
        program::Instruction::Term { row, coefficient } => code(operation::TERM, row, coefficient),
        program::Instruction::StridedTerm { row, coefficient } => code(operation::STRIDED_TERM, row, coefficient),
        program::Instruction::Repeat { points } => code(operation::REPEAT, points, 0.0),
        program::Instruction::Reduce(Reduction::Min) => code(operation::REDUCE_MIN, 0, 0.0),
        program::Instruction::Reduce(_) => code(operation::REDUCE_MAX, 0, 0.0),
        program::Instruction::Add => code(operation::ADD, 0, 0.0),
        program::Instruction::Max => code(operation::MAX, 0, 0.0),
        program::Instruction::Min => code(operation::MIN, 0, 0.0),
        program::Instruction::Abs => code(operation::ABS, 0, 0.0),
        program::Instruction::Scale(factor) => code(operation::SCALE, 0, factor),
        program::Instruction::ScaleByRow { row, level } => code(operation::SCALE_BY_ROW, row, level),
        program::Instruction::Select(_) => {
            let guard = guards.next().unwrap_or(f64::INFINITY);
            Instruction { a: upward(guard + underflow), ..code(operation::SELECT, 0, 0.0) }
        }
        program::Instruction::Fold(weights) => Instruction {
            b: single(weights.maintenance),
            c: single(weights.requirement),
            ..code(operation::FOLD, 0, weights.initial)
        },
    }
}

/// Nearest f32, subnormals flushed to zero as a device may do.
pub fn single(value: f64) -> f32 {
    let single = value as f32;
    if single.is_subnormal() { 0.0 } else { single }
}

/// An f32 that is certainly not below `value` ≥ 0, and never subnormal.
fn upward(value: f64) -> f32 {
    let nearest = value as f32;
    let up = if f64::from(nearest) < value { nearest.next_up() } else { nearest };
    if up > 0.0 && up < f32::MIN_POSITIVE { f32::MIN_POSITIVE } else { up.min(f32::MAX) }
}
