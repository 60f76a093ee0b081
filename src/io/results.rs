//! The directory a sweep writes: tables, manifest and other files, complete or not there at all.

mod backtest;
mod calibration;
mod comparison;
mod events;
mod forecast;
mod greeks;
mod liquidation;
mod overlay;
mod transfer;
mod views;

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array, UInt64Array};

use super::directory::{PendingDirectory, Replace};
use super::table_write::{TableFormat, TableWriter};
use crate::domain::Book;
use crate::engine::{Outcome, PoolOutcome, State};
use crate::error::{Error, Fault, Result};
use crate::scenario::ScenarioSet;

pub use backtest::BacktestRow;
pub use events::EventTable;
pub use greeks::GreekTable;

/// Pools per batch: the memory beside the outcome itself stays constant.
const BATCH_POOLS: usize = 65_536;

/// A run directory under construction. It replaces an empty directory or one that an earlier run wrote, and nothing
/// else; it appears with [`ResultsWriter::finish`].
#[derive(Debug)]
pub struct ResultsWriter {
    directory: PendingDirectory,
    format: TableFormat,
}

impl ResultsWriter {
    /// Starts the run directory `dir`.
    ///
    /// # Errors
    /// [`Error::Usage`] where `dir` holds anything but an earlier run; [`Error::Io`] where it cannot be made.
    pub fn create(dir: &Path, format: TableFormat) -> Result<Self> {
        Ok(Self { directory: PendingDirectory::create(dir, Replace::EarlierRun)?, format })
    }

    /// Writes `pools`: one row per pool in book order. Every figure of an unknown pool is null.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Temporary`] where writing fails.
    pub fn write_pools(&self, book: &Book, outcome: &Outcome, scenarios: &ScenarioSet) -> Result<()> {
        let mut table = self.pool_table();
        table.write(book, &outcome.pools, scenarios)?;
        table.finish()
    }

    /// Starts `pools`, for a book that comes in parts.
    pub fn pool_table(&self) -> PoolTable<'_> {
        PoolTable { results: self, writer: None }
    }

    /// Writes `scenarios`: one row per scenario in input order.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Temporary`] where writing fails.
    pub fn write_scenarios(&self, set: &ScenarioSet, outcome: &Outcome) -> Result<()> {
        let rows = &outcome.scenarios;
        let mut writer = None;
        self.append(
            &mut writer,
            "scenarios",
            vec![
                ("scenario", Arc::new(StringArray::from_iter_values(&set.ids))),
                ("weight", Arc::new(Float64Array::from(set.weights.clone()))),
                ("label", Arc::new(StringArray::from_iter_values(&set.labels))),
                ("restricted_pools", counts(rows.iter().map(|row| row.restricted_pools))),
                ("liquidatable_pools", counts(rows.iter().map(|row| row.liquidatable_pools))),
                ("bankrupt_pools", counts(rows.iter().map(|row| row.bankrupt_pools))),
                ("shortfall", numbers(rows.iter().map(|row| Some(row.shortfall)))),
                ("shortfall_bound", numbers(rows.iter().map(|row| Some(row.shortfall_bound)))),
                ("liquidatable_notional", numbers(rows.iter().map(|row| Some(row.liquidatable_notional)))),
                ("equity_total", numbers(rows.iter().map(|row| Some(row.equity_total)))),
                ("maintenance_total", numbers(rows.iter().map(|row| Some(row.maintenance_total)))),
            ],
        )?;
        writer.map_or(Ok(()), TableWriter::finish)
    }

    /// Writes `refused`: one row per fault.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Temporary`] where writing fails.
    pub fn write_faults(&self, faults: &[Fault]) -> Result<()> {
        let text = |field: fn(&Fault) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(faults.iter().map(field)))
        };
        let mut writer = None;
        self.append(
            &mut writer,
            "refused",
            vec![
                ("table", text(|fault| &fault.table)),
                ("row", Arc::new(UInt64Array::from_iter(faults.iter().map(|fault| fault.row)))),
                ("column", text(|fault| &fault.column)),
                ("value", text(|fault| &fault.value)),
                ("rule", text(|fault| &fault.rule)),
                ("remedy", text(|fault| &fault.remedy)),
            ],
        )?;
        writer.map_or(Ok(()), TableWriter::finish)
    }

    /// Starts a table of Greeks.
    pub fn greek_table(&self) -> GreekTable<'_> {
        GreekTable::new(self)
    }

    /// Writes a text file, for example `report.html`.
    ///
    /// # Errors
    /// [`Error::Io`] where writing fails or the file exists.
    pub fn write_text(&self, name: &str, contents: &str) -> Result<()> {
        self.directory.write(name, contents.as_bytes())
    }

    /// Writes `manifest.json`, with `"program": "plimsoll"` as its first key, and moves the directory to its place.
    ///
    /// # Errors
    /// [`Error::Bug`] where `manifest` is not a JSON object; [`Error::Io`] where writing fails.
    pub fn finish(self, manifest: serde_json::Value) -> Result<()> {
        let serde_json::Value::Object(entries) = manifest else {
            return Err(Error::Bug("a manifest is a JSON object".into()));
        };
        let mut object = serde_json::Map::new();
        // By this key a later run knows that the directory may be replaced.
        object.insert("program".into(), "plimsoll".into());
        object.extend(entries.into_iter().filter(|(key, _)| key != "program"));
        let text = format!("{:#}\n", serde_json::Value::Object(object));
        self.directory.write("manifest.json", text.as_bytes())?;
        self.directory.publish(Replace::EarlierRun)
    }

    /// Writes a table of one batch.
    fn write_table(&self, table: &str, columns: Vec<(&str, ArrayRef)>) -> Result<()> {
        let mut writer = None;
        self.append(&mut writer, table, columns)?;
        writer.map_or(Ok(()), TableWriter::finish)
    }

    fn append(&self, writer: &mut Option<TableWriter>, table: &str, columns: Vec<(&str, ArrayRef)>) -> Result<()> {
        // Every column may hold nulls, so that the schema does not depend on the data of the first batch.
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| Error::Bug(error.to_string()))?;
        let mut open = match writer.take() {
            Some(open) => open,
            None => {
                let path = self.directory.file(&format!("{table}.{}", self.format.extension()));
                TableWriter::create(&path, &batch.schema(), self.format)?
            }
        };
        open.write(&batch)?;
        *writer = Some(open);
        Ok(())
    }
}

