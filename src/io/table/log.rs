use crate::error::Fault;

/// Most faults kept; the rest are only counted, so that a file of nothing but faults stays small in memory.
pub const FAULTS_KEPT: usize = 10_000;

/// Faults for which a similar name is searched: the search costs one comparison per known name.
const SUGGESTIONS_SEARCHED: u64 = 200;

/// Faults found so far, over all tables.
#[derive(Debug, Default)]
pub struct FaultLog {
    faults: Vec<Fault>,
    total: u64,
    of_tables: u64,
}

impl FaultLog {
    /// Adds a fault. Faults of whole tables are always kept; of the others the first [`FAULTS_KEPT`].
    pub fn push(&mut self, fault: Fault) {
        self.total += 1;
        if fault.row.is_none() {
            self.of_tables += 1;
        }
        if fault.row.is_none() || self.faults.len() < FAULTS_KEPT {
            self.faults.push(fault);
        }
    }

    /// Faults found, kept or not.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Faults that concern a whole table rather than a row: no quarantine of rows can contain them.
    pub fn of_tables(&self) -> u64 {
        self.of_tables
    }

    /// A remedy for an unknown name: the nearest candidate, as long as few faults have been found.
    pub fn suggest<'a>(&self, word: &str, candidates: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
        if self.total < SUGGESTIONS_SEARCHED {
            crate::suggest::remedy(word, candidates, otherwise)
        } else {
            otherwise.into()
        }
    }

    /// The kept faults, sorted by table, row and column.
    pub fn into_faults(mut self) -> Vec<Fault> {
        self.faults.sort_by(|a, b| (&a.table, a.row, &a.column).cmp(&(&b.table, b.row, &b.column)));
        self.faults
    }
}
