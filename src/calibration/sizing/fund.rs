use crate::calibration::weighted::Weighted;

/// Levels at which an insurance fund is sized.
const LEVELS: [f64; 3] = [0.99, 0.995, 0.999];

/// Size of an insurance fund at one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FundLevel {
    /// Level, in (0, 1).
    pub level: f64,
    /// Loss of the exchange that is exceeded in at most 1 − level of the scenarios, quote units.
    pub value_at_risk: f64,
    /// Mean of the worst 1 − level, quote units.
    pub expected_shortfall: f64,
}

/// Value at risk and expected shortfall of the exchange's loss at 99, 99.5 and 99.9 %: `shortfall` by scenario, quote units,
/// with `weights` ≥ 0. No loss without scenarios.
pub fn fund_levels(shortfall: &[f64], weights: &[f64]) -> Vec<FundLevel> {
    let losses = Weighted::of(shortfall.iter().copied().zip(weights.iter().copied()));
    let at = |level: f64| FundLevel {
        level,
        value_at_risk: losses.value_at_risk(level),
        expected_shortfall: losses.expected_shortfall(level),
    };
    LEVELS.map(at).into()
}

/// The static fund F of least r·F + κ·E\[(D − F)₊\], D the exchange's loss: F = VaR at level 1 − r/κ (the newsvendor's
/// quantile; T. Chitra et al. give it for perpetual exchanges). `carry` is r, the cost of a unit held over the horizon of the
/// scenarios; `penalty` is κ, the cost of a unit that is missing. 0 where holding costs at least as much as missing; `None`
/// where either is negative or no number, or missing costs nothing.
pub fn static_fund(shortfall: &[f64], weights: &[f64], (carry, penalty): (f64, f64)) -> Option<f64> {
    let level = 1.0 - carry / penalty;
    if !(carry >= 0.0 && penalty > 0.0 && level.is_finite()) {
        return None;
    }
    let losses = Weighted::of(shortfall.iter().copied().zip(weights.iter().copied()));
    Some(if level <= 0.0 { 0.0 } else { losses.value_at_risk(level) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn funds_are_quantiles_of_the_loss() {
        let losses: Vec<f64> = (1..=1000).map(f64::from).collect();
        let weights = vec![1.0; 1000];
        let levels = fund_levels(&losses, &weights);
        let at_risk: Vec<f64> = levels.iter().map(|level| level.value_at_risk).collect();
        assert_eq!(at_risk, [990.0, 995.0, 999.0]);
        assert!((levels[0].expected_shortfall - 995.5).abs() < 1e-9);
        assert!((levels[2].expected_shortfall - 1000.0).abs() < 1e-9);
        // A tenth of the penalty to hold: what is exceeded in a tenth of the scenarios.
        assert_eq!(static_fund(&losses, &weights, (0.5, 5.0)), Some(900.0));
        assert_eq!(static_fund(&losses, &weights, (5.0, 5.0)), Some(0.0));
        assert_eq!(static_fund(&losses, &weights, (0.0, 5.0)), Some(1000.0));
        for costs in [(1.0, 0.0), (-1.0, 2.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0)] {
            assert_eq!(static_fund(&losses, &weights, costs), None, "{costs:?}");
        }
    }

    /// No other fund costs less: r·F + κ·E[(D − F)₊] over every loss.
    #[test]
    fn the_static_fund_is_the_cheapest() {
        let losses: Vec<f64> = (0..400).map(|at| f64::from(at * at % 1009)).collect();
        let weights: Vec<f64> = (0..400).map(|at| f64::from(1 + at % 3)).collect();
        let total: f64 = weights.iter().sum();
        let cost = |fund: f64| {
            let missing: f64 = losses.iter().zip(&weights).map(|(loss, weight)| weight * (loss - fund).max(0.0)).sum();
            0.3 * fund + 7.0 * missing / total
        };
        let fund = static_fund(&losses, &weights, (0.3, 7.0)).unwrap();
        assert!(losses.iter().all(|other| cost(fund) <= cost(*other) + 1e-9));
    }
}
