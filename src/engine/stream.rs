//! A sweep whose book comes in segments: what a run needs of the whole book is a book that only shows what is held, and two
//! sizes. Answers are those of a sweep of the whole book, bit by bit, wherever an engine's own cut allows it.

use std::borrow::Cow;
use std::time::Instant;

use rayon::ThreadPool;

use super::arbiter::Arbiter;
use super::audit::{Auditor, Sample};
use super::greeks::{Attribution, Attributor, PART_POOLS, is_candidate};
use super::guard::{check_atoms, check_counts, check_sizes, count_verdicts, too_large};
use super::hinge::SortedRows;
use super::job::{Job, Pairing};
use super::merge::Merge;
use super::order::Order;
use super::outcome::{OptionRevaluation, Outcome, PoolOutcome, StageSeconds, Totals};
use super::plan::Plan;
use super::progress::Progress;
use super::sweep::{Label, Runner, SweepOptions, check_audit, held_options, install, start_threads, warnings_of};
use super::tile::Tiles;
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::margin::{MarginRows, Rulebook, Rules, Setting, revalue};
use crate::program::{RowRange, row_ranges};
use crate::scenario::ScenarioSet;

/// Size of a book that is never in memory as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookSize {
    /// Pools.
    pub pools: usize,
    /// Positions of all pools.
    pub positions: u64,
}

/// Everything that the segments of a book share: rules, rows, the cut, an open engine.
pub struct SegmentedSweep<'a> {
    sketch: &'a Snapshot,
    /// Which scenario stands at which place.
    order: Order,
    /// In that order.
    scenarios: Cow<'a, ScenarioSet>,
    total_weight: f64,
    options: &'a SweepOptions,
    size: BookSize,
    rules: Rules,
    rows: MarginRows,
    ranges: Vec<RowRange>,
    sorted_rows: SortedRows,
    tiles: Tiles,
    plan: Plan,
    totals: Totals,
    engine: Engine,
    threads: Option<ThreadPool>,
    revalue_seconds: f64,
}

impl<'a> SegmentedSweep<'a> {
    /// Prepares a sweep. The book of `sketch` holds something of everything that the whole book holds, long and short as it
    /// does, and orders everything that is ordered there, in one pool: in portfolio mode if any pool is, else cross; `size` is
    /// that of the whole book.
    ///
    /// # Errors
    /// As [`super::sweep`].
    pub fn new(
        sketch: &'a Snapshot,
        rulebook: &Rulebook,
        scenarios: &'a ScenarioSet,
        options: &'a SweepOptions,
        size: BookSize,
    ) -> Result<Self> {
        let threads = options.threads.map(start_threads).transpose()?;
        let sweep = install(threads.as_ref(), || Self::prepare(sketch, rulebook, scenarios, options, size))?;
        Ok(Self { threads, ..sweep })
    }

    fn prepare(
        sketch: &'a Snapshot,
        rulebook: &Rulebook,
        scenarios: &'a ScenarioSet,
        options: &'a SweepOptions,
        size: BookSize,
    ) -> Result<Self> {
        let faults = scenarios.faults();
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        let rules = Rules::resolve(rulebook, sketch)?;
        check_atoms(sketch)?;
        let clock = Instant::now();
        let order = Order::by_market(scenarios, Pairing::Single);
        let ordered = order.apply(scenarios);
        let rows = revalue(&rules, sketch, &ordered, options.unshocked);
        // Faults name scenarios by the caller's rows.
        let rows = rows.or_else(|_| revalue(&rules, sketch, scenarios, options.unshocked))?;
        let ranges = row_ranges(&rows);
        let plan = Plan::for_cpu((size.pools, scenarios.len()), options.plan);
        let tiles = Tiles::new(&rows, &ranges, plan);
        let revalue_seconds = clock.elapsed().as_secs_f64();
        let runner = Runner::choose(&options.engine)?;
        let totals = options.totals.unwrap_or(runner.default_totals());
        let engine = Engine::of(runner)?;
        Ok(Self {
            sketch,
            order,
            scenarios: ordered,
            total_weight: scenarios.weights.iter().sum(),
            options,
            size,
            rules,
            sorted_rows: SortedRows::new(rows.len()),
            rows,
            ranges,
            tiles,
            plan,
            totals,
            engine,
            threads: None,
            revalue_seconds,
        })
    }

