//! The bytes that cross to the device: twins of the structs in `shaders/*.wgsl`, field by field. The only place that
//! knows them.

use bytemuck::{Pod, Zeroable};

/// What one dispatch is about.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Params {
    /// Pools in the chunk.
    pub pool_count: u32,
    /// Rows in the panel.
    pub row_count: u32,
    /// Scenarios in the panel.
    pub scenario_count: u32,
    /// Tiles in the panel.
    pub tile_count: u32,
    /// First pool of every group that it takes, counted within the group.
    pub slice_start: u32,
    /// Pools of every group that it takes.
    pub slice_pools: u32,
}

/// One pool's program. Roots are in the order equity, initial, maintenance.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Pool {
    /// First term, number of terms, first kink, number of kinks.
    pub terms_and_kinks: [u32; 4],
    /// First instruction, number of instructions.
    pub code: [u32; 2],
    /// Above this maintenance root nobody is even restricted.
    pub quiet: f32,
    /// Constant of gross notional.
    pub gross: f32,
    /// Constants of the roots; the last is unused.
    pub constants: [f32; 4],
    /// Certified errors of the roots; the last is unused.
    pub errors: [f32; 4],
}

/// One row of an affine part; its coefficient in gross notional is apart, since few pools need it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Term {
    /// The row, and the bits of its coefficients in the roots.
    pub words: [u32; 4],
}

impl Term {
    /// A row with its coefficients in raw equity, the initial and the maintenance root.
    pub fn new(row: u32, coefficients: [f32; 3]) -> Self {
        let [equity, initial, maintenance] = coefficients.map(f32::to_bits);
        Self { words: [row, equity, initial, maintenance] }
    }
}

/// A kink of one row.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Kink {
    /// The row, and the bits of its shape: slope on Δrow, value at the base of the row, weight in the maintenance total.
    pub words: [u32; 4],
    /// Weights in the initial and the maintenance root.
    pub weights: [f32; 2],
    /// Fills the record up to whole vectors.
    pub padding: [f32; 2],
}

impl Kink {
    /// A kink of a row by its shape (slope, offset, weight in the maintenance total) and its weights in the initial and the
    /// maintenance root.
    pub fn new(row: u32, shape: [f32; 3], weights: [f32; 2]) -> Self {
        let [slope, offset, requirement] = shape.map(f32::to_bits);
        Self { words: [row, slope, offset, requirement], weights, padding: [0.0; 2] }
    }
}

/// One step of postfix code.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Instruction {
    /// What to do: one of the constants of [`operation`].
    pub operation: u32,
    /// The row, where one is read; the number of points, where a reduction starts.
    pub row: u32,
    /// First operand.
    pub a: f32,
    /// Second operand.
    pub b: f32,
    /// Third operand.
    pub c: f32,
}

/// Codes of [`Instruction::operation`].
pub mod operation {
    /// Push `a`.
    pub const CONSTANT: u32 = 0;
    /// Add `a` · Δrow to the top.
    pub const TERM: u32 = 1;
    /// Sum of two.
    pub const ADD: u32 = 2;
    /// Larger of two.
    pub const MAX: u32 = 3;
    /// Smaller of two.
    pub const MIN: u32 = 4;
    /// Absolute value.
    pub const ABS: u32 = 5;
    /// Times `a`.
    pub const SCALE: u32 = 6;
    /// Times (`a` + Δrow).
    pub const SCALE_BY_ROW: u32 = 7;
    /// Choose by a predicate whose error is `a`.
    pub const SELECT: u32 = 8;
    /// Add to the roots: initial `a`, maintenance `b`, requirement `c`.
    pub const FOLD: u32 = 9;
    /// Add `a` · Δ(row + point) to the top.
    pub const STRIDED_TERM: u32 = 10;
    /// Start a reduction over `row` points.
    pub const REPEAT: u32 = 11;
    /// End it: the largest value.
    pub const REDUCE_MAX: u32 = 12;
    /// End it: the smallest value.
    pub const REDUCE_MIN: u32 = 13;
}

