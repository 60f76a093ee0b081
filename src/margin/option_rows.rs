//! The rows of a sweep under a rulebook: values, and what option rules add to them.

use std::ops::Deref;

use rayon::prelude::*;

use super::component::ComponentRows;
use super::option::{OptionClass, ShortMarket};
use super::pool::Market;
use super::row_sheet::{RowSheet, Values};
use super::rules::Rules;
use super::size_rows::ClassRows;
use crate::domain::{AssetIndex, InstrumentIndex, Right, Snapshot};
use crate::error::{Error, Fault, Result};
use crate::number::Number;
use crate::pricing::{Column, OptionRow, Rows, ShockedMarket, Unshocked};
use crate::scenario::ScenarioSet;

/// Options whose rows are formed at once, before equal ones are told from new ones.
const BATCH: usize = 64;

/// Rows of one held option under an option class. Those that the book's positions do not read are row 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OptionRows {
    /// Initial requirement of one short contract beyond its mark, quote units.
    pub initial: u32,
    /// Maintenance requirement of one short contract beyond its mark, quote units.
    pub maintenance: u32,
    /// Value of one contract while it lives, quote units; 0 once it has expired, when its value is cash.
    pub live_value: u32,
}

/// Rows of a group of options whose spreads are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupRows {
    /// Forward price of the expiry, quote units per unit of the underlying; 0 once it has expired.
    pub forward: u32,
    /// Price of the settlement asset, quote units; 0 once the group has expired.
    pub live_price: u32,
}

/// Every row that a rulebook's formulas read: those of [`crate::pricing::revalue`], then unit requirements. A row that
/// several options share (a flat share of the index) stands there once.
#[derive(Debug, Clone)]
pub struct MarginRows {
    rows: Rows,
    of_option: Vec<OptionRows>,
    of_group: Vec<GroupRows>,
    of_component: Vec<ComponentRows>,
    of_market_formula: Vec<u32>,
    of_class: Vec<ClassRows>,
    /// By asset, where a scenario lowers what counts of it.
    of_credit: Vec<Option<u32>>,
}

impl Deref for MarginRows {
    type Target = Rows;

    fn deref(&self) -> &Rows {
        &self.rows
    }
}

impl MarginRows {
    /// Rows of a held option that an option class margins.
    pub fn of_option(&self, instrument: InstrumentIndex) -> OptionRows {
        self.of_option[instrument as usize]
    }

    /// Rows of a component, by its position in the rulebook.
    pub(super) fn of_component(&self, component: usize) -> &ComponentRows {
        &self.of_component[component]
    }

    /// Row of a formula over the market alone.
    pub(super) fn of_market_formula(&self, formula: usize) -> u32 {
        self.of_market_formula[formula]
    }

    /// Rows that the margin class of a held instrument reads.
    pub fn of_class(&self, instrument: InstrumentIndex) -> ClassRows {
        self.of_class[instrument as usize]
    }

    /// Row of the price at which a positive balance of a held asset counts as collateral, where that may be below its price.
    pub(super) fn of_credit(&self, asset: AssetIndex) -> Option<u32> {
        self.of_credit[asset as usize]
    }

    /// Rows of a group of options.
    pub fn of_group(&self, group: u32) -> GroupRows {
        self.of_group[group as usize]
    }
}

impl<N: Number> Market<N> for (&MarginRows, Column) {
    fn row(&self, row: u32) -> N {
        N::of(self.0.value(row, self.1))
    }
}

/// Revalues everything the book holds under every scenario, and forms the unit requirements of its options.
///
/// # Errors
/// As [`crate::pricing::revalue`]; also [`Error::Refused`] where a requirement is not finite, or an option lacks a term.
pub fn revalue(
    rules: &Rules,
    snapshot: &Snapshot,
    scenarios: &ScenarioSet,
    unshocked: Unshocked,
) -> Result<MarginRows> {
    let rows = crate::pricing::revalue(snapshot, scenarios, unshocked)?;
    let market = ShockedMarket::new(snapshot, scenarios);
    let mut sheet = RowSheet::new(rules, snapshot, market, rows);
    let mut of_option = vec![OptionRows::default(); snapshot.instruments.len()];
    let held = sheet.held_options();
    for batch in held.chunks(BATCH) {
        let formed: Vec<_> = batch.par_iter().map(|held| sheet.form(held)).collect();
        for (held, formed) in batch.iter().zip(formed) {
            of_option[held.instrument as usize] = sheet.append_option(held, formed);
        }
    }
    let of_group = sheet.group_rows(&held);
    let of_component = rules.components().map(|component| component.rows(&mut sheet)).collect();
    let formulas = &rules.requirements().market;
    let of_market_formula = formulas.iter().map(|formula| sheet.market_formula(formula)).collect();
    let of_class = sheet.class_rows();
    let of_credit = sheet.credit_rows();
    let RowSheet { rows, faults, .. } = sheet;
    if faults.is_empty() {
        Ok(MarginRows { rows, of_option, of_group, of_component, of_market_formula, of_class, of_credit })
    } else {
        Err(Error::Refused(faults))
    }
}

/// A held option under an option class.
struct Held<'a> {
    instrument: InstrumentIndex,
    class: &'a OptionClass,
    /// Whether some pool is short of it.
    is_short: bool,
}

