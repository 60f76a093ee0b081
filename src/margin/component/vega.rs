//! Vega charge: what a move of the volatilities' term structure may cost, on the vega of each expiry.
//!
//! ```text
//! vega_e = Σ quantity · vega over the options of one expiry
//! move_e = points · (reference_days / max(floor_days, days left))^power
//! each   = Σ_e |vega_e · move_e|    offset = ½ (Σ_e |vega_e · move_e| − |Σ_e vega_e · move_e|)
//! ```

use super::across::ACROSS;
use super::by_side::{BY_SIDE, numbers};
use super::exposure::Ranges;
use super::{Across, ComponentRows, Cover, Part, Rule};
use crate::domain::Kind;
use crate::margin::file::{Key, KeyKind, Section, words};
use crate::margin::pool::{MarginSide, Market, Requirement};
use crate::margin::row_sheet::{RowSheet, Sensitivity};
use crate::number::Number;
use crate::pricing::{Column, TermScale};
use crate::program::Node;

const YEAR_DAYS: f64 = 365.0;

const POWER: KeyKind = KeyKind::Number { min: 0.0, max: 10.0 };

/// Keys of `[component.NAME]` of kind `vega`.
pub(super) const KEYS: &[Key] = &[
    Key::required("points", BY_SIDE, "move of the volatility at reference_days, 0.05 = 5 points"),
    Key::optional("reference_days", KeyKind::POSITIVE, "30", "days to expiry at which the move counts as it is"),
    Key::optional("floor_days", KeyKind::POSITIVE, "1", "fewer days count as this many"),
    Key::optional("short_power", POWER, "0", "power of reference_days/days up to the reference"),
    Key::optional("long_power", POWER, "0", "the same beyond it"),
    Key::optional(
        "of",
        KeyKind::Word(&words(&ACROSS)),
        "each",
        "each: every expiry's amount; offset: half of what the amounts of all exceed their net by",
    ),
];

/// Charge on vegas across expiries.
#[derive(Debug, Clone, PartialEq)]
pub struct Vega {
    /// Move of the volatility at the reference time, per √year: 0.05 = 5 points; ≥ 0.
    pub points: Requirement<f64>,
    /// How the move depends on the days left.
    pub term: TermScale,
    /// What counts of the expiries.
    pub of: Across,
}

impl Vega {
    pub(super) fn read(section: &Section) -> Option<Self> {
        let or = |key: &str, default: f64| if section.has(key) { section.number(key) } else { Some(default) };
        let term = TermScale {
            reference_days: or("reference_days", 30.0)?,
            floor_days: or("floor_days", 1.0)?,
            power_short: or("short_power", 0.0)?,
            power_long: or("long_power", 0.0)?,
        };
        let of = section.choice("of", &ACROSS).unwrap_or_default();
        Some(Self { points: numbers(section, "points")?, term, of })
    }
}

impl Rule for Vega {
    /// Vega · move of every option, by margin.
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        let mut rows = ComponentRows::default();
        let snapshot = sheet.snapshot;
        let is_option = |index: &u32| snapshot.instruments[*index as usize].kind == Kind::Option;
        let options: Vec<_> = sheet.covered_instruments(cover).into_iter().filter(is_option).collect();
        sheet.each_sensitivity(Sensitivity::Vega, &options, |sheet, index, vegas| {
            let instrument = &snapshot.instruments[index as usize];
            for margin in MarginSide::ALL {
                let points = *self.points.of(margin);
                let values = sheet
                    .scaled(&vegas, |column| points * self.term.at(sheet.years_left(instrument, column) * YEAR_DAYS));
                rows.set_instrument(margin as usize, index, sheet.append(values, &instrument.name));
            }
        });
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
