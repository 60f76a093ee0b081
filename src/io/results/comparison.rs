//! The tables of a comparison.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, StringArray, UInt64Array};

use super::{ResultsWriter, numbers};
use crate::compare::{Comparison, ComparisonRow, Figure};
use crate::domain::Snapshot;
use crate::error::Result;
use crate::scenario::ScenarioSet;

impl ResultsWriter {
    /// Writes `compare`: one row for each arrangement and rulebook.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_comparison(&self, comparison: &Comparison, set: &ScenarioSet) -> Result<()> {
        let rows = &comparison.rows;
        let worst = |row: &ComparisonRow| set.ids.get(row.metrics.worst?.scenario as usize);
        let digests = rows.iter().map(|row| row.metrics.digest.as_str());
        let mut columns = names(comparison, rows.iter());
        columns.extend(figures(comparison));
        columns.push(("worst_scenario", Arc::new(StringArray::from_iter(rows.iter().map(worst)))));
        columns.push(("digest", Arc::new(StringArray::from_iter_values(digests))));
        self.write_table("compare", columns)
    }

    /// Writes `utilisation`: one row for each arrangement, rulebook and asset. The row without an asset holds the
    /// requirements that no collateral backs.
    ///
    /// # Errors
    /// As [`ResultsWriter::write_comparison`].
    pub fn write_utilisation(&self, comparison: &Comparison, snapshot: &Snapshot) -> Result<()> {
        let rows = || comparison.rows.iter().flat_map(|row| row.metrics.assets.iter().map(move |asset| (row, asset)));
        let asset = rows().map(|(_, of)| of.asset.map(|asset| snapshot.assets[asset as usize].name.as_str()));
        let mut columns = names(comparison, rows().map(|(row, _)| row));
        columns.push(("asset", Arc::new(StringArray::from_iter(asset))));
        columns.push(("adjusted_collateral", numbers(rows().map(|(_, of)| Some(of.collateral)))));
        columns.push(("requirement", numbers(rows().map(|(_, of)| Some(of.requirement)))));
        columns.push(("utilisation", numbers(rows().map(|(_, of)| of.utilisation()))));
        self.write_table("utilisation", columns)
    }
}

/// Mode and rulebook of each row.
fn names<'a>(
    comparison: &Comparison,
    rows: impl Iterator<Item = &'a ComparisonRow> + Clone,
) -> Vec<(&'static str, ArrayRef)> {
    let rulebooks = rows.clone().map(|row| comparison.rulebooks[row.rulebook].as_str());
    vec![
        ("mode", Arc::new(StringArray::from_iter_values(rows.map(|row| row.mode.name())))),
        ("rulebook", Arc::new(StringArray::from_iter_values(rulebooks))),
    ]
}

/// One column for each figure.
fn figures(comparison: &Comparison) -> Vec<(&'static str, ArrayRef)> {
    let rows: Vec<_> = comparison.rows.iter().map(|row| comparison.figures(row)).collect();
    let Some(first) = rows.first() else { return Vec::new() };
    let column = |at: usize| -> ArrayRef {
        let cells = rows.iter().map(|row| row[at].1);
        match first[at].1 {
            Figure::Count(_) => Arc::new(UInt64Array::from_iter(cells.map(|cell| match cell {
                Figure::Count(count) => count,
                Figure::Number(_) => None,
            }))),
            Figure::Number(_) => Arc::new(Float64Array::from_iter(cells.map(|cell| match cell {
                Figure::Number(number) => number,
                Figure::Count(_) => None,
            }))),
        }
    };
    first.iter().enumerate().map(|(at, (name, _))| (*name, column(at))).collect()
}
