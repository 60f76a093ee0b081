//! The rows of a span beside those of its scan: composite deltas, short option minima, index prices.

use rayon::prelude::*;

use super::{ChargeUnit, Span, THIRDS};
use crate::domain::{InstrumentIndex, Kind};
use crate::margin::component::block::Block;
use crate::margin::component::{ComponentRows, Cover};
use crate::margin::row_sheet::RowSheet;
use crate::pricing::{Column, Move};

/// Of an instrument: composite delta of one long contract, units of the underlying.
pub(super) const DELTA: usize = 4;
/// Of an option: least risk of one short contract, quote units; 0 once it has expired.
pub(super) const MINIMUM: usize = 5;
/// Of an underlying: index price, quote units.
pub(super) const INDEX: usize = 2;

pub(super) fn rows(span: &Span, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
    let grid = span.grid();
    let mut rows = grid.form_rows(cover, sheet);
    let snapshot = sheet.snapshot;
    let is_covered = |&index: &InstrumentIndex| cover.instrument(&snapshot.instruments[index as usize], snapshot);
    let held: Vec<_> = sheet.held_instruments().into_iter().filter(is_covered).collect();
    let deltas: Vec<_> = held.par_iter().map(|&index| composite_delta(span, index, sheet)).collect();
    for (&index, deltas) in held.iter().zip(deltas) {
        let instrument = &snapshot.instruments[index as usize];
        rows.set_instrument(DELTA, index, sheet.append(deltas, &instrument.name));
        if let Some(minimum) = span.short_options.filter(|_| instrument.kind == Kind::Option) {
            let size = minimum.rate * instrument.contract_size;
            let values = sheet.values(|column| {
                let is_alive = sheet.market.seconds_left(instrument, column).is_none_or(|seconds| seconds > 0.0);
                let unit = match span.charge_unit {
                    ChargeUnit::Quote => 1.0,
                    ChargeUnit::Index => sheet.market.index_price(instrument.underlying, column),
                };
                if is_alive { size * unit } else { 0.0 }
            });
            rows.set_instrument(MINIMUM, index, sheet.append(values, &instrument.name));
        }
        if span.charge_unit == ChargeUnit::Index && rows.of_underlying(INDEX, instrument.underlying).is_none() {
            let values = sheet.values(|column| sheet.market.index_price(instrument.underlying, column));
            let name = &snapshot.underlyings[instrument.underlying as usize].name;
            rows.set_underlying(INDEX, instrument.underlying, sheet.append(values, name));
        }
    }
    rows
}

/// The weighted mean of the deltas at the seven prices, in every market.
fn composite_delta(span: &Span, index: InstrumentIndex, sheet: &RowSheet<'_>) -> Vec<f64> {
    let instrument = &sheet.snapshot.instruments[index as usize];
    let range = span.grid().relative_range(&sheet.snapshot.underlyings[instrument.underlying as usize]);
    let years = span.look_ahead_days / 365.0;
    let step = |thirds: &f64| Move { price: (thirds / 3.0 * range).max(-1.0), years, ..Move::default() };
    let steps: Vec<_> = THIRDS.iter().map(step).collect();
    let [still, third, two_thirds, whole] = span.delta_weights;
    let weights = [still, third, third, two_thirds, two_thirds, whole, whole];
    let total: f64 = weights.iter().sum();
    let deltas = Block::deltas(index, &steps, sheet);
    let mean = |column: Column| (0..steps.len()).map(|k| weights[k] * deltas.value(k, column)).sum::<f64>() / total;
    sheet.values(mean)
}
