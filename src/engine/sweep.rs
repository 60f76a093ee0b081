use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use rayon::prelude::*;

use super::arbiter::Arbiter;
use super::audit::audit;
use super::chunk::Chunk;
use super::greeks::attribute;
use super::guard::{check_atoms, check_counts, check_sizes, count_verdicts, too_large};
use super::hinge::{CornerTotals, SortedRows};
use super::job::{Job, Pairing};
use super::ledger::Witness;
use super::order::Order;
use super::outcome::{Audit, OptionRevaluation, Outcome, PoolOutcome, ScenarioOutcome, StageSeconds, State, Totals};
use super::plan::{DeviceLimits, Plan, PlanOptions, Revaluation};
use super::progress::Progress;
use super::tally::ScenarioTally;
use super::tile::Tiles;
use super::views::{ViewOutcome, ViewTally, add_extractable};
use super::{cpu, reference};
use crate::domain::{Kind, Snapshot};
use crate::error::{Error, Result};
use crate::margin::{Rulebook, Rules, Setting, revalue};
use crate::pricing::{Rows, Unshocked};
use crate::program::{Weights, row_ranges};
use crate::scenario::ScenarioSet;

/// Which engine evaluates the sweep. All of them publish the same decisions and figures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// The first hardware GPU, else the CPU engine.
    #[default]
    Auto,
    /// A GPU: the first hardware one, or the one named (a case-insensitive part of its name, or its index).
    Gpu(Option<String>),
    /// Several GPUs share the work: those named, or every hardware one where none is.
    Gpus(Vec<String>),
    /// The CPU engine.
    Cpu,
    /// The direct formulas, pool by pool.
    Reference,
}

/// What a caller may choose about a sweep.
#[derive(Debug, Clone)]
pub struct SweepOptions {
    /// Which engine.
    pub engine: EngineChoice,
    /// Worker threads; default one per core.
    pub threads: Option<usize>,
    /// How totals are formed; default exact on the CPU and reference engines, bounded on a GPU.
    pub totals: Option<Totals>,
    /// What to do with a held underlying without a factor.
    pub unshocked: Unshocked,
    /// Chunk and tile sizes; results do not depend on them.
    pub plan: PlanOptions,
    /// Where a device engine's option rows are priced; results do not depend on it.
    pub revaluation: Revaluation,
    /// Seed of the audit's sample.
    pub seed: u64,
}

impl Default for SweepOptions {
    fn default() -> Self {
        Self {
            engine: EngineChoice::default(),
            threads: None,
            totals: None,
            unshocked: Unshocked::Refuse,
            plan: PlanOptions::default(),
            revaluation: Revaluation::default(),
            seed: 0,
        }
    }
}

/// Evaluates every pool of the book under every scenario, certifies every decision and audits the run.
///
/// # Errors
/// [`Error::Refused`] where inputs do not fit together, [`Error::NoAdapter`] where a GPU was asked for and none may be
/// used, [`Error::Audit`] where a recomputed decision differs.
pub fn sweep(
    snapshot: &Snapshot,
    rulebook: &Rulebook,
    scenarios: &ScenarioSet,
    options: &SweepOptions,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let choose = || Runner::choose(&options.engine);
    on_threads(options.threads, || sweep_on(snapshot, rulebook, scenarios, options, progress, choose))?
}

