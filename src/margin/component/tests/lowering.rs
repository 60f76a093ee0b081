//! What a component lowers to equals its direct formula, on random small books.

use proptest::prelude::*;

use super::super::{
    Across, Calendar, Component, Concentration, Confidence, Contingency, Counted, Delta, Depeg, Depth, Form as Charge,
    Grid, GridPoint, Kind, Measure, Moves, Per, PriceUnit, ShareOf, SlopeUnit, Transform, Unwind, Vega,
    VolatilityRange, WrongWay, WrongWayRate,
};
use super::*;
use crate::margin::{ByName, Form};
use crate::number::{Exact, Interval, Number};
use crate::pricing::TermScale;
use crate::program::{Builder, row_ranges};

pub(super) fn schedule(form: Form, bounds: &[f64], rates: &[f64]) -> Requirement<Schedule> {
    let of = |rates: Vec<f64>| Schedule { form, bounds: bounds.into(), rates };
    Requirement { initial: of(rates.iter().map(|rate| 1.5 * rate).collect()), maintenance: of(rates.into()) }
}

fn sides(initial: f64, maintenance: f64) -> Requirement<f64> {
    Requirement { initial, maintenance }
}

pub(super) fn pair(a: &str, b: &str) -> [String; 2] {
    [a.into(), b.into()]
}

/// Every kind, in all its forms.
pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    for of in [Across::Each, Across::Offset] {
        let (minimum, annual) = (sides(0.02, 0.01), sides(0.1, 0.075));
        kinds.push(Kind::Calendar(Calendar { minimum, annual, of }));
        let term = TermScale { power_short: 0.3, power_long: 0.13, ..TermScale::default() };
        kinds.push(Kind::Vega(Vega { points: sides(0.06, 0.05), term, of }));
    }
    kinds.push(Kind::Delta(Delta { net_rate: sides(0.03, 0.02), hedged_rate: sides(0.01, 0.015) }));
    for (threshold, relieve_long_options) in [(1e9, false), (0.0, false), (0.0, true), (1e9, true), (2e5, true)] {
        for slope_unit in [SlopeUnit::Underlying, SlopeUnit::Quote] {
            let (slope, maximum) = (both(3e3), sides(0.12, 0.1));
            kinds.push(Kind::Depth(Depth { threshold, slope, slope_unit, maximum, relieve_long_options }));
        }
    }
    for of in [Counted::Gross, Counted::ShortOptions, Counted::NetShortOptions, Counted::NetShortStrikes] {
        let confidence = Some(Confidence { threshold: 0.6, rate: sides(0.5, 0.25) });
        kinds.push(Kind::Contingency(Contingency { of, rate: sides(0.02, 0.01), amount: both(0.375), confidence }));
    }
    let multiplier = schedule(Form::Whole, &[50.0, 500.0], &[1.0, 2.0, 4.0]);
    kinds.push(Kind::Unwind(Unwind { rate: both(0.001), multiplier }));
    for share_of in [ShareOf::Quote, ShareOf::Depth, ShareOf::Adv, ShareOf::OpenInterest] {
        let unit = if share_of == ShareOf::Quote { 1e6 } else { 1.0 };
        for measure in [Measure::NetDelta, Measure::GrossNotional] {
            let rates = schedule(Form::Marginal, &[0.05 * unit, 0.3 * unit], &[0.0, 0.01, 0.05]);
            kinds.push(Kind::Concentration(Concentration { share_of, form: Charge::Tiers { measure, rates } }));
        }
        let form = Charge::SquareRoot { threshold: 0.1 * unit, factor: sides(0.03, 0.02) };
        kinds.push(Kind::Concentration(Concentration { share_of, form }));
    }
    let pairs = vec![pair("USDT", "USD"), pair("USDT", "USDC"), pair("USDC", "USD")];
    kinds.push(Kind::Depeg(Depeg { pairs, rates: schedule(Form::Marginal, &[5e4, 2e5], &[0.01, 0.02, 0.05]) }));
    let rate = |collateral: &str, underlying: &str, moves| WrongWayRate {
        collateral: collateral.into(),
        underlying: underlying.into(),
        moves,
        rate: sides(0.2, 0.1),
    };
    kinds.push(Kind::WrongWay(WrongWay {
        pairs: vec![
            rate("BTC", "BTC", Moves::Together),
            rate("USDT", "BTC", Moves::Opposite),
            rate("BTC", "ETH", Moves::Together),
            rate("NONE", "ETH", Moves::Together),
        ],
    }));
    kinds.push(Kind::Grid(grid()));
    kinds
}

fn grid() -> Grid {
    let point = |price: f64| [-1.0, 0.0, 1.0].map(|volatility| GridPoint { price, volatility, ..GridPoint::default() });
    Grid {
        points: [-1.0, -0.5, 0.0, 0.5, 1.0].into_iter().flat_map(point).collect(),
        extremes: Some(super::super::Extreme { moves: vec![-0.66, 1.0], volatility: 1.0, factor: 1.0 }),
        price_unit: PriceUnit::Range,
        range: ByName { default: 0.16, of: BTreeMap::new() },
        volatility: VolatilityRange { up: 0.5, down: 0.25, ..VolatilityRange::default() },
        time_weight: None,
        cell: Default::default(),
        transforms: vec![
            Transform::Weight,
            Transform::Dampen { amount: 1_000.0 },
            Transform::Gain { share: 0.6, cap: Some(20_000.0) },
        ],
        discount: None,
        settle_at: Default::default(),
    }
}

