//! Charges recomputed from the contracts' Greeks in plain f64, on random small books.

use proptest::prelude::*;

use super::super::{Across, Calendar, Contingency, Counted, Delta, Depeg, Depth, Kind, SlopeUnit};
use super::lowering::{NAMES, book, pair, schedule};
use super::*;
use crate::margin::Form;

/// One holding of BTC: delta in quote units, and what it is in.
struct Held<'b> {
    delta: f64,
    quantity: f64,
    instrument: Option<&'b Instrument>,
}

/// The holdings that BTC moves, in a market; expired ones are cash.
fn held(bench: &Bench, column: Column) -> Vec<Held<'_>> {
    let market = ShockedMarket::new(&bench.snapshot, &bench.scenarios);
    let index = market.index_price(BTC, column);
    let positions = bench.positions.iter().filter_map(|position| {
        let instrument = &bench.snapshot.instruments[position.instrument as usize];
        let is_alive = !market.is_expired(instrument, column);
        let delta = position.quantity * market.contract(instrument, column).greeks.delta * index;
        let held = Held { delta, quantity: position.quantity, instrument: Some(instrument) };
        (instrument.underlying == BTC && is_alive).then_some(held)
    });
    let balances = bench.balances.iter().filter(|balance| balance.asset == BTC);
    let balances = balances.map(|balance| {
        let quantity = balance.amount + balance.accrued_interest;
        Held { delta: quantity * index, quantity, instrument: None }
    });
    positions.chain(balances).collect()
}

fn years(instrument: Option<&Instrument>, column: Column) -> f64 {
    let passed = if column == Column::Scenario(3) { 60.0 } else { 0.0 };
    let days = [("30", 30.0), ("120", 120.0)].into_iter().find_map(|(end, days)| {
        instrument.filter(|instrument| instrument.name.ends_with(end) && instrument.expiry.is_some())?;
        Some(days - passed)
    });
    days.unwrap_or(0.0) / 365.0
}

