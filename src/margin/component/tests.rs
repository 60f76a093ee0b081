//! Components on small books: a bench that the kinds' tests share, and every kind's lowering against its direct formula.

mod file;
mod lowering;
mod plain;
mod worked;
mod wrong_way;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ndarray::Array2;

use super::{Component, Cover, GroupValue, Kind, Per, Scope};
use crate::domain::{
    Asset, Balance, BookBuilder, Instrument, Kind as Contract, Payoff, Position, Premium, Right, Snapshot, Underlying,
};
use crate::error::{Error, Fault};
use crate::margin::{MarginClass, MarginRows, Requirement, Rulebook, Rules, Schedule, Setting};
use crate::pricing::{Column, ContractValue, ShockedMarket, Unshocked};
use crate::scenario::{Factor, FactorKind, ScenarioSet};

/// A moment, so many days after the snapshot's.
pub(super) fn day(days: i64) -> Timestamp {
    let start: Timestamp = "2026-01-01T08:00:00Z".parse().expect("a moment");
    start + jiff::SignedDuration::from_hours(24 * days)
}

/// Assets BTC, ETH, USD, USDC, USDT in this order.
pub(super) const USD: u32 = 2;
pub(super) const USDC: u32 = 3;
pub(super) const USDT: u32 = 4;
/// Underlyings in this order.
pub(super) const BTC: u32 = 0;
pub(super) const ETH: u32 = 1;
/// Their index prices.
pub(super) const INDEX: [f64; 2] = [50_000.0, 2_500.0];

/// A linear perpetual marked at the index.
pub(super) fn perpetual(name: &str, underlying: u32) -> Instrument {
    let mark = INDEX[underlying as usize];
    Instrument { margin_class: "any".into(), ..Instrument::perpetual(name, underlying, USD, mark) }
}

/// A future marked at the index.
pub(super) fn future(name: &str, underlying: u32, days: i64) -> Instrument {
    Instrument { kind: Contract::Future, expiry: Some(day(days)), ..perpetual(name, underlying) }
}

/// An inverse perpetual of 100 USD.
pub(super) fn inverse(name: &str, underlying: u32) -> Instrument {
    let payoff = Payoff::Inverse;
    Instrument {
        payoff,
        settlement_asset: underlying,
        contract_size: 100.0,
        price_asset: USD,
        ..perpetual(name, underlying)
    }
}

/// An option.
pub(super) fn option(name: &str, underlying: u32, (days, strike, right): (i64, f64, Right)) -> Instrument {
    Instrument {
        strike: Some(strike),
        right: Some(right),
        implied_volatility: Some(0.6),
        premium: Premium::Paid,
        kind: Contract::Option,
        ..future(name, underlying, days)
    }
}

/// A market, and what one pool holds in it.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) snapshot: Snapshot,
    pub(super) scenarios: ScenarioSet,
    positions: Vec<Position>,
    balances: Vec<Balance>,
}

impl Bench {
    /// These instruments, in the order of their names, and nothing held.
    pub(super) fn new(mut instruments: Vec<Instrument>) -> Self {
        instruments.sort_by(|a, b| a.name.cmp(&b.name));
        let asset = |(name, price): (&str, f64)| Asset::new(name, price);
        let assets = [("BTC", INDEX[0]), ("ETH", INDEX[1]), ("USD", 1.0), ("USDC", 1.0), ("USDT", 1.0)].map(asset);
        let underlyings = [("BTC", INDEX[0]), ("ETH", INDEX[1])].map(|(name, price)| Underlying::new(name, price));
        let snapshot = Snapshot {
            as_of: Some(day(0)),
            quote: "USD".into(),
            assets: assets.into(),
            underlyings: underlyings.into(),
            instruments,
            routes: Vec::new(),
            haircut_curves: Vec::new(),
            book: Default::default(),
        };
        Self { snapshot, scenarios: scenarios(), positions: Vec::new(), balances: Vec::new() }
    }

    /// With a position.
    pub(super) fn holding(mut self, instrument: &str, quantity: f64) -> Self {
        let index = self.index(instrument);
        let entry = self.snapshot.instruments[index as usize].mark_price;
        self.positions.push(Position::new(index, quantity, entry));
        self
    }

    /// With a balance.
    pub(super) fn with_balance(mut self, asset: u32, amount: f64, accrued_interest: f64) -> Self {
        self.balances.push(Balance { accrued_interest, ..Balance::new(asset, amount) });
        self
    }

