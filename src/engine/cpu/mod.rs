//! The CPU engine: rayon over chunks of pools, f64 vectors over scenarios, every verdict certified.

mod kernel;
mod nodes;

use std::ops::Range;

use pulp::Arch;

use super::arbiter::Decision;
use super::chunk::{Chunk, decide_pool};
use super::job::Job;
use super::ledger::{Ledger, Witness};
use super::outcome::Totals;
use super::tally::ScenarioTally;
use super::tile::Tile;
use crate::number::LANES;
use crate::pricing::Column;
use crate::program::{Bound, PoolParts, Program};
use kernel::{LowestOfTile, RootValues, RootsOfTile, gross_of_tile, node_requirement};

/// Certified error of the three deciding roots of a pool.
#[derive(Debug, Clone, Copy)]
struct Errors {
    equity: f64,
    initial: f64,
    maintenance: f64,
}

impl Errors {
    fn of(parts: PoolParts<'_>) -> Option<Self> {
        let [equity, initial, maintenance] =
            parts.pool.magnitudes.map(|magnitude| Bound::F64.error(magnitude, parts.pool.compile_error));
        Some(Self { equity: equity?, initial: initial?, maintenance: maintenance? })
    }
}

/// One worker's view of a chunk while it is swept.
struct ChunkSweep<'j, 'a> {
    job: &'j Job<'a>,
    first_pool: usize,
    program: &'j Program,
    roots: RootValues,
    arch: Arch,
    decisions: Vec<Decision>,
}

/// Sweeps a chunk of pools through every scenario.
pub fn sweep_chunk(job: &Job<'_>, pools: Range<usize>) -> Chunk {
    let program = job.compile(pools.clone());
    let mut chunk = Chunk::new(job, pools.len());
    let mut ledgers: Vec<Ledger> = Vec::with_capacity(pools.len());
    let mut errors: Vec<Option<Errors>> = Vec::with_capacity(pools.len());
    let mut active: Vec<u32> = Vec::with_capacity(pools.len());
    for index in 0..pools.len() {
        let parts = program.parts(index);
        let bound = Errors::of(parts);
        ledgers.push(Ledger::new(bound.map_or(0.0, |error| error.maintenance), parts.pool.compile_error));
        if bound.is_some() && !parts.is_constant() && !job.pool(pools.start + index).unknown {
            active.push(index as u32);
        }
        errors.push(bound);
    }
    let width = job.plan.tile_scenarios;
    let mut sweep = ChunkSweep {
        job,
        first_pool: pools.start,
        program: &program,
        roots: RootValues::new(width),
        arch: Arch::new(),
        decisions: Vec::with_capacity(width),
    };
    let mut requirement = vec![0.0; width];
    let mut lowest = vec![0.0; active.len()];
    for index in 0..job.tiles.len() {
        let tile = job.tiles.tile(index);
        requirement.fill(0.0);
        LowestOfTile { program: &program, active: &active, tile, requirement: &mut requirement, lowest: &mut lowest }
            .run(sweep.arch);
        for (&pool, &lowest) in active.iter().zip(&lowest) {
            let Some(errors) = errors[pool as usize] else { continue };
            sweep.settle_tile((pool, lowest), (index, tile), errors, &mut ledgers[pool as usize], &mut chunk, &mut requirement);
        }
        let total = &mut chunk.requirement[tile.first..tile.first + tile.len];
        total.iter_mut().zip(&requirement).for_each(|(total, part)| *total += part);
    }
    for (index, ledger) in ledgers.into_iter().enumerate() {
        sweep.close_pool(index, ledger, errors[index], &mut chunk);
    }
    chunk.net.clone_from(&program.net);
    chunk
}

