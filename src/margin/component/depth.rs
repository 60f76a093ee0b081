//! Depth charge: what it costs to trade a net delta away, in a market whose price gives way by a slope beyond a threshold.
//!
//! ```text
//! D      = Σ Δ of one underlying, quote units per 100 % of its index
//! charge = |D| · min(slope · max(0, |D| − threshold), maximum)
//! ```
//!
//! With `relieve_long_options`, D is the delta of everything but long options; theirs takes off what points the other way and
//! never turns the sign. Each underlying of a group is charged by itself: a depth is that of one market.

use super::by_side::{BY_SIDE, numbers};
use super::delta::{DELTA, delta_rows};
use super::exposure::{Exposure, Ranges, Terms, bounds, grouped, sum, terms_of};
use super::{ComponentRows, Cover, Part, Rule};
use crate::margin::file::{Key, KeyKind, Section, words};
use crate::margin::pool::{MarginSide, Market, Requirement};
use crate::margin::row_sheet::RowSheet;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

const SLOPE_UNITS: [(&str, SlopeUnit); 2] = [("underlying", SlopeUnit::Underlying), ("quote", SlopeUnit::Quote)];

/// Keys of `[component.NAME]` of kind `depth`.
pub(super) const KEYS: &[Key] = &[
    Key::required("threshold", KeyKind::NOT_NEGATIVE, "net delta that costs nothing, quote units"),
    Key::required("slope", BY_SIDE, "relative move of the price per slope_unit of delta beyond the threshold"),
    Key::optional(
        "slope_unit",
        KeyKind::Word(&words(&SLOPE_UNITS)),
        "underlying",
        "what the slope is per: one unit of the underlying at its index, or one quote unit",
    ),
    Key::required("maximum", BY_SIDE, "largest relative move, 0.1 = 10 %"),
    Key::optional(
        "relieve_long_options",
        KeyKind::Flag,
        "false",
        "whether long options' deltas only take off others' and never turn the sign",
    ),
];

/// Charge on the size of a net delta.
#[derive(Debug, Clone, PartialEq)]
pub struct Depth {
    /// Delta that costs nothing, quote units; ≥ 0.
    pub threshold: f64,
    /// Relative move of the price per unit of delta beyond the threshold; ≥ 0.
    pub slope: Requirement<f64>,
    /// What the slope is per.
    pub slope_unit: SlopeUnit,
    /// Largest relative move; ≥ 0.
    pub maximum: Requirement<f64>,
    /// Whether long options' deltas only relieve the others'.
    pub relieve_long_options: bool,
}

/// What a slope is per.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SlopeUnit {
    /// Unit of the underlying, at its index in the market.
    #[default]
    Underlying,
    /// Quote unit.
    Quote,
}

/// The deltas of one underlying.
struct Deltas {
    /// Slope per quote unit, by margin.
    slopes: [u32; 2],
    /// What is charged.
    charged: Terms,
    /// What may relieve it.
    relieving: Terms,
}

impl Depth {
    pub(super) fn read(section: &Section) -> Option<Self> {
        Some(Self {
            threshold: section.number("threshold")?,
            slope: numbers(section, "slope")?,
            slope_unit: section.choice("slope_unit", &SLOPE_UNITS).unwrap_or_default(),
            maximum: numbers(section, "maximum")?,
            relieve_long_options: section.flag("relieve_long_options").unwrap_or_default(),
        })
    }

    fn deltas(&self, part: &Part<'_, '_>) -> Vec<Deltas> {
        let exposures = part.exposures(DELTA);
        let is_relieving =
            |exposure: &&Exposure<'_>| self.relieve_long_options && exposure.is_option() && exposure.quantity > 0.0;
        let underlyings = grouped(&exposures, |exposure| exposure.underlying).into_iter();
        let deltas = underlyings.filter_map(|(underlying, group)| {
            let slope = |margin: MarginSide| part.rows().of_underlying(margin as usize, underlying?);
            let (relieving, charged): (Vec<_>, Vec<_>) = group.into_iter().partition(is_relieving);
            Some(Deltas {
                slopes: [slope(MarginSide::Initial)?, slope(MarginSide::Maintenance)?],
                charged: terms_of(charged),
                relieving: terms_of(relieving),
            })
        });
        deltas.collect()
    }
}

