use std::cmp::Ordering;

use super::Number;

/// A closed interval that certainly holds the exact value. Every operation widens by one ulp outwards, which covers the
/// half ulp that round-to-nearest may lose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    fn outward(low: f64, high: f64) -> Self {
        Self { low: low.next_down(), high: high.next_up() }
    }

    /// The middle: the best single f64.
    pub fn middle(&self) -> f64 {
        0.5 * self.low + 0.5 * self.high
    }
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
        let corners = [self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high];
        let [first, rest @ ..] = corners;
        let (low, high) = rest.iter().fold((first, first), |(low, high), &corner| {
            (if corner < low { corner } else { low }, if corner > high { corner } else { high })
        });
        Self::outward(low, high)
    }

    fn positive_part(&self) -> Self {
        Self { low: self.low.positive_part(), high: self.high.positive_part() }
    }

    fn select(&self, then: Self, otherwise: Self) -> Self {
        if self.low >= 0.0 {
            then
        } else if self.high < 0.0 {
            otherwise
        } else {
            let low = if then.low < otherwise.low { then.low } else { otherwise.low };
            let high = if then.high > otherwise.high { then.high } else { otherwise.high };
            Self { low, high }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Dyadic;
    use super::*;

    /// A formula with every operation, in any number.
    fn formula<N: Number>(x: f64, y: f64, z: f64) -> N {
        let (x, y, z) = (N::of(x), N::of(y), N::of(z));
        let hinge = x.times(&y).minus(&z).positive_part();
        hinge.plus(&x).minus(&y.times(&z)).select(hinge.clone(), z.times(&z).plus(&y))
    }

    proptest! {
        #[test]
        fn an_interval_holds_the_exact_value(x in -1e9f64..1e9, y in -1e-3f64..1e3, z in -1e9f64..1e9) {
            let interval: Interval = formula(x, y, z);
            let exact: Dyadic = formula(x, y, z);
            prop_assert_ne!(exact.minus(&Dyadic::of(interval.low)).sign(), Some(Ordering::Less));
            prop_assert_ne!(exact.minus(&Dyadic::of(interval.high)).sign(), Some(Ordering::Greater));
        }
    }

    #[test]
    fn a_rounding_residue_is_not_decided() {
        let sum = Interval::of(0.1).plus(&Interval::of(0.2)).minus(&Interval::of(0.3));
        assert_eq!(sum.sign(), None, "0.1 + 0.2 − 0.3 is below what f64 can decide");
        let exact = Dyadic::of(0.1).plus(&Dyadic::of(0.2)).minus(&Dyadic::of(0.3));
        assert_eq!(exact.sign(), Some(Ordering::Greater), "as exact f64 values the sum is 2⁻⁵⁴·… > 0");
    }
}