    /// Pools per segment nearest above `wanted` with which every sum is formed in the order of a sweep of the whole book.
    pub fn segment_pools(&self, wanted: usize) -> usize {
        let (mut divisor, mut rest) = (self.plan.chunk_pools, PART_POOLS);
        while rest > 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        wanted.max(1).next_multiple_of(self.plan.chunk_pools / divisor * PART_POOLS)
    }

    /// Runs something on the threads that the caller of the sweep allows.
    pub fn install<T: Send>(&self, run: impl FnOnce() -> T + Send) -> T {
        install(self.threads.as_ref(), run)
    }

    /// A sweep of segments, none of which is in.
    pub fn start<'p>(&'p self, progress: &'p dyn Progress) -> Segments<'p> {
        let cells = self.cells();
        let sizes = (self.size.pools, self.scenarios.len());
        Segments {
            sweep: self,
            merge: Merge::new(&self.empty_job(), cells, progress),
            auditor: Auditor::new(Sample::draw(self.options.seed, sizes, cells)),
            next_pool: 0,
            verdicts: [0; 3],
            too_large: None,
            exact_verdicts: 0,
            label: None,
            is_device_lost: false,
            seconds: StageSeconds { revalue: self.revalue_seconds, ..StageSeconds::default() },
        }
    }

    /// The worst scenarios of these outcomes, to be taken apart.
    pub fn attribution(&self, outcome: &Outcome) -> SegmentedAttribution<'_> {
        let setting = Setting { snapshot: self.sketch, rules: &self.rules, rows: &self.rows };
        SegmentedAttribution {
            sweep: self,
            attributor: Attributor::new(&setting, &self.order, &self.scenarios, &outcome.scenarios),
        }
    }

    fn cells(&self) -> u64 {
        self.size.positions * self.scenarios.len() as u64
    }

    /// A job without pools.
    fn empty_job(&self) -> Job<'_> {
        Job { plan: Plan { n_pools: 0, ..self.plan }, ..self.job(self.sketch) }
    }

    fn job<'j>(&'j self, snapshot: &'j Snapshot) -> Job<'j> {
        let setting = Setting { snapshot, rules: &self.rules, rows: &self.rows };
        Job {
            setting,
            order: &self.order,
            scenarios: &self.scenarios,
            revaluation: self.options.revaluation,
            weights: &self.scenarios.weights,
            total_weight: self.total_weight,
            ranges: &self.ranges,
            sorted_rows: &self.sorted_rows,
            tiles: &self.tiles,
            plan: Plan { n_pools: snapshot.book.len(), ..self.plan },
            options: self.options.plan,
            pairing: Pairing::Single,
            totals: self.totals,
            arch: pulp::Arch::new(),
            arbiter: Arbiter::new(setting),
        }
    }
}

/// An open engine that threads may share.
enum Engine {
    Cpu,
    Reference,
    #[cfg(feature = "gpu")]
    Gpu(Vec<super::gpu::Gpu>),
}

impl Engine {
    fn of(runner: Runner) -> Result<Self> {
        match runner {
            Runner::Cpu => Ok(Self::Cpu),
            Runner::Reference => Ok(Self::Reference),
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) => Ok(Self::Gpu(gpu)),
            #[cfg(test)]
            Runner::Test(_) => Err(Error::Bug("a made-up engine takes no segments".into())),
        }
    }

    fn run(&self, job: &Job<'_>, merge: &mut Merge<'_>) -> Result<Label> {
        match self {
            Self::Cpu => Runner::Cpu.run(job, merge),
            Self::Reference => Runner::Reference.run(job, merge),
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => super::gpu::run(gpu, job, merge),
        }
    }
}

