use crate::domain::{Pool, Position, Snapshot, UnderlyingIndex};
use crate::pricing::{Column, Greeks, ShockedMarket};

/// What one position contributes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    /// The position.
    pub position: Position,
    /// quantity · unit Greeks, quote units.
    pub greeks: Greeks,
}

/// A pool's Greeks on one underlying, and the positions that carry them.
#[derive(Debug, Clone, PartialEq)]
pub struct UnderlyingLegs {
    /// The underlying.
    pub underlying: UnderlyingIndex,
    /// Σ legs.
    pub total: Greeks,
    /// Σ |legs|, Greek by Greek: what shares are shares of, since legs may cancel.
    pub gross: Greeks,
    /// The positions, in stored order.
    pub legs: Vec<Leg>,
}

impl UnderlyingLegs {
    /// Share of a leg in each Greek, leg / Σ |legs| in [−1, 1]; 0 where no leg has that Greek.
    pub fn shares(&self, leg: &Leg) -> [f64; 8] {
        let (part, gross) = (leg.greeks.to_array(), self.gross.to_array());
        std::array::from_fn(|greek| if gross[greek] == 0.0 { 0.0 } else { part[greek] / gross[greek] })
    }
}

/// A pool's Greeks in a market by underlying, ascending. Balances are not in them.
pub fn legs(snapshot: &Snapshot, market: &ShockedMarket<'_>, pool: &Pool<'_>, column: Column) -> Vec<UnderlyingLegs> {
    let mut underlyings: Vec<UnderlyingLegs> = Vec::new();
    for &position in pool.positions {
        let instrument = &snapshot.instruments[position.instrument as usize];
        let at = match underlyings.binary_search_by_key(&instrument.underlying, |legs| legs.underlying) {
            Ok(at) => at,
            Err(at) => {
                let (underlying, total, gross) = (instrument.underlying, Greeks::default(), Greeks::default());
                underlyings.insert(at, UnderlyingLegs { underlying, total, gross, legs: Vec::new() });
                at
            }
        };
        let mut greeks = Greeks::default();
        greeks.add_scaled(position.quantity, market.contract(instrument, column).greeks);
        let of_underlying = &mut underlyings[at];
        of_underlying.total.add_scaled(1.0, greeks);
        of_underlying.gross.add_scaled(1.0, Greeks::from_array(greeks.to_array().map(f64::abs)));
        of_underlying.legs.push(Leg { position, greeks });
    }
    underlyings
}