/// The table `pools` under construction.
pub struct PoolTable<'w> {
    results: &'w ResultsWriter,
    writer: Option<TableWriter>,
}

impl PoolTable<'_> {
    /// Appends the pools of a book, or of the next part of one, with their outcomes.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Temporary`] where writing fails.
    pub fn write(&mut self, book: &Book, outcomes: &[PoolOutcome], scenarios: &ScenarioSet) -> Result<()> {
        for start in (0..book.len().max(1)).step_by(BATCH_POOLS) {
            let range = start..book.len().min(start + BATCH_POOLS);
            self.results.append(&mut self.writer, "pools", pool_columns(book, outcomes, scenarios, range))?;
        }
        Ok(())
    }

    /// Completes the table.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Temporary`] where writing fails.
    pub fn finish(self) -> Result<()> {
        self.writer.map_or(Ok(()), TableWriter::finish)
    }
}

fn counts(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}

fn numbers(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(Float64Array::from_iter(values))
}

fn pool_columns(
    book: &Book,
    outcomes: &[PoolOutcome],
    set: &ScenarioSet,
    range: std::ops::Range<usize>,
) -> Vec<(&'static str, ArrayRef)> {
    let rows = &outcomes[range.clone()];
    let pools = || range.clone().map(|index| book.pool(index));
    let known = |row: &PoolOutcome| row.state != State::Unknown;
    let figure =
        |value: fn(&PoolOutcome) -> Option<f64>| numbers(rows.iter().map(|row| value(row).filter(|_| known(row))));
    let count = |value: fn(&PoolOutcome) -> u32| -> ArrayRef {
        Arc::new(UInt32Array::from_iter(rows.iter().map(|row| known(row).then(|| value(row)))))
    };
    let worst = rows.iter().map(|row| set.ids.get(row.worst_scenario as usize).filter(|_| known(row)));
    vec![
        ("account", Arc::new(StringArray::from_iter_values(pools().map(|pool| pool.account)))),
        ("pool", Arc::new(StringArray::from_iter_values(pools().map(|pool| pool.pool)))),
        ("equity", figure(|row| Some(row.base.equity))),
        ("adjusted_equity", figure(|row| Some(row.base.adjusted_equity))),
        ("initial_margin", figure(|row| Some(row.base.initial_margin))),
        ("maintenance_margin", figure(|row| Some(row.base.maintenance_margin))),
        ("health_ratio", figure(|row| row.base.health_ratio())),
        ("utilisation", figure(|row| row.base.utilisation())),
        ("state", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.state.name())))),
        ("worst_scenario", Arc::new(StringArray::from_iter(worst))),
        ("worst_excess", figure(|row| Some(row.worst_excess))),
        ("worst_equity", figure(|row| Some(row.worst_equity))),
        ("restricted_scenarios", count(|row| row.restricted_scenarios)),
        ("liquidatable_scenarios", count(|row| row.liquidatable_scenarios)),
        ("bankrupt_scenarios", count(|row| row.bankrupt_scenarios)),
        ("expected_shortfall", figure(|row| Some(row.expected_shortfall))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BookBuilder;
    use crate::engine::{Audit, Figures, ScenarioOutcome, StageSeconds, Totals};

    fn outcome() -> (Book, ScenarioSet, Outcome) {
        let mut builder = BookBuilder::default();
        builder.pool("a", "main");
        let unknown = builder.pool("b, \"quoted\"", "main");
        builder.mark_unknown(unknown);
        let set = ScenarioSet {
            ids: vec!["s0".into(), "s1".into()],
            weights: vec![1.0, 0.5],
            labels: vec![String::new(), "crash".into()],
            factors: Vec::new(),
            shocks: ndarray::Array2::zeros((2, 0)),
        };
        let known = PoolOutcome {
            base: Figures { equity: 10.0, adjusted_equity: 9.0, ..Figures::default() },
            state: State::Healthy,
            worst_scenario: 1,
            worst_excess: -0.1,
            worst_equity: 1e-7,
            restricted_scenarios: 1,
            liquidatable_scenarios: 1,
            bankrupt_scenarios: 0,
            expected_shortfall: 0.0,
        };
        let outcome = Outcome {
            engine: "reference".into(),
            device_limits: None,
            adapter: String::new(),
            revaluation: Default::default(),
            totals: Totals::Exact,
            pools: vec![known, PoolOutcome { state: State::Unknown, ..known }],
            scenarios: vec![ScenarioOutcome::default(); 2],
            cells: 0,
            redecided_pools: 0,
            exact_verdicts: 0,
            unknown_pools: 1,
            audit: Audit::default(),
            attributions: Vec::new(),
            seconds: StageSeconds::default(),
            warnings: Vec::new(),
        };
        (builder.build(), set, outcome)
    }

    fn write(dir: &Path, format: TableFormat) -> Result<()> {
        let (book, set, outcome) = outcome();
        let writer = ResultsWriter::create(dir, format)?;
        writer.write_pools(&book, &outcome, &set)?;
        writer.write_scenarios(&set, &outcome)?;
        writer.write_faults(&[Fault::of_table("balances", "rule", "remedy")])?;
        writer.write_text("report.html", "<p>")?;
        writer.finish(serde_json::json!({ "digest": "0" }))
    }

    #[test]
    fn tables_have_the_documented_columns_and_nulls() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let target = dir.path().join("run");
        write(&target, TableFormat::Csv).expect("a written run");
        let pools = std::fs::read_to_string(target.join("pools.csv")).expect("a table");
        assert_eq!(
            pools,
            "account,pool,equity,adjusted_equity,initial_margin,maintenance_margin,health_ratio,utilisation,state,\
             worst_scenario,worst_excess,worst_equity,restricted_scenarios,liquidatable_scenarios,bankrupt_scenarios,\
             expected_shortfall\n\
             a,main,10.0,9.0,0.0,0.0,,,healthy,s1,-0.1,1e-7,1,1,0,0.0\n\
             \"b, \"\"quoted\"\"\",main,,,,,,,unknown,,,,,,,\n"
        );
        let scenarios = std::fs::read_to_string(target.join("scenarios.csv")).expect("a table");
        assert!(
            scenarios
                .starts_with("scenario,weight,label,restricted_pools,liquidatable_pools,bankrupt_pools,shortfall,")
        );
        let refused = std::fs::read_to_string(target.join("refused.csv")).expect("a table");
        assert_eq!(refused, "table,row,column,value,rule,remedy\nbalances,,,,rule,remedy\n");
        assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 1, "nothing else is left");
    }

    #[test]
    fn only_an_earlier_run_is_replaced() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let target = dir.path().join("run");
        write(&target, TableFormat::Csv).expect("a first run");
        write(&target, TableFormat::Parquet).expect("a second run in its place");
        assert!(target.join("pools.parquet").exists() && !target.join("pools.csv").exists());
        std::fs::write(target.join("manifest.json"), "{}").expect("a file");
        let error = write(&target, TableFormat::Arrow).expect_err("no run of this program");
        assert_eq!(error.exit_code(), 2);
        assert!(target.join("pools.parquet").exists());
    }
}
