//! Unwind charge: what fees and slippage take when everything is closed, times a multiplier that rises with it.
//!
//! `x · multiplier(x)` with `x = Σ |quantity| · units · index · rate`; all of x pays the multiplier of the tier it lies in.

use super::by_side::{BY_SIDE, FROM, LIST_BY_SIDE, numbers, tiers};
use super::exposure::{Exposure, Ranges, Terms, sum};
use super::{ComponentRows, Cover, Part, Rule};
use crate::domain::Instrument;
use crate::margin::bracket::{Form, Schedule};
use crate::margin::file::{Key, Reader, Section};
use crate::margin::pool::{MarginSide, Market, Requirement};
use crate::margin::row_sheet::RowSheet;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

/// Keys of `[component.NAME]` of kind `unwind`.
pub(super) const KEYS: &[Key] = &[
    Key::required("rate", BY_SIDE, "fees and slippage, a share of quantity · units · index and of balances' value"),
    FROM,
    Key::required("multiplier", LIST_BY_SIDE, "factor on all of them in each tier"),
];

/// Charge for closing everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Unwind {
    /// Fees and slippage, a share of units · index price and of balances' value; ≥ 0.
    pub rate: Requirement<f64>,
    /// Multiplier by the sum of them, quote units; its rates are multipliers ≥ 0, on the whole.
    pub multiplier: Requirement<Schedule>,
}

impl Unwind {
    pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Self> {
        let (rate, multiplier) = (numbers(section, "rate"), tiers(section, (Form::Whole, "multiplier"), reader));
        Some(Self { rate: rate?, multiplier: multiplier? })
    }

    fn terms(&self, part: &Part<'_, '_>, margin: MarginSide) -> Terms {
        part.exposures(margin as usize).iter().flat_map(Exposure::magnitude).collect()
    }
}

impl Rule for Unwind {
    /// Units · index · rate, and price · rate.
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        let contract = |sheet: &RowSheet<'_>, margin, instrument: &Instrument, column| {
            self.rate.of(margin) * sheet.notional(instrument, column)
        };
        sheet.charge_rows(cover, contract, |margin, _| *self.rate.of(margin))
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        Requirement::each(|margin| {
            let multiplier = self.multiplier.of(margin);
            multiplier.charge(&sum(&self.terms(part, margin), market), &multiplier.quote_bounds())
        })
    }

    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        Some(Requirement::each(|margin| {
            let multiplier = self.multiplier.of(margin);
            multiplier.charge_node(&Node::leaf(self.terms(part, margin)), &multiplier.quote_bound_leaves())
        }))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let size = sum(&self.terms(part, MarginSide::Maintenance), &(part.setting().rows, column));
        let multiplier = &self.multiplier.maintenance;
        Some(multiplier.tier_at(size, &multiplier.bounds))
    }
}
