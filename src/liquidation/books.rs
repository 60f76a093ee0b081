//! Order books: where forced trades go, what they concede, how far they move prices.
//!
//! Every underlying has one book, shared by its contracts and by the assets that are units of it; every other asset has its own.
//! A price moves by the law of impact of the *cumulative* net flow of a step, so cutting a flow into rounds changes nothing.

use crate::domain::{AssetIndex, InstrumentIndex, Kind, Snapshot};
use crate::policy::{ImpactLaw, ImpactPolicy};
use crate::pricing::{Column, ShockedMarket};
use crate::scenario::{Factor, FactorKind};

use super::impact::Depth;
use super::money::Quanta;

/// One book.
#[derive(Debug, Clone)]
struct Book {
    law: ImpactLaw,
    depth: Depth,
    /// Net flow since the step began, quote quanta at the prices before any impact of the step; buying > 0.
    flow: Quanta,
    /// Relative move that earlier steps left.
    carried: f64,
}

/// What forced traders of one round asked of a book, quote quanta ≥ 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct Demand {
    /// Buying.
    pub bought: Quanta,
    /// Selling.
    pub sold: Quanta,
}

/// Price concession of a round, a fraction of notional ≥ 0, on each side.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Concession {
    /// Of a buyer.
    pub buying: f64,
    /// Of a seller.
    pub selling: f64,
}

/// Every book of an exchange in one scenario: underlyings first, then assets.
#[derive(Debug, Clone)]
pub struct Books {
    books: Vec<Book>,
}

/// Which book each instrument and asset trades in, and how many quote units of its flow one quote unit of theirs is.
#[derive(Debug, Clone)]
pub struct Venues {
    instruments: Vec<(u32, f64)>,
    assets: Vec<(u32, f64)>,
}

impl Venues {
    /// Looks every instrument and asset up. A contract with a depth of its own in the policy counts for as much more of its
    /// underlying's flow as its book is thinner.
    pub fn of(snapshot: &Snapshot, policy: &ImpactPolicy) -> Self {
        let n = snapshot.underlyings.len() as u32;
        let thinness = |name: &str, underlying: u32| {
            let own = policy.depth_quote.get(name);
            let shared = depth_at_base(snapshot, policy, underlying);
            own.zip(shared).map_or(1.0, |(own, shared)| shared / own)
        };
        let instruments = snapshot.instruments.iter();
        let assets = (0u32..).zip(&snapshot.assets).map(|(index, asset)| match snapshot.underlying_of_asset(index) {
            Some(underlying) => (underlying, thinness(&asset.name, underlying)),
            None => (n + index, 1.0),
        });
        Self {
            instruments: instruments.map(|i| (i.underlying, thinness(&i.name, i.underlying))).collect(),
            assets: assets.collect(),
        }
    }

    /// Book and thinness of an instrument.
    pub fn of_instrument(&self, instrument: InstrumentIndex) -> (u32, f64) {
        self.instruments[instrument as usize]
    }

    /// Book and thinness of an asset.
    pub fn of_asset(&self, asset: AssetIndex) -> (u32, f64) {
        self.assets[asset as usize]
    }
}

pub(super) fn depth_at_base(snapshot: &Snapshot, policy: &ImpactPolicy, underlying: u32) -> Option<f64> {
    let terms = &snapshot.underlyings[underlying as usize];
    policy.depth_quote.get(&terms.name).copied().or(terms.depth_quote).or(policy.default_depth_quote)
}

impl Books {
    /// Opens the books of a scenario at `column`. Depths follow the scenario's `depth:` shocks.
    pub fn open(snapshot: &Snapshot, market: &ShockedMarket<'_>, column: Column, policy: &ImpactPolicy) -> Self {
        let of_underlying = |index: u32| {
            let terms = &snapshot.underlyings[index as usize];
            let scale = policy.depth_scale * market.depth_factor(index, column);
            Depth {
                within_one_percent_quote: depth_at_base(snapshot, policy, index).map(|depth| depth * scale),
                daily_volume_quote: terms.adv_quote.map(|volume| volume * scale),
                daily_volatility: market.volatility_index(index, column).map(|v| v / 365f64.sqrt()),
            }
        };
        let of_asset = |name: &str| Depth {
            within_one_percent_quote: (policy.depth_quote.get(name).copied())
                .or(policy.default_depth_quote)
                .map(|depth| depth * policy.depth_scale),
            daily_volume_quote: None,
            daily_volatility: None,
        };
        let law_of_assets = match policy.law {
            // Nobody publishes the volume of an asset's own book.
            ImpactLaw::SquareRoot { .. } => ImpactLaw::Linear,
            law => law,
        };
        let underlyings = (0..snapshot.underlyings.len() as u32).map(|index| (policy.law, of_underlying(index)));
        let assets = snapshot.assets.iter().map(|asset| (law_of_assets, of_asset(&asset.name)));
        let open = |(law, depth)| Book { law, depth, flow: Quanta::ZERO, carried: 0.0 };
        Self { books: underlyings.chain(assets).map(open).collect() }
    }

