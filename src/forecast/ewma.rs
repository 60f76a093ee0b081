use super::realised::{HORIZON, VARIANCE_FLOOR, mean_square};

/// Decay of a day.
const DAY_DECAY: f64 = 0.94;

/// Exponentially weighted variance of 24 hours after each return: v ← λ v + (1 − λ) r², λ of an hour such that a day's is 0.94
/// (RiskMetrics Technical Document, 4th edition, 1996). The first day's mean square starts it; the first return is that of no hour.
pub(super) fn day_variances(returns: &[f64]) -> Vec<f64> {
    let decay = libm::pow(DAY_DECAY, 1.0 / HORIZON as f64);
    let seed = HORIZON.min(returns.len().saturating_sub(1));
    let mut variance = mean_square(&returns[1.min(returns.len())..][..seed]);
    let step = |(at, r): (usize, &f64)| {
        if at > seed {
            variance = decay * variance + (1.0 - decay) * r * r;
        }
        HORIZON as f64 * variance.max(VARIANCE_FLOOR)
    };
    returns.iter().enumerate().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_swing_keeps_its_variance_and_a_calm_day_halves_by_the_decay() {
        let mut returns = vec![0.01; 100];
        returns.extend([0.0; 24]);
        let variances = day_variances(&returns);
        assert!((variances[99] - 24.0 * 1e-4).abs() < 1e-12);
        assert!((variances[123] / variances[99] - 0.94).abs() < 1e-12);
        assert!(day_variances(&[]).is_empty() && day_variances(&[0.0]).len() == 1);
    }
}
