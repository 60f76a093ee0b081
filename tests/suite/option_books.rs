//! Random options on random markets, and books of options and perpetuals.

use ndarray::Array2;
use plimsoll::domain::{
    Asset, Balance, BookBuilder, Instrument, Kind, Payoff, Position, Premium, Right, Snapshot, Underlying,
    VolatilityShock,
};
use plimsoll::margin::{Form, HaircutBase, MarginClass, OrderReserve, Rulebook, Schedule};
use plimsoll::scenario::{Factor, FactorKind, ScenarioSet};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::books::Case;

const COINS: [(&str, f64); 3] = [("BTC", 64_000.0), ("DOGE", 0.12), ("ETH", 3_100.0)];

pub fn asset_index(assets: &[Asset], name: &str) -> u32 {
    assets.iter().position(|asset| asset.name == name).expect("an asset") as u32
}

/// Perpetuals and `n_options` options of every payoff and right on three coins; no book yet.
pub fn market(n_options: usize, seed: u64) -> Snapshot {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut assets: Vec<Asset> = COINS.iter().map(|&(name, price)| Asset::new(name, price)).collect();
    assets.extend([Asset::new("USD", 1.0), Asset::new("USDT", 0.9996)]);
    let underlyings: Vec<Underlying> = COINS
        .iter()
        .map(|&(name, price)| Underlying {
            volatility_shock: VolatilityShock {
                power_up: if name == "BTC" { 0.3 } else { 0.0 },
                power_down: if name == "BTC" { 0.5 } else { 0.0 },
                minimum: 0.05,
                maximum: 4.0,
                ..VolatilityShock::default()
            },
            ..Underlying::new(name, price)
        })
        .collect();
    let expiries = ["2026-11-23", "2026-11-27", "2026-12-25", "2027-03-26", "2027-12-31"];
    let mut instruments = Vec::new();
    for (underlying, &(name, price)) in (0u32..).zip(&COINS) {
        let settlement = asset_index(&assets, "USDT");
        instruments.push(Instrument {
            margin_class: "linear".into(),
            ..Instrument::perpetual(format!("{name}-PERP"), underlying, settlement, price * 1.0002)
        });
    }
    for k in 0..n_options {
        let underlying = random.random_range(0..COINS.len());
        let (name, price) = COINS[underlying];
        let payoff = [Payoff::Linear, Payoff::Inverse, Payoff::Quanto][random.random_range(0..3)];
        let settlement = match payoff {
            Payoff::Linear => "USDT",
            Payoff::Inverse => name,
            Payoff::Quanto => "BTC",
        };
        let expiry = random.random_range(0..expiries.len());
        let forward = price * (1.0 + 0.004 * expiry as f64);
        let premium = if random.random_bool(0.2) { Premium::Margined } else { Premium::Paid };
        let mut option = Instrument {
            kind: Kind::Option,
            payoff,
            strike: Some(price * (0.35 * random.random_range(-1.0..1.0f64)).exp()),
            expiry: Some(format!("{}T08:00:00Z", expiries[expiry]).parse().expect("a time")),
            right: Some(if random.random_bool(0.5) { Right::Call } else { Right::Put }),
            implied_volatility: Some(random.random_range(0.3..1.2)),
            forward_price: Some(forward),
            rate: 0.01 * random.random_range(-1.0..4.0f64).round(),
            price_asset: asset_index(&assets, if payoff == Payoff::Inverse { "USD" } else { "USDT" }),
            premium,
            fixed_rate: if payoff == Payoff::Quanto { 1e-5 } else { 1.0 },
            contract_size: [0.01, 1.0, 10.0][random.random_range(0..3)],
            margin_class: "option".into(),
            ..Instrument::perpetual(
                format!("{name}-{k:05}"),
                underlying as u32,
                asset_index(&assets, settlement),
                price * 0.05,
            )
        };
        if payoff == Payoff::Inverse && random.random_bool(0.1) {
            option.forward_price = None;
        }
        instruments.push(option);
    }
    instruments.sort_by(|a, b| a.name.cmp(&b.name));
    Snapshot {
        as_of: Some("2026-11-22T00:00:00Z".parse().expect("a time")),
        quote: "USD".into(),
        assets,
        underlyings,
        instruments,
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: BookBuilder::default().build(),
    }
}

