//! What is broken on purpose, and what must then happen. Every test runs on an adapter of this machine, software or not.

#![expect(clippy::print_stdout, reason = "which adapter was tested is said with --nocapture")]

use std::cell::RefCell;
use std::rc::Rc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::check::{Void, verify};
use super::chunk::Prepared;
use super::panels::PanelRows;
use super::submission::Readback;
use super::worker::resize;
use super::*;
use crate::domain::{Asset, Balance, BookBuilder, Kind, Position, Side};
use crate::engine::books::{self, Case};
use crate::engine::outcome::{Outcome, PoolOutcome, Totals};
use crate::engine::plan::{DevicePlan, PlanOptions};
use crate::engine::sweep::{EngineChoice, Runner, SweepOptions, TestRun, sweep, sweep_on};
use crate::engine::{digest, plan};
use crate::error::Error;
use crate::margin::{HaircutBase, SizeUnit};
use crate::program::{Builder, Instruction, Reduction, RowRange, Weights};
use fault::Fault;

mod long_programs;
#[path = "../../../tests/suite/option_books.rs"]
mod option_books;
mod several;

/// The adapter these tests run on: a hardware one where there is one. `None` only where the environment says that a
/// machine without any is meant.
fn adapter() -> Option<wgpu::Adapter> {
    let adapter = adapters().into_iter().next();
    match &adapter {
        Some(adapter) => println!("GPU tests ran on {}", AdapterSummary::of(&adapter.get_info())),
        None => {
            let meant = std::env::var("PLIMSOLL_TEST_WITHOUT_GPU").is_ok_and(|value| value == "1");
            assert!(meant, "no adapter; install one (mesa-vulkan-drivers), or set PLIMSOLL_TEST_WITHOUT_GPU=1");
            println!("NOT TESTED, no adapter: what a GPU computes, its checks, corrupted rows, lost devices, probes");
        }
    }
    adapter
}

fn open(adapter: &wgpu::Adapter) -> Device {
    Device::open(adapter, Checks::Trusted).expect("the device opens")
}

fn broken(adapter: &wgpu::Adapter, fault: Fault) -> Device {
    let mut device = open(adapter);
    device.fault = fault;
    device
}

fn random(n_pools: usize, n_scenarios: usize) -> Case {
    books::random(n_pools, n_scenarios, 11, HaircutBase::BalanceAndPnl, SizeUnit::Asset)
}

/// The same pools without options. Rows that only nodes read (requirements of groups of options) are in no sum that the
/// device is checked by.
fn random_without_options(n_pools: usize, n_scenarios: usize) -> Case {
    let mut case = random(n_pools, n_scenarios);
    let mut builder = BookBuilder::default();
    for pool in case.snapshot.book.pools() {
        let id = builder.pool(pool.account, pool.pool);
        pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
        let contracts = pool
            .positions
            .iter()
            .filter(|position| case.snapshot.instruments[position.instrument as usize].kind != Kind::Option);
        contracts.for_each(|position| builder.add_position(id, *position));
        *builder.settings(id) = pool.settings.clone();
    }
    case.snapshot.book = builder.build();
    case
}

/// Sweeps a case in chunks of 64 pools on an engine that the test makes up.
fn sweep_by(case: &Case, run: TestRun) -> Result<Outcome> {
    let plan = PlanOptions { chunk_pools: Some(64), tile_scenarios: None };
    let options = SweepOptions { plan, ..SweepOptions::default() };
    sweep_on(&case.snapshot, &case.rulebook, &case.scenarios, &options, &(), || Ok(Runner::Test(run)))
}

/// Sweeps a case on a device, and on another one where that is lost.
fn sweep_on_device(case: &Case, device: Device, other: impl Fn() -> Result<Device> + 'static) -> Result<Outcome> {
    let device = Arc::new(device);
    sweep_by(case, Box::new(move |job, merge| run_on(only(&device, &other), Filter::Certified, job, merge)))
}

/// One device, and how to get another one.
fn only<'s>(device: &Arc<Device>, other: impl FnOnce() -> Result<Device> + 's) -> Vec<Source<'s>> {
    vec![Source { device: Arc::clone(device), reopen: Box::new(other) }]
}

fn sweep_plainly(case: &Case, engine: EngineChoice) -> Outcome {
    let options = SweepOptions { engine, ..SweepOptions::default() };
    sweep(&case.snapshot, &case.rulebook, &case.scenarios, &options, &()).expect("the sweep succeeds")
}

