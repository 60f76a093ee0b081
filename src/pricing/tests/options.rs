//! Options in rows: the same bits however they are asked for, and what time does to them.

use ndarray::{Array2, array};

use super::super::{Column, ContractValue, OptionRow, Rows, ShockedMarket, Unshocked, option_unit_value, revalue};
use crate::domain::{
    Asset, BookBuilder, Instrument, Kind, Payoff, Position, Premium, Right, Snapshot, Underlying, VolatilityShock,
};
use crate::scenario::{Factor, FactorKind, ScenarioSet};

/// A coin-settled put, a linear call and a perpetual, all on BTC; 30 days to expiry.
fn snapshot() -> Snapshot {
    let perpetual = Instrument::perpetual("PERPETUAL", 0, 1, 60_000.0);
    let call = Instrument {
        kind: Kind::Option,
        strike: Some(64_000.0),
        expiry: "2026-12-22T00:00:00Z".parse().ok(),
        right: Some(Right::Call),
        implied_volatility: Some(0.55),
        forward_price: Some(60_300.0),
        premium: Premium::Paid,
        rate: 0.02,
        ..Instrument::perpetual("CALL", 0, 1, 1_200.0)
    };
    let put = Instrument {
        name: "PUT".into(),
        payoff: Payoff::Inverse,
        settlement_asset: 0,
        right: Some(Right::Put),
        strike: Some(55_000.0),
        ..call.clone()
    };
    let mut book = BookBuilder::default();
    let pool = book.pool("a", "main");
    (0..3).for_each(|instrument| book.add_position(pool, Position::new(instrument, 1.0, 0.02)));
    let volatility_shock =
        VolatilityShock { power_up: 0.3, power_down: 0.15, maximum: 3.0, ..VolatilityShock::default() };
    Snapshot {
        as_of: "2026-11-22T00:00:00Z".parse().ok(),
        quote: "USD".into(),
        assets: vec![Asset::new("BTC", 60_000.0), Asset::new("USD", 1.0)],
        underlyings: vec![Underlying { volatility_shock, ..Underlying::new("BTC", 60_000.0) }],
        instruments: vec![call, perpetual, put],
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: book.build(),
    }
}

fn set(factors: Vec<Factor>, shocks: Array2<f64>) -> ScenarioSet {
    let n = shocks.nrows();
    ScenarioSet {
        ids: (0..n).map(|k| k.to_string()).collect(),
        weights: vec![1.0; n],
        labels: vec![String::new(); n],
        factors,
        shocks,
    }
}

fn factor(kind: FactorKind, name: &str) -> Factor {
    Factor { kind, name: name.into() }
}

/// Shocks of everything, some cells not quoted, some scenarios past expiry; more than one block and not a whole number of them.
fn everything() -> ScenarioSet {
    let factors = vec![
        Factor::price("BTC"),
        factor(FactorKind::Basis, "BTC"),
        factor(FactorKind::Volatility, "BTC"),
        factor(FactorKind::Skew, "BTC"),
        factor(FactorKind::Rate, "USD"),
        factor(FactorKind::Time, ""),
    ];
    let sizes = [1.2, 0.02, 1.6, 0.5, 0.1, 0.15];
    let shocks = Array2::from_shape_fn((43, 6), |(scenario, column)| {
        let turn = ((scenario * 7 + column * 11) % 43) as f64 / 43.0;
        match (scenario % 9, column) {
            (4, _) => f64::NAN,
            (_, 5) => turn * sizes[5],
            _ => (turn - 0.5) * sizes[column],
        }
    });
    set(factors, shocks)
}

fn rows(scenarios: &ScenarioSet) -> Rows {
    revalue(&snapshot(), scenarios, Unshocked::Refuse).expect("rows")
}

