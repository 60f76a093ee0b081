//! Finds the blocks that matter to a pool, and passes over the rest: where the ranges of the rows say that nobody is restricted
//! and that the worst scenario stands elsewhere, no scenario of a block is evaluated.

use pulp::{Simd, WithSimd};

use super::decider::Errors;
use super::kernel::{UNROLL, lowest_of_block};
use crate::engine::plan::RANGE_BLOCKS;
use crate::engine::tile::{Tile, TileBlock};
use crate::program::{Kink, PoolParts, PoolProgram, Program, Term};

/// Bounds of a root on neighbouring blocks, on cache lines of their own.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct Bounds(pub [f64; RANGE_BLOCKS]);

/// A pool without nodes while it is scanned.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// Position of the pool in the chunk.
    pub pool: u32,
    /// A lower bound, up to rounding, of its maintenance root on each block at hand.
    pub maintenance: Bounds,
    /// The same of its initial root.
    pub initial: Bounds,
    /// Certified errors of its roots.
    pub errors: Errors,
    /// Maintenance roots above this are not even restricted.
    pub quiet: f64,
    /// How far above the lowest root the worst scenario may lie.
    pub slack: f64,
    /// Lowest maintenance root so far.
    pub lowest: f64,
}

impl Watch {
    /// A pool that no block has been evaluated for.
    pub fn new(pool: u32, program: &PoolProgram, errors: Errors, slack: f64) -> Self {
        let none = Bounds([0.0; RANGE_BLOCKS]);
        // The initial root is at most `gap` below the maintenance root.
        let quiet = program.gap + errors.maintenance + errors.initial;
        Self { pool, maintenance: none, initial: none, errors, quiet, slack, lowest: f64::INFINITY }
    }

    /// Whether block `k` of those at hand may hold a restricted verdict.
    ///
    /// A bound is the program at the end of each row's range that is worse, so it is a root of one market more and carries the same
    /// error as a root: a block whose bound exceeds a limit by twice that error holds no root below the limit. A NaN is certain of
    /// nothing.
    #[inline(always)]
    pub fn may_restrict(&self, k: usize) -> bool {
        let maintenance = self.maintenance.0[k] - 2.0 * self.errors.maintenance;
        let initial = self.initial.0[k] - 2.0 * self.errors.initial;
        let is_quiet = maintenance > self.quiet || maintenance > 0.0 && initial > 0.0;
        !is_quiet
    }

    /// Whether the worst scenario certainly stands elsewhere.
    #[inline(always)]
    fn is_worse_elsewhere(&self, k: usize) -> bool {
        self.maintenance.0[k] - 2.0 * self.errors.maintenance > self.lowest + self.slack
    }
}

/// Forms every pool's bounds on [`RANGE_BLOCKS`] blocks of a tile.
pub struct BoundsOfPools<'a> {
    /// The chunk's programs.
    pub program: &'a Program,
    /// The tile.
    pub tile: Tile<'a>,
    /// First block, a multiple of [`RANGE_BLOCKS`].
    pub first: usize,
    /// Receives the bounds.
    pub watches: &'a mut [Watch],
}

impl WithSimd for BoundsOfPools<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { program, tile, first, watches } = self;
        for watch in watches {
            let parts = program.parts(watch.pool as usize);
            watch.maintenance = bounds_of_root(simd, parts, MAINTENANCE, tile, first);
            watch.initial = bounds_of_root(simd, parts, INITIAL, tile, first);
        }
    }
}

/// A root that is bounded: its constant, and its weights in terms and kinks.
struct Root {
    constant: fn(&PoolProgram) -> f64,
    term: fn(&Term) -> f64,
    kink: fn(&Kink) -> f64,
}

const MAINTENANCE: Root =
    Root { constant: |pool| pool.constant.maintenance, term: |term| term.maintenance, kink: |kink| kink.maintenance };
const INITIAL: Root =
    Root { constant: |pool| pool.constant.initial, term: |term| term.initial, kink: |kink| kink.initial };

#[inline(always)]
fn bounds_of_root<S: Simd>(simd: S, parts: PoolParts<'_>, root: Root, tile: Tile<'_>, first: usize) -> Bounds {
    let mut bounds = Bounds([0.0; RANGE_BLOCKS]);
    for start in (0..RANGE_BLOCKS).step_by(UNROLL * S::F64_LANES) {
        let lanes = start..start + UNROLL * S::F64_LANES;
        let mut value = [simd.splat_f64s((root.constant)(parts.pool)); UNROLL];
        for term in parts.terms {
            let weight = (root.term)(term);
            let ends = tile.worse_ends(term.row, weight, first);
            let ends = S::as_simd_f64s(&ends[lanes.clone()]).0;
            for k in 0..UNROLL {
                value[k] = simd.mul_add_e_f64s(simd.splat_f64s(weight), ends[k], value[k]);
            }
        }
        for kink in parts.kinks {
            let (slope, offset) = (simd.splat_f64s(kink.slope), simd.splat_f64s(kink.offset));
            let weight = (root.kink)(kink);
            let ends = tile.worse_ends(kink.row, weight * kink.slope, first);
            let ends = S::as_simd_f64s(&ends[lanes.clone()]).0;
            for k in 0..UNROLL {
                let reach = simd.mul_add_e_f64s(slope, ends[k], offset);
                let reach = simd.max_f64s(reach, simd.splat_f64s(0.0));
                value[k] = simd.mul_add_e_f64s(simd.splat_f64s(weight), reach, value[k]);
            }
        }
        S::as_mut_simd_f64s(&mut bounds.0[lanes]).0.copy_from_slice(&value);
    }
    bounds
}

/// Evaluates the pools to which a block matters, all on the same rows.
pub struct ScanBlock<'a> {
    /// The chunk's programs.
    pub program: &'a Program,
    /// The block.
    pub block: TileBlock<'a>,
    /// Its place among those that the bounds are of.
    pub k: usize,
    /// Pools, whose lowest roots are kept.
    pub watches: &'a mut [Watch],
    /// Receives (position among `watches`, lowest maintenance root on the block).
    pub scanned: &'a mut Vec<(u32, f64)>,
}

impl WithSimd for ScanBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { program, block, k, watches, scanned } = self;
        scanned.clear();
        // A plain loop: closures would not be compiled for the vectors this is dispatched to.
        for (at, watch) in watches.iter_mut().enumerate() {
            if !watch.is_worse_elsewhere(k) || watch.may_restrict(k) {
                let lowest = lowest_of_block(simd, program.parts(watch.pool as usize), block);
                watch.lowest = if lowest < watch.lowest { lowest } else { watch.lowest };
                scanned.push((at as u32, lowest));
            }
        }
    }
}

/// The numbers below `count` from both ends to the middle: the extreme markets first, where most pools are worst.
pub fn from_both_ends(count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| if step % 2 == 0 { step / 2 } else { count - 1 - step / 2 })
}

#[cfg(test)]
mod tests;
