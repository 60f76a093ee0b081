//! Scan-based margin per underlying ("combined commodity"), in the form of CME's SPAN.
//!
//! ```text
//! scan       = max(0, largest loss over 16 points: price 0, ±⅓, ±⅔, ±1 of the range R with volatility up and down;
//!              ±k·R, volatility unchanged, of which the share c counts), every contract valued again, look-ahead included
//! intra      = Σ spreads between tiers of expiries · rate, formed in order
//! delivery   = Σ |net delta| · rate over expiries near delivery
//! minimum    = Σ short options · rate, or the larger of calls and puts
//! risk       = max(scan + intra + delivery − credits, minimum)
//! credit     = rate · spreads · ratio · (price risk / |net delta|), for each leg of a spread between underlyings
//! ```
//!
//! Net deltas are Σ quantity · composite delta: the mean of a contract's deltas at the seven prices, weighted by
//! `delta_weights`, in units of the underlying. Price risk is what the price alone puts at stake: the loss at the worst point,
//! averaged with the one at the same price and the other volatility, less the average of the first two points.

mod charges;
mod credits;
mod keys;
mod sheet;

use super::grid::{Grid, GridPoint, PriceUnit, Transform, VolatilityRange};
use super::{ComponentRows, Cover, Part, Per, Ranges, Rule};
use crate::margin::file::ByName;
use crate::margin::pool::{Market, Requirement};
use crate::margin::row_sheet::RowSheet;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;
pub(super) use keys::{KEYS, read};

/// Scan-based margin; underlyings of a group are margined apart and added up, less the credits between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Price scan range R by underlying, > 0.
    pub range: ByName,
    /// What R is in.
    pub range_unit: RangeUnit,
    /// Volatility scan range.
    pub volatility: VolatilityRange,
    /// k: the extreme points are ±k·R.
    pub extreme_multiple: f64,
    /// c: share of the loss there that counts.
    pub extreme_cover: f64,
    /// Days that pass until the loss is taken, ≥ 0.
    pub look_ahead_days: f64,
    /// Weights of the deltas at prices 0, ±⅓, ±⅔ and ±1 of the range (each of a pair); their sum over the seven is divided out.
    pub delta_weights: [f64; 4],
    /// What the rates of charges and minimum are in.
    pub charge_unit: ChargeUnit,
    /// Days to expiry at which the second tier begins, the third, and so on, ascending; what does not expire is in the first.
    /// Days are counted from the snapshot's moment, under every scenario.
    pub tiers: Vec<f64>,
    /// Spreads between expiries, in the order in which they are formed.
    pub spreads: Vec<CalendarSpread>,
    /// Charge near delivery.
    pub delivery: Option<Delivery>,
    /// Least risk of short options.
    pub short_options: Option<ShortOptionMinimum>,
    /// Spreads between underlyings, in the order in which they are formed.
    pub inter: Vec<InterSpread>,
}

/// What a scan range is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RangeUnit {
    /// A share of the price.
    #[default]
    Relative,
    /// Quote units per unit of the underlying, as a share of the unshocked index.
    Quote,
}

/// What a charge per unit of delta is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChargeUnit {
    /// Quote units.
    #[default]
    Quote,
    /// Shares of the index price.
    Index,
}

/// A charge on deltas of opposite signs in two tiers (or in two expiries of one).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalendarSpread {
    /// Positions of the tiers, from 0.
    pub tiers: [usize; 2],
    /// Per unit of delta spread.
    pub rate: f64,
}

/// A charge on the net delta of expiries near delivery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delivery {
    /// Days to expiry up to which it is due.
    pub days: f64,
    /// Per unit of delta.
    pub rate: f64,
}

/// Least risk of short options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortOptionMinimum {
    /// Per unit of the underlying sold.
    pub rate: f64,
    /// Which count.
    pub count: ShortOptionCount,
}

/// Which short options a minimum counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShortOptionCount {
    /// All.
    #[default]
    Sum,
    /// Calls or puts, whichever is more.
    LargerRight,
}

/// A credit for net deltas that offset each other across underlyings.
#[derive(Debug, Clone, PartialEq)]
pub struct InterSpread {
    /// What a spread is made of: at least one leg on either side, no underlying twice.
    pub legs: Vec<InterLeg>,
    /// Share of each leg's price risk that is credited, in [0, 1].
    pub rate: f64,
}

