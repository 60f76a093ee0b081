//! Two views of one market, side by side: prices as the exchange sees them, which decide, and as they are, at which losses are made.
//!
//! A paired scenario set ([`ScenarioSet::seen_and_true`]) holds every scenario twice, as seen on even places and as it is on odd
//! ones, so that a block of verdicts holds whole pairs.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::block::Block;
use super::job::{Job, Pairing};
use super::outcome::Outcome;
use super::progress::Progress;
use super::sweep::{EngineChoice, Runner, SweepOptions, evaluate, on_threads};
use super::tally::{QUANTUM, quanta};
use super::verdicts::{Verdicts, lanes};
use crate::domain::{Pool, Snapshot};
use crate::error::{Error, Result};
use crate::margin::{Rulebook, Setting};
use crate::number::{Lanes, Number};
use crate::scenario::ScenarioSet;

/// Lanes of the seen markets in a block.
const SEEN: u32 = 0x5555_5555;

/// What a scenario adds up to over pools where decisions are made on seen prices; amounts in quanta.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ViewTally {
    wrongful_pools: u64,
    wrongful_notional: i128,
    missed_pools: u64,
    missed_notional: i128,
    late_pools: u64,
    late_shortfall: i128,
    extractable: i128,
}

impl ViewTally {
    /// Adds another tally of the same scenario.
    pub fn add(&mut self, other: &Self) {
        self.wrongful_pools += other.wrongful_pools;
        self.wrongful_notional += other.wrongful_notional;
        self.missed_pools += other.missed_pools;
        self.missed_notional += other.missed_notional;
        self.late_pools += other.late_pools;
        self.late_shortfall += other.late_shortfall;
        self.extractable += other.extractable;
    }

    /// The published form.
    pub fn outcome(&self) -> ViewOutcome {
        let amount = |quanta: i128| quanta as f64 * QUANTUM;
        ViewOutcome {
            wrongful_pools: self.wrongful_pools,
            wrongful_notional: amount(self.wrongful_notional),
            missed_pools: self.missed_pools,
            missed_notional: amount(self.missed_notional),
            late_pools: self.late_pools,
            late_shortfall: amount(self.late_shortfall),
            extractable: amount(self.extractable),
        }
    }
}

/// What deciding on seen prices does in one scenario, over all pools. Notionals, shortfalls and equities are at true prices, quote
/// units, canonical, rounded to quanta before they are summed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ViewOutcome {
    /// Pools that are liquidatable as seen and not in truth.
    pub wrongful_pools: u64,
    /// Their gross notional.
    pub wrongful_notional: f64,
    /// Pools that are liquidatable in truth and not as seen.
    pub missed_pools: u64,
    /// Their gross notional.
    pub missed_notional: f64,
    /// Pools that are bankrupt in truth while nobody sees them as liquidatable.
    pub late_pools: u64,
    /// Σ max(0, −equity) of those.
    pub late_shortfall: f64,
    /// Σ max(0, F − max(0, equity)), F = adjusted equity − initial margin as seen where positive: what withdrawals that the seen
    /// prices allow could take beyond what the pools have.
    pub extractable: f64,
}

/// Evaluates every scenario twice, on the prices that the exchange sees and on the true ones, and compares: the outcome of the
/// paired set (its scenarios as seen on even places, in truth on odd ones), and one comparison for each scenario of `scenarios`.
/// The CPU engine does it, unless the reference is asked for.
///
/// # Errors
/// As [`super::sweep()`]; [`Error::NoAdapter`] where a GPU was asked for, which counts verdicts without showing them.
pub fn sweep_views(
    snapshot: &Snapshot,
    rulebook: &Rulebook,
    scenarios: &ScenarioSet,
    options: &SweepOptions,
    progress: &dyn Progress,
) -> Result<(Outcome, Vec<ViewOutcome>)> {
    let faults = scenarios.faults();
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let paired = (&scenarios.seen_and_true(), Pairing::SeenAndTrue);
    let open = || match options.engine {
        EngineChoice::Auto | EngineChoice::Cpu => Ok(Runner::Cpu),
        EngineChoice::Reference => Ok(Runner::Reference),
        EngineChoice::Gpu(_) | EngineChoice::Gpus(_) => {
            Err(Error::NoAdapter("seen and true prices are compared by the CPU engine: use --engine cpu".into()))
        }
    };
    on_threads(options.threads, || evaluate(snapshot, rulebook, paired, options, progress, open))?
}

