use crate::domain::{Instrument, Kind, Payoff, Premium};

/// Value of one long contract at `mark_price`, in settlement units, before subtracting what was paid for it.
///
/// Linear `contract_size · mark`; inverse `−contract_size / mark` (so that a long contract gains as the mark rises);
/// quanto `contract_size · mark · fixed_rate`. An inverse contract has no value at a mark of 0: the result is infinite.
/// Not for options: [`option_unit_value`].
pub fn unit_value(instrument: &Instrument, mark_price: f64) -> f64 {
    match instrument.payoff {
        Payoff::Linear => instrument.contract_size * mark_price,
        Payoff::Inverse => -(instrument.contract_size / mark_price),
        Payoff::Quanto => instrument.contract_size * mark_price * instrument.fixed_rate,
    }
}

/// Value of one long option in settlement units, from its value per unit of underlying and the index, both in units of the
/// price asset: linear `contract_size · value`, quanto `· fixed_rate`, inverse `contract_size · value / index` (coins; at an
/// index of 0 a put's are infinitely many).
pub fn option_unit_value(instrument: &Instrument, value: f64, index: f64) -> f64 {
    match instrument.payoff {
        Payoff::Linear => instrument.contract_size * value,
        Payoff::Quanto => instrument.contract_size * value * instrument.fixed_rate,
        Payoff::Inverse if value == 0.0 => 0.0,
        Payoff::Inverse => instrument.contract_size * (value / index),
    }
}

/// What one contract was worth at the entry price, in settlement units: the atom subtracted from the unit value.
///
/// Zero for spot and premium-paid options, which are worth their full value.
pub fn entry_value(instrument: &Instrument, entry_price: f64) -> f64 {
    match (instrument.kind, instrument.premium) {
        (Kind::Spot, _) | (Kind::Option, Premium::Paid) => 0.0,
        (Kind::Perpetual | Kind::Future | Kind::Option, _) => unit_value(instrument, entry_price),
    }
}
