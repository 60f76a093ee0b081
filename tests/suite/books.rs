//! Random books that use every rule, and books aimed at the thresholds.

use std::collections::BTreeMap;

use ndarray::Array2;
use plimsoll::domain::{
    Asset, Balance, BookBuilder, Instrument, Kind, Payoff, Position, Premium, Side, Snapshot, Underlying,
};
use plimsoll::engine::Arbiter;
use plimsoll::margin::{
    Form, Growth, HaircutBase, HaircutSchedule, MarginClass, OptionSpread, OrderReserve, Requirement, Rulebook, Rules,
    Scalar, Schedule, Setting, SizeCurve, SizeFunction, SizeUnit, revalue,
};
use plimsoll::pricing::{Column, Unshocked};
use plimsoll::scenario::{Factor, FactorKind, ScenarioSet};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

// Named by path: the device engine's tests include this file by path, too.
#[path = "book_options.rs"]
mod book_options;

use book_options::{OPTION_COINS, long_box, option_classes, options};

pub struct Case {
    pub snapshot: Snapshot,
    pub rulebook: Rulebook,
    pub scenarios: ScenarioSet,
}

pub const COINS: [(&str, f64); 8] = [
    ("ADA", 0.4),
    ("BTC", 60_000.0),
    ("DOGE", 0.1),
    ("ETH", 3_000.0),
    ("SOL", 150.0),
    ("UST", 1.0),
    ("XRP", 0.5),
    ("YFI", 8_000.0),
];

fn asset(name: &str, price: f64, class: Option<&str>) -> Asset {
    Asset {
        name: name.into(),
        price,
        underlying: name.into(),
        haircut_class: class.map(Into::into),
        network: None,
        custody: None,
    }
}

/// Assets, underlyings and instruments of every kind and payoff.
pub fn market() -> Snapshot {
    let mut assets: Vec<Asset> = COINS.iter().map(|&(name, price)| asset(name, price, Some("coin"))).collect();
    assets.push(asset("USD", 1.0, None));
    assets.push(asset("USDC", 0.9997, Some("stable")));
    assets.push(asset("USDT", 1.0002, Some("stable")));
    assets.sort_by(|a, b| a.name.cmp(&b.name));
    let of = |name: &str| assets.iter().position(|asset| asset.name == name).unwrap() as u32;
    let underlyings: Vec<Underlying> = COINS
        .iter()
        .map(|&(name, price)| Underlying {
            name: name.into(),
            index_price: price,
            factor: if name == "YFI" { "ETH".into() } else { name.into() },
            beta: if name == "YFI" { 1.25 } else { 1.0 },
            volatility_index: Some(0.8),
            depth_quote: None,
            adv_quote: None,
            open_interest_quote: None,
            confidence: 1.0,
            volatility_shock: Default::default(),
        })
        .collect();
    let mut instruments = Vec::new();
    for (underlying, &(name, price)) in (0u32..).zip(&COINS) {
        let perpetual = Instrument {
            name: format!("{name}-USDT"),
            kind: Kind::Perpetual,
            underlying,
            payoff: Payoff::Linear,
            settlement_asset: of("USDT"),
            contract_size: 1.0,
            mark_price: price * 1.0003,
            strike: None,
            expiry: None,
            right: None,
            implied_volatility: None,
            forward_price: None,
            rate: 0.0,
            price_asset: of("USDT"),
            premium: Premium::Paid,
            fixed_rate: 1.0,
            margin_class: match name {
                "SOL" => "linear".into(),
                "XRP" => "rooted".into(),
                _ if price > 1_000.0 => "major".into(),
                _ => "alt".into(),
            },
            confidence: 1.0,
        };
        let inverse = Instrument {
            name: format!("{name}-INV"),
            payoff: Payoff::Inverse,
            settlement_asset: of(name),
            contract_size: 10.0,
            price_asset: of("USD"),
            ..perpetual.clone()
        };
        let quanto = Instrument {
            name: format!("{name}-QNT"),
            kind: Kind::Future,
            payoff: Payoff::Quanto,
            settlement_asset: of("BTC"),
            fixed_rate: 1e-6,
            expiry: Some("2026-12-25T08:00:00Z".parse().unwrap()),
            ..perpetual.clone()
        };
        let spot = Instrument { name: format!("{name}-SPOT"), kind: Kind::Spot, ..perpetual.clone() };
        if OPTION_COINS.contains(&name) {
            instruments.extend(options(&perpetual, price, [of("USDT"), of(name), of("USD")]));
        }
        instruments.extend([perpetual, inverse, quanto, spot]);
    }
    instruments.sort_by(|a, b| a.name.cmp(&b.name));
    Snapshot {
        as_of: Some("2026-11-22T00:00:00Z".parse().unwrap()),
        quote: "USD".into(),
        assets,
        underlyings,
        instruments,
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: BookBuilder::default().build(),
    }
}

