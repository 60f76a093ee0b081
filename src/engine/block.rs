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
        let n_scenarios = self.rows.shocked.ncols();
        let values = self.rows.shocked.as_slice().unwrap_or_default();
        let from = row as usize * n_scenarios + self.first;
        let mut block = [0.0; LANES];
        if self.first + LANES <= n_scenarios {
            block.copy_from_slice(&values[from..from + LANES]);
        } else {
            for lane in 0..LANES {
                block[lane] = values[from + lane.min(n_scenarios - 1 - self.first)];
            }
        }
        Lanes(block)
    }
}
