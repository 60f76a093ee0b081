use std::collections::{BTreeMap, BTreeSet};

use super::event::{Action, Event};
use super::money::Quanta;
use crate::domain::InstrumentIndex;

/// What the events of one scenario add up to, as they happen. Money is in quote units unless it says quanta.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Pools that were cut, converted, taken over or closed against others.
    pub liquidated: BTreeSet<u32>,
    /// Pools first liquidated while they were not liquidatable at the prices of trades: the prices that decide were wrong.
    pub wrongful_pools: u64,
    /// Pools first liquidated while bankrupt at the prices of trades and not at those that decide: too late.
    pub late_pools: u64,
    /// Pools that another pool's debt or position was put on.
    pub deleveraged: BTreeSet<u32>,
    /// Pools that the backstop took over.
    pub taken_over: BTreeSet<u32>,
    /// Notional bought and sold in the market of each instrument, quote units at the marks of the round.
    pub traded: BTreeMap<InstrumentIndex, (f64, f64)>,
    /// Events by action.
    pub actions: BTreeMap<Action, u64>,
    /// Notional cut in the market, at the marks of the round.
    pub liquidated_notional: f64,
    /// Notional taken over by the backstop.
    pub taken_over_notional: f64,
    /// Notional closed against other pools, counted once.
    pub deleveraged_notional: f64,
    /// What forced trades cost the pools against the mark, fees included.
    pub cost: f64,
    /// Trading fees, quanta.
    pub trading_fees: Quanta,
    /// Liquidation fees, quanta.
    pub fund_fees: Quanta,
    /// Paid by insurance funds, quanta.
    pub fund_draw: Quanta,
    /// Taken from others' profits, quanta of the quote currency; or given up by those closed against bankrupt pools.
    pub haircut: Quanta,
    /// Spread over every pool with equity, quanta.
    pub socialised: Quanta,
    /// Owed at the end and paid by nobody, quanta.
    pub uncovered: Quanta,
    /// Σ positive equity that socialised losses are spread over, quanta.
    pub members_equity: Quanta,
    /// Quanta made or lost: 0, or there is a bug.
    pub conservation_error: u128,
}

impl Tally {
    /// Adds an event that traded `notional` at the mark.
    pub(super) fn add(&mut self, event: &Event, notional: f64) {
        *self.actions.entry(event.action).or_default() += 1;
        self.trading_fees += event.trading_fee;
        self.fund_fees += event.fund_fee;
        self.cost += event.cost_quote;
        match event.action {
            Action::CancelOrders => {}
            Action::Cut => {
                self.liquidated_notional += notional;
                self.liquidated.insert(event.pool);
                if let Some(instrument) = event.instrument {
                    let (bought, sold) = self.traded.entry(instrument).or_default();
                    *if event.quantity > Quanta::ZERO { bought } else { sold } += notional;
                }
            }
            Action::ConvertCollateral => {
                self.liquidated.insert(event.pool);
            }
            Action::TakeOver => {
                self.taken_over_notional += notional;
                self.liquidated.insert(event.pool);
                self.taken_over.insert(event.pool);
            }
            Action::FundDraw => self.fund_draw += event.amount,
            Action::Socialise => self.socialised += event.amount,
            Action::Deleverage => {}
        }
    }
}
