//! What a candidate amounts to, from the tails that one sweep has kept.

use rayon::prelude::*;

use super::landscape::{Group, Measured, Probe};
use super::population::Population;
use super::tail::Tails;
use super::threshold::Thresholds;
use crate::engine::{QUANTUM, quanta};

/// Sums over some accounts, in integers: no order shows.
struct Sums {
    /// Pools that exceed: `[n_classes + 1][n_scenarios]`, the last of the whole book.
    exceeded: Vec<Vec<u32>>,
    /// Σ of what is lost beyond thresholds, quanta: `[n_scenarios]`.
    shortfall: Vec<i128>,
    /// The largest of accounts, quanta, descending: `[n_scenarios × accounts]`.
    largest: Vec<i128>,
    accounts: usize,
}

/// Counts and sums every pool against its threshold. `accounts` is the number of those that are covered together.
pub(super) fn measure(
    population: &Population,
    tails: &Tails,
    thresholds: &Thresholds,
    (accounts, fund): (usize, f64),
) -> Measured {
    let n_scenarios = tails.observed.first().map_or(0, Vec::len);
    let spans: Vec<&[usize]> = population.account_starts.windows(2).collect();
    let part = spans.len().div_ceil(rayon::current_num_threads()).max(1);
    let parts = spans.par_chunks(part).map(|spans| {
        let mut sums = Sums::new(population.classes.len(), n_scenarios, accounts);
        spans.iter().for_each(|span| sums.add_account(population, tails, thresholds, span[0]..span[1]));
        sums
    });
    let nothing = || Sums::new(population.classes.len(), n_scenarios, accounts);
    let sums = parts.reduce(nothing, Sums::plus);
    let names = population.classes.iter().map(String::as_str).chain([BOOK]);
    let groups = names.zip(&tails.observed).zip(sums.exceeded);
    let units = |quanta: i128| quanta as f64 * QUANTUM;
    Measured {
        margin: thresholds.margin(),
        groups: groups
            .map(|((name, observed), exceeded)| Group { name: name.into(), observed: observed.clone(), exceeded })
            .collect(),
        probes: probes(population, tails, thresholds),
        shortfall: sums.shortfall.into_iter().map(units).collect(),
        cover: match accounts {
            0 => vec![0.0; n_scenarios],
            accounts => sums.largest.chunks(accounts).map(|largest| units(largest.iter().sum())).collect(),
        },
        fund,
    }
}

/// Name of the group of all pools.
const BOOK: &str = "book";

fn probes(population: &Population, tails: &Tails, thresholds: &Thresholds) -> Vec<Probe> {
    let outrights = population.outrights.iter().zip(&tails.outrights).zip(&thresholds.outrights);
    outrights
        .map(|((outright, losses), threshold)| Probe {
            name: outright.name.clone(),
            exceeded: losses.iter().map(|loss| loss.map(|loss| loss > *threshold)).collect(),
        })
        .collect()
}

impl Sums {
    fn new(n_classes: usize, n_scenarios: usize, accounts: usize) -> Self {
        Self {
            exceeded: vec![vec![0; n_scenarios]; n_classes + 1],
            shortfall: vec![0; n_scenarios],
            largest: vec![0; n_scenarios * accounts],
            accounts,
        }
    }

    fn add_account(
        &mut self,
        population: &Population,
        tails: &Tails,
        thresholds: &Thresholds,
        pools: std::ops::Range<usize>,
    ) {
        let book = self.exceeded.len() - 1;
        let is_single = pools.len() == 1;
        let mut beyond: Vec<(usize, i128)> = Vec::new();
        for pool in pools {
            let threshold = thresholds.pools[pool];
            let class = population.class_of_pool[pool];
            for (scenario, loss) in tails.beyond(pool, threshold) {
                class.iter().for_each(|class| self.exceeded[*class as usize][scenario] += 1);
                self.exceeded[book][scenario] += 1;
                let shortfall = quanta(loss - threshold);
                self.shortfall[scenario] += shortfall;
                match is_single {
                    true => self.rank(scenario, shortfall),
                    false => beyond.push((scenario, shortfall)),
                }
            }
        }
        beyond.sort_unstable();
        for same in beyond.chunk_by(|a, b| a.0 == b.0) {
            self.rank(same[0].0, same.iter().map(|(_, shortfall)| shortfall).sum());
        }
    }

    /// Puts an account's shortfall among the largest of a scenario.
    fn rank(&mut self, scenario: usize, mut shortfall: i128) {
        for place in &mut self.largest[scenario * self.accounts..(scenario + 1) * self.accounts] {
            if shortfall > *place {
                std::mem::swap(place, &mut shortfall);
            }
        }
    }

    fn plus(mut self, other: Self) -> Self {
        for (sum, part) in self.exceeded.iter_mut().zip(&other.exceeded) {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        self.shortfall.iter_mut().zip(&other.shortfall).for_each(|(sum, part)| *sum += part);
        for (at, shortfall) in other.largest.iter().enumerate() {
            self.rank(at / self.accounts, *shortfall);
        }
        self
    }
}
