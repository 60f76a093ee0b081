//! The CPU engine: rayon over chunks of pools, f64 vectors over scenarios, every verdict certified.

mod decider;
mod kernel;
mod nodes;

use std::ops::Range;

use super::chunk::{Chunk, decide_pool};
use super::job::Job;
use super::ledger::{Ledger, Witness};
use super::outcome::Totals;
use super::tile::Tile;
use crate::number::LANES;
use crate::program::{PoolParts, Program};
use decider::Asked;
pub use decider::{Decider, Errors};
use kernel::{LowestOfTile, gross_of_tile};

/// Sweeps a chunk of pools through every scenario.
pub fn sweep_chunk(job: &Job<'_>, pools: Range<usize>) -> Chunk {
    let program = job.compile(pools.clone());
    let mut chunk = Chunk::new(job, pools.len());
    let mut sweep = ChunkSweep::new(job, pools, &program);
    let width = job.plan.tile_scenarios;
    let mut requirement = vec![0.0; width];
    let mut lowest = vec![0.0; sweep.active.len()];
    for index in 0..job.tiles.len() {
        let tile = job.tiles.tile(index);
        requirement.fill(0.0);
        let active = &sweep.active;
        LowestOfTile { program: &program, active, tile, requirement: &mut requirement, lowest: &mut lowest }
            .run(sweep.decider.arch);
        for (at, &lowest) in lowest.iter().enumerate() {
            sweep.settle_tile(sweep.active[at] as usize, lowest, (index, tile), &mut chunk, &mut requirement);
        }
        let total = &mut chunk.requirement[tile.first..tile.first + tile.len];
        total.iter_mut().zip(&requirement).for_each(|(total, part)| *total += part);
    }
    for index in 0..program.pools.len() {
        sweep.close_pool(index, &mut chunk);
    }
    chunk.net.clone_from(&program.net);
    chunk
}

/// A chunk while it is swept.
struct ChunkSweep<'j, 'a> {
    job: &'j Job<'a>,
    first_pool: usize,
    program: &'j Program,
    decider: Decider<'j, 'a>,
    ledgers: Vec<Ledger>,
    errors: Vec<Option<Errors>>,
    /// Pools that the kernel evaluates.
    active: Vec<u32>,
}

impl<'j, 'a> ChunkSweep<'j, 'a> {
    fn new(job: &'j Job<'a>, pools: Range<usize>, program: &'j Program) -> Self {
        let errors: Vec<Option<Errors>> = (0..pools.len()).map(|index| Errors::of(program.parts(index))).collect();
        let is_active = |index: usize| {
            errors[index].is_some() && !program.parts(index).is_constant() && !job.pool(pools.start + index).unknown
        };
        let active = (0..pools.len()).filter(|&index| is_active(index)).map(|index| index as u32).collect();
        let ledger = |(index, error): (usize, &Option<Errors>)| {
            Ledger::new(error.map_or(0.0, |error| error.maintenance), program.parts(index).pool.compile_error)
        };
        let ledgers = errors.iter().enumerate().map(ledger).collect();
        Self { job, first_pool: pools.start, program, decider: Decider::new(job), ledgers, errors, active }
    }

    /// Decides a pool's verdicts on a tile, given the lowest maintenance root of its affine part and kinks.
    fn settle_tile(
        &mut self,
        index: usize,
        lowest: f64,
        (tile_index, tile): (usize, Tile<'_>),
        chunk: &mut Chunk,
        requirement: &mut [f64],
    ) {
        let Some(errors) = self.errors[index] else { return };
        let parts = self.program.parts(index);
        let ledger = &mut self.ledgers[index];
        if parts.code.is_empty() {
            ledger.note_lowest(tile_index, lowest);
            // The initial root is at most `gap` below the maintenance root: nobody is even restricted here.
            if lowest > parts.pool.gap + errors.maintenance + errors.initial {
                return;
            }
        }
        self.decider.evaluate(parts, tile);
        if !parts.code.is_empty() {
            let roots = &self.decider.roots;
            let lowest = roots.maintenance[..tile.len].iter().copied().fold(f64::INFINITY, lower_or_nan);
            ledger.note_lowest(tile_index, lowest);
            requirement.iter_mut().zip(roots.node_requirement()).for_each(|(total, part)| *total += part);
        }
        let pool_index = self.first_pool + index;
        let (decisions, asked) = self.decider.decide_tile(pool_index, tile, errors);
        ledger.redecided |= asked == Asked::Arbiter;
        if decisions.iter().any(|decision| decision.restricted) {
            ledger.count(self.job, &self.job.pool(pool_index), tile.first, decisions, &mut chunk.tally);
            if self.job.totals == Totals::Bounded {
                let decisions = decisions.to_vec();
                self.add_bounded(parts, tile, errors, &decisions, chunk);
            }
        }
    }

    /// Adds the kernel's own values to the totals that carry a bound.
    fn add_bounded(
        &mut self,
        parts: PoolParts<'_>,
        tile: Tile<'_>,
        errors: Errors,
        decisions: &[super::arbiter::Decision],
        chunk: &mut Chunk,
    ) {
        let arch = self.decider.arch;
        let roots = &mut self.decider.roots;
        gross_of_tile(parts, tile, &mut roots.gross, arch);
        for (lane, decision) in decisions.iter().enumerate().filter(|(_, decision)| decision.liquidatable) {
            let scenario = &mut chunk.tally[tile.first + lane];
            scenario.notional_float += roots.gross[lane];
            if decision.bankrupt {
                let shortfall = -roots.equity[lane];
                scenario.shortfall_float += if shortfall > 0.0 { shortfall } else { 0.0 };
                // The pool's own error, and the rounding of adding it to the sum so far.
                scenario.shortfall_bound += errors.equity + scenario.shortfall_float * f64::EPSILON;
            }
        }
    }

    /// Publishes a pool: its worst scenario among the tiles that may hold it.
    fn close_pool(&mut self, index: usize, chunk: &mut Chunk) {
        let pool = self.job.pool(self.first_pool + index);
        let parts = self.program.parts(index);
        if pool.unknown {
            chunk.push_unknown();
            return;
        }
        let Some(errors) = self.errors[index].filter(|_| !parts.is_constant()) else {
            decide_pool(self.job, &pool, parts.is_constant(), chunk);
            return;
        };
        let ledger = &self.ledgers[index];
        let limit = ledger.candidate_limit();
        let mut candidates = Vec::new();
        let mut witness = Witness { value: f64::INFINITY, bound: errors.maintenance, ..Witness::default() };
        for tile_index in ledger.candidate_tiles() {
            let tile = self.job.tiles.tile(tile_index);
            self.decider.evaluate(parts, tile);
            for (lane, &value) in self.decider.roots.maintenance[..tile.len].iter().enumerate() {
                if value <= limit || value.is_nan() {
                    candidates.push(tile.first + lane);
                }
                if value < witness.value {
                    witness = Witness { scenario: (tile.first + lane) as u32, value, ..witness };
                }
            }
        }
        candidates.sort_unstable();
        chunk.redecided_pools += u64::from(ledger.redecided);
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
const _: () = assert!(super::plan::SCENARIO_BLOCK.is_multiple_of(LANES));
