//! One table of a book on its way from the thread that reads it: blocks of rows, pool by pool.

use std::cmp::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Rows per block, a pool more or less.
const BLOCK_ROWS: usize = 65_536;
/// Pools per block at most.
const BLOCK_POOLS: usize = 16_384;
/// Blocks that wait to be taken.
const BLOCKS_WAITING: usize = 2;

/// Rows of some consecutive pools.
struct Block<T> {
    names: String,
    pools: Vec<Entry>,
    rows: Vec<T>,
}

/// Where the names and rows of a pool end.
#[derive(Clone, Copy)]
struct Entry {
    account_end: usize,
    pool_end: usize,
    rows_end: usize,
}

impl<T> Default for Block<T> {
    fn default() -> Self {
        Self { names: String::new(), pools: Vec::new(), rows: Vec::new() }
    }
}

/// Both ends of a table's way.
pub(super) fn channel<T>() -> (Sink<T>, Cursor<T>) {
    let (sender, receiver) = sync_channel(BLOCKS_WAITING);
    let sink = Sink { sender: Some(sender), block: Block::default(), account: String::new(), pool: String::new(), any: false };
    (sink, Cursor { receiver, block: Block::default(), at: 0 })
}

/// Takes rows whose pools ascend.
pub(super) struct Sink<T> {
    /// `None` once nobody takes blocks any more.
    sender: Option<SyncSender<Block<T>>>,
    block: Block<T>,
    account: String,
    pool: String,
    any: bool,
}

/// How the pool of a row follows that of the row before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is the same.
    Same,
    /// It is the next one.
    Next,
    /// It should have come earlier.
    Back,
}

impl<T> Sink<T> {
    /// The pool that the next rows belong to. After [`Step::Back`] the sink still stands at the pool before.
    pub(super) fn pool(&mut self, (account, pool): (&str, &str)) -> Step {
        if self.any {
            match account.cmp(&self.account).then_with(|| pool.cmp(&self.pool)) {
                Ordering::Equal => return Step::Same,
                Ordering::Less => return Step::Back,
                Ordering::Greater => {}
            }
        }
        if self.block.rows.len() >= BLOCK_ROWS || self.block.pools.len() >= BLOCK_POOLS {
            self.send();
        }
        self.any = true;
        for (kept, name) in [(&mut self.account, account), (&mut self.pool, pool)] {
            kept.clear();
            kept.push_str(name);
        }
        let block = &mut self.block;
        block.names.push_str(account);
        let account_end = block.names.len();
        block.names.push_str(pool);
        block.pools.push(Entry { account_end, pool_end: block.names.len(), rows_end: block.rows.len() });
        Step::Next
    }

    /// Adds a row of the pool.
    pub(super) fn push(&mut self, row: T) {
        self.block.rows.push(row);
        if let Some(entry) = self.block.pools.last_mut() {
            entry.rows_end = self.block.rows.len();
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

/// Hands out pools in order.
pub(super) struct Cursor<T> {
    receiver: Receiver<Block<T>>,
    block: Block<T>,
    at: usize,
}

impl<T> Cursor<T> {
    /// Waits for the next pool, unless one stands here.
    pub(super) fn fill(&mut self) {
        while self.at == self.block.pools.len() {
            let Ok(block) = self.receiver.recv() else { return };
            (self.block, self.at) = (block, 0);
        }
    }

    /// Names of the pool that stands here; `None` at the end of the table.
    pub(super) fn names(&self) -> Option<(&str, &str)> {
        let entry = self.block.pools.get(self.at)?;
        let start = if self.at == 0 { 0 } else { self.block.pools[self.at - 1].pool_end };
        let names = &self.block.names;
        Some((&names[start..entry.account_end], &names[entry.account_end..entry.pool_end]))
    }

    /// Rows of the pool that stands here.
    pub(super) fn rows(&mut self) -> &mut [T] {
        let start = if self.at == 0 { 0 } else { self.block.pools[self.at - 1].rows_end };
        &mut self.block.rows[start..self.block.pools[self.at].rows_end]
    }

    /// Goes on to the next pool.
    pub(super) fn advance(&mut self) {
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_pool_by_pool() {
        let (mut sink, mut cursor) = channel();
        let written = std::thread::spawn(move || {
            for number in 0..100_000u32 {
                let account = format!("{:06}", number / 3);
                let step = sink.pool((&account, "main"));
                assert_eq!(step, if number % 3 == 0 { Step::Next } else { Step::Same });
                sink.push(number);
            }
            assert_eq!(sink.pool(("000001", "main")), Step::Back);
            assert_eq!(sink.pool(("033333", "main")), Step::Same);
            sink.finish();
        });
        let mut read = Vec::new();
        loop {
            cursor.fill();
            let Some((account, _)) = cursor.names() else { break };
            let account: u32 = account.parse().expect("a number");
            assert!(cursor.rows().iter().all(|row| row / 3 == account));
            read.extend_from_slice(cursor.rows());
            cursor.advance();
        }
        written.join().expect("written");
        assert_eq!(read, (0..100_000).collect::<Vec<u32>>());
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
