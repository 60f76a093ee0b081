//! One reader for `NAME.parquet`, `NAME.csv` and `NAME.arrow`: batches of rows with typed cells, every fault reported.
//!
//! A table is described by a [`Layout`]. [`read`] finds its file, streams it batch by batch and hands each row to a
//! closure, whose typed look-ups record faults. Rows read = rows used + rows refused, always.

mod cells;
mod columnar_source;
mod columns;
mod csv_source;
mod log;
mod row;

use std::path::{Path, PathBuf};

pub use columns::{Columns, read_columns, read_shape};
pub use log::{FAULTS_KEPT, FaultLog};
pub use row::{NumberRule, Row};

use crate::error::{Fault, one_line};
use cells::Batch;

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// A name or a word: text, or an integer read as decimal text.
    Text,
    /// A finite number: floating point, integer, decimal, or text.
    Number,
    /// A moment: RFC 3339 text with an offset, a timestamp (without a time zone it is UTC), or a date (midnight UTC).
    Time,
    /// `true` or `false`.
    Flag,
}

/// Whether a table must have a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// A table without it is refused.
    Required,
    /// It may be absent.
    Optional,
}

/// A column a table may have.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Header.
    pub name: &'static str,
    /// What its cells hold.
    pub kind: CellKind,
    /// Whether it must be there.
    pub presence: Presence,
}

impl Column {
    /// A column every table of the layout has.
    pub const fn required(name: &'static str, kind: CellKind) -> Self {
        Self { name, kind, presence: Presence::Required }
    }

    /// A column that may be absent.
    pub const fn optional(name: &'static str, kind: CellKind) -> Self {
        Self { name, kind, presence: Presence::Optional }
    }
}

/// Name and columns of a table. Columns are addressed by their position in `columns`.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// File name without extension, also the table's name in faults.
    pub table: &'static str,
    /// Every column that has a meaning; any other is refused.
    pub columns: &'static [Column],
}

/// Where the rows of a table went. `read` = `used` + `refused`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RowCounts {
    /// Data rows in the file.
    pub read: u64,
    /// Rows that entered the snapshot.
    pub used: u64,
    /// Rows that broke a rule.
    pub refused: u64,
}

impl RowCounts {
    /// Moves one row from used to refused: a rule over several rows turned out broken.
    pub fn refuse_later(&mut self) {
        self.used -= 1;
        self.refused += 1;
    }
}

/// Most rows of a table; row numbers are kept in 32 bits.
const MAX_ROWS: u64 = u32::MAX as u64;

/// Extensions a table may have.
pub const EXTENSIONS: [&str; 3] = ["parquet", "csv", "arrow"];

/// The file of `table` in `dir`: `None` where there is none; a fault where there are several or it is not a file.
pub fn find(dir: &Path, table: &str) -> Result<Option<PathBuf>, Box<Fault>> {
    let paths: Vec<PathBuf> = EXTENSIONS
        .iter()
        .map(|extension| dir.join(format!("{table}.{extension}")))
        .filter(|path| path.exists())
        .collect();
    match paths.as_slice() {
        [] => Ok(None),
        [path] if path.is_file() => Ok(Some(path.clone())),
        [path] => Err(Box::new(Fault::of_table(
            table,
            format!("{} is not a file", path.display()),
            "put a Parquet, CSV or Arrow file there",
        ))),
        several => {
            let names: Vec<_> =
                several.iter().filter_map(|path| path.file_name()).map(|n| n.to_string_lossy()).collect();
            let rule = format!("a table is one file, found {}", names.join(" and "));
            Err(Box::new(Fault::of_table(table, rule, "keep one of them")))
        }
    }
}

