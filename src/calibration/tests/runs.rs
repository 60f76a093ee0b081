//! Constraints that need sweeps or liquidations, and the scenarios that were held out.

use super::super::constraint::{BankruptcyGivenLiquidation, FundDraw};
use super::*;
use crate::engine::sweep;

#[test]
fn bankruptcy_given_liquidation_is_that_of_a_sweep() {
    let exchange = Exchange::new();
    let rule = BankruptcyGivenLiquidation { limit: 0.9 };
    let job = Job { constraints: vec![constraint(Rule::Bankruptcy(rule))], ..job() };
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    let reading = calibration.evaluate(&[2.0], 1.0).expect("evaluated").readings[0];
    let rulebook = Rulebook::parse(&calibration.text(&[2.0]), "candidate").expect("a rulebook");
    let options = SweepOptions { engine: EngineChoice::Reference, ..SweepOptions::default() };
    let outcome = sweep(&exchange.snapshot, &rulebook, &exchange.scenarios, &options, &()).expect("swept");
    let sum = |of: fn(&crate::engine::ScenarioOutcome) -> u64| outcome.scenarios.iter().map(of).sum::<u64>() as f64;
    assert_eq!(reading.value, sum(|s| s.bankrupt_pools) / sum(|s| s.liquidatable_pools));
    assert!(reading.value > 0.0 && calibration.sweeps() == 2);
}

#[test]
fn runs_wait_for_what_is_cheap() {
    let exchange = Exchange::new();
    let rule = constraint(Rule::Bankruptcy(BankruptcyGivenLiquidation { limit: 0.9 }));
    let never = covered(CoverageOf::Accounts, Each::Book, 0.999_999);
    let job = Job { constraints: vec![rule, never], ..job() };
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    let evaluation = calibration.evaluate(&[0.5], 1.0).expect("evaluated");
    assert!(evaluation.readings[0].value.is_nan() && !evaluation.is_met());
    assert_eq!(calibration.sweeps(), 1);
}

/// A target of liquidations is a parameter of a constraint that runs them.
#[test]
fn liquidations_are_run_for_what_they_owe() {
    let exchange = Exchange::new();
    let rule = FundDraw { measure: LossMeasure::Maximum, level: 0.0, limit: Limit::Amount(1e12), worst: 3 };
    let target =
        ParameterRequest { how: How::Set, ..scaled("target", "liquidation.target_health", Per::One, (1.0, 2.0)) };
    let job = Job { parameters: vec![target], constraints: vec![constraint(Rule::FundDraw(rule))], ..job() };
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    let values: Vec<f64> =
        [1.0, 2.0].map(|target| calibration.evaluate(&[target], 1.0).expect("evaluated").readings[0].value).into();
    assert!(values.iter().all(|value| *value > 0.0), "{values:?}");
    assert_eq!(calibration.sweeps(), 2, "one of losses, one to rank scenarios");
}

#[test]
fn the_hold_out_is_measured_on_its_own_scenarios() {
    let exchange = Exchange::new();
    let mut other = scenarios(&exchange.snapshot, 40);
    other.shocks.mapv_inplace(|shock| shock * 0.5);
    let job = job();
    let options = SweepOptions { engine: EngineChoice::Cpu, ..SweepOptions::default() };
    let subject = exchange.subject(Some(other.clone()));
    let mut calibration = Calibration::new(subject, &job, options, (&(), Box::new(()))).expect("a calibration");
    let (measured, evaluation) = calibration.hold_out(Some(&[1.0])).expect("measured").expect("held out");
    let alone = Exchange { scenarios: other, ..Exchange::new() };
    let mut there = alone.calibration(&job).expect("a calibration");
    assert_eq!(there.measure(&[1.0]).expect("measured"), measured);
    assert_eq!(there.evaluate(&[1.0], 1.0).expect("evaluated"), evaluation);
    assert_eq!(there.hold_out(None).expect("nothing"), None);
}
