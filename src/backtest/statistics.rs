use super::christoffersen::conditional_coverage;
use super::coverage::Coverage;
use super::kupiec::{LikelihoodRatio, proportion_of_failures};
use super::traffic_light::TrafficLight;

/// Every test of one coverage. They take observations for independent; where windows overlap or pools are pooled they
/// reject too easily.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Whether there are as many exceedances as the level allows; `None` without observations.
    pub proportion: Option<LikelihoodRatio>,
    /// Whether they come in clusters; `None` with fewer than two observations.
    pub independence: Option<LikelihoodRatio>,
    /// Both together.
    pub conditional: Option<LikelihoodRatio>,
    /// Zone of the number of exceedances; `None` without observations.
    pub light: Option<TrafficLight>,
}

impl Statistics {
    /// Tests a coverage against the share `level` (in (0, 1)) that should have been covered.
    pub fn of(coverage: &Coverage, level: f64) -> Self {
        let share = 1.0 - level;
        let proportion = proportion_of_failures(coverage.exceedances, coverage.observations, share);
        let independence = coverage.transitions.independence();
        Self {
            conditional: proportion.zip(independence).map(|(first, second)| conditional_coverage(&first, &second)),
            light: TrafficLight::of(coverage.exceedances, coverage.observations, share),
            proportion,
            independence,
        }
    }
}
