//! The numbers a direct formula can be evaluated in: plain `f64` (published figures), [`Interval`] (three-valued
//! decisions) and [`Dyadic`] (exact decisions). A formula is written once, generically, and means the same in all three.

mod dyadic;
mod interval;
mod lanes;

use std::cmp::Ordering;

pub use dyadic::Dyadic;
pub use interval::Interval;
pub use lanes::{LANES, Lanes};

/// What a margin formula needs of a number. No division: quotients are atoms, formed once in f64 (`NUMERICS.md` §1).
pub trait Number: Clone {
    /// The number equal to a finite f64.
    fn of(value: f64) -> Self;
    /// `self + other`.
    fn plus(&self, other: &Self) -> Self;
    /// `self − other`.
    fn minus(&self, other: &Self) -> Self;
    /// `self · other`.
    fn times(&self, other: &Self) -> Self;
    /// `max(self, 0)`.
    fn positive_part(&self) -> Self;
    /// `then` where `self ≥ 0`, `otherwise` elsewhere; covers both where the sign of `self` is not known.
    fn select(&self, then: Self, otherwise: Self) -> Self;
    /// Whether the number is certainly below `limit`; `false` where it is not known.
    fn is_below(&self, limit: f64) -> bool;
    /// Comparison with zero; `None` where it is not known.
    fn sign(&self) -> Option<Ordering>;
}

impl Number for f64 {
    fn of(value: f64) -> Self {
        value
    }

    fn plus(&self, other: &Self) -> Self {
        self + other
    }

    fn minus(&self, other: &Self) -> Self {
        self - other
    }

    fn times(&self, other: &Self) -> Self {
        self * other
    }

    fn positive_part(&self) -> Self {
        if *self > 0.0 { *self } else { 0.0 }
    }

    fn select(&self, then: Self, otherwise: Self) -> Self {
        if *self >= 0.0 { then } else { otherwise }
    }

    fn is_below(&self, limit: f64) -> bool {
        *self < limit
    }

    fn sign(&self) -> Option<Ordering> {
        self.partial_cmp(&0.0)
    }
}
