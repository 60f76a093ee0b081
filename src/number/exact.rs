use std::cmp::Ordering;

use super::Number;
use super::dyadic::Dyadic;

/// An exact fraction of two integers times powers of two: sums, products and quotients of f64 values never round, so the
/// sign is the sign of the real expression. As cheap as one such integer until something divides.
///
/// A quotient by zero is 0: a formula selects something else there, and a branch that is not taken must be some number.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact {
    numerator: Dyadic,
    /// Above zero; `None` stands for 1.
    denominator: Option<Dyadic>,
}

impl Exact {
    /// A sum or difference, by what does it to numerators over one denominator.
    fn combined(&self, other: &Self, combine: impl Fn(&Dyadic, &Dyadic) -> Dyadic) -> Self {
        let denominator = match (&self.denominator, &other.denominator) {
            (a, b) if a == b => a.clone(),
            (a, b) => product(a.as_ref(), b.as_ref()),
        };
        // What is over the common denominator already is not extended.
        let extended = |number: &Self, by: &Self| match &by.denominator {
            Some(by) if number.denominator != denominator => number.numerator.times(by),
            _ => number.numerator.clone(),
        };
        Self { numerator: combine(&extended(self, other), &extended(other, self)), denominator }
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.combined(other, Dyadic::minus).numerator.sign()
    }

    fn is_negative(&self) -> bool {
        self.numerator.sign() == Ordering::Less
    }
}

/// The product of two denominators.
fn product(a: Option<&Dyadic>, b: Option<&Dyadic>) -> Option<Dyadic> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.times(b)),
        (a, b) => a.or(b).cloned(),
    }
}

impl Number for Exact {
    fn of(value: f64) -> Self {
        Self { numerator: Dyadic::of(value), denominator: None }
    }

    fn plus(&self, other: &Self) -> Self {
        self.combined(other, Dyadic::plus)
    }

    fn minus(&self, other: &Self) -> Self {
        self.combined(other, Dyadic::minus)
    }

    fn times(&self, other: &Self) -> Self {
        Self {
            numerator: self.numerator.times(&other.numerator),
            denominator: product(self.denominator.as_ref(), other.denominator.as_ref()),
        }
    }

    fn over(&self, divisor: &Self) -> Self {
        let numerator = match &divisor.denominator {
            Some(denominator) => self.numerator.times(denominator),
            None => self.numerator.clone(),
        };
        let (numerator, positive) = match divisor.numerator.sign() {
            Ordering::Greater => (numerator, divisor.numerator.clone()),
            Ordering::Less => (numerator.negated(), divisor.numerator.clone().negated()),
            Ordering::Equal => return Self::of(0.0),
        };
        Self { numerator, denominator: product(self.denominator.as_ref(), Some(&positive)) }
    }

    fn positive_part(&self) -> Self {
        if self.is_negative() { Self::of(0.0) } else { self.clone() }
    }

    fn larger(&self, other: &Self) -> Self {
        if self.compare(other) == Ordering::Less { other.clone() } else { self.clone() }
    }

    fn smaller(&self, other: &Self) -> Self {
        if self.compare(other) == Ordering::Greater { other.clone() } else { self.clone() }
    }

    fn magnitude(&self) -> Self {
        if self.is_negative() {
            Self { numerator: self.numerator.clone().negated(), denominator: self.denominator.clone() }
        } else {
            self.clone()
        }
    }

    fn descending(mut values: Vec<Self>) -> Vec<Self> {
        values.sort_by(|a, b| b.compare(a));
        values
    }

    fn select(&self, then: Self, otherwise: Self) -> Self {
        if self.is_negative() { otherwise } else { then }
    }

    fn is_below(&self, limit: f64) -> bool {
        self.compare(&Self::of(limit)) == Ordering::Less
    }

    fn sign(&self) -> Option<Ordering> {
        Some(self.numerator.sign())
    }
}
