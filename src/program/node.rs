//! A pool's formula as a tree, before it is collapsed and turned into postfix code.

/// `constant + Σ coefficient · row + Σ coefficient · row[k]`. A row may appear several times: coefficients need not be
/// summed beforehand, which would round.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Leaf {
    /// The constant.
    pub constant: f64,
    /// Rows and their coefficients.
    pub terms: Vec<(u32, f64)>,
    /// First of adjacent rows and their coefficients: inside a reduction, step k reads row + k.
    pub strided: Vec<(u32, f64)>,
    /// Rows with the size of what was summed into a coefficient before the tree saw it: what that sum may have cancelled.
    pub uncancelled: Vec<(u32, f64)>,
}

/// A value made of rows and a pool's coefficients.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// An affine sum.
    Leaf(Leaf),
    /// Sum; empty = 0.
    Sum(Vec<Node>),
    /// The largest of at least one.
    Max(Vec<Node>),
    /// The smallest of at least one.
    Min(Vec<Node>),
    /// Absolute value.
    Abs(Box<Node>),
    /// Times a constant.
    Scale(f64, Box<Node>),
    /// Times a market row ≥ 0.
    ScaleByRow(u32, Box<Node>),
    /// The second where the first is ≥ 0, else the third.
    Select(Box<[Node; 3]>),
    /// A reduction of the body over k = 0 … points − 1. Reductions do not nest.
    Reduce {
        /// What is taken of the values.
        reduction: Reduction,
        /// How many there are; > 0.
        points: u32,
        /// The value at k.
        body: Box<Node>,
    },
}

/// What a reduction takes of its values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reduction {
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The rank-th largest, 1 = the largest.
    Rank(u32),
    /// Σ of the `whole` largest + `fraction` · the next.
    Tail {
        /// Values that count in full.
        whole: u32,
        /// Share of the next one, in [0, 1).
        fraction: f64,
    },
}

impl Node {
    /// Σ coefficient · row.
    pub fn terms(terms: Vec<(u32, f64)>) -> Self {
        Self::Leaf(Leaf { terms, ..Leaf::default() })
    }

    /// `slope · row + constant`.
    pub fn line(row: u32, slope: f64, constant: f64) -> Self {
        Self::Leaf(Leaf { constant, terms: vec![(row, slope)], ..Leaf::default() })
    }

    /// A constant.
    pub fn constant(constant: f64) -> Self {
        Self::Leaf(Leaf { constant, ..Leaf::default() })
    }

    /// Zero.
    pub fn zero() -> Self {
        Self::Sum(Vec::new())
    }

    /// max(0, self).
    pub fn positive_part(self) -> Self {
        Self::Max(vec![self, Self::constant(0.0)])
    }

    /// self · factor.
    pub fn scaled(self, factor: f64) -> Self {
        Self::Scale(factor, Box::new(self))
    }

    /// |self|.
    pub fn magnitude(self) -> Self {
        Self::Abs(Box::new(self))
    }
}
