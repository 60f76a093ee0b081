//! One trade on one pool's books, in quanta: what leaves the pool arrives elsewhere, to the last of them.

use crate::domain::{AssetIndex, InstrumentIndex, Kind, Premium};
use crate::policy::Costs;

use super::event::{Action, Cause, Event, Health, Party};
use super::marks::Marks;
use super::money::Quanta;
use super::state::PoolState;

/// Where an event stands in a run, and why it happens.
#[derive(Debug, Clone, Copy)]
pub struct Occasion {
    /// Step of the path.
    pub step: u32,
    /// Round of the step.
    pub round: u32,
    /// Why.
    pub cause: Cause,
    /// The pool before its round.
    pub before: Health,
}

impl Occasion {
    /// An event of a pool on this occasion that has moved nothing yet.
    pub fn event(&self, state: &PoolState, action: Action, party: Party, asset: AssetIndex) -> Event {
        Event {
            step: self.step,
            round: self.round,
            pool: state.pool,
            action,
            cause: self.cause,
            party,
            instrument: None,
            quantity: Quanta::ZERO,
            price: 0.0,
            asset,
            amount: Quanta::ZERO,
            quote_amount: Quanta::ZERO,
            carry: Quanta::ZERO,
            trading_fee: Quanta::ZERO,
            fund_fee: Quanta::ZERO,
            cost_quote: 0.0,
            before: self.before,
            after: self.before,
        }
    }
}

/// Terms on which a pool trades.
#[derive(Debug, Clone, Copy)]
pub struct TradeTerms {
    /// What is conceded against the mark, a fraction of notional ≥ 0: half spread and impact.
    pub concession: f64,
    /// Trading fee, a fraction of notional.
    pub trading_fee: f64,
    /// Liquidation fee, a fraction of notional.
    pub fund_fee: f64,
    /// The most that the liquidation fee may take, quote units.
    pub fund_fee_room: Quanta,
}

impl TradeTerms {
    /// The policy's costs with a price concession.
    pub fn of(costs: &Costs, kind: Kind, concession: f64, fund_fee_room: Quanta) -> Self {
        Self {
            concession: concession + costs.half_spread_of(kind),
            trading_fee: costs.trading_fee,
            fund_fee: costs.liquidation_fee,
            fund_fee_room,
        }
    }
}

/// Value of one long contract in settlement units when somebody trades it at a concession; a long option is never sold for less
/// than nothing.
pub fn traded_value(marks: &Marks<'_>, instrument: InstrumentIndex, is_sold: Selling, concession: f64) -> Option<f64> {
    let terms = &marks.snapshot().instruments[instrument as usize];
    let price = marks.asset_price(terms.settlement_asset);
    let mark = marks.settlement_value(instrument)?;
    let conceded = concession * marks.unit_notional(instrument) / price;
    Some(match is_sold {
        Selling::Yes if terms.kind == Kind::Option && terms.premium == Premium::Paid => (mark - conceded).max(0.0),
        Selling::Yes => mark - conceded,
        Selling::No => mark + conceded,
    })
}

/// Whether a trade is a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selling {
    /// It closes a long position.
    Yes,
    /// It closes a short position.
    No,
}

/// Cuts `contracts` (of the position's sign, at most all of it) of the position at `index` in the market. `None` where the
/// settlement asset is worth nothing: there is no price.
pub fn cut(
    state: &mut PoolState,
    index: usize,
    contracts: Quanta,
    terms: TradeTerms,
    (marks, quote, occasion): (&Marks<'_>, AssetIndex, &Occasion),
) -> Option<Event> {
    let instrument = state.positions[index].position.instrument;
    let selling = if contracts.0 > 0 { Selling::Yes } else { Selling::No };
    let value = traded_value(marks, instrument, selling, terms.concession)?;
    let mark = marks.settlement_value(instrument)?;
    let size = contracts.units().abs();
    let notional = size * marks.unit_notional(instrument);
    let trading_fee = Quanta::ceil(notional * terms.trading_fee);
    let fund_fee = Quanta::ceil(notional * terms.fund_fee).min(terms.fund_fee_room).max(Quanta::ZERO);
    let settlement = marks.snapshot().instruments[instrument as usize].settlement_asset;
    let mut event = occasion.event(state, Action::Cut, Party::Market, settlement);
    exchange(state, index, contracts, Quanta::floor(contracts.units() * value), &mut event);
    event.quote_amount = -(trading_fee + fund_fee);
    *state.cash_mut(quote) += event.quote_amount;
    state.refresh();
    event.price = marks.price_of(instrument, value);
    (event.trading_fee, event.fund_fee) = (trading_fee, fund_fee);
    let conceded = (mark - value).abs() * size * marks.asset_price(settlement);
    event.cost_quote = conceded + (trading_fee + fund_fee).units();
    Some(event)
}

/// Moves `contracts` out of the pool for `proceeds` settlement quanta, less what they were entered at.
pub fn exchange(state: &mut PoolState, index: usize, contracts: Quanta, proceeds: Quanta, event: &mut Event) {
    let held = &mut state.positions[index];
    let carry = held.take(contracts);
    event.instrument = Some(held.position.instrument);
    event.quantity = -contracts;
    event.carry = -carry;
    event.amount = proceeds - carry;
    *state.cash_mut(event.asset) += event.amount;
    state.refresh();
}

/// Sells `amount` of an asset for the quote currency; where it is negative, buys a loan back.
pub fn convert(
    state: &mut PoolState,
    asset: AssetIndex,
    amount: Quanta,
    terms: TradeTerms,
    (marks, quote, occasion): (&Marks<'_>, AssetIndex, &Occasion),
) -> Event {
    let price = marks.asset_price(asset);
    let notional = amount.units().abs() * price;
    let traded_at = match amount.0 > 0 {
        true => price * (1.0 - terms.concession).max(0.0),
        false => price * (1.0 + terms.concession),
    };
    let trading_fee = Quanta::ceil(notional * terms.trading_fee);
    let mut event = occasion.event(state, Action::ConvertCollateral, Party::Market, asset);
    event.amount = -amount;
    event.price = traded_at;
    event.quote_amount = Quanta::floor(amount.units() * traded_at) - trading_fee;
    event.trading_fee = trading_fee;
    event.cost_quote = amount.units() * price - event.quote_amount.units();
    *state.cash_mut(asset) -= amount;
    *state.cash_mut(quote) += event.quote_amount;
    state.refresh();
    event
}
