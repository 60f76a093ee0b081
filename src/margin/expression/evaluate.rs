//! The value of a formula, in any number.

use super::{Expression, Name};
use crate::number::Number;

/// A denominator nearer to 0 than this counts as this, so that a quotient is finite; 0 counts as positive.
const LEAST_DENOMINATOR: f64 = 1e-30;

/// What a formula asks its surroundings for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Leaf<'e> {
    /// What a name is worth; of magnitude at most 1e40.
    Name(&'e Name),
    /// The inverse of a denominator that depends on the market: an atom, by [`Expression::inverse`].
    Inverse(&'e Expression),
}

impl Expression {
    /// Direct formula. A quotient is the numerator times the inverse of the denominator, the nearest f64; a finite leaf of
    /// magnitude at most 1e40 gives a finite value.
    pub fn evaluate<N: Number>(&self, leaf: &mut impl FnMut(Leaf<'_>) -> N) -> N {
        match self {
            Self::Number(number) => N::of(*number),
            Self::Name(name) => leaf(Leaf::Name(name)),
            Self::Negative(x) => N::of(0.0).minus(&x.evaluate(leaf)),
            Self::Sum(terms) => sum(terms, leaf),
            Self::Product(pair) => pair[0].evaluate(leaf).times(&pair[1].evaluate(leaf)),
            Self::Quotient(pair) => {
                let inverse = match pair[1].constant() {
                    Some(denominator) => N::of(held_inverse(denominator)),
                    None => leaf(Leaf::Inverse(&pair[1])),
                };
                pair[0].evaluate(leaf).times(&inverse)
            }
            Self::Maximum(all) => fold(all, leaf, N::larger),
            Self::Minimum(all) => fold(all, leaf, N::smaller),
            Self::Magnitude(x) => x.evaluate(leaf).magnitude(),
            Self::PositivePart(x) => x.evaluate(leaf).positive_part(),
            Self::Clamp(triple) => {
                let [x, low, high] = [0, 1, 2].map(|index| triple[index].evaluate(leaf));
                x.larger(&low).smaller(&high)
            }
            Self::Piecewise(x, curve) => curve.at(&x.evaluate(leaf)),
        }
    }

    /// The inverse of a formula that depends on the market at most: the nearest f64. A value within ± 1e-30 counts as
    /// 1e-30 of its sign, 0 as positive.
    pub fn inverse(&self, market: &mut dyn FnMut(&Name) -> f64) -> f64 {
        let value = self.evaluate(&mut |leaf| match leaf {
            Leaf::Name(name) => market(name),
            Leaf::Inverse(denominator) => denominator.inverse(market),
        });
        held_inverse(value)
    }

    /// The value of a formula without names; `None` where it has any.
    pub fn constant(&self) -> Option<f64> {
        let mut has_names = false;
        self.names(&mut |_| has_names = true);
        // A formula without names asks for nothing.
        (!has_names).then(|| self.evaluate(&mut |_| 0.0))
    }
}

fn held_inverse(denominator: f64) -> f64 {
    match denominator.abs() < LEAST_DENOMINATOR {
        true if denominator < 0.0 => -1.0 / LEAST_DENOMINATOR,
        true => 1.0 / LEAST_DENOMINATOR,
        false => 1.0 / denominator,
    }
}

fn sum<N: Number>(terms: &[Expression], leaf: &mut impl FnMut(Leaf<'_>) -> N) -> N {
    let Some((first, rest)) = terms.split_first() else { return N::of(0.0) };
    let mut sum = first.evaluate(leaf);
    for term in rest {
        sum = match term {
            Expression::Negative(x) => sum.minus(&x.evaluate(leaf)),
            term => sum.plus(&term.evaluate(leaf)),
        };
    }
    sum
}

fn fold<N: Number>(all: &[Expression], leaf: &mut impl FnMut(Leaf<'_>) -> N, choose: impl Fn(&N, &N) -> N) -> N {
    let values = all.iter().map(|operand| operand.evaluate(leaf));
    values.reduce(|chosen, value| choose(&chosen, &value)).unwrap_or_else(|| N::of(0.0))
}