/// Segments of a book, swept one after the other.
pub struct Segments<'p> {
    sweep: &'p SegmentedSweep<'p>,
    merge: Merge<'p>,
    auditor: Auditor,
    next_pool: usize,
    verdicts: [u64; 3],
    too_large: Option<String>,
    exact_verdicts: u64,
    label: Option<Label>,
    /// No device is left: the CPU engine goes on.
    is_device_lost: bool,
    seconds: StageSeconds,
}

impl Segments<'_> {
    /// Sweeps and audits the next pools; every segment but the last has [`SegmentedSweep::segment_pools`] of them. Their
    /// outcomes, in order.
    ///
    /// # Errors
    /// [`Error::Audit`] where a device answers wrongly.
    pub fn sweep(&mut self, segment: &Snapshot) -> Result<Vec<PoolOutcome>> {
        let job = self.sweep.job(segment);
        let clock = Instant::now();
        let engine = if self.is_device_lost { &Engine::Cpu } else { &self.sweep.engine };
        let label = self.sweep.install(|| engine.run(&job, &mut self.merge))?;
        self.is_device_lost |= label.engine == "gpu+cpu";
        self.exact_verdicts += job.arbiter.exact_verdicts();
        self.seconds.sweep += clock.elapsed().as_secs_f64();
        self.label = Some(match self.label.take() {
            Some(before) => joined(before, label),
            None => label,
        });
        let (pools, witnesses) = (std::mem::take(&mut self.merge.pools), std::mem::take(&mut self.merge.witnesses));
        let clock = Instant::now();
        self.sweep.install(|| self.auditor.add(&job, self.next_pool, &pools, &witnesses));
        self.seconds.audit += clock.elapsed().as_secs_f64();
        let verdicts = count_verdicts(&pools);
        self.verdicts = [0, 1, 2].map(|k| self.verdicts[k] + verdicts[k]);
        self.too_large = self.too_large.take().or_else(|| too_large(&segment.book, &pools));
        self.next_pool += pools.len();
        Ok(pools)
    }

    /// What was found in all, without the pools' outcomes and attributions.
    ///
    /// # Errors
    /// As [`super::sweep`]; [`Error::Temporary`] where the segments are not the book that was announced.
    pub fn finish(mut self) -> Result<Outcome> {
        let sweep = self.sweep;
        if self.next_pool != sweep.size.pools {
            let (swept, announced) = (self.next_pool, sweep.size.pools);
            return Err(Error::Temporary(format!("{swept} pools were read, not {announced}: the tables have changed")));
        }
        let job = sweep.job(sweep.sketch);
        let mut seconds = self.seconds;
        let clock = Instant::now();
        let audit = sweep.install(|| self.auditor.finish(&job.setting, &sweep.scenarios));
        seconds.audit += clock.elapsed().as_secs_f64();
        check_audit(&audit)?;
        let scenarios = sweep.install(|| self.merge.scenarios(&job));
        check_counts(self.verdicts, &scenarios)?;
        check_sizes(self.too_large, &scenarios)?;
        let label = match self.label {
            Some(label) => label,
            // A book without pools has no segments.
            None => sweep.install(|| sweep.engine.run(&sweep.empty_job(), &mut self.merge))?,
        };
        let mut warnings = warnings_of(&sweep.rows);
        warnings.extend(label.warnings);
        Ok(Outcome {
            engine: label.engine,
            adapter: label.adapter,
            device_limits: label.device_limits,
            revaluation: OptionRevaluation {
                option_rows: held_options(sweep.sketch, &sweep.rows),
                ..label.revaluation
            },
            totals: sweep.totals,
            pools: Vec::new(),
            scenarios,
            cells: sweep.cells(),
            redecided_pools: self.merge.redecided_pools,
            exact_verdicts: self.exact_verdicts,
            unknown_pools: 0,
            audit,
            attributions: Vec::new(),
            seconds,
            warnings,
        })
    }
}

