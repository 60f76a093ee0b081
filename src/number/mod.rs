//! The numbers a direct formula can be evaluated in: plain `f64` (published figures), [`Interval`] (three-valued
//! decisions) and [`Exact`] (exact decisions); [`Lanes`] and [`IntervalLanes`] are the first two for a block of scenarios at
//! once. A formula is written once, generically, and means the same in all of them.

mod dyadic;
mod exact;
mod interval;
mod interval_lanes;
mod lanes;
mod sorting;

use std::cmp::Ordering;

pub use exact::Exact;
pub use interval::Interval;
pub use interval_lanes::{IntervalLanes, Signs};
pub use lanes::{LANES, Lanes};

/// What a margin formula needs of a number. A quotient that holds nothing of a pool is an atom instead, formed once in f64
/// (`NUMERICS.md` §1).
pub trait Number: Clone {
    /// The number equal to a finite f64.
    fn of(value: f64) -> Self;
    /// `self + other`.
    fn plus(&self, other: &Self) -> Self;
    /// `self − other`.
    fn minus(&self, other: &Self) -> Self;
    /// `self · other`.
    fn times(&self, other: &Self) -> Self;
    /// `self / divisor`. A formula keeps a divisor of zero out of its result by [`Number::select`]: the quotient by zero is
    /// IEEE's in f64, the whole line in intervals and 0 in exact numbers.
    fn over(&self, divisor: &Self) -> Self;
    /// `max(self, 0)`.
    fn positive_part(&self) -> Self;
    /// `max(self, other)`, without rounding.
    fn larger(&self, other: &Self) -> Self;
    /// `min(self, other)`, without rounding.
    fn smaller(&self, other: &Self) -> Self;
    /// `|self|`, without rounding.
    fn magnitude(&self) -> Self;
    /// The order statistics of some numbers, largest first, without rounding: `[n]` to `[n]`.
    fn descending(values: Vec<Self>) -> Vec<Self>;
    /// `then` where `self ≥ 0`, `otherwise` elsewhere; covers both where the sign of `self` is not known.
    fn select(&self, then: Self, otherwise: Self) -> Self;
    /// Whether the number is certainly below `limit`; `false` where it is not known.
    fn is_below(&self, limit: f64) -> bool;
    /// Comparison with zero; `None` where it is not known.
    fn sign(&self) -> Option<Ordering>;
}

impl Number for f64 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn plus(&self, other: &Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        self - other
    }

    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        self * other
    }

    #[inline(always)]
    fn over(&self, divisor: &Self) -> Self {
        self / divisor
    }

    #[inline(always)]
    fn positive_part(&self) -> Self {
        if *self > 0.0 { *self } else { 0.0 }
    }

    #[inline(always)]
    fn larger(&self, other: &Self) -> Self {
        if self < other { *other } else { *self }
    }

    #[inline(always)]
    fn smaller(&self, other: &Self) -> Self {
        if other < self { *other } else { *self }
    }

    #[inline(always)]
    fn magnitude(&self) -> Self {
        self.abs()
    }

    fn descending(mut values: Vec<Self>) -> Vec<Self> {
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        values
    }

    #[inline(always)]
    fn select(&self, then: Self, otherwise: Self) -> Self {
        if *self >= 0.0 { then } else { otherwise }
    }

    #[inline(always)]
    fn is_below(&self, limit: f64) -> bool {
        *self < limit
    }

    #[inline(always)]
    fn sign(&self) -> Option<Ordering> {
        self.partial_cmp(&0.0)
    }
}

#[cfg(test)]
mod tests;
