/// Numbers with weights, largest first: quantiles and tail means of a distribution over scenarios.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weighted {
    /// (value, weight > 0), largest value first; ties in the order given.
    values: Vec<(f64, f64)>,
    total: f64,
}

impl Weighted {
    /// Values with their weights; those of weight 0 and those that are no number are left out.
    pub(super) fn of(values: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let counts = |(value, weight): &(f64, f64)| value.is_finite() && weight.is_finite() && *weight > 0.0;
        let mut values: Vec<(f64, f64)> = values.into_iter().filter(counts).collect();
        values.sort_by(|a, b| b.0.total_cmp(&a.0));
        let total = values.iter().map(|(_, weight)| weight).sum();
        Self { values, total }
    }

    /// Σ weight · value / Σ weight; 0 without values.
    pub(super) fn mean(&self) -> f64 {
        let sum: f64 = self.values.iter().map(|(value, weight)| value * weight).sum();
        if self.total > 0.0 { sum / self.total } else { 0.0 }
    }

    /// The least value v such that values above v have at most 1 − `level` of the weight (the upper quantile of an empirical
    /// distribution, no interpolation); 0 without values.
    pub(super) fn value_at_risk(&self, level: f64) -> f64 {
        let tail = self.tail_weight(level);
        let mut above = 0.0;
        for (value, weight) in &self.values {
            above += weight;
            // The sum of many weights is not exact: a share that is met but for rounding is met.
            if above > tail + 1e-12 * self.total {
                return *value;
            }
        }
        self.values.last().map_or(0.0, |(value, _)| *value)
    }

    /// Mean of the worst 1 − `level` of the weight, the last value in part (C. Acerbi, D. Tasche, J. of Banking and Finance 26
    /// (2002) 1487–1503); the largest value where that share is 0; 0 without values.
    pub(super) fn expected_shortfall(&self, level: f64) -> f64 {
        let tail = self.tail_weight(level);
        let Some((largest, _)) = self.values.first() else { return 0.0 };
        if tail <= 0.0 {
            return *largest;
        }
        let (mut left, mut sum) = (tail, 0.0);
        for (value, weight) in &self.values {
            let taken = weight.min(left);
            sum += value * taken;
            left -= taken;
            if left <= 0.0 {
                break;
            }
        }
        sum / (tail - left.max(0.0))
    }

    fn tail_weight(&self, level: f64) -> f64 {
        (1.0 - level).clamp(0.0, 1.0) * self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_tail_means_are_those_of_a_hand() {
        let losses = Weighted::of((1..=100).map(|loss| (f64::from(loss), 2.0)));
        assert_eq!(losses.mean(), 50.5);
        assert_eq!(
            [0.0, 0.5, 0.95, 0.99, 1.0].map(|level| losses.value_at_risk(level)),
            [1.0, 50.0, 95.0, 99.0, 100.0]
        );
        assert_eq!(losses.expected_shortfall(0.99), 100.0);
        assert!((losses.expected_shortfall(0.95) - 98.0).abs() < 1e-9);
        // Half of the second largest belongs to the worst 1.5 %.
        assert!((losses.expected_shortfall(0.985) - (100.0 + 99.0 * 0.5) / 1.5).abs() < 1e-9);
        assert_eq!(losses.expected_shortfall(1.0), 100.0);
    }

    #[test]
    fn weights_count_and_what_is_no_number_does_not() {
        let losses = Weighted::of([(10.0, 1.0), (0.0, 8.0), (20.0, 1.0), (f64::NAN, 5.0), (99.0, 0.0)]);
        assert_eq!(
            (losses.value_at_risk(0.95), losses.value_at_risk(0.9), losses.value_at_risk(0.8)),
            (20.0, 10.0, 0.0)
        );
        assert_eq!(losses.mean(), 3.0);
        assert!((losses.expected_shortfall(0.8) - 15.0).abs() < 1e-12);
        let none = Weighted::of([]);
        assert_eq!((none.mean(), none.value_at_risk(0.9), none.expected_shortfall(0.9)), (0.0, 0.0, 0.0));
    }
}