fn digest_of(outcome: &Outcome) -> String {
    digest(&outcome.pools, &outcome.scenarios)
}

/// Same decisions and figures, and totals within their bounds.
fn assert_same(outcome: &Outcome, expected: &Outcome) {
    assert_eq!(digest_of(outcome), digest_of(expected));
    for (index, (a, b)) in outcome.scenarios.iter().zip(&expected.scenarios).enumerate() {
        let allowed = a.shortfall_bound + b.shortfall_bound;
        assert!((a.shortfall - b.shortfall).abs() <= allowed, "shortfall of scenario {index}: {a:?} {b:?}");
        let (a, b) = (a.liquidatable_notional, b.liquidatable_notional);
        assert!((a - b).abs() <= 1e-6 * (a + b + 1.0), "notional of scenario {index}: {a} {b}");
    }
}

/// Everything of one chunk that holds all pools of the job, on one panel.
struct Chunk {
    canaries: Canaries,
    prepared: Prepared,
    panels: Vec<PanelRows>,
}

impl Chunk {
    fn new(job: &Job<'_>, device: &Device) -> Self {
        let sizes = (job.plan.n_pools, job.scenario_count(), job.ranges.len());
        let plan = DevicePlan::new(sizes, device.limits, PlanOptions::default(), 4, RESULT_BYTES).expect("a plan");
        let canaries = Canaries::new(job, plan::DEVICE_TILE_SCENARIOS).expect("a row moves");
        let none = vec![None; job.ranges.len()];
        let facts = pack::RowFacts { ranges: job.ranges, errors: &none };
        let prepared = Prepared::new(job, 0..job.plan.n_pools, &canaries, (facts, Filter::Certified));
        Self { prepared, panels: PanelRows::all(job, &plan), canaries }
    }

    fn run(&self, device: &Device) -> Readback {
        let rows = &self.panels[0];
        let panel = device.upload_panel(&rows.data, rows.row_count(), rows.scenario_count);
        device.wait(device.submit(&self.prepared.packed, &panel)).expect("a readback")
    }

    fn verify(&self, job: &Job<'_>, readback: &Readback) -> Result<(), Void> {
        verify(&self.prepared, readback, &self.panels[0], (&self.canaries, job.order))
    }
}

