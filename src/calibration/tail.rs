//! One sweep: the losses of every pool that some candidate could leave uncovered.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use rayon::prelude::*;

use super::job::Job;
use super::population::Population;
use super::threshold::lossy;
use crate::backtest::Losses;
use crate::domain::Snapshot;
use crate::engine::Progress;
use crate::error::Result;
use crate::margin::{Rules, Setting, revalue};
use crate::pricing::Column;
use crate::scenario::ScenarioSet;

/// Losses kept at most: 12 bytes each.
pub(super) const KEPT_MAX: u64 = 100_000_000;

/// What is swept.
#[derive(Clone, Copy)]
pub(super) struct Market<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) population: &'a Population,
    /// The rulebook as it was: losses do not depend on rules.
    pub(super) rules: &'a Rules,
    pub(super) job: &'a Job,
    pub(super) scenarios: &'a ScenarioSet,
    /// Whether a pool is counted: `[n_pools]`.
    pub(super) is_counted: &'a [bool],
}

/// Losses by pool, the largest first, down to a bound of each pool.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tails {
    bounds: Vec<f64>,
    /// Where each pool's losses start, and the number of all.
    starts: Vec<usize>,
    scenario: Vec<u32>,
    loss: Vec<f64>,
    /// Pools whose loss is observed: `[n_classes + 1][n_scenarios]`, the last of the whole book.
    pub(super) observed: Vec<Vec<u32>>,
    /// By outright portfolio: its loss under each scenario; `None` where its price is not quoted.
    pub(super) outrights: Vec<Vec<Option<f64>>>,
}

/// A sweep, or that more losses lie above the bounds than may be kept.
pub(super) enum Swept {
    Kept(Tails),
    TooMany,
}

/// Losses of one pool above its bound, with their scenarios.
pub(super) type Kept = Vec<(f64, u32)>;

impl Tails {
    /// Sweeps the scenarios. A loss is kept where it is above the bound of its pool (quote units, one for each pool).
    ///
    /// # Errors
    /// As [`revalue`].
    pub(super) fn sweep(market: &Market<'_>, bounds: Vec<f64>, progress: &dyn Progress) -> Result<Swept> {
        with_sweep(market, progress, |sweep| {
            let kept_count = AtomicU64::new(0);
            let of_pool = |index: usize| {
                if kept_count.load(Relaxed) > KEPT_MAX {
                    return Kept::new();
                }
                let kept = sweep.pool(index, bounds[index]);
                kept_count.fetch_add(kept.len() as u64, Relaxed);
                kept
            };
            let kept: Vec<Kept> = (0..market.snapshot.book.len()).into_par_iter().map(of_pool).collect();
            if kept_count.into_inner() > KEPT_MAX {
                return Swept::TooMany;
            }
            Swept::Kept(Self { outrights: sweep.outrights(), observed: sweep.observed(), ..Self::join(bounds, kept) })
        })
    }

    fn join(bounds: Vec<f64>, kept: Vec<Kept>) -> Self {
        let count = kept.iter().map(Vec::len).sum();
        let (mut scenario, mut loss) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut starts = Vec::with_capacity(kept.len() + 1);
        starts.push(0);
        for pool in kept {
            scenario.extend(pool.iter().map(|(_, scenario)| *scenario));
            loss.extend(pool.iter().map(|(loss, _)| *loss));
            starts.push(loss.len());
        }
        Self { bounds, starts, scenario, loss, observed: Vec::new(), outrights: Vec::new() }
    }

    /// Whether no threshold lies below the bound of its pool.
    pub(super) fn reach(&self, thresholds: &[f64]) -> bool {
        self.bounds.iter().zip(thresholds).all(|(bound, threshold)| threshold >= bound)
    }

    /// The bounds, lowered to thresholds that lie below.
    pub(super) fn lowered(&self, thresholds: &[f64]) -> Vec<f64> {
        self.bounds.iter().zip(thresholds).map(|(bound, threshold)| bound.min(*threshold)).collect()
    }

    /// Losses of a pool above a threshold (not below its bound), the largest first, and their scenarios.
    pub(super) fn beyond(&self, pool: usize, threshold: f64) -> impl Iterator<Item = (usize, f64)> {
        let kept = self.starts[pool]..self.starts[pool + 1];
        let pairs = self.scenario[kept.clone()].iter().zip(&self.loss[kept]);
        pairs.map(|(scenario, loss)| (*scenario as usize, *loss)).take_while(move |(_, loss)| *loss > threshold)
    }
}

