//! Synthetic portfolios from a snapshot's own instruments: the shapes that a requirement must cover.

use std::collections::BTreeMap;

use crate::domain::{
    Balance, Book, BookBuilder, Instrument, InstrumentIndex, Kind, Payoff, Position, Right, Snapshot, UnderlyingIndex,
};
use crate::pricing::{Column, ShockedMarket, YEAR_SECONDS};
use crate::scenario::ScenarioSet;

/// Size of each leg, quote units at the index price.
const NOTIONAL: f64 = 100_000.0;
/// Delta of the options of a strangle.
const STRANGLE_DELTA: f64 = 0.25;
/// Days to expiry that options are chosen near.
const OPTION_DAYS: f64 = 30.0;
const YEAR_DAYS: f64 = 365.0;

/// Shape of a synthetic portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Long the linear perpetual or future that most pools hold; of equals the perpetual, then the first by name.
    OutrightLong,
    /// Short of the same.
    OutrightShort,
    /// Long the nearest dated linear future, short the next one; with only one of them, long the perpetual and short it.
    Calendar,
    /// Short the call and the put whose deltas are nearest to ±0.25, of the chain nearest to 30 days.
    ShortStrangle,
    /// Long the coin (spot contract, else a balance), short the linear contract.
    HedgedSpot,
    /// Short the call of the strangle, long its delta in the linear contract.
    HedgedOption,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 6] = [
        Self::OutrightLong,
        Self::OutrightShort,
        Self::Calendar,
        Self::ShortStrangle,
        Self::HedgedSpot,
        Self::HedgedOption,
    ];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::OutrightLong => "outright_long",
            Self::OutrightShort => "outright_short",
            Self::Calendar => "calendar",
            Self::ShortStrangle => "short_strangle",
            Self::HedgedSpot => "hedged_spot",
            Self::HedgedOption => "hedged_option",
        }
    }
}

/// A synthetic portfolio on one underlying. It has no collateral: neither its requirement nor its losses depend on any.
#[derive(Debug, Clone, PartialEq)]
pub struct Portfolio {
    /// Its shape.
    pub shape: Shape,
    /// Name of the underlying.
    pub underlying: String,
    /// Contracts, entered at their marks.
    pub positions: Vec<Position>,
    /// The coin of a hedge without a spot contract; else empty.
    pub balances: Vec<Balance>,
}

/// A portfolio that is not tested, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its shape.
    pub shape: Shape,
    /// Name of the underlying.
    pub underlying: String,
    /// What the snapshot, the rulebook or the history lacks.
    pub reason: String,
}

impl Portfolio {
    /// A book of this portfolio alone, its account the shape and its pool the underlying.
    pub fn book(&self) -> Book {
        let mut builder = BookBuilder::default();
        let pool = builder.pool(self.shape.name(), &self.underlying);
        self.positions.iter().for_each(|position| builder.add_position(pool, *position));
        self.balances.iter().for_each(|balance| builder.add_balance(pool, *balance));
        builder.build()
    }
}

/// Every shape on every underlying, each leg of 100,000 quote units at the index price (the hedge of an option: its delta
/// of that). What cannot be built is listed with the reason.
pub fn synthetic(snapshot: &Snapshot) -> (Vec<Portfolio>, Vec<LeftOut>) {
    let unshocked = ScenarioSet::default();
    let market = ShockedMarket::new(snapshot, &unshocked);
    let mut holders = vec![0; snapshot.instruments.len()];
    snapshot.book.positions().iter().for_each(|position| holders[position.instrument as usize] += 1);
    let mut listed = vec![Vec::new(); snapshot.underlyings.len()];
    for (at, instrument) in (0..).zip(&snapshot.instruments) {
        if instrument.expiry.is_none_or(|expiry| snapshot.as_of.is_some_and(|as_of| expiry > as_of)) {
            listed[instrument.underlying as usize].push(at);
        }
    }
    let (mut portfolios, mut left_out) = (Vec::new(), Vec::new());
    for (underlying, listed) in (0..).zip(&listed) {
        let desk = Desk { snapshot, market: &market, holders: &holders, underlying, listed };
        let name = || snapshot.underlyings[underlying as usize].name.clone();
        for shape in Shape::ALL {
            match desk.build(shape) {
                Ok((positions, balances)) => {
                    portfolios.push(Portfolio { shape, underlying: name(), positions, balances });
                }
                Err(reason) => left_out.push(LeftOut { shape, underlying: name(), reason: reason.into() }),
            }
        }
    }
    (portfolios, left_out)
}

/// What a portfolio holds, or what is lacking for it.
type Built = Result<(Vec<Position>, Vec<Balance>), &'static str>;

/// Builds portfolios on one underlying.
struct Desk<'a> {
    snapshot: &'a Snapshot,
    market: &'a ShockedMarket<'a>,
    /// How many positions there are in each instrument.
    holders: &'a [u64],
    underlying: UnderlyingIndex,
    /// Its instruments that have not expired, by name.
    listed: &'a [InstrumentIndex],
}

