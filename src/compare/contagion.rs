//! Healthy legs that another leg takes down: what merged pools lose that isolated ones would keep.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::split::accounts;
use crate::engine::{Arbiter, PoolOutcome, Progress, State};
use crate::margin::Setting;
use crate::pricing::Column;

/// Legs of liquidatable pools, counted over (pool, scenario). Decisions are exact; notionals are published figures of the
/// scenario's market.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Contagion {
    /// Merged pools of at least two legs that are liquidatable in some scenario.
    pub affected_pools: u64,
    /// Those that were examined: all, or a seeded sample where that would take too long.
    pub examined_pools: u64,
    /// (Examined pool, scenario) in which the pool is liquidatable.
    pub verdicts: u64,
    /// Legs in those.
    pub legs: u64,
    /// Legs in those that, with their own collateral alone, are neither liquidatable nor bankrupt.
    pub healthy_legs: u64,
    /// Gross notional of the legs, quote units.
    pub notional: f64,
    /// Gross notional of the healthy legs, quote units.
    pub healthy_notional: f64,
}

impl Contagion {
    /// Healthy legs / legs; `None` where no pool is liquidatable.
    pub fn leg_share(&self) -> Option<f64> {
        (self.legs > 0).then(|| self.healthy_legs as f64 / self.legs as f64)
    }

    /// Healthy notional / notional; `None` where that is 0.
    pub fn notional_share(&self) -> Option<f64> {
        (self.notional > 0.0).then(|| self.healthy_notional / self.notional)
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            affected_pools: self.affected_pools + other.affected_pools,
            examined_pools: self.examined_pools + other.examined_pools,
            verdicts: self.verdicts + other.verdicts,
            legs: self.legs + other.legs,
            healthy_legs: self.healthy_legs + other.healthy_legs,
            notional: self.notional + other.notional,
            healthy_notional: self.healthy_notional + other.healthy_notional,
        }
    }
}

/// A merged book beside the isolated one of the same accounts: the formulas over each, under the same scenarios.
pub struct Pair<'a> {
    /// One pool for each account.
    pub merged: Setting<'a>,
    /// What a sweep says of them.
    pub outcomes: &'a [PoolOutcome],
    /// The pools of the accounts' positions.
    pub isolated: Setting<'a>,
}

/// A pool to examine: its place in the merged book, and the isolated pools of its account.
struct Case {
    pool: usize,
    legs: Range<usize>,
}

impl Pair<'_> {
    /// Examines the affected pools, as many of a seeded sample as `most_verdicts` decisions allow, at least one.
    pub fn contagion(&self, most_verdicts: u64, seed: u64, progress: &dyn Progress) -> Contagion {
        let cases = self.cases();
        let affected_pools = cases.len() as u64;
        let costs: Vec<u64> = cases.iter().map(|case| self.cost(case)).collect();
        let sample = sample(&costs, most_verdicts, seed);
        let total: u64 = sample.iter().map(|&at| costs[at]).sum();
        let arbiters = [self.merged, self.isolated].map(Arbiter::new);
        let done = AtomicU64::new(0);
        let examine = |&at: &usize| {
            let found = self.examine(&arbiters, &cases[at]);
            progress.advance(done.fetch_add(costs[at], Relaxed) + costs[at], total);
            found
        };
        let parts: Vec<Contagion> = sample.par_iter().map(examine).collect();
        // Sums in book order: the same whatever the threads.
        parts.iter().fold(Contagion { affected_pools, ..Contagion::default() }, |sum, part| sum.plus(part))
    }

    fn cases(&self) -> Vec<Case> {
        let book = &self.isolated.snapshot.book;
        let has_position = |index: &usize| !book.pool(*index).positions.is_empty();
        let affected = |(pool, legs): (usize, Range<usize>)| {
            let outcome = &self.outcomes[pool];
            let is_known = outcome.state != State::Unknown;
            let is_affected = is_known && outcome.liquidatable_scenarios > 0;
            (is_affected && legs.clone().filter(has_position).count() > 1).then_some(Case { pool, legs })
        };
        accounts(book).enumerate().filter_map(affected).collect()
    }

    /// Decisions at most: the pool under every scenario, its legs where it is liquidatable.
    fn cost(&self, case: &Case) -> u64 {
        let scenarios = self.isolated.rows.scenario_count() as u64;
        scenarios + case.legs.len() as u64 * u64::from(self.outcomes[case.pool].liquidatable_scenarios)
    }

    fn examine(&self, [of_pool, of_leg]: &[Arbiter<'_>; 2], case: &Case) -> Contagion {
        let (pool, book) = (self.merged.snapshot.book.pool(case.pool), &self.isolated.snapshot.book);
        let mut found = Contagion { examined_pools: 1, ..Contagion::default() };
        let scenarios = (0..self.isolated.rows.scenario_count()).map(Column::Scenario);
        let liquidatable = scenarios.filter(|column| of_pool.decide(&pool, *column).liquidatable);
        for column in liquidatable.take(self.outcomes[case.pool].liquidatable_scenarios as usize) {
            found.verdicts += 1;
            for leg in case.legs.clone().map(|index| book.pool(index)).filter(|leg| !leg.positions.is_empty()) {
                let notional = self.isolated.gross_notional::<f64>(&leg, &(self.isolated.rows, column));
                let decision = of_leg.decide(&leg, column);
                found.legs += 1;
                found.notional += notional;
                if !decision.liquidatable && !decision.bankrupt {
                    found.healthy_legs += 1;
                    found.healthy_notional += notional;
                }
            }
        }
        found
    }
}

/// Positions in `costs`, ascending: all of them, or a seeded sample that costs `most` together, at least one.
fn sample(costs: &[u64], most: u64, seed: u64) -> Vec<usize> {
    if costs.iter().sum::<u64>() <= most {
        return (0..costs.len()).collect();
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut spent = 0;
    let shuffled = index::sample(&mut random, costs.len(), costs.len()).into_iter();
    let mut sample: Vec<usize> = shuffled
        .take_while(|&at| {
            let is_first = spent == 0;
            spent += costs[at];
            is_first || spent <= most
        })
        .collect();
    sample.sort_unstable();
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_keeps_to_its_budget_and_depends_on_the_seed() {
        let costs = vec![10; 100];
        assert_eq!(sample(&costs, 1_000, 1).len(), 100);
        assert_eq!(sample(&costs, 999, 1).len(), 99);
        assert_eq!(sample(&costs, 1, 1).len(), 1);
        assert_ne!(sample(&costs, 300, 1), sample(&costs, 300, 2));
        assert!(sample(&costs, 300, 1).is_sorted() && sample(&[], 0, 1).is_empty());
    }
}
