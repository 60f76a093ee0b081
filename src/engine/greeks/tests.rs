//! A book small enough to work out by hand.

use std::collections::BTreeMap;

use ndarray::{Array2, array};

use super::*;
use crate::domain::{
    Asset, Balance, BookBuilder, Instrument, Kind, Payoff, Pool, Position, Premium, Right, Snapshot, Underlying,
};
use crate::engine::{EngineChoice, Outcome, SweepOptions, sweep};
use crate::margin::{MarginClass, Rulebook, Schedule};
use crate::pricing::{Column, European, Greeks, Numeraire, OptionMarket, ShockedMarket};
use crate::scenario::{Factor, FactorKind, ScenarioSet};

/// At the money, a year to go, forward at the index, no rate: d₁ = σ/2 = 0.3.
const INDEX: f64 = 50_000.0;
const SIGMA: f64 = 0.6;
/// N(0.3) and φ(0.3).
const N: f64 = 0.617_911_422_188_952_7;
const PHI: f64 = 0.381_387_815_460_524_1;

const CALL: u32 = 0;
const INVERSE: u32 = 1;
const PERPETUAL: u32 = 2;
const PUT: u32 = 3;
const ETHER: u32 = 4;
const USD: u32 = 2;

/// Positions of each pool, as (instrument, contracts); the last pool is unknown.
const POOLS: [&[(u32, f64)]; 4] = [
    &[(CALL, -2.0), (PERPETUAL, 1.0)],
    &[(CALL, 1.0), (INVERSE, 1_000.0), (PUT, 3.0), (ETHER, -4.0)],
    &[(ETHER, 10.0)],
    &[(PERPETUAL, 1e6)],
];

fn snapshot() -> Snapshot {
    let perpetual = Instrument::perpetual("C", 0, USD, INDEX);
    let inverse = Instrument {
        name: "B".into(),
        payoff: Payoff::Inverse,
        settlement_asset: 0,
        contract_size: 100.0,
        ..perpetual.clone()
    };
    let option = |name: &str, right| Instrument {
        name: name.into(),
        kind: Kind::Option,
        strike: Some(INDEX),
        expiry: "2027-11-22T00:00:00Z".parse().ok(),
        right: Some(right),
        implied_volatility: Some(SIGMA),
        premium: Premium::Margined,
        ..perpetual.clone()
    };
    let instruments = vec![
        option("A", Right::Call),
        inverse,
        perpetual.clone(),
        option("D", Right::Put),
        Instrument::perpetual("E", 1, USD, 3_000.0),
    ];
    let instruments = instruments.into_iter().map(|i| Instrument { margin_class: "any".into(), ..i }).collect();
    let mut book = BookBuilder::default();
    for (at, positions) in POOLS.into_iter().enumerate() {
        let pool = book.pool(&format!("a{at}"), "main");
        book.add_balance(pool, Balance::new(USD, 5_000.0));
        let entry = |instrument| match instrument {
            // What the options are worth.
            CALL | PUT => 11_791.0,
            ETHER => 3_000.0,
            _ => INDEX,
        };
        for &(instrument, quantity) in positions {
            book.add_position(pool, Position::new(instrument, quantity, entry(instrument)));
        }
        if at == POOLS.len() - 1 {
            book.mark_unknown(pool);
        }
    }
    Snapshot {
        as_of: "2026-11-22T00:00:00Z".parse().ok(),
        quote: "USD".into(),
        assets: vec![Asset::new("BTC", INDEX), Asset::new("ETH", 3_000.0), Asset::new("USD", 1.0)],
        underlyings: vec![Underlying::new("BTC", INDEX), Underlying::new("ETH", 3_000.0)],
        instruments,
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: book.build(),
    }
}

fn scenarios() -> ScenarioSet {
    let vol = Factor { kind: FactorKind::Volatility, name: "BTC".into() };
    let time = Factor { kind: FactorKind::Time, name: String::new() };
    ScenarioSet {
        ids: ["still", "up", "down", "later"].map(Into::into).to_vec(),
        weights: vec![1.0; 4],
        labels: vec![String::new(); 4],
        factors: vec![Factor::price("BTC"), Factor::price("ETH"), vol, time],
        shocks: array![[0.0, 0.0, 0.0, 0.0], [0.3, 0.2, 0.1, 0.0], [-0.4, -0.6, 0.5, 0.0], [0.01, 0.0, 0.02, 0.1]],
    }
}

fn swept(snapshot: &Snapshot, engine: EngineChoice) -> Outcome {
    let class = MarginClass::brackets(Schedule::flat(0.01), Schedule::flat(0.02));
    let rulebook =
        Rulebook { name: "flat".into(), margin: BTreeMap::from([("any".into(), class)]), ..Rulebook::default() };
    let options = SweepOptions { engine, ..SweepOptions::default() };
    sweep(snapshot, &rulebook, &scenarios(), &options, &()).expect("the sweep succeeds")
}