    /// Makes one book as many times as deep.
    pub fn deepen(&mut self, book: usize, factor: f64) {
        let depth = &mut self.books[book].depth;
        for value in [&mut depth.within_one_percent_quote, &mut depth.daily_volume_quote].into_iter().flatten() {
            *value *= factor;
        }
    }

    /// Relative move of a book's price by forced trades.
    pub fn impact(&self, book: u32) -> f64 {
        let book = &self.books[book as usize];
        (1.0 + book.carried) * (1.0 + Self::move_of(book, book.flow.units())) - 1.0
    }

    /// Relative move by a flow; none in a book where nobody trades.
    fn move_of(book: &Book, flow_quote: f64) -> f64 {
        book.law.relative_move(flow_quote, book.depth).unwrap_or_default()
    }

    /// Mean move while the flow goes from one amount to another.
    fn mean_move(book: &Book, (from, to): (f64, f64)) -> f64 {
        let integral = |flow: f64| flow * book.law.average_concession(flow, book.depth).unwrap_or_default();
        (integral(to) - integral(from)) / (to - from)
    }

    /// Trades a round's demand: the net flow moves the price, and its average move is what the heavier side concedes, shared by
    /// all of that side; what crosses trades at the mark.
    pub fn clear(&mut self, book: u32, demand: Demand) -> Concession {
        let at = &self.books[book as usize];
        let (before, net) = (at.flow.units(), demand.bought - demand.sold);
        if net == Quanta::ZERO {
            return Concession::default();
        }
        let (start, after) = (Self::move_of(at, before), (at.flow + net).units());
        let mean = Self::mean_move(at, (before, after));
        let moved = (mean - start).abs() / (1.0 + start);
        let heavier = if net.0 > 0 { demand.bought } else { demand.sold };
        let shared = moved * (net.magnitude().0 as f64 / heavier.0 as f64);
        self.books[book as usize].flow += net;
        if net.0 > 0 {
            Concession { buying: shared, selling: 0.0 }
        } else {
            Concession { buying: 0.0, selling: shared }
        }
    }

    /// Takes over what is left of the impact of the step before: part of it has gone.
    pub fn carry(&mut self, before: &Self, recovery: f64) {
        for (book, moved) in self.books.iter_mut().zip(before.impacts()) {
            book.carried = moved * (1.0 - recovery);
        }
    }

    /// Relative move of every book's price by forced trades, underlyings first, then assets.
    pub fn impacts(&self) -> Vec<f64> {
        (0..self.books.len() as u32).map(|book| self.impact(book)).collect()
    }

    /// Net flow of a book since its step began, quote units at the prices before; buying > 0.
    pub fn flow_quote(&self, book: u32) -> f64 {
        self.books[book as usize].flow.units()
    }

    /// Whether anybody trades in a book: a depth of 0 means that nobody does.
    pub fn is_open(&self, book: u32) -> bool {
        let book = &self.books[book as usize];
        book.law.relative_move(0.0, book.depth).is_ok()
    }

    /// Depth of a book.
    pub fn depth(&self, book: u32) -> Depth {
        self.books[book as usize].depth
    }

    /// Its law of impact.
    pub fn law(&self, book: u32) -> ImpactLaw {
        self.books[book as usize].law
    }

    /// What forced trades did to prices, as factors of a scenario.
    pub fn factors(snapshot: &Snapshot) -> Vec<Factor> {
        let impact = |name: &String| Factor { kind: FactorKind::Impact, name: name.clone() };
        let underlyings = snapshot.underlyings.iter().map(|underlying| impact(&underlying.name));
        underlyings.chain(snapshot.assets.iter().map(|asset| Factor::asset(&asset.name))).collect()
    }
}

/// Signed flow of one long contract bought, quote units: its notional; of an option, delta times the index price.
pub fn unit_flow(snapshot: &Snapshot, market: &ShockedMarket<'_>, instrument: InstrumentIndex, column: Column) -> f64 {
    let terms = &snapshot.instruments[instrument as usize];
    let contract = market.contract(terms, column);
    match terms.kind {
        Kind::Option => contract.greeks.delta * market.index_price(terms.underlying, column),
        Kind::Spot | Kind::Perpetual | Kind::Future => contract.value,
    }
}
