//! Calendar charge: what a change of the basis between expiries may cost, on the delta of each expiry.
//!
//! ```text
//! Δ_e  = Σ quantity · delta · index over the holdings of one expiry
//! rate = max(minimum, annual · years left), 0 years for what does not expire
//! each = Σ_e |Δ_e · rate_e|        offset = ½ (Σ_e |Δ_e · rate_e| − |Σ_e Δ_e · rate_e|)
//! ```

use super::across::ACROSS;
use super::by_side::{BY_SIDE, numbers, numbers_or_zero};
use super::exposure::Ranges;
use super::{Across, ComponentRows, Cover, Part, Rule};
use crate::margin::file::{Key, KeyKind, Section, words};
use crate::margin::pool::{MarginSide, Market, Requirement};
use crate::margin::row_sheet::{RowSheet, Sensitivity};
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

/// Keys of `[component.NAME]` of kind `calendar`.
pub(super) const KEYS: &[Key] = &[
    Key::optional("minimum", BY_SIDE, "0", "least relative move of an expiry's price, 0.01 = 1 %"),
    Key::required("annual", BY_SIDE, "relative move per year to expiry, 0.075 = 7.5 %"),
    Key::optional(
        "of",
        KeyKind::Word(&words(&ACROSS)),
        "each",
        "each: every expiry's amount; offset: half of what the amounts of all exceed their net by",
    ),
];

/// Charge on deltas across expiries.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// Smallest relative move of an expiry's price against the others; ≥ 0.
    pub minimum: Requirement<f64>,
    /// Relative move per year to expiry; ≥ 0.
    pub annual: Requirement<f64>,
    /// What counts of the expiries.
    pub of: Across,
}

impl Calendar {
    pub(super) fn read(section: &Section) -> Option<Self> {
        let (minimum, annual) = (numbers_or_zero(section, "minimum"), numbers(section, "annual"));
        let of = section.choice("of", &ACROSS).unwrap_or_default();
        Some(Self { minimum: minimum?, annual: annual?, of })
    }

    fn rate(&self, margin: MarginSide, years: f64) -> f64 {
        let (minimum, annual) = (*self.minimum.of(margin), *self.annual.of(margin) * years);
        if annual > minimum { annual } else { minimum }
    }
}

impl Rule for Calendar {
    /// Delta · rate of every contract and covered asset, by margin.
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        let mut rows = ComponentRows::default();
        let snapshot = sheet.snapshot;
        let instruments = sheet.covered_instruments(cover);
        sheet.each_sensitivity(Sensitivity::Delta, &instruments, |sheet, index, deltas| {
            let instrument = &snapshot.instruments[index as usize];
            for margin in MarginSide::ALL {
                let values = sheet.scaled(&deltas, |column| self.rate(margin, sheet.years_left(instrument, column)));
                rows.set_instrument(margin as usize, index, sheet.append(values, &instrument.name));
            }
        });
        for asset in sheet.covered_assets(cover) {
            for margin in MarginSide::ALL.into_iter().filter(|_| snapshot.underlying_of_asset(asset).is_some()) {
                let values = sheet.scaled(&sheet.prices(asset), |_| self.rate(margin, 0.0));
                let row = sheet.append(values, &snapshot.assets[asset as usize].name);
                rows.set_asset(margin as usize, asset, row);
            }
        }
        rows
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        Requirement::each(|margin| self.of.value(&part.exposures(margin as usize), market))
    }

    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        Some(Requirement::each(|margin| self.of.node(&part.exposures(margin as usize))))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let exposures = part.exposures(MarginSide::Maintenance as usize);
        self.of.binding(&exposures, &(part.setting().rows, column))
    }
}
