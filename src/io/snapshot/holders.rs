use crate::domain::BookBuilder;
use crate::error::Fault;
use crate::io::table::{FaultLog, Row, RowCounts};

/// Name of the pool of a row that names none.
const DEFAULT_POOL: &str = "main";

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
        let account = row.required_text(account);
        let name = row.text(pool);
        if name.is_none() && !row.is_blank(pool) {
            return None;
        }
        Some(self.book.pool(account?, name.unwrap_or(DEFAULT_POOL)))
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
                    let place = (uniqueness.table, u64::from(key.row), uniqueness.column);
                    let rule = format!("{}; row {row} is the first", uniqueness.rule);
                    log.push(Fault::of_cell(place, name_of(key.item), rule, uniqueness.remedy));
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

/// What may stand only once in a table, in the words of its fault.
#[derive(Debug)]
pub(super) struct Uniqueness {
    pub table: &'static str,
    pub column: &'static str,
    pub rule: &'static str,
    pub remedy: &'static str,
}