/// What two segments ran on: a device that was lost in one of them shows.
fn joined(before: Label, label: Label) -> Label {
    let is_same = before.engine == label.engine;
    let engine = if is_same { label.engine } else { "gpu+cpu".into() };
    let mut warnings = before.warnings;
    warnings.extend(label.warnings.into_iter().filter(|warning| !warnings.contains(warning)).collect::<Vec<_>>());
    let adapter = if before.adapter.is_empty() { label.adapter } else { before.adapter };
    let device_limits = before.device_limits.or(label.device_limits);
    Label { engine, adapter, device_limits, revaluation: before.revaluation, warnings }
}

/// The worst scenarios, taken apart as candidates come by.
pub struct SegmentedAttribution<'p> {
    sweep: &'p SegmentedSweep<'p>,
    attributor: Attributor,
}

impl SegmentedAttribution<'_> {
    /// Whether a pool has to be added.
    pub fn wants(pool: &PoolOutcome) -> bool {
        is_candidate(pool)
    }

    /// Whether there is nothing to take apart.
    pub fn is_empty(&self) -> bool {
        self.attributor.sums.is_empty()
    }

    /// Adds pools, in book order: the place of each in the whole book, and its index in the book of `snapshot`.
    pub fn add(&mut self, snapshot: &Snapshot, candidates: &[(usize, usize)]) {
        let job = self.sweep.job(snapshot);
        self.sweep.install(|| self.attributor.add(&job, candidates));
    }

    /// The pools that lose most, so far: their places in the whole book.
    pub fn losers(&self) -> impl Iterator<Item = usize> {
        self.attributor.sums.iter().flat_map(|of| of.losers.iter().map(|loser| loser.pool as usize))
    }

    /// The scenarios in their order.
    pub fn finish(self) -> Vec<Attribution> {
        self.attributor.sums
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::engine::EngineChoice;
    use crate::engine::books;
    use crate::margin::{HaircutBase, SizeUnit};

    impl Progress for Mutex<Vec<(u64, u64)>> {
        fn advance(&self, done: u64, total: u64) {
            self.lock().expect("a list").push((done, total));
        }
    }

    #[test]
    fn progress_is_told_of_the_whole_book() {
        let case = books::random(50, 20, 7, HaircutBase::BalanceAndPnl, SizeUnit::Asset);
        let book = &case.snapshot.book;
        let options = SweepOptions { engine: EngineChoice::Cpu, threads: Some(2), ..SweepOptions::default() };
        let size = BookSize { pools: 2 * book.len(), positions: 2 * book.position_count() as u64 };
        let sweep = SegmentedSweep::new(&case.snapshot, &case.rulebook, &case.scenarios, &options, size);
        let (sweep, told) = (sweep.expect("a sweep"), Mutex::new(Vec::new()));
        let mut segments = sweep.start(&told);
        for _ in 0..2 {
            segments.sweep(&case.snapshot).expect("a segment");
        }
        let outcome = segments.finish().expect("an outcome");
        let told = told.into_inner().expect("a list");
        assert!(told.iter().all(|(_, total)| *total == outcome.cells), "{told:?} {}", outcome.cells);
        assert_eq!(told.last(), Some(&(outcome.cells, outcome.cells)));
    }

    #[test]
    fn after_a_lost_device_the_cpu_engine_goes_on() {
        let case = books::random(50, 20, 7, HaircutBase::BalanceAndPnl, SizeUnit::Asset);
        let options = SweepOptions { engine: EngineChoice::Reference, ..SweepOptions::default() };
        let size = BookSize { pools: case.snapshot.book.len(), positions: case.snapshot.book.position_count() as u64 };
        let sweep = SegmentedSweep::new(&case.snapshot, &case.rulebook, &case.scenarios, &options, size);
        let sweep = sweep.expect("a sweep");
        let mut segments = sweep.start(&());
        segments.is_device_lost = true;
        segments.sweep(&case.snapshot).expect("a segment");
        assert_eq!(segments.finish().expect("an outcome").engine, "cpu");
    }
}
