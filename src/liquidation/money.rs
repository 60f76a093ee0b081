use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// Quanta in one unit of an asset, or in one contract.
const PER_UNIT: f64 = 1e8;

/// Largest amount of a book that can be sequenced, units of an asset or contracts: sums over millions of pools stay far from
/// the end of 128 bits.
pub const LARGEST_UNITS: f64 = 1e20;

/// An amount of an asset, or a number of contracts, in integer quanta of 1e-8. Sums of it are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Quanta(pub i128);

impl Quanta {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The nearest whole number of quanta; an amount that is not 0 stays at least one quantum. |`units`| ≤ 1e30.
    pub fn nearest(units: f64) -> Self {
        match (units * PER_UNIT).round() as i128 {
            0 if units > 0.0 => Self(1),
            0 if units < 0.0 => Self(-1),
            quanta => Self(quanta),
        }
    }

    /// Rounded down: what somebody receives.
    pub fn floor(units: f64) -> Self {
        Self((units * PER_UNIT).floor() as i128)
    }

    /// Rounded up: what somebody pays.
    pub fn ceil(units: f64) -> Self {
        Self((units * PER_UNIT).ceil() as i128)
    }

    /// The amount in units, rounded once.
    pub fn units(self) -> f64 {
        self.0 as f64 / PER_UNIT
    }

    /// Its size.
    pub fn magnitude(self) -> Self {
        Self(self.0.abs())
    }

    /// `self · part / whole` rounded towards zero, with 0 ≤ `part` ≤ `whole`; all of it where `part` is `whole`.
    pub fn share(self, part: Self, whole: Self) -> Self {
        if part == whole {
            return self;
        }
        match self.0.checked_mul(part.0) {
            Some(product) => Self(product / whole.0),
            None => {
                let product = num_bigint::BigInt::from(self.0) * part.0 / whole.0;
                Self(i128::try_from(product).unwrap_or(self.0))
            }
        }
    }
}

impl Add for Quanta {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Quanta {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Quanta {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Quanta {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Quanta {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Quanta {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::add)
    }
}

/// Eight decimals, all of them exact.
impl std::fmt::Display for Quanta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, part) = (self.0.unsigned_abs() / 100_000_000, self.0.unsigned_abs() % 100_000_000);
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}.{part:08}")
    }
}