/// A book of these instruments' contracts, quarters of one, and balances of BTC and USDT.
pub(super) fn book(quantities: &[(usize, i32)], balance: i32) -> Bench {
    let mut bench = market();
    let mut held = BTreeSet::new();
    for &(at, quantity) in quantities {
        if held.insert(at) {
            let scale = if NAMES[at] == "BTC-USD" { 500.0 } else { 1.0 };
            bench = bench.holding(NAMES[at], scale * f64::from(quantity) / 4.0);
        }
    }
    bench.with_balance(BTC, f64::from(balance) / 2.0, 0.25).with_balance(USDT, 5e3 * f64::from(balance), 0.0)
}

/// Names of the instruments below.
pub(super) const NAMES: [&str; 9] =
    ["BTC-C50-30", "BTC-P50-30", "BTC-P60-120", "BTC-F30", "BTC-F120", "BTC-USD", "BTC-USDC", "BTC-USDT", "ETH-USDT"];

pub(super) fn market() -> Bench {
    let quoted = |name: &str, underlying, settlement_asset| Instrument {
        settlement_asset,
        price_asset: settlement_asset,
        ..perpetual(name, underlying)
    };
    let mut bench = Bench::new(vec![
        Instrument { confidence: 0.5, ..option("BTC-C50-30", BTC, (30, 50_000.0, Right::Call)) },
        option("BTC-P50-30", BTC, (30, 50_000.0, Right::Put)),
        option("BTC-P60-120", BTC, (120, 60_000.0, Right::Put)),
        future("BTC-F30", BTC, 30),
        future("BTC-F120", BTC, 120),
        inverse("BTC-USD", BTC),
        quoted("BTC-USDC", BTC, USDC),
        quoted("BTC-USDT", BTC, USDT),
        quoted("ETH-USDT", ETH, USDT),
    ]);
    for underlying in &mut bench.snapshot.underlyings {
        underlying.depth_quote = Some(1e6);
        underlying.adv_quote = Some(2e6);
        underlying.open_interest_quote = Some(4e5);
    }
    bench.snapshot.underlyings[ETH as usize].confidence = 0.4;
    bench
}

/// Asserts that both sides are those numbers, but for rounding.
fn agree<N: Number>(value: &Requirement<N>, expected: &Requirement<f64>) {
    for (value, expected) in [(&value.initial, expected.initial), (&value.maintenance, expected.maintenance)] {
        let slack = 1e-9 * expected.max(1.0);
        assert!(value.is_below(expected + slack) && !value.is_below(expected - slack), "{expected}");
    }
}

/// Asserts that what the component lowers to is its value, on both sides and in every market; answers whether it lowers.
fn check(bench: &Bench, component: &Component) -> bool {
    let lowered = bench.with(component.clone(), |setting, component| {
        let pool = setting.snapshot.book.pool(0);
        let scope = Scope::of_pool(setting, &pool);
        let ranges = row_ranges(setting.rows);
        let builder = Builder::new(&ranges);
        let node = component.node(0, &scope, &|row, slope| builder.range(row, slope))?;
        for column in bench.columns() {
            let value = component.value::<f64>(0, &scope, &(setting.rows, column));
            let exact = component.value::<Exact>(0, &scope, &(setting.rows, column));
            let interval = component.value::<Interval>(0, &scope, &(setting.rows, column));
            agree(&exact, &value);
            agree(&interval, &value);
            let row = |row| setting.rows.value(row, column);
            for (node, value) in [(&node.initial, value.initial), (&node.maintenance, value.maintenance)] {
                let lowered = node.evaluate(&row);
                assert!(value >= 0.0, "{component:?}: {value}");
                let scale = 1e-9 * value.max(1.0);
                assert!((lowered - value).abs() <= scale, "{component:?} {column:?}: {lowered} is not {value}");
            }
        }
        Some(())
    });
    lowered.expect("no fault").is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn what_a_component_lowers_to_is_its_direct_formula(
        quantities in prop::collection::vec((0usize..NAMES.len(), -8i32..=8), 0..6),
        balance in -3i32..=3,
        per in prop::sample::select(vec![Per::Underlying, Per::Expiry, Per::Settlement, Per::Pool]),
    ) {
        let bench = book(&quantities, balance);
        for kind in kinds() {
            let is_depth = matches!(kind, Kind::Depth(_));
            let lowers = check(&bench, &Component { per, ..everything(kind) });
            prop_assert!(lowers || is_depth);
        }
    }
}

#[test]
fn a_depth_charge_lowers_where_it_is_nothing_or_at_its_maximum() {
    let bench = market().holding("BTC-USDT", 8.0);
    let lowers = |threshold: f64, slope: f64| {
        let depth = Depth {
            threshold,
            slope: both(slope),
            slope_unit: SlopeUnit::Underlying,
            maximum: both(0.1),
            relieve_long_options: false,
        };
        check(&bench, &everything(Kind::Depth(depth)))
    };
    // The delta runs from 240,000 to 480,000.
    assert!(lowers(480_001.0, 1e3));
    assert!(!lowers(479_000.0, 1e3));
    assert!(lowers(230_000.0, 1.0), "10,000 beyond are a third of a coin or 14 %");
    assert!(!lowers(230_000.0, 0.1));
}