impl Deltas {
    /// |D|: max(0, C + min(0, R), −C − max(0, R)), C what is charged and R what relieves.
    fn size<N: Number>(&self, market: &impl Market<N>) -> N {
        let zero = N::of(0.0);
        let (charged, relieving) = (sum(&self.charged, market), sum(&self.relieving, market));
        let long = charged.plus(&relieving.smaller(&zero));
        let short = zero.minus(&charged).minus(&relieving.positive_part());
        long.larger(&short).positive_part()
    }

    fn size_node(&self) -> Node {
        if self.relieving.is_empty() {
            return Node::leaf(self.charged.clone()).absolute();
        }
        let leaf = |terms: &Terms, sign: f64| Node::leaf(terms.iter().map(|&(row, c)| (row, sign * c)).collect());
        let relief = |sign: f64| Node::Min(vec![leaf(&self.relieving, sign), Node::constant(0.0)]);
        let long = Node::Sum(vec![leaf(&self.charged, 1.0), relief(1.0)]);
        let short = Node::Sum(vec![leaf(&self.charged, -1.0), relief(-1.0)]);
        Node::Max(vec![long, short, Node::constant(0.0)])
    }

    /// Bounds of |D| over the scenarios, rounded outwards.
    fn size_bounds(&self, ranges: &Ranges<'_>) -> (f64, f64) {
        let (low, high) = bounds(&self.charged, ranges);
        let (relief_low, relief_high) = bounds(&self.relieving, ranges);
        let long = (low + relief_low.min(0.0)).next_down();
        let short = (-high - relief_high.max(0.0)).next_down();
        (long.max(short).max(0.0), high.max(-low).max(0.0))
    }

    /// Charge of one margin, where the ranges say that it is nothing, or at its maximum.
    fn node(&self, depth: &Depth, margin: MarginSide, ranges: &Ranges<'_>) -> Option<Node> {
        let maximum = *depth.maximum.of(margin);
        let (low, high) = self.size_bounds(ranges);
        let (least_slope, greatest_slope) = ranges(self.slopes[margin as usize], 1.0);
        if high <= depth.threshold || maximum == 0.0 || greatest_slope == 0.0 {
            return Some(Node::Sum(Vec::new()));
        }
        let least_move = ((low - depth.threshold).next_down() * least_slope).next_down();
        (least_move >= maximum).then(|| self.size_node().scaled(maximum))
    }
}

impl Rule for Depth {
    /// Deltas, and the slope per quote unit of each underlying by margin. At an index of 0 nothing has a delta: any slope will do.
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        let mut rows = delta_rows(cover, sheet);
        for underlying in sheet.covered_underlyings(cover) {
            for margin in MarginSide::ALL {
                let slope = *self.slope.of(margin);
                let values = sheet.values(|column| {
                    let index = sheet.market.index_price(underlying, column);
                    match self.slope_unit {
                        SlopeUnit::Quote => slope,
                        SlopeUnit::Underlying if index > 0.0 => slope / index,
                        SlopeUnit::Underlying => 0.0,
                    }
                });
                let name = &sheet.snapshot.underlyings[underlying as usize].name;
                rows.set_underlying(margin as usize, underlying, sheet.append(values, name));
            }
        }
        rows
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        let deltas = self.deltas(part);
        Requirement::each(|margin| {
            deltas.iter().fold(N::of(0.0), |total, deltas| {
                let size = deltas.size(market);
                let beyond = size.minus(&N::of(self.threshold)).positive_part();
                let moved = beyond.times(&market.row(deltas.slopes[margin as usize]));
                total.plus(&size.times(&moved.smaller(&N::of(*self.maximum.of(margin)))))
            })
        })
    }

    fn node(&self, part: &Part<'_, '_>, ranges: &Ranges<'_>) -> Option<Requirement<Node>> {
        let deltas = self.deltas(part);
        let charges = |margin: MarginSide| {
            let charges = deltas.iter().map(|deltas| deltas.node(self, margin, ranges));
            charges.collect::<Option<Vec<_>>>().map(Node::Sum)
        };
        Some(Requirement { initial: charges(MarginSide::Initial)?, maintenance: charges(MarginSide::Maintenance)? })
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let sizes = self.deltas(part).into_iter().map(|deltas| deltas.size::<f64>(&(part.setting().rows, column)));
        sizes.reduce(f64::max).map(|size| format!("delta {size:.2}, threshold {:.2}", self.threshold))
    }
}