impl ChunkSweep<'_, '_> {
    /// Decides a pool's verdicts on a tile, given the lowest maintenance root of its affine part and kinks.
    fn settle_tile(
        &mut self,
        (index, lowest): (u32, f64),
        (tile_index, tile): (usize, Tile<'_>),
        errors: Errors,
        ledger: &mut Ledger,
        chunk: &mut Chunk,
        requirement: &mut [f64],
    ) {
        let parts = self.program.parts(index as usize);
        if parts.code.is_empty() {
            ledger.note_lowest(tile_index, lowest);
            // The initial root is at most `gap` below the maintenance root: nobody is even restricted here.
            if lowest > parts.pool.gap + errors.maintenance + errors.initial {
                return;
            }
        }
        RootsOfTile { parts, tile, roots: &mut self.roots }.run(self.arch);
        if !parts.code.is_empty() {
            let lowest = self.roots.maintenance[..tile.len].iter().copied().fold(f64::INFINITY, lower_or_nan);
            ledger.note_lowest(tile_index, lowest);
            requirement.iter_mut().zip(node_requirement(&self.roots)).for_each(|(total, part)| *total += part);
        }
        self.decide_tile(index as usize, tile, errors, ledger, chunk);
    }

    /// Turns root values into decisions, asks the arbiter where the bound does not tell, counts.
    fn decide_tile(&mut self, index: usize, tile: Tile<'_>, errors: Errors, ledger: &mut Ledger, chunk: &mut Chunk) {
        let RootValues { equity, initial, maintenance, .. } = &self.roots;
        let lanes = 0..tile.len;
        let certain = |value: f64, error: f64| value > error || value < -error;
        let mut all_certain = true;
        let mut any = false;
        self.decisions.clear();
        self.decisions.extend(lanes.clone().map(|lane| {
            let liquidatable = maintenance[lane] < -errors.maintenance;
            let restricted = liquidatable || initial[lane] < -errors.initial;
            let bankrupt = equity[lane] < -errors.equity;
            all_certain &= certain(maintenance[lane], errors.maintenance)
                && (liquidatable || certain(initial[lane], errors.initial))
                && certain(equity[lane], errors.equity);
            any |= restricted;
            Decision { restricted, liquidatable, bankrupt }
        }));
        if !all_certain {
            ledger.redecided = true;
            let pool = self.job.pool(self.first_pool + index);
            for lane in lanes {
                let decided = certain(maintenance[lane], errors.maintenance)
                    && (self.decisions[lane].liquidatable || certain(initial[lane], errors.initial))
                    && certain(equity[lane], errors.equity);
                if !decided {
                    self.decisions[lane] = self.job.arbiter.decide(&pool, Column::Scenario(tile.first + lane));
                    any |= self.decisions[lane].restricted;
                }
            }
        }
        if any {
            let pool = self.job.pool(self.first_pool + index);
            ledger.count(self.job, &pool, tile.first, &self.decisions, &mut chunk.tally);
            if self.job.totals == Totals::Bounded {
                self.add_bounded(index, tile, errors, &mut chunk.tally);
            }
        }
    }

    /// Adds the kernel's own values to the totals that carry a bound.
    fn add_bounded(&mut self, index: usize, tile: Tile<'_>, errors: Errors, tally: &mut [ScenarioTally]) {
        let parts = self.program.parts(index);
        gross_of_tile(parts, tile, &mut self.roots.gross, self.arch);
        for (lane, decision) in self.decisions.iter().enumerate().filter(|(_, decision)| decision.liquidatable) {
            let scenario = &mut tally[tile.first + lane];
            scenario.notional_float += self.roots.gross[lane];
            if decision.bankrupt {
                let shortfall = -self.roots.equity[lane];
                scenario.shortfall_float += if shortfall > 0.0 { shortfall } else { 0.0 };
                // The pool's own error, and the rounding of adding it to at most 2³² others.
                scenario.shortfall_bound += errors.equity + shortfall.abs() * f64::EPSILON * 4.0;
            }
        }
    }

    /// Publishes a pool: its worst scenario among the tiles that may hold it.
    fn close_pool(&mut self, index: usize, mut ledger: Ledger, errors: Option<Errors>, chunk: &mut Chunk) {
        let pool = self.job.pool(self.first_pool + index);
        let parts = self.program.parts(index);
        if pool.unknown {
            chunk.push_unknown();
            return;
        }
        let Some(errors) = errors.filter(|_| !parts.is_constant()) else {
            decide_pool(self.job, &pool, parts.is_constant(), chunk);
            return;
        };
        let limit = ledger.candidate_limit();
        let mut candidates = Vec::new();
        let mut witness = Witness { value: f64::INFINITY, bound: errors.maintenance, ..Witness::default() };
        for tile_index in ledger.candidate_tiles().collect::<Vec<_>>() {
            let tile = self.job.tiles.tile(tile_index);
            RootsOfTile { parts, tile, roots: &mut self.roots }.run(self.arch);
            for (lane, &value) in self.roots.maintenance[..tile.len].iter().enumerate() {
                if value <= limit || value.is_nan() {
                    candidates.push(tile.first + lane);
                }
                if value < witness.value {
                    witness = Witness { scenario: (tile.first + lane) as u32, value, ..witness };
                }
            }
        }
        candidates.sort_unstable();
        chunk.redecided_pools += u64::from(std::mem::take(&mut ledger.redecided));
        chunk.pools.push(ledger.close(self.job, &pool, candidates.into_iter()));
        chunk.witnesses.push(Some(witness).filter(|witness| witness.value.is_finite()));
    }
}

/// The lower of two values; NaN if either is.
fn lower_or_nan(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if b < a {
        b
    } else {
        a
    }
}

// A block of canonical evaluation never straddles a tile.
const _: () = assert!(super::plan::SCENARIO_BLOCK % LANES == 0);
