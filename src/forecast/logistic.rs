/// Steps of Newton's method; it converges in fewer than ten.
const STEPS: usize = 50;
/// Weight of a prior at the start, against classes that a score separates.
const PRIOR: f64 = 1e-3;

/// Probability from a score by one logistic curve.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logistic {
    /// Log odds at score 0.
    pub intercept: f64,
    /// Log odds per unit of score.
    pub slope: f64,
}

impl Logistic {
    /// The curve of greatest likelihood for scores and whether what they speak of came, found by Newton's method; `start` is where
    /// it begins and what a slight prior pulls it to. `start` where there is nothing to learn from.
    pub(super) fn fit(start: Self, observed: &[(f64, bool)]) -> Self {
        let mut curve = start;
        for _ in 0..STEPS {
            let mut gradient = [PRIOR * (start.intercept - curve.intercept), PRIOR * (start.slope - curve.slope)];
            let mut curvature = [PRIOR, 0.0, PRIOR];
            for &(score, came) in observed {
                let p = curve.at(score);
                let (error, weight) = (f64::from(came) - p, p * (1.0 - p));
                gradient[0] += error;
                gradient[1] += error * score;
                curvature[0] += weight;
                curvature[1] += weight * score;
                curvature[2] += weight * score * score;
            }
            let determinant = curvature[0] * curvature[2] - curvature[1] * curvature[1];
            let step = [
                (curvature[2] * gradient[0] - curvature[1] * gradient[1]) / determinant,
                (curvature[0] * gradient[1] - curvature[1] * gradient[0]) / determinant,
            ];
            let size = step[0].abs().max(step[1].abs());
            if !size.is_finite() {
                return start;
            }
            // Far from the optimum a whole step may overshoot where the curve is flat.
            let damping = if size > 1.0 { 1.0 / size } else { 1.0 };
            curve.intercept += damping * step[0];
            curve.slope += damping * step[1];
            if size < 1e-12 {
                break;
            }
        }
        curve
    }

    /// The probability, strictly between 0 and 1 for scores that are not extreme.
    pub(super) fn at(&self, score: f64) -> f64 {
        1.0 / (1.0 + libm::exp(-(self.intercept + self.slope * score)))
    }
}

/// ln(p / (1 − p)).
pub(super) fn log_odds(p: f64) -> f64 {
    libm::log(p / (1.0 - p))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Logistic = Logistic { intercept: 0.0, slope: 1.0 };

    #[test]
    fn a_curve_reproduces_the_shares_of_two_groups() {
        // Scores 0 and 1 with shares ¼ and ¾: log odds −ln 3 and ln 3.
        let observed: Vec<(f64, bool)> =
            (0..4_000).map(|at| (f64::from(at % 2), (at / 2) % 4 < 1 + 2 * (at % 2))).collect();
        let curve = Logistic::fit(START, &observed);
        assert!(
            (curve.intercept + 3.0_f64.ln()).abs() < 1e-5 && (curve.slope - 2.0 * 3.0_f64.ln()).abs() < 1e-5,
            "{curve:?}"
        );
        assert!((log_odds(curve.at(0.0)) - curve.intercept).abs() < 1e-12);
    }

    #[test]
    fn separated_classes_and_none_at_all_leave_numbers() {
        let curve = Logistic::fit(START, &[(0.0, false), (1.0, true)]);
        assert!(curve.slope.is_finite() && curve.at(1.0) > 0.9, "{curve:?}");
        assert_eq!(Logistic::fit(START, &[]), START);
    }
}
