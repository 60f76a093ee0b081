//! Christoffersen's test of every outright portfolio.

use super::super::landscape::{Probe, Reading};
use super::{View, met};
use crate::backtest::Transitions;

/// The exceedances of no outright portfolio come in clusters, in the order of the scenarios: of a history, not of draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Christoffersen {
    /// Probability below which a test rejects, in (0, 1).
    pub significance: f64,
}

impl Christoffersen {
    /// The p-value of each portfolio.
    pub(super) fn parts(&self, view: &View<'_>) -> Vec<Reading> {
        let limit = self.significance;
        let of_probe = |probe: &Probe| match transitions(probe, view.weights).independence() {
            Some(test) => Reading { value: test.p_value, limit, slack: (test.p_value - limit) / limit },
            None => met(1.0, limit),
        };
        view.measured.probes.iter().map(of_probe).collect()
    }
}

/// What follows what. A follower counts as often as it weighs, in all as many as there are.
fn transitions(probe: &Probe, weights: &[f64]) -> Transitions {
    let observed = probe.exceeded.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
    let observed: Vec<(bool, f64)> = observed.filter_map(|(exceeded, weight)| Some(((*exceeded)?, *weight))).collect();
    let total: f64 = observed.iter().skip(1).map(|(_, weight)| weight).sum();
    let mut counts = [[0.0; 2]; 2];
    for pair in observed.windows(2) {
        counts[usize::from(pair[0].0)][usize::from(pair[1].0)] += pair[1].1;
    }
    let followers = observed.len().saturating_sub(1) as f64;
    let count = |before: usize, after: usize| match total > 0.0 {
        true => libm::round(counts[before][after] * followers / total) as u64,
        false => 0,
    };
    Transitions { miss_miss: count(0, 0), miss_hit: count(0, 1), hit_miss: count(1, 0), hit_hit: count(1, 1) }
}

#[cfg(test)]
mod tests {
    use super::super::{Rule, Sample};
    use super::*;
    use crate::calibration::Measured;

    fn probe(hits: impl IntoIterator<Item = bool>) -> Probe {
        Probe { name: String::new(), exceeded: hits.into_iter().map(Some).collect() }
    }

    #[test]
    fn transitions_are_those_of_the_back_test() {
        let hits = [0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0].map(|hit| hit == 1);
        let expected = Transitions { miss_miss: 5, miss_hit: 2, hit_miss: 2, hit_hit: 1 };
        assert_eq!(transitions(&probe(hits), &[1.0; 11]), expected);
        // A row that is not quoted leaves its neighbours to each other.
        let mut gap = probe(hits);
        gap.exceeded.insert(4, None);
        assert_eq!(transitions(&gap, &[1.0; 12]), expected);
        assert_eq!(transitions(&probe([true]), &[1.0]), Transitions::default());
        assert_eq!(transitions(&probe([true, true]), &[0.0; 2]), Transitions::default());
    }

    #[test]
    fn clusters_break_it() {
        let is_met = |hits: Vec<bool>, relaxed| {
            let measured = Measured { probes: vec![probe(hits)], ..Measured::default() };
            let weights = [1.0; 200];
            let view = View { measured: &measured, weights: &weights, relaxed, sample: Sample::Searched };
            Rule::Christoffersen(Christoffersen { significance: 0.01 }).reading(&view).is_met()
        };
        let cluster: Vec<bool> = (0..200).map(|at| (100..110).contains(&at)).collect();
        assert!(!is_met(cluster.clone(), 1.0) && !is_met(cluster, 2.0));
        assert!(is_met((0..200).map(|at| at % 40 == 7).collect(), 1.0));
        assert!(is_met(vec![false; 200], 1.0));
    }
}
