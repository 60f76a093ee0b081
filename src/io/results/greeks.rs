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

    /// Appends to `greeks`: two rows for each, at `base` and at `worst`. The book of `snapshot` is the part of the whole whose
    /// first pool stands at `first` there, and the rows are of pools of this part. A figure that is not a number is null.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_pools(&mut self, (snapshot, first): (&Snapshot, usize), rows: &[PoolGreeks]) -> Result<()> {
        let twice = || rows.iter().flat_map(|row| [row, row]);
        let pool = |row: &PoolGreeks| snapshot.book.pool(row.pool as usize - first);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BookBuilder, Underlying};
    use crate::io::TableFormat;
    use crate::io::table::{CellKind, Column, FaultLog, Layout, NumberRule, Presence, read};

    /// The documented columns: a file with any other is refused by the reader.
    static POOLS: Layout = Layout {
        table: "greeks",
        columns: &[
            Column::required("account", CellKind::Text),
            Column::required("pool", CellKind::Text),
            Column::required("underlying", CellKind::Text),
            Column::required("at", CellKind::Text),
            Column::required("delta", CellKind::Number),
            Column::required("gamma", CellKind::Number),
            Column::required("vega", CellKind::Number),
            Column::required("theta", CellKind::Number),
            Column::required("rho", CellKind::Number),
            Column::required("vanna", CellKind::Number),
            Column::required("volga", CellKind::Number),
            Column::required("charm", CellKind::Number),
        ],
    };
    static SCENARIOS: Layout = Layout {
        table: "scenario_greeks",
        columns: &[
            Column::required("scenario", CellKind::Text),
            Column::required("underlying", CellKind::Text),
            Column::required("delta", CellKind::Number),
            Column::required("gamma", CellKind::Number),
            Column::required("vega", CellKind::Number),
            Column::required("theta", CellKind::Number),
            Column::required("rho", CellKind::Number),
            Column::required("vanna", CellKind::Number),
            Column::required("volga", CellKind::Number),
            Column::required("charm", CellKind::Number),
        ],
    };

    fn rows_of(dir: &std::path::Path, layout: &Layout, texts: usize) -> Vec<(Vec<String>, Vec<Option<f64>>)> {
        let (mut log, mut rows) = (FaultLog::default(), Vec::new());
        read(dir, layout, Presence::Required, &mut log, |row| {
            let names = (0..texts).map(|at| row.required_text(at).unwrap_or_default().to_string()).collect();
            rows.push((names, (texts..texts + 8).map(|at| row.number_at(at, NumberRule::Amount)).collect()));
        });
        let faults: Vec<String> = log.into_faults().iter().map(ToString::to_string).collect();
        assert!(faults.is_empty(), "{faults:?}");
        rows
    }

    #[test]
    fn tables_are_read_back_in_every_format() {
        let mut builder = BookBuilder::default();
        builder.pool("a", "main");
        builder.pool("b", "x, y");
        let snapshot = Snapshot {
            as_of: None,
            quote: "USD".into(),
            assets: Vec::new(),
            underlyings: vec![Underlying::new("BTC", 1.0), Underlying::new("ETH", 1.0)],
            instruments: Vec::new(),
            routes: Vec::new(),
            haircut_curves: Vec::new(),
            book: builder.build(),
        };
        let set = ScenarioSet {
            ids: vec!["s0".into(), "s1".into()],
            weights: vec![1.0; 2],
            labels: vec![String::new(); 2],
            factors: Vec::new(),
            shocks: ndarray::Array2::zeros((2, 0)),
        };
        let base = Greeks::from_array([0.1, 1e-9, -0.0, 1.0 / 3.0, 5.0, 6.0, 7.0, -8.5]);
        let worst = Greeks { delta: f64::NAN, gamma: f64::INFINITY, ..base };
        let pools = [
            PoolGreeks { pool: 0, underlying: 1, base, worst },
            PoolGreeks { pool: 1, underlying: 0, base: worst, worst: base },
        ];
        let scenarios = [ScenarioGreeks { scenario: 1, underlying: 1, greeks: worst }];
        let figures = [0.1, 1e-9, 0.0, 1.0 / 3.0, 5.0, 6.0, 7.0, -8.5].map(Some).to_vec();
        let absent = [&[None, None], &figures[2..]].concat();
        for format in TableFormat::ALL {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let writer = ResultsWriter::create(&dir.path().join("run"), format).expect("a run");
            let mut table = writer.greek_table();
            // In two batches.
            pools.chunks(1).for_each(|rows| table.write_pools((&snapshot, 0), rows).expect("written"));
            table.finish().expect("finished");
            let mut table = writer.greek_table();
            table.write_scenarios(&snapshot, &set, &scenarios).expect("written");
            table.finish().expect("finished");
            writer.finish(serde_json::json!({})).expect("published");

            let read = rows_of(&dir.path().join("run"), &POOLS, 4);
            let names: Vec<String> = read.iter().map(|(names, _)| names.join("|")).collect();
            assert_eq!(names, ["a|main|ETH|base", "a|main|ETH|worst", "b|x, y|BTC|base", "b|x, y|BTC|worst"]);
            let of: Vec<&Vec<Option<f64>>> = read.iter().map(|(_, figures)| figures).collect();
            assert_eq!(of, [&figures, &absent, &absent, &figures], "{format:?}");
            let read = rows_of(&dir.path().join("run"), &SCENARIOS, 2);
            assert_eq!(read, [(vec!["s1".to_string(), "ETH".to_string()], absent.clone())]);
        }
    }
}
