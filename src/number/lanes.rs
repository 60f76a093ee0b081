use std::array;
use std::cmp::Ordering;

use super::{Number, sorting};

/// Scenarios evaluated together in [`Lanes`].
pub const LANES: usize = 32;

/// A block of f64 numbers, one per scenario: each lane is bit for bit what plain `f64` gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lanes(pub [f64; LANES]);

impl Lanes {
    #[inline(always)]
    fn zip(&self, other: &Self, operation: impl Fn(f64, f64) -> f64) -> Self {
        let mut result = [0.0; LANES];
        for lane in 0..LANES {
            result[lane] = operation(self.0[lane], other.0[lane]);
        }
        Self(result)
    }
}

impl Number for Lanes {
    #[inline(always)]
    fn of(value: f64) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    fn plus(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    fn over(&self, divisor: &Self) -> Self {
        self.zip(divisor, |a, b| a / b)
    }

    #[inline(always)]
    fn positive_part(&self) -> Self {
        Self(array::from_fn(|lane| if self.0[lane] > 0.0 { self.0[lane] } else { 0.0 }))
    }

    #[inline(always)]
    fn larger(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a.larger(&b))
    }

    #[inline(always)]
    fn smaller(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a.smaller(&b))
    }

    #[inline(always)]
    fn magnitude(&self) -> Self {
        Self(array::from_fn(|lane| self.0[lane].abs()))
    }

    #[inline(always)]
    fn descending(values: Vec<Self>) -> Vec<Self> {
        let blocks = values.into_iter().map(|values| values.0).collect();
        sorting::descending(blocks).into_iter().map(Self).collect()
    }

    #[inline(always)]
    fn select(&self, then: Self, otherwise: Self) -> Self {
        Self(array::from_fn(|lane| if self.0[lane] >= 0.0 { then.0[lane] } else { otherwise.0[lane] }))
    }

    /// All lanes are.
    fn is_below(&self, limit: f64) -> bool {
        self.0.iter().all(|value| *value < limit)
    }

    /// The sign all lanes share.
    fn sign(&self) -> Option<Ordering> {
        let first = self.0[0].sign();
        self.0.iter().all(|value| value.sign() == first).then_some(first).flatten()
    }
}
