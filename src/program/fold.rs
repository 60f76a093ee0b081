//! Adds a tree of nodes to a pool's roots: sums and scales go into the weights, affine parts into the terms, hinges of one
//! row into the kinks, and only what remains into postfix code.

use super::builder::Builder;
use super::node::{Leaf, Node, Reduction, by_depth};
use super::span::Span;
use super::{Instruction, RowRange, Weights};

impl Builder<'_> {
    /// Adds `weights · node`. What the rows' ranges decide is left out, so that many nodes turn out affine. A tree that needs
    /// more operands at once than kernels keep leaves the pool to the direct formulas ([`Builder::direct`]).
    ///
    /// Raw equity and gross notional are affine: a node that goes into them must turn out so.
    pub fn fold(&mut self, node: &Node, weights: Weights) {
        match node {
            Node::Leaf(leaf) => self.fold_leaf(leaf, weights),
            Node::Sum(nodes) => nodes.iter().for_each(|node| self.fold(node, weights)),
            Node::Scale(factor, inner) => {
                // The product of weight and factor rounds once.
                self.count_roundings(1);
                self.fold(inner, weights.scaled(*factor));
            }
            _ => {
                let (settled, span) = self.settle(node, None);
                if settled != *node {
                    // The direct formula evaluates what is left out here, and its roundings there may show.
                    let size = self.size(node, 1);
                    self.count_cancelled(weights, size);
                }
                match &settled {
                    Node::Leaf(_) | Node::Sum(_) | Node::Scale(..) => self.fold(&settled, weights),
                    Node::Max(nodes) if self.fold_hinge(nodes, 1.0, weights) => {}
                    Node::Min(nodes) if self.fold_hinge(nodes, -1.0, weights) => {}
                    _ => self.fold_code(&settled, span, weights),
                }
            }
        }
    }

    fn fold_leaf(&mut self, leaf: &Leaf, weights: Weights) {
        if leaf.constant != 0.0 {
            self.constant(leaf.constant, weights);
        }
        for &(row, coefficient) in leaf.terms.iter().chain(&leaf.strided) {
            self.affine(row, coefficient, weights);
        }
        leaf.uncancelled.iter().for_each(|&(row, size)| self.uncancelled(row, weights.largest() * size, 1));
    }

    /// The larger (`sign` 1) or smaller (−1) of a constant c and one row is `c + sign · max(0, sign · (row's leaf − c))`.
    /// Answers whether it was that.
    fn fold_hinge(&mut self, nodes: &[Node], sign: f64, weights: Weights) -> bool {
        let [a, b] = nodes else { return false };
        let (leaf, constant) = match (a, b, a.as_constant(), b.as_constant()) {
            (Node::Leaf(leaf), _, _, Some(constant)) | (_, Node::Leaf(leaf), Some(constant), _) => (leaf, constant),
            _ => return false,
        };
        let [(row, coefficient)] = leaf.terms[..] else { return false };
        if !(leaf.strided.is_empty() && leaf.uncancelled.is_empty()) {
            return false;
        }
        self.constant(constant, weights);
        // What forming the bound may have cancelled.
        self.count_cancelled(weights, constant.abs() + leaf.constant.abs());
        self.kink(row, sign * coefficient, sign * (constant - leaf.constant), weights.scaled(sign));
        true
    }

    /// Size of a node before any cancellation; counts its roundings.
    fn size(&mut self, node: &Node, points: u32) -> f64 {
        self.count_roundings(1);
        match node {
            Node::Leaf(leaf) => {
                self.count_roundings((leaf.terms.len() + leaf.strided.len()) as u32);
                let terms = leaf.terms.iter().map(|&(row, coefficient)| (self.row_range(row), coefficient));
                let sum = |size: f64, (range, c): (RowRange, f64)| size + c.abs() * range.parts_largest();
                let size = terms.fold(leaf.constant.abs(), sum);
                let strided = leaf.strided.iter();
                strided.fold(size, |size, &(row, coefficient)| sum(size, (self.block_range(row, points), coefficient)))
            }
            Node::Sum(nodes) => nodes.iter().map(|node| self.size(node, points)).sum(),
            Node::Max(nodes) | Node::Min(nodes) => nodes.iter().map(|node| self.size(node, points)).fold(0.0, f64::max),
            Node::Abs(inner) => self.size(inner, points),
            Node::Scale(factor, inner) => factor.abs() * self.size(inner, points),
            Node::ScaleByRow(row, inner) => self.row_range(*row).parts_largest() * self.size(inner, points),
            Node::Select(nodes) => nodes.iter().map(|node| self.size(node, points)).fold(0.0, f64::max),
            Node::Reduce { reduction, points, body } => {
                let size = self.size(body, *points);
                match reduction {
                    Reduction::Tail { whole, fraction } => {
                        self.count_roundings(whole.saturating_add(2));
                        (f64::from(*whole) + fraction) * size
                    }
                    Reduction::Max | Reduction::Min | Reduction::Rank(_) => size,
                }
            }
        }
    }

    fn fold_code(&mut self, settled: &Node, span: Span, weights: Weights) {
        self.emit_node(settled);
        self.close(weights, span);
    }

    fn emit_node(&mut self, node: &Node) {
        match node {
            Node::Leaf(leaf) => {
                self.leaf_of_sums(leaf, leaf.constant.abs());
            }
            Node::Sum(nodes) => self.emit_sum(nodes),
            Node::Max(nodes) => self.emit_extreme(nodes, Instruction::Max),
            Node::Min(nodes) => self.emit_extreme(nodes, Instruction::Min),
            Node::Abs(inner) => {
                self.emit_node(inner);
                self.emit(Instruction::Abs);
            }
            Node::Scale(factor, inner) => {
                self.count_roundings(1);
                self.emit_node(inner);
                self.emit(Instruction::Scale(*factor));
            }
            Node::ScaleByRow(row, inner) => {
                self.count_roundings(1);
                self.emit_node(inner);
                let level = self.row_range(*row).level;
                self.emit(Instruction::ScaleByRow { row: *row, level });
            }
            Node::Select(nodes) => {
                let [predicate, then, otherwise] = &**nodes;
                let before = self.roundings();
                self.emit_node(predicate);
                let mut magnitude = self.top();
                // Its compile error is derived from its operations: those that its coefficients have seen count, too.
                magnitude.operations = magnitude.operations.saturating_add(self.roundings() - before);
                self.emit_node(then);
                self.emit_node(otherwise);
                self.emit(Instruction::Select(magnitude));
            }
            Node::Reduce { reduction, points, body } => {
                self.emit(Instruction::Repeat { points: *points });
                self.emit_node(body);
                if let Reduction::Tail { whole, .. } = reduction {
                    // The direct formula adds as many.
                    self.count_roundings(whole.saturating_add(2));
                }
                self.emit(Instruction::Reduce(*reduction));
            }
        }
    }

    fn emit_extreme(&mut self, nodes: &[Node], instruction: Instruction) {
        for (at, node) in by_depth(nodes).into_iter().enumerate() {
            self.emit_node(node);
            if at > 0 {
                self.emit(instruction);
            }
        }
    }

    /// A sum: its affine parts are one leaf, the rest are added to it.
    fn emit_sum(&mut self, nodes: &[Node]) {
        let mut affine = Leaf::default();
        let (mut size, mut others) = (0.0, Vec::new());
        for node in by_depth(nodes) {
            let (factor, leaf) = match node {
                Node::Leaf(leaf) => (1.0, leaf),
                Node::Scale(factor, inner) => match &**inner {
                    Node::Leaf(leaf) => (*factor, leaf),
                    _ => {
                        others.push(node);
                        continue;
                    }
                },
                _ => {
                    others.push(node);
                    continue;
                }
            };
            // A product with the factor rounds, and so does each addition to the constant.
            self.count_roundings(2);
            affine.constant += factor * leaf.constant;
            size += (factor * leaf.constant).abs();
            let scaled = |&(row, coefficient): &(u32, f64)| (row, factor * coefficient);
            affine.terms.extend(leaf.terms.iter().map(scaled));
            affine.strided.extend(leaf.strided.iter().map(scaled));
            affine.uncancelled.extend(leaf.uncancelled.iter().map(|&(row, size)| (row, factor.abs() * size)));
        }
        let has_affine = size != 0.0 || !affine.terms.is_empty() || !affine.strided.is_empty();
        for (at, node) in others.iter().enumerate() {
            self.emit_node(node);
            if at > 0 {
                self.count_roundings(1);
                self.emit(Instruction::Add);
            }
        }
        if has_affine || others.is_empty() {
            self.leaf_of_sums(&affine, size);
            if !others.is_empty() {
                self.count_roundings(1);
                self.emit(Instruction::Add);
            }
        }
    }
}
