//! How much is taken from winners in all.

use num_bigint::BigUint;

/// The part of a deficit that winners bear, a fraction: 0 nothing, 1 all of it. Above 1 takes more than was lost, as
/// venues that close whole positions do.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Severity(f64);

impl Severity {
    /// A severity; `None` where it is below 0 or not finite.
    pub fn new(share: f64) -> Option<Self> {
        (share.is_finite() && share >= 0.0).then_some(Self(share.abs()))
    }

    /// The fraction.
    pub fn share(self) -> f64 {
        self.0
    }

    /// What is taken, in quanta: ⌊severity · deficit⌋, at most `capacity`, the sum of what winners have. Exact. A deficit
    /// or a capacity below 0 counts as 0.
    pub fn budget(self, deficit: i128, capacity: i128) -> i128 {
        let bits = self.0.to_bits();
        let (biased, fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
        let (mantissa, exponent) = if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
        let product = BigUint::from(mantissa) * deficit.max(0).unsigned_abs();
        let distance = exponent.unsigned_abs();
        let floor = if exponent < 0 { product >> distance } else { product << distance };
        // What does not fit is more than any capacity.
        i128::try_from(floor).unwrap_or(i128::MAX).min(capacity.max(0))
    }
}

/// The largest severity that winners can bear: capacity over deficit. `None` where nothing is lost, so that any can.
pub fn largest(deficit: i128, capacity: i128) -> Option<f64> {
    (deficit > 0).then(|| capacity.max(0) as f64 / deficit as f64)
}

#[cfg(test)]
mod tests {
    use super::super::profit_capacity;
    use super::*;

    /// Equities (10, 5, 1, −3, −12) over principals (2, 1, 0.5, 0, 0): a deficit of 15 meets a capacity of 12.5, and
    /// haircuts of (0.5, 1, 0) leave (6, 1, 1).
    #[test]
    fn principal_is_no_capacity() {
        let (equity, principal) = ([100, 50, 10, -30, -120i128], [20, 10, 5, 0, 0]);
        let capacities: Vec<i128> = equity.into_iter().zip(principal).map(|(e, c)| profit_capacity(e, c)).collect();
        assert_eq!(capacities, [80, 40, 5, 0, 0]);
        let deficit: i128 = equity.iter().map(|e| -e.min(&0)).sum();
        let capacity: i128 = capacities.iter().sum();
        assert_eq!((deficit, capacity), (150, 125));
        assert!((largest(deficit, capacity).unwrap() - 0.8333).abs() < 5e-5);
        assert_eq!(Severity::new(1.0).unwrap().budget(deficit, capacity), 125, "capacity limits it");
        let haircuts = [0.5, 1.0, 0.0, 0.0, 0.0].map(|share| Severity::new(share).unwrap());
        let left: Vec<i128> = (0..5).map(|i| equity[i] - haircuts[i].budget(capacities[i], capacities[i])).collect();
        assert_eq!(left, [60, 10, 10, -30, -120]);
    }

    #[test]
    fn the_budget_is_exact_and_rounded_down() {
        let budget = |share: f64, deficit: i128| Severity::new(share).unwrap().budget(deficit, i128::MAX);
        assert_eq!(budget(0.5, 7), 3);
        assert_eq!(budget(1.0, i128::MAX), i128::MAX);
        assert_eq!(budget(2.0, i128::MAX), i128::MAX);
        assert_eq!(budget(0.0, i128::MAX), 0);
        assert_eq!(budget(f64::MAX, 1), i128::MAX);
        assert_eq!(budget(f64::MIN_POSITIVE / 2.0, i128::MAX), 0);
        assert_eq!(budget(0.5, -7), 0);
        // 0.1 is above a tenth by 5.6e-18: enough to reach ten to the nineteenth.
        assert_eq!(budget(0.1, 10i128.pow(30)), 100_000_000_000_000_005_551_115_123_125);
    }

    #[test]
    fn nonsense_is_no_severity() {
        for share in [f64::NAN, f64::INFINITY, -0.1] {
            assert_eq!(Severity::new(share), None);
        }
        assert_eq!(Severity::new(-0.0).unwrap().budget(10, 10), 0);
        assert_eq!(largest(0, 10), None);
        assert_eq!(Severity::new(1.0).unwrap().budget(10, -10), 0);
    }
}
