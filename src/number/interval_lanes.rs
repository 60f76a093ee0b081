use std::cmp::Ordering;

use super::interval::settled;
use super::{LANES, Number, sorting};

/// A block of [`Interval`](super::Interval)s, one per scenario: each lane holds the same ends as one alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalLanes {
    /// Lower ends.
    pub low: [f64; LANES],
    /// Upper ends.
    pub high: [f64; LANES],
}

/// Lanes whose sign is certain: one bit per lane, lowest first. A lane in neither mask is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// Certainly below zero.
    pub negative: u32,
    /// Certainly not below zero.
    pub non_negative: u32,
}

impl IntervalLanes {
    /// The intervals that hold one number each.
    #[inline(always)]
    pub fn points(values: [f64; LANES]) -> Self {
        Self { low: values, high: values }
    }

    /// What is certain about the sign of each lane.
    #[inline(always)]
    pub fn signs(&self) -> Signs {
        let mut signs = Signs { negative: 0, non_negative: 0 };
        for lane in 0..LANES {
            signs.negative |= u32::from(self.high[lane] < 0.0) << lane;
            signs.non_negative |= u32::from(self.low[lane] >= 0.0) << lane;
        }
        signs
    }

    /// Ends made of both operands' ends, `(self.low, self.high, other.low, other.high)`, lane by lane.
    #[inline(always)]
    fn zip(&self, other: &Self, ends: impl Fn(f64, f64, f64, f64) -> (f64, f64)) -> Self {
        let mut result = *self;
        for lane in 0..LANES {
            (result.low[lane], result.high[lane]) =
                ends(self.low[lane], self.high[lane], other.low[lane], other.high[lane]);
        }
        result
    }

    /// Whether every lane is one number: what atoms are, and most factors of a formula.
    #[inline(always)]
    fn are_points(&self) -> bool {
        let mut same = true;
        for lane in 0..LANES {
            same &= self.low[lane] == self.high[lane];
        }
        same
    }

    /// The product with one number per lane: two corners are enough.
    #[inline(always)]
    fn scaled(&self, factor: &Self) -> Self {
        self.zip(factor, |low, high, factor, _| {
            let (a, b) = (settled(low * factor), settled(high * factor));
            (next_down(a.smaller(&b)), next_up(a.larger(&b)))
        })
    }
}

impl Number for IntervalLanes {
    #[inline(always)]
    fn of(value: f64) -> Self {
        Self::points([value; LANES])
    }

    #[inline(always)]
    fn plus(&self, other: &Self) -> Self {
        self.zip(other, |a, b, c, d| (next_down(a + c), next_up(b + d)))
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        self.zip(other, |a, b, c, d| (next_down(a - d), next_up(b - c)))
    }

    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        if other.are_points() {
            self.scaled(other)
        } else if self.are_points() {
            other.scaled(self)
        } else {
            self.zip(other, |a, b, c, d| around(a * c, a * d, b * c, b * d))
        }
    }

    #[inline(always)]
    fn over(&self, divisor: &Self) -> Self {
        self.zip(divisor, |a, b, c, d| {
            let (low, high) = around(a / c, a / d, b / c, b / d);
            let is_whole = c <= 0.0 && d >= 0.0;
            (if is_whole { f64::NEG_INFINITY } else { low }, if is_whole { f64::INFINITY } else { high })
        })
    }

    #[inline(always)]
    fn positive_part(&self) -> Self {
        self.zip(self, |low, high, _, _| (low.positive_part(), high.positive_part()))
    }

    #[inline(always)]
    fn larger(&self, other: &Self) -> Self {
        self.zip(other, |a, b, c, d| (a.larger(&c), b.larger(&d)))
    }

    #[inline(always)]
    fn smaller(&self, other: &Self) -> Self {
        self.zip(other, |a, b, c, d| (a.smaller(&c), b.smaller(&d)))
    }

    #[inline(always)]
    fn magnitude(&self) -> Self {
        self.zip(self, |low, high, _, _| (low.larger(&-high).positive_part(), high.larger(&-low)))
    }

    /// Per lane, as [`Interval`](super::Interval) does.
    #[inline(always)]
    fn descending(values: Vec<Self>) -> Vec<Self> {
        let (lows, highs) = values.into_iter().map(|value| (value.low, value.high)).unzip();
        let ends = sorting::descending(lows).into_iter().zip(sorting::descending(highs));
        ends.map(|(low, high)| Self { low, high }).collect()
    }

    #[inline(always)]
    fn select(&self, then: Self, otherwise: Self) -> Self {
        let mut chosen = then.smaller(&otherwise);
        let highest = then.larger(&otherwise);
        for lane in 0..LANES {
            let (is_then, is_otherwise) = (self.low[lane] >= 0.0, self.high[lane] < 0.0);
            let (low, high) = (chosen.low[lane], highest.high[lane]);
            let low = if is_otherwise { otherwise.low[lane] } else { low };
            let high = if is_otherwise { otherwise.high[lane] } else { high };
            chosen.low[lane] = if is_then { then.low[lane] } else { low };
            chosen.high[lane] = if is_then { then.high[lane] } else { high };
        }
        chosen
    }

    /// All lanes are.
    #[inline(always)]
    fn is_below(&self, limit: f64) -> bool {
        let mut below = true;
        for lane in 0..LANES {
            below &= self.high[lane] < limit;
        }
        below
    }

    /// The sign all lanes certainly share.
    fn sign(&self) -> Option<Ordering> {
        let all = |holds: fn(f64, f64) -> bool| self.low.iter().zip(&self.high).all(|(&low, &high)| holds(low, high));
        if all(|low, _| low > 0.0) {
            Some(Ordering::Greater)
        } else if all(|_, high| high < 0.0) {
            Some(Ordering::Less)
        } else {
            all(|low, high| low == 0.0 && high == 0.0).then_some(Ordering::Equal)
        }
    }
}

/// Ends that hold four corners, each rounded once.
#[inline(always)]
fn around(a: f64, b: f64, c: f64, d: f64) -> (f64, f64) {
    let (a, b, c, d) = (settled(a), settled(b), settled(c), settled(d));
    let (low, high) = (a.smaller(&b).smaller(&c.smaller(&d)), a.larger(&b).larger(&c.larger(&d)));
    (next_down(low), next_up(high))
}

/// `f64::next_up` of a number that is not NaN, without branches.
#[inline(always)]
fn next_up(value: f64) -> f64 {
    // The sum turns −0 into 0, above which the smallest number lies.
    let bits = (value + 0.0).to_bits() as i64;
    let next = f64::from_bits(bits.wrapping_add(bits >> 63 | 1) as u64);
    if value < f64::INFINITY { next } else { value }
}

/// `f64::next_down` of a number that is not NaN.
#[inline(always)]
fn next_down(value: f64) -> f64 {
    -next_up(-value)
}