/// Looks at a job and then leaves the work to the CPU engine.
fn with_job(case: &Case, look: impl Fn(&Job<'_>) + 'static) {
    let run = move |job: &Job<'_>, merge: &mut Merge<'_>| {
        look(job);
        run_chunks(job, merge, 0..job.plan.n_pools, cpu::sweep_chunk);
        Ok(Label::default())
    };
    sweep_by(case, Box::new(run)).expect("the sweep succeeds");
}

#[test]
fn a_kernel_that_never_runs_is_refused_to_the_last_verdict() {
    let case = random(100, 300);
    with_job(&case, |job| {
        let device = Device::noop().expect("the no-op device");
        let chunk = Chunk::new(job, &device);
        let verdicts = chunk.prepared.packed.pools.len() as u64 * 300;
        assert_eq!(chunk.verify(job, &chunk.run(&device)), Err(Void::NotComputed { verdicts }));
        println!("{verdicts} verdicts refused");
    });
}

#[test]
fn a_kernel_that_never_runs_leaves_the_sweep_to_the_cpu() {
    let case = random(100, 300);
    let expected = sweep_plainly(&case, EngineChoice::Cpu);
    let noop = || Device::noop();
    let outcome = sweep_on_device(&case, noop().expect("the no-op device"), noop).expect("the sweep succeeds");
    println!("{:?}", outcome.warnings);
    assert_eq!(outcome.engine, "gpu+cpu");
    assert!(outcome.warnings.iter().any(|warning| warning.ends_with("the CPU engine went on")));
    assert_same(&outcome, &expected);
}

#[test]
fn a_sound_device_agrees_with_the_reference() {
    let Some(adapter) = adapter() else { return };
    let case = random(200, 300);
    let expected = sweep_plainly(&case, EngineChoice::Reference);
    let device = open(&adapter);
    let outcome = sweep_on_device(&case, device, || panic!("lost")).expect("the sweep succeeds");
    assert_eq!((outcome.engine.as_str(), outcome.warnings.len()), ("gpu", 0));
    assert_same(&outcome, &expected);
}

#[test]
fn a_corrupted_row_that_pools_sum_is_an_audit_failure_whichever_it_is() {
    let Some(adapter) = adapter() else { return };
    let case = random_without_options(100, 300);
    let moving = Rc::new(RefCell::new(Vec::new()));
    let rows = Rc::clone(&moving);
    // An inverse contract on its own coin is worth the same at every price: its row holds rounding, nothing to corrupt.
    let moves = |range: &RowRange| range.delta_largest() > 1e-9 * range.value_largest();
    // What only nodes read is outside these sums (`NUMERICS.md` §6): the audit's sample sees it.
    with_job(&case, move |job| {
        let program = job.compile(0..job.setting.snapshot.book.len());
        let is_summed = |k: usize| program.terms.iter().any(|term| term.row as usize == k);
        *rows.borrow_mut() = (0..job.ranges.len()).filter(|&k| moves(&job.ranges[k]) && is_summed(k)).collect();
    });
    let moving = moving.take();
    let mut missed = Vec::new();
    for (&row, factor) in moving.iter().zip([1.05, -1.0, 0.0].into_iter().cycle()) {
        let lost = || Err(Error::Bug("the device was not lost".into()));
        match sweep_on_device(&case, broken(&adapter, Fault::scaled_row(row, factor)), lost) {
            // By the checks of the device, which see every pool, not by the audit's sample.
            Err(error) if error.to_string().contains("canary") || error.to_string().contains("Σ over") => {
                assert_eq!(error.exit_code(), 4);
            }
            other => missed.push((row, factor, other.map(|outcome| outcome.engine))),
        }
    }
    println!("{} of {} corrupted rows noticed", moving.len() - missed.len(), moving.len());
    assert!(moving.len() > 25 && missed.is_empty(), "{missed:?}");
}

/// Pools of random reductions over neighbouring rows.
fn reductions(job: &Job<'_>) -> crate::program::Program {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut builder = Builder::new(job.ranges);
    let required = Weights { initial: -1.5, maintenance: -1.0, requirement: 1.0, ..Weights::default() };
    for _ in 0..150 {
        let points = random.random_range(1..7u32);
        let first = random.random_range(0..job.ranges.len() as u32 - points);
        let rows = &job.ranges[first as usize..][..points as usize];
        let size = rows.iter().map(RowRange::delta_largest).fold(1.0, f64::max);
        for (half, reduction) in [Reduction::Max, Reduction::Min].into_iter().enumerate() {
            builder.emit(Instruction::Repeat { points });
            for coefficient in [random.random_range(-1.0..1.0), random.random_range(-1.0..1.0)] {
                builder.emit(Instruction::Constant(0.1 * half as f64 * size));
                builder.emit(Instruction::StridedTerm { row: first, coefficient });
                builder.emit(Instruction::Term { row: first, coefficient: 0.3 * coefficient });
            }
            builder.emit(if half == 0 { Instruction::Max } else { Instruction::Add });
            builder.emit(Instruction::Reduce(reduction));
        }
        builder.emit(Instruction::Add);
        builder.emit(Instruction::Fold(required));
        builder.constant(random.random_range(-0.2..0.5) * size, Weights::VALUE);
        builder.finish_pool();
    }
    builder.build()
}

#[test]
fn reductions_on_a_device_decide_as_on_the_host() {
    let Some(adapter) = adapter() else { return };
    let case = random_without_options(100, 300);
    with_job(&case, move |job| {
        let device = open(&adapter);
        let chunk = Chunk::new(job, &device);
        let none = vec![None; job.ranges.len()];
        let facts = pack::RowFacts { ranges: job.ranges, errors: &none };
        let program = reductions(job);
        let mut packed = pack::Packed::default();
        let places: Vec<bool> =
            (0..program.pools.len()).map(|k| packed.push(program.parts(k), facts, Filter::Certified)).collect();
        assert!(places.iter().all(|on_device| *on_device));
        let rows = &chunk.panels[0];
        let panel = device.upload_panel(&rows.data, rows.row_count(), rows.scenario_count);
        let readback = device.wait(device.submit(&packed, &panel)).expect("a readback");
        let mut decider = cpu::Decider::new(job);
        let (mut certain, mut decided, mut below) = (0, 0, 0);
        for k in 0..program.pools.len() {
            for tile in 0..rows.tile_count() {
                let answer = readback.pool_tiles[k * rows.tile_count() + tile];
                let start = tile * plan::DEVICE_TILE_SCENARIOS;
                let blocks = (start..start + rows.tile_len(tile)).step_by(plan::SCENARIO_BLOCK);
                let known = blocks.fold([0; 3], |sum: [u32; 3], start| {
                    let signs = decider.signs(program.parts(k), job.tiles.block(start));
                    [0, 1, 2].map(|root| sum[root] + signs[root])
                });
                let uncertain = answer.verdict_counts()[1];
                for (count, known) in answer.certain_counts().into_iter().zip(known) {
                    assert!(count <= known && known <= count + uncertain, "pool {k}: {answer:?}, known {known:?}");
                }
                certain += answer.verdict_counts()[0];
                decided += rows.tile_len(tile) as u32;
                below += known[1];
            }
        }
        println!("{certain} of {decided} verdicts certain, {below} liquidatable");
        assert!(certain > decided / 10 * 9 && below > decided / 10 && below < decided / 10 * 9);
    });
}

#[test]
fn pools_left_to_the_host_come_out_as_on_the_cpu_engine() {
    with_job(&random(150, 300), |job| {
        let device = Device::noop().expect("the no-op device");
        let mut chunk = Chunk::new(job, &device);
        chunk.prepared.leave_to_host();
        let settled = chunk.prepared.settle(job, &[]);
        let (expected, n_pools) = (cpu::sweep_chunk(job, 0..job.plan.n_pools), job.plan.n_pools);
        let pools: Vec<&PoolOutcome> = settled.iter().flat_map(|chunk| &chunk.pools).collect();
        assert_eq!(format!("{pools:?}"), format!("{:?}", expected.pools.iter().collect::<Vec<_>>()));
        assert!(pools.len() == n_pools && settled.iter().any(|chunk| chunk.redecided_pools < chunk.pools.len() as u64));
        for scenario in 0..job.scenario_count() {
            let total: f64 = settled.iter().map(|chunk| chunk.requirement[scenario]).sum();
            let known = expected.requirement[scenario];
            assert!(
                (total - known).abs() <= 1e-9 * (1.0 + known.abs()),
                "{total} in scenario {scenario}, known {known}"
            );
            let liquidatable: u32 = settled.iter().map(|chunk| chunk.tally[scenario].liquidatable).sum();
            assert_eq!(liquidatable, expected.tally[scenario].liquidatable);
        }
    });
}

#[test]
fn order_statistics_stay_on_the_host() {
    let case = random_without_options(20, 50);
    with_job(&case, |job| {
        let none = vec![None; job.ranges.len()];
        let facts = pack::RowFacts { ranges: job.ranges, errors: &none };
        let moving = job.ranges.iter().position(|range| !range.is_constant()).expect("a row that moves") as u32;
        let push = |reduction: Reduction| {
            let mut builder = Builder::new(job.ranges);
            builder.emit(Instruction::Repeat { points: 2 });
            builder.emit(Instruction::Constant(0.0));
            builder.emit(Instruction::StridedTerm { row: moving, coefficient: 1.0 });
            builder.emit(Instruction::Reduce(reduction));
            builder.emit(Instruction::Fold(Weights::MAINTENANCE));
            builder.finish_pool();
            pack::Packed::default().push(builder.build().parts(0), facts, Filter::Certified)
        };
        assert!(push(Reduction::Max) && push(Reduction::Min));
        assert!(!push(Reduction::Rank(1)) && !push(Reduction::Tail { whole: 1, fraction: 0.5 }));
    });
}

/// Sweeps a book of options that the device prices itself.
fn sweep_priced(case: &Case, device: Device) -> Result<Outcome> {
    let device = Arc::new(device);
    let run = move |job: &Job<'_>, merge: &mut Merge<'_>| {
        run_on(only(&device, || Err(Error::Bug("lost".into()))), Filter::Certified, job, merge)
    };
    let options = SweepOptions { revaluation: plan::Revaluation::Device, ..SweepOptions::default() };
    sweep_on(&case.snapshot, &case.rulebook, &case.scenarios, &options, &(), || Ok(Runner::Test(Box::new(run))))
}

#[test]
fn a_corrupted_pricer_is_an_audit_failure() {
    let Some(adapter) = adapter() else { return };
    let case = option_books::random(400, 300, 100, 21);
    let outcome = sweep_priced(&case, open(&adapter)).expect("a sound pricer passes");
    assert!(
        outcome.revaluation.device_rows > 50 && outcome.engine == "gpu",
        "{} {:?}",
        outcome.revaluation,
        outcome.warnings
    );
    assert_same(&outcome, &sweep_plainly(&case, EngineChoice::Cpu));
    let faults = [
        ("vec4(1.7713256)", "vec4(1.7813256)"),
        ("DENSITY: f32 = 0.3989423", "DENSITY: f32 = 0.3999423"),
        ("forward - forward_tail", "forward + forward_tail"),
        ("* terms.sign;\n        let out", ";\n        let out"),
        ("rows[out] = worth - vec4(terms.base)", "rows[out] = worth"),
        ("middle - half", "middle"),
        // It writes nothing at all.
        ("index < last", "index < first"),
        ("expiries[at + 2u * LANES]", "expiries[at + 3u * LANES]"),
    ];
    for (from, to) in faults {
        let error = sweep_priced(&case, broken(&adapter, Fault::pricer(from, to))).map(|outcome| outcome.engine);
        let error = error.expect_err(to);
        assert!(error.to_string().contains("Σ over") && error.exit_code() == 4, "{to}: {error}");
    }
}

/// A book in which every pool's excess at its worst scenario is within some f32 roundings of zero.
fn boundary_case(mut case: Case) -> Case {
    let outcome = sweep_plainly(&case, EngineChoice::Cpu);
    let quote = case.snapshot.assets.iter().position(|asset: &Asset| asset.name == "USD").expect("USD") as u32;
    let mut builder = BookBuilder::default();
    for (index, (pool, at)) in case.snapshot.book.pools().zip(&outcome.pools).enumerate() {
        let id = builder.pool(pool.account, pool.pool);
        pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
        pool.positions.iter().for_each(|position| builder.add_position(id, *position));
        *builder.settings(id) = pool.settings.clone();
        let size = at.base.gross_notional + at.base.equity.abs();
        let ulps = (index % 9) as f64 - 4.0;
        let amount = -at.worst_excess + ulps * size * crate::program::UNIT_ROUNDOFF_F32;
        builder.add_balance(id, Balance::new(quote, amount));
    }
    case.snapshot.book = builder.build();
    case
}

/// What a sweep with this filter publishes of each pool, before any audit.
fn unaudited(case: &Case, adapter: &wgpu::Adapter, filter: Filter) -> Vec<PoolOutcome> {
    let pools = Rc::new(RefCell::new(Vec::new()));
    let (kept, device) = (Rc::clone(&pools), Arc::new(open(adapter)));
    let run = move |job: &Job<'_>, merge: &mut Merge<'_>| {
        let label = run_on(only(&device, || Err(Error::Bug("lost".into()))), filter, job, merge)?;
        assert_eq!(label.engine, "gpu", "{:?}", label.warnings);
        kept.borrow_mut().clone_from(&merge.pools);
        Ok(label)
    };
    let plan = PlanOptions { chunk_pools: Some(64), tile_scenarios: None };
    let options = SweepOptions { plan, revaluation: plan::Revaluation::Device, ..SweepOptions::default() };
    let open = || Ok(Runner::Test(Box::new(run)));
    let result = sweep_on(&case.snapshot, &case.rulebook, &case.scenarios, &options, &(), open);
    println!("{filter:?}: {:?}", result.map(|outcome| outcome.audit));
    pools.take()
}

#[test]
fn without_the_filter_decisions_are_wrong_and_with_it_none_is() {
    let Some(adapter) = adapter() else { return };
    for case in [random(300, 300), option_books::random(300, 256, 60, 23)] {
        filter_decides(&boundary_case(case), &adapter);
    }
}

fn filter_decides(case: &Case, adapter: &wgpu::Adapter) {
    let expected = sweep_plainly(case, EngineChoice::Reference).pools;
    let wrong = |pools: &[PoolOutcome]| -> u32 {
        assert_eq!(pools.len(), expected.len());
        let counts =
            |pool: &PoolOutcome| [pool.restricted_scenarios, pool.liquidatable_scenarios, pool.bankrupt_scenarios];
        let differ = |(a, b): (&PoolOutcome, &PoolOutcome)| -> u32 {
            counts(a).into_iter().zip(counts(b)).map(|(a, b)| a.abs_diff(b)).sum()
        };
        pools.iter().zip(&expected).map(differ).sum()
    };
    let off = wrong(&unaudited(case, adapter, Filter::Off));
    let on = wrong(&unaudited(case, adapter, Filter::Certified));
    println!("wrong decisions: {off} without the filter, {on} with it");
    assert!(off > 0 && on == 0);
}

#[test]
fn a_device_lost_in_the_middle_is_reopened() {
    let Some(adapter) = adapter() else { return };
    let case = random(300, 300);
    let expected = sweep_plainly(&case, EngineChoice::Cpu);
    let device = broken(&adapter, Fault::lives(3));
    let outcome = sweep_on_device(&case, device, move || Ok(open(&adapter))).expect("the sweep succeeds");
    println!("{} {:?}", outcome.engine, outcome.warnings);
    assert_eq!((outcome.engine.as_str(), outcome.warnings.len()), ("gpu", 1));
    assert_same(&outcome, &expected);
}

#[test]
fn a_device_lost_twice_leaves_the_rest_to_the_cpu() {
    let Some(adapter) = adapter() else { return };
    let case = random(300, 300);
    let expected = sweep_plainly(&case, EngineChoice::Cpu);
    let device = broken(&adapter, Fault::lives(3));
    let outcome = sweep_on_device(&case, device, move || Ok(broken(&adapter, Fault::lives(3))));
    let outcome = outcome.expect("the sweep succeeds");
    println!("{} {:?}", outcome.engine, outcome.warnings);
    assert_eq!(outcome.engine, "gpu+cpu");
    assert!(outcome.warnings.iter().any(|warning| warning.ends_with("the CPU engine went on")));
    assert_same(&outcome, &expected);
}

#[test]
fn checked_and_trusted_modules_answer_alike() {
    let Some(adapter) = adapter() else { return };
    with_job(&random(200, 300), move |job| {
        let [checked, trusted] = [Checks::Checked, Checks::Trusted].map(|checks| {
            let device = Device::open(&adapter, checks).expect("the device opens");
            let chunk = Chunk::new(job, &device);
            let readback = chunk.run(&device);
            assert_eq!(chunk.verify(job, &readback), Ok(()));
            readback
        });
        assert_eq!(checked.pool_tiles, trusted.pool_tiles);
        assert_eq!(checked.uncertain, trusted.uncertain);
        // Lanes after the last scenario hold what nobody reads.
        let scenarios = |readback: &Readback| -> Vec<_> {
            let tiles = readback.group_scenarios.chunks_exact(512);
            tiles.flat_map(|group| group[..300].to_vec()).collect()
        };
        assert_eq!(scenarios(&checked), scenarios(&trusted));
    });
}

/// Pools whose equity is exactly zero in every scenario: a long and a short leg that cancel.
fn cancelling_case(n_pools: usize, n_scenarios: usize) -> Case {
    let mut case = random(1, n_scenarios);
    let mut builder = BookBuilder::default();
    let market = &case.snapshot.instruments;
    let instrument = market.iter().position(|instrument| instrument.name == "BTC-USDT").expect("BTC-USDT") as u32;
    for k in 0..n_pools {
        let id = builder.pool(&format!("z{k:05}"), "main");
        let quantity = 1.0 + k as f64;
        for (side, quantity) in [(Side::Long, quantity), (Side::Short, -quantity)] {
            let entry_price = market[instrument as usize].mark_price;
            let (leverage, accrued_funding) = (None, 0.0);
            builder.add_position(id, Position { instrument, quantity, entry_price, leverage, accrued_funding, side });
        }
    }
    case.snapshot.book = builder.build();
    case
}

#[test]
fn more_uncertain_verdicts_than_fit_are_still_decided() {
    let Some(adapter) = adapter() else { return };
    let case = cancelling_case(300, 256);
    let expected = sweep_plainly(&case, EngineChoice::Cpu);
    let options = SweepOptions::default();
    let chosen = adapter.clone();
    let outcome = sweep_on(&case.snapshot, &case.rulebook, &case.scenarios, &options, &(), move || {
        Ok(Runner::Gpu(vec![Gpu::on(chosen)?]))
    });
    let outcome = outcome.expect("the sweep succeeds");
    println!("{} {:?}, {} exact verdicts", outcome.engine, outcome.warnings, outcome.exact_verdicts);
    assert!(300 * 256 > layout::LIST_CAPACITY && outcome.warnings.iter().any(|w| w.contains("uncertain")));
    assert_eq!(outcome.pools.iter().map(|pool| pool.bankrupt_scenarios).max(), Some(0));
    assert_same(&outcome, &expected);
    with_job(&case, move |job| {
        let device = open(&adapter);
        let chunk = Chunk::new(job, &device);
        assert_eq!(chunk.verify(job, &chunk.run(&device)), Err(Void::TooManyUncertain));
    });
}

#[test]
fn probes_pass_on_this_machine() {
    let Some(adapter) = adapter() else { return };
    let report = probe::run(&adapter).expect("the device opens");
    println!("{report:#?}");
    assert_eq!(report.faults(), Vec::<String>::new());
}

/// A pool that no scenario moves never goes to the device; what it loses counts all the same.
#[test]
fn a_constant_pool_is_in_the_bounded_totals() {
    let mut case = random(1, 10);
    let mut builder = BookBuilder::default();
    let quote = case.snapshot.assets.iter().position(|asset| asset.name == "USD").expect("USD") as u32;
    let id = builder.pool("debtor", "main");
    builder.add_balance(id, Balance::new(quote, -100.0));
    case.snapshot.book = builder.build();
    let options = SweepOptions { engine: EngineChoice::Cpu, totals: Some(Totals::Bounded), ..SweepOptions::default() };
    let outcome = sweep(&case.snapshot, &case.rulebook, &case.scenarios, &options, &()).expect("the sweep succeeds");
    for scenario in &outcome.scenarios {
        assert_eq!((scenario.bankrupt_pools, scenario.shortfall), (1, 100.0));
    }
}

/// The canary on the threshold lists every one of its verdicts: many scenarios must not fill the list with it.
#[test]
fn a_hundred_thousand_scenarios_stay_on_the_device() {
    let Some(adapter) = adapter() else { return };
    let case = random(20, 100_000);
    let device = open(&adapter);
    let outcome = sweep_on_device(&case, device, || Err(Error::Bug("lost".into()))).expect("the sweep succeeds");
    assert_eq!(outcome.engine, "gpu", "{:?}", outcome.warnings);
}

proptest::proptest! {
    #[test]
    fn submissions_grow_and_shrink_by_no_more_than_two(pools in 64usize..1 << 20, exponent in -6.0f64..4.0) {
        // Times of every order of magnitude: drawn evenly, hardly one would be short enough to grow a submission.
        let seconds = 10f64.powf(exponent);
        let next = resize(pools, seconds);
        proptest::prop_assert!((64..=1 << 20).contains(&next));
        proptest::prop_assert!(next >= pools / 2 && next <= pools * 2);
        proptest::prop_assert!(next <= pools || seconds <= SUBMISSION_SECONDS);
        proptest::prop_assert!(next >= pools - 1 || seconds >= SUBMISSION_SECONDS);
    }

    /// Every buffer of a submission fits a binding and every dispatch the grid, canaries included.
    #[test]
    fn submissions_fit_the_device(
        n_pools in 1usize..2_000_000, n_scenarios in 1usize..2_000_000, n_rows in 1usize..20_000,
        binding_mib in 1u64..2_048, groups in 64u32..65_536,
    ) {
        let limits = plan::DeviceLimits { binding_bytes: binding_mib << 20, workgroups_per_dimension: groups };
        let sizes = (n_pools, n_scenarios, n_rows);
        if let Ok(device) = DevicePlan::new(sizes, limits, PlanOptions::default(), 4, RESULT_BYTES) {
            let pools = device.plan.chunk_pools + plan::CANARY_POOLS;
            let groups = pools.div_ceil(plan::GROUP_POOLS);
            let tiles = device.panel_tiles;
            let fits = |bytes: usize| bytes as u64 <= limits.binding_bytes;
            proptest::prop_assert!(fits(pools * tiles * size_of::<layout::PoolTile>()));
            proptest::prop_assert!(fits(groups * tiles * plan::DEVICE_TILE_SCENARIOS * size_of::<layout::GroupScenario>()));
            proptest::prop_assert!(fits(tiles * n_rows * plan::DEVICE_TILE_SCENARIOS * 4));
            proptest::prop_assert!(groups.max(tiles) <= limits.workgroups_per_dimension as usize);
            proptest::prop_assert!(tiles * plan::DEVICE_TILE_SCENARIOS <= layout::LIST_CAPACITY / 4);
        }
    }
}
