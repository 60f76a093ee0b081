//! A chunk on the host side: compiled, packed, and, once its results are back and checked, settled pool by pool.

use std::ops::Range;

use rayon::prelude::*;

use super::canary::Canaries;
use super::device::GROUP_POOLS;
use super::layout::PoolTile;
use super::pack::{Filter, Packed, RowFacts};
use super::panels::PanelRows;
use super::submission::Readback;
use crate::engine::chunk::{Chunk, decide_constant_pool};
use crate::engine::cpu::{Asked, Decider, Errors};
use crate::engine::direct;
use crate::engine::hinge::add_corners;
use crate::engine::job::Job;
use crate::engine::ledger::{Ledger, Witness};
use crate::engine::outcome::Totals;
use crate::engine::plan::{CANARY_POOLS, DEVICE_TILE_SCENARIOS, SCENARIO_BLOCK};
use crate::program::{PoolParts, Program, UNIT_ROUNDOFF_F32};

/// Pools compiled and settled by one task.
const TASK_POOLS: usize = 256;
/// A pool that does not go to the device: the CPU's kernel evaluates it, or the direct formulas do.
const ON_HOST: u32 = u32::MAX;

/// Some neighbouring pools of a chunk.
struct Task {
    pools: Range<usize>,
    program: Program,
    /// Place of each pool on the device.
    places: Vec<u32>,
}

impl Task {
    /// Compiles and packs some pools; places are counted from the first of them that goes to the device.
    fn new(job: &Job<'_>, pools: Range<usize>, (rows, filter): (RowFacts<'_>, Filter)) -> (Self, Packed) {
        let program = job.compile(pools.clone());
        let mut packed = Packed::default();
        let places = pools.clone().enumerate().map(|(index, pool)| {
            let parts = program.parts(index);
            let place = packed.pools.len() as u32;
            let wanted = !parts.pool.direct && !parts.is_constant() && !job.pool(pool).unknown;
            if wanted && packed.push(parts, rows, filter) { place } else { ON_HOST }
        });
        let places = places.collect();
        (Self { pools, program, places }, packed)
    }
}

/// A chunk ready to submit.
pub struct Prepared {
    tasks: Vec<Task>,
    /// Canaries, then the chunk's pools.
    pub packed: Packed,
}

/// Affine coefficients of all device pools together.
pub struct Net {
    /// Constants of equity, initial, maintenance.
    pub constant: [f64; 3],
    /// Coefficients per row that any of the pools holds.
    pub rows: Vec<(u32, [f64; 3])>,
}

impl Prepared {
    /// Compiles and packs a range of pools.
    pub fn new(
        job: &Job<'_>,
        pools: Range<usize>,
        canaries: &Canaries,
        (rows, filter): (RowFacts<'_>, Filter),
    ) -> Self {
        let starts: Vec<usize> = pools.clone().step_by(TASK_POOLS).collect();
        let tasks = starts.into_par_iter().map(|start| {
            let range = start..(start + TASK_POOLS).min(pools.end);
            Task::new(job, range, (rows, filter))
        });
        let compiled: Vec<(Task, Packed)> = tasks.collect();
        let mut packed = Packed::default();
        // The first workgroup is the canaries'; what they leave free the first of them, a solvent one, fills.
        for place in 0..CANARY_POOLS {
            let canary = if place < canaries.program.pools.len() { place } else { 0 };
            packed.push(canaries.program.parts(canary), rows, Filter::Certified);
        }
        let tasks = compiled.into_iter().map(|(mut task, part)| {
            let first = packed.pools.len() as u32;
            task.places.iter_mut().filter(|place| **place != ON_HOST).for_each(|place| *place += first);
            packed.append(part);
            task
        });
        let tasks = tasks.collect();
        Self { tasks, packed }
    }

    /// Takes every pool off the device.
    #[cfg(test)]
    pub fn leave_to_host(&mut self) {
        self.tasks.iter_mut().for_each(|task| task.places.fill(ON_HOST));
    }

    /// Programs of the device's pools in order, canaries left out.
    pub fn device_parts(&self) -> impl Iterator<Item = PoolParts<'_>> {
        self.tasks.iter().flat_map(|task| {
            let on_device = task.places.iter().enumerate().filter(|(_, place)| **place != ON_HOST);
            on_device.map(|(index, _)| task.program.parts(index))
        })
    }

    /// Affine programs of the device's pools, summed.
    pub fn net(&self) -> Net {
        let n_rows = self.tasks.first().map_or(0, |task| task.program.net.len());
        let mut rows = vec![[0.0; 3]; n_rows];
        let mut constant = [0.0; 3];
        for parts in self.device_parts() {
            let c = parts.pool.constant;
            [c.equity, c.initial, c.maintenance].into_iter().zip(&mut constant).for_each(|(c, sum)| *sum += c);
            for term in parts.terms {
                let sum = &mut rows[term.row as usize];
                [term.equity, term.initial, term.maintenance].into_iter().zip(sum).for_each(|(c, sum)| *sum += c);
            }
        }
        Net { constant, rows: (0u32..).zip(rows).collect() }
    }

