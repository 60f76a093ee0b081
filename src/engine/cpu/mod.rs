//! The CPU engine: rayon over chunks of pools, f64 vectors over the scenarios that matter, every verdict certified.

mod decider;
#[cfg(test)]
mod fixture;
mod kernel;
mod nodes;
mod reduction;
mod scan;

use std::ops::Range;

use super::chunk::{Chunk, decide_constant_pool};
use super::direct;
use super::hinge::{Corner, add_corners};
use super::job::Job;
use super::ledger::{Ledger, Witness};
use super::outcome::Totals;
use super::plan::{RANGE_BLOCKS, SCENARIO_BLOCK};
use super::tile::{Tile, TileBlock};
use super::verdicts::{Verdicts, lanes};
use super::views;
use crate::number::LANES;
use crate::program::{PoolParts, Program};
pub use decider::{Asked, Decider, Errors};
use kernel::GrossOfBlock;
use scan::{BoundsOfPools, ScanBlock, Watch, from_both_ends};

/// Sweeps a chunk of pools through every scenario.
pub fn sweep_chunk(job: &Job<'_>, pools: Range<usize>) -> Chunk {
    let program = job.compile(pools.clone());
    sweep_program(job, pools, &program)
}

/// Sweeps a compiled chunk of pools through every scenario.
pub fn sweep_program(job: &Job<'_>, pools: Range<usize>, program: &Program) -> Chunk {
    let mut chunk = Chunk::new(job, pools.len());
    let mut sweep = ChunkSweep::new(job, pools, program, &mut chunk.corners);
    for index in from_both_ends(job.tiles.len()) {
        sweep.sweep_tile(job.tiles.tile(index), &mut chunk);
    }
    for index in 0..program.pools.len() {
        sweep.close_pool(index, &mut chunk);
    }
    chunk.net.clone_from(&program.net);
    chunk
}

/// Pools that go through the blocks of a tile together: their programs and bounds stay in a core's L2 cache, and so do the rows of a
/// block that they hold.
const SCAN_POOLS: usize = 96;

/// A chunk while it is swept.
struct ChunkSweep<'j, 'a> {
    job: &'j Job<'a>,
    first_pool: usize,
    program: &'j Program,
    decider: Decider<'j, 'a>,
    ledgers: Vec<Ledger>,
    errors: Vec<Option<Errors>>,
    /// Pools without nodes that some scenario changes.
    watches: Vec<Watch>,
    /// Pools with nodes, evaluated under every scenario.
    with_nodes: Vec<u32>,
    /// Nodes' part of the maintenance total on the current tile: `[tile width]`.
    requirement: Vec<f64>,
    /// Pools that were evaluated on the current block.
    scanned: Vec<(u32, f64)>,
}

impl<'j, 'a> ChunkSweep<'j, 'a> {
    fn new(job: &'j Job<'a>, pools: Range<usize>, program: &'j Program, corners: &mut Vec<Corner>) -> Self {
        let errors: Vec<Option<Errors>> = (0..pools.len()).map(|index| Errors::of(program.parts(index))).collect();
        let ledger = |(index, error): (usize, &Option<Errors>)| {
            Ledger::new(error.map_or(0.0, |error| error.maintenance), program.parts(index).pool)
        };
        let ledgers: Vec<Ledger> = errors.iter().enumerate().map(ledger).collect();
        // A pool without a bound is left to the direct formulas, but its kinks and nodes are still part of the maintenance
        // total; a direct pool has no part in it here.
        let is_active = |&index: &usize| {
            let parts = program.parts(index);
            !parts.pool.direct && !parts.is_constant() && !job.pool(pools.start + index).unknown
        };
        let (mut watches, mut with_nodes) = (Vec::new(), Vec::new());
        for index in (0..pools.len()).filter(is_active) {
            let parts = program.parts(index);
            if !parts.code.is_empty() {
                with_nodes.push(index as u32);
            } else if let Some(errors) = errors[index] {
                watches.push(Watch::new(index as u32, parts.pool, errors, ledgers[index].slack()));
            }
            parts.kinks.iter().for_each(|kink| add_corners(job, kink, corners));
        }
        Self {
            job,
            first_pool: pools.start,
            program,
            decider: Decider::new(job),
            ledgers,
            errors,
            watches,
            with_nodes,
            requirement: vec![0.0; job.plan.tile_scenarios],
            scanned: Vec::new(),
        }
    }

    fn sweep_tile(&mut self, tile: Tile<'_>, chunk: &mut Chunk) {
        self.scan_tile(tile, chunk);
        self.requirement.fill(0.0);
        for block in tile.blocks() {
            for at in 0..self.with_nodes.len() {
                let index = self.with_nodes[at] as usize;
                let parts = self.program.parts(index);
                match self.errors[index] {
                    Some(errors) => self.settle_block(index, parts, block, errors, chunk),
                    None => {
                        self.decider.evaluate(parts, block);
                        self.decider.add_nodes_requirement(parts, &mut self.requirement[block.lane..]);
                    }
                }
            }
        }
        let total = &mut chunk.requirement[tile.first..tile.first + tile.len];
        total.iter_mut().zip(&self.requirement).for_each(|(total, part)| *total += part);
    }

    /// Settles the blocks of a tile that matter to pools without nodes.
    fn scan_tile(&mut self, tile: Tile<'_>, chunk: &mut Chunk) {
        let mut watches = std::mem::take(&mut self.watches);
        let n_blocks = tile.len.div_ceil(SCENARIO_BLOCK);
        for together in watches.chunks_mut(SCAN_POOLS) {
            for first in (0..n_blocks).step_by(RANGE_BLOCKS) {
                let bounds = BoundsOfPools { program: self.program, tile, first, watches: together };
                self.decider.arch.dispatch(bounds);
                for k in from_both_ends((n_blocks - first).min(RANGE_BLOCKS)) {
                    let block = TileBlock { tile, lane: (first + k) * SCENARIO_BLOCK };
                    self.scan_block(together, (block, k), chunk);
                }
            }
        }
        self.watches = watches;
    }

    /// Evaluates a block for the pools to which it matters, all on the same rows, and settles it where somebody may be restricted.
    fn scan_block(&mut self, watches: &mut [Watch], (block, k): (TileBlock<'_>, usize), chunk: &mut Chunk) {
        let (program, mut scanned) = (self.program, std::mem::take(&mut self.scanned));
        self.decider.arch.dispatch(ScanBlock { program, block, k, watches, scanned: &mut scanned });
        for &(at, lowest) in &scanned {
            let watch = &watches[at as usize];
            let index = watch.pool as usize;
            self.ledgers[index].note_lowest(block.first(), lowest);
            // A NaN is certain of nothing.
            let is_quiet = lowest > watch.quiet;
            if watch.may_restrict(k) && !is_quiet {
                self.settle_block(index, program.parts(index), block, watch.errors, chunk);
            }
        }
        self.scanned = scanned;
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
            self.decider.add_nodes_requirement(parts, &mut self.requirement[block.lane..]);
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
        let ledger = &mut self.ledgers[index];
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
                    witness = Witness { place: (first + lane) as u32, value, ..witness };
                }
            }
        }
        chunk.redecided_pools += u64::from(ledger.redecided);
        chunk.pools.push(ledger.close(self.job, &pool, candidates));
        chunk.witnesses.push(Some(witness).filter(|witness| witness.value.is_finite()));
    }
}

// Kernels, verdict masks and the canonical evaluator work on the same blocks.
const _: () = assert!(SCENARIO_BLOCK == LANES);
