use super::ask::{Ask, Choice};
use super::desk::Desk;
use crate::domain::{InstrumentIndex, Position, Side, Snapshot};
use crate::restore::Leg;

/// Lots per contract: trades are whole multiples of 1e-8 contracts.
const LOTS: f64 = 1e8;

/// What a plan may do with each position of the desk.
///
/// A cut moves towards zero, at most to zero; a hedge moves away from it, up to its cap. So no position changes sides, and
/// what is not held may be bought or sold.
pub fn legs(
    desk: &Desk<'_>,
    ask: &Ask,
    choice: Choice,
    (hedges, snapshot): (&[InstrumentIndex], &Snapshot),
) -> Vec<Leg> {
    let gross_notional = desk.gross_notional();
    let of_position = |(at, position): (usize, &Position)| {
        let instrument = &snapshot.instruments[position.instrument as usize];
        let held = position.quantity;
        let mut leg = Leg { cost: ask.costs.of(instrument.kind) * desk.notional(at), ..Leg::fixed(held) };
        if choice.cuts() {
            leg = Leg::cut(held, leg.cost);
        }
        let notional = desk.notional(at);
        if choice.hedges() && hedges.contains(&position.instrument) && notional > 0.0 {
            let cap = ask.cap(&snapshot.underlyings[instrument.underlying as usize], gross_notional);
            let cap = (cap / notional * LOTS).floor() / LOTS;
            let (down, up) = sides(position);
            leg.lowest -= if down { cap } else { 0.0 };
            leg.highest += if up { cap } else { 0.0 };
        }
        leg
    };
    desk.positions().iter().enumerate().map(of_position).collect()
}

/// Whether more may be sold, and bought, without changing sides.
fn sides(position: &Position) -> (bool, bool) {
    let down = position.quantity <= 0.0 && position.side != Side::Long;
    let up = position.quantity >= 0.0 && position.side != Side::Short;
    (down, up)
}

/// Quantities after these trades, on whole lots, never traded less, within what each leg may be.
pub fn rounded(legs: &[Leg], trades: &[f64]) -> Vec<f64> {
    let round = |(leg, &trade): (&Leg, &f64)| {
        // A thousandth of a lot is the rounding of the search, not a trade.
        if trade.abs() * LOTS < 1e-3 {
            return leg.held;
        }
        let lots = (leg.held + trade) * LOTS;
        let quantity = if trade < 0.0 { lots.floor() } else { lots.ceil() } / LOTS;
        quantity.clamp(leg.lowest, leg.highest)
    };
    legs.iter().zip(trades).map(round).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trades_are_rounded_outwards_and_stop_at_the_bounds() {
        let legs = [Leg::cut(2.0, 1.0), Leg::cut(-2.0, 1.0), Leg::cut(1.000_000_005, 1.0), Leg::hedge(0.0, 1.0, 1.0)];
        let after = rounded(&legs, &[-0.123_456_789_1, 0.123_456_789_1, -1.000_000_004, 1e-12]);
        assert_eq!(after, [1.876_543_21, -1.876_543_21, 0.0, 0.0]);
    }
}
