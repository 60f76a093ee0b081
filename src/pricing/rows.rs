use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1, Axis};
use rayon::prelude::*;

use super::option_row::OptionRow;
use super::payoff::{option_unit_value, unit_value};
use super::revalue::BLOCK;
use super::shocked::ShockedMarket;
use crate::domain::{AssetIndex, Instrument, InstrumentIndex, Kind, Snapshot, UnderlyingIndex};
use crate::error::{Error, Fault, Result};
use crate::scenario::ScenarioSet;

const UNUSED: u32 = u32::MAX;

/// What to do with a held underlying that no factor of the scenario set moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unshocked {
    /// Refuse the run: a price that stands still in every scenario is usually a missing column.
    Refuse,
    /// Hold its price, and list it.
    Hold,
}

/// Which market a row is read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The unshocked market of the snapshot.
    Base,
    /// A scenario, by position in the set.
    Scenario(usize),
}

/// One number per scenario for everything that is held: the price of an asset, the index price of an underlying with held
/// options, the value of one contract. These are the atoms of every decision (`NUMERICS.md` §1). All are absolute values in
/// quote units. Rules may append rows of their own ([`Rows::append`], [`Rows::append_differences`]).
#[derive(Debug, Clone)]
pub struct Rows {
    row_of_instrument: Vec<u32>,
    row_of_asset: Vec<u32>,
    row_of_index: Vec<u32>,
    /// Value in the unshocked market: `[n_rows]`.
    pub base: Vec<f64>,
    /// What kernels measure the row's Δ from: `[n_rows]`. The unshocked value, or 0 for a row that already is a difference.
    pub level: Vec<f64>,
    /// Value under each scenario: `[n_rows × n_scenarios]`, row-major.
    pub shocked: Array2<f64>,
    /// Held underlyings and collateral that no factor moves (only with [`Unshocked::Hold`]).
    pub held_still: Vec<String>,
    /// Factors of the set that name nothing in the snapshot.
    pub ignored_factors: Vec<String>,
    /// Collateral, the quote apart, that no factor moves: a peg taken for granted.
    pub unmoved_collateral: Vec<String>,
    /// Underlyings with held options whose volatility no factor moves.
    pub unmoved_volatility: Vec<String>,
}

impl Rows {
    /// Row of a held instrument: the value of one long contract. `None` where no pool holds it.
    pub fn of_instrument(&self, instrument: InstrumentIndex) -> Option<u32> {
        Some(self.row_of_instrument[instrument as usize]).filter(|&row| row != UNUSED)
    }

    /// Row of an asset's price, if the asset is held or settles something held.
    pub fn of_asset(&self, asset: AssetIndex) -> Option<u32> {
        Some(self.row_of_asset[asset as usize]).filter(|&row| row != UNUSED)
    }

    /// Row of an underlying's index price, if options on it are held.
    pub fn of_index(&self, underlying: UnderlyingIndex) -> Option<u32> {
        Some(self.row_of_index[underlying as usize]).filter(|&row| row != UNUSED)
    }

    /// Adds a row of a rule's own, which becomes an atom like the others: its value in the unshocked market and under every
    /// scenario. Answers its index.
    pub fn append(&mut self, base: f64, shocked: &[f64]) -> u32 {
        let row = self.base.len() as u32;
        self.base.push(base);
        self.level.push(base);
        // Widths agree by construction: every row has one value per scenario.
        let pushed = self.shocked.push_row(ArrayView1::from(shocked));
        debug_assert!(pushed.is_ok(), "a row has one value per scenario");
        row
    }

    /// Adds adjacent rows that already are differences, such as the value at each point of a grid less the value in the
    /// shocked market that the grid is laid around: `[n_points]` unshocked, `[n_points × n_scenarios]` shocked. Their level is
    /// 0. Answers the index of the first; a reduction reads them as a block.
    pub fn append_differences(&mut self, base: &[f64], shocked: ArrayView2<'_, f64>) -> u32 {
        let row = self.base.len() as u32;
        self.base.extend_from_slice(base);
        self.level.resize(self.base.len(), 0.0);
        let appended = self.shocked.append(Axis(0), shocked);
        debug_assert!(appended.is_ok() && self.shocked.nrows() == self.base.len(), "one row per point");
        row
    }