/// Compares the verdicts of a pool on a block, pair by pair.
pub fn compare(job: &Job<'_>, pool: &Pool<'_>, (first, verdicts): (usize, Verdicts), views: &mut [ViewTally]) {
    if views.is_empty() {
        return;
    }
    let seen = verdicts.liquidatable & SEEN;
    let real = verdicts.liquidatable >> 1 & SEEN;
    let (wrongful, missed) = (seen & !real, real & !seen);
    let late = verdicts.bankrupt >> 1 & SEEN & !seen;
    if wrongful | missed != 0 {
        let notional = job.canonical_notional(pool, first);
        for lane in lanes(wrongful) {
            let view = &mut views[(first + lane) / 2];
            view.wrongful_pools += 1;
            view.wrongful_notional += quanta(notional.0[lane + 1]);
        }
        for lane in lanes(missed) {
            let view = &mut views[(first + lane) / 2];
            view.missed_pools += 1;
            view.missed_notional += quanta(notional.0[lane + 1]);
        }
    }
    if late != 0 {
        let equity = job.canonical_equity(pool, first);
        for lane in lanes(late) {
            let view = &mut views[(first + lane) / 2];
            view.late_pools += 1;
            view.late_shortfall += quanta((-equity.0[lane + 1]).max(0.0));
        }
    }
}

/// Adds what could be withdrawn beyond equity, over all pools, where the two views of a pair differ.
pub fn add_extractable(job: &Job<'_>, views: &mut [ViewTally]) {
    let columns = 0..job.scenarios.factors.len();
    let shock = |scenario, column| job.scenarios.shock(scenario, column);
    let differs = |pair| columns.clone().any(|column| shock(2 * pair, column) != shock(2 * pair + 1, column));
    let differing: Vec<bool> = (0..views.len()).map(differs).collect();
    if !differing.contains(&true) {
        return;
    }
    let pools = 0..job.setting.snapshot.book.len();
    let sums = pools
        .into_par_iter()
        .fold(
            || vec![0i128; views.len()],
            |mut sums, index| {
                add_pool(job, &job.pool(index), &differing, &mut sums);
                sums
            },
        )
        .reduce(
            || vec![0; views.len()],
            |mut sums, part| {
                sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
                sums
            },
        );
    views.iter_mut().zip(sums).for_each(|(view, sum)| view.extractable += sum);
}

fn add_pool(job: &Job<'_>, pool: &Pool<'_>, differing: &[bool], sums: &mut [i128]) {
    if pool.unknown {
        return;
    }
    for block in job.tiles.blocks() {
        let pairs = block.first() / 2..(block.first() + block.len()) / 2;
        if !differing[pairs.clone()].contains(&true) {
            continue;
        }
        let market = Block { tiles: job.tiles, first: block.first() };
        let free = job.arch.dispatch(Free { setting: job.setting, pool, market });
        for (lane, pair) in (0..).step_by(2).zip(pairs) {
            let seen = free.withdrawable.0[lane];
            if seen > 0.0 && differing[pair] {
                sums[pair] += quanta((seen - free.equity.0[lane + 1].max(0.0)).max(0.0));
            }
        }
    }
}

/// What a pool may withdraw, and what it has, under a block of scenarios.
struct FreeLanes {
    /// Adjusted equity − initial margin.
    withdrawable: Lanes,
    /// Raw equity.
    equity: Lanes,
}

/// Evaluates [`FreeLanes`] for the widest vectors.
struct Free<'p, 'a> {
    setting: Setting<'a>,
    pool: &'p Pool<'p>,
    market: Block<'a>,
}

impl WithSimd for Free<'_, '_> {
    type Output = FreeLanes;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> FreeLanes {
        let Self { setting, pool, market } = self;
        let equity = setting.equity::<Lanes>(pool, &market);
        let required = setting.requirement::<Lanes>(pool, &market);
        let initial = required.initial.larger(&required.maintenance);
        FreeLanes { withdrawable: equity.adjusted.minus(&initial), equity: equity.raw }
    }
}
