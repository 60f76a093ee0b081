//! One table of a book on its way from the thread that reads it: blocks of rows, account by account.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Rows per block, an account more or less.
const BLOCK_ROWS: usize = 65_536;
/// Runs per block at most, an account more or less.
const BLOCK_RUNS: usize = 16_384;
/// Blocks that wait to be taken.
const BLOCKS_WAITING: usize = 2;

/// Rows of some consecutive accounts.
struct Block<T> {
    names: String,
    runs: Vec<Run>,
    rows: Vec<T>,
}

/// Consecutive rows of one pool: where its names and its rows end.
#[derive(Clone, Copy)]
struct Run {
    starts_account: bool,
    account_end: usize,
    pool_end: usize,
    rows_end: usize,
}

impl<T> Default for Block<T> {
    fn default() -> Self {
        Self { names: String::new(), runs: Vec::new(), rows: Vec::new() }
    }
}

impl<T> Block<T> {
    /// Account, pool and rows of the run at a place.
    fn run(&self, at: usize) -> (&str, &str, &[T]) {
        let (names, rows) = if at == 0 { (0, 0) } else { (self.runs[at - 1].pool_end, self.runs[at - 1].rows_end) };
        let run = self.runs[at];
        (
            &self.names[names..run.account_end],
            &self.names[run.account_end..run.pool_end],
            &self.rows[rows..run.rows_end],
        )
    }
}

/// Both ends of a table's way.
pub(super) fn channel<T>() -> (Sink<T>, Cursor<T>) {
    let (sender, receiver) = sync_channel(BLOCKS_WAITING);
    let (account, pool) = (String::new(), String::new());
    let sink = Sink { sender: Some(sender), block: Block::default(), account, pool, is_empty: true };
    (sink, Cursor { receiver, block: Block::default(), of_account: 0..0 })
}

/// Takes rows whose accounts ascend.
pub(super) struct Sink<T> {
    /// `None` once nobody takes blocks any more.
    sender: Option<SyncSender<Block<T>>>,
    block: Block<T>,
    account: String,
    pool: String,
    is_empty: bool,
}

/// How the pool of a row follows that of the row before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is the same.
    Same,
    /// Another one of the same account.
    Pool,
    /// One of an account that comes later.
    Account,
    /// One of an account that should have come earlier.
    Back,
}

impl<T> Sink<T> {
    /// The pool that the next rows belong to. After [`Step::Back`] the sink still stands at the pool before.
    pub(super) fn pool(&mut self, (account, pool): (&str, &str)) -> Step {
        let step = match account.cmp(&self.account) {
            _ if self.is_empty => Step::Account,
            Ordering::Less => return Step::Back,
            Ordering::Equal if pool == self.pool => return Step::Same,
            Ordering::Equal => Step::Pool,
            Ordering::Greater => Step::Account,
        };
        if step == Step::Account {
            if self.block.rows.len() >= BLOCK_ROWS || self.block.runs.len() >= BLOCK_RUNS {
                self.send();
            }
            self.is_empty = false;
            self.account.clear();
            self.account.push_str(account);
        }
        self.pool.clear();
        self.pool.push_str(pool);
        let block = &mut self.block;
        block.names.push_str(account);
        let account_end = block.names.len();
        block.names.push_str(pool);
        let (pool_end, rows_end) = (block.names.len(), block.rows.len());
        block.runs.push(Run { starts_account: step == Step::Account, account_end, pool_end, rows_end });
        step
    }

    /// Adds a row of the pool.
    pub(super) fn push(&mut self, row: T) {
        self.block.rows.push(row);
        if let Some(run) = self.block.runs.last_mut() {
            run.rows_end = self.block.rows.len();
        }
    }

    fn send(&mut self) {
        let block = std::mem::take(&mut self.block);
        if self.sender.as_ref().is_some_and(|sender| sender.send(block).is_err()) {
            self.sender = None;
        }
    }

    /// Hands out what is left.
    pub(super) fn finish(mut self) {
        self.send();
    }
}

/// Hands out accounts in order.
pub(super) struct Cursor<T> {
    receiver: Receiver<Block<T>>,
    block: Block<T>,
    /// Runs of the account that stands here; empty at the end of the table.
    of_account: Range<usize>,
}

impl<T> Cursor<T> {
    /// Goes on to the next account, and waits for it.
    pub(super) fn advance(&mut self) {
        let mut start = self.of_account.end;
        while start == self.block.runs.len() {
            let Ok(block) = self.receiver.recv() else {
                self.of_account = start..start;
                return;
            };
            (self.block, start) = (block, 0);
        }
        let others = self.block.runs[start + 1..].iter().take_while(|run| !run.starts_account).count();
        self.of_account = start..start + 1 + others;
    }

    /// The account that stands here; `None` at the end of the table.
    pub(super) fn account(&self) -> Option<&str> {
        (!self.of_account.is_empty()).then(|| self.block.run(self.of_account.start).0)
    }

    /// Pools of the account that stands here, with their rows, in the order of the file: a pool may come several times.
    pub(super) fn runs(&self) -> impl Iterator<Item = (&str, &[T])> {
        self.of_account.clone().map(|at| {
            let (_, pool, rows) = self.block.run(at);
            (pool, rows)
        })
    }

    /// Rows of one pool of the account that stands here, in the order of the file.
    pub(super) fn rows_of<'c>(&'c self, pool: &'c str) -> impl Iterator<Item = &'c T> {
        self.runs().filter(move |(name, _)| *name == pool).flat_map(|(_, rows)| rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_account_by_account() {
        let (mut sink, mut cursor) = channel();
        let written = std::thread::spawn(move || {
            for number in 0..200_000u32 {
                let (account, pool) = (format!("{:06}", number / 4), ["b", "b", "a", "b"][number as usize % 4]);
                let step = sink.pool((&account, pool));
                assert_eq!(step, [Step::Account, Step::Same, Step::Pool, Step::Pool][number as usize % 4]);
                sink.push(number);
            }
            assert_eq!(sink.pool(("000001", "a")), Step::Back);
            assert_eq!(sink.pool(("049999", "b")), Step::Same);
            sink.finish();
        });
        for account in 0..50_000u32 {
            cursor.advance();
            assert_eq!(cursor.account(), Some(format!("{account:06}").as_str()));
            let row = |at| 4 * account + at;
            assert_eq!(cursor.rows_of("a").copied().collect::<Vec<u32>>(), [row(2)]);
            assert_eq!(cursor.rows_of("b").copied().collect::<Vec<u32>>(), [row(0), row(1), row(3)]);
        }
        cursor.advance();
        assert_eq!((cursor.account(), cursor.runs().count()), (None, 0));
        written.join().expect("written");
    }

    #[test]
    fn nobody_need_take_it() {
        let (mut sink, cursor) = channel();
        drop(cursor);
        for number in 0..300_000u32 {
            sink.pool((&format!("{number:06}"), "main"));
            sink.push(number);
        }
        sink.finish();
    }
}
