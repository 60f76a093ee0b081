use crate::domain::BookBuilder;
use crate::error::Fault;
use crate::io::table::{FaultLog, Row, RowCounts};

/// Name of the pool of a row that names none.
pub(super) const DEFAULT_POOL: &str = "main";

/// What a row is about, and which row it is: sorted, repeated rows stand side by side with the first one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Pool of the book builder.
    pub pool: u32,
    /// Asset or instrument.
    pub item: u32,
    /// Network or side.
    pub tag: u32,
    /// Data row, from 1.
    pub row: u32,
}

/// The pools under construction, and the refused rows that cannot be laid at any pool's door.
#[derive(Debug, Default)]
pub(super) struct Holders {
    pub book: BookBuilder,
    /// Refused rows of which account or pool cannot be read.
    pub lost_rows: u64,
}

impl Holders {
    /// The pool a row belongs to.
    pub(super) fn pool(&mut self, row: &mut Row<'_>, account: usize, pool: usize) -> Option<u32> {
        let (account, pool) = pool_names(row, account, pool)?;
        Some(self.book.pool(account, pool))
    }

    /// Notes a refused row: nothing can be claimed about its pool any more.
    pub(super) fn refuse(&mut self, pool: Option<u32>) {
        match pool {
            Some(pool) => self.book.mark_unknown(pool),
            None => self.lost_rows += 1,
        }
    }

    /// Refuses every row whose key, row aside, stands earlier in the sorted `keys`; answers those rows, sorted.
    /// `name_of` names an item.
    pub(super) fn refuse_repeated<'n>(
        &mut self,
        uniqueness: &Uniqueness,
        keys: &[Key],
        name_of: impl Fn(u32) -> &'n str,
        counts: &mut RowCounts,
        log: &mut FaultLog,
    ) -> Vec<u32> {
        let mut repeated = Vec::new();
        let mut first = None;
        for key in keys {
            let what = (key.pool, key.item, key.tag);
            match first {
                Some((same, row)) if same == what => {
                    log.push(uniqueness.fault(name_of(key.item), key.row, row));
                    self.book.mark_unknown(key.pool);
                    counts.refuse_later();
                    repeated.push(key.row);
                }
                _ => first = Some((what, key.row)),
            }
        }
        repeated.sort_unstable();
        repeated
    }
}

/// Account and pool of a row.
pub(super) fn pool_names<'a>(row: &mut Row<'a>, account: usize, pool: usize) -> Option<(&'a str, &'a str)> {
    let account = row.required_text(account);
    let name = row.text(pool);
    if name.is_none() && !row.is_blank(pool) {
        return None;
    }
    Some((account?, name.unwrap_or(DEFAULT_POOL)))
}

/// What may stand only once in a table, in the words of its fault.
#[derive(Debug)]
pub(super) struct Uniqueness {
    pub table: &'static str,
    pub column: &'static str,
    pub rule: &'static str,
    pub remedy: &'static str,
}

impl Uniqueness {
    /// The fault of a row that repeats what an earlier one says.
    pub(super) fn fault(&self, name: &str, row: u32, first: u32) -> Fault {
        let rule = format!("{}; row {first} is the first", self.rule);
        Fault::of_cell((self.table, u64::from(row), self.column), name, rule, self.remedy)
    }
}
