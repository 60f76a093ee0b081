use super::plan::{Plan, SCENARIO_BLOCK};
use crate::pricing::Rows;
use crate::program::RowRange;

/// Every row under every scenario, cut into tiles: `[n_tiles][n_rows × tile_scenarios]`, twice: Δ = value − level (formed
/// in f64) for the kernels, and absolute for the canonical evaluator. A tile's rows are neighbours, so both stay in cache.
/// Rows of level 0 after the last other one, such as the blocks of grids, are held once: there Δ is the value.
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

    #[inline(always)]
    fn slice(&self, from: usize, len: usize) -> &[f64] {
        &self.data[self.start + from..][..len]
    }
}

/// One tile: all rows under some scenarios.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    /// `[n_rows × width]`, row-major.
    pub deltas: &'a [f64],
    /// Scenarios per row, padding included.
    pub width: usize,
    /// First scenario.
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
    /// First scenario.
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
        &self.tile.deltas[row as usize * self.tile.width + self.lane..][..SCENARIO_BLOCK]
    }
}

impl<'a> Tile<'a> {
    /// Blocks that hold at least one scenario.
    pub fn blocks(self) -> impl Iterator<Item = TileBlock<'a>> {
        (0..self.len).step_by(SCENARIO_BLOCK).map(move |lane| TileBlock { tile: self, lane })
    }
}

/// f64 values in a cache line.
const LINE: usize = 8;

impl Tiles {
    /// Cuts the rows as the plan says.
    pub fn new(rows: &Rows, ranges: &[RowRange], plan: Plan) -> Self {
        let (width, n_rows) = (plan.tile_scenarios, rows.len());
        let n_absolute = ranges.iter().rposition(|range| range.level != 0.0).map_or(0, |last| last + 1);
        let zeros = |n_rows: usize| Aligned::zeros(plan.tile_count() * n_rows * width);
        let (mut deltas, mut values) = (zeros(n_rows), zeros(n_absolute));
        for k in 0..plan.tile_count() {
            let scenarios = plan.tile(k);
            for (row, range) in ranges.iter().enumerate() {
                let [delta, absolute] = [n_rows, n_absolute].map(|n_rows| (k * n_rows + row) * width);
                let shocked = rows.shocked.row(row);
                for lane in 0..width {
                    let value = shocked[(scenarios.start + lane).min(scenarios.end - 1)];
                    deltas.data[deltas.start + delta + lane] = value - range.level;
                    if row < n_absolute {
                        values.data[values.start + absolute + lane] = value;
                    }
                }
            }
        }
        Self { plan, n_rows, n_absolute, deltas, values }
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
        let width = self.plan.tile_scenarios;
        let size = self.n_rows * width;
        Tile { deltas: self.deltas.slice(index * size, size), width, first: scenarios.start, len: scenarios.len() }
    }

    /// Absolute values of a row under the block that starts at `scenario`, a multiple of [`SCENARIO_BLOCK`].
    #[inline(always)]
    pub fn values(&self, row: u32, scenario: usize) -> &[f64] {
        let width = self.plan.tile_scenarios;
        let (tile, lane) = (scenario / width, scenario % width);
        let row = row as usize;
        let (rows, n_rows) =
            if row < self.n_absolute { (&self.values, self.n_absolute) } else { (&self.deltas, self.n_rows) };
        rows.slice((tile * n_rows + row) * width + lane, SCENARIO_BLOCK)
    }
}
