use crate::margin::bracket::{Form, Schedule};
use crate::number::Number;
use crate::program::{Leaf, Node};

/// A size charged by tiers whose bounds may be rows of the market; as many bounds as the schedule has, ascending.
impl Schedule {
    /// Direct formula: as [`Schedule::requirement`], over these bounds.
    pub(super) fn charge<N: Number>(&self, size: &N, bounds: &[N]) -> N {
        let steps = bounds.iter().zip(self.rates.windows(2));
        let first = N::of(self.first_rate());
        match self.form {
            Form::Marginal => steps.fold(first.times(size), |sum, (bound, rates)| {
                let slice = size.minus(bound).positive_part();
                sum.plus(&N::of(rates[1]).minus(&N::of(rates[0])).times(&slice))
            }),
            Form::Whole => {
                let rate = steps.fold(first, |rate, (bound, rates)| size.minus(bound).select(N::of(rates[1]), rate));
                rate.times(size)
            }
        }
    }

    /// Lowering of the same: a slice, or a step, per bound.
    pub(super) fn charge_node(&self, size: &Node, bounds: &[Leaf]) -> Node {
        let mut summands = vec![size.clone().scaled(self.first_rate())];
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
        let rate = self.rates.get(tier).copied().unwrap_or_default();
        format!("size {size:.2}: tier {} of {}, rate {rate}", tier + 1, self.rates.len())
    }

    fn first_rate(&self) -> f64 {
        self.rates.first().copied().unwrap_or_default()
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