/// Rules of every form.
pub fn rulebook(base: HaircutBase, unit: SizeUnit) -> Rulebook {
    let marginal = |bounds: &[f64], rates: &[f64]| Schedule {
        form: Form::Marginal,
        bounds: bounds.to_vec(),
        rates: rates.to_vec(),
    };
    let whole = |bounds: &[f64], leverage: &[f64]| Schedule {
        form: Form::Whole,
        bounds: bounds.to_vec(),
        rates: leverage.iter().map(|leverage| 1.0 / leverage).collect(),
    };
    let bounds = [5_000.0, 50_000.0, 250_000.0];
    let major = MarginClass::brackets(
        marginal(&bounds, &[0.004, 0.005, 0.01, 0.025]),
        whole(&bounds, &[125.0, 100.0, 50.0, 20.0]),
    );
    let alt = MarginClass::brackets(
        marginal(&[2_000.0, 20_000.0], &[0.01, 0.025, 0.1]),
        whole(&[2_000.0, 20_000.0], &[50.0, 20.0, 5.0]),
    );
    let curve = |base, growth, unit| SizeFunction::Curve(SizeCurve { base, growth, unit });
    let root = |factor| Growth::SquareRoot { factor, share_of_base: 0.8 };
    let linear = MarginClass {
        maintenance: curve(0.01, Growth::Linear { slope: 1e-5 }, SizeUnit::Asset),
        initial: curve(0.02, Growth::Linear { slope: 1e-7 }, SizeUnit::Quote),
        minimum: Requirement { initial: 20.0, maintenance: 10.0 },
        ..alt.clone()
    };
    let rooted = MarginClass {
        maintenance: curve(0.01, root(1e-4), SizeUnit::Quote),
        initial: curve(0.02, root(2e-3), SizeUnit::Asset),
        scale: Some("tight".into()),
        ..alt.clone()
    };
    let tight = Scalar {
        value: "volatility_index(underlying) / 0.8".parse().expect("an expression"),
        minimum: 0.9,
        maximum: 1.5,
        path: None,
    };
    let coin_bounds = match unit {
        SizeUnit::Asset => vec![0.5, 3.0],
        SizeUnit::Quote => vec![4_000.0, 30_000.0],
    };
    let haircut = BTreeMap::from([
        (
            "coin".to_string(),
            HaircutSchedule {
                unit,
                bounds: coin_bounds,
                haircuts: vec![0.05, 0.1, 0.4],
                initial: Some(vec![0.05, 0.25, 0.45]),
            },
        ),
        ("stable".to_string(), HaircutSchedule::flat(0.01)),
    ]);
    Rulebook {
        name: "every form".into(),
        margin: [("major", major), ("alt", alt), ("linear", linear), ("rooted", rooted)]
            .map(|(name, class)| (name.to_string(), class))
            .into(),
        scalar: BTreeMap::from([("tight".to_string(), tight)]),
        option: option_classes(),
        option_spread: Some(OptionSpread {
            classes: ["grouped".to_string()].into(),
            unpaired_initial: 1.2,
            unpaired_maintenance: 1.1,
        }),
        haircut,
        haircut_base: base,
        orders: OrderReserve::None,
        ..Rulebook::default()
    }
}