/// Runs something on so many worker threads; by default one per core.
pub(crate) fn on_threads<T: Send>(threads: Option<usize>, run: impl FnOnce() -> T + Send) -> Result<T> {
    let Some(threads) = threads else { return Ok(run()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::Temporary(format!("cannot start {threads} threads: {error}")))?;
    Ok(pool.install(run))
}

/// The sweep on an engine of the caller's, which is opened once the inputs are known to fit together.
///
/// # Errors
/// As [`sweep`].
pub fn sweep_on(
    snapshot: &Snapshot,
    rulebook: &Rulebook,
    scenarios: &ScenarioSet,
    options: &SweepOptions,
    progress: &dyn Progress,
    open: impl FnOnce() -> Result<Runner>,
) -> Result<Outcome> {
    Ok(evaluate(snapshot, rulebook, (scenarios, Pairing::Single), options, progress, open)?.0)
}

/// One sweep, and the comparison of views where scenarios come in pairs.
pub(super) fn evaluate(
    snapshot: &Snapshot,
    rulebook: &Rulebook,
    (scenarios, pairing): (&ScenarioSet, Pairing),
    options: &SweepOptions,
    progress: &dyn Progress,
    open: impl FnOnce() -> Result<Runner>,
) -> Result<(Outcome, Vec<ViewOutcome>)> {
    let faults = scenarios.faults();
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let rules = Rules::resolve(rulebook, snapshot)?;
    check_atoms(snapshot)?;
    let clock = Instant::now();
    let total_weight = scenarios.weights.iter().sum();
    let order = Order::by_market(scenarios, pairing);
    let given = scenarios;
    let scenarios = &*order.apply(given);
    let rows = revalue(&rules, snapshot, scenarios, options.unshocked);
    // Faults name scenarios by the caller's rows.
    let rows = rows.or_else(|_| revalue(&rules, snapshot, given, options.unshocked))?;
    let ranges = row_ranges(&rows);
    let plan = Plan::for_cpu((snapshot.book.len(), scenarios.len()), options.plan);
    let tiles = Tiles::new(&rows, &ranges, plan);
    let sorted_rows = SortedRows::new(rows.len());
    let revalue_seconds = clock.elapsed().as_secs_f64();

    let runner = open()?;
    let setting = Setting { snapshot, rules: &rules, rows: &rows };
    let job = Job {
        setting,
        order: &order,
        scenarios,
        revaluation: options.revaluation,
        weights: &scenarios.weights,
        total_weight,
        ranges: &ranges,
        sorted_rows: &sorted_rows,
        tiles: &tiles,
        plan,
        options: options.plan,
        pairing,
        totals: options.totals.unwrap_or(runner.default_totals()),
        arch: pulp::Arch::new(),
        arbiter: Arbiter::new(setting),
    };
    let clock = Instant::now();
    let mut merge = Merge::new(&job, progress);
    let label = runner.run(&job, &mut merge)?;
    let sweep_seconds = clock.elapsed().as_secs_f64();
    let exact_verdicts = job.arbiter.exact_verdicts();

    let clock = Instant::now();
    let audit = audit(&job, scenarios, &merge.pools, &merge.witnesses, options.seed);
    let audit_seconds = clock.elapsed().as_secs_f64();
    check_audit(&audit)?;
    let scenario_outcomes = merge.scenarios(&job);
    check_counts(count_verdicts(&merge.pools), &scenario_outcomes)?;
    check_sizes(too_large(&snapshot.book, &merge.pools), &scenario_outcomes)?;
    let clock = Instant::now();
    let attributions = attribute(&job, &merge.pools, &scenario_outcomes);
    let greeks_seconds = clock.elapsed().as_secs_f64();
    let mut warnings = warnings_of(&rows);
    warnings.extend(label.warnings);
    add_extractable(&job, &mut merge.views);
    let pairs = (0..merge.views.len()).map(|pair| order.place(2 * pair) / 2);
    let views = pairs.map(|pair| merge.views[pair].outcome()).collect();
    let outcome = Outcome {
        engine: label.engine,
        adapter: label.adapter,
        device_limits: label.device_limits,
        revaluation: OptionRevaluation { option_rows: held_options(snapshot, &rows), ..label.revaluation },
        totals: job.totals,
        cells: snapshot.book.position_count() as u64 * scenarios.len() as u64,
        scenarios: scenario_outcomes,
        redecided_pools: merge.redecided_pools,
        unknown_pools: merge.pools.iter().filter(|pool| pool.state == State::Unknown).count() as u64,
        pools: merge.pools,
        exact_verdicts,
        audit,
        attributions,
        seconds: StageSeconds {
            revalue: revalue_seconds,
            sweep: sweep_seconds,
            audit: audit_seconds,
            greeks: greeks_seconds,
            ..StageSeconds::default()
        },
        warnings,
    };
    Ok((outcome, views))
}

/// What a reader should know about how the scenarios fit the book.
pub(super) fn warnings_of(rows: &Rows) -> Vec<String> {
    let still = rows.held_still.iter().map(|name| format!("{name} has no factor: held still"));
    let collateral = rows.unmoved_collateral.iter();
    let collateral = collateral.map(|name| format!("collateral {name} is moved by no factor: its price stands still"));
    let volatility = rows.unmoved_volatility.iter();
    let volatility = volatility.map(|name| format!("options on {name}: no column vol:{name} moves their volatility"));
    let ignored = rows.ignored_factors.iter().map(|factor| format!("factor {factor} names nothing held: ignored"));
    still.chain(collateral).chain(volatility).chain(ignored).collect()
}

/// Rows of held options.
pub(super) fn held_options(snapshot: &Snapshot, rows: &Rows) -> u64 {
    let options = (0u32..).zip(&snapshot.instruments).filter(|(_, instrument)| instrument.kind == Kind::Option);
    options.filter(|(index, _)| rows.of_instrument(*index).is_some()).count() as u64
}

/// A decision that differs fails the run.
pub(super) fn check_audit(audit: &Audit) -> Result<()> {
    let Audit { pools, verdicts, decisions_differ: differ, .. } = *audit;
    match differ {
        0 => Ok(()),
        _ => Err(Error::Audit(format!("{differ} of {verdicts} recomputed verdicts of {pools} pools differ"))),
    }
}

/// What a sweep ran on.
#[derive(Debug, Clone, Default)]
pub struct Label {
    /// `cpu`, `gpu`, `reference` or `gpu+cpu`.
    pub engine: String,
    /// Adapter, for a GPU.
    pub adapter: String,
    /// Limits of that device that the plan kept to.
    pub device_limits: Option<DeviceLimits>,
    /// Where option rows were priced.
    pub revaluation: OptionRevaluation,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// An engine, ready to run.
pub enum Runner {
    /// The CPU engine.
    Cpu,
    /// The direct formulas.
    Reference,
    /// Open devices, one or more.
    #[cfg(feature = "gpu")]
    Gpu(Vec<super::gpu::Gpu>),
    /// What a test wants to happen in place of an engine.
    #[cfg(test)]
    Test(TestRun),
}

/// An engine that a test makes up.
#[cfg(test)]
pub type TestRun = Box<dyn Fn(&Job<'_>, &mut Merge<'_>) -> Result<Label>>;

impl Runner {
    pub(super) fn choose(choice: &EngineChoice) -> Result<Self> {
        match choice {
            EngineChoice::Cpu => Ok(Self::Cpu),
            EngineChoice::Reference => Ok(Self::Reference),
            #[cfg(feature = "gpu")]
            EngineChoice::Auto => Ok(super::gpu::Gpu::open(None).map_or(Self::Cpu, |gpu| Self::Gpu(vec![gpu]))),
            #[cfg(feature = "gpu")]
            EngineChoice::Gpu(name) => Ok(Self::Gpu(vec![super::gpu::Gpu::open(name.as_deref())?])),
            #[cfg(feature = "gpu")]
            EngineChoice::Gpus(names) => Ok(Self::Gpu(super::gpu::Gpu::open_several(names)?)),
            #[cfg(not(feature = "gpu"))]
            EngineChoice::Auto => Ok(Self::Cpu),
            #[cfg(not(feature = "gpu"))]
            EngineChoice::Gpu(_) | EngineChoice::Gpus(_) => {
                Err(Error::NoAdapter("this build has no GPU engine".into()))
            }
        }
    }

    pub(super) fn default_totals(&self) -> Totals {
        match self {
            Self::Cpu | Self::Reference => Totals::Exact,
            #[cfg(feature = "gpu")]
            Self::Gpu(_) => Totals::Bounded,
            #[cfg(test)]
            Self::Test(_) => Totals::Bounded,
        }
    }

    pub(super) fn run(&self, job: &Job<'_>, merge: &mut Merge<'_>) -> Result<Label> {
        match self {
            Self::Cpu => {
                run_chunks(job, merge, 0..job.plan.n_pools, cpu::sweep_chunk);
                Ok(Label { engine: "cpu".into(), ..Label::default() })
            }
            Self::Reference => {
                run_chunks(job, merge, 0..job.plan.n_pools, reference::sweep_chunk);
                Ok(Label { engine: "reference".into(), ..Label::default() })
            }
            #[cfg(feature = "gpu")]
            Self::Gpu(gpus) => super::gpu::run(gpus, job, merge),
            #[cfg(test)]
            Self::Test(run) => run(job, merge),
        }
    }
}

/// Runs the chunks of some pools, the next ones to merge, over all threads and merges them in order.
pub fn run_chunks(
    job: &Job<'_>,
    merge: &mut Merge<'_>,
    pools: std::ops::Range<usize>,
    sweep_chunk: impl Fn(&Job<'_>, std::ops::Range<usize>) -> Chunk + Sync,
) {
    let first = pools.start;
    let rest = Plan { n_pools: pools.len(), ..job.plan };
    let order = Mutex::new((0, BTreeMap::new(), merge));
    // Chunks are handed out in ascending order, so that few wait here for their turn.
    (0..rest.chunk_count()).par_bridge().for_each(|index| {
        let pools = rest.chunk(index);
        let chunk = sweep_chunk(job, pools.start + first..pools.end + first);
        let mut order = order.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (next, waiting, merge) = &mut *order;
        waiting.insert(index, chunk);
        while let Some(chunk) = waiting.remove(next) {
            merge.add(job, chunk);
            *next += 1;
        }
    });
}

/// Adds chunks up, in book order.
pub struct Merge<'p> {
    /// Outcomes of the pools so far.
    pub pools: Vec<PoolOutcome>,
    /// The kernel's word on each of them.
    pub witnesses: Vec<Option<Witness>>,
    tally: Vec<ScenarioTally>,
    requirement: Vec<f64>,
    corners: CornerTotals,
    net: Vec<Weights>,
    views: Vec<ViewTally>,
    pub(super) redecided_pools: u64,
    cells_done: u64,
    progress: &'p dyn Progress,
}

impl<'p> Merge<'p> {
    pub(super) fn new(job: &Job<'_>, progress: &'p dyn Progress) -> Self {
        Self {
            pools: Vec::with_capacity(job.plan.n_pools),
            witnesses: Vec::with_capacity(job.plan.n_pools),
            tally: vec![ScenarioTally::default(); job.scenario_count()],
            requirement: vec![0.0; job.scenario_count()],
            corners: CornerTotals::default(),
            net: vec![Weights::default(); job.ranges.len() + 1],
            views: vec![ViewTally::default(); job.pair_count()],
            redecided_pools: 0,
            cells_done: 0,
            progress,
        }
    }

    /// Adds the next chunk.
    pub fn add(&mut self, job: &Job<'_>, chunk: Chunk) {
        let n_scenarios = job.scenario_count() as u64;
        for index in self.pools.len()..self.pools.len() + chunk.pools.len() {
            self.cells_done += job.pool(index).positions.len() as u64 * n_scenarios;
        }
        self.pools.extend(chunk.pools);
        self.witnesses.extend(chunk.witnesses);
        self.tally.iter_mut().zip(&chunk.tally).for_each(|(sum, part)| sum.add(part));
        self.requirement.iter_mut().zip(&chunk.requirement).for_each(|(sum, part)| *sum += part);
        self.corners.add(job, &chunk.corners);
        for (sum, part) in self.net.iter_mut().zip(&chunk.net) {
            sum.equity += part.equity;
            sum.requirement += part.requirement;
        }
        self.views.iter_mut().zip(&chunk.views).for_each(|(sum, part)| sum.add(part));
        self.redecided_pools += chunk.redecided_pools;
        self.progress.advance(self.cells_done, job.setting.snapshot.book.position_count() as u64 * n_scenarios);
    }

    /// The outcomes in the order of the caller's scenarios: equity and maintenance totals are the net program's value, plus kinks
    /// and nodes.
    pub(super) fn scenarios(&self, job: &Job<'_>) -> Vec<ScenarioOutcome> {
        let mut requirement = self.requirement.clone();
        self.corners.add_to(job, &mut requirement);
        let (constant, net) = self.net.split_last().map_or((Weights::default(), &[][..]), |(last, rest)| (*last, rest));
        let outcome = |place: usize| {
            let mut total = constant;
            for ((row, range), net) in job.ranges.iter().enumerate().zip(net) {
                let delta = job.setting.rows.shocked[[row, place]] - range.level;
                total.equity += net.equity * delta;
                total.requirement += net.requirement * delta;
            }
            self.tally[place].outcome(total.equity, total.requirement + requirement[place])
        };
        let by_place: Vec<ScenarioOutcome> = (0..job.scenario_count()).into_par_iter().map(outcome).collect();
        job.order.restore(&by_place)
    }
}
