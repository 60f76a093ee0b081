use rayon::prelude::*;

use super::plan::{Plan, RANGE_BLOCKS, SCENARIO_BLOCK};
use crate::pricing::Rows;
use crate::program::RowRange;

/// Every row under every scenario, block by block: `[n_blocks][n_rows][SCENARIO_BLOCK]`, twice: Δ = value − level (formed
/// in f64) for the kernels, and absolute for the canonical evaluator. A block's rows are neighbours: rows a power of two apart
/// would crowd each other out of the cache. Rows of level 0 after the last other one, such as the blocks of grids, are held
/// once: there Δ is the value. Beside them the range of each row on each block, tile by tile.
///
/// The lanes after the last scenario repeat it, so that they can never hold a minimum of their own.
#[derive(Debug)]
pub struct Tiles {
    plan: Plan,
    n_rows: usize,
    /// Rows held absolute as well: all up to the last with a level.
    n_absolute: usize,
    deltas: Aligned,
    values: Aligned,
    /// Smallest and largest Δ of each row on each block: `[n_tiles][n_rows][blocks / RANGE_BLOCKS][2][RANGE_BLOCKS]`.
    ranges: Aligned,
}

/// f64 values of which the first lies on a cache line.
#[derive(Debug)]
struct Aligned {
    data: Vec<f64>,
    start: usize,
}

impl Aligned {
    fn zeros(len: usize) -> Self {
        let data = vec![0.0; len + LINE];
        // Vectors that straddle cache lines cost a third of the speed.
        let start = data.as_ptr().align_offset(LINE * size_of::<f64>()).min(LINE);
        Self { data, start }
    }

    fn all_mut(&mut self) -> &mut [f64] {
        let end = self.data.len() - LINE + self.start;
        &mut self.data[self.start..end]
    }

    #[inline(always)]
    fn slice(&self, from: usize, len: usize) -> &[f64] {
        &self.data[self.start + from..][..len]
    }
}

/// One tile: all rows under some scenarios.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    /// `[n_blocks][n_rows][SCENARIO_BLOCK]`.
    deltas: &'a [f64],
    /// `[n_rows][blocks / RANGE_BLOCKS][2][RANGE_BLOCKS]`.
    ranges: &'a [f64],
    n_rows: usize,
    /// Place of its first scenario.
    pub first: usize,
    /// Scenarios that are not padding.
    pub len: usize,
}

/// [`SCENARIO_BLOCK`] neighbouring scenarios of a tile: what kernels evaluate at once.
#[derive(Debug, Clone, Copy)]
pub struct TileBlock<'a> {
    /// The tile.
    pub tile: Tile<'a>,
    /// First lane of the block within the tile.
    pub lane: usize,
}

impl<'a> TileBlock<'a> {
    /// Place of the first scenario.
    pub fn first(&self) -> usize {
        self.tile.first + self.lane
    }

    /// Scenarios that are not padding.
    pub fn len(&self) -> usize {
        (self.tile.len - self.lane).min(SCENARIO_BLOCK)
    }

    /// Δ of a row under the block's scenarios, padding included.
    #[inline(always)]
    pub fn deltas(&self, row: u32) -> &'a [f64] {
        // The lane is a multiple of the block's width.
        &self.tile.deltas[self.lane * self.tile.n_rows + row as usize * SCENARIO_BLOCK..][..SCENARIO_BLOCK]
    }
}

impl<'a> Tile<'a> {
    /// Blocks that hold at least one scenario.
    pub fn blocks(self) -> impl Iterator<Item = TileBlock<'a>> {
        (0..self.len).step_by(SCENARIO_BLOCK).map(move |lane| TileBlock { tile: self, lane })
    }

    /// The ends of a row's Δ at which `slope · Δ` is smallest, on [`RANGE_BLOCKS`] blocks from `first` (a multiple of that) on.
    #[inline(always)]
    pub fn worse_ends(self, row: u32, slope: f64, first: usize) -> &'a [f64] {
        let at = row as usize * range_groups(self.len) + first / RANGE_BLOCKS;
        let high = usize::from(slope < 0.0);
        &self.ranges[(2 * at + high) * RANGE_BLOCKS..][..RANGE_BLOCKS]
    }
}

/// f64 values in a cache line.
const LINE: usize = 8;

/// Groups of [`RANGE_BLOCKS`] blocks in a tile of so many scenarios.
#[inline(always)]
fn range_groups(n_scenarios: usize) -> usize {
    n_scenarios.div_ceil(SCENARIO_BLOCK * RANGE_BLOCKS)
}

