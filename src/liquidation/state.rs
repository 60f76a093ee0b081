//! What a pool has become in one scenario: its holdings in quanta, and where its liquidation stands.

use crate::domain::{AssetIndex, Balance, Pool, PoolSettings, Position, Snapshot, UnderlyingIndex};
use crate::pricing::entry_value;

use super::money::Quanta;

/// Where a pool stands. A liquidation that has begun ends at the policy's target, not at the threshold where it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Above every threshold.
    Healthy,
    /// Adjusted equity < initial margin: no new risk.
    Restricted,
    /// Adjusted equity < maintenance margin: its liquidation begins.
    Liquidatable,
    /// Cut, and not back at the target yet.
    PartiallyLiquidated,
    /// Raw equity < 0.
    Bankrupt,
    /// Nothing is left to liquidate: it was closed or taken over.
    Closed,
}

impl Stage {
    /// Every stage, with its word in outputs.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("healthy", Self::Healthy),
        ("restricted", Self::Restricted),
        ("liquidatable", Self::Liquidatable),
        ("partially_liquidated", Self::PartiallyLiquidated),
        ("bankrupt", Self::Bankrupt),
        ("closed", Self::Closed),
    ];
}

/// A position in quanta.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldPosition {
    /// As margin formulas read it: quantity and accrued funding follow `contracts`.
    pub position: Position,
    /// Contracts, signed.
    pub contracts: Quanta,
    /// Contracts × entry value less accrued funding, settlement units: what leaves the pool's books when it is closed.
    pub carry: Quanta,
    /// Contracts and funding at the start.
    opening: (Quanta, f64),
}

/// A pool that a scenario has touched.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolState {
    /// Its place in the book.
    pub pool: u32,
    /// Amount of each balance; the quote currency is always among them.
    pub cash: Vec<(AssetIndex, Quanta)>,
    /// Positions; closed ones stay, with 0 contracts.
    pub positions: Vec<HeldPosition>,
    /// Where it stands.
    pub stage: Stage,
    /// Whether its liquidation has begun and not ended.
    pub in_liquidation: bool,
    /// Notional in each underlying when its liquidation began, quote quanta: how funds share its debt.
    pub exposure: Vec<(UnderlyingIndex, Quanta)>,
    /// Rounds that it still rests.
    pub rest_rounds: u32,
    /// Clipped cuts so far.
    pub clipped_rounds: u32,
    settings: PoolSettings,
    /// Balances and positions as formulas read them.
    balances: Vec<Balance>,
    holdings: Vec<Position>,
}

impl PoolState {
    /// Opens the books of a pool of the snapshot. Amounts are rounded to the nearest quantum, once; accrued interest is paid in.
    pub fn open(snapshot: &Snapshot, quote: AssetIndex, index: u32) -> Self {
        let pool = snapshot.book.pool(index as usize);
        let mut cash: Vec<(AssetIndex, Quanta)> = Vec::with_capacity(pool.balances.len() + 1);
        for balance in pool.balances {
            *cash_of(&mut cash, balance.asset) += Quanta::nearest(balance.amount + balance.accrued_interest);
        }
        cash_of(&mut cash, quote);
        let positions = pool.positions.iter().map(|position| HeldPosition::open(snapshot, position)).collect();
        let mut state = Self {
            pool: index,
            cash,
            positions,
            stage: Stage::Healthy,
            in_liquidation: false,
            exposure: Vec::new(),
            rest_rounds: 0,
            clipped_rounds: 0,
            settings: pool.settings.clone(),
            balances: Vec::new(),
            holdings: Vec::new(),
        };
        state.refresh();
        state
    }

    /// The pool as margin formulas read it.
    pub fn view<'a>(&'a self, snapshot: &'a Snapshot) -> Pool<'a> {
        let pool = snapshot.book.pool(self.pool as usize);
        Pool { balances: &self.balances, positions: &self.holdings, settings: &self.settings, ..pool }
    }

    /// Makes formulas read what the books say. Every change of `cash` and `positions` is followed by it.
    pub fn refresh(&mut self) {
        self.balances.clear();
        self.balances.extend(self.cash.iter().map(|(asset, amount)| Balance::new(*asset, amount.units())));
        self.refresh_holdings();
    }

    /// The same for positions alone, whose quantities a trial may have set without trading.
    pub fn refresh_holdings(&mut self) {
        self.holdings.clear();
        let open = self.positions.iter().filter(|held| held.position.quantity != 0.0);
        self.holdings.extend(open.map(|held| held.position));
    }

    /// Whether no position is left.
    pub fn is_flat(&self) -> bool {
        self.holdings.is_empty()
    }

    /// Whether open orders reserve margin.
    pub fn has_orders(&self) -> bool {
        self.settings.open_order_margin != 0.0 || !self.settings.orders.is_empty()
    }

    /// Drops every open order.
    pub fn cancel_orders(&mut self) {
        self.settings.open_order_margin = 0.0;
        self.settings.orders.clear();
    }

    /// The balance of an asset.
    pub fn cash_mut(&mut self, asset: AssetIndex) -> &mut Quanta {
        cash_of(&mut self.cash, asset)
    }

    /// The balance of an asset.
    pub fn cash(&self, asset: AssetIndex) -> Quanta {
        self.cash.iter().find(|(held, _)| *held == asset).map_or(Quanta::ZERO, |(_, amount)| *amount)
    }
}

impl HeldPosition {
    fn open(snapshot: &Snapshot, position: &Position) -> Self {
        let instrument = &snapshot.instruments[position.instrument as usize];
        let contracts = Quanta::nearest(position.quantity);
        let entry = position.quantity * entry_value(instrument, position.entry_price);
        let carry = if contracts == Quanta::ZERO { 0.0 } else { entry - position.accrued_funding };
        let mut held = Self {
            position: *position,
            contracts,
            carry: Quanta((carry * 1e8).round() as i128),
            opening: (contracts, position.accrued_funding),
        };
        held.position.quantity = contracts.units();
        held
    }

    /// Takes `contracts` (of the position's sign, at most all of it) out; answers the carry that leaves with them.
    pub fn take(&mut self, contracts: Quanta) -> Quanta {
        let carry = self.carry.share(contracts.magnitude(), self.contracts.magnitude());
        self.carry -= carry;
        self.contracts -= contracts;
        let (opening, funding) = self.opening;
        self.position.quantity = self.contracts.units();
        self.position.accrued_funding = funding * (self.contracts.0 as f64 / opening.0 as f64);
        carry
    }
}

fn cash_of(cash: &mut Vec<(AssetIndex, Quanta)>, asset: AssetIndex) -> &mut Quanta {
    let at = cash.iter().position(|(held, _)| *held == asset).unwrap_or_else(|| {
        cash.push((asset, Quanta::ZERO));
        cash.len() - 1
    });
    &mut cash[at].1
}
