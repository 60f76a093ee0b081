//! What tests of components share: a book of one pool under one component, and the plain value of a lowered formula.

use super::{Component, Part, Scope};
use crate::domain::{Asset, Balance, BookBuilder, Instrument, Kind, Position, Right, Snapshot, Underlying};
use crate::error::{Error, Fault};
use crate::margin::{MarginClass, MarginRows, Rulebook, Rules, Schedule, Setting, revalue};
use crate::number::{Exact, Interval, Number};
use crate::pricing::{Column, Unshocked};
use crate::scenario::{Factor, FactorKind, ScenarioSet};
use ndarray::Array2;

/// Moment of every test's snapshot.
pub(super) const AS_OF: &str = "2026-01-01T00:00:00Z";

/// A market and the holdings of one pool.
#[derive(Default)]
pub(super) struct Holdings {
    pub(super) assets: Vec<Asset>,
    pub(super) underlyings: Vec<Underlying>,
    pub(super) positions: Vec<(Instrument, f64, f64)>,
    pub(super) balances: Vec<(String, f64)>,
}

impl Holdings {
    /// USD, and one underlying with an asset of its name.
    pub(super) fn of(underlying: &str, price: f64) -> Self {
        Self {
            assets: vec![Asset::new(underlying, price), Asset::new("USD", 1.0)],
            underlyings: vec![Underlying::new(underlying, price)],
            ..Self::default()
        }
    }

    /// Adds contracts of an instrument, entered at its mark.
    pub(super) fn hold(&mut self, instrument: Instrument, quantity: f64) {
        let entry = instrument.mark_price;
        self.positions.push((instrument, quantity, entry));
    }

    /// A linear perpetual on the first underlying, settled in USD.
    pub(super) fn perpetual(&self, mark: f64) -> Instrument {
        let name = format!("PERP-{}", self.positions.len());
        Instrument { margin_class: "free".into(), ..Instrument::perpetual(name, 0, self.usd(), mark) }
    }

    /// A future like it.
    pub(super) fn future(&self, mark: f64, seconds: i64) -> Instrument {
        Instrument { kind: Kind::Future, expiry: Some(expiry(seconds)), ..self.perpetual(mark) }
    }

    /// An option on the first underlying, settled in USD, its premium paid.
    pub(super) fn option(
        &self,
        right: Right,
        strike: f64,
        seconds: i64,
        (forward, volatility): (f64, f64),
    ) -> Instrument {
        Instrument {
            kind: Kind::Option,
            strike: Some(strike),
            right: Some(right),
            expiry: Some(expiry(seconds)),
            implied_volatility: Some(volatility),
            forward_price: Some(forward),
            ..self.perpetual(1.0)
        }
    }

    /// Position of USD among the assets, once sorted.
    pub(super) fn usd(&self) -> u32 {
        let mut names: Vec<_> = self.assets.iter().map(|asset| asset.name.as_str()).collect();
        names.sort_unstable();
        names.iter().position(|name| *name == "USD").expect("USD is there") as u32
    }

    fn snapshot(mut self) -> Snapshot {
        self.assets.sort_by(|a, b| a.name.cmp(&b.name));
        let mut builder = BookBuilder::default();
        let pool = builder.pool("a", "main");
        for (name, amount) in &self.balances {
            let asset = self.assets.iter().position(|asset| asset.name == *name).expect("an asset") as u32;
            builder.add_balance(pool, Balance::new(asset, *amount));
        }
        for (at, (_, quantity, entry)) in (0u32..).zip(&self.positions) {
            builder.add_position(pool, Position::new(at, *quantity, *entry));
        }
        Snapshot {
            as_of: Some(AS_OF.parse().expect("a moment")),
            quote: "USD".into(),
            assets: self.assets,
            underlyings: self.underlyings,
            instruments: self.positions.into_iter().map(|(instrument, ..)| instrument).collect(),
            routes: Vec::new(),
            haircut_curves: Vec::new(),
            book: builder.build(),
        }
    }
}

fn expiry(seconds: i64) -> jiff::Timestamp {
    let as_of: jiff::Timestamp = AS_OF.parse().expect("a moment");
    as_of.checked_add(jiff::SignedDuration::from_secs(seconds)).expect("a moment")
}

/// A pool under one component.
pub(super) struct Bench {
    snapshot: Snapshot,
    rules: Rules,
    rows: MarginRows,
}

