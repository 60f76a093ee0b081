//! Exact decimal numbers as text.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Longest number, characters: more than any f64 takes.
const LONGEST: usize = 400;

/// A number as decimal text with one spelling for each value: an optional minus, digits without a leading zero, and where
/// it has a fraction a point and digits that do not end in 0. No exponent, no plus, no minus zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decimal(String);

impl Decimal {
    /// The shortest decimal that reads back as `value`, bit for bit; minus zero is written as zero.
    ///
    /// # Errors
    /// [`Error::Refused`] where `value` is no number or infinite; `path` is named.
    pub fn of(path: &str, value: f64) -> Result<Self> {
        if value.is_finite() {
            return Ok(Self((value + 0.0).to_string()));
        }
        Err(Error::Refused(vec![super::fault::at(
            path,
            &value.to_string(),
            "a number is finite",
            "correct the snapshot",
        )]))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value, where an f64 holds exactly what the text says: the text is the shortest that reads as that f64.
    pub fn to_f64(&self) -> Option<f64> {
        let value: f64 = self.0.parse().ok()?;
        (value.to_string() == self.0).then_some(value)
    }

    /// The nearest f64; for figures that are shown.
    pub fn nearest(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }
}

/// Why a text is no canonical number; none where it is one.
pub(super) fn rule_of(text: &str) -> Option<&'static str> {
    const FORM: &str = "a number is an optional minus and digits, with a point only before a fraction, in plain form";
    if text.len() > LONGEST {
        return Some("a number has at most 400 characters");
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !fraction.is_none_or(is_digits) {
        return Some(FORM);
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Some("a number has no leading zeros");
    }
    if fraction.is_some_and(|fraction| fraction.ends_with('0')) {
        return Some("a fraction does not end in 0");
    }
    (text == "-0").then_some("there is no minus zero")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_value_has_one_spelling() {
        for good in ["0", "-1", "0.5", "-10.25", "123456789012345678901234567890.000000000000000001"] {
            assert_eq!(rule_of(good), None, "{good}");
        }
        for bad in
            ["", "-", "+1", "1e3", "1E3", ".5", "5.", "01", "-0", "1.0", "0.50", "NaN", "inf", "1_0", " 1", "--1"]
        {
            assert!(rule_of(bad).is_some(), "{bad}");
        }
        assert!(rule_of(&"1".repeat(LONGEST + 1)).is_some());
    }

    #[test]
    fn what_an_f64_does_not_hold_is_not_rounded() {
        assert_eq!(Decimal("0.1".into()).to_f64(), Some(0.1));
        assert_eq!(Decimal("9007199254740993".into()).to_f64(), None);
        assert_eq!(Decimal("0.1000000000000000000001".into()).to_f64(), None);
        assert!(Decimal::of("x", f64::NAN).is_err());
        assert_eq!(Decimal::of("x", -0.0).expect("zero").as_str(), "0");
    }

    proptest! {
        #[test]
        fn every_number_returns_bit_for_bit(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite() && bits != (-0.0f64).to_bits());
            let decimal = Decimal::of("x", value).expect("finite");
            prop_assert_eq!(rule_of(decimal.as_str()), None);
            prop_assert_eq!(decimal.to_f64().map(f64::to_bits), Some(bits));
        }
    }
}
