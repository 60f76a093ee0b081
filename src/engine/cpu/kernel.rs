//! The CPU twin of `shaders/sweep.wgsl`: a pool's program over blocks of scenarios, in f64 vectors. Dispatched to
//! the widest instruction set the machine has.

use pulp::{Arch, Simd, WithSimd};

use super::nodes::{NodeValues, evaluate_nodes};
use super::reduction::Points;
use crate::engine::plan::SCENARIO_BLOCK;
use crate::engine::tile::TileBlock;
use crate::program::PoolParts;

/// Vectors that stay in registers at once: enough to hide the latency of a fused multiply-add.
pub const UNROLL: usize = 4;

/// Values of a pool's roots under a block of scenarios.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct RootValues {
    /// Raw equity.
    pub equity: [f64; SCENARIO_BLOCK],
    /// Adjusted equity − initial margin; NaN where a node's branch is uncertain.
    pub initial: [f64; SCENARIO_BLOCK],
    /// Adjusted equity − maintenance margin; NaN where a node's branch is uncertain.
    pub maintenance: [f64; SCENARIO_BLOCK],
    /// What the nodes add.
    pub nodes: NodeValues,
}

impl Default for RootValues {
    fn default() -> Self {
        let zeros = [0.0; SCENARIO_BLOCK];
        Self { equity: zeros, initial: zeros, maintenance: zeros, nodes: NodeValues::default() }
    }
}

/// The lowest maintenance root of a pool without nodes on a block.
#[inline(always)]
pub fn lowest_of_block<S: Simd>(simd: S, parts: PoolParts<'_>, block: TileBlock<'_>) -> f64 {
    let mut lowest = simd.splat_f64s(f64::INFINITY);
    for start in (0..SCENARIO_BLOCK).step_by(UNROLL * S::F64_LANES) {
        let mut value = [simd.splat_f64s(parts.pool.constant.maintenance); UNROLL];
        for term in parts.terms {
            let coefficient = simd.splat_f64s(term.maintenance);
            let deltas = vectors::<S>(block, term.row, start);
            for k in 0..UNROLL {
                value[k] = simd.mul_add_e_f64s(coefficient, deltas[k], value[k]);
            }
        }
        for kink in parts.kinks {
            let (slope, offset) = (simd.splat_f64s(kink.slope), simd.splat_f64s(kink.offset));
            let weight = simd.splat_f64s(kink.maintenance);
            let deltas = vectors::<S>(block, kink.row, start);
            for k in 0..UNROLL {
                let reach = simd.mul_add_e_f64s(slope, deltas[k], offset);
                let reach = simd.max_f64s(reach, simd.splat_f64s(0.0));
                value[k] = simd.mul_add_e_f64s(weight, reach, value[k]);
            }
        }
        let low = simd.min_f64s(simd.min_f64s(value[0], value[1]), simd.min_f64s(value[2], value[3]));
        lowest = simd.min_f64s(lowest, low);
    }
    simd.reduce_min_f64s(lowest)
}

/// Evaluates every root of one pool on a block.
pub struct RootsOfBlock<'a> {
    /// The pool's program.
    pub parts: PoolParts<'a>,
    /// The block.
    pub block: TileBlock<'a>,
    /// Room for the points of reductions.
    pub points: &'a mut Points,
    /// Receives the values.
    pub roots: &'a mut RootValues,
}

impl RootsOfBlock<'_> {
    /// Runs on the widest vectors.
    pub fn run(self, arch: Arch) {
        arch.dispatch(self);
    }
}

