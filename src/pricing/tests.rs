//! How factors move rows: units, expiry, and assets that follow their underlying.

use ndarray::array;

use super::{Column, Rows, Unshocked, revalue};
use crate::domain::{
    Asset, Balance, BookBuilder, Instrument, Kind, Payoff, Position, Premium, Side, Snapshot, Underlying,
};
use crate::scenario::{Factor, FactorKind, ScenarioSet};

/// A perpetual and a December future on ETH, priced and settled in BTC, and collateral in ETH.
fn coin_priced() -> Snapshot {
    let asset = |name: &str, price: f64| Asset {
        name: name.into(),
        price,
        underlying: name.into(),
        haircut_class: None,
        network: None,
    };
    let underlying = |name: &str, price: f64, factor: &str, beta: f64| Underlying {
        name: name.into(),
        index_price: price,
        factor: factor.into(),
        beta,
        volatility_index: None,
        depth_quote: None,
        adv_quote: None,
        open_interest_quote: None,
    };
    let perpetual = Instrument {
        name: "PERPETUAL".into(),
        kind: Kind::Perpetual,
        underlying: 1,
        payoff: Payoff::Linear,
        settlement_asset: 0,
        contract_size: 1.0,
        mark_price: 0.06,
        strike: None,
        expiry: None,
        right: None,
        implied_volatility: None,
        forward_price: None,
        rate: 0.0,
        price_asset: 0,
        premium: Premium::Paid,
        fixed_rate: 1.0,
        margin_class: "any".into(),
    };
    let expiry = "2026-12-22T00:00:00Z".parse().ok();
    let future = Instrument { name: "FUTURE".into(), kind: Kind::Future, expiry, ..perpetual.clone() };
    let mut book = BookBuilder::default();
    let pool = book.pool("a", "main");
    book.add_balance(pool, Balance { asset: 1, amount: 1.0, accrued_interest: 0.0 });
    for instrument in [0, 1] {
        let position = Position {
            instrument,
            quantity: 1.0,
            entry_price: 0.06,
            leverage: None,
            accrued_funding: 0.0,
            side: Side::Net,
        };
        book.add_position(pool, position);
    }
    Snapshot {
        as_of: "2026-11-22T00:00:00Z".parse().ok(),
        quote: "USD".into(),
        assets: vec![asset("BTC", 50_000.0), asset("ETH", 3_000.0), asset("USD", 1.0)],
        underlyings: vec![underlying("BTC", 50_000.0, "BTC", 1.0), underlying("ETH", 3_000.0, "BTC", 1.5)],
        instruments: vec![future, perpetual],
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