/// Streams the table of `layout` in `dir` through `each`, row by row in file order.
///
/// A row counts as refused if it is unreadable or `each` recorded a fault on it; unreadable rows (a wrong number of
/// fields) are not handed to `each`. A missing file is a fault where `presence` is [`Presence::Required`].
pub fn read(
    dir: &Path,
    layout: &Layout,
    presence: Presence,
    log: &mut FaultLog,
    each: impl FnMut(&mut Row<'_>),
) -> TableRead {
    match find(dir, layout.table) {
        Ok(Some(path)) => return read_file(&path, layout, log, each),
        Ok(None) if presence == Presence::Optional => {}
        Ok(None) => {
            let table = layout.table;
            let rule = format!("a snapshot has {table}.parquet, {table}.csv or {table}.arrow");
            log.push(Fault::of_table(table, rule, "add the table; a header without rows will do"));
        }
        Err(fault) => log.push(*fault),
    }
    TableRead::default()
}

/// Streams one file as the table of `layout`, whatever the file's name; as [`read`] otherwise.
///
/// The format follows the extension; any other than `parquet` and `csv` is read as Arrow.
pub fn read_file(path: &Path, layout: &Layout, log: &mut FaultLog, mut each: impl FnMut(&mut Row<'_>)) -> TableRead {
    let mut outcome = TableRead::default();
    let mut on_batch = |batch: &Batch, log: &mut FaultLog| {
        for index in 0..batch.len() {
            outcome.counts.read += 1;
            let number = outcome.counts.read;
            if number == MAX_ROWS + 1 {
                let rule = format!("a table has at most {MAX_ROWS} rows");
                log.push(Fault::of_table(layout.table, rule, "split the snapshot"));
            }
            if number > MAX_ROWS || batch.is_unreadable(index) {
                outcome.unreadable += 1;
                outcome.counts.refused += 1;
                continue;
            }
            let mut row = Row::new(layout, batch, index, number, log);
            each(&mut row);
            if row.is_refused() {
                outcome.counts.refused += 1;
            } else {
                outcome.counts.used += 1;
            }
        }
    };
    let result = if path.extension().is_some_and(|extension| extension == "csv") {
        csv_source::stream(path, layout, log, &mut on_batch)
    } else {
        columnar_source::stream(path, layout, log, &mut on_batch)
    };
    if let Err(rule) = result {
        log.push(Fault::of_table(layout.table, one_line(rule), format!("check {}", path.display())));
    }
    outcome
}

/// What [`read`] counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct TableRead {
    /// Where the rows went.
    pub counts: RowCounts,
    /// Refused rows that were not handed out, because their cells could not be told apart.
    pub unreadable: u64,
}

/// Maps the columns of `layout` to positions in `header`; records unknown, repeated and missing columns.
///
/// `None` where a required column is missing: the rows cannot be read.
fn resolve(layout: &Layout, header: &[String], log: &mut FaultLog) -> Option<Vec<Option<usize>>> {
    let known = || layout.columns.iter().map(|column| column.name);
    let mut positions = vec![None; layout.columns.len()];
    for (position, name) in header.iter().enumerate() {
        match layout.columns.iter().position(|column| column.name == name) {
            Some(column) if positions[column].is_some() => {
                log.push(column_fault(layout, name, "a column stands once".into(), "remove the second one".into()));
            }
            Some(column) => positions[column] = Some(position),
            None => {
                let remedy = crate::suggest::remedy(name, known(), "remove or rename the column");
                log.push(column_fault(layout, name, "the table has no such column".into(), remedy));
            }
        }
    }
    let mut complete = true;
    for (column, position) in layout.columns.iter().zip(&positions) {
        if position.is_none() && column.presence == Presence::Required {
            complete = false;
            log.push(column_fault(layout, column.name, "a required column is missing".into(), "add the column".into()));
        }
    }
    complete.then_some(positions)
}

fn column_fault(layout: &Layout, column: &str, rule: String, remedy: String) -> Fault {
    Fault { column: column.into(), ..Fault::of_table(layout.table, rule, remedy) }
}

#[cfg(test)]
mod tests;