    fn index(&self, instrument: &str) -> u32 {
        let found = self.snapshot.instruments.iter().position(|candidate| candidate.name == instrument);
        found.expect("a listed instrument") as u32
    }

    /// Value and Greeks of one contract in a market.
    pub(super) fn contract(&self, instrument: &str, column: Column) -> ContractValue {
        let market = ShockedMarket::new(&self.snapshot, &self.scenarios);
        market.contract(&self.snapshot.instruments[self.index(instrument) as usize], column)
    }

    /// A component's value in every market, the unshocked one first, and each group's in the unshocked one.
    pub(super) fn values(&self, component: Component) -> (Vec<Requirement<f64>>, Vec<GroupValue>) {
        self.with(component, |setting, component| {
            let pool = setting.snapshot.book.pool(0);
            let scope = Scope::of_pool(setting, &pool);
            let value = |column| component.value::<f64>(0, &scope, &(setting.rows, column));
            let values = self.columns().into_iter().map(value).collect();
            (values, component.explain(0, &scope, Column::Base))
        })
        .expect("no fault")
    }

    /// Asks a component of this bench's only pool.
    pub(super) fn with<T>(
        &self,
        component: Component,
        ask: impl FnOnce(Setting<'_>, &Component) -> T,
    ) -> Result<T, Vec<Fault>> {
        let mut builder = BookBuilder::default();
        let pool = builder.pool("account", "main");
        self.positions.iter().for_each(|position| builder.add_position(pool, *position));
        self.balances.iter().for_each(|balance| builder.add_balance(pool, *balance));
        let snapshot = Snapshot { book: builder.build(), ..self.snapshot.clone() };
        let flat = Schedule::flat(0.0);
        let class = MarginClass::brackets(flat.clone(), flat);
        let rulebook = Rulebook {
            margin: BTreeMap::from([("any".to_string(), class)]),
            component: BTreeMap::from([("asked".to_string(), component.clone())]),
            ..Rulebook::default()
        };
        let rules = Rules::resolve(&rulebook, &snapshot).expect("rules");
        let rows: Result<MarginRows, Error> =
            crate::margin::revalue(&rules, &snapshot, &self.scenarios, Unshocked::Refuse);
        match rows {
            Ok(rows) => Ok(ask(Setting { snapshot: &snapshot, rules: &rules, rows: &rows }, &component)),
            Err(Error::Refused(faults)) => Err(faults),
            Err(error) => panic!("{error}"),
        }
    }

    /// The unshocked market, then every scenario.
    pub(super) fn columns(&self) -> Vec<Column> {
        std::iter::once(Column::Base).chain((0..self.scenarios.len()).map(Column::Scenario)).collect()
    }

    /// The maintenance value in the unshocked market.
    pub(super) fn at_base(&self, kind: Kind) -> f64 {
        self.values(everything(kind)).0[0].maintenance
    }
}

/// A component over every instrument and balance, by underlying.
pub(super) fn everything(kind: Kind) -> Component {
    let cover = Cover { collateral: BTreeSet::from(["*".to_string()]), ..Cover::default() };
    Component::of(cover, Per::Underlying, kind)
}

/// Still; prices up and down, thin markets, volatilities up; time that lets the nearest contracts expire.
fn scenarios() -> ScenarioSet {
    let factor = |kind, name: &str| Factor { kind, name: name.into() };
    let factors = vec![
        Factor::price("BTC"),
        Factor::price("ETH"),
        factor(FactorKind::Depth, "BTC"),
        factor(FactorKind::Volatility, "BTC"),
        factor(FactorKind::Time, ""),
    ];
    let shocks = [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.2, -0.1, -0.5, 0.3, 0.0],
        [-0.4, 0.3, 0.25, -0.2, 0.0],
        [0.05, 0.0, 0.0, 0.0, 60.0 / 365.0],
    ];
    ScenarioSet {
        ids: ["still", "up", "down", "later"].map(String::from).into(),
        weights: vec![1.0; 4],
        labels: vec![String::new(); 4],
        factors,
        shocks: Array2::from_shape_vec((4, 5), shocks.concat()).expect("four rows"),
    }
}

/// Both sides the same.
pub(super) fn both(value: f64) -> Requirement<f64> {
    Requirement::both(value)
}

/// Asserts equality within a relative 1e-12.
pub(super) fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{value} is not {expected}");
}