/// Student-like shocks of every coin and both stablecoins, of volatilities, and time that passes in some.
pub fn scenarios(n: usize, seed: u64) -> ScenarioSet {
    let mut set = scenarios_of(COINS.iter().map(|(name, _)| name.to_string()).filter(|name| name != "YFI"), n, seed);
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x0e51);
    let volatility = |name: &str| Factor { kind: FactorKind::Volatility, name: name.into() };
    let mut factors: Vec<Factor> = OPTION_COINS.map(volatility).into();
    factors.push(Factor { kind: FactorKind::Time, name: String::new() });
    factors.push(Factor { kind: FactorKind::VolatilityIndex, name: "XRP".into() });
    // What counts of two assets, and what the exchange sees of a coin and of a peg, in some scenarios.
    let named = |kind, name: &str| Factor { kind, name: name.into() };
    factors.extend([named(FactorKind::Credit, "ETH"), named(FactorKind::Credit, "USDC")]);
    factors.extend([
        named(FactorKind::Lag, "SOL"),
        named(FactorKind::Oracle, "BTC"),
        named(FactorKind::Oracle, "USDT"),
    ]);
    let shocks = Array2::from_shape_fn((n, factors.len()), |(_, k)| match factors[k].kind {
        FactorKind::Volatility | FactorKind::VolatilityIndex => random.random_range(-0.5..1.0),
        FactorKind::Credit => -random.random_range(0.0f64..2.0).min(1.0),
        FactorKind::Lag => random.random_range(-1.0f64..1.5).clamp(0.0, 1.0),
        FactorKind::Oracle => random.random_range(-0.2..0.2),
        // Up to 18 days, in a third of the scenarios; the first expiry is 12 days off.
        _ if random.random_bool(0.3) => random.random_range(0.0..0.05),
        _ => 0.0,
    });
    set.factors.extend(factors);
    set.shocks = ndarray::concatenate(ndarray::Axis(1), &[set.shocks.view(), shocks.view()]).expect("equal lengths");
    set
}

/// The same for any names.
pub fn scenarios_of(names: impl Iterator<Item = String>, n: usize, seed: u64) -> ScenarioSet {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let names: std::collections::BTreeSet<String> =
        names.filter(|name| !["USDT", "USDC"].contains(&name.as_str())).collect();
    let mut factors: Vec<Factor> = names.into_iter().map(Factor::price).collect();
    factors.push(Factor::asset("USDT"));
    factors.push(Factor::asset("USDC"));
    let shocks = Array2::from_shape_fn((n, factors.len()), |(_, k)| {
        let wide: f64 = random.random_range(-1.0..1.0);
        match factors[k].name.as_str() {
            "USDT" | "USDC" => 0.02 * wide.powi(5),
            _ if random.random_bool(0.02) => f64::NAN,
            _ => 0.6 * wide.powi(3),
        }
    });
    ScenarioSet {
        ids: (0..n).map(|k| format!("s{k}")).collect(),
        weights: (0..n).map(|k| 1.0 + (k % 3) as f64).collect(),
        labels: vec![String::new(); n],
        factors,
        shocks,
    }
}

/// A random pool: balances that make it roughly solvent, positions of every payoff.
fn random_pool(market: &Snapshot, random: &mut ChaCha8Rng) -> (Vec<Balance>, Vec<Position>) {
    let mut positions = Vec::new();
    let mut notional = 0.0;
    let n = if random.random_bool(0.03) { 0 } else { random.random_range(1..9) };
    let mut held = std::collections::BTreeSet::new();
    // Some pools hold neighbours of a chain, which net in groups; the others, mostly contracts.
    let is_option = |index: u32| market.instruments[index as usize].kind == Kind::Option;
    let chain_start = random.random_range(0..market.instruments.len()) as u32;
    let holds_chain = random.random_bool(0.4);
    while held.len() < n {
        let near = (chain_start + random.random_range(0..24)) % market.instruments.len() as u32;
        let any = random.random_range(0..market.instruments.len()) as u32;
        if holds_chain && is_option(near) && random.random_bool(0.8) {
            held.insert(near);
        } else if !is_option(any) || random.random_bool(0.1) {
            held.insert(any);
        }
    }
    for index in held {
        let instrument = &market.instruments[index as usize];
        let unit = match instrument.kind {
            Kind::Option => instrument.contract_size * market.underlyings[instrument.underlying as usize].index_price,
            _ => {
                plimsoll::pricing::unit_value(instrument, instrument.mark_price).abs()
                    * market.assets[instrument.settlement_asset as usize].price
            }
        };
        let size = 10f64.powf(random.random_range(2.0..5.3));
        notional += size;
        let sign = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        let quantity = (size / unit * sign * 1e4).round() / 1e4;
        positions.push(Position {
            instrument: index,
            quantity,
            entry_price: instrument.mark_price * random.random_range(0.9..1.1),
            leverage: random.random_bool(0.4).then(|| f64::from(random.random_range(1..126u32))),
            accrued_funding: if random.random_bool(0.2) { random.random_range(-0.01..0.01) } else { 0.0 },
            side: Side::Net,
        });
        if random.random_bool(0.1) {
            let first = positions.last_mut().unwrap();
            first.side = if first.quantity < 0.0 { Side::Short } else { Side::Long };
            let other = Position {
                quantity: -first.quantity * 0.5,
                side: if first.quantity < 0.0 { Side::Long } else { Side::Short },
                ..*first
            };
            positions.push(other);
        }
    }
    let mut balances = Vec::new();
    let wanted = notional * random.random_range(0.02..0.6) + 10.0;
    for _ in 0..random.random_range(0..4u32) {
        let asset = random.random_range(0..market.assets.len()) as u32;
        let price = market.assets[asset as usize].price;
        let value = wanted * random.random_range(-0.2..0.8);
        let accrued = if random.random_bool(0.3) { -value / price * 1e-3 } else { 0.0 };
        balances.push(Balance { accrued_interest: accrued, ..Balance::new(asset, value / price) });
    }
    (balances, positions)
}

