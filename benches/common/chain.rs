//! A chain of options under shocks of everything that moves them.

use plimsoll::domain::{Asset, BookBuilder, Instrument, Kind, Payoff, Position, Premium, Right, Snapshot, Underlying};
use plimsoll::scenario::{Factor, FactorKind, ScenarioSet};

/// Index price, quote units.
const INDEX: f64 = 60_000.0;

/// Coin-settled options on BTC: `expiries` months of 40 strikes, one lot of each held.
pub fn chain(expiries: u32) -> Snapshot {
    let mut instruments = Vec::new();
    for month in 1..=expiries {
        for strike in 0..40 {
            let perpetual = Instrument::perpetual(format!("BTC-{month:02}-{strike:02}"), 0, 0, 0.02);
            instruments.push(Instrument {
                kind: Kind::Option,
                payoff: Payoff::Inverse,
                price_asset: 1,
                strike: Some(INDEX * (0.5 + f64::from(strike) / 40.0)),
                expiry: format!("20{}-{:02}-25T08:00:00Z", 26 + (month - 1) / 12, (month - 1) % 12 + 1).parse().ok(),
                right: Some(if strike % 2 == 0 { Right::Call } else { Right::Put }),
                implied_volatility: Some(0.4 + 0.01 * f64::from(strike)),
                forward_price: Some(INDEX * (1.0 + 0.004 * f64::from(month))),
                premium: Premium::Paid,
                ..perpetual
            });
        }
    }
    instruments.sort_by(|a, b| a.name.cmp(&b.name));
    let mut book = BookBuilder::default();
    let pool = book.pool("a", "main");
    (0u32..).zip(&instruments).for_each(|(index, _)| book.add_position(pool, Position::new(index, 1.0, 0.02)));
    Snapshot {
        as_of: "2025-12-31T00:00:00Z".parse().ok(),
        quote: "USD".into(),
        assets: vec![Asset::new("BTC", INDEX), Asset::new("USD", 1.0)],
        underlyings: vec![Underlying::new("BTC", INDEX)],
        instruments,
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: book.build(),
    }
}

/// Price and volatility shocks, all different.
pub fn shocks(count: usize) -> ScenarioSet {
    let factors = vec![Factor::price("BTC"), Factor { kind: FactorKind::Volatility, name: "BTC".into() }];
    let spread = |k: usize, stride: f64| (k as f64 * stride).fract() - 0.5;
    ScenarioSet {
        ids: (0..count).map(|k| k.to_string()).collect(),
        weights: vec![1.0; count],
        labels: vec![String::new(); count],
        factors,
        shocks: ndarray::Array2::from_shape_fn((count, 2), |(k, column)| match column {
            0 => 0.6 * spread(k, 0.618_033_988_749_894_9),
            _ => 0.8 * spread(k, 0.754_877_666_246_692_8),
        }),
    }
}
