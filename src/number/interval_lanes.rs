use std::cmp::Ordering;
use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};

use super::interval::settled;
use super::{LANES, Number, sorting};

/// The widest vectors of this machine. An interval costs some ten times what a number does, so every operation is dispatched
/// to them by itself: a formula is fast whether or not the compiler inlines all of it.
static ARCH: LazyLock<Arch> = LazyLock::new(Arch::new);

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
    pub fn signs(&self) -> Signs {
        ARCH.dispatch(SignsOf(self))
    }

    /// Ends made of both operands' ends, `(self.low, self.high, other.low, other.high)`, lane by lane.
    #[inline(always)]
    fn zip(&self, other: &Self, ends: impl Fn(f64, f64, f64, f64) -> (f64, f64)) -> Self {
        ARCH.dispatch(Zip { first: self, second: other, ends })
    }

    /// Whether every lane is one number: what atoms are, and most factors of a formula.
    fn are_points(&self) -> bool {
        ARCH.dispatch(ArePoints(self))
    }

    /// The product with one number per lane: two corners are enough.
    fn scaled(&self, factor: &Self) -> Self {
        self.zip(
            factor,
            #[inline(always)]
            |low, high, factor, _| {
                let (a, b) = (settled(low * factor), settled(high * factor));
                (next_down(a.smaller(&b)), next_up(a.larger(&b)))
            },
        )
    }
}

/// See [`IntervalLanes::zip`].
struct Zip<'n, F> {
    first: &'n IntervalLanes,
    second: &'n IntervalLanes,
    ends: F,
}

impl<F: Fn(f64, f64, f64, f64) -> (f64, f64)> WithSimd for Zip<'_, F> {
    type Output = IntervalLanes;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> IntervalLanes {
        let (a, b) = (self.first, self.second);
        let (mut low, mut high) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            (low[lane], high[lane]) = (self.ends)(a.low[lane], a.high[lane], b.low[lane], b.high[lane]);
        }
        IntervalLanes { low, high }
    }
}

/// See [`IntervalLanes::are_points`].
struct ArePoints<'n>(&'n IntervalLanes);

impl WithSimd for ArePoints<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        let mut same = true;
        for lane in 0..LANES {
            same &= self.0.low[lane] == self.0.high[lane];
        }
        same
    }
}

/// See [`IntervalLanes::signs`].
struct SignsOf<'n>(&'n IntervalLanes);

impl WithSimd for SignsOf<'_> {
    type Output = Signs;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Signs {
        let mut signs = Signs { negative: 0, non_negative: 0 };
        for lane in 0..LANES {
            signs.negative |= u32::from(self.0.high[lane] < 0.0) << lane;
            signs.non_negative |= u32::from(self.0.low[lane] >= 0.0) << lane;
        }
        signs
    }
}

/// See [`Number::select`].
struct Select<'n> {
    predicate: &'n IntervalLanes,
    then: &'n IntervalLanes,
    otherwise: &'n IntervalLanes,
}

impl WithSimd for Select<'_> {
    type Output = IntervalLanes;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> IntervalLanes {
        let Self { predicate, then, otherwise } = self;
        let (mut low, mut high) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            // The branch that is certainly not taken stands back for the other.
            let is_then = predicate.low[lane] >= 0.0;
            let is_otherwise = predicate.high[lane] < 0.0;
            let (a, b) = (then.low[lane], otherwise.low[lane]);
            let hull = a.smaller(&b);
            low[lane] = if is_then {
                a
            } else if is_otherwise {
                b
            } else {
                hull
            };
            let (a, b) = (then.high[lane], otherwise.high[lane]);
            let hull = a.larger(&b);
            high[lane] = if is_then {
                a
            } else if is_otherwise {
                b
            } else {
                hull
            };
        }
        IntervalLanes { low, high }
    }
}

/// See [`Number::descending`].
struct Descending(Vec<[f64; LANES]>);

impl WithSimd for Descending {
    type Output = Vec<[f64; LANES]>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        sorting::descending(self.0)
    }
}

impl Number for IntervalLanes {
    fn of(value: f64) -> Self {
        Self::points([value; LANES])
    }

    fn plus(&self, other: &Self) -> Self {
        self.zip(
            other,
            #[inline(always)]
            |a, b, c, d| (next_down(a + c), next_up(b + d)),
        )
    }

    fn minus(&self, other: &Self) -> Self {
        self.zip(
            other,
            #[inline(always)]
            |a, b, c, d| (next_down(a - d), next_up(b - c)),
        )
    }

    fn times(&self, other: &Self) -> Self {
        if other.are_points() {
            return self.scaled(other);
        }
        if self.are_points() {
            return other.scaled(self);
        }
        self.zip(
            other,
            #[inline(always)]
            |a, b, c, d| around(a * c, a * d, b * c, b * d),
        )
    }

    fn over(&self, divisor: &Self) -> Self {
        self.zip(
            divisor,
            #[inline(always)]
            |a, b, c, d| {
                let (low, high) = around(a / c, a / d, b / c, b / d);
                let is_whole = c <= 0.0 && d >= 0.0;
                (if is_whole { f64::NEG_INFINITY } else { low }, if is_whole { f64::INFINITY } else { high })
            },
        )
    }

    fn positive_part(&self) -> Self {
        self.zip(
            self,
            #[inline(always)]
            |low, high, _, _| (low.positive_part(), high.positive_part()),
        )
    }

    fn larger(&self, other: &Self) -> Self {
        self.zip(
            other,
            #[inline(always)]
            |a, b, c, d| (a.larger(&c), b.larger(&d)),
        )
    }

    fn smaller(&self, other: &Self) -> Self {
        self.zip(
            other,
            #[inline(always)]
            |a, b, c, d| (a.smaller(&c), b.smaller(&d)),
        )
    }

    fn magnitude(&self) -> Self {
        self.zip(
            self,
            #[inline(always)]
            |low, high, _, _| (low.larger(&-high).positive_part(), high.larger(&-low)),
        )
    }

    /// Per lane, as [`Interval`](super::Interval) does.
    fn descending(values: Vec<Self>) -> Vec<Self> {
        let (lows, highs) = values.into_iter().map(|value| (value.low, value.high)).unzip();
        let sorted = |ends| ARCH.dispatch(Descending(ends));
        sorted(lows).into_iter().zip(sorted(highs)).map(|(low, high)| Self { low, high }).collect()
    }

    fn select(&self, then: Self, otherwise: Self) -> Self {
        ARCH.dispatch(Select { predicate: self, then: &then, otherwise: &otherwise })
    }

    /// All lanes are.
    fn is_below(&self, limit: f64) -> bool {
        self.high.iter().all(|high| *high < limit)
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