    /// Bound on the difference between the device's sums over pools and the net program's value: every pool's own error,
    /// the f32 additions of a group, the f64 additions of the rest.
    pub fn net_bound(&self) -> [f64; 3] {
        let mut bound = [0.0; 3];
        for (sizes, errors) in self.packed.sizes.iter().zip(&self.packed.errors).skip(CANARY_POOLS) {
            for root in 0..3 {
                let additions = 1.001 * f64::from(GROUP_POOLS + 1) * UNIT_ROUNDOFF_F32;
                bound[root] += errors[root] + sizes[root] * (additions + 1e-9);
            }
        }
        bound
    }

    /// Closes every pool of the chunk from results that have passed every check, one readback per panel.
    pub fn settle(&self, job: &Job<'_>, readbacks: &[(&PanelRows, Readback)]) -> Vec<Chunk> {
        let mut chunks: Vec<Chunk> =
            self.tasks.par_iter().map(|task| Settle { job, task, readbacks, packed: &self.packed }.run()).collect();
        if let Some(first) = chunks.first_mut() {
            readbacks.iter().for_each(|(panel, readback)| add_group_sums(job, panel, readback, first));
        }
        chunks
    }
}

/// Adds what the device summed over pools: certain counts, requirements, and with bounded totals the totals.
fn add_group_sums(job: &Job<'_>, panel: &PanelRows, readback: &Readback, chunk: &mut Chunk) {
    let width = panel.tile_count() * DEVICE_TILE_SCENARIOS;
    let first = panel.first_tile * DEVICE_TILE_SCENARIOS;
    for group in readback.group_scenarios.chunks_exact(width).skip(CANARY_POOLS / GROUP_POOLS as usize) {
        for (scenario, part) in group[..panel.scenario_count].iter().enumerate() {
            chunk.requirement[first + scenario] += f64::from(part.requirement);
            let tally = &mut chunk.tally[first + scenario];
            tally.restricted += part.restricted;
            tally.liquidatable += part.liquidatable;
            tally.bankrupt += part.bankrupt;
            if job.totals == Totals::Bounded {
                let (shortfall, error) = (f64::from(part.shortfall), f64::from(part.shortfall_error));
                tally.shortfall_float += shortfall;
                tally.notional_float += f64::from(part.gross);
                let additions = 1.001 * f64::from(GROUP_POOLS + 1) * UNIT_ROUNDOFF_F32;
                tally.shortfall_bound += error * (1.0 + additions) + additions * (shortfall + error);
            }
        }
    }
}

/// Settles one task's pools.
struct Settle<'s, 'j> {
    job: &'s Job<'j>,
    task: &'s Task,
    readbacks: &'s [(&'s PanelRows, Readback)],
    packed: &'s Packed,
}

impl Settle<'_, '_> {
    fn run(&self) -> Chunk {
        let mut chunk = Chunk::new(self.job, self.task.pools.len());
        let mut decider = Decider::new(self.job);
        for (index, pool_index) in self.task.pools.clone().enumerate() {
            let pool = self.job.pool(pool_index);
            let parts = self.task.program.parts(index);
            if pool.unknown {
                chunk.push_unknown();
            } else if parts.is_constant() {
                decide_constant_pool(self.job, &pool, parts.pool, &mut chunk);
            } else if self.task.places[index] == ON_HOST {
                self.settle_on_host(index, pool_index, &mut decider, &mut chunk);
            } else {
                self.settle_pool(index, pool_index, &mut decider, &mut chunk);
            }
        }
        chunk.net.clone_from(&self.task.program.net);
        chunk
    }

    /// A pool that the device has not seen. No totals of a device hold it, so its own are canonical.
    fn settle_on_host(&self, index: usize, pool_index: usize, decider: &mut Decider<'_, '_>, chunk: &mut Chunk) {
        let (job, parts) = (self.job, self.task.program.parts(index));
        let pool = job.pool(pool_index);
        let blocks = || job.tiles.blocks();
        if !parts.pool.direct {
            parts.kinks.iter().for_each(|kink| add_corners(job, kink, &mut chunk.corners));
        }
        let Some(errors) = Errors::of(parts) else {
            direct::decide_pool(job, &pool, parts.pool, chunk);
            // Of a direct pool, the direct formulas have added it.
            for block in blocks().filter(|_| !parts.pool.direct) {
                let first = block.first();
                decider.evaluate(parts, block);
                decider.add_nodes_requirement(parts, &mut chunk.requirement[first..first + block.len()]);
            }
            return;
        };
        let mut ledger = Ledger::new(errors.maintenance, parts.pool);
        for block in blocks() {
            let first = block.first();
            decider.evaluate(parts, block);
            decider.add_nodes_requirement(parts, &mut chunk.requirement[first..first + block.len()]);
            let (verdicts, asked) = decider.judge(pool_index, block, errors);
            ledger.redecided |= asked == Asked::Arbiter;
            ledger.note_lowest(first, decider.lowest(block));
            ledger.count(job, &pool, (first, verdicts), Totals::Exact, &mut chunk.tally);
        }
        let mut candidates = Vec::new();
        decider.lowest_scenarios(parts, ledger.candidates().map(|first| job.tiles.block(first)), &mut candidates);
        chunk.redecided_pools += u64::from(ledger.redecided);
        chunk.pools.push(ledger.close(job, &pool, candidates));
        chunk.witnesses.push(None);
    }

