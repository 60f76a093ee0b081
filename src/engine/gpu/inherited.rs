//! What a program makes of rows that the device priced itself, and so knows only to within an error (`NUMERICS.md` §12).

use crate::program::{Instruction, Magnitude, PoolParts, Reduction, RowRange, STACK_DEPTH_MAX};

/// Errors that a pool's roots and predicates inherit from rows.
pub struct Inherited {
    /// Of raw equity, the initial and the maintenance root.
    pub roots: [f64; 3],
    /// The predicates of the pool's code, in order, and theirs.
    pub predicates: Vec<(Magnitude, f64)>,
    /// The largest error of any intermediate.
    peak: f64,
}

impl Inherited {
    /// Passes the rows' errors through a program. `None` where it multiplies by a row that has one: then the error would
    /// meet a value that nothing here bounds.
    pub fn of(parts: PoolParts<'_>, errors: &[Option<f64>], ranges: &[RowRange]) -> Option<Self> {
        let error = |row: u32| errors[row as usize].unwrap_or(0.0);
        let mut inherited = Self { roots: [0.0; 3], predicates: Vec::new(), peak: 0.0 };
        for term in parts.terms {
            inherited.add([term.equity, term.initial, term.maintenance], error(term.row));
        }
        for kink in parts.kinks {
            let reach = kink.slope.abs() * error(kink.row);
            inherited.peak = inherited.peak.max(reach);
            // max(0, ·) passes an error on, never more.
            inherited.add([0.0, kink.initial, kink.maintenance], reach);
        }
        let mut stack: Vec<f64> = Vec::with_capacity(STACK_DEPTH_MAX);
        let mut points = 1;
        for instruction in parts.code {
            let top = stack.pop().unwrap_or(0.0);
            let next = match *instruction {
                Instruction::Constant(_) => {
                    stack.push(top);
                    0.0
                }
                Instruction::Term { row, coefficient } => top + coefficient.abs() * error(row),
                Instruction::StridedTerm { row, coefficient } => {
                    top + coefficient.abs() * (row..row + points).map(error).fold(0.0, f64::max)
                }
                Instruction::Repeat { points: own } => {
                    points = own;
                    top
                }
                // Order statistics are 1-Lipschitz in the largest error of any point.
                Instruction::Reduce(Reduction::Tail { whole, fraction }) => top * (f64::from(whole) + fraction),
                Instruction::Reduce(_) => top,
                Instruction::Add => top + stack.pop().unwrap_or(0.0),
                Instruction::Max | Instruction::Min => top.max(stack.pop().unwrap_or(0.0)),
                Instruction::Abs => top,
                Instruction::Scale(factor) => top * factor.abs(),
                Instruction::ScaleByRow { row, .. } => {
                    if errors[row as usize].is_some() {
                        return None;
                    }
                    top * ranges[row as usize].parts_largest()
                }
                Instruction::Select(predicate) => {
                    let then = stack.pop().unwrap_or(0.0);
                    inherited.predicates.push((predicate, stack.pop().unwrap_or(0.0)));
                    top.max(then)
                }
                Instruction::Fold(weights) => {
                    inherited.add([weights.equity, weights.initial, weights.maintenance], top);
                    stack.pop().unwrap_or(0.0)
                }
            };
            inherited.peak = inherited.peak.max(next);
            stack.push(next);
        }
        Some(inherited)
    }

    fn add(&mut self, weights: [f64; 3], error: f64) {
        self.peak = self.peak.max(error);
        self.roots.iter_mut().zip(weights).for_each(|(root, weight)| *root += weight.abs() * error);
    }

