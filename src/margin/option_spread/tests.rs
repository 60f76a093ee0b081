use ndarray::Array2;
use proptest::prelude::*;

use super::*;
use crate::domain::{Asset, BookBuilder, Kind, Side, Snapshot, Underlying};
use crate::margin::option::OptionRequirement;
use crate::margin::{OptionReference, Rules, revalue};
use crate::pricing::{Column, Unshocked};
use crate::scenario::{Factor, FactorKind, ScenarioSet};

const STRIKES: [f64; 4] = [80.0, 95.0, 110.0, 150.0];

fn rulebook() -> Rulebook {
    let class = OptionClass {
        reference: OptionReference::Index,
        mark: MarkIn::Equity,
        maintenance: OptionRequirement { floor: 0.075, put_floor_of_mark: 0.075, ..OptionRequirement::default() },
        initial: OptionRequirement { rate: 0.15, floor: 0.1, ..OptionRequirement::default() },
        call_initial_over_maintenance: 0.0,
        put_initial_over_maintenance: 1.05,
        long_credit: 1.0,
    };
    let classes = BTreeSet::from(["grouped".to_string()]);
    Rulebook {
        option: [("grouped".to_string(), class), ("single".to_string(), class)].into(),
        option_spread: Some(OptionSpread { classes, unpaired_initial: 1.2, unpaired_maintenance: 1.1 }),
        ..Rulebook::default()
    }
}

/// Calls at the strikes, then puts, of one expiry; two contracts to a unit. `legs` are positions in that list, and sizes.
fn snapshot(class: &str, legs: &[(u32, f64)]) -> Snapshot {
    let instruments = (0..8).map(|k| crate::domain::Instrument {
        kind: Kind::Option,
        strike: Some(STRIKES[k % 4]),
        right: Some(if k < 4 { Right::Call } else { Right::Put }),
        expiry: Some("2026-02-01T00:00:00Z".parse().expect("a moment")),
        implied_volatility: Some(0.6),
        forward_price: Some(101.0),
        contract_size: 0.5,
        margin_class: class.into(),
        ..crate::domain::Instrument::perpetual(format!("option {k}"), 0, 0, 1.0)
    });
    let mut builder = BookBuilder::default();
    let pool = builder.pool("a", "main");
    for &(instrument, quantity) in legs {
        builder.add_position(pool, Position { side: Side::Net, ..Position::new(instrument, quantity, 1.0) });
    }
    Snapshot {
        as_of: Some("2026-01-01T00:00:00Z".parse().expect("a moment")),
        quote: "USD".into(),
        assets: vec![Asset::new("USD", 1.0)],
        underlyings: vec![Underlying::new("U", 100.0)],
        instruments: instruments.collect(),
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: builder.build(),
    }
}

/// Still; up a fifth; down a third; half a year later.
fn scenarios() -> ScenarioSet {
    let factors = vec![Factor::price("U"), Factor { kind: FactorKind::Time, name: String::new() }];
    let shocks = [[0.0, 0.0], [0.2, 0.0], [-0.3, 0.0], [0.1, 0.5]].concat();
    ScenarioSet {
        ids: ["still", "up", "down", "later"].map(String::from).into(),
        weights: vec![1.0; 4],
        labels: vec![String::new(); 4],
        factors,
        shocks: Array2::from_shape_vec((4, 2), shocks).expect("four rows"),
    }
}

/// Value, initial and maintenance requirement of the legs under each scenario.
fn required(class: &str, legs: &[(u32, f64)]) -> Vec<(f64, f64, f64)> {
    let (snapshot, set) = (snapshot(class, legs), scenarios());
    let rules = Rules::resolve(&rulebook(), &snapshot).expect("rules");
    let rows = revalue(&rules, &snapshot, &set, Unshocked::Refuse).expect("rows");
    let setting = Setting { snapshot: &snapshot, rules: &rules, rows: &rows };
    let pool = snapshot.book.pool(0);
    let of = |scenario: usize| {
        let market = (setting.rows, Column::Scenario(scenario));
        let required = setting.requirement::<f64>(&pool, &market);
        (setting.raw_equity::<f64>(&pool, &market), required.initial, required.maintenance)
    };
    (0..set.len()).map(of).collect()
}

/// The published formula: the lesser of shorts by themselves and the most that is paid out, as a total requirement.
fn published(legs: &[(u32, f64)], scenario: usize) -> (f64, f64) {
    let payoff = |k: u32, price: f64| {
        let inside = if k < 4 { price - STRIKES[k as usize] } else { STRIKES[k as usize - 4] - price };
        0.5 * inside.max(0.0)
    };
    let at = |price: f64| legs.iter().map(|&(k, quantity)| quantity * payoff(k, price)).sum::<f64>();
    let used = legs.iter().map(|&(k, _)| STRIKES[k as usize % 4]);
    let lowest = used.map(at).fold(at(0.0), f64::min);
    let short_calls = -legs.iter().filter(|(k, _)| *k < 4).map(|(_, quantity)| 0.5 * quantity).sum::<f64>();
    let forward = 101.0 * [1.0, 1.2, 0.7][scenario];
    let by_itself = |short: (u32, f64)| {
        let (value, initial, maintenance) = required("single", &[short])[scenario];
        (initial - value, maintenance - value)
    };
    let shorts = legs.iter().filter(|(_, quantity)| *quantity < 0.0).map(|&leg| by_itself(leg));
    let isolated = shorts.fold((0.0, 0.0), |sum, short| (sum.0 + short.0, sum.1 + short.1));
    let max_loss = |share: f64| share * forward * short_calls.max(0.0) - lowest;
    (isolated.0.min(max_loss(1.2)), isolated.1.min(max_loss(1.1)))
}

