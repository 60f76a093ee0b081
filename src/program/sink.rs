use super::{Builder, Node, Weights};

/// Where a rule puts the summands of its requirement: into a pool's roots at once, or into a tree that an expression goes on
/// with.
pub trait Sink {
    /// Bounds of `slope · row` over the scenarios, rounded outwards; the whole line where nobody knows.
    fn range(&self, row: u32, slope: f64) -> (f64, f64);
    /// Adds `coefficient · row`.
    fn affine(&mut self, row: u32, coefficient: f64);
    /// Adds `weight · max(0, slope · row − bound)`.
    fn hinge(&mut self, weight: f64, row: u32, slope: f64, bound: f64);
    /// Adds `weight · slope · row` where `slope · row ≥ bound`.
    fn step(&mut self, weight: f64, row: u32, slope: f64, bound: f64);
    /// Adds a tree.
    fn node(&mut self, node: Node);
}

/// Folds summands into the roots, weighted.
pub struct Weighted<'b, 'a> {
    /// The pool's builder.
    pub builder: &'b mut Builder<'a>,
    /// What every summand is multiplied by.
    pub weights: Weights,
}

impl Sink for Weighted<'_, '_> {
    #[inline]
    fn range(&self, row: u32, slope: f64) -> (f64, f64) {
        self.builder.range(row, slope)
    }

    #[inline]
    fn affine(&mut self, row: u32, coefficient: f64) {
        self.builder.affine(row, coefficient, self.weights);
    }

    #[inline]
    fn hinge(&mut self, weight: f64, row: u32, slope: f64, bound: f64) {
        self.builder.hinge(row, slope, bound, self.weights.scaled(weight));
    }

    fn step(&mut self, weight: f64, row: u32, slope: f64, bound: f64) {
        self.builder.step((row, slope), bound, (row, slope), self.weights.scaled(weight));
    }

    fn node(&mut self, node: Node) {
        self.builder.fold(&node, self.weights);
    }
}

/// Collects summands.
#[derive(Debug, Default)]
pub struct Collected {
    terms: Vec<(u32, f64)>,
    nodes: Vec<Node>,
}

impl Collected {
    /// Their sum.
    pub fn sum(mut self) -> Node {
        if !self.terms.is_empty() {
            self.nodes.push(Node::leaf(self.terms));
        }
        Node::Sum(self.nodes)
    }
}

impl Sink for Collected {
    fn range(&self, _: u32, _: f64) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }

    fn affine(&mut self, row: u32, coefficient: f64) {
        self.terms.push((row, coefficient));
    }

    fn hinge(&mut self, weight: f64, row: u32, slope: f64, bound: f64) {
        self.nodes.push(Node::line(row, slope, -bound).positive_part().scaled(weight));
    }

    fn step(&mut self, weight: f64, row: u32, slope: f64, bound: f64) {
        let predicate = Node::line(row, slope, -bound);
        let select = Node::Select(Box::new([predicate, Node::line(row, slope, 0.0), Node::constant(0.0)]));
        self.nodes.push(select.scaled(weight));
    }

    fn node(&mut self, node: Node) {
        self.nodes.push(node);
    }
}