impl Bench {
    /// Resolves and revalues; faults of the rows are the error.
    pub(super) fn new(holdings: Holdings, rulebook: Rulebook, scenarios: &ScenarioSet) -> Result<Self, Vec<Fault>> {
        let snapshot = holdings.snapshot();
        let nothing = || Schedule::flat(0.0);
        let free = MarginClass::brackets(nothing(), nothing());
        let rulebook = Rulebook { margin: [("free".to_string(), free)].into(), ..rulebook };
        let faults = |error| match error {
            Error::Refused(faults) | Error::Configuration(faults) => faults,
            other => panic!("{other:?}"),
        };
        let rules = Rules::resolve(&rulebook, &snapshot).map_err(faults)?;
        let rows = revalue(&rules, &snapshot, scenarios, Unshocked::Hold).map_err(faults)?;
        Ok(Self { snapshot, rules, rows })
    }

    /// The same for a component alone, in the unshocked market.
    pub(super) fn of(holdings: Holdings, component: Component) -> Self {
        Self::new(holdings, under(component), &ScenarioSet::default()).expect("a market with finite values")
    }

    /// What `ask` answers of each group.
    pub(super) fn of_parts<T>(&self, ask: impl Fn(&Part<'_, '_>) -> T) -> Vec<T> {
        let component = self.rules.components().next().expect("a component");
        self.scope().parts(0, component).iter().map(ask).collect()
    }

    /// The component's maintenance side, by the direct formula in f64.
    pub(super) fn value(&self, column: Column) -> f64 {
        let component = self.rules.components().next().expect("a component");
        component.value::<f64>(0, &self.scope(), &(&self.rows, column)).maintenance
    }

    /// The same, after a check that intervals, exact numbers and the lowered formula agree in this market.
    pub(super) fn agreed(&self, column: Column) -> f64 {
        let value = self.value(column);
        let slack = 1e-9 * value.abs().max(1.0);
        self.check::<Interval>(column, (value - slack, value + slack));
        self.check::<Exact>(column, (value - slack, value + slack));
        if let Some(lowered) = self.lowered(column) {
            assert!((lowered - value).abs() <= slack, "lowered to {lowered}, not {value}");
        }
        value
    }

    fn check<N: Number>(&self, column: Column, (low, high): (f64, f64)) {
        let component = self.rules.components().next().expect("a component");
        let value = component.value::<N>(0, &self.scope(), &(&self.rows, column)).maintenance;
        assert!(value.is_below(high) && !value.is_below(low), "between {low} and {high}");
    }

    /// The same by the lowered formula; `None` where it is not lowered.
    pub(super) fn lowered(&self, column: Column) -> Option<f64> {
        let component = self.rules.components().next().expect("a component");
        let ranges = |_: u32, _: f64| (f64::NEG_INFINITY, f64::INFINITY);
        let node = component.node(0, &self.scope(), &ranges)?.maintenance;
        Some(node.evaluate(&|row| self.rows.value(row, column)))
    }

    /// Raw equity of the pool.
    pub(super) fn equity(&self, column: Column) -> f64 {
        self.setting().raw_equity::<f64>(&self.snapshot.book.pool(0), &(&self.rows, column))
    }

    fn setting(&self) -> Setting<'_> {
        Setting { snapshot: &self.snapshot, rules: &self.rules, rows: &self.rows }
    }

    fn scope(&self) -> Scope<'_, '_> {
        Scope::of_pool(self.setting(), &self.snapshot.book.pool(0))
    }
}

/// A scenario set of these columns and rows.
pub(super) fn moves(factors: &[(FactorKind, &str)], shocks: &[&[f64]]) -> ScenarioSet {
    let count = shocks.len();
    ScenarioSet {
        ids: (0..count).map(|scenario| format!("s{scenario}")).collect(),
        weights: vec![1.0; count],
        labels: vec![String::new(); count],
        factors: factors.iter().map(|(kind, name)| Factor { kind: *kind, name: (*name).into() }).collect(),
        shocks: Array2::from_shape_vec((count, factors.len()), shocks.concat()).expect("rows of one length"),
    }
}

/// A rulebook of one component.
pub(super) fn under(component: Component) -> Rulebook {
    Rulebook { component: [("component".to_string(), component)].into(), ..Rulebook::default() }
}
