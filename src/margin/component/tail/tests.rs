use super::*;
use crate::domain::{Instrument, Payoff, Right};
use crate::error::Fault;
use crate::margin::component::fixture::{Bench, Holdings, moves, under};
use crate::margin::component::{Component, Kind, Per};
use crate::margin::{MoveSet, Rulebook};
use crate::scenario::{FactorKind, ScenarioSet};

fn tail(measure: TailMeasure, confidence: f64, multiplier: f64) -> Tail {
    Tail { set: "returns".into(), measure, confidence, multiplier }
}

fn rulebook(tail: Tail, set: ScenarioSet) -> Rulebook {
    let cover = Cover { collateral: ["*".to_string()].into(), ..Cover::default() };
    let component = Component::of(cover, Per::Pool, Kind::Tail(tail));
    let sets = [("returns".to_string(), MoveSet { file: "returns.csv".into(), moves: set })];
    Rulebook { sets: sets.into(), ..under(component) }
}

/// A long perpetual at 100 under moves of these whole percents.
fn value(tail: Tail, percents: &[f64]) -> f64 {
    let mut holdings = Holdings::of("U", 100.0);
    holdings.hold(holdings.perpetual(100.0), 1.0);
    let shocks: Vec<[f64; 1]> = percents.iter().map(|percent| [percent / 100.0]).collect();
    let shocks: Vec<&[f64]> = shocks.iter().map(|shock| shock.as_slice()).collect();
    let set = moves(&[(FactorKind::Price, "U")], &shocks);
    Bench::new(holdings, rulebook(tail, set), &ScenarioSet::default()).expect("finite").agreed(Column::Base)
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
}

/// Losses 7, 5, 4, 2, 1, 0, −1, −2, −3, −6.
const TEN: [f64; 10] = [2.0, -5.0, 1.0, -7.0, 3.0, -1.0, 0.0, -4.0, 6.0, -2.0];

#[test]
fn value_at_risk_is_the_order_statistic_after_the_tail() {
    let at = |confidence| value(tail(TailMeasure::ValueAtRisk, confidence, 1.0), &TEN);
    assert_near(at(0.9), 5.0);
    assert_near(at(0.8), 4.0);
    assert_near(at(0.85), 5.0);
    assert_near(at(0.99), 7.0);
    assert_near(at(1.0), 7.0);
    // 0 is never undercut: the sixth loss is 0, the ninth a gain.
    assert_near(at(0.5), 0.0);
    assert_near(value(tail(TailMeasure::ValueAtRisk, 0.9, 1.0), &[1.0, 2.0]), 0.0);
    assert_near(value(tail(TailMeasure::ValueAtRisk, 0.9, 2.0_f64.sqrt()), &TEN), 5.0 * 2.0_f64.sqrt());
}

#[test]
fn expected_shortfall_is_the_mean_of_the_tail_its_last_loss_in_part() {
    let at = |confidence| value(tail(TailMeasure::ExpectedShortfall, confidence, 1.0), &TEN);
    assert_near(at(0.8), 6.0);
    assert_near(at(0.75), (7.0 + 5.0 + 0.5 * 4.0) / 2.5);
    assert_near(at(0.9), 7.0);
    assert_near(at(0.99), 7.0);
    assert_near(at(1.0), 7.0);
}