/// One leg of a spread between underlyings.
#[derive(Debug, Clone, PartialEq)]
pub struct InterLeg {
    /// Name of the underlying.
    pub underlying: String,
    /// Units of delta per spread, > 0.
    pub ratio: f64,
    /// Legs of one side are long where those of the other are short.
    pub side: LegSide,
}

/// Side of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegSide {
    /// The first.
    A,
    /// The other.
    B,
}

/// Points with a volatility move: each price up, then down.
const PAIRED_POINTS: usize = 14;
/// The prices, in thirds of the range.
const THIRDS: [f64; 7] = [0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0];

impl Span {
    /// The scan as a grid: 16 points.
    fn grid(&self) -> Grid {
        let days = self.look_ahead_days;
        let paired = THIRDS.iter().flat_map(|thirds| {
            [1.0, -1.0].map(|volatility| GridPoint { price: thirds / 3.0, volatility, days, ..GridPoint::default() })
        });
        let extremes = [1.0, -1.0].map(|sign| GridPoint {
            price: sign * self.extreme_multiple,
            weight: self.extreme_cover,
            days,
            ..GridPoint::default()
        });
        Grid {
            points: paired.chain(extremes).collect(),
            price_unit: match self.range_unit {
                RangeUnit::Relative => PriceUnit::Range,
                RangeUnit::Quote => PriceUnit::QuoteRange,
            },
            range: self.range.clone(),
            volatility: self.volatility.clone(),
            transforms: vec![Transform::Weight],
            ..Grid::default()
        }
    }

    /// The underlyings of a group, each with its holdings.
    fn commodities<'p, 's>(&self, part: &Part<'p, 's>) -> Vec<Part<'p, 's>> {
        part.split(Per::Underlying)
    }
}

impl Rule for Span {
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        sheet::rows(self, cover, sheet)
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        let grid = self.grid();
        let commodities = self.commodities(part);
        let losses: Vec<Vec<N>> = commodities.iter().map(|commodity| grid.losses(commodity, market)).collect();
        let credits = self.credits(&commodities, &losses, market);
        let risks = commodities.iter().zip(&losses).zip(&credits).map(|((commodity, losses), credit)| {
            let scan = losses.iter().fold(N::of(0.0), |scan, loss| scan.larger(loss));
            let charges = self.charges(commodity, market);
            scan.plus(&charges).minus(credit).larger(&self.short_option_minimum(commodity, market))
        });
        Requirement::both(risks.fold(N::of(0.0), |sum, risk| sum.plus(&risk)))
    }

    /// Credits are quotients of the pool's own numbers, and each spread formed repeats what the ones before it left: both are
    /// left to the direct formula.
    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        let grid = self.grid();
        let commodities = self.commodities(part);
        if self.may_credit(&commodities) {
            return None;
        }
        let risk = |commodity: &Part<'_, '_>| {
            let risk = Node::Sum(vec![grid.largest_loss(commodity), self.charge_node(commodity)?]);
            Some(Node::Max(vec![risk, self.short_option_minimum_node(commodity)]))
        };
        let risks: Option<Vec<Node>> = commodities.iter().map(risk).collect();
        Some(Requirement::both(Node::Sum(risks?)))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let grid = self.grid();
        let market = (part.setting().rows, column);
        let of_commodity = |commodity: &Part<'_, '_>| {
            let losses: Vec<f64> = grid.losses(commodity, &market);
            let worst = (0..losses.len()).fold(0, |worst, k| if losses[k] > losses[worst] { k } else { worst });
            let point = commodity.underlying().map_or_else(String::new, |underlying| grid.label(worst, underlying));
            let scan = losses.get(worst).copied().unwrap_or_default().max(0.0);
            let charges: f64 = self.charges(commodity, &market);
            let minimum: f64 = self.short_option_minimum(commodity, &market);
            let name = commodity.group_name();
            format!("{name}: scan {scan:.2} at {point}; charges {charges:.2}; short option minimum {minimum:.2}")
        };
        Some(self.commodities(part).iter().map(of_commodity).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests;
