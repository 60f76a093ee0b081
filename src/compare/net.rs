//! Positions of one instrument and side in several pools, as one.

use crate::domain::{Balance, Instrument, Payoff, Position};
use crate::pricing::entry_value;

/// What becomes of several positions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Netted {
    /// What is left; `None` where longs and shorts close each other.
    pub position: Option<Position>,
    /// Realised profit, and the funding of a position that is closed altogether: units of the settlement asset.
    pub paid_out: Option<Balance>,
}

/// Nets positions (≥ 1) of one instrument and side.
///
/// Longs among each other, and shorts, add up; their entry is the quantity-weighted mean of the entry values (of prices;
/// harmonic for inverse contracts), so that value in every market is unchanged. Where both are there they close each other:
/// the rest keeps the entry of the larger side, and the closed quantity's profit, quantity · (entry value of the shorts −
/// that of the longs), is paid out, as a venue would. Funding adds up; of the chosen leverages the lowest holds. A single
/// position is left as it is.
pub fn net(instrument: &Instrument, lots: &[Position]) -> Netted {
    let [first, rest @ ..] = lots else { return Netted { position: None, paid_out: None } };
    if rest.is_empty() {
        return Netted { position: Some(*first), paid_out: None };
    }
    let (longs, shorts) = (Leg::of(instrument, lots, 1.0), Leg::of(instrument, lots, -1.0));
    let closed = longs.quantity.min(shorts.quantity);
    let realised = match closed > 0.0 {
        true => closed * (entry_value(instrument, shorts.entry_price) - entry_value(instrument, longs.entry_price)),
        false => 0.0,
    };
    let funding = lots.iter().map(|lot| lot.accrued_funding).sum();
    let quantity = longs.quantity - shorts.quantity;
    let leverage = lots.iter().filter_map(|lot| lot.leverage).reduce(f64::min);
    let larger = if quantity > 0.0 { longs } else { shorts };
    let position = Position { quantity, entry_price: larger.entry_price, leverage, accrued_funding: funding, ..*first };
    let is_open = quantity != 0.0;
    let amount = if is_open { realised } else { realised + funding };
    Netted {
        position: is_open.then_some(position),
        paid_out: (amount != 0.0).then(|| Balance::new(instrument.settlement_asset, amount)),
    }
}

/// The positions of one sign.
#[derive(Debug, Clone, Copy)]
struct Leg {
    /// Contracts, ≥ 0.
    quantity: f64,
    /// Mean entry; 0 where there are none.
    entry_price: f64,
}

impl Leg {
    fn of(instrument: &Instrument, lots: &[Position], sign: f64) -> Self {
        let of_sign = || lots.iter().filter(|lot| lot.quantity * sign > 0.0);
        let quantity = of_sign().map(|lot| lot.quantity.abs()).sum::<f64>();
        let mut entries = of_sign().map(|lot| lot.entry_price);
        let first = entries.next().unwrap_or(0.0);
        // A mean of equal prices would round.
        if entries.all(|price| price == first) {
            return Self { quantity, entry_price: first };
        }
        let weighted = |value: fn(f64) -> f64| of_sign().map(|lot| lot.quantity.abs() * value(lot.entry_price)).sum();
        let entry_price = match instrument.payoff {
            Payoff::Inverse => {
                let sum: f64 = weighted(f64::recip);
                quantity / sum
            }
            Payoff::Linear | Payoff::Quanto => {
                let sum: f64 = weighted(|price| price);
                sum / quantity
            }
        };
        Self { quantity, entry_price }
    }
}
