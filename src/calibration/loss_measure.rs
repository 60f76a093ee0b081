//! One number for a distribution of losses over weighted scenarios.

/// What is read from the losses by scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossMeasure {
    /// Their weighted mean.
    Mean,
    /// The least loss that is not exceeded with the probability of the level.
    ValueAtRisk,
    /// The mean of the worst 1 − level, a scenario at the border in part (C. Acerbi, D. Tasche, "On the coherence of expected
    /// shortfall", J. of Banking & Finance 26 (2002) 1487–1503).
    ExpectedShortfall,
    /// The largest of a scenario with a weight.
    Maximum,
}

impl LossMeasure {
    /// The words of a job file.
    pub const WORDS: [(&'static str, Self); 4] =
        [("mean", Self::Mean), ("var", Self::ValueAtRisk), ("es", Self::ExpectedShortfall), ("max", Self::Maximum)];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::ValueAtRisk => "var",
            Self::ExpectedShortfall => "es",
            Self::Maximum => "max",
        }
    }

    /// Whether it has a level.
    pub fn has_level(self) -> bool {
        matches!(self, Self::ValueAtRisk | Self::ExpectedShortfall)
    }

    /// The measure of `losses` under `weights` (one each, ≥ 0) at `level` in (0, 1); 0 where nothing has a weight.
    pub fn of(self, losses: &[f64], weights: &[f64], level: f64) -> f64 {
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return 0.0;
        }
        let weighted = || losses.iter().copied().zip(weights.iter().copied()).filter(|(_, weight)| *weight > 0.0);
        match self {
            Self::Mean => weighted().map(|(loss, weight)| weight * loss).sum::<f64>() / total,
            Self::Maximum => weighted().map(|(loss, _)| loss).fold(f64::NEG_INFINITY, f64::max),
            Self::ValueAtRisk | Self::ExpectedShortfall => {
                let mut sorted: Vec<(f64, f64)> = weighted().collect();
                sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
                tail(&sorted, share_of(level) * total, self)
            }
        }
    }
}

/// 1 − level, without what subtracting a decimal adds to it: 1 − 0.9 is a tenth.
pub(super) fn share_of(level: f64) -> f64 {
    const DIGITS: f64 = 1e12;
    libm::round((1.0 - level) * DIGITS) / DIGITS
}

/// The measure of the worst `mass` of losses that descend.
fn tail(sorted: &[(f64, f64)], mass: f64, measure: LossMeasure) -> f64 {
    let (mut left, mut sum) = (mass, 0.0);
    for &(loss, weight) in sorted {
        if measure == LossMeasure::ValueAtRisk && weight > left {
            return loss;
        }
        let taken = weight.min(left);
        sum += taken * loss;
        left -= taken;
        if measure == LossMeasure::ExpectedShortfall && left <= 0.0 {
            break;
        }
    }
    match measure {
        LossMeasure::ValueAtRisk => sorted.last().map_or(0.0, |(loss, _)| *loss),
        _ => sum / mass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_of_ten_losses_by_hand() {
        let losses: Vec<f64> = (1..=10).map(f64::from).collect();
        let of = |measure: LossMeasure, level| measure.of(&losses, &[1.0; 10], level);
        assert_eq!((of(LossMeasure::Mean, 0.0), of(LossMeasure::Maximum, 0.0)), (5.5, 10.0));
        // P(L ≤ 9) = 0.9.
        assert_eq!(of(LossMeasure::ValueAtRisk, 0.9), 9.0);
        assert_eq!(of(LossMeasure::ExpectedShortfall, 0.9), 10.0);
        assert_eq!(of(LossMeasure::ValueAtRisk, 0.85), 9.0);
        // The worst 15 %: one tenth at 10, half a tenth at 9.
        assert!((of(LossMeasure::ExpectedShortfall, 0.85) - 14.5 / 1.5).abs() < 1e-12);
        assert!((of(LossMeasure::ExpectedShortfall, 0.95) - 10.0).abs() < 1e-12);
        assert_eq!(of(LossMeasure::ValueAtRisk, 0.95), 10.0);
    }

    #[test]
    fn weights_count_as_repetitions_and_none_as_absence() {
        let of = |measure: LossMeasure| measure.of(&[1.0, 7.0, 3.0], &[2.0, 0.0, 2.0], 0.5);
        assert_eq!(LossMeasure::WORDS.map(|(_, measure)| of(measure)), [2.0, 1.0, 3.0, 3.0]);
        assert_eq!(LossMeasure::Mean.of(&[1.0], &[0.0], 0.5), 0.0);
        assert_eq!(LossMeasure::ExpectedShortfall.of(&[], &[], 0.5), 0.0);
        assert_eq!(LossMeasure::ValueAtRisk.of(&[4.0], &[1.0], 0.5), 4.0);
    }
}
