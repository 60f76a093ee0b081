use super::Arithmetic;
use crate::program::UNIT_ROUNDOFF_F32;

/// Scenarios that a [`Bounded`] evaluates at once.
pub const BOUNDED_LANES: usize = 8;

/// Largest relative error of one addition or product, with room for second-order terms and for this evaluation's own f64.
const UNIT: f64 = 1.001 * UNIT_ROUNDOFF_F32;
/// What one flushed operand or result may lose, per unit of the other operand.
const FLUSH: f64 = 1.2e-38; // above 2⁻¹²⁶
/// An error that no row survives, and that stays finite.
const NO_BOUND: f64 = 1e60;

type Lanes = [f64; BOUNDED_LANES];

/// A value in f64, and how far any evaluation of it that WGSL allows may be from it (`NUMERICS.md` §12).
///
/// As in [`crate::program::Magnitude`], additions that nothing but sums and factors have enclosed are counted, because a
/// compiler may regroup them: each of them may round a partial sum as large as all summands together.
#[derive(Debug, Clone, Copy)]
pub struct Bounded {
    /// The value.
    pub value: Lanes,
    /// What the summands carry.
    inherited: Lanes,
    /// The value with every open summand replaced by its absolute value.
    size: Lanes,
    /// Open additions.
    additions: f64,
}

#[inline(always)]
fn each(f: impl Fn(usize) -> f64) -> Lanes {
    let mut lanes = [0.0; BOUNDED_LANES];
    for lane in 0..BOUNDED_LANES {
        lanes[lane] = f(lane);
    }
    lanes
}

impl Bounded {
    /// Inputs, one per lane, exact.
    #[inline(always)]
    pub fn input(values: impl Fn(usize) -> f32) -> Self {
        Self::closed(each(|lane| f64::from(values(lane))), [0.0; BOUNDED_LANES])
    }

    /// Inputs that were rounded to the nearest f32.
    #[inline(always)]
    pub fn rounded(values: impl Fn(usize) -> f32) -> Self {
        let exact = Self::input(values);
        Self::closed(exact.value, each(|lane| 0.5 * UNIT * exact.value[lane].abs() + FLUSH))
    }

    /// A value that no sum is regrouped across.
    #[inline(always)]
    fn closed(value: Lanes, error: Lanes) -> Self {
        Self { value, inherited: error, size: each(|lane| value[lane].abs() + error[lane]), additions: 0.0 }
    }

    /// How far a device's value may be from [`Bounded::value`].
    #[inline(always)]
    pub fn error(&self) -> Lanes {
        each(|lane| self.inherited[lane] + self.additions * UNIT * self.size[lane])
    }

    #[inline(always)]
    fn sum(self, other: Self, sign: f64) -> Self {
        Self {
            value: each(|lane| self.value[lane] + sign * other.value[lane]),
            inherited: each(|lane| self.inherited[lane] + other.inherited[lane] + 3.0 * FLUSH),
            size: each(|lane| self.size[lane] + other.size[lane]),
            additions: self.additions + other.additions + 1.0,
        }
    }

    /// A maximum or minimum: exact in itself and 1-Lipschitz; where one side wins whatever the errors, its own error counts.
    #[inline(always)]
    fn extreme(self, other: Self, value: Lanes) -> Self {
        let (a, b) = (self.error(), other.error());
        let error = each(|lane| {
            let chosen = if value[lane] == self.value[lane] { a[lane] } else { b[lane] };
            let is_certain = (self.value[lane] - other.value[lane]).abs() > a[lane] + b[lane];
            let larger = if a[lane] > b[lane] { a[lane] } else { b[lane] };
            if is_certain { chosen } else { larger }
        });
        Self::closed(value, error)
    }
}

