//! Back-tests of small books by hand.

use ndarray::Array2;

use super::*;
use crate::domain::{
    Asset, Balance, BookBuilder, Instrument, Kind, Payoff, Position, Premium, Right, Snapshot, Underlying,
};
use crate::error::Error;
use crate::margin::{MarginClass, Rulebook, Schedule};
use crate::pricing::Unshocked;
use crate::scenario::{Factor, ScenarioSet};

const NONE: f64 = f64::NAN;

const OPTIONS: Options = Options {
    requirement: Requirement::Initial,
    loss_of: LossOf::Equity,
    unshocked: Unshocked::Refuse,
    level: 0.9,
    horizon: 1,
    rows_per_day: 1,
    rolling: None,
};

fn instrument(name: &str, kind: Kind, days: Option<i64>) -> Instrument {
    let expiry = days.map(|days| as_of() + jiff::SignedDuration::from_hours(24 * days));
    Instrument { kind, expiry, margin_class: "all".into(), ..Instrument::perpetual(name, 0, 1, 100.0) }
}

fn option(name: &str, strike: f64, right: Right) -> Instrument {
    Instrument {
        strike: Some(strike),
        right: Some(right),
        implied_volatility: Some(0.6),
        premium: Premium::Margined,
        ..instrument(name, Kind::Option, Some(30))
    }
}

fn as_of() -> jiff::Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// BTC at 100 with a perpetual, two futures and a chain; one pool with 2 perpetuals and half a coin, one with a coin alone.
fn snapshot() -> Snapshot {
    let mut instruments = vec![
        option("BTC-105-C", 105.0, Right::Call),
        option("BTC-111-C", 111.0, Right::Call),
        option("BTC-130-C", 130.0, Right::Call),
        option("BTC-91-P", 91.0, Right::Put),
        option("BTC-98-P", 98.0, Right::Put),
        instrument("BTC-F1", Kind::Future, Some(90)),
        instrument("BTC-F2", Kind::Future, Some(180)),
        instrument("BTC-OLD", Kind::Future, Some(-1)),
        instrument("BTC-PERP", Kind::Perpetual, None),
    ];
    instruments.sort_by(|a, b| a.name.cmp(&b.name));
    let perpetual = instruments.iter().position(|instrument| instrument.name == "BTC-PERP").unwrap() as u32;
    let mut book = BookBuilder::default();
    let pool = book.pool("a", "main");
    book.add_position(pool, Position::new(perpetual, 2.0, 90.0));
    book.add_balance(pool, Balance::new(0, 0.5));
    let idle = book.pool("b", "main");
    book.add_balance(idle, Balance::new(0, 1.0));
    Snapshot {
        as_of: Some(as_of()),
        quote: "USD".into(),
        assets: vec![Asset::new("BTC", 100.0), Asset::new("USD", 1.0)],
        underlyings: vec![Underlying::new("BTC", 100.0)],
        instruments,
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: book.build(),
    }
}

fn rulebook() -> Rulebook {
    let class = MarginClass::brackets(Schedule::flat(0.05), Schedule::flat(0.1));
    Rulebook { margin: [("all".to_owned(), class)].into(), ..Rulebook::default() }
}

fn history(shocks: &[f64]) -> ScenarioSet {
    let n = shocks.len();
    ScenarioSet {
        ids: (0..n).map(|row| row.to_string()).collect(),
        weights: vec![1.0; n],
        labels: vec![String::new(); n],
        factors: vec![Factor::price("BTC")],
        shocks: Array2::from_shape_vec((n, 1), shocks.to_vec()).unwrap(),
    }
}

fn book_test(shocks: &[f64], options: Options) -> BookTest {
    let rulebook = rulebook();
    Backtest::new(&rulebook, &history(shocks), options).unwrap().book(&snapshot(), &()).unwrap()
}

