//! Leaves out of a node tree what the rows' ranges decide. Every rewriting is exact in real numbers, and every decision is
//! taken on ends that are rounded outwards: the value stays the same under every scenario.

use super::builder::Builder;
use super::node::{Leaf, Node, Reduction};
use super::span::Span;

impl Builder<'_> {
    /// The node without what cannot be reached, and what it can reach. `points` is the size of the reduction around it.
    pub(super) fn settle(&mut self, node: &Node, points: Option<u32>) -> (Node, Span) {
        match node {
            Node::Leaf(leaf) => self.settle_leaf(leaf, points),
            Node::Sum(nodes) => self.settle_sum(nodes, points),
            Node::Max(nodes) => self.settle_extreme(nodes, points, Extreme::Largest),
            Node::Min(nodes) => self.settle_extreme(nodes, points, Extreme::Smallest),
            Node::Abs(inner) => {
                let (inner, span) = self.settle(inner, points);
                if span.low >= 0.0 {
                    (inner, span)
                } else if span.high <= 0.0 {
                    scaled(-1.0, inner, span)
                } else {
                    (inner.absolute(), span.absolute())
                }
            }
            Node::Scale(factor, inner) => {
                let (inner, span) = self.settle(inner, points);
                scaled(*factor, inner, span)
            }
            Node::ScaleByRow(row, inner) => {
                let (inner, span) = self.settle(inner, points);
                self.settle_row_scale(*row, inner, span)
            }
            Node::Select(nodes) => self.settle_select(nodes, points),
            Node::Reduce { reduction, points: own, body } => {
                assert!(points.is_none(), "reductions do not nest");
                self.settle_reduction(*reduction, *own, body)
            }
        }
    }

    fn settle_leaf(&mut self, leaf: &Leaf, points: Option<u32>) -> (Node, Span) {
        let mut settled = Leaf { constant: leaf.constant, uncancelled: leaf.uncancelled.clone(), ..Leaf::default() };
        let mut span = Span::point(leaf.constant);
        let outside = if points.is_none() { &leaf.strided[..] } else { &[] };
        for &(row, coefficient) in leaf.terms.iter().chain(outside).filter(|(_, coefficient)| *coefficient != 0.0) {
            let range = self.row_range(row);
            // A row that is 0 everywhere has nothing to add.
            if !(range.is_constant() && range.level == 0.0) {
                span = span.plus(Span::point(coefficient).times(Span::new(range.low, range.high)));
                settled.terms.push((row, coefficient));
            }
        }
        for &(row, coefficient) in leaf.strided.iter().filter(|(_, coefficient)| *coefficient != 0.0) {
            let Some(points) = points else { break };
            let range = self.block_range(row, points);
            if !(range.is_constant() && range.level == 0.0) {
                span = span.plus(Span::point(coefficient).times(Span::new(range.low, range.high)));
                settled.strided.push((row, coefficient));
            }
        }
        (Node::Leaf(settled), span)
    }

    fn settle_sum(&mut self, nodes: &[Node], points: Option<u32>) -> (Node, Span) {
        let mut span = Span::ZERO;
        let mut settled = Vec::with_capacity(nodes.len());
        for node in nodes {
            let (node, summand) = self.settle(node, points);
            span = span.plus(summand);
            match node {
                Node::Sum(inner) => settled.extend(inner),
                node if node.is_zero() => {}
                node => settled.push(node),
            }
        }
        (only_or(settled, Node::Sum), span)
    }

    /// Maximum or minimum, without the alternatives that certainly lie beyond another one.
    fn settle_extreme(&mut self, nodes: &[Node], points: Option<u32>, extreme: Extreme) -> (Node, Span) {
        assert!(!nodes.is_empty(), "a maximum or minimum has alternatives");
        let mut settled = Vec::with_capacity(nodes.len());
        for node in nodes {
            settled.push(self.settle(node, points));
        }
        let end = |(_, span): &(Node, Span)| extreme.certain_end(*span);
        let best =
            (1..settled.len()).fold(0, |best, at| if end(&settled[at]) > end(&settled[best]) { at } else { best });
        let limit = end(&settled[best]);
        let span = settled.iter().map(|(_, span)| *span).reduce(|a, b| extreme.of(a, b)).unwrap_or(Span::ZERO);
        let kept = settled.into_iter().enumerate().filter(|(at, (_, span))| {
            // Certainly not beyond the best one: it never decides.
            *at == best || extreme.possible_end(*span) > limit
        });
        let mut alternatives = Vec::new();
        for (_, (node, _)) in kept {
            match (extreme, node) {
                (Extreme::Largest, Node::Max(inner)) | (Extreme::Smallest, Node::Min(inner)) => {
                    alternatives.extend(inner)
                }
                (_, node) => alternatives.push(node),
            }
        }
        let node = only_or(alternatives, if extreme == Extreme::Largest { Node::Max } else { Node::Min });
        (node, span)
    }

    fn settle_row_scale(&mut self, row: u32, inner: Node, span: Span) -> (Node, Span) {
        let range = self.row_range(row);
        if range.is_constant() {
            return scaled(range.level, inner, span);
        }
        let span = span.times(Span::new(range.low, range.high));
        let node = match inner.as_constant() {
            Some(0.0) => Node::constant(0.0),
            Some(constant) => Node::leaf(vec![(row, constant)]),
            None => inner.scaled_by_row(row),
        };
        (node, span)
    }

    fn settle_select(&mut self, nodes: &[Node; 3], points: Option<u32>) -> (Node, Span) {
        let (predicate, sign) = self.settle(&nodes[0], points);
        if sign.low >= 0.0 {
            return self.settle(&nodes[1], points);
        }
        if sign.high < 0.0 {
            return self.settle(&nodes[2], points);
        }
        let (then, a) = self.settle(&nodes[1], points);
        let (otherwise, b) = self.settle(&nodes[2], points);
        (predicate.select(then, otherwise), a.hull(b))
    }

    fn settle_reduction(&mut self, reduction: Reduction, points: u32, body: &Node) -> (Node, Span) {
        assert!(points >= 1, "a reduction has points");
        let (body, span) = self.settle(body, Some(points).filter(|&points| points > 1));
        let varies = body.is_strided();
        match reduction {
            Reduction::Max | Reduction::Min if !varies => (body, span),
            Reduction::Rank(rank) => {
                assert!((1..=points).contains(&rank), "a rank is one of the points");
                if varies { (body.reduced(reduction, points), span) } else { (body, span) }
            }
            Reduction::Tail { whole, fraction } => {
                let fits = whole < points || (whole == points && fraction == 0.0);
                assert!(fits && (0.0..1.0).contains(&fraction), "a tail is part of the points");
                let share = Span::point(f64::from(whole)).plus(Span::point(fraction));
                if varies {
                    (body.reduced(reduction, points), span.times(share))
                } else {
                    let (whole, fraction) = (body.clone().scaled(f64::from(whole)), body.scaled(fraction));
                    self.settle(&Node::Sum(vec![whole, fraction]), None)
                }
            }
            Reduction::Max | Reduction::Min => (body.reduced(reduction, points), span),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Extreme {
    Largest,
    Smallest,
}

impl Extreme {
    /// A value that the extreme is certainly not short of, larger is further.
    fn certain_end(self, span: Span) -> f64 {
        match self {
            Self::Largest => span.low,
            Self::Smallest => -span.high,
        }
    }

    /// How far an alternative may go, in the same sense.
    fn possible_end(self, span: Span) -> f64 {
        match self {
            Self::Largest => span.high,
            Self::Smallest => -span.low,
        }
    }

    fn of(self, a: Span, b: Span) -> Span {
        match self {
            Self::Largest => a.larger(b),
            Self::Smallest => a.smaller(b),
        }
    }
}

/// factor · node.
fn scaled(factor: f64, node: Node, span: Span) -> (Node, Span) {
    if factor == 1.0 {
        return (node, span);
    }
    if factor == 0.0 || node.is_zero() {
        return (Node::constant(0.0), Span::ZERO);
    }
    (node.scaled(factor), span.times(Span::point(factor)))
}

/// The only node of a list, 0 of an empty one, else what is made of them.
fn only_or(mut nodes: Vec<Node>, several: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        0 => Node::constant(0.0),
        1 => nodes.swap_remove(0),
        _ => several(nodes),
    }
}