/// Price, volatility, skew, rate and time shocks; a part of the scenarios moves nothing but prices.
pub fn scenarios(n: usize, seed: u64) -> ScenarioSet {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let of = |kind: FactorKind, name: &str| Factor { kind, name: name.into() };
    let mut factors: Vec<Factor> = COINS.iter().map(|(name, _)| Factor::price(*name)).collect();
    for (name, _) in COINS {
        factors.extend([of(FactorKind::Volatility, name), of(FactorKind::Skew, name), of(FactorKind::Rate, name)]);
    }
    factors.extend([of(FactorKind::Rate, "USDT"), of(FactorKind::Time, ""), of(FactorKind::Basis, "ETH")]);
    let mut shocks = Array2::zeros((n, factors.len()));
    for mut row in shocks.rows_mut() {
        let only_prices = random.random_bool(0.2);
        for (shock, factor) in row.iter_mut().zip(&factors) {
            let wide: f64 = random.random_range(-1.0..1.0);
            *shock = match factor.kind {
                FactorKind::Price => 0.5 * wide.powi(3),
                _ if only_prices => 0.0,
                FactorKind::Volatility => 0.5 * wide + 0.1,
                FactorKind::Skew => 0.2 * wide,
                FactorKind::Rate => 0.02 * wide,
                FactorKind::Basis => 0.01 * wide,
                _ => [0.0, 1.0 / 365.0, 2.0 / 365.0, 10.0 / 365.0][random.random_range(0..4)],
            };
        }
    }
    ScenarioSet {
        ids: (0..n).map(|k| format!("s{k}")).collect(),
        weights: vec![1.0; n],
        labels: vec![String::new(); n],
        factors,
        shocks,
    }
}

fn rulebook() -> Rulebook {
    let schedule = |bounds: &[f64], rates: &[f64]| Schedule {
        form: Form::Marginal,
        bounds: bounds.to_vec(),
        rates: rates.to_vec(),
    };
    let class = MarginClass::brackets;
    let bounds = [5_000.0, 50_000.0];
    let linear = class(schedule(&bounds, &[0.005, 0.01, 0.03]), schedule(&bounds, &[0.01, 0.02, 0.06]));
    let option = class(schedule(&bounds, &[0.05, 0.1, 0.2]), schedule(&bounds, &[0.1, 0.15, 0.3]));
    Rulebook {
        name: "options by notional".into(),
        margin: [("linear".to_string(), linear), ("option".to_string(), option)].into(),
        haircut: [].into(),
        haircut_base: HaircutBase::Balance,
        orders: OrderReserve::None,
        ..Rulebook::default()
    }
}

/// A book of pools that hold options, perpetuals and collateral, roughly at their thresholds.
pub fn random(n_pools: usize, n_scenarios: usize, n_options: usize, seed: u64) -> Case {
    let mut snapshot = market(n_options, seed);
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0xb00c);
    let mut builder = BookBuilder::default();
    for k in 0..n_pools {
        let id = builder.pool(&format!("a{k:05}"), "main");
        let mut notional = 0.0;
        for _ in 0..random.random_range(1..8u32) {
            let index = random.random_range(0..snapshot.instruments.len()) as u32;
            let instrument = &snapshot.instruments[index as usize];
            let size = 10f64.powf(random.random_range(2.0..5.0));
            let index_price = snapshot.underlyings[instrument.underlying as usize].index_price;
            let unit = match instrument.payoff {
                Payoff::Quanto => index_price * instrument.fixed_rate * COINS[0].1,
                _ => index_price,
            };
            notional += size;
            let sign = if random.random_bool(0.5) { 1.0 } else { -1.0 };
            let quantity = sign * size / unit / instrument.contract_size;
            builder.add_position(id, Position::new(index, quantity, instrument.mark_price));
        }
        let asset = asset_index(&snapshot.assets, ["USDT", "USD", "BTC"][random.random_range(0..3)]);
        let value = notional * random.random_range(0.05..0.6);
        builder.add_balance(id, Balance::new(asset, value / snapshot.assets[asset as usize].price));
    }
    snapshot.book = builder.build();
    Case { snapshot, rulebook: rulebook(), scenarios: scenarios(n_scenarios, seed ^ 0x5ce) }
}
