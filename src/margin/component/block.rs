use ndarray::Array2;

use crate::domain::InstrumentIndex;
use crate::margin::row_sheet::RowSheet;
use crate::pricing::{Column, Move};

/// Adjacent rows on their way, one per move or point.
pub(super) struct Block {
    /// In the unshocked market: `[n_points]`.
    base: Vec<f64>,
    /// Under each scenario: `[n_points × n_scenarios]`.
    shocked: Array2<f64>,
}

impl Block {
    /// Rows formed value by value.
    pub(super) fn new(points: usize, scenarios: usize, value: impl Fn(usize, Column) -> f64) -> Self {
        Self {
            base: (0..points).map(|k| value(k, Column::Base)).collect(),
            shocked: Array2::from_shape_fn((points, scenarios), |(k, s)| value(k, Column::Scenario(s))),
        }
    }

    /// Values of one long contract after each move, quote units.
    pub(super) fn revalued(instrument: InstrumentIndex, moves: &[Move<'_>], sheet: &RowSheet<'_>) -> Self {
        let moved = sheet.market.moved(&sheet.snapshot.instruments[instrument as usize], moves);
        Self { base: moved.base, shocked: moved.shocked }
    }

    /// Deltas of one long contract after each move, units of the underlying.
    pub(super) fn deltas(instrument: InstrumentIndex, moves: &[Move<'_>], sheet: &RowSheet<'_>) -> Self {
        let deltas = sheet.market.moved_deltas(&sheet.snapshot.instruments[instrument as usize], moves);
        Self { base: deltas.base, shocked: deltas.shocked }
    }

    /// The value at a point.
    pub(super) fn value(&self, point: usize, column: Column) -> f64 {
        match column {
            Column::Base => self.base[point],
            Column::Scenario(scenario) => self.shocked[[point, scenario]],
        }
    }

    /// Each value put through `map(point, column, value)`.
    pub(super) fn map(mut self, map: impl Fn(usize, Column, f64) -> f64) -> Self {
        self.base.iter_mut().enumerate().for_each(|(k, value)| *value = map(k, Column::Base, *value));
        self.shocked.indexed_iter_mut().for_each(|((k, s), value)| *value = map(k, Column::Scenario(s), *value));
        self
    }

    /// A copy put through `map`.
    pub(super) fn mapped(&self, map: impl Fn(usize, Column, f64) -> f64) -> Self {
        Self { base: self.base.clone(), shocked: self.shocked.clone() }.map(map)
    }

    /// Appends the rows and answers the first; `item` is what a value that is not finite is blamed on.
    pub(super) fn append(&self, sheet: &mut RowSheet<'_>, item: &str) -> u32 {
        sheet.append_block(&self.base, self.shocked.view(), item)
    }
}
