use crate::domain::{Instrument, Position};
use crate::margin::pool::Market;
use crate::number::Number;
use crate::pricing::entry_value;

/// The gain of some holdings at point k: Σ a · b · row[first + k]. Two factors to a term, since their product would round.
#[derive(Debug, Default)]
pub(super) struct Changes(Vec<(u32, [f64; 2])>);

impl Changes {
    /// Adds a term.
    pub(super) fn add(&mut self, first: u32, factors: [f64; 2]) {
        if factors.iter().all(|factor| *factor != 0.0) {
            self.0.push((first, factors));
        }
    }

    /// Adds a position: quantity · change of value, less quantity · entry value · change of the settlement asset's price, plus
    /// funding · that change. `None` where the rows are not there because nothing changes.
    pub(super) fn add_position(
        &mut self,
        position: &Position,
        instrument: &Instrument,
        (change, settlement_change): (Option<u32>, Option<u32>),
    ) {
        if let Some(row) = change {
            self.add(row, [position.quantity, 1.0]);
        }
        if let Some(row) = settlement_change {
            self.add(row, [-position.quantity, entry_value(instrument, position.entry_price)]);
            self.add(row, [position.accrued_funding, 1.0]);
        }
    }

    /// Direct formula of the gain at point k.
    pub(super) fn gain<N: Number>(&self, k: u32, market: &impl Market<N>) -> N {
        self.0
            .iter()
            .fold(N::of(0.0), |gain, (row, [a, b])| gain.plus(&N::of(*a).times(&N::of(*b)).times(&market.row(row + k))))
    }

    /// The gain from point `first` on, times `sign`, as strided terms.
    pub(super) fn terms(&self, first: u32, sign: f64) -> Vec<(u32, f64)> {
        self.0.iter().map(|(row, [a, b])| (row + first, sign * a * b)).collect()
    }
}
