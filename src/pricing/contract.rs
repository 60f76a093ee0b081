use super::option_row::OptionRow;
use super::payoff::{option_unit_value, unit_value};
use super::{BLOCK, Column, European, Greeks, OptionMarket, Priced, ShockedMarket};
use crate::domain::{Instrument, Kind, Payoff};

/// What one long contract is worth in a market, and what moves it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ContractValue {
    /// Quote units per contract: an option's value, or the size of any other contract at its mark (≥ 0 also for inverse
    /// contracts). What an entry price takes off is not in it.
    pub value: f64,
    /// The same in units of the underlying: coins of an inverse contract, else value / index price; NaN where the index is 0.
    pub value_coin: f64,
    /// Sensitivities of a position entered at this market, per contract.
    pub greeks: Greeks,
}

impl ShockedMarket<'_> {
    /// Value and Greeks of one long contract. Contracts without optionality have a delta (marks move in proportion to the
    /// index) and nothing else; the delta of an inverse one is the coins it is worth, times coin price / index.
    pub fn contract(&self, instrument: &Instrument, column: Column) -> ContractValue {
        let index_price = self.index_price(instrument.underlying, column);
        let settlement_price = self.asset_price(instrument.settlement_asset, column);
        let Some(row) = OptionRow::of(self, instrument) else {
            let units = unit_value(instrument, self.mark_price(instrument, column)).abs();
            let value = units * settlement_price;
            let value_coin = match instrument.payoff {
                Payoff::Inverse => units,
                Payoff::Linear | Payoff::Quanto => value / index_price,
            };
            let delta = if index_price > 0.0 {
                value / index_price
            } else {
                // Marks move in proportion to the index: the ratio is the unshocked one, at the settlement asset's price here.
                let unshocked = unit_value(instrument, instrument.mark_price).abs();
                unshocked * settlement_price / self.index_price(instrument.underlying, Column::Base)
            };
            return ContractValue { value, value_coin, greeks: Greeks { delta, ..Greeks::default() } };
        };
        let state = row.market(column);
        let at = Units::of(self, instrument, state.index, column);
        per_contract(instrument, (row.option(), &state), &row.option().price(&state), &at)
    }

    /// Greeks of [`ContractValue::value_coin`]: by the quotient rule, in coins of the settlement asset for inverse contracts,
    /// whose price moves with the index. Of contracts without optionality, those of a position's profit, which is 0 here.
    pub fn greeks_in_coin(&self, instrument: &Instrument, contract: &ContractValue, column: Column) -> Greeks {
        let index_price = self.index_price(instrument.underlying, column);
        let value = if instrument.kind == Kind::Option { contract.value } else { 0.0 };
        let per_index = contract.greeks.in_coin(value, index_price);
        let coins = match instrument.payoff {
            Payoff::Inverse => index_price / self.asset_price(instrument.settlement_asset, column),
            Payoff::Linear | Payoff::Quanto => 1.0,
        };
        Greeks::from_array(per_index.to_array().map(|greek| greek * coins))
    }

    /// [`ShockedMarket::contract`] under the scenarios from `first` on, as many as `contracts` holds; the same bits. Options
    /// are priced in vectors.
    pub fn contracts(&self, instrument: &Instrument, first: usize, contracts: &mut [ContractValue]) {
        let Some(row) = OptionRow::of(self, instrument) else {
            for (offset, contract) in contracts.iter_mut().enumerate() {
                *contract = self.contract(instrument, Column::Scenario(first + offset));
            }
            return;
        };
        row.for_each_block(first, contracts.len(), |offset, length, markets, priced: &[[f64; BLOCK]; 9]| {
            for lane in 0..length {
                let column = Column::Scenario(first + offset + lane);
                let [value, greeks @ ..] = priced.map(|output| output[lane]);
                let priced = Priced { value, greeks: Greeks::from_array(greeks) };
                let at = Units::of(self, instrument, markets.index[lane], column);
                contracts[offset + lane] = per_contract(instrument, (row.option(), &markets.lane(lane)), &priced, &at);
            }
        });
    }
}

/// The prices that turn units of the formula into quote units per contract.
struct Units {
    /// Index price of the underlying, quote units.
    index_price: f64,
    /// Price of the settlement asset, quote units.
    settlement_price: f64,
    /// Index in the price asset over index price; at an index of 0 its limit, the unshocked ratio.
    per_index: f64,
    /// Price of the settlement asset over the index in the price asset; at an index of 0 likewise.
    coin_per_index: f64,
}

impl Units {
    /// `index` is the index in the price asset.
    fn of(market: &ShockedMarket<'_>, instrument: &Instrument, index: f64, column: Column) -> Self {
        let ratio = |a: f64, b: f64, unshocked: (f64, f64)| if b > 0.0 { a / b } else { unshocked.0 / unshocked.1 };
        let settlement = instrument.settlement_asset;
        let (index_price, settlement_price) =
            (market.index_price(instrument.underlying, column), market.asset_price(settlement, column));
        let index_at_base = market.index_at_base(instrument);
        let at_base = (index_at_base, market.index_price(instrument.underlying, Column::Base));
        let coin_at_base = (market.asset_price(settlement, Column::Base), index_at_base);
        Self {
            index_price,
            settlement_price,
            per_index: ratio(index, index_price, at_base),
            coin_per_index: ratio(settlement_price, index, coin_at_base),
        }
    }
}

/// From one unit in the price asset to one contract in quote units.
fn per_contract(
    instrument: &Instrument,
    (option, state): (&European, &OptionMarket),
    priced: &Priced,
    at: &Units,
) -> ContractValue {
    let has_value = option.has_value(state);
    let units = if has_value { option_unit_value(instrument, priced.value, state.index) } else { f64::NAN };
    let value = units * at.settlement_price;
    // Quote units per unit of the formula's value; an inverse option's coins rise with the index.
    let (scale, value_coin) = match instrument.payoff {
        Payoff::Linear | Payoff::Quanto => {
            (option_unit_value(instrument, 1.0, 1.0) * at.settlement_price, value / at.index_price)
        }
        Payoff::Inverse => (instrument.contract_size * at.coin_per_index, units),
    };
    let g = priced.greeks;
    let greeks = Greeks {
        delta: scale * g.delta * at.per_index,
        gamma: scale * g.gamma * at.per_index * at.per_index,
        vega: scale * g.vega,
        theta: scale * g.theta,
        rho: scale * g.rho,
        vanna: scale * g.vanna * at.per_index,
        volga: scale * g.volga,
        charm: scale * g.charm * at.per_index,
    };
    ContractValue { value, value_coin, greeks }
}