/// The positions require 10 % of 200 = 20 and lose 10, 30, −40, nothing known, 22; with the coin 12.5, 37.5, −50, 27.5.
#[test]
fn losses_of_a_pool_by_hand() {
    let shocks = [-0.05, -0.15, 0.2, NONE, -0.11];
    for (loss_of, sum, largest) in [(LossOf::Positions, 12.0, 10.0), (LossOf::Equity, 25.0, 17.5)] {
        let test = book_test(&shocks, Options { loss_of, ..OPTIONS });
        assert_eq!((test.pools.len(), test.without_requirement, test.unknown), (1, 1, 0));
        let tested = &test.pools[0].tested[0];
        assert_eq!(tested.requirement, 20.0);
        let coverage = tested.coverage;
        assert_eq!((coverage.observations, coverage.exceedances), (4, 2));
        assert!((coverage.shortfall_sum - sum).abs() < 1e-9 && (coverage.shortfall_max - largest).abs() < 1e-9);
        assert_eq!(coverage.transitions, Transitions { miss_miss: 0, miss_hit: 2, hit_miss: 1, hit_hit: 0 });
        assert_eq!(test.pooled, test.pools[0].tested);
    }
    let maintenance = book_test(&shocks, Options { requirement: Requirement::Maintenance, ..OPTIONS });
    assert_eq!(maintenance.pools[0].tested[0].coverage.exceedances, 3);
}

/// Two rows of −6 % lose 1 − 0.94² = 11.64 %: 23.28 of positions of 200, above 20.
#[test]
fn a_longer_horizon_compounds() {
    let shocks = [-0.06, -0.06, 0.0];
    let options = Options { loss_of: LossOf::Positions, ..OPTIONS };
    assert_eq!(book_test(&shocks, options).pools[0].tested[0].coverage.exceedances, 0);
    let coverage = book_test(&shocks, Options { horizon: 2, ..options }).pools[0].tested[0].coverage;
    assert_eq!((coverage.observations, coverage.exceedances), (2, 1));
    assert!((coverage.shortfall_max - 3.28).abs() < 1e-9);
}

/// A window of two and level 90 %: the larger of the two losses before, at least 0.
#[test]
fn a_rolling_requirement_is_tested_with_each_tool() {
    let buffer = Buffer { share: 0.25, rise_rows: 1, rise: 0.2, rebuild_rows: 1 };
    let rolling = Rolling { window: 2, floor_window: 3, stressed_weight: 0.25, buffer };
    let options = Options { loss_of: LossOf::Positions, rolling: Some(rolling), ..OPTIONS };
    let test = book_test(&[-0.05, -0.1, -0.11, 0.02, 0.02, -0.01], options);
    let tested = &test.pools[0].tested;
    let models = [Model::Rulebook, Model::Rolling, Model::Buffer, Model::StressedWeight, Model::Floor];
    assert_eq!(tested.iter().map(|tested| tested.model).collect::<Vec<_>>(), models);
    // Losses 10, 20, 22, −4, −4, 2; required of the last four: 20, 22, 22, 0.
    let counts = tested.iter().map(|tested| (tested.coverage.observations, tested.coverage.exceedances));
    assert_eq!(counts.collect::<Vec<_>>(), [(6, 1), (4, 2), (4, 1), (4, 1), (4, 1)]);
    let means = [20.0, 16.0, 20.0, 17.375, 21.5];
    for (tested, mean) in tested.iter().zip(means) {
        assert!((tested.requirement - mean).abs() < 1e-9, "{tested:?}");
    }
    assert_eq!(tested[4].procyclicality.unwrap().peak_to_trough.map(|ratio| (ratio * 10.0).round()), Some(11.0));
}

