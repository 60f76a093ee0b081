//! Everything that one scenario changes: pools, books, funds, and the log.

use std::collections::BTreeMap;

use crate::domain::{AssetIndex, InstrumentIndex, Snapshot};
use crate::policy::Policy;
use crate::pricing::{Column, ShockedMarket};
use crate::scenario::ScenarioSet;

use super::books::{Books, Venues, unit_flow};
use super::event::{Action, Event, Party};
use super::funds::{Funds, quanta_of};
use super::ledger::Ledger;
use super::log::Log;
use super::marks::Marks;
use super::money::Quanta;
use super::path::Path;
use super::state::PoolState;
use super::tally::Tally;

/// What no scenario changes.
#[derive(Debug, Clone)]
pub struct Exchange<'a> {
    /// Market data and book.
    pub snapshot: &'a Snapshot,
    /// How it liquidates.
    pub policy: &'a Policy,
    /// Where its forced trades go.
    pub venues: Venues,
    /// The quote currency.
    pub quote: AssetIndex,
    /// Gross notional held in each underlying, quote units at the snapshot's prices: `[n_underlyings]`.
    exposures: Vec<f64>,
}

impl<'a> Exchange<'a> {
    /// Looks up what every scenario needs.
    pub fn of(snapshot: &'a Snapshot, policy: &'a Policy) -> Self {
        let quote = snapshot.assets.binary_search_by(|asset| asset.name.cmp(&snapshot.quote)).unwrap_or_default();
        let none = ScenarioSet::default();
        let market = ShockedMarket::new(snapshot, &none);
        let mut held = vec![0.0; snapshot.instruments.len()];
        snapshot.book.positions().iter().for_each(|p| held[p.instrument as usize] += p.quantity.abs());
        let mut exposures = vec![0.0; snapshot.underlyings.len()];
        for (index, contracts) in (0u32..).zip(held).filter(|(_, contracts)| *contracts > 0.0) {
            let terms = &snapshot.instruments[index as usize];
            exposures[terms.underlying as usize] += contracts * unit_flow(snapshot, &market, index, Column::Base).abs();
        }
        let venues = Venues::of(snapshot, &policy.impact);
        Self { snapshot, policy, venues, quote: quote as AssetIndex, exposures }
    }

    /// Gross notional held in each underlying, quote units at the snapshot's prices.
    pub fn exposures(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        (0u32..).zip(self.exposures.iter().copied())
    }

    /// Mean of a figure of underlyings, weighted by what is held in each; 0 where nothing is.
    pub fn mean(&self, of: impl Fn(u32) -> f64) -> f64 {
        let total: f64 = self.exposures.iter().sum();
        let sum: f64 = self.exposures().filter(|(_, held)| *held > 0.0).map(|(u, held)| held * of(u)).sum();
        if total > 0.0 { sum / total } else { 0.0 }
    }

    /// Settlement asset of an instrument.
    pub fn settlement(&self, instrument: InstrumentIndex) -> AssetIndex {
        self.snapshot.instruments[instrument as usize].settlement_asset
    }
}

/// One scenario on its way.
pub struct Run<'a> {
    /// The steps it takes.
    pub path: &'a Path,
    /// Pools it has touched, by place in the book.
    pub states: BTreeMap<u32, PoolState>,
    /// Its order books.
    pub books: Books,
    /// Books of everybody else.
    pub ledger: Ledger,
    /// Insurance.
    pub funds: Funds,
    /// What the backstop can still take over, quote units; `None` = all.
    pub backstop_left: Option<Quanta>,
    /// Closed pools that owe money, in the order of their closing.
    pub debtors: Vec<u32>,
    /// What the market may still trade in this step, quote units; `None` = all.
    pub capacity_left: Option<Quanta>,
    /// Signed flow of one long contract, quote units at the prices before any impact of the step: `[n_instruments]`, of those
    /// held.
    pub unit_flows: Vec<f64>,
    /// The same of one unit of an asset: `[n_assets]`.
    pub asset_flows: Vec<f64>,
    /// Pools that rested in the last round.
    pub resting: u64,
    /// Step of the path.
    pub step: u32,
    /// Round of the step.
    pub round: u32,
    /// What has happened.
    pub log: Log,
    /// What it came to.
    pub tally: Tally,
}

impl<'a> Run<'a> {
    /// A scenario before its first round.
    pub fn open(exchange: &Exchange<'_>, path: &'a Path, books: Books) -> Self {
        Self {
            path,
            states: BTreeMap::new(),
            books,
            ledger: Ledger::default(),
            funds: Funds::open(exchange.snapshot, &exchange.policy.fund),
            backstop_left: quanta_of(exchange.policy.take_over.capital),
            debtors: Vec::new(),
            capacity_left: None,
            unit_flows: Vec::new(),
            asset_flows: Vec::new(),
            resting: 0,
            step: 0,
            round: 0,
            log: Log::default(),
            tally: Tally::default(),
        }
    }

    /// The state of a pool, opened on first sight.
    pub fn touch(&mut self, exchange: &Exchange<'_>, pool: u32) -> &mut PoolState {
        let ledger = &mut self.ledger;
        self.states.entry(pool).or_insert_with(|| {
            let state = PoolState::open(exchange.snapshot, exchange.quote, pool);
            ledger.open(&state, |instrument| exchange.settlement(instrument));
            state
        })
    }

    /// Enters events that pools' books already hold: the other sides, the funds, the log, the tally.
    pub fn enter(&mut self, exchange: &Exchange<'_>, marks: &Marks<'_>, events: &[Event]) {
        for event in events {
            self.ledger.enter(event, exchange.quote);
            if event.fund_fee != Quanta::ZERO {
                let underlying = event.instrument.map(|i| exchange.snapshot.instruments[i as usize].underlying);
                let fund = underlying.and_then(|underlying| self.funds.of_underlying(underlying));
                self.funds.pay(fund, event.fund_fee);
                self.ledger.pay_fund(fund, exchange.quote, event.fund_fee);
            }
            let notional = event.instrument.map_or(0.0, |i| event.quantity.units().abs() * marks.unit_notional(i));
            self.tally.add(event, notional);
        }
        self.log.add(events);
    }

    /// An event by which somebody pays `amount` of what a pool owes.
    pub fn pay_debt(&mut self, pool: u32, (action, party): (Action, Party), amount: Quanta, base: Event) -> Event {
        let event = Event { pool, action, party, amount, ..base };
        if let Some(state) = self.states.get_mut(&pool) {
            *state.cash_mut(event.asset) += amount;
            state.refresh();
        }
        event
    }
}