#[test]
fn rows_and_contracts_are_the_same_bits() {
    let (snapshot, scenarios) = (snapshot(), everything());
    let rows = rows(&scenarios);
    let market = ShockedMarket::new(&snapshot, &scenarios);
    let mut expired = 0;
    for (index, instrument) in (0u32..).zip(&snapshot.instruments) {
        let mut contracts = vec![ContractValue::default(); scenarios.len()];
        market.contracts(instrument, 0, &mut contracts);
        let row = rows.of_instrument(index).expect("held");
        for (scenario, contract) in contracts.iter().enumerate() {
            let column = Column::Scenario(scenario);
            let single = market.contract(instrument, column);
            assert_eq!(contract.value.to_bits(), single.value.to_bits(), "{} {scenario}", instrument.name);
            assert_eq!(
                contract.greeks.to_array().map(f64::to_bits),
                single.greeks.to_array().map(f64::to_bits),
                "{} {scenario}",
                instrument.name
            );
            assert_eq!(rows.value(row, column).to_bits(), single.value.to_bits(), "{} {scenario}", instrument.name);
            let option = market.option(instrument, column);
            expired += usize::from(option.is_some_and(|(_, state)| state.years == 0.0));
        }
        let base = market.contract(instrument, Column::Base);
        assert_eq!(rows.value(row, Column::Base).to_bits(), base.value.to_bits());
    }
    assert!(expired > 10, "only {expired} options expire on the way");
}

/// Outputs asked for fewer at a time, or from a later scenario on, are the same.
#[test]
fn a_part_of_a_row_is_that_part() {
    let (snapshot, scenarios) = (snapshot(), everything());
    let market = ShockedMarket::new(&snapshot, &scenarios);
    let row = OptionRow::of(&market, &snapshot.instruments[2]).expect("an option");
    let mut all = [[0.0; 43]; 9];
    row.price(0, all.each_mut().map(|output| output.as_mut_slice()));
    let mut some = [[0.0; 20]; 5];
    row.price(17, some.each_mut().map(|output| output.as_mut_slice()));
    for output in 0..5 {
        assert_eq!(some[output], all[output][17..37]);
    }
    let values = rows(&scenarios);
    for scenario in 0..43 {
        let state = row.market(Column::Scenario(scenario));
        let coins = option_unit_value(&snapshot.instruments[2], all[0][scenario], state.index);
        let price = market.asset_price(0, Column::Scenario(scenario));
        assert_eq!(coins * price, values.value(values.of_instrument(2).expect("held"), Column::Scenario(scenario)));
    }
}

#[test]
fn time_takes_options_across_their_expiry() {
    let shocks = array![[0.1, 0.0], [0.1, 0.04], [0.1, 30.0 / 365.0], [0.1, 1.0], [-0.2, 1.0]];
    let scenarios = set(vec![Factor::price("BTC"), factor(FactorKind::Time, "")], shocks);
    let rows = rows(&scenarios);
    let value =
        |instrument, scenario| rows.value(rows.of_instrument(instrument).expect("held"), Column::Scenario(scenario));
    // BTC +10 %: 66,000, the call is worth 2,000 at expiry, more before, and less and less so.
    assert!(value(0, 0) > value(0, 1) && value(0, 1) > value(0, 2));
    assert!((value(0, 2) - 2_000.0).abs() < 1e-6 && (value(0, 3) - 2_000.0).abs() < 1e-6);
    // BTC −20 %: 48,000, the put pays 7,000 dollars' worth of coins.
    assert!((value(2, 4) - 7_000.0).abs() < 1e-6 && value(0, 4) == 0.0);
}

#[test]
fn a_negative_forward_is_refused_also_where_time_passes() {
    let factors = vec![Factor::price("BTC"), factor(FactorKind::Basis, "BTC"), factor(FactorKind::Time, "")];
    for time in [0.0, 0.01] {
        let scenarios = set(factors.clone(), array![[0.0, 0.0, 0.0], [0.0, -1.1, time]]);
        let refused = revalue(&snapshot(), &scenarios, Unshocked::Refuse).expect_err("a forward of −5,700");
        let text = format!("{refused:?}");
        assert!(text.contains("a shocked forward price is ≥ 0"), "{text}");
    }
}
