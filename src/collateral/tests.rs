//! A market of one perpetual and three kinds of collateral.

use super::*;
use crate::domain::{Asset, Balance, BookBuilder, Instrument, Position, Snapshot, Underlying};
use crate::engine::{EngineChoice, SweepOptions, sweep};
use crate::margin::{
    HaircutSchedule, MarginClass, MarginSide, Requirement, Rulebook, Rules, Schedule, Setting, SizeFunction, SizeUnit,
    revalue,
};
use crate::pricing::{Column, Unshocked};
use crate::scenario::{Factor, ScenarioSet};

const BTC: u32 = 0;
const ETH: u32 = 1;
const USD: u32 = 2;
const AVAILABLE: [(u32, f64); 3] = [(BTC, 1.0), (ETH, 2.0), (USD, 50.0)];

/// One account, long ten contracts of 100 at 10 % initial margin; it holds what is available and owes nothing.
fn snapshot() -> Snapshot {
    let asset = |name: &str, price: f64, class: Option<&str>, network: &str| Asset {
        haircut_class: class.map(Into::into),
        network: Some(network.to_string()).filter(|network| !network.is_empty()),
        ..Asset::new(name, price)
    };
    let assets = vec![
        asset("BTC", 100.0, Some("tiered"), "bitcoin"),
        asset("ETH", 50.0, Some("flat"), "ethereum"),
        asset("USD", 1.0, None, ""),
    ];
    let mut book = BookBuilder::default();
    let pool = book.pool("a", "main");
    AVAILABLE.iter().for_each(|&(asset, amount)| book.add_balance(pool, Balance::new(asset, amount)));
    book.add_position(pool, Position::new(0, 10.0, 100.0));
    let pool = book.pool("b", "main");
    book.add_balance(pool, Balance::new(ETH, 1.0));
    book.add_balance(pool, Balance::new(USD, -5.0));
    Snapshot {
        as_of: None,
        quote: "USD".into(),
        assets,
        underlyings: vec![Underlying::new("BTC", 100.0)],
        instruments: vec![Instrument::perpetual("BTC-PERP", 0, USD, 100.0)],
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: book.build(),
    }
}

fn rulebook() -> Rulebook {
    let flat = |rate: f64| SizeFunction::Brackets(Schedule::flat(rate));
    let class = MarginClass {
        maintenance: flat(0.05),
        initial: flat(0.1),
        max_notional: None,
        minimum: Requirement::both(0.0),
        scale: None,
    };
    let tiered = HaircutSchedule { unit: SizeUnit::Asset, bounds: vec![0.5], haircuts: vec![0.05, 0.2], initial: None };
    Rulebook {
        margin: [("BTC-PERP".to_string(), class)].into(),
        haircut: [("tiered".to_string(), tiered), ("flat".to_string(), HaircutSchedule::flat(0.1))].into(),
        ..Rulebook::default()
    }
}

fn set(shocks: &[f64]) -> ScenarioSet {
    ScenarioSet {
        ids: (0..shocks.len()).map(|k| k.to_string()).collect(),
        weights: vec![1.0; shocks.len()],
        labels: vec![String::new(); shocks.len()],
        factors: vec![Factor::price("BTC"), Factor::price("ETH")],
        shocks: ndarray::Array2::from_shape_fn((shocks.len(), 2), |(row, _)| shocks[row]),
    }
}

fn allocated(shocks: &[f64], target: f64, side: MarginSide) -> Allocation {
    let (snapshot, rulebook, scenarios) = (snapshot().of_pool(0), rulebook(), set(shocks));
    let rules = Rules::resolve(&rulebook, &snapshot).expect("rules");
    let rows = revalue(&rules, &snapshot, &scenarios, Unshocked::Hold).expect("rows");
    let setting = Setting { snapshot: &snapshot, rules: &rules, rows: &rows };
    allocate(setting, &AllocationAsk { available: AVAILABLE.to_vec(), target, margin: side }).expect("a mix")
}