impl Tiles {
    /// Cuts the rows as the plan says.
    pub fn new(rows: &Rows, ranges: &[RowRange], plan: Plan) -> Self {
        let n_rows = rows.len();
        let n_absolute = ranges.iter().rposition(|range| range.level != 0.0).map_or(0, |last| last + 1);
        let n_blocks = plan.n_scenarios.div_ceil(SCENARIO_BLOCK);
        let [deltas, values] = [n_rows, n_absolute].map(|n| Aligned::zeros(n_blocks * n * SCENARIO_BLOCK));
        let range_blocks = Aligned::zeros(plan.tile_count() * Self::range_size(plan, n_rows));
        let mut tiles = Self { plan, n_rows, n_absolute, deltas, values, ranges: range_blocks };
        // A book without rows has nothing to cut.
        if n_rows > 0 {
            tiles.fill(rows, ranges);
            tiles.fill_ranges();
        }
        tiles
    }

    fn fill(&mut self, rows: &Rows, ranges: &[RowRange]) {
        let last = self.plan.n_scenarios.saturating_sub(1);
        let place = |block: usize, lane: usize| (block * SCENARIO_BLOCK + lane).min(last);
        let fill = |(block, out): (usize, &mut [f64]), level: &(dyn Fn(usize) -> f64 + Sync)| {
            for (row, lanes) in out.chunks_exact_mut(SCENARIO_BLOCK).enumerate() {
                let (shocked, level) = (rows.shocked.row(row), level(row));
                for (lane, out) in lanes.iter_mut().enumerate() {
                    *out = shocked[place(block, lane)] - level;
                }
            }
        };
        let deltas = self.deltas.all_mut().par_chunks_exact_mut(self.n_rows * SCENARIO_BLOCK);
        deltas.enumerate().for_each(|block| fill(block, &|row| ranges[row].level));
        if self.n_absolute > 0 {
            let values = self.values.all_mut().par_chunks_exact_mut(self.n_absolute * SCENARIO_BLOCK);
            values.enumerate().for_each(|block| fill(block, &|_| 0.0));
        }
    }

    fn fill_ranges(&mut self) {
        let (plan, n_rows, deltas) = (self.plan, self.n_rows, &self.deltas);
        let tiles = self.ranges.all_mut().par_chunks_exact_mut(Self::range_size(plan, n_rows).max(1));
        tiles.enumerate().for_each(|(tile, out)| {
            let scenarios = plan.tile(tile);
            let groups = range_groups(scenarios.len());
            for (block, first) in scenarios.step_by(SCENARIO_BLOCK).enumerate() {
                for row in 0..n_rows {
                    let lanes = deltas.slice(first * n_rows + row * SCENARIO_BLOCK, SCENARIO_BLOCK);
                    let (mut low, mut high) = (lanes[0], lanes[0]);
                    for &delta in lanes {
                        low = if delta < low { delta } else { low };
                        high = if delta > high { delta } else { high };
                    }
                    let at = 2 * (row * groups + block / RANGE_BLOCKS) * RANGE_BLOCKS + block % RANGE_BLOCKS;
                    (out[at], out[at + RANGE_BLOCKS]) = (low, high);
                }
            }
        });
    }

    /// f64 values of the ranges of one tile.
    fn range_size(plan: Plan, n_rows: usize) -> usize {
        n_rows * range_groups(plan.tile_scenarios) * 2 * RANGE_BLOCKS
    }

    /// Number of tiles.
    pub fn len(&self) -> usize {
        self.plan.tile_count()
    }

    /// Every block, in the order of the scenarios.
    pub fn blocks(&self) -> impl Iterator<Item = TileBlock<'_>> {
        (0..self.len()).flat_map(|index| self.tile(index).blocks())
    }

    /// The block that starts at `scenario`, a multiple of [`SCENARIO_BLOCK`].
    pub fn block(&self, scenario: usize) -> TileBlock<'_> {
        let tile = self.tile(scenario / self.plan.tile_scenarios);
        TileBlock { tile, lane: scenario - tile.first }
    }

    /// Tile `index`.
    pub fn tile(&self, index: usize) -> Tile<'_> {
        let scenarios = self.plan.tile(index);
        let width = scenarios.len().next_multiple_of(SCENARIO_BLOCK);
        let range_size = Self::range_size(self.plan, self.n_rows);
        Tile {
            deltas: self.deltas.slice(scenarios.start * self.n_rows, width * self.n_rows),
            ranges: self.ranges.slice(index * range_size, range_size),
            n_rows: self.n_rows,
            first: scenarios.start,
            len: scenarios.len(),
        }
    }

    /// Absolute values of a row under the block that starts at `scenario`, a multiple of [`SCENARIO_BLOCK`].
    #[inline(always)]
    pub fn values(&self, row: u32, scenario: usize) -> &[f64] {
        let row = row as usize;
        let (rows, n_rows) =
            if row < self.n_absolute { (&self.values, self.n_absolute) } else { (&self.deltas, self.n_rows) };
        rows.slice(scenario * n_rows + row * SCENARIO_BLOCK, SCENARIO_BLOCK)
    }
}
