use std::array;

use crate::margin::Market;
use crate::number::{LANES, Lanes};
use crate::pricing::Rows;

/// A block of neighbouring scenarios as a market: the canonical evaluator's way to publish many verdicts at once, bit for
/// bit what it publishes for one.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// All rows.
    pub rows: &'a Rows,
    /// First scenario; lanes after the last scenario repeat it.
    pub first: usize,
}

impl Market<Lanes> for Block<'_> {
    #[inline(always)]
    fn row(&self, row: u32) -> Lanes {
        let values = self.rows.shocked.row(row as usize);
        let last = values.len() - 1;
        match values.as_slice().and_then(|values| values.get(self.first..self.first + LANES)) {
            Some(block) => Lanes(array::from_fn(|lane| block[lane])),
            None => Lanes(array::from_fn(|lane| values[(self.first + lane).min(last)])),
        }
    }
}