impl Arithmetic for Bounded {
    #[inline(always)]
    fn of(value: f32) -> Self {
        Self::input(|_| value)
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.sum(other, 1.0)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.sum(other, -1.0)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        let (a, b) = (&self, &other);
        let size = each(|lane| a.size[lane] * b.size[lane]);
        Self {
            value: each(|lane| a.value[lane] * b.value[lane]),
            inherited: each(|lane| {
                a.inherited[lane] * (b.size[lane] + b.inherited[lane])
                    + a.size[lane] * b.inherited[lane]
                    + UNIT * size[lane]
                    + FLUSH * (1.0 + a.size[lane] + b.size[lane])
            }),
            size,
            // Multiplied out, a summand of one meets every summand of the other.
            additions: a.additions + b.additions + a.additions * b.additions,
        }
    }

    #[inline(always)]
    fn signed(self, sign: Self) -> Self {
        Self { value: each(|lane| self.value[lane] * sign.value[lane]), ..self }
    }

    #[inline(always)]
    fn approximated(self, relative: f64) -> Self {
        Self { inherited: each(|lane| self.inherited[lane] + relative * self.value[lane].abs()), ..self }
    }

    /// 2.5 ULP.
    #[inline(always)]
    fn reciprocal(self) -> Self {
        let (value, error) = (self.value, self.error());
        let inverse = each(|lane| 1.0 / value[lane]);
        let bound = each(|lane| {
            let lowest = value[lane] - error[lane];
            let bound = (error[lane] * inverse[lane] + 2.5 * UNIT) / lowest;
            if error[lane] < 0.5 * value[lane] { bound } else { NO_BOUND }
        });
        Self::closed(inverse, bound)
    }

    /// 3 + 2|a| ULP, at the argument that the device has.
    #[inline(always)]
    fn exponential(self) -> Self {
        let error = self.error();
        let value = each(|lane| self.value[lane].exp());
        // e^x − 1 ≤ x + x² for x ≤ 1; no exponential of a number ≤ 0 is further from another than 1.
        let bound = each(|lane| {
            let e = error[lane];
            let rounding = (3.0 + 2.0 * (self.value[lane].abs() + e)) * UNIT;
            let relative = e + e * e + rounding * (1.0 + e + e * e);
            let bound = value[lane] * relative + FLUSH;
            if e < 1.0 && bound < 1.0 { bound } else { 1.0 }
        });
        Self::closed(value, bound)
    }

    #[inline(always)]
    fn absolute(self) -> Self {
        Self::closed(each(|lane| self.value[lane].abs()), self.error())
    }

    #[inline(always)]
    fn or_more(self, other: Self) -> Self {
        let (a, b) = (self.value, other.value);
        self.extreme(other, each(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] }))
    }

    #[inline(always)]
    fn or_less(self, other: Self) -> Self {
        let (a, b) = (self.value, other.value);
        self.extreme(other, each(|lane| if a[lane] < b[lane] { a[lane] } else { b[lane] }))
    }

    /// Where the error leaves the branch open the device may have taken either.
    #[inline(always)]
    fn above(self, limit: f32, then: Self, otherwise: Self) -> Self {
        let (value, error, limit) = (self.value, self.error(), f64::from(limit));
        let is_above = |lane: usize| value[lane] > limit;
        let is_open = |lane: usize| (value[lane] - limit).abs() <= error[lane];
        let larger = |a: f64, b: f64| if a > b { a } else { b };
        Self {
            value: each(|lane| if is_above(lane) { then.value[lane] } else { otherwise.value[lane] }),
            inherited: each(|lane| {
                let chosen = if is_above(lane) { then.inherited[lane] } else { otherwise.inherited[lane] };
                let apart = (then.value[lane] - otherwise.value[lane]).abs();
                let either = larger(then.inherited[lane], otherwise.inherited[lane]) + apart;
                if is_open(lane) { either } else { chosen }
            }),
            size: each(|lane| {
                let chosen = if is_above(lane) { then.size[lane] } else { otherwise.size[lane] };
                if is_open(lane) { larger(then.size[lane], otherwise.size[lane]) } else { chosen }
            }),
            additions: if then.additions > otherwise.additions { then.additions } else { otherwise.additions },
        }
    }
}