/// What an option adds.
struct Formed {
    /// Initial and maintenance requirement, where some pool is short of it.
    requirements: Option<[Values; 2]>,
    /// Its value while it lives, where some scenario sees it expire.
    live_value: Option<Values>,
}

impl<'a> RowSheet<'a> {
    /// Held options under an option class, by instrument.
    fn held_options(&self) -> Vec<Held<'a>> {
        let of_class = |instrument: InstrumentIndex| {
            let class = self.rules.option(instrument)?;
            Some(Held { instrument, class, is_short: self.held[instrument as usize].short })
        };
        self.held_instruments().into_iter().filter_map(of_class).collect()
    }

    /// Rows of what counts of held assets that a scenario lowers: price · (1 + credit).
    fn credit_rows(&mut self) -> Vec<Option<u32>> {
        let snapshot = self.snapshot;
        let credit_row = |asset: AssetIndex| {
            let row = self.rows.of_asset(asset)?;
            self.market.credit(asset, Column::Base)?;
            let counted = |column| self.rows.value(row, column) * self.market.credit(asset, column).unwrap_or(1.0);
            let values = self.values(counted);
            Some(self.append(values, &snapshot.assets[asset as usize].name))
        };
        (0..snapshot.assets.len() as u32).map(credit_row).collect()
    }

    fn form(&self, held: &Held<'_>) -> Option<Formed> {
        let instrument = &self.snapshot.instruments[held.instrument as usize];
        let value_row = self.rows.of_instrument(held.instrument)?;
        let price_row = self.rows.of_asset(instrument.settlement_asset)?;
        // Strikes are atoms of groups: like other prices, of a sane size.
        instrument.strike.filter(|strike| (1e-30..=1e30).contains(strike))?;
        let n = self.rows.scenario_count() + 1;
        let mut requirements = held.is_short.then(|| [Vec::with_capacity(n), Vec::with_capacity(n)]);
        let mut live_value = Vec::with_capacity(n);
        let mut expires = false;
        let priced = OptionRow::of(&self.market, instrument)?;
        for column in self.columns() {
            let option = priced.market(column);
            let settlement_price = self.rows.value(price_row, column);
            let market = ShortMarket { option, settlement_price, mark: self.rows.value(value_row, column) };
            expires |= market.is_expired();
            live_value.push(if market.is_expired() { 0.0 } else { market.mark });
            if let Some(rows) = &mut requirements {
                let values = held.class.short_requirements(instrument, &market);
                rows.iter_mut().zip(values).for_each(|(row, requirement)| row.push(requirement.value));
            }
        }
        Some(Formed { requirements, live_value: expires.then_some(live_value) })
    }

    fn append_option(&mut self, held: &Held<'_>, formed: Option<Formed>) -> OptionRows {
        let instrument = &self.snapshot.instruments[held.instrument as usize];
        let Some(Formed { requirements, live_value }) = formed else {
            let rule = format!("option {} has strike, right, expiry and volatility", instrument.name);
            self.faults.push(Fault::of_table("instruments", rule, "add what is missing"));
            return OptionRows::default();
        };
        let value_row = self.rows.of_instrument(held.instrument).unwrap_or_default();
        let [initial, maintenance] = match requirements {
            Some(rows) => rows.map(|values| self.append(values, &instrument.name)),
            None => [0; 2],
        };
        let live_value = live_value.map_or(value_row, |values| self.append(values, &instrument.name));
        OptionRows { initial, maintenance, live_value }
    }

    /// Rows of every group with a held option. The forward is that of the group's first instrument, held or not, so that a
    /// pool alone and the whole book read the same.
    fn group_rows(&mut self, held: &[Held<'_>]) -> Vec<GroupRows> {
        let mut rows = vec![GroupRows::default(); self.rules.groups().len()];
        let mut is_held = vec![false; rows.len()];
        let mut has_short_call = vec![false; rows.len()];
        for option in held {
            let Some(group) = self.rules.groups().of_instrument(option.instrument) else { continue };
            let right = self.snapshot.instruments[option.instrument as usize].right;
            is_held[group as usize] = true;
            has_short_call[group as usize] |= option.is_short && right == Some(Right::Call);
        }
        for group in (0..rows.len()).filter(|&group| is_held[group]) {
            let first = &self.snapshot.instruments[self.rules.groups().first(group as u32) as usize];
            let Some(price_row) = self.rows.of_asset(first.settlement_asset) else { continue };
            let (mut forward, mut live_price, mut expires) = (Vec::new(), Vec::new(), false);
            let priced = OptionRow::of(&self.market, first);
            for column in self.columns() {
                let Some(option) = priced.as_ref().map(|priced| priced.market(column)) else { break };
                let price = self.rows.value(price_row, column);
                let alive = option.years > 0.0;
                expires |= !alive;
                forward.push(if alive { option.forward * price } else { 0.0 });
                live_price.push(if alive { price } else { 0.0 });
            }
            if live_price.len() <= self.rows.scenario_count() {
                let rule = format!("option {} has strike, right, expiry and volatility", first.name);
                self.faults.push(Fault::of_table("instruments", rule, "add what is missing"));
                continue;
            }
            rows[group] = GroupRows {
                forward: if has_short_call[group] { self.append(forward, &first.name) } else { 0 },
                live_price: if expires { self.append(live_price, &first.name) } else { price_row },
            };
        }
        rows
    }
}
