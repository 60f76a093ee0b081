//! What a value can reach, for certain: every operation rounds outwards unless it is exact.

/// A closed interval that holds every value the scenario set can give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Certainly not above any value.
    pub low: f64,
    /// Certainly not below any value.
    pub high: f64,
}

impl Span {
    /// Nothing but 0.
    pub const ZERO: Self = Self { low: 0.0, high: 0.0 };

    /// These ends; where overflow has lost one, nothing is known.
    pub fn new(low: f64, high: f64) -> Self {
        if low <= high { Self { low, high } } else { Self { low: f64::NEG_INFINITY, high: f64::INFINITY } }
    }

    /// One number.
    pub fn point(value: f64) -> Self {
        Self::new(value, value)
    }

    /// Of a sum.
    pub fn plus(self, other: Self) -> Self {
        Self::new(-sum_above(-self.low, -other.low), sum_above(self.high, other.high))
    }

    /// Of a product.
    pub fn times(self, other: Self) -> Self {
        let corners = [(self.low, other.low), (self.low, other.high), (self.high, other.low), (self.high, other.high)];
        let largest = |sign: f64| {
            let products = corners.map(|(a, b)| product_above(sign * a, b));
            products.into_iter().fold(f64::NEG_INFINITY, |most, product| if product <= most { most } else { product })
        };
        Self::new(-largest(-1.0), largest(1.0))
    }

    /// Of either of two values.
    pub fn hull(self, other: Self) -> Self {
        Self::new(self.low.min(other.low), self.high.max(other.high))
    }

    /// Of the larger of two values.
    pub fn larger(self, other: Self) -> Self {
        Self::new(self.low.max(other.low), self.high.max(other.high))
    }

    /// Of the smaller of two values.
    pub fn smaller(self, other: Self) -> Self {
        Self::new(self.low.min(other.low), self.high.min(other.high))
    }

    /// Of the absolute value.
    pub fn absolute(self) -> Self {
        Self::new(self.low.max(-self.high).max(0.0), self.high.max(-self.low))
    }
}

/// Not below a + b. A sum with 0, or that rounds to 0, is exact.
fn sum_above(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if a == 0.0 || b == 0.0 || sum == 0.0 { sum } else { sum.next_up() }
}

/// Not below a · b. A product with 0 is exact: a price that may fall to 0 keeps its sign.
fn product_above(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { (a * b).next_up() }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;
    use crate::number::{Exact, Number};

    fn holds(span: Span, value: &Exact) -> bool {
        value.minus(&Exact::of(span.low)).sign() != Some(Ordering::Less)
            && value.minus(&Exact::of(span.high)).sign() != Some(Ordering::Greater)
    }

    proptest! {
        #[test]
        fn ends_hold_every_value(
            (a, b) in (-1e9f64..1e9, -1e9f64..1e9), (c, d) in (-1e-3f64..1e3, -1e3f64..1e-3), pick in 0usize..4,
        ) {
            let (x, y) = (Span::new(a.min(b), a.max(b)), Span::new(c.min(d), c.max(d)));
            let (u, v) = ([x.low, x.high][pick % 2], [y.low, y.high][pick / 2]);
            let (exact_u, exact_v) = (Exact::of(u), Exact::of(v));
            prop_assert!(holds(x.plus(y), &exact_u.plus(&exact_v)));
            prop_assert!(holds(x.times(y), &exact_u.times(&exact_v)));
            prop_assert!(holds(x.larger(y), &Exact::of(u.max(v))) && holds(x.smaller(y), &Exact::of(u.min(v))));
            prop_assert!(holds(x.hull(y), &exact_u) && holds(x.hull(y), &exact_v) && holds(x.absolute(), &Exact::of(u.abs())));
        }
    }

    #[test]
    fn zero_stays_exact_and_overflow_knows_nothing() {
        let price = Span::new(0.0, 7.0);
        assert_eq!(price.times(Span::point(0.3)).low, 0.0);
        assert_eq!(price.times(Span::point(-0.3)).high, 0.0);
        assert_eq!(price.plus(Span::ZERO), price);
        let huge = Span::new(-f64::MAX, f64::MAX).times(Span::point(10.0));
        assert_eq!(huge.plus(huge), Span::new(f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(Span::point(f64::NAN), Span::new(f64::NEG_INFINITY, f64::INFINITY));
    }
}
