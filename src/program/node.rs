/// `constant + Σ coefficient · row`, absolute. A row may appear several times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Leaf {
    /// The constant.
    pub constant: f64,
    /// (row, coefficient).
    pub terms: Vec<(u32, f64)>,
    /// (first row of a block, coefficient): at point k of the reduction around it the row is `first + k`; outside of one it
    /// is the first. The rows of a block have one level ([`crate::pricing::Rows::append_differences`]).
    pub strided: Vec<(u32, f64)>,
    /// (row, size) of numbers that were summed into a coefficient of that row before: what the sum may have cancelled.
    pub uncancelled: Vec<(u32, f64)>,
}

/// What a reduction takes of the values at its points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reduction {
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The rank-th largest, from 1 (the largest) to the number of points.
    Rank(u32),
    /// The sum of the `whole` largest and `fraction` times the next one: an expected shortfall times its share of the points.
    Tail {
        /// How many count in full.
        whole: u32,
        /// How much of the next one counts, 0 ≤ fraction < 1; 0 if there is none.
        fraction: f64,
    },
}

/// A margin requirement as a tree over rows: what a rule says to [`super::Builder::fold`].
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// An affine sum.
    Leaf(Leaf),
    /// The sum; 0 if empty.
    Sum(Vec<Node>),
    /// The largest; not empty.
    Max(Vec<Node>),
    /// The smallest; not empty.
    Min(Vec<Node>),
    /// The absolute value.
    Abs(Box<Node>),
    /// Times a constant.
    Scale(f64, Box<Node>),
    /// Times a market row ≥ 0, absolute.
    ScaleByRow(u32, Box<Node>),
    /// Predicate, then, otherwise: `then` where the predicate is ≥ 0.
    Select(Box<[Node; 3]>),
    /// A reduction of `body` over its points; reductions do not nest.
    Reduce {
        /// Which.
        reduction: Reduction,
        /// Number of points, ≥ 1.
        points: u32,
        /// The value at a point.
        body: Box<Node>,
    },
}

impl Node {
    /// `Σ coefficient · row`.
    pub fn leaf(terms: Vec<(u32, f64)>) -> Self {
        Self::Leaf(Leaf { terms, ..Leaf::default() })
    }

    /// `Σ coefficient · (row + k)` at point k.
    pub fn strided(strided: Vec<(u32, f64)>) -> Self {
        Self::Leaf(Leaf { strided, ..Leaf::default() })
    }

    /// `slope · row + constant`.
    pub fn line(row: u32, slope: f64, constant: f64) -> Self {
        Self::Leaf(Leaf { constant, terms: vec![(row, slope)], ..Leaf::default() })
    }

    /// A constant.
    pub fn constant(constant: f64) -> Self {
        Self::Leaf(Leaf { constant, ..Leaf::default() })
    }

    /// max(0, node).
    pub fn positive_part(self) -> Self {
        Self::Max(vec![self, Self::constant(0.0)])
    }

    /// |node|.
    pub fn absolute(self) -> Self {
        Self::Abs(Box::new(self))
    }

    /// factor · node.
    pub fn scaled(self, factor: f64) -> Self {
        Self::Scale(factor, Box::new(self))
    }

    /// row · node.
    pub fn scaled_by_row(self, row: u32) -> Self {
        Self::ScaleByRow(row, Box::new(self))
    }

    /// `then` where `self` ≥ 0, else `otherwise`.
    pub fn select(self, then: Self, otherwise: Self) -> Self {
        Self::Select(Box::new([self, then, otherwise]))
    }

    /// The node, reduced over `points` points.
    pub fn reduced(self, reduction: Reduction, points: u32) -> Self {
        Self::Reduce { reduction, points, body: Box::new(self) }
    }

    /// Whether it certainly is 0 for want of summands.
    pub(super) fn is_zero(&self) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.constant == 0.0 && leaf.terms.is_empty() && leaf.strided.is_empty(),
            _ => false,
        }
    }

    /// The value, if it is a constant.
    pub(super) fn as_constant(&self) -> Option<f64> {
        match self {
            Self::Leaf(leaf) if leaf.terms.is_empty() && leaf.strided.is_empty() => Some(leaf.constant),
            _ => None,
        }
    }

    /// Whether its value differs from point to point of the reduction around it.
    pub(super) fn is_strided(&self) -> bool {
        match self {
            Self::Leaf(leaf) => !leaf.strided.is_empty(),
            Self::Sum(nodes) | Self::Max(nodes) | Self::Min(nodes) => nodes.iter().any(Self::is_strided),
            Self::Abs(node) | Self::Scale(_, node) | Self::ScaleByRow(_, node) => node.is_strided(),
            Self::Select(nodes) => nodes.iter().any(Self::is_strided),
            Self::Reduce { .. } => false,
        }
    }

    /// Operands on the stack while it is evaluated in the order of [`by_depth`].
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Sum(nodes) | Self::Max(nodes) | Self::Min(nodes) => {
                let mut depths: Vec<usize> = nodes.iter().map(Self::depth).collect();
                depths.sort_unstable_by(|a, b| b.cmp(a));
                depths.first().copied().unwrap_or(1).max(depths.get(1).map_or(0, |second| second + 1))
            }
            Self::Abs(node) | Self::Scale(_, node) | Self::ScaleByRow(_, node) => node.depth(),
            Self::Select(nodes) => (0..3).map(|at| nodes[at].depth() + at).fold(1, usize::max),
            Self::Reduce { body, .. } => body.depth(),
        }
    }
}

/// Operands of a commutative node, the deepest first: then the fewest values wait on the stack.
pub(super) fn by_depth(nodes: &[Node]) -> Vec<&Node> {
    let mut ordered: Vec<(usize, &Node)> = nodes.iter().map(|node| (node.depth(), node)).collect();
    ordered.sort_by_key(|&(depth, _)| std::cmp::Reverse(depth));
    ordered.into_iter().map(|(_, node)| node).collect()
}

#[cfg(test)]
impl Node {
    /// Its value where `row` answers the values of rows: the definition, step by step.
    pub(crate) fn evaluate(&self, row: &dyn Fn(u32) -> f64) -> f64 {
        self.at(row, 0)
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