/// Largest difference of two sets of Greeks, each relative to the size given.
fn distance(a: Greeks, b: Greeks, size: Greeks) -> f64 {
    let pairs = a.to_array().into_iter().zip(b.to_array()).zip(size.to_array());
    pairs.fold(0.0, |far: f64, ((a, b), size)| if a == b { far } else { far.max((a - b).abs() / size.abs()) })
}

/// Σ quantity · unit Greeks, and Σ |quantity · unit Greeks|, of a pool's positions on an underlying, valued one by one.
fn direct(snapshot: &Snapshot, set: &ScenarioSet, pool: &Pool<'_>, underlying: u32, column: Column) -> [Greeks; 2] {
    let market = ShockedMarket::new(snapshot, set);
    let mut sums = [Greeks::default(); 2];
    for position in pool.positions {
        let instrument = &snapshot.instruments[position.instrument as usize];
        if instrument.underlying == underlying {
            let unit = market.contract(instrument, column).greeks;
            sums[0].add_scaled(position.quantity, unit);
            sums[1].add_scaled(position.quantity.abs(), Greeks::from_array(unit.to_array().map(f64::abs)));
        }
    }
    sums
}

#[test]
fn unshocked_greeks_are_those_worked_out_by_hand() {
    let (snapshot, set) = (snapshot(), scenarios());
    let outcome = swept(&snapshot, EngineChoice::Cpu);
    let rows = GreekSheet::new(&snapshot, &set).of_pools(&outcome.pools, 0..4);
    let places: Vec<(u32, u32)> = rows.iter().map(|row| (row.pool, row.underlying)).collect();
    assert_eq!(places, [(0, 0), (1, 0), (1, 1), (2, 1)], "no row for an underlying not held, none for an unknown pool");
    let gamma = PHI / (INDEX * SIGMA);
    let vega = INDEX * PHI;
    let theta = -vega * SIGMA / 2.0;
    // A linear perpetual is one coin; 1,000 inverse contracts of 100 dollars are two.
    let first =
        Greeks { delta: 1.0 - 2.0 * N, gamma: -2.0 * gamma, vega: -2.0 * vega, theta: -2.0 * theta, ..rows[0].base };
    let delta = N + 2.0 + 3.0 * (N - 1.0);
    let second = Greeks { delta, gamma: 4.0 * gamma, vega: 4.0 * vega, theta: 4.0 * theta, ..rows[1].base };
    for (row, expected) in rows.iter().zip([first, second]) {
        assert!(distance(row.base, expected, expected) < 1e-12, "{row:?}, by hand {expected:?}");
    }
    for (row, delta) in rows[2..].iter().zip([-4.0, 10.0]) {
        assert_eq!(row.base, Greeks { delta, ..Greeks::default() });
    }
}

#[test]
fn greeks_at_the_worst_scenario_are_those_of_that_market() {
    let (snapshot, set) = (snapshot(), scenarios());
    let outcome = swept(&snapshot, EngineChoice::Cpu);
    let rows = GreekSheet::new(&snapshot, &set).of_pools(&outcome.pools, 0..4);
    let mut scenarios = std::collections::BTreeSet::new();
    for row in &rows {
        let worst = outcome.pools[row.pool as usize].worst_scenario as usize;
        scenarios.insert(worst);
        let pool = snapshot.book.pool(row.pool as usize);
        for (greeks, column) in [(row.base, Column::Base), (row.worst, Column::Scenario(worst))] {
            assert_eq!(greeks, direct(&snapshot, &set, &pool, row.underlying, column)[0], "{row:?}");
        }
    }
    assert!(scenarios.len() > 1 && !scenarios.contains(&0), "several worst scenarios: {scenarios:?}");
}

#[test]
fn the_exchange_is_the_sum_of_its_pools() {
    let (snapshot, set) = (snapshot(), scenarios());
    let sheet = GreekSheet::new(&snapshot, &set);
    let rows = sheet.of_scenarios(0..set.len());
    assert_eq!(rows.len(), set.len() * 2);
    for row in &rows {
        let scenario = row.scenario as usize;
        let (mut sum, mut size) = (Greeks::default(), Greeks::default());
        for pool in snapshot.book.pools().filter(|pool| !pool.unknown) {
            let [greeks, gross] = direct(&snapshot, &set, &pool, row.underlying, Column::Scenario(scenario));
            sum.add_scaled(1.0, greeks);
            size.add_scaled(1.0, gross);
        }
        // A dozen roundings on either side.
        assert!(distance(row.greeks, sum, size) < 24.0 * f64::EPSILON, "{row:?}, {sum:?}");
    }
    let outcome = swept(&snapshot, EngineChoice::Cpu);
    for row in rows.iter().filter(|row| row.scenario == 0) {
        let of_pools = sheet.of_pools(&outcome.pools, 0..4);
        let mut sum = Greeks::default();
        let of_underlying = of_pools.iter().filter(|pool| pool.underlying == row.underlying);
        of_underlying.for_each(|pool| sum.add_scaled(1.0, pool.base));
        assert!(distance(row.greeks, sum, Greeks::from_array([100.0; 8])) < 1e-9, "{row:?} {sum:?}");
    }
}

