use super::{Magnitude, Reduction, Weights};

/// Deepest operand stack a program may need; kernels keep that many values per scenario.
pub const STACK_DEPTH_MAX: usize = 8;

/// One step of a program's postfix code, on a stack of values (one per scenario).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Instruction {
    /// Pushes a constant: the start of a leaf.
    Constant(f64),
    /// Adds `coefficient · Δrow` to the top: the rest of a leaf.
    Term {
        /// The row.
        row: u32,
        /// Its coefficient.
        coefficient: f64,
    },
    /// Inside a reduction, at its point k: adds `coefficient · Δ(row + k)` to the top.
    StridedTerm {
        /// The row of the first point.
        row: u32,
        /// Its coefficient.
        coefficient: f64,
    },
    /// Starts a reduction: what follows, up to its [`Instruction::Reduce`], is evaluated at each point. They do not nest.
    Repeat {
        /// Number of points, ≥ 1.
        points: u32,
    },
    /// Ends a reduction: pops the value at each point, pushes what the reduction takes of them.
    Reduce(Reduction),
    /// Pops two, pushes their sum.
    Add,
    /// Pops two, pushes the larger.
    Max,
    /// Pops two, pushes the smaller.
    Min,
    /// Replaces the top by its absolute value.
    Abs,
    /// Multiplies the top by a constant.
    Scale(f64),
    /// Multiplies the top by a market row ≥ 0, absolute: `level + Δrow`.
    ScaleByRow {
        /// The row.
        row: u32,
        /// What Δ is measured from.
        level: f64,
    },
    /// Pops `otherwise`, `then` and a predicate; pushes `then` where the predicate is ≥ 0, else `otherwise`. Where the
    /// predicate is within its bound of zero, the verdict is uncertain.
    Select(Magnitude),
    /// Pops the top and adds it to the roots, weighted.
    Fold(Weights),
}
