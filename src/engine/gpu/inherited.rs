//! What a program makes of rows that the device priced itself, and so knows only to within an error (`NUMERICS.md` §12).

use crate::program::{Instruction, Magnitude, PoolParts, RowRange, STACK_DEPTH_MAX};

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
        for instruction in parts.code {
            let top = stack.pop().unwrap_or(0.0);
            let next = match *instruction {
                Instruction::Constant(_) => {
                    stack.push(top);
                    0.0
                }
                Instruction::Term { row, coefficient } => top + coefficient.abs() * error(row),
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