#[test]
fn a_closed_book_nets_to_nothing() {
    let mut snapshot = snapshot();
    let mut book = BookBuilder::default();
    let mut quantity = 0.1;
    for at in 0..2_000 {
        quantity = (quantity * 1.37 + 0.1) % 1_000.0;
        for (side, sign) in [("long", 1.0), ("short", -1.0)] {
            let pool = book.pool(&format!("{side}{at}"), "main");
            book.add_position(pool, Position::new(CALL, sign * quantity, INDEX));
        }
    }
    snapshot.book = book.build();
    let sheet = GreekSheet::new(&snapshot, &scenarios()).net_quantity[CALL as usize];
    assert!(sheet.abs() < 1e-20, "{sheet}");
}

#[test]
fn pieces_and_the_whole_give_one_digest() {
    let (snapshot, set) = (snapshot(), scenarios());
    let outcome = swept(&snapshot, EngineChoice::Cpu);
    let digest = |snapshot: &Snapshot, cuts: &[usize]| {
        let sheet = GreekSheet::new(snapshot, &set);
        let mut digest = GreeksDigest::default();
        cuts.windows(2).for_each(|cut| digest.add_pools(&sheet.of_pools(&outcome.pools, cut[0]..cut[1])));
        digest.add_scenarios(&sheet.of_scenarios(0..set.len()));
        digest.finish()
    };
    let whole = digest(&snapshot, &[0, 4]);
    assert_eq!(whole, digest(&snapshot, &[0, 1, 3, 4]));
    let mut other = snapshot.clone();
    other.instruments[PUT as usize].implied_volatility = Some(SIGMA * (1.0 + f64::EPSILON));
    assert_ne!(whole, digest(&other, &[0, 4]));
}

#[test]
fn a_ladder_moves_one_index_whatever_its_factor() {
    let mut snapshot = snapshot();
    // What drives the index in the scenario set does not matter here.
    snapshot.underlyings[0] = Underlying { factor: "ETH".into(), beta: 1.5, ..snapshot.underlyings[0].clone() };
    let (set, outcome) = (scenarios(), swept(&snapshot, EngineChoice::Cpu));
    let sheet = GreekSheet::new(&snapshot, &set);
    let mut gross = GrossGreeks::default();
    gross.add(&sheet.of_pools(&outcome.pools, 0..4));
    let summary = GreekSummary::new(&sheet, &gross);
    assert_eq!(summary.ladders.len(), 1, "no options on ETH, no ladder");
    let ladder = &summary.ladders[0];
    let plain = self::snapshot();
    for rung in &ladder.rungs {
        let set = ScenarioSet {
            ids: vec!["rung".into()],
            weights: vec![1.0],
            labels: vec![String::new()],
            factors: vec![Factor::price("BTC")],
            shocks: Array2::from_elem((1, 1), rung.index_move),
        };
        let (mut net, mut gross) = (Greeks::default(), Greeks::default());
        for pool in plain.book.pools().filter(|pool| !pool.unknown) {
            let of_pool = direct(&plain, &set, &pool, 0, Column::Scenario(0))[0];
            net.add_scaled(1.0, of_pool);
            gross.add_scaled(1.0, Greeks::from_array(of_pool.to_array().map(f64::abs)));
        }
        assert!(distance(rung.net, net, gross) < 1e-14 && distance(rung.gross, gross, gross) < 1e-14, "{rung:?}");
    }
    let total = summary.underlyings.iter().find(|total| total.underlying == 0).expect("BTC");
    let level = ladder.rungs.iter().find(|rung| rung.index_move == 0.0).expect("the unshocked rung");
    assert!(distance(total.gross, level.gross, level.gross) < 1e-15 && total.pools == 2);
    assert!(distance(total.net, level.net, level.gross) < 1e-15);
}