    /// Value of a row in a market.
    pub fn value(&self, row: u32, column: Column) -> f64 {
        match column {
            Column::Base => self.base[row as usize],
            Column::Scenario(scenario) => self.shocked[[row as usize, scenario]],
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.base.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.base.is_empty()
    }

    /// Number of scenarios.
    pub fn scenario_count(&self) -> usize {
        self.shocked.ncols()
    }
}

/// Revalues everything the book holds under every scenario, in f64.
///
/// `px(A) = price·(1 + price:U)·(1 + asset:A)` with U the asset's underlying (where no column is named for U, U's own factor
/// and beta move it); marks move to `(mark + basis:U·index)·(1 + price:U)`; a dated future whose expiry falls inside `time`
/// settles at the shocked index. The index is in quote units: both uses convert it to the price asset. Options are valued by
/// Black's formula in every market, the unshocked one included ([`super::European`]).
///
/// # Errors
/// [`Error::Refused`] with every fault: a held underlying without a factor (unless [`Unshocked::Hold`]), a beta that takes
/// a price below zero, an inverse contract at a mark of zero, a value too large for f64.
pub fn revalue(snapshot: &Snapshot, scenarios: &ScenarioSet, unshocked: Unshocked) -> Result<Rows> {
    let used = Used::of(snapshot);
    let market = ShockedMarket::new(snapshot, scenarios);
    let mut faults = Vec::new();
    let held_still = market.held_still(&used);
    if unshocked == Unshocked::Refuse {
        faults.extend(held_still.iter().map(|name| {
            let rule = format!("a held underlying has a factor; no column price:{name} moves {name}");
            Fault::of_table("scenarios", rule, "add the column, or hold its price with --unshocked hold")
        }));
    }
    market.check_betas(&used, &mut faults);
    let mut rows = Rows::of(snapshot, &used, scenarios.len(), &market, held_still);
    let (n_assets, n_indices) = (used.assets.len(), used.indices.len());
    let (mut asset_rows, rest) = rows.shocked.view_mut().split_at(Axis(0), n_assets);
    let (mut index_rows, mut instrument_rows) = rest.split_at(Axis(0), n_indices);
    asset_rows.axis_iter_mut(Axis(0)).into_par_iter().zip(&used.assets).for_each(|(mut row, &asset)| {
        row.iter_mut().enumerate().for_each(|(s, value)| *value = market.asset_price(asset, Column::Scenario(s)));
    });
    index_rows.axis_iter_mut(Axis(0)).into_par_iter().zip(&used.indices).for_each(|(mut row, &index)| {
        row.iter_mut().enumerate().for_each(|(s, value)| *value = market.index_price(index, Column::Scenario(s)));
    });
    let instruments = instrument_rows.axis_iter_mut(Axis(0)).into_par_iter().zip(&used.instruments);
    let filled = instruments.map(|(row, &index)| {
        let instrument = &snapshot.instruments[index as usize];
        let price_row = asset_rows.row(rows.row_of_asset[instrument.settlement_asset as usize] as usize);
        fill(&market, instrument, row, price_row)
    });
    let impossible: Vec<Option<usize>> = filled.collect();
    check_values(snapshot, &used, &market, &impossible, &mut faults);
    check_base(snapshot, &used, &rows, &mut faults);
    check_asset_prices(snapshot, &used, &rows, &mut faults);
    if faults.is_empty() { Ok(rows) } else { Err(Error::Refused(faults)) }
}

/// Fills the row of one instrument with its values in quote units. Answers the first scenario that gives a negative price or
/// a value that is not finite.
fn fill(
    market: &ShockedMarket<'_>,
    instrument: &Instrument,
    mut row: ArrayViewMut1<'_, f64>,
    settlement_price: ArrayView1<'_, f64>,
) -> Option<usize> {
    let mut impossible = None;
    let mut set = |scenario: usize, price: f64, value: f64| {
        row[scenario] = value * settlement_price[scenario];
        if impossible.is_none() && (price < 0.0 || !row[scenario].is_finite()) {
            impossible = Some(scenario);
        }
    };
    let n_scenarios = settlement_price.len();
    match OptionRow::of(market, instrument) {
        Some(option) => option.for_each_block(0, n_scenarios, |offset, length, markets, [value]| {
            let mut units = [0.0; BLOCK];
            for lane in 0..BLOCK {
                units[lane] = option_unit_value(instrument, value[lane], markets.index[lane]);
            }
            for lane in 0..length {
                let has_value = option.option().has_value(&markets.lane(lane));
                set(offset + lane, markets.forward[lane], if has_value { units[lane] } else { f64::NAN });
            }
        }),
        None => (0..n_scenarios).for_each(|scenario| {
            let mark_price = market.mark_price(instrument, Column::Scenario(scenario));
            set(scenario, mark_price, unit_value(instrument, mark_price));
        }),
    }
    impossible
}

/// Value of one long contract in the unshocked market, in settlement units.
fn value_at_base(market: &ShockedMarket<'_>, instrument: &Instrument) -> f64 {
    match market.option(instrument, Column::Base) {
        Some((option, state)) if !option.has_value(&state) => f64::NAN,
        Some((option, state)) => option_unit_value(instrument, option.value(&state), state.index),
        None => unit_value(instrument, market.mark_price(instrument, Column::Base)),
    }
}

impl Rows {
    /// Rows of what is used, with the unshocked values filled in.
    fn of(
        snapshot: &Snapshot,
        used: &Used,
        n_scenarios: usize,
        market: &ShockedMarket<'_>,
        held_still: Vec<String>,
    ) -> Self {
        let n_rows = used.assets.len() + used.indices.len() + used.instruments.len();
        let mut rows = Self {
            row_of_instrument: vec![UNUSED; snapshot.instruments.len()],
            row_of_asset: vec![UNUSED; snapshot.assets.len()],
            row_of_index: vec![UNUSED; snapshot.underlyings.len()],
            base: Vec::with_capacity(n_rows),
            level: Vec::new(),
            shocked: Array2::zeros((n_rows, n_scenarios)),
            held_still,
            ignored_factors: market.ignored(),
            unmoved_collateral: market.unmoved_collateral(),
            unmoved_volatility: market.unmoved_volatility(used),
        };
        for &asset in &used.assets {
            rows.row_of_asset[asset as usize] = rows.base.len() as u32;
            rows.base.push(market.asset_price(asset, Column::Base));
        }
        for &index in &used.indices {
            rows.row_of_index[index as usize] = rows.base.len() as u32;
            rows.base.push(market.index_price(index, Column::Base));
        }
        for &index in &used.instruments {
            let instrument = &snapshot.instruments[index as usize];
            rows.row_of_instrument[index as usize] = rows.base.len() as u32;
            let settlement_price = market.asset_price(instrument.settlement_asset, Column::Base);
            rows.base.push(value_at_base(market, instrument) * settlement_price);
        }
        rows.level.clone_from(&rows.base);
        rows
    }
}

/// What the book holds, in index order.
pub(super) struct Used {
    pub(super) assets: Vec<AssetIndex>,
    /// Underlyings with held options.
    pub(super) indices: Vec<UnderlyingIndex>,
    pub(super) instruments: Vec<InstrumentIndex>,
}

impl Used {
    fn of(snapshot: &Snapshot) -> Self {
        let mut asset_used = vec![false; snapshot.assets.len()];
        let mut index_used = vec![false; snapshot.underlyings.len()];
        let mut instrument_used = vec![false; snapshot.instruments.len()];
        snapshot.book.balances().iter().for_each(|balance| asset_used[balance.asset as usize] = true);
        // Forced trades leave pools with the quote currency, whoever held it before.
        snapshot.assets.iter().zip(&mut asset_used).for_each(|(asset, used)| *used |= asset.name == snapshot.quote);
        snapshot.book.positions().iter().for_each(|position| instrument_used[position.instrument as usize] = true);
        for (instrument, _) in snapshot.instruments.iter().zip(&instrument_used).filter(|(_, used)| **used) {
            asset_used[instrument.settlement_asset as usize] = true;
            index_used[instrument.underlying as usize] |= instrument.kind == Kind::Option;
        }
        let indices = |used: Vec<bool>| (0u32..).zip(used).filter(|(_, used)| *used).map(|(index, _)| index).collect();
        Self { assets: indices(asset_used), indices: indices(index_used), instruments: indices(instrument_used) }
    }
}

/// Every value is finite, and no shocked mark or forward is negative: `impossible` holds the first scenario of each used
/// instrument where that fails.
fn check_values(
    snapshot: &Snapshot,
    used: &Used,
    market: &ShockedMarket<'_>,
    impossible: &[Option<usize>],
    faults: &mut Vec<Fault>,
) {
    for (&index, &impossible) in used.instruments.iter().zip(impossible) {
        let Some(scenario) = impossible else { continue };
        let instrument = &snapshot.instruments[index as usize];
        let column = Column::Scenario(scenario);
        let (price, rule) = match market.option(instrument, column) {
            Some((_, state)) => (state.forward, "a shocked forward price is ≥ 0"),
            None => (market.mark_price(instrument, column), "a shocked mark price is ≥ 0"),
        };
        let not_finite = "a contract has a finite value; an inverse one has none at a mark, index or forward of 0, one that \
                          settles in an asset of price 0 may have none, and an option's rate · years stays within ±500";
        let rule = if price < 0.0 { rule } else { not_finite };
        let place = ("scenarios", scenario as u64 + 1, instrument.name.as_str());
        faults.push(Fault::of_cell(place, price.to_string(), rule, "soften the shock"));
    }
}

/// Every contract has a value in the unshocked market.
fn check_base(snapshot: &Snapshot, used: &Used, rows: &Rows, faults: &mut Vec<Fault>) {
    for &index in &used.instruments {
        let row = rows.row_of_instrument[index as usize] as usize;
        if !rows.base[row].is_finite() {
            let name = &snapshot.instruments[index as usize].name;
            let rule = format!(
                "{name} has a finite value in the unshocked market; an option's rate · years stays within ±500"
            );
            faults.push(Fault::of_table("instruments", rule, "correct the instrument"));
        }
    }
}

/// Every shocked asset price is finite and ≥ 0.
fn check_asset_prices(snapshot: &Snapshot, used: &Used, rows: &Rows, faults: &mut Vec<Fault>) {
    for (row, values) in rows.shocked.rows().into_iter().enumerate().take(used.assets.len()) {
        if let Some(scenario) = values.iter().position(|value| !(value.is_finite() && *value >= 0.0)) {
            let name = &snapshot.assets[used.assets[row] as usize].name;
            let place = ("scenarios", scenario as u64 + 1, name.as_str());
            let rule = "a price is finite and ≥ 0";
            faults.push(Fault::of_cell(place, values[scenario].to_string(), rule, "soften the shock"));
        }
    }
}
