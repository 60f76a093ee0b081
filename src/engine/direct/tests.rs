use std::ops::Range;

use super::*;
use crate::engine::books::{self, Case};
use crate::engine::merge::run_chunks;
use crate::engine::outcome::Outcome;
use crate::engine::sweep::{EngineChoice, Label, Runner, SweepOptions, sweep, sweep_on};
use crate::engine::{cpu, digest};
use crate::margin::{HaircutBase, SizeUnit};
use crate::program::{Builder, Program};

/// Compiles some pools, every other one as a direct pool.
fn compile(job: &Job<'_>, pools: Range<usize>) -> Program {
    let mut builder = Builder::new(job.ranges);
    for index in pools {
        if index % 2 == 0 {
            builder.direct();
        }
        job.setting.lower(&job.pool(index), &mut builder);
        builder.finish_pool();
    }
    let mut program = builder.build();
    // What was lowered must not decide: without a bound on it, only the direct formulas can.
    program.pools.iter_mut().filter(|pool| pool.direct).for_each(|pool| pool.compile_error = 0.0);
    program
}

fn sweep_half_directly(case: &Case) -> Outcome {
    let run = |job: &Job<'_>, merge: &mut crate::engine::merge::Merge<'_>| {
        run_chunks(job, merge, 0..job.plan.n_pools, |job, pools| {
            let program = compile(job, pools.clone());
            assert!(program.pools.iter().zip(pools.clone()).all(|(pool, index)| pool.direct == (index % 2 == 0)));
            cpu::sweep_program(job, pools, &program)
        });
        Ok(Label::default())
    };
    let options = SweepOptions { totals: Some(Totals::Exact), ..SweepOptions::default() };
    let open = || Ok(Runner::Test(Box::new(run)));
    sweep_on(&case.snapshot, &case.rulebook, &case.scenarios, &options, &(), open).expect("the sweep succeeds")
}

fn assert_equals_the_reference(case: &Case) -> (Outcome, Outcome) {
    let options = SweepOptions { engine: EngineChoice::Reference, ..SweepOptions::default() };
    let reference = sweep(&case.snapshot, &case.rulebook, &case.scenarios, &options, &()).expect("the sweep succeeds");
    let direct = sweep_half_directly(case);
    for (index, (a, b)) in reference.pools.iter().zip(&direct.pools).enumerate() {
        assert_eq!(a, b, "pool {index}");
    }
    assert_eq!(digest(&reference.pools, &reference.scenarios), digest(&direct.pools, &direct.scenarios));
    for (a, b) in reference.scenarios.iter().zip(&direct.scenarios) {
        assert_eq!((a.shortfall, a.liquidatable_notional), (b.shortfall, b.liquidatable_notional));
        let is_close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (a.abs() + b.abs() + 1.0);
        assert!(is_close(a.equity_total, b.equity_total), "{} {}", a.equity_total, b.equity_total);
        assert!(is_close(a.maintenance_total, b.maintenance_total), "{} {}", a.maintenance_total, b.maintenance_total);
        assert!(b.shortfall_bound.is_finite());
    }
    (reference, direct)
}

#[test]
fn direct_pools_equal_the_reference_on_every_rule() {
    for base in [HaircutBase::Balance, HaircutBase::BalanceAndPnl] {
        for unit in [SizeUnit::Asset, SizeUnit::Quote] {
            let case = books::random(300, 333, 7, base, unit);
            let (reference, _) = assert_equals_the_reference(&case);
            let bankrupt: u64 = reference.scenarios.iter().map(|scenario| scenario.bankrupt_pools).sum();
            assert!(bankrupt > 100, "the book must breach, or the test sees nothing");
        }
    }
}

#[test]
fn pools_on_a_threshold_are_left_to_the_arbiter() {
    let case = books::random(300, 96, 5, HaircutBase::BalanceAndPnl, SizeUnit::Asset);
    let (_, direct) = assert_equals_the_reference(&books::adversarial(&case, 3));
    assert!(direct.redecided_pools > 0, "some distances are within what intervals leave open");
}

#[test]
fn the_state_at_base_is_decided_by_the_direct_formulas() {
    let mut case = books::random(300, 3, 9, HaircutBase::Balance, SizeUnit::Asset);
    // Every scenario is the unshocked market, so the thresholds that the pools are put on are those at base.
    case.scenarios.shocks.fill(0.0);
    assert_equals_the_reference(&books::adversarial(&case, 4));
}
