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

#[cfg(test)]
impl Node {
    /// Its value where `row` answers the values of rows: the definition, step by step.
    pub(crate) fn evaluate(&self, row: &dyn Fn(u32) -> f64) -> f64 {
        self.at(row, 0)
    }

    /// Values that wait on a stack while it is evaluated, one by one.
    pub(crate) fn stack_depth(&self) -> usize {
        let of_operands = |nodes: &[Self]| {
            nodes.iter().enumerate().map(|(at, node)| node.stack_depth() + at.min(1)).max().unwrap_or(1)
        };
        match self {
            Self::Leaf(_) => 1,
            Self::Sum(nodes) | Self::Max(nodes) | Self::Min(nodes) => of_operands(nodes),
            Self::Abs(node) | Self::Scale(_, node) | Self::ScaleByRow(_, node) => node.stack_depth(),
            Self::Select(nodes) => (0..3).map(|at| nodes[at].stack_depth() + at).max().unwrap_or(1),
            Self::Reduce { body, .. } => body.stack_depth() + 1,
        }
    }

    fn at(&self, row: &dyn Fn(u32) -> f64, step: u32) -> f64 {
        let values = |nodes: &[Self]| -> Vec<f64> { nodes.iter().map(|node| node.at(row, step)).collect() };
        match self {
            Self::Leaf(leaf) => {
                let terms = leaf.terms.iter().map(|&(at, coefficient)| coefficient * row(at));
                let strided = leaf.strided.iter().map(|&(at, coefficient)| coefficient * row(at + step));
                leaf.constant + terms.chain(strided).sum::<f64>()
            }
            Self::Sum(nodes) => values(nodes).into_iter().sum(),
            Self::Max(nodes) => values(nodes).into_iter().fold(f64::NEG_INFINITY, f64::max),
            Self::Min(nodes) => values(nodes).into_iter().fold(f64::INFINITY, f64::min),
            Self::Abs(node) => node.at(row, step).abs(),
            Self::Scale(factor, node) => factor * node.at(row, step),
            Self::ScaleByRow(scale, node) => row(*scale) * node.at(row, step),
            Self::Select(nodes) if nodes[0].at(row, step) >= 0.0 => nodes[1].at(row, step),
            Self::Select(nodes) => nodes[2].at(row, step),
            Self::Reduce { reduction, points, body } => {
                let mut values: Vec<f64> = (0..*points).map(|k| body.at(row, k)).collect();
                values.sort_by(|a, b| b.total_cmp(a));
                match *reduction {
                    Reduction::Max => values[0],
                    Reduction::Min => values[values.len() - 1],
                    Reduction::Rank(rank) => values[rank as usize - 1],
                    Reduction::Tail { whole, fraction } => {
                        let next = values.get(whole as usize).map_or(0.0, |next| fraction * next);
                        values[..whole as usize].iter().sum::<f64>() + next
                    }
                }
            }
        }
    }
}
