//! Random books under rulebooks of components: contracts and options of every payoff on three coins, held one way, hedged,
//! as strangles and as calendars.

use ndarray::Array2;
use plimsoll::domain::{
    Asset, Balance, BookBuilder, Instrument, InstrumentIndex, Kind, Mode, Payoff, Position, Right, Side, Snapshot,
    Underlying,
};
use plimsoll::margin::Rulebook;
use plimsoll::pricing::unit_value;
use plimsoll::scenario::{Factor, FactorKind, ScenarioSet};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::books::Case;
use crate::option_books::asset_index;

/// Coins in the order of the underlyings.
pub const COINS: [(&str, f64); 3] = [("BTC", 60_000.0), ("ETH", 3_000.0), ("SOL", 150.0)];
const EXPIRIES: [&str; 3] = ["2026-11-27", "2026-12-25", "2027-03-26"];
const MONEYNESS: [f64; 3] = [0.9, 1.0, 1.15];

pub const POOLS: usize = 40;
pub const SCENARIOS: usize = 48;

/// What a test adds to a contract's name for its twin: the same contract listed again.
pub const TWIN: &str = "-TWIN";

/// Assets, underlyings with everything that rules may read, and instruments; every contract twice.
pub fn market() -> Snapshot {
    let mut assets: Vec<Asset> = COINS.iter().map(|&(name, price)| Asset::new(name, price)).collect();
    assets.extend([Asset::new("USD", 1.0), Asset::new("USDC", 0.9998), Asset::new("USDT", 1.0004)]);
    for asset in &mut assets {
        let is_coin = COINS.iter().any(|(name, _)| *name == asset.name);
        asset.haircut_class = (asset.name != "USD").then(|| if is_coin { "coin" } else { "stable" }.into());
    }
    let underlying = |(at, &(name, price)): (usize, &(&str, f64))| Underlying {
        volatility_index: Some(0.5 + 0.2 * at as f64),
        depth_quote: Some(4e6 / (1.0 + at as f64)),
        adv_quote: Some(3e7 / (1.0 + at as f64)),
        open_interest_quote: Some(6e6 / (1.0 + at as f64)),
        confidence: [1.0, 0.95, 0.5][at],
        ..Underlying::new(name, price)
    };
    let underlyings = COINS.iter().enumerate().map(underlying).collect();
    let mut instruments: Vec<Instrument> =
        (0u32..).zip(COINS).flat_map(|(underlying, coin)| contracts(underlying, coin, &assets)).collect();
    let twin = |instrument: &Instrument| Instrument { name: instrument.name.clone() + TWIN, ..instrument.clone() };
    let twins: Vec<Instrument> = instruments.iter().map(twin).collect();
    instruments.extend(twins);
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

/// Perpetuals, futures, spot, and a chain whose second expiry settles in the coin.
fn contracts(underlying: u32, (name, price): (&str, f64), assets: &[Asset]) -> Vec<Instrument> {
    let [coin, dollar, circle, tether] = [name, "USD", "USDC", "USDT"].map(|name| asset_index(assets, name));
    let linear = Instrument {
        margin_class: "contract".into(),
        ..Instrument::perpetual(format!("{name}-USDT"), underlying, tether, price * 1.0004)
    };
    let inverse = Instrument {
        name: format!("{name}-USD"),
        payoff: Payoff::Inverse,
        settlement_asset: coin,
        price_asset: dollar,
        contract_size: 100.0,
        mark_price: price * 0.9998,
        ..linear.clone()
    };
    let spot = Instrument { name: format!("{name}-SPOT"), kind: Kind::Spot, mark_price: price, ..linear.clone() };
    let mut contracts = vec![linear.clone(), inverse, spot];
    for (at, expiry) in EXPIRIES.into_iter().enumerate() {
        let carry = 1.0 + 0.004 * (at as f64 + 1.0);
        let dated = Instrument {
            name: format!("{name}-{expiry}"),
            kind: Kind::Future,
            settlement_asset: circle,
            price_asset: circle,
            mark_price: price * carry,
            expiry: Some(format!("{expiry}T08:00:00Z").parse().expect("a time")),
            ..linear.clone()
        };
        let in_coin = at == 1;
        for (k, moneyness) in MONEYNESS.into_iter().enumerate() {
            for (right, letter) in [(Right::Call, 'C'), (Right::Put, 'P')] {
                contracts.push(Instrument {
                    name: format!("{name}-{expiry}-{k}-{letter}"),
                    kind: Kind::Option,
                    payoff: if in_coin { Payoff::Inverse } else { Payoff::Linear },
                    settlement_asset: if in_coin { coin } else { circle },
                    price_asset: if in_coin { dollar } else { circle },
                    contract_size: [1.0, 0.1][k % 2],
                    mark_price: 0.05 * price,
                    strike: Some(price * moneyness),
                    right: Some(right),
                    implied_volatility: Some(0.5 + 0.05 * k as f64 + 0.1 * f64::from(underlying)),
                    forward_price: Some(price * carry),
                    rate: 0.02,
                    ..dated.clone()
                });
            }
        }
        contracts.push(dated);
    }
    contracts
}

/// How a pool holds a coin's contracts.
#[derive(Debug, Clone, Copy)]
enum Style {
    OneWay,
    Hedged,
    Strangle,
    Calendar,
    Anything,
}

const STYLES: [Style; 5] = [Style::OneWay, Style::Hedged, Style::Strangle, Style::Calendar, Style::Anything];

/// Names of what a pool of a style holds of a coin, and how much of each: shares of the pool's size.
fn holdings(style: Style, coin: &str, random: &mut ChaCha8Rng) -> Vec<(String, f64)> {
    let sign = if random.random_bool(0.5) { 1.0 } else { -1.0 };
    let expiry = random.random_range(0..EXPIRIES.len());
    let dated = |at: usize| format!("{coin}-{}", EXPIRIES[at % EXPIRIES.len()]);
    let option = |at: usize, strike: usize, letter: char| format!("{}-{strike}-{letter}", dated(at));
    match style {
        Style::OneWay => vec![(format!("{coin}-USDT"), sign)],
        Style::Hedged => {
            let hedge = [format!("{coin}-USD"), dated(expiry), format!("{coin}-SPOT")];
            vec![
                (format!("{coin}-USDT"), -sign),
                (hedge[random.random_range(0..3)].clone(), sign * random.random_range(0.7..1.2)),
            ]
        }
        Style::Strangle => vec![
            (option(expiry, 2, 'C'), -random.random_range(0.5..1.0)),
            (option(expiry, 0, 'P'), -random.random_range(0.5..1.0)),
            (format!("{coin}-USDT"), 0.2 * sign),
        ],
        Style::Calendar => vec![
            (dated(expiry), sign),
            (dated(expiry + 1), -0.9 * sign),
            (option(expiry, 1, 'C'), -0.5 * sign),
            (option(expiry + 1, 1, 'C'), 0.6 * sign),
        ],
        Style::Anything => (0..random.random_range(1..7usize))
            .map(|at| {
                let letter = if random.random_bool(0.5) { 'C' } else { 'P' };
                (option(expiry + at, at / 3, letter), random.random_range(-1.0..1.0))
            })
            .collect(),
    }
}

/// Value of one contract at the index, quote units.
fn unit(market: &Snapshot, index: InstrumentIndex) -> f64 {
    let instrument = &market.instruments[index as usize];
    let price = market.underlyings[instrument.underlying as usize].index_price;
    match (instrument.kind, instrument.payoff) {
        (Kind::Option, _) | (_, Payoff::Linear) => instrument.contract_size * price,
        _ => unit_value(instrument, instrument.mark_price).abs() * price,
    }
}

/// Place of an instrument.
pub fn instrument(market: &Snapshot, name: &str) -> InstrumentIndex {
    market.instruments.iter().position(|instrument| instrument.name == name).expect("a listed instrument") as u32
}

fn random_pool(market: &Snapshot, random: &mut ChaCha8Rng) -> (Vec<Balance>, Vec<Position>) {
    let mut positions: Vec<Position> = Vec::new();
    let mut gross = 0.0;
    for _ in 0..random.random_range(1..4u32) {
        let (style, coin) = (STYLES[random.random_range(0..STYLES.len())], random.random_range(0..COINS.len()));
        let size = 10f64.powf(random.random_range(3.0..6.5));
        for (name, share) in holdings(style, COINS[coin].0, random) {
            let index = instrument(market, &name);
            if positions.iter().any(|position| position.instrument == index) {
                continue;
            }
            // Multiples of 2⁻²⁰ that halves of are numbers, too.
            let quantity = (share * size / unit(market, index) * 1_048_576.0).round() / 1_048_576.0;
            gross += share.abs() * size;
            let entry_price = market.instruments[index as usize].mark_price * random.random_range(0.95..1.05);
            let accrued_funding = if random.random_bool(0.2) { random.random_range(-0.01..0.01) } else { 0.0 };
            let held = Position { accrued_funding, ..Position::new(index, quantity, entry_price) };
            if random.random_bool(0.1) && quantity > 0.0 {
                let short = Position { quantity: -0.25 * quantity, side: Side::Short, ..held };
                positions.extend([Position { side: Side::Long, ..held }, short]);
            } else {
                positions.push(held);
            }
        }
    }
    let mut balances = Vec::new();
    for name in ["USD", "USDC", "USDT", COINS[random.random_range(0..COINS.len())].0] {
        if random.random_bool(0.6) {
            let asset = asset_index(&market.assets, name);
            let value = gross * random.random_range(-0.03..0.25);
            let amount = value / market.assets[asset as usize].price;
            let accrued_interest = if random.random_bool(0.3) { -1e-3 * amount } else { 0.0 };
            balances.push(Balance { accrued_interest, ..Balance::new(asset, amount) });
        }
    }
    (balances, positions)
}

/// Shocks of prices, volatilities, volatility indices, depths, bases, pegs, rates, and time that lets options expire.
pub fn scenarios(n: usize, seed: u64) -> ScenarioSet {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let of = |kind, name: &str| Factor { kind, name: name.into() };
    let mut factors = vec![of(FactorKind::Time, ""), of(FactorKind::Asset, "USDT"), of(FactorKind::Rate, "USDC")];
    for (coin, _) in COINS {
        use FactorKind::{Basis, Depth, Price, Volatility, VolatilityIndex};
        factors.extend([Price, Volatility, VolatilityIndex, Depth, Basis].map(|kind| of(kind, coin)));
    }
    let shocks = Array2::from_shape_fn((n, factors.len()), |(_, k)| {
        let wide: f64 = random.random_range(-1.0..1.0);
        match factors[k].kind {
            // Not quoted.
            FactorKind::Price if random.random_bool(0.01) => f64::NAN,
            FactorKind::Price => 0.5 * wide.powi(3),
            FactorKind::Volatility => 0.4 * wide,
            FactorKind::VolatilityIndex => 0.5 * (1.0 + wide),
            FactorKind::Depth => -0.45 + 0.45 * wide,
            FactorKind::Basis | FactorKind::Asset => 0.02 * wide.powi(3),
            FactorKind::Rate => 0.02 * wide,
            _ => [0.0, 0.0, 1.0, 6.0][random.random_range(0..4)] / 365.0,
        }
    });
    scenario_set(factors, shocks)
}

/// A set of these factors and shocks, of equal weights.
pub fn scenario_set(factors: Vec<Factor>, shocks: Array2<f64>) -> ScenarioSet {
    let n = shocks.nrows();
    ScenarioSet {
        ids: (0..n).map(|k| format!("s{k}")).collect(),
        weights: vec![1.0; n],
        labels: vec![String::new(); n],
        factors,
        shocks,
    }
}

/// Pools of every style under random scenarios; where the rulebook says what they require, a third is in portfolio mode.
pub fn random(n: usize, rulebook: Rulebook, seed: u64) -> Case {
    let mut snapshot = market();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut builder = BookBuilder::default();
    for k in 0..n {
        let id = builder.pool(&format!("a{:03}", n - k), "main");
        let (balances, positions) = random_pool(&snapshot, &mut random);
        balances.into_iter().for_each(|balance| builder.add_balance(id, balance));
        positions.into_iter().for_each(|position| builder.add_position(id, position));
        if k % 3 == 0 && rulebook.has_portfolio_requirement() {
            builder.settings(id).mode = Mode::Portfolio;
        }
        if k % 9 == 0 {
            let settings = builder.settings(id);
            (settings.im_multiplier, settings.mm_multiplier) = (1.5, 1.25);
        }
    }
    snapshot.book = builder.build();
    Case { snapshot, rulebook, scenarios: scenarios(SCENARIOS, seed ^ 0x00c0_57e5) }
}
