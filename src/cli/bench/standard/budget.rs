//! How long a run may take, and how long a sweep will, from what was seen of smaller ones.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::workload::Workload;

/// What one sweep took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    /// How much work it was.
    pub(super) extent: Extent,
    /// Seconds of the sweep stage, which grow with the cells.
    pub(super) sweep: f64,
    /// Seconds of revaluation and audit, which grow with the scenarios: all accounts share the rows, and the audit takes a
    /// sample of the pools.
    pub(super) shared: f64,
    /// All seconds, opening a device included.
    pub(super) wall: f64,
}

/// How much work a case is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    /// Positions × scenarios.
    pub(super) cells: f64,
    /// Scenarios.
    pub(super) scenarios: f64,
}

/// Seconds to spend, and what is known of the speed of every engine and of the generator.
pub(super) struct Budget {
    start: Instant,
    limit: Duration,
    /// By workload and engine, the last one.
    seen: BTreeMap<(Workload, String), Seen>,
    /// Seconds that the generator takes per cell.
    building: BTreeMap<Workload, f64>,
}

impl Budget {
    pub(super) fn of(limit: Duration) -> Self {
        Self { start: Instant::now(), limit, seen: BTreeMap::new(), building: BTreeMap::new() }
    }

    /// Seconds left; 0 where none is.
    pub(super) fn left(&self) -> f64 {
        self.limit.saturating_sub(self.start.elapsed()).as_secs_f64()
    }

    /// Notes what a sweep took.
    pub(super) fn note(&mut self, workload: Workload, engine: &str, seen: Seen) {
        self.seen.insert((workload, engine.into()), seen);
    }

    /// Notes what building a case took.
    pub(super) fn note_building(&mut self, workload: Workload, cells: f64, seconds: f64) {
        self.building.insert(workload, seconds / cells.max(1.0));
    }

    /// Seconds that building a case of so many cells will take; 0 where nothing is known.
    pub(super) fn building(&self, workload: Workload, cells: f64) -> f64 {
        self.building.get(&workload).map_or(0.0, |per_cell| per_cell * cells)
    }

    /// Seconds that so many sweeps will take; 0 where nothing is known.
    pub(super) fn sweeps(&self, workload: Workload, engine: &str, extent: Extent, sweeps: u32) -> f64 {
        let seen = self.seen.get(&(workload, engine.to_string()));
        let once = seen.map_or(0.0, |seen| {
            let fixed = (seen.wall - seen.sweep - seen.shared).max(0.0);
            let by_cells = seen.sweep * extent.cells / seen.extent.cells.max(1.0);
            fixed + by_cells + seen.shared * extent.scenarios / seen.extent.scenarios.max(1.0)
        });
        f64::from(sweeps) * once
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_scaled_and_what_does_not_is_not() {
        let mut budget = Budget::of(Duration::from_secs(100));
        let extent = |cells, scenarios| Extent { cells, scenarios };
        let ahead = extent(4e6, 512.0);
        assert_eq!(budget.sweeps(Workload::Linear, "cpu", ahead, 3), 0.0, "nothing is known");
        let seen = Seen { extent: extent(1e6, 256.0), sweep: 0.5, shared: 0.125, wall: 0.75 };
        budget.note(Workload::Linear, "cpu", seen);
        assert_eq!(budget.sweeps(Workload::Linear, "cpu", ahead, 3), 3.0 * (0.125 + 2.0 + 0.25));
        assert_eq!(budget.sweeps(Workload::Grid, "cpu", ahead, 3), 0.0);
        assert_eq!(budget.sweeps(Workload::Linear, "gpu 0", ahead, 3), 0.0);
        budget.note_building(Workload::Linear, 1e6, 0.125);
        assert_eq!(budget.building(Workload::Linear, 8e6), 1.0);
    }

    #[test]
    fn time_runs_out_and_does_not_become_negative() {
        let budget = Budget::of(Duration::from_secs(100));
        assert!((0.0..=100.0).contains(&budget.left()) && budget.left() > 90.0);
        assert_eq!(Budget::of(Duration::ZERO).left(), 0.0);
    }
}
