//! Rows as the device holds them: f32 differences, cut into tiles, tiles gathered into panels of one binding each.

use super::pack::single;
use crate::engine::job::Job;
use crate::engine::plan::{DEVICE_TILE_SCENARIOS, DevicePlan};

/// The rows of some neighbouring tiles.
#[derive(Debug)]
pub struct PanelRows {
    /// First tile of the sweep in this panel.
    pub first_tile: usize,
    /// Scenarios in this panel.
    pub scenario_count: usize,
    n_rows: usize,
    /// `[n_tiles][n_rows × 256]`, zero after the last scenario.
    pub data: Vec<f32>,
    /// Σ over the tile's scenarios of each row, in f64: `[n_tiles][n_rows]`.
    delta_sums: Vec<f64>,
}

impl PanelRows {
    /// All panels of a sweep.
    pub fn all(job: &Job<'_>, plan: &DevicePlan) -> Vec<Self> {
        let n_tiles = plan.plan.tile_count();
        (0..n_tiles)
            .step_by(plan.panel_tiles)
            .map(|first| Self::new(job, first, plan.panel_tiles.min(n_tiles - first)))
            .collect()
    }

    fn new(job: &Job<'_>, first_tile: usize, n_tiles: usize) -> Self {
        let n_rows = job.ranges.len();
        let first = first_tile * DEVICE_TILE_SCENARIOS;
        let scenario_count = (n_tiles * DEVICE_TILE_SCENARIOS).min(job.scenario_count() - first);
        let mut data = vec![0f32; n_tiles * n_rows * DEVICE_TILE_SCENARIOS];
        let mut delta_sums = Vec::with_capacity(n_tiles * n_rows);
        for tile in 0..n_tiles {
            let start = first + tile * DEVICE_TILE_SCENARIOS;
            let end = (start + DEVICE_TILE_SCENARIOS).min(first + scenario_count);
            for (row, range) in job.ranges.iter().enumerate() {
                let values = job.setting.rows.shocked.row(row);
                let out = &mut data[(tile * n_rows + row) * DEVICE_TILE_SCENARIOS..];
                let mut sum = 0.0;
                for (lane, scenario) in (start..end).enumerate() {
                    let delta = values[scenario] - range.level;
                    out[lane] = single(delta);
                    sum += delta;
                }
                delta_sums.push(sum);
            }
        }
        Self { first_tile, scenario_count, n_rows, data, delta_sums }
    }

    /// Tiles in this panel.
    pub fn tile_count(&self) -> usize {
        self.scenario_count.div_ceil(DEVICE_TILE_SCENARIOS)
    }

    /// Scenarios of a tile.
    pub fn tile_len(&self, tile: usize) -> usize {
        (self.scenario_count - tile * DEVICE_TILE_SCENARIOS).min(DEVICE_TILE_SCENARIOS)
    }

    /// Rows per tile.
    pub fn row_count(&self) -> usize {
        self.n_rows
    }

    /// Σ over a tile's scenarios of Δrow.
    pub fn delta_sum(&self, tile: usize, row: u32) -> f64 {
        self.delta_sums[tile * self.n_rows + row as usize]
    }

    /// Δrow under a tile's scenarios, padding included.
    pub fn deltas(&self, tile: usize, row: u32) -> &[f32] {
        &self.data[(tile * self.n_rows + row as usize) * DEVICE_TILE_SCENARIOS..][..DEVICE_TILE_SCENARIOS]
    }
}
