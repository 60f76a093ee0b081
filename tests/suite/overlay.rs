//! An overlay in force: what it multiplies, on every engine.

use plimsoll::domain::{BookBuilder, Order, Position, Side, Snapshot};
use plimsoll::engine::{EngineChoice, Explainer, digest};
use plimsoll::margin::{
    HaircutBase, InForce, MarginSide, OrderReserve, Overlay, Requirement, Rules, Setting, SizeUnit, TermSums, revalue,
};
use plimsoll::pricing::{Column, Unshocked};
use plimsoll::scenario::ScenarioSet;

use crate::books::{self, Case};
use crate::engines::{engines, run};

/// Multipliers by underlying; XRP's class also has a scalar.
const IN_FORCE: [(&str, f64, f64); 4] =
    [("BTC", 1.37, 1.13), ("DOGE", 2.5, 2.5), ("SOL", 1.8, 1.0), ("XRP", 1.21, 1.1)];

fn overlay(in_force: &[(&str, f64, f64)]) -> Option<Overlay> {
    let entry = |&(name, initial, maintenance): &(&str, f64, f64)| {
        let since = "2026-11-01T00:00:00Z".parse().expect("a moment");
        (name.to_string(), InForce { initial, maintenance, since, earlier: Vec::new(), model: None })
    };
    Some(Overlay { in_force: in_force.iter().map(entry).collect(), ..Overlay::default() })
}

fn with_overlay(case: &Case, overlay: Option<Overlay>) -> Case {
    let Case { snapshot, rulebook, scenarios } = case;
    let (snapshot, scenarios) = (snapshot.clone(), scenarios.clone());
    Case { snapshot, rulebook: plimsoll::margin::Rulebook { overlay, ..rulebook.clone() }, scenarios }
}

#[test]
fn every_engine_decides_alike_under_an_overlay() {
    for base in [HaircutBase::Balance, HaircutBase::BalanceAndPnl] {
        let plain = books::random(200, 200, 61, base, SizeUnit::Asset);
        let case = with_overlay(&plain, overlay(&IN_FORCE));
        let (without, reference) = (run(&plain, EngineChoice::Reference), run(&case, EngineChoice::Reference));
        let liquidatable = |outcome: &plimsoll::engine::Outcome| -> u64 {
            outcome.scenarios.iter().map(|scenario| scenario.liquidatable_pools).sum()
        };
        assert!(liquidatable(&reference) > liquidatable(&without) + 100, "the overlay must bite");
        for engine in engines() {
            let outcome = run(&case, engine);
            assert_eq!(outcome.pools, reference.pools);
            assert_eq!(digest(&outcome.pools, &outcome.scenarios), digest(&reference.pools, &reference.scenarios));
        }
    }
}

#[test]
fn multipliers_of_one_change_nothing() {
    let plain = books::random(60, 60, 62, HaircutBase::Balance, SizeUnit::Quote);
    let ones = IN_FORCE.map(|(name, ..)| (name, 1.0, 1.0));
    let reference = run(&plain, EngineChoice::Cpu);
    for overlay in [Some(Overlay::default()), overlay(&ones)] {
        let outcome = run(&with_overlay(&plain, overlay), EngineChoice::Cpu);
        assert_eq!(outcome.pools, reference.pools);
        assert_eq!(digest(&outcome.pools, &outcome.scenarios), digest(&reference.pools, &reference.scenarios));
    }
}

/// A pool with one position for each instrument, in stored order.
fn alone(mut snapshot: Snapshot) -> Snapshot {
    let mut builder = BookBuilder::default();
    for (instrument, listed) in (0u32..).zip(&snapshot.instruments) {
        let id = builder.pool(&format!("a{instrument:05}"), "main");
        let (quantity, entry_price) = (-3.0, listed.mark_price);
        let (accrued_funding, side) = (0.0, Side::Net);
        builder.add_position(id, Position { instrument, quantity, entry_price, leverage: None, accrued_funding, side });
        let price = listed.mark_price;
        builder.settings(id).orders = vec![Order { instrument, quantity: 2.0, price, reduces_only: false }];
    }
    snapshot.book = builder.build();
    snapshot
}

/// Requirements of every pool in the unshocked market, the reserve of orders apart.
fn requirements(case: &Case) -> Vec<(Requirement<f64>, f64)> {
    let rules = Rules::resolve(&case.rulebook, &case.snapshot).expect("rules resolve");
    let rows = revalue(&rules, &case.snapshot, &ScenarioSet::default(), Unshocked::Hold).expect("rows");
    let setting = Setting { snapshot: &case.snapshot, rules: &rules, rows: &rows };
    let of = |pool| {
        let required = setting.requirement::<f64>(&pool, &(&rows, Column::Base));
        let reserve = rules.order_reserve(&pool, &case.snapshot);
        (Requirement { initial: required.initial - reserve, ..required }, reserve)
    };
    case.snapshot.book.pools().map(of).collect()
}

#[test]
fn requirements_and_orders_are_multiplied_by_the_number_of_their_side() {
    let mut plain = books::random(1, 1, 63, HaircutBase::Balance, SizeUnit::Asset);
    plain.snapshot = alone(plain.snapshot);
    plain.rulebook.orders = OrderReserve::Initial;
    let case = with_overlay(&plain, overlay(&IN_FORCE));
    let (before, after) = (requirements(&plain), requirements(&case));
    let mut multiplied = 0;
    for ((instrument, before), after) in case.snapshot.instruments.iter().zip(before).zip(after) {
        let underlying = case.snapshot.underlyings[instrument.underlying as usize].name.as_str();
        let by_margin_class = case.rulebook.margin.contains_key(&instrument.margin_class);
        let in_force = IN_FORCE.iter().find(|(name, ..)| *name == underlying && by_margin_class);
        let (initial, maintenance) = in_force.map_or((1.0, 1.0), |&(_, initial, maintenance)| (initial, maintenance));
        let multipliers = Requirement { initial, maintenance };
        for side in MarginSide::ALL {
            let (before, after) = (*before.0.of(side) * multipliers.of(side), *after.0.of(side));
            let allowed = 1e-9 * (before.abs() + after.abs() + 1.0);
            assert!((before - after).abs() <= allowed, "{} {side:?}: {before} {after}", instrument.name);
        }
        let expected = before.1 * initial;
        assert!((expected - after.1).abs() <= 1e-12 * expected, "{}: {expected} {}", instrument.name, after.1);
        multiplied += usize::from(in_force.is_some());
    }
    assert!(multiplied >= 4 * IN_FORCE.len() && multiplied < case.snapshot.instruments.len());
}

#[test]
fn terms_add_up_and_name_the_overlay() {
    let case = with_overlay(&books::random(40, 5, 64, HaircutBase::Balance, SizeUnit::Asset), overlay(&IN_FORCE));
    let (snapshot, rulebook, scenarios) = (&case.snapshot, &case.rulebook, Some(&case.scenarios));
    let explainer = Explainer { snapshot, rulebook, scenarios, unshocked: Unshocked::Refuse };
    let mut named = 0;
    for index in 0..snapshot.book.len() {
        let statement = explainer.explain(index, None).expect("an explanation").base;
        assert!(statement.rounding <= 1e-11 * (1.0 + TermSums::of(&statement.terms).size));
        let names = |term: &&plimsoll::margin::Term| {
            term.alternative.as_ref().is_some_and(|text| text.contains("times tight · the overlay = "))
        };
        named += statement.terms.iter().filter(names).count();
    }
    assert!(named > 0, "some pool holds XRP");
}
