//! The CPU twin of `shaders/sweep.wgsl`: a pool's affine part and kinks over a tile of scenarios, in f64 vectors.
//! Dispatched once per chunk and tile to the widest instruction set the machine has.

use pulp::{Arch, Simd, WithSimd};

use super::nodes::{NodeValues, evaluate_nodes};
use crate::engine::tile::Tile;
use crate::program::{PoolParts, Program};

/// Vectors that stay in registers at once: enough to hide the latency of a fused multiply-add.
const UNROLL: usize = 4;

/// Values of a pool's roots under the scenarios of a tile: `[tile width]` each.
#[derive(Debug, Clone, Default)]
pub struct RootValues {
    /// Raw equity.
    pub equity: Vec<f64>,
    /// Adjusted equity − initial margin; NaN where a node's branch is uncertain.
    pub initial: Vec<f64>,
    /// Adjusted equity − maintenance margin; NaN where a node's branch is uncertain.
    pub maintenance: Vec<f64>,
    /// Gross notional.
    pub gross: Vec<f64>,
    nodes: NodeValues,
}

impl RootValues {
    /// Room for tiles of this width.
    pub fn new(width: usize) -> Self {
        let zeros = vec![0.0; width];
        Self {
            equity: zeros.clone(),
            initial: zeros.clone(),
            maintenance: zeros.clone(),
            gross: zeros,
            nodes: NodeValues::new(width),
        }
    }

    /// Nodes' part of the maintenance margin of the pool evaluated last, if it has code.
    pub fn node_requirement(&self) -> &[f64] {
        &self.nodes.requirement
    }
}

/// Finds the lowest maintenance root of each pool on a tile, and adds the kinks' part of the maintenance total.
pub struct LowestOfTile<'a> {
    /// The chunk's programs.
    pub program: &'a Program,
    /// Pools to evaluate, by position in the chunk.
    pub active: &'a [u32],
    /// The tile.
    pub tile: Tile<'a>,
    /// Receives Σ of the kinks' maintenance requirement per scenario: `[tile width]`.
    pub requirement: &'a mut [f64],
    /// Receives the lowest value of each active pool: `[active]`.
    pub lowest: &'a mut [f64],
}

impl LowestOfTile<'_> {
    /// Runs on the widest vectors.
    pub fn run(self, arch: Arch) {
        arch.dispatch(self);
    }
}

impl WithSimd for LowestOfTile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (&pool, lowest) in self.active.iter().zip(self.lowest) {
            let parts = self.program.parts(pool as usize);
            *lowest = lowest_of_pool(simd, parts, self.tile, self.requirement);
        }
    }
}

#[inline(always)]
fn lowest_of_pool<S: Simd>(simd: S, parts: PoolParts<'_>, tile: Tile<'_>, requirement: &mut [f64]) -> f64 {
    let step = UNROLL * S::F64_LANES;
    let mut lowest = [simd.splat_f64s(f64::INFINITY); UNROLL];
    for start in (0..tile.width).step_by(step) {
        let mut value = [simd.splat_f64s(parts.pool.constant.maintenance); UNROLL];
        for term in parts.terms {
            let coefficient = simd.splat_f64s(term.maintenance);
            let deltas = vectors::<S>(tile, term.row, start);
            for k in 0..UNROLL {
                value[k] = simd.mul_add_e_f64s(coefficient, deltas[k], value[k]);
            }
        }
        for kink in parts.kinks {
            let (slope, offset) = (simd.splat_f64s(kink.slope), simd.splat_f64s(kink.offset));
            let (weight, required) = (simd.splat_f64s(kink.maintenance), simd.splat_f64s(kink.requirement));
            let deltas = vectors::<S>(tile, kink.row, start);
            let (total, _) = S::as_mut_simd_f64s(&mut requirement[start..start + step]);
            for k in 0..UNROLL {
                let reach = simd.mul_add_e_f64s(slope, deltas[k], offset);
                let reach = simd.max_f64s(reach, simd.splat_f64s(0.0));
                value[k] = simd.mul_add_e_f64s(weight, reach, value[k]);
                total[k] = simd.mul_add_e_f64s(required, reach, total[k]);
            }
        }
        for k in 0..UNROLL {
            lowest[k] = simd.min_f64s(lowest[k], value[k]);
        }
    }
    let all = lowest.into_iter().reduce(|a, b| simd.min_f64s(a, b));
    all.map_or(f64::INFINITY, |all| simd.reduce_min_f64s(all))
}

