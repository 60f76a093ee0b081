use super::plan::{Plan, SCENARIO_BLOCK};
use crate::pricing::Rows;
use crate::program::RowRange;

/// Every row under every scenario, cut into tiles: `[n_tiles][n_rows × tile_scenarios]`, twice: shocked minus base (formed
/// in f64) for the kernels, and absolute for the canonical evaluator. A tile's rows are neighbours, so both stay in cache.
///
/// The lanes after the last scenario repeat it, so that they can never hold a minimum of their own.
#[derive(Debug)]
pub struct Tiles {
    plan: Plan,
    n_rows: usize,
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

    /// Δrow under the block's scenarios, padding included.
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
        let len = plan.tile_count() * n_rows * width;
        let (mut deltas, mut values) = (Aligned::zeros(len), Aligned::zeros(len));
        for k in 0..plan.tile_count() {
            let scenarios = plan.tile(k);
            for (row, range) in ranges.iter().enumerate() {
                let from = (k * n_rows + row) * width;
                let shocked = rows.shocked.row(row);
                for lane in 0..width {
                    let value = shocked[(scenarios.start + lane).min(scenarios.end - 1)];
                    deltas.data[deltas.start + from + lane] = value - range.base;
                    values.data[values.start + from + lane] = value;
                }
            }
        }
        Self { plan, n_rows, deltas, values }
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
        self.values.slice((tile * self.n_rows + row as usize) * width + lane, SCENARIO_BLOCK)
    }
}
