use crate::domain::{Instrument, Kind, Payoff};

/// Value of one long contract at `mark_price`, in settlement units, before subtracting what was paid for it.
///
/// Linear `contract_size · mark`; inverse `−contract_size / mark` (so that a long contract gains as the mark rises);
/// quanto `contract_size · mark · fixed_rate`. An inverse contract has no value at a mark of 0: the result is infinite.
pub fn unit_value(instrument: &Instrument, mark_price: f64) -> f64 {
    match instrument.payoff {
        Payoff::Linear => instrument.contract_size * mark_price,
        Payoff::Inverse => -(instrument.contract_size / mark_price),
        Payoff::Quanto => instrument.contract_size * mark_price * instrument.fixed_rate,
    }
}

/// What one contract was worth at the entry price, in settlement units: the atom subtracted from [`unit_value`].
///
/// Zero for spot, which is worth its full value.
pub fn entry_value(instrument: &Instrument, entry_price: f64) -> f64 {
    match instrument.kind {
        Kind::Spot => 0.0,
        Kind::Perpetual | Kind::Future | Kind::Option => unit_value(instrument, entry_price),
    }
}