#[test]
fn synthetic_portfolios_hold_what_their_shape_says() {
    let snapshot = snapshot();
    let (portfolios, left_out) = synthetic(&snapshot);
    assert_eq!(left_out, []);
    let held = |shape: Shape| -> Vec<(String, f64)> {
        let portfolio = portfolios.iter().find(|portfolio| portfolio.shape == shape).unwrap();
        let name = |position: &Position| snapshot.instruments[position.instrument as usize].name.clone();
        portfolio.positions.iter().map(|position| (name(position), position.quantity)).collect()
    };
    let legs = |legs: &[(&str, f64)]| legs.iter().map(|(name, size)| (name.to_string(), *size)).collect::<Vec<_>>();
    assert_eq!(held(Shape::OutrightLong), legs(&[("BTC-PERP", 1000.0)]));
    assert_eq!(held(Shape::OutrightShort), legs(&[("BTC-PERP", -1000.0)]));
    assert_eq!(held(Shape::Calendar), legs(&[("BTC-F1", 1000.0), ("BTC-F2", -1000.0)]));
    assert_eq!(held(Shape::ShortStrangle), legs(&[("BTC-111-C", -1000.0), ("BTC-91-P", -1000.0)]));
    assert_eq!(held(Shape::HedgedSpot), legs(&[("BTC-PERP", -1000.0)]));
    let hedge = &held(Shape::HedgedOption)[1];
    assert!(hedge.0 == "BTC-PERP" && hedge.1 > 200.0 && hedge.1 < 350.0, "{hedge:?}");
}

#[test]
fn what_cannot_be_built_or_margined_is_left_out_with_a_reason() {
    let mut snapshot = snapshot();
    snapshot.instruments.iter_mut().for_each(|instrument| match instrument.kind {
        Kind::Option => instrument.right = Some(Right::Call),
        Kind::Future => instrument.payoff = Payoff::Inverse,
        _ => {}
    });
    let rulebook = rulebook();
    let shocks = [-0.05, -0.15];
    let backtest = Backtest::new(&rulebook, &history(&shocks), OPTIONS).unwrap();
    let (tested, left_out) = backtest.synthetic(&snapshot);
    let shapes: Vec<_> = tested.iter().map(|tested| tested.portfolio.shape).collect();
    assert_eq!(shapes, [Shape::OutrightLong, Shape::OutrightShort, Shape::HedgedSpot]);
    // A hedge of equal legs loses nothing; an outright of 100,000 requires 10,000 and loses 5,000 and 15,000.
    assert_eq!(tested[2].tested[0].coverage.exceedances, 0);
    assert_eq!(tested[0].tested[0].coverage.shortfall_sum.round(), 5000.0);
    let left: Vec<_> = left_out.iter().map(|left_out| left_out.shape).collect();
    assert_eq!(left, [Shape::Calendar, Shape::ShortStrangle, Shape::HedgedOption]);
    snapshot.instruments.iter_mut().for_each(|instrument| instrument.margin_class = "unknown".into());
    let (tested, left_out) = backtest.synthetic(&snapshot);
    assert!(tested.is_empty());
    assert!(left_out[5].reason.contains("margin class \"unknown\""), "{left_out:?}");
}

#[test]
fn options_out_of_range_are_refused() {
    let rulebook = rulebook();
    let buffer = Buffer::of_share(0.25, 1);
    let rolling = Rolling { window: 2, floor_window: 2, stressed_weight: 0.25, buffer };
    let with = |rolling: Rolling| Options { rolling: Some(rolling), ..OPTIONS };
    for options in [
        Options { level: 1.0, ..OPTIONS },
        Options { level: NONE, ..OPTIONS },
        Options { horizon: 3, ..OPTIONS },
        with(Rolling { window: 0, ..rolling }),
        with(Rolling { floor_window: 1, ..rolling }),
        with(Rolling { stressed_weight: 1.5, ..rolling }),
        with(Rolling { buffer: Buffer { share: NONE, ..buffer }, ..rolling }),
    ] {
        let refused = Backtest::new(&rulebook, &history(&[0.1, -0.1]), options);
        assert!(matches!(refused, Err(Error::Usage(_))), "{options:?}");
    }
    let absent =
        Backtest::new(&rulebook, &ScenarioSet { factors: vec![Factor::price("ETH")], ..history(&[0.1]) }, OPTIONS);
    assert!(matches!(absent.unwrap().book(&snapshot(), &()), Err(Error::Refused(_))));
}
