//! Reading a book that need not fit in memory: tables sorted by account, read side by side and put together into
//! segments of whole pools.
//!
//! A first look at the tables tells how many pools there are and what is held, of figures the signs of quantities alone; then every row is
//! read and checked, as often as somebody asks for the segments. Rows break the same rules as in [`super::read`].

mod assemble;
mod held;
mod scan;
mod source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

use super::{Loaded, MarketTables, check_directory, positions, unread_files};
use crate::domain::{Book, Snapshot};
use crate::error::{Error, Result};
use crate::io::table::{self, FaultLog, RowCounts, find, read_shape};
use held::Held;
use scan::Scan;

/// Most open orders: what is ordered is kept for the whole book.
const MOST_ORDERS: u64 = 1_000_000;
/// Columns of balances that speak of locks, which are unique over the whole book.
const LOT_COLUMNS: [&str; 3] = ["route", "status", "lock"];

/// A snapshot whose book is read in segments.
pub struct SegmentedSnapshot {
    dir: PathBuf,
    paths: Paths,
    tables: MarketTables,
    /// Faults and row counts of the market's tables.
    log: FaultLog,
    counts: BTreeMap<&'static str, RowCounts>,
    positions: u64,
    balances: u64,
    scan: Scan,
    sketch: Snapshot,
}

/// Files of the tables of a book.
struct Paths {
    balances: PathBuf,
    positions: PathBuf,
    pools: Option<PathBuf>,
    orders: Option<PathBuf>,
}

impl SegmentedSnapshot {
    /// Looks through the snapshot in `dir`; `Err` in the answer says why its book has to be read as a whole.
    ///
    /// # Errors
    /// [`Error::Io`] where `dir` does not exist, [`Error::Usage`] where it is not a directory.
    pub fn open(dir: &Path) -> Result<std::result::Result<Self, String>> {
        check_directory(dir)?;
        Ok(Self::look(dir))
    }

    fn look(dir: &Path) -> std::result::Result<Self, String> {
        let paths = Paths::find(dir)?;
        let (columns, balances) = shape(&paths.balances)?;
        if let Some(column) = columns.iter().find(|column| LOT_COLUMNS.contains(&column.as_str())) {
            return Err(format!("balances has the column {column}"));
        }
        let (_, positions) = shape(&paths.positions)?;
        if let Some(path) = &paths.orders
            && shape(path)?.1 > MOST_ORDERS
        {
            return Err(format!("orders has more than {MOST_ORDERS} rows"));
        }
        let (mut log, mut counts) = (FaultLog::default(), BTreeMap::new());
        let tables = MarketTables::read(dir, &mut log, &mut counts);
        if !tables.routes.is_empty() {
            return Err("the snapshot has routes".into());
        }
        let scan = scan::scan(&paths, &tables)?;
        let sketch = tables.snapshot(scan.held.sketch());
        Ok(Self { dir: dir.into(), paths, tables, log, counts, positions, balances, scan, sketch })
    }

    /// The market, with a book of one pool that holds, long and short, and orders something of everything that the whole book
    /// does.
    pub fn sketch(&self) -> &Snapshot {
        &self.sketch
    }

    /// Pools of the book.
    pub fn pool_count(&self) -> usize {
        self.scan.pools
    }

    /// Positions of the book.
    pub fn position_count(&self) -> u64 {
        self.positions
    }

    /// Balances of the book.
    pub fn balance_count(&self) -> u64 {
        self.balances
    }

    /// Whether some pool is in portfolio mode.
    pub fn has_portfolio_pools(&self) -> bool {
        self.scan.held.has_portfolio_pools
    }

    /// Whether a table of the market breaks a rule: no segment is worth more than its faults then.
    pub fn has_faults(&self) -> bool {
        self.log.total() > 0
    }

    /// Reads the book and hands it out in segments of `segment_pools` pools, the last one smaller, until `each` answers
    /// `false`. Once a row breaks a rule no more of them come, and reading goes on: every fault of every table is in what is
    /// answered, with the market and a sketch of what was used.
    ///
    /// # Errors
    /// [`Error::Io`] where `dir` cannot be listed; [`Error::Temporary`] where the tables changed since they were looked
    /// through.
    pub fn read(&self, segment_pools: usize, each: impl FnMut(Book) -> bool) -> Result<Loaded> {
        let read = assemble::read(&self.paths, &self.tables, segment_pools, each);
        if read.is_unsorted || (read.log.total() == 0 && read.is_complete && read.held != self.scan.held) {
            return Err(Error::Temporary(format!("the tables in {} changed while they were read", self.dir.display())));
        }
        let mut log = self.log.clone();
        log.absorb(read.log);
        let mut counts = self.counts.clone();
        counts.extend(read.counts);
        let (fault_count, table_faults) = (log.total(), log.of_tables());
        let snapshot = self.tables.snapshot(read.held.sketch());
        let warnings = unread_files(&self.dir)?;
        Ok(Loaded { snapshot, faults: log.into_faults(), fault_count, counts, warnings, table_faults })
    }
}

impl Paths {
    fn find(dir: &Path) -> std::result::Result<Self, String> {
        let required = |table: &str| optional(dir, table)?.ok_or_else(|| format!("{table} is missing"));
        Ok(Self {
            balances: required("balances")?,
            positions: required("positions")?,
            pools: optional(dir, "pools")?,
            orders: optional(dir, "orders")?,
        })
    }
}

/// Positions in the book of a snapshot, where a Parquet file tells without being read; `None` elsewhere.
pub fn position_count(dir: &Path) -> Option<u64> {
    let path = optional(dir, positions::LAYOUT.table).ok().flatten()?;
    Some(table::read_shape(&path).ok()?.1)
}

/// The Parquet file of a table.
fn optional(dir: &Path, table: &str) -> std::result::Result<Option<PathBuf>, String> {
    let Some(path) = find(dir, table).map_err(|fault| fault.rule.clone())? else { return Ok(None) };
    let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
    if is_parquet { Ok(Some(path)) } else { Err(format!("{table} is no Parquet file")) }
}

fn shape(path: &Path) -> std::result::Result<(Vec<String>, u64), String> {
    read_shape(path).map_err(|rule| format!("{}: {rule}", path.display()))
}

/// Puts the first of some accounts into `first`; `false` where there is none.
fn first(accounts: [Option<&str>; 4], first: &mut String) -> bool {
    let Some(account) = accounts.into_iter().flatten().min() else { return false };
    first.clear();
    first.push_str(account);
    true
}

/// What a thread answers; its panic goes on here.
fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What was read of a whole book.
struct BookRead {
    log: FaultLog,
    counts: BTreeMap<&'static str, RowCounts>,
    held: Held,
    is_unsorted: bool,
    /// No segment was declined.
    is_complete: bool,
}

#[cfg(test)]
mod tests;
