//! The tables of Greeks, batch by batch.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};

use super::{ResultsWriter, numbers};
use crate::domain::Snapshot;
use crate::engine::greeks::{PoolGreeks, ScenarioGreeks};
use crate::error::Result;
use crate::io::table_write::TableWriter;
use crate::pricing::Greeks;
use crate::scenario::ScenarioSet;

/// A table of Greeks under construction.
pub struct GreekTable<'w> {
    results: &'w ResultsWriter,
    writer: Option<TableWriter>,
}

impl<'w> GreekTable<'w> {
    pub(super) fn new(results: &'w ResultsWriter) -> Self {
        Self { results, writer: None }
    }

    /// Appends to `greeks`: two rows for each, at `base` and at `worst`. A figure that is not a number is null.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_pools(&mut self, snapshot: &Snapshot, rows: &[PoolGreeks]) -> Result<()> {
        let twice = || rows.iter().flat_map(|row| [row, row]);
        let pool = |row: &PoolGreeks| snapshot.book.pool(row.pool as usize);
        let underlying = |row: &PoolGreeks| snapshot.underlyings[row.underlying as usize].name.as_str();
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("account", Arc::new(StringArray::from_iter_values(twice().map(|row| pool(row).account)))),
            ("pool", Arc::new(StringArray::from_iter_values(twice().map(|row| pool(row).pool)))),
            ("underlying", Arc::new(StringArray::from_iter_values(twice().map(underlying)))),
            ("at", Arc::new(StringArray::from_iter_values(rows.iter().flat_map(|_| ["base", "worst"])))),
        ];
        let greeks: Vec<Greeks> = rows.iter().flat_map(|row| [row.base, row.worst]).collect();
        columns.extend(figures(&greeks));
        self.results.append(&mut self.writer, "greeks", columns)
    }

    /// Appends to `scenario_greeks`: one row for each. A figure that is not a number is null.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_scenarios(&mut self, snapshot: &Snapshot, set: &ScenarioSet, rows: &[ScenarioGreeks]) -> Result<()> {
        let id = |row: &ScenarioGreeks| set.ids[row.scenario as usize].as_str();
        let underlying = |row: &ScenarioGreeks| snapshot.underlyings[row.underlying as usize].name.as_str();
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("scenario", Arc::new(StringArray::from_iter_values(rows.iter().map(id)))),
            ("underlying", Arc::new(StringArray::from_iter_values(rows.iter().map(underlying)))),
        ];
        let greeks: Vec<Greeks> = rows.iter().map(|row| row.greeks).collect();
        columns.extend(figures(&greeks));
        self.results.append(&mut self.writer, "scenario_greeks", columns)
    }

    /// Completes the table.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn finish(self) -> Result<()> {
        self.writer.map_or(Ok(()), TableWriter::finish)
    }
}

/// One column for each Greek.
fn figures(greeks: &[Greeks]) -> impl Iterator<Item = (&'static str, ArrayRef)> {
    Greeks::NAMES.into_iter().enumerate().map(|(at, name)| {
        // −0 and 0 are one figure.
        let figure = |greeks: &Greeks| Some(greeks.to_array()[at] + 0.0).filter(|figure| figure.is_finite());
        (name, numbers(greeks.iter().map(figure)))
    })
}
