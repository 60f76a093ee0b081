//! How a sweep is cut into pieces, as pure data: chunks of pools, tiles of scenarios. No device is needed to test it.

use std::ops::Range;

/// Pools per chunk of the CPU engine at most: few enough that the allocator reuses a chunk's buffers in place of mapping new ones.
const CHUNK_POOLS: usize = 512;
/// Scenarios per tile of the CPU engine: as many blocks as are bounded together.
pub const TILE_SCENARIOS: usize = SCENARIO_BLOCK * RANGE_BLOCKS;
/// Scenarios evaluated at once. Tiles are padded to a multiple of it, so that kernels need no remainder loop; it is also the
/// width of a verdict mask.
pub const SCENARIO_BLOCK: usize = 32;
/// Blocks whose ranges are looked at together.
pub const RANGE_BLOCKS: usize = 32;

/// Sizes a caller may set; the results do not depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanOptions {
    /// Pools per chunk.
    pub chunk_pools: Option<usize>,
    /// Scenarios per tile; rounded up to a multiple of [`SCENARIO_BLOCK`].
    pub tile_scenarios: Option<usize>,
}

/// The cut of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Pools of the book.
    pub n_pools: usize,
    /// Scenarios of the set.
    pub n_scenarios: usize,
    /// Pools per chunk, ≥ 1.
    pub chunk_pools: usize,
    /// Scenarios per tile, a multiple of [`SCENARIO_BLOCK`].
    pub tile_scenarios: usize,
}

impl Plan {
    /// Cuts for the CPU: enough chunks to balance any number of threads, large enough to share the rows of a block. The cut
    /// depends on the work only, never on the machine.
    pub fn for_cpu((n_pools, n_scenarios): (usize, usize), options: PlanOptions) -> Self {
        let chunk_pools = options.chunk_pools.unwrap_or((n_pools / 64).clamp(64, CHUNK_POOLS)).max(1);
        Self { n_pools, n_scenarios, chunk_pools, tile_scenarios: tile_width(n_scenarios, options, TILE_SCENARIOS) }
    }

    /// Number of chunks.
    pub fn chunk_count(&self) -> usize {
        self.n_pools.div_ceil(self.chunk_pools)
    }

    /// Number of tiles.
    pub fn tile_count(&self) -> usize {
        self.n_scenarios.div_ceil(self.tile_scenarios)
    }

    /// Pools of a chunk.
    pub fn chunk(&self, index: usize) -> Range<usize> {
        let start = index * self.chunk_pools;
        start..(start + self.chunk_pools).min(self.n_pools)
    }

    /// Scenarios of a tile.
    pub fn tile(&self, index: usize) -> Range<usize> {
        let start = index * self.tile_scenarios;
        start..(start + self.tile_scenarios).min(self.n_scenarios)
    }
}

fn tile_width(n_scenarios: usize, options: PlanOptions, default: usize) -> usize {
    let wanted = options.tile_scenarios.unwrap_or(default).clamp(1, 1 << 20).min(n_scenarios.max(1));
    wanted.next_multiple_of(SCENARIO_BLOCK)
}

/// Where the rows of options are priced for a device engine. Decisions, counts and figures do not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revaluation {
    /// On a hardware GPU where sending the rows would take long, else on the host.
    #[default]
    Auto,
    /// On the host, in f64.
    Host,
    /// On the device, in f32 with a bound; rows without a useful bound on the host.
    Device,
}

/// What a device allows, as far as the plan cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceLimits {
    /// Largest storage binding, bytes.
    pub binding_bytes: u64,
    /// Largest number of workgroups in one dimension.
    pub workgroups_per_dimension: u32,
}

/// Scenarios per tile of the device kernel: 64 lanes of four.
pub const DEVICE_TILE_SCENARIOS: usize = 256;

/// The cut of a sweep for a device: every buffer within a binding, every dispatch within the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevicePlan {
    /// Chunks of pools and tiles of scenarios.
    pub plan: Plan,
    /// Tiles whose rows are resident together: one panel of rows is one binding.
    pub panel_tiles: usize,
    /// Pools that one workgroup handles, its per-scenario sums staying in registers.
    pub group_pools: usize,
}

/// Pools per workgroup: few enough that an f32 sum over them has a useful bound.
pub const GROUP_POOLS: usize = 64;
/// Places that canaries take in every submission: one workgroup.
pub const CANARY_POOLS: usize = GROUP_POOLS;
/// Tiles per panel at most: one canary lists each of its verdicts as uncertain, and this keeps it to a quarter of the list.
const PANEL_TILES_MAX: usize = 64;
/// Pools per chunk where nothing else limits it.
const DEVICE_CHUNK_POOLS: usize = 16_384;

