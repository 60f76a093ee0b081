use super::plan::Plan;
use crate::pricing::Rows;
use crate::program::RowRange;

/// Shocked minus base of every row, cut into tiles: `[n_tiles][n_rows × tile_scenarios]`, formed in f64.
///
/// The lanes after the last scenario repeat it, so that they can never hold a minimum of their own.
#[derive(Debug)]
pub struct Tiles {
    plan: Plan,
    n_rows: usize,
    data: Vec<f64>,
    /// First element that lies on a cache line.
    start: usize,
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

/// f64 values in a cache line.
const LINE: usize = 8;

impl Tiles {
    /// Cuts the rows as the plan says.
    pub fn new(rows: &Rows, ranges: &[RowRange], plan: Plan) -> Self {
        let width = plan.tile_scenarios;
        let mut data = vec![0.0; plan.tile_count() * rows.len() * width + LINE];
        // Vectors that straddle cache lines cost a third of the speed.
        let start = data.as_ptr().align_offset(LINE * size_of::<f64>()).min(LINE);
        for k in 0..plan.tile_count() {
            let scenarios = plan.tile(k);
            for (row, range) in ranges.iter().enumerate() {
                let from = start + (k * rows.len() + row) * width;
                let values = rows.shocked.row(row);
                for lane in 0..width {
                    let scenario = (scenarios.start + lane).min(scenarios.end - 1);
                    data[from + lane] = values[scenario] - range.base;
                }
            }
        }
        Self { plan, n_rows: rows.len(), data, start }
    }

    /// Number of tiles.
    pub fn len(&self) -> usize {
        self.plan.tile_count()
    }

    /// Tile `index`.
    pub fn tile(&self, index: usize) -> Tile<'_> {
        let scenarios = self.plan.tile(index);
        let width = self.plan.tile_scenarios;
        let from = self.start + index * self.n_rows * width;
        Tile {
            deltas: &self.data[from..from + self.n_rows * width],
            width,
            first: scenarios.start,
            len: scenarios.len(),
        }
    }
}
