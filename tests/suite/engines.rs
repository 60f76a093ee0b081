use plimsoll::domain::{BookBuilder, Kind, Position};
use plimsoll::engine::{EngineChoice, Outcome, SweepOptions, digest, sweep};
use plimsoll::margin::{HaircutBase, Schedule, SizeUnit};

use crate::books::{self, Case};

/// The adapter every machine can have.
const SOFTWARE_GPU: &str = "llvmpipe";

/// The engines of this machine. Without an adapter the tests fail, so that nobody mistakes a skipped GPU for a tested one.
pub fn engines() -> Vec<EngineChoice> {
    let mut engines = vec![EngineChoice::Reference, EngineChoice::Cpu];
    #[cfg(feature = "gpu")]
    let found = plimsoll::engine::gpu::choose(Some(SOFTWARE_GPU)).is_ok();
    #[cfg(not(feature = "gpu"))]
    let found = false;
    if found {
        engines.push(EngineChoice::Gpu(Some(SOFTWARE_GPU.into())));
    } else if std::env::var("PLIMSOLL_TEST_WITHOUT_GPU").is_ok_and(|value| value == "1") {
        println!("not tested: the GPU engine, for this machine has no {SOFTWARE_GPU} adapter");
    } else {
        panic!("no {SOFTWARE_GPU} adapter; PLIMSOLL_TEST_WITHOUT_GPU=1 tests the other engines alone");
    }
    engines
}

pub fn run(case: &Case, engine: EngineChoice) -> Outcome {
    let options = SweepOptions { engine, ..SweepOptions::default() };
    sweep(&case.snapshot, &case.rulebook, &case.scenarios, &options, &()).expect("the sweep succeeds")
}

/// Same decisions, counts, states, worst scenarios, figures and digest; totals within what each claims.
fn assert_same(a: &Outcome, b: &Outcome) {
    assert_same_but(a, b, 0.0);
}

/// The same where requirements cancel within a pool: a device sums their parts in f32, whose rounding is relative to the sizes
/// that cancel. `cancelled` is what that may add to the difference of two maintenance totals, quote units.
pub fn assert_same_but(a: &Outcome, b: &Outcome, cancelled: f64) {
    for (index, (a, b)) in a.pools.iter().zip(&b.pools).enumerate() {
        assert_eq!(a, b, "pool {index}");
    }
    for (index, (a, b)) in a.scenarios.iter().zip(&b.scenarios).enumerate() {
        let counts =
            |s: &plimsoll::engine::ScenarioOutcome| (s.restricted_pools, s.liquidatable_pools, s.bankrupt_pools);
        assert_eq!(counts(a), counts(b), "scenario {index}");
        let close = |a: f64, b: f64, part: f64| (a - b).abs() <= part * (a.abs() + b.abs() + 1.0);
        assert!(close(a.equity_total, b.equity_total, 1e-9), "{} {}", a.equity_total, b.equity_total);
        // Kinks and nodes of the maintenance total are summed in f32 on a device.
        let slack = 1e-6 * (a.maintenance_total.abs() + b.maintenance_total.abs() + 1.0) + cancelled;
        let (a_total, b_total) = (a.maintenance_total, b.maintenance_total);
        assert!((a_total - b_total).abs() <= slack, "{a_total} {b_total}");
        let allowed = a.shortfall_bound + b.shortfall_bound;
        assert!((a.shortfall - b.shortfall).abs() <= allowed, "shortfall of scenario {index}: {a:?} {b:?}");
    }
    assert_eq!(digest(&a.pools, &a.scenarios), digest(&b.pools, &b.scenarios));
}

#[test]
fn every_engine_equals_the_reference_on_every_rule() {
    for base in [HaircutBase::Balance, HaircutBase::BalanceAndPnl] {
        for unit in [SizeUnit::Asset, SizeUnit::Quote] {
            let case = books::random(300, 333, 7, base, unit);
            let reference = run(&case, EngineChoice::Reference);
            let liquidatable: u64 = reference.scenarios.iter().map(|s| s.liquidatable_pools).sum();
            let bankrupt: u64 = reference.scenarios.iter().map(|s| s.bankrupt_pools).sum();
            assert!(liquidatable > 1_000 && bankrupt > 100, "the book must breach, or the test sees nothing");
            for engine in engines() {
                let outcome = run(&case, engine.clone());
                println!("{base:?} {unit:?} on {} {}: audit {:?}", outcome.engine, outcome.adapter, outcome.audit);
                assert_eq!(outcome.engine == "gpu", matches!(engine, EngineChoice::Gpu(_)), "{:?}", outcome.warnings);
                assert_same(&reference, &outcome);
            }
        }
    }
}

/// An adapter that is named twice gives two devices, which share the book.
#[test]
fn several_devices_equal_one() {
    let case = books::random(1_500, 300, 9, HaircutBase::BalanceAndPnl, SizeUnit::Quote);
    let Some(EngineChoice::Gpu(Some(name))) = engines().pop() else { return };
    let [one, two] = [vec![name.clone()], vec![name.clone(), name]].map(|names| run(&case, EngineChoice::Gpus(names)));
    println!("{}", two.adapter);
    assert_eq!(two.adapter, format!("{0}; {0}", one.adapter));
    assert!(one.engine == "gpu" && two.engine == "gpu" && two.warnings.is_empty(), "{:?}", two.warnings);
    assert_same(&run(&case, EngineChoice::Cpu), &two);
    assert_same(&one, &two);
}

/// The case with its first position that is no option changed: an option may have been entered at a price of 0.
fn with_first_position(change: impl Fn(&mut Position)) -> Case {
    let mut case = books::random(20, 40, 3, HaircutBase::Balance, SizeUnit::Asset);
    let mut builder = BookBuilder::default();
    let mut is_first = true;
    for pool in case.snapshot.book.pools() {
        let id = builder.pool(pool.account, pool.pool);
        pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
        for mut position in pool.positions.iter().copied() {
            let is_option = case.snapshot.instruments[position.instrument as usize].kind == Kind::Option;
            if !is_option && std::mem::take(&mut is_first) {
                change(&mut position);
            }
            builder.add_position(id, position);
        }
    }
    case.snapshot.book = builder.build();
    case
}

fn refusal(case: &Case) -> (u8, String) {
    let options = SweepOptions { engine: EngineChoice::Cpu, ..SweepOptions::default() };
    let error =
        sweep(&case.snapshot, &case.rulebook, &case.scenarios, &options, &()).expect_err("the sweep is refused");
    (error.exit_code(), error.to_string())
}

#[test]
fn what_the_bounds_and_totals_cannot_hold_is_refused_and_never_published() {
    let (code, text) = refusal(&with_first_position(|position| position.entry_price = 0.0));
    assert!(code == 3 && text.contains("prices positive"), "{text}");
    let (code, text) = refusal(&with_first_position(|position| position.quantity = f64::NAN));
    assert!(code == 3 && text.contains("are finite"), "{text}");
    let (code, text) = refusal(&with_first_position(|position| position.quantity = 1e30));
    assert!(code == 3 && text.contains("stay below"), "{text}");
    let mut case = with_first_position(|_| ());
    if let Some(class) = case.rulebook.margin.get_mut("major") {
        class.maintenance = Schedule { rates: vec![1.5], ..Schedule::flat(0.0) }.into();
    }
    let (code, text) = refusal(&case);
    assert!(code == 2 && text.contains("lie in [0, 1]"), "{text}");
}
