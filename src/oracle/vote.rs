//! Votes with weights and their quantiles. Weights are whole numbers of 1e-9, so that an exactly split weight is seen as such.

use std::cmp::Ordering;

use super::policy::Ties;
use super::quote::Quote;

/// Parts of a weight of 1.
const UNITS: f64 = 1e9;

/// A weight in parts; `None` where it is not positive to nine decimals, or beyond [`Quote::LARGEST_WEIGHT`].
pub fn units(weight: f64) -> Option<u128> {
    let parts = (weight * UNITS).round();
    (parts >= 1.0 && weight <= Quote::LARGEST_WEIGHT).then_some(parts as u128)
}

/// Parts as a weight.
pub fn weight(units: u128) -> f64 {
    units as f64 / UNITS
}

/// What is voted for.
pub trait Level: Copy {
    /// The order of levels.
    fn order(&self, other: &Self) -> Ordering;
    /// The level half-way to a higher one; whole levels are rounded down.
    fn middle(self, upper: Self) -> Self;
}

impl Level for f64 {
    fn order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }

    fn middle(self, upper: Self) -> Self {
        0.5 * self + 0.5 * upper
    }
}

impl Level for i128 {
    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn middle(self, upper: Self) -> Self {
        (self + upper).div_euclid(2)
    }
}

/// Votes in ascending order.
#[derive(Debug, Clone)]
pub struct Votes<L> {
    sorted: Vec<(L, u128)>,
    total: u128,
}

impl<L: Level> Votes<L> {
    /// Sorts votes of positive weight.
    pub fn new(mut votes: Vec<(L, u128)>) -> Self {
        votes.sort_by(|a, b| a.0.order(&b.0));
        Self { total: votes.iter().map(|(_, units)| units).sum(), sorted: votes }
    }

    /// The level at half of the weight; `None` without votes.
    pub fn median(&self, ties: Ties) -> Option<L> {
        let lower = self.first(self.sorted.iter(), |reached| 2 * reached >= self.total)?;
        let upper = self.first(self.sorted.iter(), |reached| 2 * reached > self.total)?;
        Some(match ties {
            Ties::Lower => lower,
            Ties::Mean => lower.middle(upper),
            Ties::Upper => upper,
        })
    }

    /// The levels with a quarter of the weight below and above: index ⌊n/4⌋ from either end where all weights are equal.
    pub fn quartiles(&self) -> Option<(L, L)> {
        let beyond_quarter = |reached: u128| 4 * reached > self.total;
        Some((self.first(self.sorted.iter(), beyond_quarter)?, self.first(self.sorted.iter().rev(), beyond_quarter)?))
    }

    fn first<'v>(&self, votes: impl Iterator<Item = &'v (L, u128)>, is_enough: impl Fn(u128) -> bool) -> Option<L>
    where
        L: 'v,
    {
        let mut reached = 0;
        for (level, units) in votes {
            reached += units;
            if is_enough(reached) {
                return Some(*level);
            }
        }
        None
    }
}
