//! What prices are formed from: the tables `quotes`, `marks` and `price_history`, which a snapshot may have beside its own.

mod marks;
mod price_history;
mod quotes;
mod subject;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use super::table::{self, FaultLog, RowCounts};
use crate::domain::Snapshot;
use crate::error::{Error, Fault, Result};
use crate::oracle::{Evidence, MarkInputs};

/// Names of the tables.
pub const TABLES: [&str; 3] = ["quotes", "marks", "price_history"];

/// Days of a year in which volatility accrues: crypto trades on all of them.
const DAYS: f64 = 365.0;

/// What the tables say.
#[derive(Debug, Clone, Default)]
pub struct OracleTables {
    /// By subject; a subject that only `marks` or `price_history` speaks of has no quotes.
    pub subjects: BTreeMap<String, Evidence>,
    /// What marks of single instruments are made of.
    pub instruments: BTreeMap<String, MarkInputs>,
    /// Rows of each table.
    pub counts: BTreeMap<&'static str, RowCounts>,
}

/// Reads the tables beside a snapshot as far as they can be read, and every fault of them; absent tables are empty. Names must
/// be those of the snapshot, where one is given: one that could not be read in full would call good names unknown.
pub fn read_with_faults(dir: &Path, snapshot: Option<&Snapshot>) -> (OracleTables, Vec<Fault>) {
    let mut log = FaultLog::default();
    let names = snapshot.map(subject::Names::of);
    let mut tables = OracleTables::default();
    let counts = [
        quotes::read(quotes::At::Directory(dir), names.as_ref(), &mut tables, &mut log),
        marks::read(dir, names.as_ref(), &mut tables, &mut log),
        price_history::read(dir, names.as_ref(), &mut tables, &mut log),
    ];
    tables.counts = TABLES.into_iter().zip(counts).collect();
    for evidence in tables.subjects.values_mut() {
        evidence.history.sort_by_key(|(moment, _)| *moment);
    }
    for underlying in snapshot.into_iter().flat_map(|snapshot| &snapshot.underlyings) {
        if let Some(evidence) = tables.subjects.get_mut(&underlying.name) {
            evidence.daily_volatility = underlying.volatility_index.map(|yearly| yearly / DAYS.sqrt());
        }
    }
    (tables, log.into_faults())
}

/// Reads the tables beside a snapshot.
///
/// # Errors
/// [`Error::Refused`] with every fault; [`Error::Usage`] where there is no table `quotes`.
pub fn read(dir: &Path, snapshot: &Snapshot) -> Result<OracleTables> {
    if matches!(table::find(dir, TABLES[0]), Ok(None)) {
        let rule = "no quotes.parquet, quotes.csv or quotes.arrow to form prices of";
        return Err(Error::Usage(format!("{}: {rule}", dir.display())));
    }
    let (tables, faults) = read_with_faults(dir, Some(snapshot));
    if faults.is_empty() { Ok(tables) } else { Err(Error::Refused(faults)) }
}

/// Reads one file as the table `quotes`, whatever its name; the format follows the extension.
///
/// # Errors
/// [`Error::Io`] where the file does not exist; [`Error::Usage`] for another extension; [`Error::Refused`] with every fault.
pub fn read_quotes(path: &Path) -> Result<OracleTables> {
    super::TableFormat::of_path(path)?;
    std::fs::metadata(path).map_err(|source| Error::io(path, source))?;
    let mut log = FaultLog::default();
    let mut tables = OracleTables::default();
    let counts = quotes::read(quotes::At::File(path), None, &mut tables, &mut log);
    tables.counts.insert(TABLES[0], counts);
    let faults = log.into_faults();
    if faults.is_empty() { Ok(tables) } else { Err(Error::Refused(faults)) }
}

/// A moment that must be there.
fn moment(row: &mut table::Row<'_>, column: usize) -> Option<Timestamp> {
    let moment = row.time(column);
    if moment.is_none() && row.is_blank(column) {
        row.refuse_cell(column, "a required value is missing", "fill the cell in");
    }
    moment
}