fn calendar(held: &[Held<'_>], column: Column, of: Across) -> f64 {
    let mut by_days: BTreeMap<u64, f64> = BTreeMap::new();
    for held in held {
        let years = years(held.instrument, column);
        *by_days.entry(years.to_bits()).or_default() += held.delta * (0.075 * years).max(0.01);
    }
    let each: f64 = by_days.values().map(|x| x.abs()).sum();
    match of {
        Across::Each => each,
        Across::Offset => 0.5 * (each - by_days.values().sum::<f64>().abs()),
    }
}

fn delta(held: &[Held<'_>]) -> f64 {
    let long: f64 = held.iter().map(|held| held.delta.max(0.0)).sum();
    let short: f64 = held.iter().map(|held| (-held.delta).max(0.0)).sum();
    0.02 * (long - short).abs() + 0.01 * long.min(short)
}

fn depth(held: &[Held<'_>]) -> f64 {
    let is_option = |held: &Held<'_>| held.instrument.is_some_and(|instrument| instrument.kind == Contract::Option);
    let relieves = |held: &&Held<'_>| is_option(held) && held.quantity > 0.0;
    let relief: f64 = held.iter().filter(relieves).map(|held| held.delta).sum();
    let charged: f64 = held.iter().filter(|held| !relieves(held)).map(|held| held.delta).sum();
    let size = match charged > 0.0 {
        true if relief < 0.0 => (charged + relief).max(0.0),
        false if relief > 0.0 => (charged + relief).min(0.0).abs(),
        _ => charged.abs(),
    };
    size * ((size - 20_000.0).max(0.0) * 1e-6).min(0.1)
}

fn naked_shorts(held: &[Held<'_>], index: f64) -> f64 {
    let mut strikes: BTreeMap<(i64, u64), (f64, f64)> = BTreeMap::new();
    for held in held {
        let Some(Instrument { kind: Contract::Option, strike: Some(strike), expiry: Some(expiry), right, .. }) =
            held.instrument
        else {
            continue;
        };
        let of_strike = strikes.entry((expiry.as_second(), strike.to_bits())).or_default();
        match right {
            Some(Right::Call) => of_strike.0 += held.quantity,
            _ => of_strike.1 += held.quantity,
        }
    }
    let naked = |(calls, puts): &(f64, f64)| match (*calls < 0.0, *puts < 0.0) {
        (true, true) => calls.abs() + puts.abs(),
        (false, false) => 0.0,
        _ => (-(calls + puts)).max(0.0),
    };
    0.01 * index * strikes.values().map(naked).sum::<f64>()
}

fn depeg(held: &[Held<'_>]) -> f64 {
    let of_asset = |asset: u32| -> f64 {
        let settles = |held: &&Held<'_>| held.instrument.is_some_and(|instrument| instrument.price_asset == asset);
        held.iter().filter(settles).map(|held| held.delta).sum()
    };
    let mut deltas = [USD, USDC, USDT].map(of_asset);
    let mut total = 0.0;
    for (a, b) in [(2, 0), (2, 1), (1, 0)] {
        if deltas[a] * deltas[b] < 0.0 {
            let offset = deltas[a].abs().min(deltas[b].abs());
            deltas[a] -= offset * deltas[a].signum();
            deltas[b] -= offset * deltas[b].signum();
            total += 0.01 * offset.min(5e4) + 0.02 * (offset - 5e4).max(0.0);
        }
    }
    total
}

/// The charges above, as components, in their order.
fn kinds() -> [Kind; 6] {
    let calendar = |of| Kind::Calendar(Calendar { minimum: both(0.01), annual: both(0.075), of });
    let depth = Depth {
        threshold: 20_000.0,
        slope: both(1e-6),
        slope_unit: SlopeUnit::Quote,
        maximum: both(0.1),
        relieve_long_options: true,
    };
    let pairs = vec![pair("USDT", "USD"), pair("USDT", "USDC"), pair("USDC", "USD")];
    let of = Counted::NetShortStrikes;
    [
        calendar(Across::Each),
        calendar(Across::Offset),
        Kind::Delta(Delta { net_rate: both(0.02), hedged_rate: both(0.01) }),
        Kind::Depth(depth),
        Kind::Contingency(Contingency { of, rate: both(0.01), amount: both(0.0), confidence: None }),
        Kind::Depeg(Depeg { pairs, rates: schedule(Form::Marginal, &[5e4], &[0.01, 0.02]) }),
    ]
}

proptest! {
    #[test]
    fn charges_are_what_their_formulas_say(
        quantities in prop::collection::vec((0usize..NAMES.len(), -8i32..=8), 0..6),
        balance in -3i32..=3,
    ) {
        let bench = book(&quantities, balance);
        let cover = Cover {
            underlyings: ["BTC".to_string()].into(),
            collateral: ["BTC".to_string()].into(),
            ..Cover::default()
        };
        for (at, kind) in kinds().into_iter().enumerate() {
            let mut cover = cover.clone();
            if matches!(kind, Kind::Contingency(_)) {
                cover.collateral.clear();
            }
            let values = bench.values(Component::of(cover, Per::Underlying, kind)).0;
            for (column, value) in bench.columns().into_iter().zip(values) {
                let held = held(&bench, column);
                let index = ShockedMarket::new(&bench.snapshot, &bench.scenarios).index_price(BTC, column);
                let expected = match at {
                    0 => calendar(&held, column, Across::Each),
                    1 => calendar(&held, column, Across::Offset),
                    2 => delta(&held),
                    3 => depth(&held),
                    4 => naked_shorts(&held, index),
                    _ => depeg(&held),
                };
                let close = (value.maintenance - expected).abs() <= 1e-9 * expected.abs().max(1.0);
                prop_assert!(close, "kind {at}, {column:?}: {} is not {expected}", value.maintenance);
            }
        }
    }
}