fn amounts(allocation: &Allocation) -> Vec<f64> {
    allocation.posted.iter().map(|posted| posted.amount).collect()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    let is_close = |(found, expected): (&f64, &f64)| (found - expected).abs() < 1e-6;
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(is_close), "{found:?} {expected:?}");
}

#[test]
fn the_least_haircut_fills_cheap_collateral_first() {
    // 100 required: 50 of cash, 47.5 of the first half coin at 5 %; 2.5 more from ETH at 10 %, not from BTC at 20 %.
    let allocation = allocated(&[], 1.0, MarginSide::Initial);
    assert_close(&amounts(&allocation), &[0.5, 2.5 / 45.0, 50.0]);
    assert!(allocation.is_met && allocation.worst.1.abs() < 1e-5, "{:?}", allocation.worst);
    assert!((allocation.haircut() - (2.5 + 2.5 / 9.0)).abs() < 1e-6);
}

#[test]
fn every_scenario_must_be_met_and_the_worst_one_binds() {
    // A fall of 6 % loses 60 of 10 contracts and takes 6 off the requirement of 100.
    let allocation = allocated(&[-0.06, 0.02], 1.0, MarginSide::Initial);
    let [btc, eth, usd] = amounts(&allocation)[..] else { panic!("three assets") };
    assert_eq!(allocation.worst.0, Column::Scenario(0));
    let counted = 0.94 * (100.0 * (0.95 * btc.min(0.5) + 0.8 * (btc - 0.5).max(0.0)) + 45.0 * eth) + usd;
    assert!((counted - 154.0).abs() < 1e-5 && allocation.is_met, "{counted}");
    // A grid of everything that meets it loses no less.
    let mut least = f64::INFINITY;
    for (i, j) in (0..=400).flat_map(|i| (0..=400).map(move |j| (i, j))) {
        let (btc, eth) = (f64::from(i) / 400.0, f64::from(j) / 200.0);
        let kept = 100.0 * (0.95 * btc.min(0.5) + 0.8 * (btc - 0.5f64).max(0.0)) + 45.0 * eth;
        if 0.94 * kept + 50.0 >= 154.0 {
            least = least.min(100.0 * btc + 50.0 * eth - kept);
        }
    }
    assert!(allocation.haircut() <= least + 1e-6 && least - allocation.haircut() < 0.1, "{least}");
}

#[test]
fn what_cannot_be_met_posts_everything_and_says_so() {
    let allocation = allocated(&[], 3.0, MarginSide::Initial);
    assert_close(&amounts(&allocation), &[1.0, 2.0, 50.0]);
    assert!(!allocation.is_met);
    // 87.5 + 90 + 50 counted, 300 wanted.
    assert!((allocation.worst.1 + 72.5).abs() < 1e-9);
}

#[test]
fn the_maintenance_margin_asks_for_less() {
    let allocation = allocated(&[], 1.0, MarginSide::Maintenance);
    assert_close(&amounts(&allocation), &[0.0, 0.0, 50.0]);
    assert!(allocation.haircut() < 1e-6, "{}", allocation.haircut());
}

