//! Kupiec's test of the proportion of failures.

/// A likelihood-ratio statistic and how probable a larger one is where the hypothesis holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LikelihoodRatio {
    /// −2 ln of the ratio of likelihoods, ≥ 0.
    pub statistic: f64,
    /// Probability of a larger statistic, in [0, 1].
    pub p_value: f64,
}

impl LikelihoodRatio {
    /// Against χ² with one degree of freedom: p = erfc(√(LR/2)).
    pub fn one_degree(statistic: f64) -> Self {
        let statistic = statistic.max(0.0);
        Self { statistic, p_value: libm::erfc(libm::sqrt(statistic / 2.0)) }
    }

    /// Against χ² with two degrees of freedom: p = e^(−LR/2).
    pub fn two_degrees(statistic: f64) -> Self {
        let statistic = statistic.max(0.0);
        Self { statistic, p_value: libm::exp(-statistic / 2.0) }
    }
}

/// Whether x exceedances in T observations agree with an expected share p in (0, 1):
/// LR = −2 ln[(1−p)^(T−x) p^x / ((1−x/T)^(T−x) (x/T)^x)], with 0·ln 0 = 0 (P. Kupiec, "Techniques for verifying the accuracy
/// of risk measurement models", J. of Derivatives 3 (1995) 73–84). `None` without observations.
pub fn proportion_of_failures(exceedances: u64, observations: u64, share: f64) -> Option<LikelihoodRatio> {
    let (x, t) = (exceedances as f64, observations as f64);
    let statistic = 2.0 * (times_log(x, x, t * share) + times_log(t - x, t - x, t * (1.0 - share)));
    (observations > 0).then(|| LikelihoodRatio::one_degree(statistic))
}

/// n · ln(numerator / denominator); 0 where n is 0.
pub(super) fn times_log(n: f64, numerator: f64, denominator: f64) -> f64 {
    if n == 0.0 { 0.0 } else { n * libm::log(numerator / denominator) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_example_comes_out() {
        let test = proportion_of_failures(57, 1043, 0.05).unwrap();
        assert!((test.statistic - 0.46147).abs() < 5e-6, "{test:?}");
        assert!((test.p_value - 0.49694).abs() < 5e-6, "{test:?}");
    }

    /// T = 250, p = 1 %: 0 exceedances have −500·ln 0.99 = 5.0252, beyond the 3.8415 of χ²₁ at 95 %; 1 to 6 are not
    /// rejected, 7 are (5.4970).
    #[test]
    fn a_year_at_99_percent_is_rejected_outside_one_to_six() {
        let rejected: Vec<u64> =
            (0..=10).filter(|x| proportion_of_failures(*x, 250, 0.01).unwrap().p_value < 0.05).collect();
        assert_eq!(rejected, [0, 7, 8, 9, 10]);
        let none = proportion_of_failures(0, 250, 0.01).unwrap();
        assert!((none.statistic + 500.0 * 0.99f64.ln()).abs() < 1e-12);
        assert!((proportion_of_failures(7, 250, 0.01).unwrap().statistic - 5.4970).abs() < 5e-5);
    }

    #[test]
    fn extremes_are_defined() {
        assert_eq!(proportion_of_failures(0, 0, 0.01), None);
        assert_eq!(proportion_of_failures(5, 100, 0.05).unwrap(), LikelihoodRatio { statistic: 0.0, p_value: 1.0 });
        let all = proportion_of_failures(10, 10, 0.5).unwrap();
        assert!((all.statistic - 20.0 * 2f64.ln()).abs() < 1e-12);
    }
}
