//! Margin reserved for open orders: a constant added to the initial margin, so it needs no lowering of its own.

use super::rules::Rules;
use crate::domain::{Order, Pool, Snapshot};
use crate::pricing::unit_value;

/// Whether open orders reserve margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderReserve {
    /// Orders reserve nothing (they are counted and a warning says so).
    #[default]
    None,
    /// An order that may grow a position reserves its notional at the order price, times the initial rate of that notional.
    Initial,
}

impl Rules {
    /// Margin reserved for a pool's open orders, quote units: the amount given with the pool, plus, where the rulebook
    /// reserves for orders, Σ notional at the order price · initial rate of that notional, at unshocked prices.
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
        let instrument = &snapshot.instruments[order.instrument as usize];
        let price = snapshot.assets[instrument.settlement_asset as usize].price;
        let notional = (unit_value(instrument, order.price) * price * order.quantity).abs();
        self.class(order.instrument).initial.requirement(&notional, 0.0)
    }
}
