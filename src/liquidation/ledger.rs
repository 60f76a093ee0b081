//! Everybody's books beside the pools', and the proof that nothing was made or lost.

use std::collections::BTreeMap;

use crate::domain::{AssetIndex, InstrumentIndex, UnderlyingIndex};

use super::event::{Event, Party};
use super::money::Quanta;
use super::state::PoolState;

/// What the parties that are no pools have received since the start, and what pools brought in when their books were opened.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    cash: BTreeMap<(Party, AssetIndex), Quanta>,
    contracts: BTreeMap<(Party, InstrumentIndex), Quanta>,
    opening_cash: BTreeMap<AssetIndex, Quanta>,
    opening_contracts: BTreeMap<InstrumentIndex, Quanta>,
}

impl Ledger {
    /// Adds what a pool brings in when its books are opened.
    pub fn open(&mut self, state: &PoolState, settlement: impl Fn(InstrumentIndex) -> AssetIndex) {
        for_each_holding(state, settlement, |holding, amount| match holding {
            Holding::Cash(asset) => *self.opening_cash.entry(asset).or_default() += amount,
            Holding::Contracts(instrument) => *self.opening_contracts.entry(instrument).or_default() += amount,
        });
    }

    /// Enters the other side of an event. A pool on the other side has an event of its own.
    ///
    /// Cash is kept net of what positions were entered at, so that a position that changes hands takes its entry value along.
    pub fn enter(&mut self, event: &Event, quote: AssetIndex) {
        if matches!(event.party, Party::Pool(_)) {
            return;
        }
        let fees = event.trading_fee + event.fund_fee;
        *self.cash.entry((event.party, event.asset)).or_default() -= event.amount - event.carry;
        *self.cash.entry((event.party, quote)).or_default() -= event.quote_amount + fees;
        *self.cash.entry((Party::Exchange, quote)).or_default() += event.trading_fee;
        if let Some(instrument) = event.instrument {
            *self.contracts.entry((event.party, instrument)).or_default() -= event.quantity;
        }
    }

    /// Pays a liquidation fee into a fund.
    pub fn pay_fund(&mut self, fund: Option<UnderlyingIndex>, quote: AssetIndex, fee: Quanta) {
        *self.cash.entry((Party::Fund(fund), quote)).or_default() += fee;
    }

    /// Contracts that a party has taken, by instrument.
    pub fn taken(&self, party: Party) -> impl Iterator<Item = (InstrumentIndex, Quanta)> + '_ {
        self.contracts.iter().filter(move |((held, _), _)| *held == party).map(|((_, i), quantity)| (*i, *quantity))
    }

    /// Cash that a party has received, net of entry values, by asset.
    pub fn cash_of(&self, party: Party) -> impl Iterator<Item = (AssetIndex, Quanta)> + '_ {
        self.cash.iter().filter(move |((held, _), _)| *held == party).map(|((_, asset), amount)| (*asset, *amount))
    }

    /// Quanta made or lost since the start, over every asset and instrument: 0, or there is a bug.
    pub fn error<'s>(
        &self,
        states: impl Iterator<Item = &'s PoolState>,
        settlement: impl Fn(InstrumentIndex) -> AssetIndex,
    ) -> u128 {
        let mut cash: BTreeMap<AssetIndex, Quanta> = BTreeMap::new();
        let mut contracts: BTreeMap<InstrumentIndex, Quanta> = BTreeMap::new();
        for state in states {
            for_each_holding(state, &settlement, |holding, amount| match holding {
                Holding::Cash(asset) => *cash.entry(asset).or_default() += amount,
                Holding::Contracts(instrument) => *contracts.entry(instrument).or_default() += amount,
            });
        }
        self.cash.iter().for_each(|((_, asset), amount)| *cash.entry(*asset).or_default() += *amount);
        self.contracts.iter().for_each(|((_, i), amount)| *contracts.entry(*i).or_default() += *amount);
        self.opening_cash.iter().for_each(|(asset, amount)| *cash.entry(*asset).or_default() -= *amount);
        self.opening_contracts.iter().for_each(|(i, amount)| *contracts.entry(*i).or_default() -= *amount);
        let made = cash.values().chain(contracts.values()).map(|amount| amount.0.unsigned_abs());
        made.sum()
    }
}

/// What a ledger counts.
enum Holding {
    Cash(AssetIndex),
    Contracts(InstrumentIndex),
}

fn for_each_holding(
    state: &PoolState,
    settlement: impl Fn(InstrumentIndex) -> AssetIndex,
    mut visit: impl FnMut(Holding, Quanta),
) {
    for (asset, amount) in &state.cash {
        visit(Holding::Cash(*asset), *amount);
    }
    for held in &state.positions {
        visit(Holding::Contracts(held.position.instrument), held.contracts);
        visit(Holding::Cash(settlement(held.position.instrument)), -held.carry);
    }
}