#[test]
fn utilisation_adds_up_by_asset_network_and_account() {
    let (snapshot, rulebook, scenarios) = (snapshot(), rulebook(), set(&[0.0]));
    let options = SweepOptions { engine: EngineChoice::Cpu, ..SweepOptions::default() };
    let swept = sweep(&snapshot, &rulebook, &scenarios, &options, &()).expect("a sweep");
    let rules = Rules::resolve(&rulebook, &snapshot).expect("rules");
    let rows = revalue(&rules, &snapshot, &scenarios, Unshocked::Hold).expect("rows");
    let found = utilisation(&Setting { snapshot: &snapshot, rules: &rules, rows: &rows }, &swept.pools);
    let of = |holder: Holder| found[&holder];
    // 1 BTC counts 47.5 + 40, 2 ETH 90, cash 50: 227.5 for 100 required.
    let total = of(Holder::Exchange);
    assert!((total.collateral - (227.5 + 45.0)).abs() < 1e-9 && (total.requirement - 100.0).abs() < 1e-9);
    assert!((total.ratio().expect("a ratio") - 100.0 / 272.5).abs() < 1e-12);
    assert!((of(Holder::Asset(BTC)).requirement - 100.0 * 87.5 / 227.5).abs() < 1e-9);
    assert!((of(Holder::Asset(ETH)).collateral - 135.0).abs() < 1e-9);
    assert_eq!(of(Holder::Asset(ETH)), of(Holder::Network("ethereum".into())));
    assert!((of(Holder::Account("a".into())).ratio().expect("a ratio") - 100.0 / 227.5).abs() < 1e-12);
    assert_eq!(of(Holder::Account("b".into())).requirement, 0.0);
    for kind in [|h: &Holder| matches!(h, Holder::Asset(_)), |h: &Holder| matches!(h, Holder::Network(_))] {
        let sum: f64 = found.iter().filter(|(holder, _)| kind(holder)).map(|(_, of)| of.requirement).sum();
        assert!((sum - 100.0).abs() < 1e-9);
    }
}

#[test]
fn the_diversification_of_additive_rules_is_none() {
    let (snapshot, rulebook, scenarios) = (snapshot(), rulebook(), set(&[0.0]));
    let rules = Rules::resolve(&rulebook, &snapshot).expect("rules");
    let rows = revalue(&rules, &snapshot, &scenarios, Unshocked::Hold).expect("rows");
    let setting = Setting { snapshot: &snapshot, rules: &rules, rows: &rows };
    let pool = snapshot.book.pool(0);
    assert_eq!(diversification(&setting, &pool), Diversification { positions: 1, alone: 100.0, together: 100.0 });
    let hedged = [pool.positions[0], Position::new(0, -10.0, 100.0)];
    let both = crate::domain::Pool { positions: &hedged, ..pool };
    let found = diversification(&setting, &both);
    assert_eq!((found.index(), found.saved()), (Some(1.0), 0.0));
    let empty = crate::domain::Pool { positions: &[], ..pool };
    assert_eq!(diversification(&setting, &empty).index(), None);
}

#[test]
fn a_target_that_one_asset_meets_exactly_is_met() {
    // 50 of cash is exactly the maintenance margin; a target of 1.5 is exactly what cash and half a coin count together.
    for (target, side) in [(1.0, MarginSide::Maintenance), (1.5, MarginSide::Maintenance), (0.975, MarginSide::Initial)]
    {
        let allocation = allocated(&[], target, side);
        assert!(allocation.is_met, "{target} {allocation:?}");
    }
}

#[test]
fn what_counts_for_nothing_is_still_there() {
    let (snapshot, mut rulebook, scenarios) = (snapshot(), rulebook(), set(&[0.0]));
    rulebook.haircut.insert("flat".into(), HaircutSchedule::flat(1.0));
    let options = SweepOptions { engine: EngineChoice::Cpu, ..SweepOptions::default() };
    let swept = sweep(&snapshot, &rulebook, &scenarios, &options, &()).expect("a sweep");
    let rules = Rules::resolve(&rulebook, &snapshot).expect("rules");
    let rows = revalue(&rules, &snapshot, &scenarios, Unshocked::Hold).expect("rows");
    let found = utilisation(&Setting { snapshot: &snapshot, rules: &rules, rows: &rows }, &swept.pools);
    let ether = found[&Holder::Asset(ETH)];
    assert_eq!((ether.value, ether.collateral, ether.requirement, ether.haircut()), (150.0, 0.0, 0.0, Some(1.0)));
    // Three coins of 50 are worth 150, and one of them is all that account b has beside its loan.
    assert_eq!(found[&Holder::Account("b".into())].value, 50.0);
}
