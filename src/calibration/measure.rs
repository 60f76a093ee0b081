//! What a candidate amounts to, from the tails that one sweep has kept, or from a sweep of its own.

use rayon::prelude::*;

use super::landscape::{Group, Measured, Probe};
use super::population::Population;
use super::tail::{Market, Tails, with_sweep};
use super::threshold::Thresholds;
use crate::engine::{Progress, QUANTUM, quanta};
use crate::error::Result;

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

/// What a measurement adds to the population: thresholds, accounts that are covered together, the insurance fund.
#[derive(Clone, Copy)]
pub(super) struct Against<'a> {
    pub(super) population: &'a Population,
    pub(super) thresholds: &'a Thresholds,
    pub(super) accounts: usize,
    pub(super) fund: f64,
}

/// Counts and sums every pool against its threshold, from what a sweep has kept.
pub(super) fn measure(against: &Against<'_>, tails: &Tails) -> Measured {
    let n_scenarios = tails.observed.first().map_or(0, Vec::len);
    let beyond = |pool: usize, take: &mut dyn FnMut(usize, f64)| {
        tails.beyond(pool, against.thresholds.pools[pool]).for_each(|(scenario, loss)| take(scenario, loss));
    };
    let sums = sums(against, n_scenarios, &beyond);
    measured(against, sums, &tails.observed, &tails.outrights)
}

/// The same by a sweep of its own, which keeps nothing.
///
/// # Errors
/// What the sweep answers.
pub(super) fn measure_alone(against: &Against<'_>, market: &Market<'_>, progress: &dyn Progress) -> Result<Measured> {
    with_sweep(market, progress, |sweep| {
        let beyond = |pool: usize, take: &mut dyn FnMut(usize, f64)| {
            let kept = sweep.pool(pool, against.thresholds.pools[pool]);
            kept.into_iter().for_each(|(loss, scenario)| take(scenario as usize, loss));
        };
        let sums = sums(against, market.scenarios.len(), &beyond);
        measured(against, sums, &sweep.observed(), &sweep.outrights())
    })
}

/// Gives the losses of a pool above its threshold, with their scenarios.
type Beyond<'a> = dyn Fn(usize, &mut dyn FnMut(usize, f64)) + Sync + 'a;

/// Every account, on all threads.
fn sums(against: &Against<'_>, n_scenarios: usize, beyond: &Beyond<'_>) -> Sums {
    let population = against.population;
    let new = || Sums::new(population.classes.len(), n_scenarios, against.accounts);
    let spans: Vec<&[usize]> = population.account_starts.windows(2).collect();
    // A few parts for each thread: accounts differ in size.
    let part = spans.len().div_ceil(4 * rayon::current_num_threads()).max(1);
    let parts = spans.par_chunks(part).map(|spans| {
        let mut sums = new();
        spans.iter().for_each(|span| sums.add_account(against, beyond, span[0]..span[1]));
        sums
    });
    parts.reduce(new, Sums::plus)
}

fn measured(against: &Against<'_>, sums: Sums, observed: &[Vec<u32>], outrights: &[Vec<Option<f64>>]) -> Measured {
    let Against { population, thresholds, accounts, fund } = *against;
    let names = population.classes.iter().map(String::as_str).chain([BOOK]);
    let groups = names.zip(observed).zip(sums.exceeded);
    let units = |quanta: i128| quanta as f64 * QUANTUM;
    Measured {
        margin: thresholds.margin(),
        groups: groups
            .map(|((name, observed), exceeded)| Group { name: name.into(), observed: observed.clone(), exceeded })
            .collect(),
        probes: probes(population, outrights, thresholds),
        shortfall: sums.shortfall.into_iter().map(units).collect(),
        cover: sums.largest.chunks(accounts.max(1)).map(|largest| units(largest.iter().sum())).collect(),
        fund,
    }
}

/// Name of the group of all pools.
const BOOK: &str = "book";

fn probes(population: &Population, losses: &[Vec<Option<f64>>], thresholds: &Thresholds) -> Vec<Probe> {
    let outrights = population.outrights.iter().zip(losses).zip(&thresholds.outrights);
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

    fn add_account(&mut self, against: &Against<'_>, beyond: &Beyond<'_>, pools: std::ops::Range<usize>) {
        let book = self.exceeded.len() - 1;
        let is_single = pools.len() == 1;
        let mut of_account: Vec<(usize, i128)> = Vec::new();
        for pool in pools {
            let threshold = against.thresholds.pools[pool];
            let class = against.population.class_of_pool[pool];
            beyond(pool, &mut |scenario, loss| {
                class.iter().for_each(|class| self.exceeded[*class as usize][scenario] += 1);
                self.exceeded[book][scenario] += 1;
                let shortfall = quanta(loss - threshold);
                self.shortfall[scenario] += shortfall;
                match is_single {
                    true => self.rank(scenario, shortfall),
                    false => of_account.push((scenario, shortfall)),
                }
            });
        }
        of_account.sort_unstable();
        for same in of_account.chunk_by(|a, b| a.0 == b.0) {
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
