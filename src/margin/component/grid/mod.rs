//! Grid margin: the largest loss of a group over a grid of moves of price and volatility, every contract valued again around
//! the market of the moment.
//!
//! With k the points of the grid and c the cells in which holdings net,
//!
//! ```text
//! x_c(k)      = Σ quantity · weight(k) · (value after move k − value) + collateral likewise
//! requirement = max(0, max_k −Σ_c transforms(x_c(k)))
//! ```
//!
//! Published members of the family differ in data only: 9×3 with dampened extremes and gain scaling per settlement group,
//! 7×3 per underlying, SPAN's 16 points, ten prices without volatility.

mod cells;
mod keys;
mod points;
mod sheet;

pub(super) use keys::{KEYS, VOLATILITY_KEYS, read, read_volatility};
pub use points::{Extreme, GridPoint, PriceUnit, VolatilityRange};

use super::{ComponentRows, Cover, Part, Ranges, Rule};
use crate::margin::file::ByName;
use crate::margin::pool::{Market, Requirement};
use crate::margin::row_sheet::RowSheet;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

/// Largest loss over a grid of moves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    /// Points within the range, then those of `extremes`.
    pub points: Vec<GridPoint>,
    /// Large moves that count in part.
    pub extremes: Option<Extreme>,
    /// What `GridPoint::price` is measured in.
    pub price_unit: PriceUnit,
    /// Price range R by underlying, relative unless `price_unit` says otherwise.
    pub range: ByName,
    /// What one unit of `GridPoint::volatility` is.
    pub volatility: VolatilityRange,
    /// Where holdings net before the transforms.
    pub cell: Cell,
    /// Share of a contract's change that counts, by its time to expiry.
    pub time_weight: Option<TimeWeight>,
    /// Applied to each cell's gain or loss, in this order.
    pub transforms: Vec<Transform>,
    /// Share of a value that counts, where options net by expiry.
    pub discount: Option<Discount>,
    /// At which price profits in a settlement asset count.
    pub settle_at: SettleAt,
}

/// Share of a contract's change that counts: `add + per_year·T`, T the years to expiry, 0 of what does not expire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeWeight {
    /// Share at expiry, ≥ 0.
    pub add: f64,
    /// Further share per year, ≥ 0.
    pub per_year: f64,
}

/// Where holdings net before a grid's transforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cell {
    /// Underlying and settlement asset.
    #[default]
    Pair,
    /// Options by expiry; everything else together.
    Expiry,
}

/// What is done to a cell's gain or loss at one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Transform {
    /// Times the point's weight.
    Weight,
    /// Towards zero by `amount · max(0, |move|/R − 1)`, quote units (÷ (1 + move) where profits settle at the price before
    /// the move: the amount is meant at the price after it).
    Dampen {
        /// Quote units per multiple of the range.
        amount: f64,
    },
    /// A gain counts by this share, and no further than the cap.
    Gain {
        /// Share, in [0, 1].
        share: f64,
        /// Largest gain, quote units.
        cap: Option<f64>,
    },
}

/// At which price of its settlement asset a contract's profit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SettleAt {
    /// The price after the move, where the move moves it.
    #[default]
    Moved,
    /// The price before: requirements in coins.
    Current,
}

/// Share of an expiry's net value that counts after a move: gains shrink, losses grow. (Derive's PMRM.)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discount {
    /// Of a positive net value.
    pub positive: DiscountCurve,
    /// Of a negative one; `None` = in full.
    pub negative: Option<DiscountCurve>,
}

/// `base · e^{∓T·(rate·rate_multiple + rate_add)}`, T in years, rate per year: − of a positive value; + of a negative one, and
/// there at most e^{rate·T}, so that no loss counts for more than the undiscounted value. An expired option counts in full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiscountCurve {
    /// Share at expiry.
    pub base: f64,
    /// Times the option's rate.
    pub rate_multiple: f64,
    /// Added to it, per year.
    pub rate_add: f64,
}

impl Grid {
    /// Direct formula of a group's loss at each point: `[n_points]`, quote units.
    pub(super) fn losses<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Vec<N> {
        cells::losses(self, part, market)
    }

    /// Lowering of the largest loss, at least 0.
    pub(super) fn largest_loss(&self, part: &Part<'_, '_>) -> Node {
        cells::largest_loss(self, part)
    }

    /// The rows that both read; sheets 4 and up of instruments and 2 and up of underlyings are free.
    pub(super) fn form_rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        sheet::rows(self, cover, sheet)
    }
}

impl Rule for Grid {
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        self.form_rows(cover, sheet)
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        let losses = self.losses(part, market);
        let worst = losses.into_iter().fold(N::of(0.0), |worst, loss| worst.larger(&loss));
        Requirement::both(worst)
    }

    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        Some(Requirement::both(self.largest_loss(part)))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let losses = self.losses::<f64>(part, &(part.setting().rows, column));
        let (at, worst) = losses.iter().enumerate().fold(
            (0, 0.0),
            |worst, (at, loss)| {
                if *loss > worst.1 { (at, *loss) } else { worst }
            },
        );
        Some(match part.underlying() {
            Some(underlying) if worst > 0.0 => self.label(at, underlying),
            _ => "no point loses".into(),
        })
    }
}

#[cfg(test)]
mod tests;