    fn settle_pool(&self, index: usize, pool_index: usize, decider: &mut Decider<'_, '_>, chunk: &mut Chunk) {
        let (job, parts) = (self.job, self.task.program.parts(index));
        let pool = job.pool(pool_index);
        let place = self.task.places[index];
        let error = self.packed.errors[place as usize][2];
        let mut ledger = Ledger::new(error, parts.pool);
        for (panel, readback) in self.readbacks {
            for tile in 0..panel.tile_count() {
                let result = readback.pool_tiles[place as usize * panel.tile_count() + tile];
                ledger.note_lowest(self.scenarios(panel, tile).start, lowest_of(result).unwrap_or(f64::NAN));
                let [restricted, liquidatable, bankrupt] = result.certain_counts();
                ledger.add_counts(restricted, liquidatable, bankrupt);
                let uncertain = result.verdict_counts()[1] > 0;
                if uncertain || bankrupt > 0 || (job.totals == Totals::Exact && liquidatable > 0) {
                    let listed = if uncertain { uncertain_of(readback, place, tile) } else { &[] };
                    let first = panel.first_tile * DEVICE_TILE_SCENARIOS;
                    for start in self.scenarios(panel, tile).step_by(SCENARIO_BLOCK) {
                        let verdicts = decider.decide(pool_index, parts, job.tiles.block(start));
                        ledger.settle(job, &pool, (start, verdicts), job.totals, &mut chunk.tally);
                        let here = start..start + SCENARIO_BLOCK;
                        let left_out = listed.iter().map(|verdict| first + verdict.scenario as usize);
                        for scenario in left_out.filter(|scenario| here.contains(scenario)) {
                            let decision = verdicts.at(scenario - start);
                            ledger.count_left_out(job, &pool, scenario, decision, &mut chunk.tally);
                        }
                    }
                }
            }
        }
        let (candidates, witness) = self.candidates(place, parts, &ledger, decider);
        chunk.redecided_pools += u64::from(ledger.redecided);
        chunk.pools.push(ledger.close(job, &pool, candidates));
        chunk.witnesses.push(witness);
    }

    fn scenarios(&self, panel: &PanelRows, tile: usize) -> Range<usize> {
        let start = (panel.first_tile + tile) * DEVICE_TILE_SCENARIOS;
        start..start + panel.tile_len(tile)
    }

    /// Scenarios that may be the worst, ascending, and the device's own word on the lowest.
    fn candidates(
        &self,
        place: u32,
        parts: PoolParts<'_>,
        ledger: &Ledger,
        decider: &mut Decider<'_, '_>,
    ) -> (Vec<usize>, Option<Witness>) {
        let mut candidates = Vec::new();
        let mut witness: Option<Witness> = None;
        let mut tiles: Vec<usize> = ledger.candidates().map(|first| first / DEVICE_TILE_SCENARIOS).collect();
        tiles.sort_unstable();
        for (panel, readback) in self.readbacks {
            let here = panel.first_tile..panel.first_tile + panel.tile_count();
            for &tile in tiles.iter().filter(|tile| here.contains(tile)) {
                let local = tile - panel.first_tile;
                let result = readback.pool_tiles[place as usize * panel.tile_count() + local];
                let scenario = panel.first_tile * DEVICE_TILE_SCENARIOS + result.lowest_scenario as usize;
                let lowest = lowest_of(result);
                if let Some(value) = lowest.filter(|value| witness.is_none_or(|witness| *value < witness.value)) {
                    let bound = self.packed.errors[place as usize][2];
                    witness = Some(Witness { place: scenario as u32, value, bound });
                }
                if lowest.is_some() && f64::from(result.second_lowest) > ledger.candidate_limit() {
                    candidates.push(scenario);
                } else {
                    let starts = self.scenarios(panel, local).step_by(SCENARIO_BLOCK);
                    decider.lowest_scenarios(parts, starts.map(|start| self.job.tiles.block(start)), &mut candidates);
                }
            }
        }
        (candidates, witness)
    }
}

/// The device's lowest value; `None` where an uncertain branch may hide anything.
fn lowest_of(result: PoolTile) -> Option<f64> {
    (result.lowest > -1e38).then(|| f64::from(result.lowest))
}

/// The uncertain verdicts of a pool on a tile of the panel.
fn uncertain_of(readback: &Readback, place: u32, tile: usize) -> &[super::layout::UncertainVerdict] {
    let list = &readback.uncertain;
    let bound =
        |scenario: usize| list.partition_point(|verdict| (verdict.pool, verdict.scenario as usize) < (place, scenario));
    &list[bound(tile * DEVICE_TILE_SCENARIOS)..bound((tile + 1) * DEVICE_TILE_SCENARIOS)]
}
