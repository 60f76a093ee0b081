use pulp::{Arch, Simd, WithSimd};

use super::arbiter::Arbiter;
use super::block::Block;
use super::hinge::SortedRows;
use super::order::Order;
use super::outcome::Totals;
use super::plan::{Plan, PlanOptions, Revaluation};
use super::tile::Tiles;
use crate::domain::Pool;
use crate::margin::Setting;
use crate::number::Lanes;
use crate::program::{Builder, Program, RowRange};
use crate::scenario::ScenarioSet;

/// Everything a sweep's engines share: formulas, scenarios' weights, row ranges, the cut, the arbiter.
pub struct Job<'a> {
    /// Formulas and rows.
    pub setting: Setting<'a>,
    /// Which scenario stands at which place. Everything below is in the order of the places.
    pub order: &'a Order,
    /// The scenarios that the rows come from.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "the device engine prices from them"))]
    pub scenarios: &'a ScenarioSet,
    /// Where a device engine's option rows are priced.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "the device engine prices as it says"))]
    pub revaluation: Revaluation,
    /// Weight of each scenario.
    pub weights: &'a [f64],
    /// Σ weights.
    pub total_weight: f64,
    /// Range of each row over the scenarios.
    pub ranges: &'a [RowRange],
    /// Every row by value, for totals of kinks.
    pub sorted_rows: &'a SortedRows,
    /// Every row, cut into tiles.
    pub tiles: &'a Tiles,
    /// The cut of the sweep on the CPU.
    pub plan: Plan,
    /// Sizes the caller asked for.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "the device engine settles with it"))]
    pub options: PlanOptions,
    /// Whether scenarios come in pairs whose verdicts are compared.
    pub pairing: Pairing,
    /// How totals are formed.
    pub totals: Totals,
    /// The widest vectors of this machine. Separate multiplications and additions give the same bits on all of them.
    pub arch: Arch,
    /// Decides what a kernel cannot.
    pub arbiter: Arbiter<'a>,
}

/// What the scenarios of a job are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// Each stands for itself.
    Single,
    /// A market as the exchange sees it, then as it is.
    SeenAndTrue,
}

impl<'a> Job<'a> {
    /// The pool at `index` of the book.
    pub fn pool(&self, index: usize) -> Pool<'a> {
        self.setting.snapshot.book.pool(index)
    }

    /// Number of scenarios.
    pub fn scenario_count(&self) -> usize {
        self.setting.rows.scenario_count()
    }

    /// Number of pairs of scenarios whose verdicts are compared.
    pub fn pair_count(&self) -> usize {
        match self.pairing {
            Pairing::Single => 0,
            Pairing::SeenAndTrue => self.scenario_count() / 2,
        }
    }

    /// Canonical raw equity of a pool under the block of scenarios from `first` on.
    pub fn canonical_equity(&self, pool: &Pool<'_>, first: usize) -> Lanes {
        self.arch.dispatch(CanonicalEquity { setting: self.setting, pool, market: Block { tiles: self.tiles, first } })
    }

    /// Canonical gross notional of a pool under the block of scenarios from `first` on.
    pub fn canonical_notional(&self, pool: &Pool<'_>, first: usize) -> Lanes {
        self.arch.dispatch(CanonicalNotional {
            setting: self.setting,
            pool,
            market: Block { tiles: self.tiles, first },
        })
    }

    /// Compiles some pools. Unknown pools get an empty program: nothing is claimed about them.
    pub fn compile(&self, pools: impl IntoIterator<Item = usize>) -> Program {
        let mut builder = Builder::new(self.ranges);
        for index in pools {
            let pool = self.pool(index);
            if !pool.unknown {
                self.setting.lower(&pool, &mut builder);
            }
            builder.finish_pool();
        }
        builder.build()
    }
}

/// Raw equity under a block of scenarios, compiled for the widest vectors.
struct CanonicalEquity<'p, 'a> {
    setting: Setting<'a>,
    pool: &'p Pool<'p>,
    market: Block<'a>,
}

impl WithSimd for CanonicalEquity<'_, '_> {
    type Output = Lanes;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Lanes {
        self.setting.raw_equity(self.pool, &self.market)
    }
}

/// Gross notional under a block of scenarios, compiled for the widest vectors.
struct CanonicalNotional<'p, 'a> {
    setting: Setting<'a>,
    pool: &'p Pool<'p>,
    market: Block<'a>,
}

impl WithSimd for CanonicalNotional<'_, '_> {
    type Output = Lanes;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Lanes {
        self.setting.gross_notional(self.pool, &self.market)
    }
}
