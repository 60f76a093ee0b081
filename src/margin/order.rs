//! Margin reserved for open orders: a constant added to the initial margin, so it needs no lowering of its own.

use std::cell::Cell;
use std::collections::HashMap;

use super::option::{MarkIn, OptionClass, ShortMarket};
use super::rules::Rules;
use super::scalar::MarketReader;
use crate::domain::{InstrumentIndex, Kind, Order, Payoff, Pool, Premium, Snapshot};
use crate::error::{Error, Fault, Result};
use crate::pricing::{Column, ShockedMarket, option_unit_value, unit_value};
use crate::scenario::ScenarioSet;

/// Whether open orders reserve margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderReserve {
    /// Orders reserve nothing (they are counted and a warning says so).
    #[default]
    None,
    /// An order that may grow a position reserves its notional at the order price, times the initial rate of that notional;
    /// in an option under an option class, selling reserves the initial requirement and buying the premium.
    Initial,
}

/// Unit initial requirements of the options that orders name, at unshocked prices.
#[derive(Debug, Clone, Default)]
pub struct OptionOrders {
    /// Quote units per contract sold.
    of_sale: HashMap<InstrumentIndex, f64>,
}

impl OptionOrders {
    pub(super) fn of(
        orders: OrderReserve,
        classes: &[Option<OptionClass>],
        snapshot: &Snapshot,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let mut reserves = Self::default();
        if orders == OrderReserve::None {
            return reserves;
        }
        let nothing = ScenarioSet::default();
        let market = ShockedMarket::new(snapshot, &nothing);
        for order in snapshot.book.settings().flat_map(|settings| &settings.orders) {
            let Some(class) = &classes[order.instrument as usize] else { continue };
            let instrument = &snapshot.instruments[order.instrument as usize];
            let Some((european, option)) = market.option(instrument, Column::Base) else {
                let rule = format!("option {} has strike, right, expiry and volatility", instrument.name);
                faults.push(Fault::of_table("instruments", rule, "add what is missing"));
                continue;
            };
            let settlement_price = market.asset_price(instrument.settlement_asset, Column::Base);
            let mark = option_unit_value(instrument, european.value(&option), option.index) * settlement_price;
            let [initial, _] = class.short_requirements(instrument, &ShortMarket { option, settlement_price, mark });
            let counted = match class.mark {
                MarkIn::Equity => 0.0,
                MarkIn::Requirement => mark,
            };
            reserves.of_sale.insert(order.instrument, initial.value + counted);
        }
        reserves
    }
}

impl Rules {
    /// Margin reserved for a pool's open orders, quote units: the amount given with the pool, plus, where the rulebook
    /// reserves for orders, Σ over orders at unshocked prices ([`OrderReserve::Initial`]).
    ///
    /// Added to initial margin only; a constant over scenarios, since a reserve is set when the order is placed.
    pub fn order_reserve(&self, pool: &Pool<'_>, snapshot: &Snapshot) -> f64 {
        let orders = pool.settings.orders.iter();
        orders.fold(pool.settings.open_order_margin, |sum, order| sum + self.order_margin(order, snapshot))
    }

    /// What one open order adds to the reserve, quote units.
    pub fn order_margin(&self, order: &Order, snapshot: &Snapshot) -> f64 {
        if self.orders == OrderReserve::None || order.reduces_only {
            return 0.0;
        }
        if let Some(class) = self.option(order.instrument) {
            return self.option_order_margin(class, order, snapshot);
        }
        let instrument = &snapshot.instruments[order.instrument as usize];
        let price = snapshot.assets[instrument.settlement_asset as usize].price;
        let unit = match instrument.kind {
            // As a position in it pays: on the index price.
            Kind::Option => instrument.contract_size * snapshot.underlyings[instrument.underlying as usize].index_price,
            Kind::Spot | Kind::Perpetual | Kind::Future => unit_value(instrument, order.price) * price,
        };
        let notional = (unit * order.quantity).abs();
        let unit_size = match instrument.payoff {
            Payoff::Inverse => instrument.contract_size / order.price,
            Payoff::Linear | Payoff::Quanto => instrument.contract_size,
        };
        let class = self.class(order.instrument);
        let required = class.initial.at(notional, unit_size * order.quantity.abs(), 0.0) + class.minimum.initial;
        self.order_scale(order.instrument) * required
    }

    /// What initial requirements of the ordered instruments are multiplied by in the unshocked market, where that is not 1: the
    /// class's scalar times the overlay's multiplier.
    ///
    /// # Errors
    /// [`Error::Refused`] where a scalar reads what the snapshot does not have, or is negative.
    pub(super) fn scales_of_orders(&self, snapshot: &Snapshot) -> Result<HashMap<InstrumentIndex, f64>> {
        let mut scales = HashMap::new();
        if self.orders == OrderReserve::None {
            return Ok(scales);
        }
        let nothing = ScenarioSet::default();
        let market = ShockedMarket::new(snapshot, &nothing);
        for order in snapshot.book.settings().flat_map(|settings| &settings.orders) {
            if self.option(order.instrument).is_some() {
                continue;
            }
            let underlying = snapshot.instruments[order.instrument as usize].underlying;
            let multiplier = self.multipliers(underlying).map_or(1.0, |multipliers| multipliers.initial);
            let Some(scalar) = self.class(order.instrument).scale.as_ref().and_then(|name| self.scalar(name)) else {
                scales.insert(order.instrument, multiplier);
                continue;
            };
            let underlying = Some(underlying);
            let reader = MarketReader {
                snapshot,
                market: &market,
                rules: self,
                column: Column::Base,
                underlying,
                missing: Cell::new(None),
            };
            let value = reader.scalar(scalar);
            if let Some(fault) = reader.missing.take() {
                return Err(Error::Refused(vec![fault]));
            }
            scales.insert(order.instrument, multiplier * value);
        }
        Ok(scales)
    }

    /// Selling reserves the unit initial requirement, buying the premium; of margined premium, the share of it that a long
    /// position requires.
    fn option_order_margin(&self, class: &OptionClass, order: &Order, snapshot: &Snapshot) -> f64 {
        if order.quantity < 0.0 {
            let unit = self.option_orders().of_sale.get(&order.instrument).copied().unwrap_or_default();
            return -order.quantity * unit;
        }
        let instrument = &snapshot.instruments[order.instrument as usize];
        let price = |asset: u32| snapshot.assets[asset as usize].price;
        let index = snapshot.underlyings[instrument.underlying as usize].index_price / price(instrument.price_asset);
        let premium = option_unit_value(instrument, order.price, index) * price(instrument.settlement_asset);
        let share = match instrument.premium {
            Premium::Paid => 1.0,
            Premium::Margined => class.initial.long_of_mark,
        };
        order.quantity * premium * share
    }
}
