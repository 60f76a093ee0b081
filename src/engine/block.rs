use super::tile::Tiles;
use crate::margin::Market;
use crate::number::{IntervalLanes, LANES, Lanes};

/// A block of neighbouring scenarios as a market: the canonical evaluator's way to publish many verdicts at once, bit for
/// bit what it publishes for one, and the arbiter's way to decide them.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// All rows.
    pub tiles: &'a Tiles,
    /// First scenario, a multiple of the block's width; lanes after the last scenario repeat it.
    pub first: usize,
}

impl Block<'_> {
    #[inline(always)]
    fn values(&self, row: u32) -> [f64; LANES] {
        let mut block = [0.0; LANES];
        block.copy_from_slice(self.tiles.values(row, self.first));
        block
    }
}

/// One scenario as a market, from the rows of its block: neighbours in memory, where the rows of the whole set are far apart.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// All rows.
    pub tiles: &'a Tiles,
    /// The scenario.
    pub place: usize,
}

impl Market<f64> for Place<'_> {
    #[inline]
    fn row(&self, row: u32) -> f64 {
        let lane = self.place % LANES;
        self.tiles.values(row, self.place - lane)[lane]
    }
}

impl Market<Lanes> for Block<'_> {
    #[inline(always)]
    fn row(&self, row: u32) -> Lanes {
        Lanes(self.values(row))
    }
}

impl Market<IntervalLanes> for Block<'_> {
    #[inline(always)]
    fn row(&self, row: u32) -> IntervalLanes {
        IntervalLanes::points(self.values(row))
    }
}