impl WithSimd for RootsOfBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (parts, block, roots) = (self.parts, self.block, self.roots);
        if !parts.code.is_empty() {
            evaluate_nodes(simd, parts.code, block, self.points, &mut roots.nodes);
        }
        let constant = parts.pool.constant;
        for start in (0..SCENARIO_BLOCK).step_by(UNROLL * S::F64_LANES) {
            let lanes = start..start + UNROLL * S::F64_LANES;
            let mut equity = [simd.splat_f64s(constant.equity); UNROLL];
            let mut initial = [simd.splat_f64s(constant.initial); UNROLL];
            let mut maintenance = [simd.splat_f64s(constant.maintenance); UNROLL];
            if !parts.code.is_empty() {
                let nodes = S::as_simd_f64s(&roots.nodes.initial[lanes.clone()]).0;
                initial.iter_mut().zip(nodes).for_each(|(sum, node)| *sum = simd.add_f64s(*sum, *node));
                let nodes = S::as_simd_f64s(&roots.nodes.maintenance[lanes.clone()]).0;
                maintenance.iter_mut().zip(nodes).for_each(|(sum, node)| *sum = simd.add_f64s(*sum, *node));
            }
            for term in parts.terms {
                let deltas = vectors::<S>(block, term.row, start);
                for k in 0..UNROLL {
                    equity[k] = simd.mul_add_e_f64s(simd.splat_f64s(term.equity), deltas[k], equity[k]);
                    initial[k] = simd.mul_add_e_f64s(simd.splat_f64s(term.initial), deltas[k], initial[k]);
                    maintenance[k] = simd.mul_add_e_f64s(simd.splat_f64s(term.maintenance), deltas[k], maintenance[k]);
                }
            }
            for kink in parts.kinks {
                let deltas = vectors::<S>(block, kink.row, start);
                let (slope, offset) = (simd.splat_f64s(kink.slope), simd.splat_f64s(kink.offset));
                for k in 0..UNROLL {
                    let reach = simd.mul_add_e_f64s(slope, deltas[k], offset);
                    let reach = simd.max_f64s(reach, simd.splat_f64s(0.0));
                    initial[k] = simd.mul_add_e_f64s(simd.splat_f64s(kink.initial), reach, initial[k]);
                    maintenance[k] = simd.mul_add_e_f64s(simd.splat_f64s(kink.maintenance), reach, maintenance[k]);
                }
            }
            S::as_mut_simd_f64s(&mut roots.equity[lanes.clone()]).0.copy_from_slice(&equity);
            S::as_mut_simd_f64s(&mut roots.initial[lanes.clone()]).0.copy_from_slice(&initial);
            S::as_mut_simd_f64s(&mut roots.maintenance[lanes]).0.copy_from_slice(&maintenance);
        }
    }
}

/// Gross notional of one pool on a block; wanted only where something is liquidatable and totals are bounded.
pub struct GrossOfBlock<'a> {
    /// The pool's program.
    pub parts: PoolParts<'a>,
    /// The block.
    pub block: TileBlock<'a>,
}

impl WithSimd for GrossOfBlock<'_> {
    type Output = [f64; SCENARIO_BLOCK];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { parts, block } = self;
        let mut gross = [0.0; SCENARIO_BLOCK];
        for start in (0..SCENARIO_BLOCK).step_by(UNROLL * S::F64_LANES) {
            let mut sum = [simd.splat_f64s(parts.pool.constant.gross); UNROLL];
            for (term, &coefficient) in parts.terms.iter().zip(parts.gross) {
                let coefficient = simd.splat_f64s(coefficient);
                let deltas = vectors::<S>(block, term.row, start);
                for k in 0..UNROLL {
                    sum[k] = simd.mul_add_e_f64s(coefficient, deltas[k], sum[k]);
                }
            }
            let lanes = start..start + UNROLL * S::F64_LANES;
            S::as_mut_simd_f64s(&mut gross[lanes]).0.copy_from_slice(&sum);
        }
        gross
    }
}

/// The vectors of a row from lane `start` of the block on.
#[inline(always)]
pub fn vectors<S: Simd>(block: TileBlock<'_>, row: u32, start: usize) -> &[S::f64s] {
    S::as_simd_f64s(&block.deltas(row)[start..start + UNROLL * S::F64_LANES]).0
}