#[test]
fn losses_are_taken_apart_exactly() {
    let snapshot = snapshot();
    let outcome = swept(&snapshot, EngineChoice::Cpu);
    for engine in [EngineChoice::Cpu, EngineChoice::Reference] {
        assert_eq!(swept(&snapshot, engine).attributions, outcome.attributions);
    }
    let ids: Vec<u32> = outcome.attributions.iter().map(|of| of.scenario).collect();
    let mut expected: Vec<u32> = (0..4).filter(|&s| outcome.scenarios[s as usize].liquidatable_pools > 0).collect();
    let shortfall = |scenario: u32| outcome.scenarios[scenario as usize].shortfall;
    expected.sort_by(|&a, &b| shortfall(b).total_cmp(&shortfall(a)));
    assert!(!ids.is_empty() && ids == expected, "{ids:?} {expected:?}");
    for of in &outcome.attributions {
        assert_eq!(of.pools, outcome.scenarios[of.scenario as usize].liquidatable_pools);
        let Parts { actual, delta, gamma, vega, theta } = of.total;
        assert!((delta + gamma + vega + theta + of.total.rest() - actual).abs() <= 1e-15 * delta.abs().max(vega));
    }
    // The first pool in the scenario that ruins it, from first principles.
    let (scenario, up) = (1, 0.3);
    let of = outcome.attributions.iter().find(|of| of.scenario == scenario).expect("prices rise");
    let loser = of.losers.iter().find(|loser| loser.pool == 0).expect("two short calls").parts;
    let call = European { right: Right::Call, strike: INDEX, numeraire: Numeraire::Quote };
    let value =
        |index, volatility| call.value(&OptionMarket { index, forward: index, volatility, years: 1.0, rate: 0.0 });
    let (rise, vol_rise) = (INDEX * up, SIGMA * 0.1);
    let actual = rise - 2.0 * (value(INDEX + rise, SIGMA + vol_rise) - value(INDEX, SIGMA));
    let expected = Parts {
        actual,
        delta: (1.0 - 2.0 * N) * rise,
        gamma: -PHI / (INDEX * SIGMA) * rise * rise,
        vega: -2.0 * INDEX * PHI * vol_rise,
        theta: 0.0,
    };
    let pairs = [
        (loser.actual, expected.actual),
        (loser.delta, expected.delta),
        (loser.gamma, expected.gamma),
        (loser.vega, expected.vega),
        (loser.theta, expected.theta),
    ];
    assert!(pairs.iter().all(|(found, by_hand)| (found - by_hand).abs() < 1e-8), "{pairs:?}");
}

#[test]
fn parts_include_time_entry_and_funding() {
    let mut snapshot = snapshot();
    let mut book = BookBuilder::default();
    let pool = book.pool("a", "main");
    // Entered below the mark, with funding owed in bitcoin: both are amounts of the coin that moves.
    book.add_position(pool, Position { accrued_funding: -0.2, ..Position::new(INVERSE, -1_000.0, 40_000.0) });
    book.add_position(pool, Position::new(PUT, -1.0, 1_000.0));
    snapshot.book = book.build();
    let outcome = swept(&snapshot, EngineChoice::Cpu);
    let of = outcome.attributions.iter().find(|of| of.scenario == 3).expect("no collateral: liquidatable everywhere");
    let (index, volatility) = (INDEX * 1.01, SIGMA * 1.02);
    let put = European { right: Right::Put, strike: INDEX, numeraire: Numeraire::Quote };
    let value =
        |index, volatility, years| put.value(&OptionMarket { index, forward: index, volatility, years, rate: 0.0 });
    // 1,000 · 100 / 40,000 = 2.5 coins at entry; the contract is worth 100 dollars at any mark.
    let coins = -2.5 - 0.2;
    let actual = coins * (index - INDEX) - (value(index, volatility, 0.9) - value(INDEX, SIGMA, 1.0));
    assert!((of.total.actual - actual).abs() < 1e-8, "{} {actual}", of.total.actual);
    let theta = INDEX * PHI * SIGMA / 2.0 * 0.1;
    assert!((of.total.theta - theta).abs() < 1e-8, "{} {theta}", of.total.theta);
    // What the Greeks of a fresh position leave out: half a coin of earlier profit and the funding, 0.7 coins · 500. The
    // rest of the rest is second order: vanna, charm.
    assert!((of.total.rest() + 350.0).abs() < 50.0, "{:?}", of.total);
}

#[test]
fn legs_add_up_and_share_by_size() {
    let (snapshot, set) = (snapshot(), scenarios());
    let (market, pool) = (ShockedMarket::new(&snapshot, &set), snapshot.book.pool(1));
    for column in [Column::Base, Column::Scenario(2)] {
        let underlyings = legs(&snapshot, &market, &pool, column);
        let names: Vec<u32> = underlyings.iter().map(|of| of.underlying).collect();
        assert_eq!(names, [0, 1]);
        for of in &underlyings {
            assert_eq!(of.total, direct(&snapshot, &set, &pool, of.underlying, column)[0]);
            for greek in 0..8 {
                let shares: f64 = of.legs.iter().map(|leg| of.shares(leg)[greek].abs()).sum();
                assert!(shares == 0.0 || (shares - 1.0).abs() < 1e-15, "{shares}");
            }
        }
    }
}