/// A move of the set changes values exactly as the same scenario of a sweep does.
#[test]
fn a_joint_move_is_what_a_scenario_is() {
    let factors = [
        (FactorKind::Price, "BTC"),
        (FactorKind::Volatility, "BTC"),
        (FactorKind::Skew, "BTC"),
        (FactorKind::Asset, "USD"),
        (FactorKind::Rate, "USD"),
        (FactorKind::Time, ""),
    ];
    let set = moves(
        &factors,
        &[&[-0.2, 0.5, 0.1, -0.05, 0.02, 0.0], &[0.3, -0.3, 0.0, 0.01, -0.01, 0.03], &[0.1, 0.0, -0.2, 0.0, 0.0, 0.3]],
    );
    let hold = || {
        let mut holdings = Holdings::of("BTC", 50_000.0);
        holdings.underlyings[0].beta = 1.2;
        holdings.balances.push(("BTC".into(), 0.3));
        holdings.balances.push(("USD".into(), 10_000.0));
        let inverse = Instrument {
            payoff: Payoff::Inverse,
            settlement_asset: 0,
            contract_size: 10.0,
            ..holdings.perpetual(50_050.0)
        };
        holdings.positions.push((inverse, -900.0, 48_000.0));
        holdings.positions.push((holdings.perpetual(50_100.0), 0.7, 52_000.0));
        holdings.hold(holdings.future(50_400.0, 40 * 86_400), -0.1);
        holdings.hold(holdings.option(Right::Call, 55_000.0, 20 * 86_400, (50_200.0, 0.6)), -3.0);
        holdings.hold(holdings.option(Right::Put, 45_000.0, 160 * 86_400, (50_900.0, 0.7)), 2.0);
        holdings
    };
    let swept =
        Bench::new(hold(), rulebook(tail(TailMeasure::ValueAtRisk, 1.0, 1.0), set.clone()), &set).expect("finite");
    for (k, _) in set.ids.iter().enumerate() {
        let row = |factor: usize| set.shocks[[k, factor]];
        let one = moves(&factors, &[&[row(0), row(1), row(2), row(3), row(4), row(5)]]);
        let tail = tail(TailMeasure::ExpectedShortfall, 1.0, 1.0);
        let alone = Bench::new(hold(), rulebook(tail, one), &set).expect("finite");
        let change = swept.equity(Column::Scenario(k)) - swept.equity(Column::Base);
        assert!((alone.agreed(Column::Base) - (-change).max(0.0)).abs() < 1e-6, "move {k}: {change}");
        alone.agreed(Column::Scenario(1));
    }
}

fn faults(set: ScenarioSet) -> Vec<Fault> {
    let mut holdings = Holdings::of("U", 100.0);
    holdings.hold(holdings.perpetual(100.0), 1.0);
    let rulebook = rulebook(tail(TailMeasure::ValueAtRisk, 0.99, 1.0), set);
    Bench::new(holdings, rulebook, &ScenarioSet::default()).err().expect("a fault")
}

#[test]
fn a_set_that_cannot_be_meant_is_refused() {
    let of = |factors: &[(FactorKind, &str)]| faults(moves(factors, &[&vec![0.1; factors.len()]]))[0].to_string();
    assert!(of(&[(FactorKind::Price, "V")]).contains("move the price of U"));
    assert!(of(&[(FactorKind::Price, "U"), (FactorKind::Basis, "U")]).contains("not basis:U"));
    assert!(faults(ScenarioSet::default())[0].to_string().contains("at least one"));
    let mut weighted = moves(&[(FactorKind::Price, "U")], &[&[0.1], &[0.2]]);
    weighted.weights[1] = 2.0;
    assert!(faults(weighted)[0].to_string().contains("weights are equal"));
}

#[test]
fn a_file_names_the_set() {
    let text = "version = 1\n[sets.returns]\nfile = \"returns.csv\"\n[component.var]\nkind = \"tail\"\nset = \"returns\"\n\
                measure = \"value_at_risk\"\nconfidence = 0.99\nmultiplier = 1.5\nper = \"pool\"\n";
    let rulebook = Rulebook::parse(text, "rulebook.toml").expect("a valid rulebook");
    assert_eq!(rulebook.component["var"].kind, Kind::Tail(tail(TailMeasure::ValueAtRisk, 0.99, 1.5)));
    assert_eq!(rulebook.sets["returns"].file, "returns.csv");
    assert_eq!(Rulebook::parse(&rulebook.to_toml(), "again").expect("its own output"), rulebook);
    let fault = Rulebook::parse(&text.replace("set = \"returns\"", "set = \"return\""), "rulebook.toml");
    assert!(format!("{fault:?}").contains("one of sets"), "{fault:?}");
}