impl DevicePlan {
    /// Cuts for a device. `cells_per_submission` is the work one submission should hold (20–50 ms of the device).
    ///
    /// # Errors
    /// Says which limit cannot be met: one tile of rows must fit a binding.
    pub fn new(
        (n_pools, n_scenarios, n_rows): (usize, usize, usize),
        limits: DeviceLimits,
        options: PlanOptions,
        row_bytes: u64,
        pool_bytes: u64,
    ) -> Result<Self, String> {
        let tile_bytes = n_rows.max(1) as u64 * DEVICE_TILE_SCENARIOS as u64 * row_bytes;
        let smallest_output = pool_bytes * (CANARY_POOLS + 2 * GROUP_POOLS) as u64;
        let panel_tiles = (limits.binding_bytes / tile_bytes).min(limits.binding_bytes / smallest_output);
        if panel_tiles == 0 {
            return Err(format!(
                "one tile of {n_rows} rows takes {tile_bytes} bytes; the device binds {} at most",
                limits.binding_bytes
            ));
        }
        let panel_tiles = (panel_tiles as usize)
            .min(n_scenarios.div_ceil(DEVICE_TILE_SCENARIOS).max(1))
            .min(PANEL_TILES_MAX)
            .min(limits.workgroups_per_dimension as usize);
        // The result buffers hold records per pool and tile of the panel, in whole groups; a 2-D grid holds groups × tiles.
        let by_output = (limits.binding_bytes / (pool_bytes * panel_tiles as u64)) as usize;
        let by_grid = limits.workgroups_per_dimension as usize * GROUP_POOLS;
        let room = by_output.saturating_sub(CANARY_POOLS + GROUP_POOLS).min(by_grid.saturating_sub(CANARY_POOLS));
        let chunk_pools = options.chunk_pools.unwrap_or(DEVICE_CHUNK_POOLS).min(room).max(1);
        let plan = Plan { n_pools, n_scenarios, chunk_pools, tile_scenarios: DEVICE_TILE_SCENARIOS };
        Ok(Self { plan, panel_tiles, group_pools: GROUP_POOLS })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn chunks_and_tiles_cover_everything_once(
            n_pools in 0usize..5_000, n_scenarios in 0usize..5_000,
            chunk in proptest::option::of(1usize..700), tile in proptest::option::of(1usize..700),
        ) {
            let options = PlanOptions { chunk_pools: chunk, tile_scenarios: tile };
            let plan = Plan::for_cpu((n_pools, n_scenarios), options);
            prop_assert_eq!(plan.tile_scenarios % SCENARIO_BLOCK, 0);
            let pools: Vec<usize> = (0..plan.chunk_count()).flat_map(|k| plan.chunk(k)).collect();
            prop_assert_eq!(pools, (0..n_pools).collect::<Vec<_>>());
            let scenarios: Vec<usize> = (0..plan.tile_count()).flat_map(|k| plan.tile(k)).collect();
            prop_assert_eq!(scenarios, (0..n_scenarios).collect::<Vec<_>>());
        }

        #[test]
        fn a_device_plan_keeps_within_its_limits(
            n_pools in 1usize..2_000_000, n_scenarios in 1usize..20_000, n_rows in 1usize..50_000,
            binding_mib in 1u64..2_048, groups in 64u32..65_536,
        ) {
            let limits = DeviceLimits { binding_bytes: binding_mib << 20, workgroups_per_dimension: groups };
            if let Ok(device) = DevicePlan::new((n_pools, n_scenarios, n_rows), limits, PlanOptions::default(), 4, 64) {
                let panel_bytes = (device.panel_tiles * DEVICE_TILE_SCENARIOS * n_rows * 4) as u64;
                prop_assert!(panel_bytes <= limits.binding_bytes);
                prop_assert!(device.panel_tiles * DEVICE_TILE_SCENARIOS <= 16_384, "a quarter of the list of uncertain verdicts");
                prop_assert!((device.plan.chunk_pools * device.panel_tiles * 64) as u64 <= limits.binding_bytes.max(64 * device.panel_tiles as u64));
                prop_assert!(device.plan.chunk_pools.div_ceil(device.group_pools) <= groups as usize);
            }
        }
    }

    #[test]
    fn rows_too_many_for_a_binding_are_refused_with_the_numbers() {
        let limits = DeviceLimits { binding_bytes: 1 << 20, workgroups_per_dimension: 65_535 };
        let error = DevicePlan::new((1, 1, 2_000), limits, PlanOptions::default(), 4, 64);
        assert!(error.is_err_and(|text| text.contains("2048000")), "2,000 rows × 256 × 4 bytes");
    }
}
