//! What the generator makes of a paid option: its value, and what the rulebook asks for it.

use super::market::Market;
use crate::domain::Instrument;
use crate::margin::{OptionClass, ShortMarket};
use crate::pricing::{Column, ShockedMarket};
use crate::scenario::ScenarioSet;

/// One option in the unshocked market, quote units per contract.
#[derive(Debug, Clone, Copy)]
pub(super) struct Premium {
    /// Value.
    pub(super) value: f64,
    /// What a short one requires: initial, maintenance.
    pub(super) short: [f64; 2],
    /// Share of a long one's value that counts in adjusted equity.
    pub(super) long_credit: f64,
}

/// The premium of every instrument of a market; `None` for what is no option.
pub(super) fn premiums<'a>(
    market: &Market,
    class_of: impl Fn(&Instrument) -> Option<&'a OptionClass>,
) -> Vec<Option<Premium>> {
    let snapshot = market.snapshot(Default::default());
    let nothing = ScenarioSet::default();
    let unshocked = ShockedMarket::new(&snapshot, &nothing);
    let premium = |instrument: &Instrument| {
        let (_, option) = unshocked.option(instrument, Column::Base)?;
        let class = class_of(instrument)?;
        let settlement_price = unshocked.asset_price(instrument.settlement_asset, Column::Base);
        let value = unshocked.contract(instrument, Column::Base).value;
        let short = class.short_requirements(instrument, &ShortMarket { option, settlement_price, mark: value });
        Some(Premium { value, short: short.map(|requirement| requirement.value), long_credit: class.long_credit })
    };
    snapshot.instruments.iter().map(premium).collect()
}