/// Evaluates every root of one pool on a tile.
pub struct RootsOfTile<'a> {
    /// The pool's program.
    pub parts: PoolParts<'a>,
    /// The tile.
    pub tile: Tile<'a>,
    /// Receives the values.
    pub roots: &'a mut RootValues,
}

impl RootsOfTile<'_> {
    /// Runs on the widest vectors.
    pub fn run(self, arch: Arch) {
        if !self.parts.code.is_empty() {
            let nodes = &mut self.roots.nodes;
            arch.dispatch(|| evaluate_nodes(self.parts.code, self.tile, nodes));
        }
        arch.dispatch(self);
    }
}

impl WithSimd for RootsOfTile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (parts, tile, step) = (self.parts, self.tile, UNROLL * S::F64_LANES);
        let constant = parts.pool.constant;
        for start in (0..tile.width).step_by(step) {
            let block = start..start + step;
            let mut equity = [simd.splat_f64s(constant.equity); UNROLL];
            let mut initial = [simd.splat_f64s(constant.initial); UNROLL];
            let mut maintenance = [simd.splat_f64s(constant.maintenance); UNROLL];
            if !parts.code.is_empty() {
                initial.copy_from_slice(S::as_simd_f64s(&self.roots.nodes.initial[block.clone()]).0);
                maintenance.copy_from_slice(S::as_simd_f64s(&self.roots.nodes.maintenance[block.clone()]).0);
                for k in 0..UNROLL {
                    initial[k] = simd.add_f64s(initial[k], simd.splat_f64s(constant.initial));
                    maintenance[k] = simd.add_f64s(maintenance[k], simd.splat_f64s(constant.maintenance));
                }
            }
            for term in parts.terms {
                let deltas = vectors::<S>(tile, term.row, start);
                for k in 0..UNROLL {
                    equity[k] = simd.mul_add_e_f64s(simd.splat_f64s(term.equity), deltas[k], equity[k]);
                    initial[k] = simd.mul_add_e_f64s(simd.splat_f64s(term.initial), deltas[k], initial[k]);
                    maintenance[k] = simd.mul_add_e_f64s(simd.splat_f64s(term.maintenance), deltas[k], maintenance[k]);
                }
            }
            for kink in parts.kinks {
                let deltas = vectors::<S>(tile, kink.row, start);
                let (slope, offset) = (simd.splat_f64s(kink.slope), simd.splat_f64s(kink.offset));
                for k in 0..UNROLL {
                    let reach = simd.mul_add_e_f64s(slope, deltas[k], offset);
                    let reach = simd.max_f64s(reach, simd.splat_f64s(0.0));
                    initial[k] = simd.mul_add_e_f64s(simd.splat_f64s(kink.initial), reach, initial[k]);
                    maintenance[k] = simd.mul_add_e_f64s(simd.splat_f64s(kink.maintenance), reach, maintenance[k]);
                }
            }
            S::as_mut_simd_f64s(&mut self.roots.equity[block.clone()]).0.copy_from_slice(&equity);
            S::as_mut_simd_f64s(&mut self.roots.initial[block.clone()]).0.copy_from_slice(&initial);
            S::as_mut_simd_f64s(&mut self.roots.maintenance[block]).0.copy_from_slice(&maintenance);
        }
    }
}

/// Evaluates gross notional of one pool on a tile; wanted only where something is liquidatable and totals are bounded.
pub fn gross_of_tile(parts: PoolParts<'_>, tile: Tile<'_>, gross: &mut [f64], arch: Arch) {
    arch.dispatch(|| {
        gross.fill(parts.pool.constant.gross);
        for (term, &coefficient) in parts.terms.iter().zip(parts.gross) {
            let deltas = &tile.deltas[term.row as usize * tile.width..][..tile.width];
            gross.iter_mut().zip(deltas).for_each(|(value, delta)| *value += coefficient * delta);
        }
    });
}

/// The vectors of a row from `start` on.
#[inline(always)]
fn vectors<S: Simd>(tile: Tile<'_>, row: u32, start: usize) -> &[S::f64s] {
    let from = row as usize * tile.width + start;
    S::as_simd_f64s(&tile.deltas[from..from + UNROLL * S::F64_LANES]).0
}
