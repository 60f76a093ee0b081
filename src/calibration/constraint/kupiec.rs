//! Kupiec's test of every outright portfolio.

use super::super::landscape::{Probe, Reading};
use super::super::loss_measure::share_of;
use super::coverage::probe_sums;
use super::{View, met};
use crate::backtest::proportion_of_failures;

/// No outright portfolio shows so many exceedances that its share is rejected; too few never break it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kupiec {
    /// Share of losses that should be covered, in (0, 1).
    pub level: f64,
    /// Probability below which a test rejects, in (0, 1).
    pub significance: f64,
}

impl Kupiec {
    /// The p-value of each portfolio, 1 with no more exceedances than it should have. Slack counts exceedances up to the
    /// rejection: p-values are flat where nearly all portfolios are.
    pub(super) fn parts(&self, view: &View<'_>) -> Vec<Reading> {
        let all_met = met(1.0, self.significance);
        let of_probe = |probe: &Probe| {
            let observations = probe.exceeded.iter().zip(view.weights);
            let observations =
                observations.filter(|(exceeded, weight)| exceeded.is_some() && **weight > 0.0).count() as u64;
            if observations == 0 {
                return all_met;
            }
            let (exceeded, observed) = probe_sums(probe, view.weights);
            let exceedances = libm::round(observations as f64 * exceeded / observed) as u64;
            let share = (share_of(self.level) * view.relaxed).min(1.0 - f64::EPSILON);
            let most = self.most(observations, share);
            let slack = (most as f64 - exceedances as f64) / most.max(1) as f64;
            Reading { value: self.p_value(exceedances, observations, share), slack, ..all_met }
        };
        view.measured.probes.iter().map(of_probe).collect()
    }

    /// The largest number of exceedances that is not rejected for being too many.
    fn most(&self, observations: u64, share: f64) -> u64 {
        let is_rejected = |exceedances: u64| self.p_value(exceedances, observations, share) < self.significance;
        let (mut accepted, mut rejected) = (0, observations + 1);
        while rejected - accepted > 1 {
            let middle = accepted + (rejected - accepted) / 2;
            if is_rejected(middle) { rejected = middle } else { accepted = middle }
        }
        accepted
    }

    /// The test's p-value; 1 with no more exceedances than there should be.
    fn p_value(&self, exceedances: u64, observations: u64, share: f64) -> f64 {
        if exceedances as f64 <= share * observations as f64 {
            return 1.0;
        }
        proportion_of_failures(exceedances, observations, share).map_or(1.0, |test| test.p_value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Rule, Sample};
    use super::*;
    use crate::calibration::Measured;

    /// Of 250 observations at 99 %, 7 exceedances are rejected at 5 %, 6 and 0 are not.
    #[test]
    fn too_many_break_it_and_too_few_do_not() {
        let slack = |exceedances: usize| {
            let exceeded = (0..250).map(|at| Some(at < exceedances)).collect();
            let measured = Measured { probes: vec![Probe { name: String::new(), exceeded }], ..Measured::default() };
            let view = View { measured: &measured, weights: &[1.0; 250], relaxed: 1.0, sample: Sample::Searched };
            let reading = Rule::Kupiec(Kupiec { level: 0.99, significance: 0.05 }).reading(&view);
            assert_eq!(reading.is_met(), reading.value >= reading.limit, "{exceedances}");
            reading.slack
        };
        assert_eq!((slack(0), slack(6)), (1.0, 0.0));
        assert!(slack(7) < 0.0);
    }

    #[test]
    fn without_observations_it_holds_and_relaxed_the_share_is_larger() {
        let mut measured =
            Measured { probes: vec![Probe { name: String::new(), exceeded: vec![None; 3] }], ..Measured::default() };
        let rule = Kupiec { level: 0.99, significance: 0.05 };
        let met = |measured: &Measured, relaxed| {
            Rule::Kupiec(rule)
                .reading(&View { measured, weights: &[1.0; 3], relaxed, sample: Sample::Searched })
                .is_met()
        };
        assert!(met(&measured, 1.0));
        measured.probes[0].exceeded = vec![Some(true); 3];
        // At 60 % three of three are no surprise: 2·3·ln(1/0.6) = 3.06.
        assert!(!met(&measured, 1.0) && !met(&measured, 2.0) && met(&measured, 60.0));
    }
}
