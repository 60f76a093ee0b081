use super::realised::mean;

/// Points of the distribution that are kept.
const POINTS: usize = 500;

/// What a fitted log model leaves unexplained over its training rows: target less fit, sorted.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residuals {
    /// Standard deviation.
    pub deviation: f64,
    /// Mean of exp(2 · residual): what takes the fit from a median-like variance to the expected one (N. Duan, J. of the American
    /// Statistical Association 78 (1983) 605–610).
    pub smearing: f64,
    /// Quantiles at (k + ½)/K, k from 0, ascending.
    pub quantiles: Vec<f64>,
}

impl Residuals {
    /// From residuals in any order, at least one.
    pub(super) fn of(mut residuals: Vec<f64>) -> Self {
        let count = residuals.len();
        let square = mean(residuals.iter().map(|e| e * e), count);
        let smearing = mean(residuals.iter().map(|e| libm::exp(2.0 * e)), count);
        residuals.sort_unstable_by(f64::total_cmp);
        let quantiles = (0..POINTS).map(|point| quantile(&residuals, (point as f64 + 0.5) / POINTS as f64)).collect();
        Self { deviation: libm::sqrt(square), smearing, quantiles }
    }

    /// Probability that a residual exceeds `value`, by the empirical distribution, linear between quantiles. Never 0 or 1: beyond
    /// the ends it is that of half a point.
    pub(super) fn exceedance(&self, value: f64) -> f64 {
        let count = self.quantiles.len();
        let level = |position: f64| (position + 0.5) / count as f64;
        let above = self.quantiles.partition_point(|quantile| *quantile <= value);
        if above == 0 {
            return 1.0 - level(0.0);
        }
        if above == count {
            return 1.0 - level((count - 1) as f64);
        }
        let (lower, upper) = (self.quantiles[above - 1], self.quantiles[above]);
        1.0 - level((above - 1) as f64 + (value - lower) / (upper - lower))
    }

    /// The same by a normal distribution of their deviation.
    pub(super) fn normal_exceedance(&self, value: f64) -> f64 {
        if self.deviation > 0.0 {
            0.5 * libm::erfc(value / self.deviation / std::f64::consts::SQRT_2)
        } else {
            f64::from(value < 0.0)
        }
    }
}

/// Quantile of sorted values, linearly interpolated.
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let position = level * (sorted.len() - 1) as f64;
    let below = position as usize;
    let lower = sorted[below];
    let upper = sorted.get(below + 1).copied().unwrap_or(lower);
    lower + (upper - lower) * (position - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceedances_follow_the_residuals() {
        let residuals = Residuals::of((0..10_001).rev().map(|at| f64::from(at) / 10_000.0).collect());
        for value in [0.1, 0.5, 0.93] {
            assert!((residuals.exceedance(value) - (1.0 - value)).abs() < 1e-9, "{value}");
        }
        assert_eq!((residuals.exceedance(-1.0), residuals.exceedance(2.0)), (0.999, 1.0 - 499.5 / 500.0));
        assert!((residuals.smearing - (2.0_f64.exp() - 1.0) / 2.0).abs() < 1e-3);
        let normal = Residuals { deviation: 2.0, smearing: 1.0, quantiles: Vec::new() };
        assert!((normal.normal_exceedance(2.0) - 0.158_655_253_931_457).abs() < 1e-12);
        assert_eq!(Residuals::of(vec![0.0]).normal_exceedance(0.1), 0.0);
    }
}