    /// A magnitude with what an error of its rows may add to it.
    pub fn grown(&self, magnitude: Magnitude, error: f64) -> Magnitude {
        Magnitude { size: magnitude.size + error, peak: magnitude.peak + self.peak, ..magnitude }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::program::{Builder, Weights};

    const REQUIRED: Weights = Weights { equity: 0.0, initial: -1.0, maintenance: -0.7, requirement: 0.7, gross: 0.0 };
    const ERRORS: [Option<f64>; 3] = [Some(0.5), None, Some(2.0)];

    fn ranges() -> Vec<RowRange> {
        let range = |base: f64| RowRange {
            level: base,
            low: 0.5 * base,
            high: 1.5 * base,
            delta_low: -0.5 * base,
            delta_high: 0.5 * base,
        };
        vec![range(100.0), range(3.0), range(400.0)]
    }

    /// The initial and maintenance root at these Δ, and whether a predicate is too near to zero to tell.
    fn evaluate(parts: PoolParts<'_>, delta: [f64; 3]) -> ([f64; 3], Vec<f64>) {
        let c = parts.pool.constant;
        let mut roots = [c.equity, c.initial, c.maintenance];
        for term in parts.terms {
            let at = delta[term.row as usize];
            [term.equity, term.initial, term.maintenance]
                .into_iter()
                .zip(&mut roots)
                .for_each(|(w, root)| *root += w * at);
        }
        for kink in parts.kinks {
            let reach = (kink.offset + kink.slope * delta[kink.row as usize]).max(0.0);
            roots[1] += kink.initial * reach;
            roots[2] += kink.maintenance * reach;
        }
        let (mut stack, mut predicates): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        for instruction in parts.code {
            let mut pop = || stack.pop().expect("an operand");
            let next = match *instruction {
                Instruction::Constant(value) => value,
                Instruction::Term { row, coefficient } => pop() + coefficient * delta[row as usize],
                Instruction::Add => pop() + pop(),
                Instruction::Max => pop().max(pop()),
                Instruction::Min => pop().min(pop()),
                Instruction::Abs => pop().abs(),
                Instruction::StridedTerm { .. } | Instruction::Repeat { .. } | Instruction::Reduce(_) => continue,
                Instruction::Scale(factor) => pop() * factor,
                Instruction::ScaleByRow { row, level } => pop() * (level + delta[row as usize]),
                Instruction::Select(_) => {
                    let (otherwise, then, predicate) = (pop(), pop(), pop());
                    predicates.push(predicate);
                    if predicate >= 0.0 { then } else { otherwise }
                }
                Instruction::Fold(weights) => {
                    let value = pop();
                    roots[1] += weights.initial * value;
                    roots[2] += weights.maintenance * value;
                    continue;
                }
            };
            stack.push(next);
        }
        (roots, predicates)
    }

    #[test]
    fn roots_move_by_no_more_than_they_inherit_and_by_nearly_that() {
        let ranges = ranges();
        let mut builder = Builder::new(&ranges);
        builder.affine(0, 2.0, Weights::VALUE);
        builder.affine(2, -1.0, Weights::VALUE);
        builder.hinge(0, 1.5, 140.0, REQUIRED);
        builder.hinge_of_sum(&[(0, 1.0), (2, 0.5)], 310.0, REQUIRED);
        builder.step((2, 1.0), 390.0, (0, 0.1), REQUIRED);
        builder.leaf(&[(0, 1.0), (2, -0.3)], 0.0);
        builder.emit(Instruction::Abs);
        builder.emit(Instruction::Scale(0.25));
        builder.leaf(&[(0, -0.2)], 30.0);
        builder.emit(Instruction::Min);
        builder.leaf(&[(2, 0.1)], -20.0);
        builder.emit(Instruction::Add);
        builder.emit(Instruction::ScaleByRow { row: 1, level: 3.0 });
        builder.emit(Instruction::Fold(REQUIRED));
        builder.finish_pool();
        let program = builder.build();
        let parts = program.parts(0);
        let inherited = Inherited::of(parts, &ERRORS, &ranges).expect("no product with an inexact row");
        assert_eq!(inherited.predicates.len(), 1);
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut worst = [0f64; 3];
        for _ in 0..20_000 {
            let delta: [f64; 3] =
                std::array::from_fn(|row| random.random_range(ranges[row].delta_low..ranges[row].delta_high));
            let off = |row: usize, sign: f64| delta[row] + sign * ERRORS[row].unwrap_or(0.0);
            let moved: [f64; 3] = std::array::from_fn(|row| off(row, if random.random_bool(0.5) { 1.0 } else { -1.0 }));
            let ((exact, predicates), (found, _)) = (evaluate(parts, delta), evaluate(parts, moved));
            // Nearer to zero the kernel is in doubt.
            if predicates[0].abs() <= inherited.predicates[0].1 {
                continue;
            }
            for root in 0..3 {
                worst[root] = worst[root].max((exact[root] - found[root]).abs() / inherited.roots[root]);
            }
        }
        assert!(worst.iter().all(|&ratio| ratio <= 1.0 + 1e-12 && ratio > 0.5), "{worst:?}");
    }

    #[test]
    fn a_product_with_an_inexact_row_is_refused() {
        let ranges = ranges();
        let mut builder = Builder::new(&ranges);
        builder.leaf(&[(1, 1.0)], 0.0);
        builder.emit(Instruction::ScaleByRow { row: 0, level: 100.0 });
        builder.emit(Instruction::Fold(REQUIRED));
        builder.finish_pool();
        assert!(Inherited::of(builder.build().parts(0), &ERRORS, &ranges).is_none());
    }

    #[test]
    fn a_reduction_inherits_the_largest_error_of_its_points() {
        let ranges = ranges();
        let inherited = |reduction: Reduction| {
            let mut builder = Builder::new(&ranges);
            builder.emit(Instruction::Repeat { points: 3 });
            builder.emit(Instruction::Constant(0.0));
            builder.emit(Instruction::StridedTerm { row: 0, coefficient: -3.0 });
            builder.emit(Instruction::Reduce(reduction));
            builder.emit(Instruction::Fold(REQUIRED));
            builder.finish_pool();
            Inherited::of(builder.build().parts(0), &ERRORS, &ranges).expect("no product").roots
        };
        assert_eq!(inherited(Reduction::Max), [0.0, 6.0, 0.7 * 6.0]);
        assert_eq!(inherited(Reduction::Tail { whole: 2, fraction: 0.5 })[1], 15.0);
    }
}
