//! How factors move rows: units, expiry, and assets that follow their underlying.

mod accuracy;
mod implied;
mod options;
mod properties;

use ndarray::array;

use super::{Column, Rows, Unshocked, revalue};
use crate::domain::{Asset, Balance, BookBuilder, Instrument, Kind, Position, Snapshot, Underlying};
use crate::scenario::{Factor, FactorKind, ScenarioSet};

/// A perpetual and a December future on ETH, priced and settled in BTC, and collateral in ETH.
fn coin_priced() -> Snapshot {
    let perpetual = Instrument::perpetual("PERPETUAL", 1, 0, 0.06);
    let expiry = "2026-12-22T00:00:00Z".parse().ok();
    let future = Instrument { name: "FUTURE".into(), kind: Kind::Future, expiry, ..perpetual.clone() };
    let mut book = BookBuilder::default();
    let pool = book.pool("a", "main");
    book.add_balance(pool, Balance::new(1, 1.0));
    for instrument in [0, 1] {
        book.add_position(pool, Position::new(instrument, 1.0, 0.06));
    }
    Snapshot {
        as_of: "2026-11-22T00:00:00Z".parse().ok(),
        quote: "USD".into(),
        assets: vec![Asset::new("BTC", 50_000.0), Asset::new("ETH", 3_000.0), Asset::new("USD", 1.0)],
        underlyings: vec![
            Underlying::new("BTC", 50_000.0),
            Underlying { factor: "BTC".into(), beta: 1.5, ..Underlying::new("ETH", 3_000.0) },
        ],
        instruments: vec![future, perpetual],
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: book.build(),
    }
}

fn rows(factors: Vec<Factor>, shocks: ndarray::Array2<f64>) -> Rows {
    let n = shocks.nrows();
    let scenarios = ScenarioSet {
        ids: (0..n).map(|k| k.to_string()).collect(),
        weights: vec![1.0; n],
        labels: vec![String::new(); n],
        factors,
        shocks,
    };
    revalue(&coin_priced(), &scenarios, Unshocked::Refuse).expect("rows")
}

fn value(rows: &Rows, row: Option<u32>, scenario: usize) -> f64 {
    rows.value(row.expect("held"), Column::Scenario(scenario))
}

#[test]
fn basis_and_expiry_are_converted_to_the_price_asset() {
    let basis = Factor { kind: FactorKind::Basis, name: "ETH".into() };
    let time = Factor { kind: FactorKind::Time, name: String::new() };
    let rows = rows(vec![Factor::price("BTC"), basis, time], array![[0.0, 0.01, 0.0], [-0.2, 0.0, 0.1]]);
    // 1 % of 3,000 dollars is 0.0006 BTC: the mark becomes 0.0606 BTC, 3,030 dollars.
    assert!((value(&rows, rows.of_instrument(1), 0) - 3_030.0).abs() < 1e-9);
    // BTC −20 % takes ETH down by 30 % (beta 1.5): the future, expired within 0.1 years, settles at 2,100 dollars.
    assert!((value(&rows, rows.of_instrument(0), 1) - 2_100.0).abs() < 1e-9);
}

#[test]
fn an_asset_follows_its_own_column_or_else_its_underlying() {
    let through_factor = rows(vec![Factor::price("BTC")], array![[-0.1]]);
    assert!((value(&through_factor, through_factor.of_asset(1), 0) - 3_000.0 * 0.85).abs() < 1e-9);
    let own = rows(vec![Factor::price("BTC"), Factor::price("ETH")], array![[-0.1, -0.5]]);
    assert!((value(&own, own.of_asset(1), 0) - 1_500.0).abs() < 1e-9, "price · (1 + price:ETH)");
    assert!(own.ignored_factors.is_empty());
}
