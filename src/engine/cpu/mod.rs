//! The CPU engine: rayon over chunks of pools, f64 vectors over scenarios, every verdict certified.

mod decider;
mod kernel;
mod nodes;
mod reduction;

use std::ops::Range;

use super::chunk::{Chunk, decide_constant_pool};
use super::direct;
use super::job::Job;
use super::ledger::{Ledger, Witness};
use super::outcome::Totals;
use super::plan::SCENARIO_BLOCK;
use super::tile::{Tile, TileBlock};
use super::verdicts::{Verdicts, lanes};
use super::views;
use crate::number::LANES;
use crate::program::{PoolParts, Program};
pub use decider::{Asked, Decider, Errors};
use kernel::{GrossOfBlock, LowestOfBlocks};

/// Sweeps a chunk of pools through every scenario.
pub fn sweep_chunk(job: &Job<'_>, pools: Range<usize>) -> Chunk {
    let program = job.compile(pools.clone());
    sweep_program(job, pools, &program)
}

/// Sweeps a compiled chunk of pools through every scenario.
pub fn sweep_program(job: &Job<'_>, pools: Range<usize>, program: &Program) -> Chunk {
    let mut chunk = Chunk::new(job, pools.len());
    let mut sweep = ChunkSweep::new(job, pools, program);
    for index in 0..job.tiles.len() {
        sweep.sweep_tile(job.tiles.tile(index), &mut chunk);
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
    /// Pools that the kernel evaluates: those that some scenario changes.
    active: Vec<u32>,
    /// Kinks' and nodes' part of the maintenance total on the current tile: `[tile width]`.
    requirement: Vec<f64>,
    /// Lowest maintenance roots on the current tile: `[n_active × n_blocks]`.
    lowest: Vec<f64>,
}

impl<'j, 'a> ChunkSweep<'j, 'a> {
    fn new(job: &'j Job<'a>, pools: Range<usize>, program: &'j Program) -> Self {
        let errors: Vec<Option<Errors>> = (0..pools.len()).map(|index| Errors::of(program.parts(index))).collect();
        // A pool without a bound is left to the direct formulas, but its kinks and nodes are still part of the maintenance
        // total; a direct pool has no part in it here.
        let is_active = |index: usize| {
            let parts = program.parts(index);
            !parts.pool.direct && !parts.is_constant() && !job.pool(pools.start + index).unknown
        };
        let active: Vec<u32> = (0..pools.len()).filter(|&index| is_active(index)).map(|index| index as u32).collect();
        let ledger = |(index, error): (usize, &Option<Errors>)| {
            Ledger::new(error.map_or(0.0, |error| error.maintenance), program.parts(index).pool)
        };
        let ledgers = errors.iter().enumerate().map(ledger).collect();
        let width = job.plan.tile_scenarios;
        Self {
            job,
            first_pool: pools.start,
            program,
            decider: Decider::new(job),
            ledgers,
            errors,
            requirement: vec![0.0; width],
            lowest: vec![0.0; active.len() * width / SCENARIO_BLOCK],
            active,
        }
    }

    fn sweep_tile(&mut self, tile: Tile<'_>, chunk: &mut Chunk) {
        let n_blocks = tile.len.div_ceil(SCENARIO_BLOCK);
        self.requirement.fill(0.0);
        LowestOfBlocks {
            program: self.program,
            active: &self.active,
            tile,
            requirement: &mut self.requirement,
            lowest: &mut self.lowest[..self.active.len() * n_blocks],
        }
        .run(self.decider.arch);
        for at in 0..self.active.len() {
            let index = self.active[at] as usize;
            let parts = self.program.parts(index);
            let Some(errors) = self.errors[index] else {
                if !parts.code.is_empty() {
                    tile.blocks().for_each(|block| {
                        self.decider.add_requirement(parts, block, &mut self.requirement[block.lane..])
                    });
                }
                continue;
            };
            // The initial root is at most `gap` below the maintenance root: above this, nobody is even restricted.
            let quiet = parts.pool.gap + errors.maintenance + errors.initial;
            for (k, block) in tile.blocks().enumerate() {
                let lowest = self.lowest[at * n_blocks + k];
                if parts.code.is_empty() {
                    self.ledgers[index].note_lowest(block.first(), lowest);
                }
                if lowest <= quiet || lowest.is_nan() {
                    self.settle_block(index, parts, block, errors, chunk);
                }
            }
        }
        let total = &mut chunk.requirement[tile.first..tile.first + tile.len];
        total.iter_mut().zip(&self.requirement).for_each(|(total, part)| *total += part);
    }

    /// Decides and counts a pool's verdicts on a block.
    fn settle_block(
        &mut self,
        index: usize,
        parts: PoolParts<'_>,
        block: TileBlock<'_>,
        errors: Errors,
        chunk: &mut Chunk,
    ) {
        self.decider.evaluate(parts, block);
        let ledger = &mut self.ledgers[index];
        if !parts.code.is_empty() {
            ledger.note_lowest(block.first(), self.decider.lowest(block));
            self.decider.add_evaluated_requirement(parts, block, &mut self.requirement[block.lane..]);
        }
        let pool_index = self.first_pool + index;
        let (verdicts, asked) = self.decider.judge(pool_index, block, errors);
        ledger.redecided |= asked == Asked::Arbiter;
        if verdicts.restricted != 0 {
            let pool = self.job.pool(pool_index);
            ledger.count(self.job, &pool, (block.first(), verdicts), self.job.totals, &mut chunk.tally);
            views::compare(self.job, &pool, (block.first(), verdicts), &mut chunk.views);
            if self.job.totals == Totals::Bounded && verdicts.liquidatable != 0 {
                self.add_bounded(parts, block, errors, verdicts, chunk);
            }
        }
    }

    /// Adds the kernel's own values to the totals that carry a bound.
    fn add_bounded(
        &self,
        parts: PoolParts<'_>,
        block: TileBlock<'_>,
        errors: Errors,
        verdicts: Verdicts,
        chunk: &mut Chunk,
    ) {
        let gross = self.decider.arch.dispatch(GrossOfBlock { parts, block });
        for lane in lanes(verdicts.liquidatable) {
            let scenario = &mut chunk.tally[block.first() + lane];
            scenario.notional_float += gross[lane];
            if verdicts.bankrupt >> lane & 1 == 1 {
                let shortfall = -self.decider.roots.equity[lane];
                scenario.shortfall_float += if shortfall > 0.0 { shortfall } else { 0.0 };
                // The pool's own error, and the rounding of adding it to the sum so far.
                scenario.shortfall_bound += errors.equity + scenario.shortfall_float * f64::EPSILON;
            }
        }
    }

    /// Publishes a pool: its worst scenario among the blocks that may hold it.
    fn close_pool(&mut self, index: usize, chunk: &mut Chunk) {
        let pool = self.job.pool(self.first_pool + index);
        let parts = self.program.parts(index);
        if pool.unknown {
            chunk.push_unknown();
            return;
        }
        if parts.is_constant() {
            decide_constant_pool(self.job, &pool, parts.pool, chunk);
            return;
        }
        let Some(errors) = self.errors[index] else {
            direct::decide_pool(self.job, &pool, parts.pool, chunk);
            return;
        };
        let ledger = &self.ledgers[index];
        let limit = ledger.candidate_limit();
        let mut candidates = Vec::new();
        let mut witness = Witness { value: f64::INFINITY, bound: errors.maintenance, ..Witness::default() };
        for first in ledger.candidates() {
            let block = self.job.tiles.block(first);
            self.decider.evaluate(parts, block);
            for (lane, &value) in self.decider.roots.maintenance[..block.len()].iter().enumerate() {
                if value <= limit || value.is_nan() {
                    candidates.push(first + lane);
                }
                if value < witness.value {
                    witness = Witness { scenario: (first + lane) as u32, value, ..witness };
                }
            }
        }
        candidates.sort_unstable();
        chunk.redecided_pools += u64::from(ledger.redecided);
        chunk.pools.push(ledger.close(self.job, &pool, candidates.into_iter()));
        chunk.witnesses.push(Some(witness).filter(|witness| witness.value.is_finite()));
    }
}

// Kernels, verdict masks and the canonical evaluator work on the same blocks.
const _: () = assert!(SCENARIO_BLOCK == LANES);
