use crate::margin::bracket::{Form, Schedule};
use crate::number::Number;
use crate::program::{Leaf, Node};

/// A size charged by tiers whose bounds may be rows of the market; as many bounds as the schedule has, ascending.
impl Schedule {
    /// Direct formula: as [`Schedule::requirement`], over these bounds.
    pub(super) fn charge<N: Number>(&self, size: &N, bounds: &[N]) -> N {
        let rate = |tier: usize| N::of(self.rates[tier]);
        let bounds = bounds.iter().enumerate();
        match self.form {
            Form::Marginal => bounds.fold(rate(0).times(size), |sum, (tier, bound)| {
                let slice = size.minus(bound).positive_part();
                sum.plus(&rate(tier + 1).minus(&rate(tier)).times(&slice))
            }),
            Form::Whole => {
                let reached = |so_far: N, (tier, bound): (usize, &N)| size.minus(bound).select(rate(tier + 1), so_far);
                bounds.fold(rate(0), reached).times(size)
            }
        }
    }

    /// Lowering of the same: a slice, or a step, per bound.
    pub(super) fn charge_node(&self, size: &Node, bounds: &[Leaf]) -> Node {
        let mut summands = vec![size.clone().scaled(self.rates[0])];
        for (bound, rates) in bounds.iter().zip(self.rates.windows(2)) {
            let increase = rates[1] - rates[0];
            if increase == 0.0 {
                continue;
            }
            let beyond = Node::Sum(vec![size.clone(), Node::Leaf(bound.negated())]);
            summands.push(match self.form {
                Form::Marginal => beyond.positive_part().scaled(increase),
                Form::Whole => Node::Select(Box::new([beyond, size.clone().scaled(increase), Node::constant(0.0)])),
            });
        }
        Node::Sum(summands)
    }

    /// Bounds in quote units, for [`Schedule::charge`].
    pub(super) fn quote_bounds<N: Number>(&self) -> Vec<N> {
        self.bounds.iter().map(|bound| N::of(*bound)).collect()
    }

    /// The same, for [`Schedule::charge_node`].
    pub(super) fn quote_bound_leaves(&self) -> Vec<Leaf> {
        self.bounds.iter().map(|bound| Leaf { constant: *bound, ..Leaf::default() }).collect()
    }

    /// The tier that a size lies in, in words.
    pub(super) fn tier_at(&self, size: f64, bounds: &[f64]) -> String {
        let tier = bounds.iter().filter(|bound| **bound <= size).count();
        format!("size {size:.2}: tier {} of {}, rate {}", tier + 1, self.rates.len(), self.rates[tier])
    }
}

impl Leaf {
    fn negated(&self) -> Self {
        let negated = |terms: &[(u32, f64)]| terms.iter().map(|&(row, coefficient)| (row, -coefficient)).collect();
        Self {
            constant: -self.constant,
            terms: negated(&self.terms),
            strided: negated(&self.strided),
            uncancelled: self.uncancelled.clone(),
        }
    }
}
