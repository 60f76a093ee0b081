//! Christoffersen's tests: whether exceedances come in clusters, and whether they are as many as they should be.

use super::kupiec::{LikelihoodRatio, times_log};

/// What followed what in a series of exceedances and their absence: n_ij of the literature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transitions {
    /// Covered, then covered: n00.
    pub miss_miss: u64,
    /// Covered, then exceeded: n01.
    pub miss_hit: u64,
    /// Exceeded, then covered: n10.
    pub hit_miss: u64,
    /// Exceeded, then exceeded: n11.
    pub hit_hit: u64,
}

impl Transitions {
    /// Counts one observation after another; each says whether it was an exceedance.
    pub(super) fn count(&mut self, before: bool, after: bool) {
        let counter = match (before, after) {
            (false, false) => &mut self.miss_miss,
            (false, true) => &mut self.miss_hit,
            (true, false) => &mut self.hit_miss,
            (true, true) => &mut self.hit_hit,
        };
        *counter += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.miss_miss += other.miss_miss;
        self.miss_hit += other.miss_hit;
        self.hit_miss += other.hit_miss;
        self.hit_hit += other.hit_hit;
    }

    /// Whether an exceedance is as probable after another as after none (P. Christoffersen, "Evaluating interval forecasts",
    /// Int. Economic Review 39 (1998) 841–862): LR = −2 ln[(1−π)^(n00+n10) π^(n01+n11) / ((1−π01)^n00 π01^n01 (1−π11)^n10
    /// π11^n11)], π01 = n01/(n00+n01), π11 = n11/(n10+n11), π = (n01+n11)/Σn, 0·ln 0 = 0. Where nothing follows an
    /// exceedance its factor is 1. `None` with fewer than two observations.
    pub fn independence(&self) -> Option<LikelihoodRatio> {
        let &Self { miss_miss, miss_hit, hit_miss, hit_hit } = self;
        let apart = log_likelihood(miss_miss, miss_hit) + log_likelihood(hit_miss, hit_hit);
        let together = log_likelihood(miss_miss + hit_miss, miss_hit + hit_hit);
        let observed = miss_miss + miss_hit + hit_miss + hit_hit > 0;
        observed.then(|| LikelihoodRatio::one_degree(2.0 * (apart - together)))
    }
}

/// Conditional coverage: the right number of exceedances, and independent ones. The sum of both statistics, against χ² with
/// two degrees of freedom.
pub fn conditional_coverage(proportion: &LikelihoodRatio, independence: &LikelihoodRatio) -> LikelihoodRatio {
    LikelihoodRatio::two_degrees(proportion.statistic + independence.statistic)
}

/// ln of the largest likelihood of `misses` and `hits` in a row: m·ln(m/(m+h)) + h·ln(h/(m+h)).
fn log_likelihood(misses: u64, hits: u64) -> f64 {
    let (m, h) = (misses as f64, hits as f64);
    times_log(m, m, m + h) + times_log(h, h, m + h)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(hits: &[u8]) -> Transitions {
        let mut transitions = Transitions::default();
        hits.windows(2).for_each(|pair| transitions.count(pair[0] == 1, pair[1] == 1));
        transitions
    }

    /// 0 0 1 1 0 0 0 0 1 0 0: n00 = 5, n01 = 2, n10 = 2, n11 = 1; π01 = 2/7, π11 = 1/3, π = 3/10. By hand the likelihoods
    /// are 0.7⁷·0.3³ and (5/7)⁵(2/7)²·(2/3)²(1/3).
    #[test]
    fn an_example_by_hand() {
        let transitions = of(&[0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(transitions, Transitions { miss_miss: 5, miss_hit: 2, hit_miss: 2, hit_hit: 1 });
        let together = 0.7f64.powi(7) * 0.3f64.powi(3);
        let apart = (5f64 / 7.0).powi(5) * (2f64 / 7.0).powi(2) * (2f64 / 3.0).powi(2) * (1f64 / 3.0);
        let expected = -2.0 * (together / apart).ln();
        let test = transitions.independence().unwrap();
        assert!((test.statistic - expected).abs() < 1e-12 && expected > 0.02, "{test:?} {expected}");
        let proportion = LikelihoodRatio::one_degree(1.5);
        let both = conditional_coverage(&proportion, &test);
        assert!((both.p_value - (-(1.5 + expected) / 2.0).exp()).abs() < 1e-12);
    }

    #[test]
    fn clusters_are_found_and_even_spacing_is_not_a_cluster() {
        let mut clustered = vec![0; 200];
        clustered[100..110].fill(1);
        assert!(of(&clustered).independence().unwrap().p_value < 1e-6);
        let single: Vec<u8> = (0..200).map(|at| u8::from(at % 40 == 7)).collect();
        assert!(of(&single).independence().unwrap().p_value > 0.5);
    }

    #[test]
    fn series_without_a_follower_of_an_exceedance_are_defined() {
        assert_eq!(of(&[0, 0, 0, 1]).independence().unwrap().statistic, 0.0);
        assert_eq!(of(&[0, 0, 0, 0]).independence().unwrap(), LikelihoodRatio { statistic: 0.0, p_value: 1.0 });
        assert_eq!(of(&[1, 1, 1]).independence().unwrap().statistic, 0.0);
        assert_eq!(of(&[1]).independence(), None);
    }
}
