//! The margin program: the normal form every margin rule compiles to, over rows that all pools share.
//!
//! A pool's program has three roots that decide (`equity`, `initial` = adjusted equity − initial margin, `maintenance` =
//! adjusted equity − maintenance margin) and two that are only totalled (`gross` notional, maintenance `requirement`).
//! Each root is
//!
//! ```text
//! constant + Σ coefficient · Δrow[s]                 the affine part, collapsed            (terms)
//!          + Σ weight · max(0, offset + slope·Δrow)  kinks of one row                      (kinks)
//!          + Σ weight · node                         anything else, in postfix order       (code)
//! ```
//!
//! Nodes are sums, maxima, minima, absolute values, scales, choices, and reductions of those over the points of a grid
//! ([`Node`]). Kernels see a row as *value minus its level*, formed in f64, so that none subtracts nearly equal numbers: the
//! level is the unshocked value, or 0 for a row that already is a difference. What a row cannot
//! reach within the scenario set has been folded into the affine part when the program was built.

mod bound;
mod builder;
mod code;
mod fold;
mod node;
mod row_range;
mod settle;
mod sink;
mod span;

pub use bound::{Bound, Magnitude, UNIT_ROUNDOFF_F32, UNIT_ROUNDOFF_F64, compile_error};
pub use builder::Builder;
pub use code::{Instruction, STACK_DEPTH_MAX};
pub use node::{Leaf, Node, Reduction};
pub use row_range::{RowRange, row_ranges};
pub use sink::{Collected, Sink, Weighted};

/// How much of a value goes into each root.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weights {
    /// Raw equity.
    pub equity: f64,
    /// Adjusted equity − initial margin.
    pub initial: f64,
    /// Adjusted equity − maintenance margin.
    pub maintenance: f64,
    /// Maintenance margin, for the exchange's total.
    pub requirement: f64,
    /// Gross notional.
    pub gross: f64,
}

impl Weights {
    const NONE: Self = Self { equity: 0.0, initial: 0.0, maintenance: 0.0, requirement: 0.0, gross: 0.0 };
    /// Counts in raw equity only.
    pub const EQUITY: Self = Self { equity: 1.0, ..Self::NONE };
    /// Counts in adjusted equity.
    pub const ADJUSTED: Self = Self { initial: 1.0, maintenance: 1.0, ..Self::NONE };
    /// Counts in raw and adjusted equity alike.
    pub const VALUE: Self = Self { equity: 1.0, ..Self::ADJUSTED };
    /// A maintenance requirement: lowers the maintenance root, raises the total.
    pub const MAINTENANCE: Self = Self { maintenance: -1.0, requirement: 1.0, ..Self::NONE };
    /// Counts in the initial root.
    pub const INITIAL: Self = Self { initial: 1.0, ..Self::NONE };
    /// Counts in gross notional.
    pub const GROSS: Self = Self { gross: 1.0, ..Self::NONE };

    /// Every weight times `factor`.
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            equity: self.equity * factor,
            initial: self.initial * factor,
            maintenance: self.maintenance * factor,
            requirement: self.requirement * factor,
            gross: self.gross * factor,
        }
    }

    /// The sum, root by root.
    pub fn plus(self, other: Self) -> Self {
        Self {
            equity: self.equity + other.equity,
            initial: self.initial + other.initial,
            maintenance: self.maintenance + other.maintenance,
            requirement: self.requirement + other.requirement,
            gross: self.gross + other.gross,
        }
    }

    /// The largest weight in absolute value among the roots that decide.
    fn largest(self) -> f64 {
        self.equity.abs().max(self.initial.abs()).max(self.maintenance.abs())
    }
}

/// One row of the affine part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// The row.
    pub row: u32,
    /// Coefficient in raw equity.
    pub equity: f64,
    /// Coefficient in the initial root.
    pub initial: f64,
    /// Coefficient in the maintenance root.
    pub maintenance: f64,
}

/// `max(0, offset + slope · Δrow)`, weighted into the roots: a bracket bound that the row crosses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kink {
    /// The row.
    pub row: u32,
    /// Slope on Δrow.
    pub slope: f64,
    /// Value at the base of the row.
    pub offset: f64,
    /// Weight in the initial root.
    pub initial: f64,
    /// Weight in the maintenance root.
    pub maintenance: f64,
    /// Weight in the maintenance total.
    pub requirement: f64,
}

/// One pool's program: ranges into its [`Program`], constants, and what the bounds need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolProgram {
    /// End of the pool's terms.
    pub term_end: u32,
    /// End of the pool's kinks.
    pub kink_end: u32,
    /// End of the pool's code.
    pub code_end: u32,
    /// Constants of the roots: the value at Δrow = 0 of the affine part.
    pub constant: Weights,
    /// Size and operation count of the equity, initial and maintenance roots, for the bound.
    pub magnitudes: [Magnitude; 3],
    /// Bound on what forming the coefficients in f64 has lost, for any root.
    pub compile_error: f64,
    /// Upper bound of (maintenance root − initial root) over the scenario set: a pool whose maintenance root stays above
    /// it is not restricted anywhere.
    pub gap: f64,
    /// Only the direct formulas say what this pool requires: no kernel decides it, and its part of the maintenance total is
    /// not in the net program.
    pub direct: bool,
}

/// The programs of a chunk of pools.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// One per pool, in order.
    pub pools: Vec<PoolProgram>,
    /// Terms of all pools.
    pub terms: Vec<Term>,
    /// Coefficients in gross notional, parallel to `terms`.
    pub gross: Vec<f64>,
    /// Kinks of all pools.
    pub kinks: Vec<Kink>,
    /// Postfix code of all pools.
    pub code: Vec<Instruction>,
    /// Σ over pools of the affine part, per row, and (last) of the constants: the chunk's net program.
    pub net: Vec<Weights>,
}

/// The parts of one pool's program.
#[derive(Debug, Clone, Copy)]
pub struct PoolParts<'a> {
    /// Constants and bounds.
    pub pool: &'a PoolProgram,
    /// Affine terms.
    pub terms: &'a [Term],
    /// Coefficients in gross notional, parallel to `terms`.
    pub gross: &'a [f64],
    /// Kinks.
    pub kinks: &'a [Kink],
    /// Postfix code.
    pub code: &'a [Instruction],
}

impl PoolParts<'_> {
    /// Whether no scenario changes anything in this pool, as far as its program tells.
    pub fn is_constant(&self) -> bool {
        !self.pool.direct && self.terms.is_empty() && self.kinks.is_empty() && self.code.is_empty()
    }
}

impl Program {
    /// The parts of pool `index`.
    #[inline]
    pub fn parts(&self, index: usize) -> PoolParts<'_> {
        let pool = &self.pools[index];
        let start = |end: fn(&PoolProgram) -> u32| if index == 0 { 0 } else { end(&self.pools[index - 1]) as usize };
        let terms = start(|pool| pool.term_end)..pool.term_end as usize;
        PoolParts {
            pool,
            terms: &self.terms[terms.clone()],
            gross: &self.gross[terms],
            kinks: &self.kinks[start(|pool| pool.kink_end)..pool.kink_end as usize],
            code: &self.code[start(|pool| pool.code_end)..pool.code_end as usize],
        }
    }
}