/// A book of `n` random pools under `n_scenarios` random scenarios.
pub fn random(n: usize, n_scenarios: usize, seed: u64, base: HaircutBase, unit: SizeUnit) -> Case {
    let mut snapshot = market();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut builder = BookBuilder::default();
    for k in 0..n {
        let id = builder.pool(&format!("a{:05}", n - k), if k % 7 == 0 { "isolated" } else { "main" });
        let (balances, positions) = random_pool(&snapshot, &mut random);
        balances.into_iter().for_each(|balance| builder.add_balance(id, balance));
        positions.into_iter().for_each(|position| builder.add_position(id, position));
        if k % 13 == 5 {
            long_box(&snapshot).into_iter().for_each(|position| builder.add_position(id, position));
        }
        if k % 11 == 0 {
            let settings = builder.settings(id);
            settings.im_multiplier = 1.5;
            settings.mm_multiplier = 1.2;
            settings.open_order_margin = 25.0;
        }
    }
    snapshot.book = builder.build();
    Case { snapshot, rulebook: rulebook(base, unit), scenarios: scenarios(n_scenarios, seed ^ 0x5ca1ab1e) }
}

/// The same pools, each with a dollar balance that puts one of its three thresholds, in one of the scenarios, within a few
/// f32 ulps (of its gross notional) of zero, exactly on zero among them.
pub fn adversarial(case: &Case, seed: u64) -> Case {
    near_thresholds(case, 2f64.powi(-24), seed)
}

/// The same within a few `ulp`s, relative to the gross notional.
pub fn near_thresholds(case: &Case, ulp: f64, seed: u64) -> Case {
    let rules = Rules::resolve(&case.rulebook, &case.snapshot).expect("rules resolve");
    let rows = revalue(&rules, &case.snapshot, &case.scenarios, Unshocked::Refuse).expect("rows");
    let arbiter = Arbiter::new(Setting { snapshot: &case.snapshot, rules: &rules, rows: &rows });
    let usd = case.snapshot.assets.iter().position(|asset| asset.name == "USD").expect("USD") as u32;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut builder = BookBuilder::default();
    for pool in case.snapshot.book.pools() {
        let id = builder.pool(pool.account, pool.pool);
        pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
        pool.positions.iter().for_each(|position| builder.add_position(id, *position));
        *builder.settings(id) = pool.settings.clone();
        let scenario = random.random_range(0..case.scenarios.len());
        let figures = arbiter.figures(&pool, Column::Scenario(scenario));
        let distance = match random.random_range(0..3u32) {
            0 => figures.equity,
            1 => figures.adjusted_equity - figures.maintenance_margin,
            _ => figures.adjusted_equity - figures.initial_margin,
        };
        let step = figures.gross_notional * ulp;
        let amount = f64::from(random.random_range(-3..=3i32)) * step - distance;
        builder.add_balance(id, Balance::new(usd, amount));
    }
    Case {
        snapshot: Snapshot { book: builder.build(), ..case.snapshot.clone() },
        rulebook: case.rulebook.clone(),
        scenarios: case.scenarios.clone(),
    }
}