/// What a pool's verdicts on one tile come to; all zero means not computed.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct PoolTile {
    /// Lowest maintenance root.
    pub lowest: f32,
    /// Scenario of it, within the panel.
    pub lowest_scenario: u32,
    /// Second lowest maintenance root.
    pub second_lowest: f32,
    /// Certain verdicts: restricted, liquidatable, bankrupt, ten bits each.
    pub counts: u32,
    /// Certain verdicts in the low half, uncertain ones in the high half.
    pub verdicts: u32,
    /// Σ affine part of raw equity over the tile.
    pub equity: f32,
    /// Σ affine part of the initial root over the tile.
    pub initial: f32,
    /// Σ affine part of the maintenance root over the tile.
    pub maintenance: f32,
}

/// What one scenario comes to over a group of pools.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct GroupScenario {
    /// Certain restricted verdicts.
    pub restricted: u32,
    /// Certain liquidatable verdicts.
    pub liquidatable: u32,
    /// Certain bankrupt verdicts.
    pub bankrupt: u32,
    /// Σ affine part of raw equity.
    pub equity: f32,
    /// Σ affine part of the initial root.
    pub initial: f32,
    /// Σ affine part of the maintenance root.
    pub maintenance: f32,
    /// Σ maintenance margin of kinks and nodes.
    pub requirement: f32,
    /// Σ −equity of certain bankrupt verdicts.
    pub shortfall: f32,
    /// Σ certified error of those.
    pub shortfall_error: f32,
    /// Σ gross notional of certain liquidatable verdicts.
    pub gross: f32,
}

/// A verdict that the bound did not settle.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
pub struct UncertainVerdict {
    /// Pool within the chunk.
    pub pool: u32,
    /// Scenario within the panel.
    pub scenario: u32,
}

/// Operands of one sample of `shaders/probe.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct ProbeInput {
    /// First operand.
    pub a: f32,
    /// Second operand.
    pub b: f32,
    /// Minus the nearest f32 to a · b.
    pub c: f32,
    /// A subnormal number.
    pub subnormal: f32,
    /// A normal number of which a 65,536th is subnormal.
    pub small: f32,
}

/// What a device makes of a sample.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct ProbeOutput {
    /// a + b.
    pub sum: f32,
    /// a · b.
    pub product: f32,
    /// a · b + c.
    pub product_sum: f32,
    /// Error term of a + b, by TwoSum.
    pub sum_error: f32,
    /// The subnormal number times 2²⁰.
    pub from_subnormal: f32,
    /// The small number times 2⁻¹⁶.
    pub to_subnormal: f32,
}

/// Lanes of a workgroup; each owns four scenarios.
pub const LANES: usize = 64;
/// Uncertain verdicts a submission can list; more make the chunk the CPU's.
pub const LIST_CAPACITY: usize = 65_536;

impl PoolTile {
    /// Certain restricted, liquidatable and bankrupt verdicts.
    pub fn certain_counts(&self) -> [u32; 3] {
        [self.counts & 0x3ff, self.counts >> 10 & 0x3ff, self.counts >> 20]
    }

    /// Certain and uncertain verdicts.
    pub fn verdict_counts(&self) -> [u32; 2] {
        [self.verdicts & 0xffff, self.verdicts >> 16]
    }
}

/// What one dispatch of `shaders/revalue.wgsl` is about.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct RevalueParams {
    /// Contracts to price.
    pub contract_count: u32,
    /// Expiries.
    pub expiry_count: u32,
    /// Rows per tile of the panel they are written to.
    pub row_count: u32,
    /// Tiles in the panel.
    pub tile_count: u32,
}

/// One option.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Contract {
    /// Row of its first output.
    pub row: u32,
    /// Its expiry.
    pub expiry: u32,
    /// ln(F₀/K).
    pub moneyness: f32,
    /// Strike, price-asset units.
    pub strike: f32,
    /// Volatility per √year, unshocked.
    pub volatility: f32,
    /// 1 for a call, −1 for a put.
    pub sign: f32,
    /// Units of the underlying per contract, times the fixed rate.
    pub contract: f32,
    /// Unshocked value of a contract, quote units.
    pub base: f32,
}

/// Contracts per workgroup of `shaders/revalue.wgsl`.
pub const GROUP_CONTRACTS: usize = 16;

/// What one dispatch of `shaders/ceiling.wgsl` is about.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct CeilingParams {
    /// Vectors of the data less one, a power of two less one.
    pub mask: u32,
    /// Steps of every lane.
    pub steps: u32,
    /// Lanes of the dispatch.
    pub lanes: u32,
    /// Factor of every multiply-add.
    pub factor: f32,
    /// Addend of every multiply-add.
    pub addend: f32,
}
