//! The log: what happened to whom, and the numbers that caused it.

use crate::domain::{AssetIndex, InstrumentIndex, UnderlyingIndex};
use crate::engine::Figures;

use super::money::Quanta;

/// What happened to a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Its open orders were cancelled.
    CancelOrders,
    /// Collateral was sold for the quote currency.
    ConvertCollateral,
    /// A position was cut in the market.
    Cut,
    /// The backstop took a position or a balance over.
    TakeOver,
    /// The insurance fund paid what it owed.
    FundDraw,
    /// A position was closed against another pool's, or profit was taken.
    Deleverage,
    /// What it owed was spread over every pool with equity.
    Socialise,
}

impl Action {
    /// Every action, with its word in outputs.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("cancel_orders", Self::CancelOrders),
        ("convert_collateral", Self::ConvertCollateral),
        ("cut", Self::Cut),
        ("take_over", Self::TakeOver),
        ("fund_draw", Self::FundDraw),
        ("deleverage", Self::Deleverage),
        ("socialise", Self::Socialise),
    ];

    /// The word used in outputs.
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, action)| *action == self).map_or("", |(word, _)| word)
    }
}

/// Why it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Adjusted equity fell below maintenance margin.
    Breach,
    /// A liquidation that has begun has not reached its target yet.
    BelowTarget,
    /// Health fell below the ratio at which a backstop steps in.
    BelowTakeOver,
    /// No partial cut restores the target: cutting costs as much health as it frees, or there is too little to cut.
    Infeasible,
    /// Raw equity fell below zero.
    Bankrupt,
    /// The fund cannot pay what bankrupt pools will owe.
    FundExhausted,
    /// A closed pool owes money.
    Debt,
}

impl Cause {
    /// Every cause, with its word in outputs.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("breach", Self::Breach),
        ("below_target", Self::BelowTarget),
        ("below_take_over", Self::BelowTakeOver),
        ("infeasible", Self::Infeasible),
        ("bankrupt", Self::Bankrupt),
        ("fund_exhausted", Self::FundExhausted),
        ("debt", Self::Debt),
    ];

    /// The word used in outputs.
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, cause)| *cause == self).map_or("", |(word, _)| word)
    }
}

/// Who stands on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// Another pool, by its place in the book.
    Pool(u32),
    /// Those who trade with the exchange's liquidation engine.
    Market,
    /// The exchange, which keeps trading fees.
    Exchange,
    /// An insurance fund: of one underlying, or of the exchange.
    Fund(Option<UnderlyingIndex>),
    /// The backstop.
    Backstop,
    /// Every pool with equity.
    Members,
}

/// What of a pool's figures an event goes back to, quote units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Health {
    /// Raw equity.
    pub equity: f64,
    /// Adjusted equity.
    pub adjusted_equity: f64,
    /// Maintenance margin.
    pub maintenance_margin: f64,
}

impl Health {
    /// Adjusted equity / maintenance margin; `None` where the margin is zero.
    pub fn ratio(&self) -> Option<f64> {
        (self.maintenance_margin != 0.0).then(|| self.adjusted_equity / self.maintenance_margin)
    }
}

impl From<Figures> for Health {
    fn from(figures: Figures) -> Self {
        Self {
            equity: figures.equity,
            adjusted_equity: figures.adjusted_equity,
            maintenance_margin: figures.maintenance_margin,
        }
    }
}

/// One entry of the log: what changed in one pool, who stood on the other side, and the numbers that caused it.
///
/// What the pool holds changes by `quantity`, `amount`, `quote_amount` and `carry`; what it pays in fees is in `quote_amount` and
/// arrives as `trading_fee` and `fund_fee`. An event between two pools is two entries, one for each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Step of the path, from 0.
    pub step: u32,
    /// Round of the step, from 0.
    pub round: u32,
    /// The pool, by its place in the book.
    pub pool: u32,
    /// What happened.
    pub action: Action,
    /// Why.
    pub cause: Cause,
    /// Who stood on the other side.
    pub party: Party,
    /// The instrument whose position changed.
    pub instrument: Option<InstrumentIndex>,
    /// Change of the position, contracts.
    pub quantity: Quanta,
    /// Price of the trade, in the instrument's price asset, or of the asset in quote units; 0 where nothing was traded.
    pub price: f64,
    /// The asset that `amount` is in: the settlement asset of the instrument, or the one that moved.
    pub asset: AssetIndex,
    /// Change of the balance of that asset.
    pub amount: Quanta,
    /// Change of the quote balance, beside `amount`: proceeds of a conversion, less fees.
    pub quote_amount: Quanta,
    /// Change of what the position was entered at less its accrued funding, settlement units.
    pub carry: Quanta,
    /// What the exchange received of it, quote units.
    pub trading_fee: Quanta,
    /// What the insurance fund received of it, quote units.
    pub fund_fee: Quanta,
    /// What the trade cost against the mark, fees included, quote units.
    pub cost_quote: f64,
    /// The pool before its round.
    pub before: Health,
    /// The pool after its round, at the same marks.
    pub after: Health,
}
