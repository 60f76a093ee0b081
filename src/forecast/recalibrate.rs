use super::isotonic::Isotonic;
use super::logistic::{Logistic, log_odds};

/// Past forecasts that a recalibration is learnt from: fewest, a year of them, and fewest spikes among them.
const FORECASTS_MIN: usize = 2_190;
const SPIKES_MIN: usize = 30;

/// What becomes of a model's probability, learnt from what came of its earlier forecasts.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recalibration {
    /// It stays.
    None,
    /// A logistic curve over its log odds (J. Platt, Advances in Large Margin Classifiers (1999) 61–74).
    Logistic(Logistic),
    /// Steps over it that never fall.
    Isotonic(Isotonic),
}

/// Kind of a recalibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    None,
    Logistic,
    Isotonic,
}

impl Recalibration {
    /// Learns a curve from past probabilities, each in (0, 1), and whether a spike came. [`Recalibration::None`] where they are
    /// fewer than a year of forecasts every four hours, or hold fewer than 30 spikes.
    pub(super) fn learn(curve: Curve, past: &[(f64, bool)]) -> Self {
        const UNCHANGED: Logistic = Logistic { intercept: 0.0, slope: 1.0 };
        if past.len() < FORECASTS_MIN || past.iter().filter(|(_, came)| *came).count() < SPIKES_MIN {
            return Self::None;
        }
        match curve {
            Curve::None => Self::None,
            Curve::Logistic => {
                let odds: Vec<(f64, bool)> = past.iter().map(|&(p, came)| (log_odds(p), came)).collect();
                Self::Logistic(Logistic::fit(UNCHANGED, &odds))
            }
            Curve::Isotonic => Isotonic::fit(past).map_or(Self::None, Self::Isotonic),
        }
    }

    /// The probability to publish for a model's probability in (0, 1).
    pub(super) fn at(&self, probability: f64) -> f64 {
        match self {
            Self::None => probability,
            Self::Logistic(curve) => curve.at(log_odds(probability)),
            Self::Isotonic(steps) => steps.at(probability),
        }
    }

    /// What it is, in a word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Logistic(_) => "logistic",
            Self::Isotonic(_) => "isotonic",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forecasts of 0.2 and 0.8 of which 30 % and 60 % came: too sure of themselves.
    fn overconfident(count: usize) -> Vec<(f64, bool)> {
        (0..count).map(|at| if at % 2 == 0 { (0.2, at / 2 % 10 < 3) } else { (0.8, at / 2 % 10 < 6) }).collect()
    }

    #[test]
    fn both_curves_learn_what_came() {
        let past = overconfident(4_000);
        for curve in [Curve::Logistic, Curve::Isotonic] {
            let learnt = Recalibration::learn(curve, &past);
            assert!((learnt.at(0.2) - 0.3).abs() < 1e-3 && (learnt.at(0.8) - 0.6).abs() < 1e-3, "{learnt:?}");
        }
        assert_eq!(Recalibration::learn(Curve::None, &past).at(0.2), 0.2);
    }

    #[test]
    fn nothing_is_learnt_from_little() {
        assert_eq!(Recalibration::learn(Curve::Logistic, &overconfident(2_188)), Recalibration::None);
        let calm = vec![(0.1, false); 4_000];
        assert_eq!(Recalibration::learn(Curve::Isotonic, &calm), Recalibration::None);
    }
}
