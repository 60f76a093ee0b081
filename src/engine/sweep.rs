use std::time::Instant;

use rayon::ThreadPool;

use super::arbiter::Arbiter;
use super::audit::audit;
use super::greeks::attribute;
use super::guard::{check_atoms, check_counts, check_sizes, count_verdicts, too_large};
use super::hinge::SortedRows;
use super::job::{Job, Pairing};
use super::merge::{Merge, run_chunks};
use super::order::Order;
use super::outcome::{Audit, OptionRevaluation, Outcome, StageSeconds, State, Totals};
use super::plan::{DeviceLimits, Plan, PlanOptions, Revaluation};
use super::progress::Progress;
use super::tile::Tiles;
use super::views::{ViewOutcome, add_extractable};
use super::{cpu, reference};
use crate::domain::{Kind, Snapshot};
use crate::error::{Error, Result};
use crate::margin::{Rulebook, Rules, Setting, revalue};
use crate::pricing::{Rows, Unshocked};
use crate::program::row_ranges;
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
    Ok(install(threads.map(start_threads).transpose()?.as_ref(), run))
}

/// So many worker threads.
pub(super) fn start_threads(threads: usize) -> Result<ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::Temporary(format!("cannot start {threads} threads: {error}")))
}

/// Runs something on these threads; by default on one per core.
pub(super) fn install<T: Send>(threads: Option<&ThreadPool>, run: impl FnOnce() -> T + Send) -> T {
    match threads {
        Some(threads) => threads.install(run),
        None => run(),
    }
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
    let cells = snapshot.book.position_count() as u64 * scenarios.len() as u64;
    let mut merge = Merge::new(&job, cells, progress);
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
        cells,
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
