use std::ops::Range;

use pulp::Arch;

use super::kernel::{RootValues, RootsOfTile};
use crate::engine::arbiter::Decision;
use crate::engine::job::Job;
use crate::engine::tile::Tile;
use crate::pricing::Column;
use crate::program::{Bound, PoolParts};

/// Certified f64 error of the three deciding roots of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Errors {
    /// Of raw equity.
    pub equity: f64,
    /// Of adjusted equity − initial margin.
    pub initial: f64,
    /// Of adjusted equity − maintenance margin.
    pub maintenance: f64,
}

impl Errors {
    /// The errors of a pool; `None` where the bound does not hold and the arbiter must decide everything.
    pub fn of(parts: PoolParts<'_>) -> Option<Self> {
        let [equity, initial, maintenance] =
            parts.pool.magnitudes.map(|magnitude| Bound::F64.error(magnitude, parts.pool.compile_error));
        Some(Self { equity: equity?, initial: initial?, maintenance: maintenance? })
    }
}

/// Decides a pool's verdicts by its f64 program, and asks the arbiter where the bound does not tell. One per worker: it
/// owns the buffers.
pub struct Decider<'j, 'a> {
    job: &'j Job<'a>,
    /// Values of the roots on the tile evaluated last.
    pub roots: RootValues,
    /// The widest vectors of this machine.
    pub arch: Arch,
    decisions: Vec<Decision>,
}

impl<'j, 'a> Decider<'j, 'a> {
    /// A decider with room for the job's tiles.
    pub fn new(job: &'j Job<'a>) -> Self {
        let width = job.plan.tile_scenarios;
        Self { job, roots: RootValues::new(width), arch: Arch::new(), decisions: Vec::with_capacity(width) }
    }

    /// Evaluates every root of a pool on a tile, into `roots`.
    pub fn evaluate(&mut self, parts: PoolParts<'_>, tile: Tile<'_>) {
        RootsOfTile { parts, tile, roots: &mut self.roots }.run(self.arch);
    }

    /// Turns the values evaluated last into decisions; says whether the arbiter was asked.
    pub fn decide_tile(&mut self, pool: usize, tile: Tile<'_>, errors: Errors) -> (&[Decision], Asked) {
        let RootValues { equity, initial, maintenance, .. } = &self.roots;
        let certain = |value: f64, error: f64| value > error || value < -error;
        let mut asked = Asked::Nobody;
        self.decisions.clear();
        self.decisions.extend((0..tile.len).map(|lane| {
            let liquidatable = maintenance[lane] < -errors.maintenance;
            let restricted = liquidatable || initial[lane] < -errors.initial;
            let bankrupt = equity[lane] < -errors.equity;
            let decided = certain(maintenance[lane], errors.maintenance)
                & (liquidatable | certain(initial[lane], errors.initial))
                & certain(equity[lane], errors.equity);
            if decided {
                Decision { restricted, liquidatable, bankrupt }
            } else {
                asked = Asked::Arbiter;
                let pool = self.job.pool(pool);
                self.job.arbiter.decide(&pool, Column::Scenario(tile.first + lane))
            }
        }));
        (&self.decisions, asked)
    }

    /// Decisions of a pool under a range of scenarios.
    pub fn decide(&mut self, pool: usize, parts: PoolParts<'_>, scenarios: Range<usize>) -> Vec<Decision> {
        let Some(errors) = Errors::of(parts) else {
            let pool = self.job.pool(pool);
            return scenarios.map(|scenario| self.job.arbiter.decide(&pool, Column::Scenario(scenario))).collect();
        };
        let mut decisions = Vec::with_capacity(scenarios.len());
        for (tile, lanes) in self.tiles_of(scenarios) {
            self.evaluate(parts, tile);
            decisions.extend_from_slice(&self.decide_tile(pool, tile, errors).0[lanes]);
        }
        decisions
    }

    /// Appends the scenarios of a range whose canonical excess may be the lowest of it: those whose f64 value lies within
    /// the bounds of the lowest.
    pub fn lowest_scenarios(&mut self, parts: PoolParts<'_>, scenarios: Range<usize>, out: &mut Vec<usize>) {
        let Some(errors) = Errors::of(parts) else {
            out.extend(scenarios);
            return;
        };
        let mut values = Vec::with_capacity(scenarios.len());
        for (tile, lanes) in self.tiles_of(scenarios) {
            self.evaluate(parts, tile);
            values.extend(lanes.map(|lane| (tile.first + lane, self.roots.maintenance[lane])));
        }
        let lowest = values.iter().fold(f64::INFINITY, |low, (_, value)| if *value < low { *value } else { low });
        let limit = lowest + 2.0 * (errors.maintenance + 2.0 * parts.pool.compile_error);
        out.extend(values.iter().filter(|(_, value)| *value <= limit || value.is_nan()).map(|(scenario, _)| *scenario));
    }

    /// How many of the roots' values lie below zero under a range of scenarios: initial, maintenance, equity.
    pub fn signs(&mut self, parts: PoolParts<'_>, scenarios: Range<usize>) -> [u32; 3] {
        let mut counts = [0; 3];
        for (tile, lanes) in self.tiles_of(scenarios) {
            self.evaluate(parts, tile);
            for lane in lanes {
                let liquidatable = self.roots.maintenance[lane] < 0.0;
                counts[0] += u32::from(liquidatable || self.roots.initial[lane] < 0.0);
                counts[1] += u32::from(liquidatable);
                counts[2] += u32::from(self.roots.equity[lane] < 0.0);
            }
        }
        counts
    }

    /// Adds the kinks' and nodes' part of a pool's maintenance margin, for a pool that no kernel has summed.
    pub fn add_requirement(&mut self, parts: PoolParts<'_>, total: &mut [f64]) {
        for (tile, lanes) in self.tiles_of(0..total.len()) {
            let total = &mut total[tile.first..tile.first + tile.len];
            for kink in parts.kinks {
                let deltas = &tile.deltas[kink.row as usize * tile.width..][lanes.clone()];
                for (total, delta) in total.iter_mut().zip(deltas) {
                    let reach = kink.offset + kink.slope * delta;
                    *total += kink.requirement * if reach > 0.0 { reach } else { 0.0 };
                }
            }
            if !parts.code.is_empty() {
                self.evaluate(parts, tile);
                total.iter_mut().zip(self.roots.node_requirement()).for_each(|(total, part)| *total += part);
            }
        }
    }

    /// Tiles that hold a range of scenarios, and the lanes of each.
    fn tiles_of(&self, scenarios: Range<usize>) -> Vec<(Tile<'a>, Range<usize>)> {
        let width = self.job.plan.tile_scenarios;
        let tiles = scenarios.start / width..scenarios.end.div_ceil(width);
        let lanes = |tile: Tile<'a>| {
            let (start, end) = (scenarios.start.max(tile.first), scenarios.end.min(tile.first + tile.len));
            (tile, start - tile.first..end - tile.first)
        };
        tiles.map(|index| lanes(self.job.tiles.tile(index))).collect()
    }
}

/// Whether a tile's verdicts needed the arbiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Every verdict was certain.
    Nobody,
    /// At least one was not.
    Arbiter,
}
