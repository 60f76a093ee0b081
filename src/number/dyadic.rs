use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

/// An exact number `mantissa · 2^exponent`. Sums and products of f64 values stay exact, so the sign it reports is the
/// sign of the real expression. Slow (a heap allocation per operation), and needed for a handful of verdicts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dyadic {
    mantissa: BigInt,
    exponent: i64,
}

impl Dyadic {
    /// The number equal to a finite f64.
    pub(super) fn of(value: f64) -> Self {
        debug_assert!(value.is_finite(), "an atom is finite");
        let bits = value.to_bits();
        let biased = (bits >> 52 & 0x7ff) as i64;
        let fraction = bits & ((1 << 52) - 1);
        // Subnormal numbers have no hidden bit and the exponent of the smallest normal one.
        let (mantissa, exponent) = if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
        let mantissa = BigInt::from(mantissa);
        Self { mantissa: if value.is_sign_negative() { -mantissa } else { mantissa }, exponent }
    }

    /// Both mantissas at the smaller exponent.
    fn aligned(&self, other: &Self) -> (BigInt, BigInt, i64) {
        let exponent = self.exponent.min(other.exponent);
        let at = |number: &Self| number.mantissa.clone() << (number.exponent - exponent).unsigned_abs();
        (at(self), at(other), exponent)
    }

    /// `self + other`.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let (a, b, exponent) = self.aligned(other);
        Self { mantissa: a + b, exponent }
    }

    /// `self − other`.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let (a, b, exponent) = self.aligned(other);
        Self { mantissa: a - b, exponent }
    }

    /// `self · other`.
    pub(super) fn times(&self, other: &Self) -> Self {
        Self { mantissa: &self.mantissa * &other.mantissa, exponent: self.exponent + other.exponent }
    }

    /// `−self`.
    pub(super) fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }

    /// Comparison with zero.
    pub(super) fn sign(&self) -> Ordering {
        match self.mantissa.sign() {
            Sign::Minus => Ordering::Less,
            Sign::NoSign => Ordering::Equal,
            Sign::Plus => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_f64_is_exact() {
        for value in [0.0, -0.0, 1.0, -1.5, 0.1, f64::MIN_POSITIVE, 5e-324, f64::MAX, -1e-310] {
            let number = Dyadic::of(value);
            assert_eq!(number.minus(&Dyadic::of(value)).sign(), Ordering::Equal, "{value}");
            assert_eq!(Some(number.sign()), value.partial_cmp(&0.0), "{value}");
        }
    }

    #[test]
    fn products_keep_bits_that_f64_loses() {
        let x = 1.0 + f64::EPSILON;
        // (1 + ε)² = 1 + 2ε + ε²: the last term is below an f64.
        let rest = Dyadic::of(x).times(&Dyadic::of(x)).minus(&Dyadic::of(1.0 + 2.0 * f64::EPSILON));
        assert_eq!(
            rest,
            Dyadic { mantissa: BigInt::from(1u8) << (rest.exponent + 104).unsigned_abs(), ..rest.clone() },
            "ε² = 2⁻¹⁰⁴"
        );
        assert_eq!(rest.sign(), Ordering::Greater);
    }
}