impl<'a> Desk<'a> {
    fn build(&self, shape: Shape) -> Built {
        let linear = || self.linear().ok_or("no linear perpetual or future");
        let positions = match shape {
            Shape::OutrightLong => vec![self.position(linear()?, 1.0)],
            Shape::OutrightShort => vec![self.position(linear()?, -1.0)],
            Shape::Calendar => {
                let (near, far) = self.calendar().ok_or("fewer than two linear expiries")?;
                vec![self.position(near, 1.0), self.position(far, -1.0)]
            }
            Shape::ShortStrangle => {
                let (call, put) = self.strangle().ok_or("no expiry with a call and a put")?;
                vec![self.position(call, -1.0), self.position(put, -1.0)]
            }
            Shape::HedgedSpot => return self.hedged_spot(linear()?),
            Shape::HedgedOption => {
                let (call, _) = self.strangle().ok_or("no expiry with a call and a put")?;
                let delta = self.delta(call).ok_or("no expiry with a call and a put")?;
                vec![self.position(call, -1.0), self.position(linear()?, delta)]
            }
        };
        Ok((positions, Vec::new()))
    }

    fn instrument(&self, at: InstrumentIndex) -> &'a Instrument {
        &self.snapshot.instruments[at as usize]
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = InstrumentIndex> + use<'_, 'a> {
        self.listed.iter().copied().filter(move |&at| self.instrument(at).kind == kind)
    }

    fn linear(&self) -> Option<InstrumentIndex> {
        let contracts = self.of_kind(Kind::Perpetual).chain(self.of_kind(Kind::Future));
        let linear = contracts.filter(|&at| self.instrument(at).payoff == Payoff::Linear);
        // The first of the largest: `max_by_key` would give the last.
        linear.min_by_key(|&at| std::cmp::Reverse(self.holders[at as usize]))
    }

    fn calendar(&self) -> Option<(InstrumentIndex, InstrumentIndex)> {
        let mut by_expiry = BTreeMap::new();
        for at in self.of_kind(Kind::Future).filter(|&at| self.instrument(at).payoff == Payoff::Linear) {
            by_expiry.entry(self.instrument(at).expiry).or_insert(at);
        }
        let mut dated = by_expiry.into_values();
        let perpetual = self.of_kind(Kind::Perpetual).find(|&at| self.instrument(at).payoff == Payoff::Linear);
        match (dated.next()?, dated.next()) {
            (near, Some(far)) => Some((near, far)),
            (only, None) => Some((perpetual?, only)),
        }
    }

    /// The call and the put of the chain (one expiry, one settlement asset) nearest to the usual days that has both.
    fn strangle(&self) -> Option<(InstrumentIndex, InstrumentIndex)> {
        let as_of = self.snapshot.as_of?;
        let mut chains: BTreeMap<_, Vec<InstrumentIndex>> = BTreeMap::new();
        for at in self.of_kind(Kind::Option) {
            let option = self.instrument(at);
            chains.entry((option.expiry?, option.settlement_asset)).or_default().push(at);
        }
        let nearest = |chain: &[InstrumentIndex], right: Right, target: f64| {
            let of_right = chain.iter().filter(|&&at| self.instrument(at).right == Some(right));
            let distances = of_right.filter_map(|&at| Some((at, (self.delta(at)? - target).abs())));
            distances.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at)
        };
        let both = chains.into_iter().filter_map(|((expiry, _), chain)| {
            let call = nearest(&chain, Right::Call, STRANGLE_DELTA)?;
            let put = nearest(&chain, Right::Put, -STRANGLE_DELTA)?;
            let days = expiry.duration_since(as_of).as_secs_f64() / (YEAR_SECONDS / YEAR_DAYS);
            Some(((days - OPTION_DAYS).abs(), (call, put)))
        });
        both.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, legs)| legs)
    }

    /// Delta of an option per unit of the underlying; `None` where it has none.
    fn delta(&self, option: InstrumentIndex) -> Option<f64> {
        let option = self.instrument(option);
        let delta = self.market.contract(option, Column::Base).greeks.delta / option.contract_size;
        delta.is_finite().then_some(delta)
    }

    fn hedged_spot(&self, linear: InstrumentIndex) -> Built {
        let short = self.position(linear, -1.0);
        if let Some(spot) = self.of_kind(Kind::Spot).next() {
            return Ok((vec![self.position(spot, 1.0), short], Vec::new()));
        }
        let name = &self.snapshot.underlyings[self.underlying as usize].name;
        let coin = (0..).zip(&self.snapshot.assets).find(|(_, asset)| asset.underlying == *name && asset.price > 0.0);
        let (coin, asset) = coin.ok_or("neither a spot contract nor a coin")?;
        Ok((vec![short], vec![Balance::new(coin, NOTIONAL / asset.price)]))
    }

    /// `size` times the usual notional in an instrument, entered at its mark.
    fn position(&self, at: InstrumentIndex, size: f64) -> Position {
        let instrument = self.instrument(at);
        let index_price = self.snapshot.underlyings[self.underlying as usize].index_price;
        let contracts = size * NOTIONAL / (instrument.contract_size * index_price);
        Position::new(at, contracts, instrument.mark_price)
    }
}