/// A sweep on its way.
pub(super) struct Sweep<'a> {
    market: &'a Market<'a>,
    setting: Setting<'a>,
    losses: &'a Losses<'a>,
    missing: Missing,
    progress: &'a dyn Progress,
    done: AtomicU64,
}

/// Revalues the scenarios, and hands the sweep to `run`.
///
/// # Errors
/// As [`revalue`].
pub(super) fn with_sweep<T>(
    market: &Market<'_>,
    progress: &dyn Progress,
    run: impl FnOnce(&Sweep<'_>) -> T,
) -> Result<T> {
    let Market { snapshot, population, rules, job, scenarios, .. } = *market;
    let rows = revalue(rules, snapshot, scenarios, job.unshocked)?;
    let setting = Setting { snapshot, rules, rows: &rows };
    let losses = Losses::new(setting, scenarios);
    let missing = Missing::new(population, scenarios.len());
    Ok(run(&Sweep { market, setting, losses: &losses, missing, progress, done: AtomicU64::new(0) }))
}

impl Sweep<'_> {
    /// The losses of a pool above a bound, the largest first, of equals the first scenario. Asked once of each pool: what is not
    /// observed is counted on the way.
    pub(super) fn pool(&self, index: usize, bound: f64) -> Kept {
        let mut kept = Kept::new();
        if !self.market.is_counted[index] {
            return kept;
        }
        let book = &self.market.snapshot.book;
        let pool = lossy(&book.pool(index), self.market.job.resources);
        let equity = self.setting.raw_equity::<f64>(&pool, &(self.setting.rows, Column::Base));
        let class = self.market.population.class_of_pool[index];
        self.losses.each(&pool, equity, |scenario, loss| match loss {
            Some(loss) if loss > bound => kept.push((loss, scenario as u32)),
            Some(_) => {}
            None => self.missing.count(class, scenario),
        });
        kept.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let cells = (pool.positions.len() * self.market.scenarios.len()) as u64;
        let total = (book.position_count() * self.market.scenarios.len()) as u64;
        self.progress.advance(self.done.fetch_add(cells, Relaxed) + cells, total);
        kept
    }

    /// By outright portfolio: its loss under each scenario; `None` where its price is not quoted.
    pub(super) fn outrights(&self) -> Vec<Vec<Option<f64>>> {
        let population = self.market.population;
        let losses = population.outrights.par_iter().map(|outright| {
            let pool = population.pool(outright);
            let mut of_scenario = Vec::with_capacity(self.market.scenarios.len());
            let equity = self.setting.raw_equity::<f64>(&pool, &(self.setting.rows, Column::Base));
            self.losses.each(&pool, equity, |_, loss| of_scenario.push(loss));
            of_scenario
        });
        losses.collect()
    }

    /// Pools that are observed, by class and scenario, then of the whole book, once every pool has been asked.
    pub(super) fn observed(&self) -> Vec<Vec<u32>> {
        let mut counted = vec![0; self.missing.of.len()];
        let book = counted.len() - 1;
        let pools = self.market.population.class_of_pool.iter().zip(self.market.is_counted);
        for (class, _) in pools.filter(|(_, is_counted)| **is_counted) {
            class.iter().for_each(|class| counted[*class as usize] += 1);
            counted[book] += 1;
        }
        let of_class = |(missing, counted): (&Vec<AtomicU32>, u32)| {
            missing.iter().map(|missing| counted - missing.load(Relaxed)).collect()
        };
        self.missing.of.iter().zip(counted).map(of_class).collect()
    }
}

/// Pools that are not observed, by class and scenario, then of the whole book.
struct Missing {
    of: Vec<Vec<AtomicU32>>,
}

impl Missing {
    fn new(population: &Population, n_scenarios: usize) -> Self {
        let row = || (0..n_scenarios).map(|_| AtomicU32::new(0)).collect();
        Self { of: (0..=population.classes.len()).map(|_| row()).collect() }
    }

    fn count(&self, class: Option<u32>, scenario: usize) {
        let book = self.of.len() - 1;
        for row in class.map(|class| class as usize).into_iter().chain([book]) {
            self.of[row][scenario].fetch_add(1, Relaxed);
        }
    }
}
