use std::cmp::Ordering;

use super::Number;

/// A closed interval that certainly holds the exact value, a finite number. Every operation that rounds widens by one ulp
/// outwards, which covers the half ulp that round-to-nearest may lose. Ends may be infinite (nothing is known on that side)
/// and never NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end, below +∞.
    pub low: f64,
    /// Upper end, above −∞.
    pub high: f64,
}

impl Interval {
    /// Every number.
    pub const WHOLE: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    fn outward(low: f64, high: f64) -> Self {
        Self { low: low.next_down(), high: high.next_up() }
    }

    /// What holds four corners, each rounded once.
    fn around(corners: [f64; 4]) -> Self {
        let [a, b, c, d] = corners.map(settled);
        Self::outward(a.smaller(&b).smaller(&c.smaller(&d)), a.larger(&b).larger(&c.larger(&d)))
    }

    /// The middle: the best single f64; NaN of [`Interval::WHOLE`].
    pub fn middle(&self) -> f64 {
        0.5 * self.low + 0.5 * self.high
    }
}

/// A corner of a product or quotient. 0·∞ counts as 0, for an infinite end stands for large finite numbers; and of ∞/∞ every
/// limit lies between the other corners and 0, which is one of them (x/∞).
#[inline(always)]
pub(super) fn settled(corner: f64) -> f64 {
    if corner.is_nan() { 0.0 } else { corner }
}

impl Number for Interval {
    fn of(value: f64) -> Self {
        Self { low: value, high: value }
    }

    fn plus(&self, other: &Self) -> Self {
        Self::outward(self.low + other.low, self.high + other.high)
    }

    fn minus(&self, other: &Self) -> Self {
        Self::outward(self.low - other.high, self.high - other.low)
    }

    fn times(&self, other: &Self) -> Self {
        Self::around([self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high])
    }

    fn over(&self, divisor: &Self) -> Self {
        if divisor.low <= 0.0 && divisor.high >= 0.0 {
            return Self::WHOLE;
        }
        Self::around([
            self.low / divisor.low,
            self.low / divisor.high,
            self.high / divisor.low,
            self.high / divisor.high,
        ])
    }

    fn positive_part(&self) -> Self {
        Self { low: self.low.positive_part(), high: self.high.positive_part() }
    }

    fn larger(&self, other: &Self) -> Self {
        Self { low: self.low.larger(&other.low), high: self.high.larger(&other.high) }
    }

    fn smaller(&self, other: &Self) -> Self {
        Self { low: self.low.smaller(&other.low), high: self.high.smaller(&other.high) }
    }

    fn magnitude(&self) -> Self {
        Self { low: self.low.larger(&-self.high).positive_part(), high: self.high.larger(&-self.low) }
    }

    /// Lower ends sorted, with upper ends sorted: the k-th largest number never falls when one of them rises, so it lies
    /// between the k-th largest of the lower ends and that of the upper ones.
    fn descending(values: Vec<Self>) -> Vec<Self> {
        let (lows, highs) = values.into_iter().map(|value| (value.low, value.high)).unzip();
        f64::descending(lows).into_iter().zip(f64::descending(highs)).map(|(low, high)| Self { low, high }).collect()
    }

    fn select(&self, then: Self, otherwise: Self) -> Self {
        if self.low >= 0.0 {
            then
        } else if self.high < 0.0 {
            otherwise
        } else {
            Self { low: then.low.smaller(&otherwise.low), high: then.high.larger(&otherwise.high) }
        }
    }

    fn is_below(&self, limit: f64) -> bool {
        self.high < limit
    }

    fn sign(&self) -> Option<Ordering> {
        if self.low > 0.0 {
            Some(Ordering::Greater)
        } else if self.high < 0.0 {
            Some(Ordering::Less)
        } else if self.low == 0.0 && self.high == 0.0 {
            Some(Ordering::Equal)
        } else {
            None
        }
    }
}
