use plimsoll::engine::{EngineChoice, Outcome, SweepOptions, digest, sweep};
use plimsoll::margin::{HaircutBase, SizeUnit};

use crate::books::{self, Case};

pub fn run(case: &Case, engine: EngineChoice) -> Outcome {
    let options = SweepOptions { engine, ..SweepOptions::default() };
    sweep(&case.snapshot, &case.rulebook, &case.scenarios, &options, &()).expect("the sweep succeeds")
}

fn assert_same(a: &Outcome, b: &Outcome) {
    for (index, (a, b)) in a.pools.iter().zip(&b.pools).enumerate() {
        assert_eq!(a, b, "pool {index}");
    }
    for (index, (a, b)) in a.scenarios.iter().zip(&b.scenarios).enumerate() {
        let counts =
            |s: &plimsoll::engine::ScenarioOutcome| (s.restricted_pools, s.liquidatable_pools, s.bankrupt_pools);
        assert_eq!(counts(a), counts(b), "scenario {index}");
        let close = |a: f64, b: f64, part: f64| (a - b).abs() <= part * (a.abs() + b.abs() + 1.0);
        assert!(close(a.equity_total, b.equity_total, 1e-9), "{} {}", a.equity_total, b.equity_total);
        // Kinks of the maintenance total are summed in f32 on a device.
        assert!(
            close(a.maintenance_total, b.maintenance_total, 1e-6),
            "{} {}",
            a.maintenance_total,
            b.maintenance_total
        );
        assert!((a.shortfall - b.shortfall).abs() <= a.shortfall_bound + b.shortfall_bound);
    }
    assert_eq!(digest(&a.pools, &a.scenarios), digest(&b.pools, &b.scenarios));
}

#[test]
fn cpu_equals_reference_on_every_rule() {
    for base in [HaircutBase::Balance, HaircutBase::BalanceAndPnl] {
        for unit in [SizeUnit::Asset, SizeUnit::Quote] {
            let case = books::random(300, 333, 7, base, unit);
            let reference = run(&case, EngineChoice::Reference);
            let cpu = run(&case, EngineChoice::Cpu);
            assert_same(&reference, &cpu);
            let liquidatable: u64 = cpu.scenarios.iter().map(|s| s.liquidatable_pools).sum();
            let bankrupt: u64 = cpu.scenarios.iter().map(|s| s.bankrupt_pools).sum();
            println!("{base:?} {unit:?}: {liquidatable} liquidatable, {bankrupt} bankrupt, audit {:?}", cpu.audit);
            assert!(liquidatable > 1_000 && bankrupt > 100, "the book must breach, or the test sees nothing");
        }
    }
}

#[test]
fn gpu_equals_reference_on_every_rule() {
    if crate::properties::engines().len() < 3 {
        return;
    }
    for base in [HaircutBase::Balance, HaircutBase::BalanceAndPnl] {
        for unit in [SizeUnit::Asset, SizeUnit::Quote] {
            let case = books::random(300, 333, 7, base, unit);
            let reference = run(&case, EngineChoice::Reference);
            let gpu = run(&case, EngineChoice::Gpu(Some("llvmpipe".into())));
            println!(
                "{base:?} {unit:?}: {} {} redecided {} audit {:?} {:?}",
                gpu.engine, gpu.adapter, gpu.redecided_pools, gpu.audit, gpu.warnings
            );
            assert_eq!(gpu.engine, "gpu", "{:?}", gpu.warnings);
            assert_same(&reference, &gpu);
        }
    }
}
