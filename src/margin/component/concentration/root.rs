//! The square root of a size: the rows it multiplies, and the pool's own root.

use super::Concentration;
use crate::domain::{Instrument, Kind, Payoff};
use crate::margin::component::exposure::{Exposure, Terms, grouped, terms_of};
use crate::margin::component::{ComponentRows, Cover, Part};
use crate::margin::pool::{MarginSide, Requirement};
use crate::margin::row_sheet::RowSheet;

impl Concentration {
    /// Factor · units · index · √(index / threshold) of contracts without optionality, by margin.
    pub(super) fn root_rows(
        &self,
        (threshold, factor): (f64, &Requirement<f64>),
        cover: &Cover,
        sheet: &mut RowSheet<'_>,
    ) -> ComponentRows {
        let contract = |sheet: &RowSheet<'_>, margin, instrument: &Instrument, column| {
            if instrument.kind == Kind::Option {
                return 0.0;
            }
            let unit = self.unit(instrument.underlying, column, sheet).unwrap_or(f64::NAN);
            let root = (sheet.market.index_price(instrument.underlying, column) / (threshold * unit)).sqrt();
            factor.of(margin) * sheet.notional(instrument, column) * root
        };
        sheet.charge_rows(cover, contract, |_, _| 0.0)
    }

    /// The contracts without optionality of each underlying, and the root of their units.
    pub(super) fn roots(&self, margin: MarginSide, part: &Part<'_, '_>) -> Vec<(f64, Terms)> {
        let exposures = part.exposures(margin as usize);
        let linear = exposures.iter().filter(|exposure| exposure.instrument.is_some() && !exposure.is_option());
        let groups = grouped(linear, |exposure| exposure.underlying).into_iter();
        let rooted = groups.map(|(_, group)| {
            let units: f64 = group.iter().map(|exposure| units(exposure, part) * exposure.quantity).sum();
            (units.abs().sqrt(), terms_of(group))
        });
        rooted.collect()
    }
}

/// Units of the underlying per contract, at the unshocked index.
fn units(exposure: &Exposure<'_>, part: &Part<'_, '_>) -> f64 {
    let Some(instrument) = exposure.instrument else { return 0.0 };
    let snapshot = part.setting().snapshot;
    match instrument.payoff {
        Payoff::Linear | Payoff::Quanto => instrument.contract_size,
        Payoff::Inverse => {
            let value = instrument.contract_size * snapshot.assets[instrument.price_asset as usize].price;
            value / snapshot.underlyings[instrument.underlying as usize].index_price
        }
    }
}