proptest! {
    #[test]
    fn a_group_requires_what_is_published_less_what_equity_has_lost(
        sizes in prop::collection::vec(prop_oneof![Just(0.0), -4.0..4.0f64], 8),
    ) {
        let legs: Vec<_> = (0u32..).zip(sizes).filter(|(_, size)| *size != 0.0).collect();
        prop_assume!(!legs.is_empty());
        for (scenario, (value, initial, maintenance)) in required("grouped", &legs).into_iter().enumerate().take(3) {
            let (published_initial, published_maintenance) = published(&legs, scenario);
            for (found, published) in [(initial, published_initial), (maintenance, published_maintenance)] {
                let expected = (published + value).max(0.0);
                prop_assert!((found - expected).abs() <= 1e-9, "{found}, published {published} with {value}");
            }
        }
        // Settled options are cash.
        let later = required("grouped", &legs)[3];
        prop_assert_eq!((later.1, later.2), (0.0, 0.0));
    }

    #[test]
    fn a_position_in_two_parts_requires_what_it_does_whole(
        class in prop_oneof![Just("grouped"), Just("single")],
        sizes in prop::collection::vec(-4.0..4.0f64, 8),
        share in 0.1..0.9f64,
    ) {
        let whole: Vec<_> = (0u32..).zip(sizes).collect();
        let parts: Vec<_> = whole.iter().flat_map(|&(k, q)| [(k, share * q), (k, (1.0 - share) * q)]).collect();
        for (whole, parts) in required(class, &whole).into_iter().zip(required(class, &parts)) {
            prop_assert!((whole.1 - parts.1).abs() <= 1e-9 && (whole.2 - parts.2).abs() <= 1e-9, "{whole:?} {parts:?}");
        }
    }

    #[test]
    fn a_group_never_requires_more_than_its_options_by_themselves_less_credit(
        sizes in prop::collection::vec(-4.0..4.0f64, 8),
    ) {
        let legs: Vec<_> = (0u32..).zip(sizes).collect();
        let longs: Vec<_> = legs.iter().copied().filter(|(_, size)| *size > 0.0).collect();
        let values = || required("single", &longs).iter().map(|required| required.0).collect();
        let long_values: Vec<f64> = if longs.is_empty() { vec![0.0; 4] } else { values() };
        let (grouped, single) = (required("grouped", &legs), required("single", &legs));
        for ((grouped, single), credit) in grouped.iter().zip(&single).zip(long_values).take(3) {
            prop_assert!(grouped.2 <= single.2 + credit + 1e-9 && grouped.1 <= single.1 + credit + 1e-9);
            prop_assert!(grouped.2 >= 0.0 && grouped.2 <= grouped.1 + 1e-9);
        }
    }
}

#[test]
fn classes_that_the_formula_does_not_cover_are_refused() {
    let faults = |change: fn(&mut Rulebook)| {
        let mut rulebook = rulebook();
        change(&mut rulebook);
        Rules::resolve(&rulebook, &snapshot("grouped", &[(0, 1.0)])).expect_err("a fault").to_string()
    };
    assert!(faults(|r| r.option.get_mut("grouped").expect("it").long_credit = 0.5).contains("long_credit 1"));
    assert!(faults(|r| r.option.get_mut("grouped").expect("it").mark = MarkIn::Requirement).contains("mark = "));
    assert!(faults(|r| r.option.get_mut("grouped").expect("it").initial.long_of_mark = 0.1).contains("long_of_mark 0"));
    assert!(faults(|r| r.option.retain(|key, _| key != "grouped")).contains("is an option class"));
    assert!(faults(|r| r.option_spread.as_mut().expect("it").unpaired_initial = -1.0).contains("0 to 100"));
    let mut inverse = snapshot("grouped", &[(0, 1.0)]);
    inverse.instruments[0].payoff = crate::domain::Payoff::Inverse;
    let refused = Rules::resolve(&rulebook(), &inverse).expect_err("a fault").to_string();
    assert!(refused.contains("between linear options"), "{refused}");
}

#[test]
fn an_option_without_its_terms_is_refused() {
    let refused = |change: fn(&mut Instrument)| {
        let mut snapshot = snapshot("grouped", &[(0, -1.0)]);
        change(&mut snapshot.instruments[0]);
        let rules = Rules::resolve(&rulebook(), &snapshot).expect("rules");
        revalue(&rules, &snapshot, &scenarios(), Unshocked::Refuse).expect_err("a fault").to_string()
    };
    assert!(refused(|option| option.strike = Some(f64::INFINITY)).contains("has a finite value"));
    for change in
        [|option: &mut Instrument| option.strike = None, |option: &mut Instrument| option.implied_volatility = None]
    {
        let fault = refused(change);
        assert!(fault.contains("option 0 has strike, right, expiry and volatility"), "{fault}");
    }
}
