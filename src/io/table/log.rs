use std::collections::BTreeMap;

use crate::error::Fault;

/// Most faults kept of the rows of one table; the rest are only counted, so that a file of nothing but faults stays
/// small in memory and does not hide the faults of the other tables.
pub const FAULTS_KEPT: usize = 10_000;

/// Faults of a table for which a similar name is searched: the search costs one comparison per known name.
const SUGGESTIONS_SEARCHED: usize = 200;

/// Faults found so far, over all tables.
#[derive(Debug, Clone, Default)]
pub struct FaultLog {
    faults: Vec<Fault>,
    kept: BTreeMap<String, usize>,
    total: u64,
    of_tables: u64,
}

impl FaultLog {
    /// Adds a fault. Faults of whole tables are always kept; of those of rows the first [`FAULTS_KEPT`] of each table.
    pub fn push(&mut self, fault: Fault) {
        self.total += 1;
        if fault.row.is_none() {
            self.of_tables += 1;
            self.faults.push(fault);
            return;
        }
        match self.kept.get_mut(&fault.table) {
            Some(kept) if *kept >= FAULTS_KEPT => return,
            Some(kept) => *kept += 1,
            None => {
                self.kept.insert(fault.table.clone(), 1);
            }
        }
        self.faults.push(fault);
    }

    /// Adds the faults of another log.
    pub fn absorb(&mut self, other: Self) {
        let unlisted = other.total - other.faults.len() as u64;
        other.faults.into_iter().for_each(|fault| self.push(fault));
        self.total += unlisted;
    }

    /// Faults found, kept or not.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Faults that concern a whole table rather than a row: no quarantine of rows can contain them.
    pub fn of_tables(&self) -> u64 {
        self.of_tables
    }

    /// Whether `table` has so few faults that a search for similar names is worth its time.
    pub(super) fn may_suggest(&self, table: &str) -> bool {
        self.kept.get(table).is_none_or(|kept| *kept < SUGGESTIONS_SEARCHED)
    }

    /// The kept faults, sorted by table, row and column.
    pub fn into_faults(mut self) -> Vec<Fault> {
        self.faults.sort_by(|a, b| (&a.table, a.row, &a.column).cmp(&(&b.table, b.row, &b.column)));
        self.faults
    }
}
