//! What a requirement covered of a series of losses.

use super::christoffersen::Transitions;

/// Coverage of a requirement over a series of losses, or over several series pooled.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Coverage {
    /// Losses compared with a requirement.
    pub observations: u64,
    /// Losses above their requirement: the exceedances.
    pub exceedances: u64,
    /// Σ (loss − requirement) over the exceedances, quote units.
    pub shortfall_sum: f64,
    /// Largest loss − requirement of an exceedance, quote units; 0 without one.
    pub shortfall_max: f64,
    /// Followers of exceedances and of their absence, within each series.
    pub transitions: Transitions,
}

impl Coverage {
    /// Compares each loss with its requirement (both quote units, a gain is a negative loss): an exceedance is a loss
    /// strictly above it. Pairs are in order of time.
    pub fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut coverage = Self::default();
        let mut before = None;
        for (loss, requirement) in pairs {
            let is_hit = loss > requirement;
            coverage.observations += 1;
            if is_hit {
                let shortfall = loss - requirement;
                coverage.exceedances += 1;
                coverage.shortfall_sum += shortfall;
                coverage.shortfall_max = coverage.shortfall_max.max(shortfall);
            }
            if let Some(before) = before {
                coverage.transitions.count(before, is_hit);
            }
            before = Some(is_hit);
        }
        coverage
    }

    /// Pools another series: counts add, and no transition leads from one series to the other.
    pub fn add(&mut self, other: &Self) {
        self.observations += other.observations;
        self.exceedances += other.exceedances;
        self.shortfall_sum += other.shortfall_sum;
        self.shortfall_max = self.shortfall_max.max(other.shortfall_max);
        self.transitions.add(&other.transitions);
    }

    /// Share of the losses that the requirement covered, 1 − exceedances / observations; `None` without observations.
    pub fn share(&self) -> Option<f64> {
        (self.observations > 0).then(|| 1.0 - self.exceedances as f64 / self.observations as f64)
    }

    /// Mean loss beyond the requirement given an exceedance, quote units; `None` without one.
    pub fn mean_shortfall(&self) -> Option<f64> {
        (self.exceedances > 0).then(|| self.shortfall_sum / self.exceedances as f64)
    }

    /// Largest loss beyond the requirement, quote units; `None` without an exceedance.
    pub fn max_shortfall(&self) -> Option<f64> {
        (self.exceedances > 0).then_some(self.shortfall_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_losses_above_the_requirement_are_exceedances() {
        let coverage = Coverage::of([(10.0, 10.0), (12.0, 10.0), (-50.0, 10.0), (16.0, 10.0), (0.0, 0.0)]);
        assert_eq!((coverage.observations, coverage.exceedances), (5, 2));
        assert_eq!(coverage.share(), Some(0.6));
        assert_eq!((coverage.mean_shortfall(), coverage.max_shortfall()), (Some(4.0), Some(6.0)));
    }

    #[test]
    fn nothing_observed_and_nothing_exceeded_are_told_apart() {
        let none = Coverage::of([]);
        assert_eq!((none.share(), none.mean_shortfall(), none.max_shortfall()), (None, None, None));
        let covered = Coverage::of([(1.0, 2.0)]);
        assert_eq!((covered.share(), covered.mean_shortfall(), covered.max_shortfall()), (Some(1.0), None, None));
    }

    #[test]
    fn pooled_series_do_not_follow_each_other() {
        let hit = Coverage::of([(2.0, 1.0)]);
        let mut pooled = hit;
        pooled.add(&hit);
        assert_eq!((pooled.observations, pooled.exceedances, pooled.transitions), (2, 2, Transitions::default()));
        assert_eq!(Coverage::of([(2.0, 1.0), (2.0, 1.0)]).transitions.hit_hit, 1);
    }
}
