use std::collections::{BTreeSet, HashMap};

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::payoff::unit_value;
use crate::domain::{AssetIndex, Instrument, InstrumentIndex, Kind, Snapshot};
use crate::error::{Error, Fault, Result};
use crate::scenario::{Factor, FactorKind, ScenarioSet};

const UNUSED: u32 = u32::MAX;
const YEAR_SECONDS: f64 = 365.0 * 86_400.0;

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

/// One number per scenario for everything that is held: the price of an asset, the value of one contract. These are the
/// atoms of every decision (`NUMERICS.md` §1). Both kinds are absolute values in quote units.
#[derive(Debug, Clone)]
pub struct Rows {
    row_of_instrument: Vec<u32>,
    row_of_asset: Vec<u32>,
    /// Value in the unshocked market: `[n_rows]`.
    pub base: Vec<f64>,
    /// Value under each scenario: `[n_rows × n_scenarios]`, row-major.
    pub shocked: Array2<f64>,
    /// Held underlyings and collateral that no factor moves (only with [`Unshocked::Hold`]).
    pub held_still: Vec<String>,
    /// Factors of the set that name nothing in the snapshot.
    pub ignored_factors: Vec<String>,
    /// Collateral, the quote apart, that no factor moves: a peg taken for granted.
    pub unmoved_collateral: Vec<String>,
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
/// settles at the shocked index. The index is in quote units: both uses convert it to the price asset.
///
/// # Errors
/// [`Error::Refused`] with every fault: a held underlying without a factor (unless [`Unshocked::Hold`]), a beta that takes
/// a price below zero, an inverse contract at a mark of zero, a value too large for f64.
pub fn revalue(snapshot: &Snapshot, scenarios: &ScenarioSet, unshocked: Unshocked) -> Result<Rows> {
    let used = Used::of(snapshot);
    let shocks = Shocks::of(snapshot, scenarios);
    let mut faults = Vec::new();
    let held_still = shocks.held_still(snapshot, &used);
    if unshocked == Unshocked::Refuse {
        faults.extend(held_still.iter().map(|name| {
            let rule = format!("a held underlying has a factor; no column price:{name} moves {name}");
            Fault::of_table("scenarios", rule, "add the column, or hold its price with --unshocked hold")
        }));
    }
    shocks.check_betas(snapshot, scenarios, &used, &mut faults);

    let n_scenarios = scenarios.len();
    let n_rows = used.assets.len() + used.instruments.len();
    let mut rows = Rows {
        row_of_instrument: vec![UNUSED; snapshot.instruments.len()],
        row_of_asset: vec![UNUSED; snapshot.assets.len()],
        base: Vec::with_capacity(n_rows),
        shocked: Array2::zeros((n_rows, n_scenarios)),
        held_still,
        ignored_factors: shocks.ignored(snapshot, scenarios),
        unmoved_collateral: shocks.unmoved_collateral(snapshot),
    };
    for (row, &asset) in used.assets.iter().enumerate() {
        rows.row_of_asset[asset as usize] = row as u32;
        rows.base.push(snapshot.assets[asset as usize].price);
    }
    for (k, &index) in used.instruments.iter().enumerate() {
        let instrument = &snapshot.instruments[index as usize];
        rows.row_of_instrument[index as usize] = (used.assets.len() + k) as u32;
        let settlement_price = snapshot.assets[instrument.settlement_asset as usize].price;
        rows.base.push(unit_value(instrument, instrument.mark_price) * settlement_price);
    }
    let (mut asset_rows, mut instrument_rows) = rows.shocked.view_mut().split_at(Axis(0), used.assets.len());
    asset_rows.axis_iter_mut(Axis(0)).into_par_iter().zip(&used.assets).for_each(|(mut row, &asset)| {
        row.iter_mut().enumerate().for_each(|(s, value)| *value = shocks.asset_price(snapshot, scenarios, asset, s));
    });
    instrument_rows.axis_iter_mut(Axis(0)).into_par_iter().zip(&used.instruments).for_each(|(mut row, &index)| {
        let instrument = &snapshot.instruments[index as usize];
        let price_row = asset_rows.row(rows.row_of_asset[instrument.settlement_asset as usize] as usize);
        row.iter_mut().enumerate().for_each(|(s, value)| {
            *value = unit_value(instrument, shocks.mark_price(snapshot, scenarios, instrument, s)) * price_row[s];
        });
    });
    check_values(snapshot, scenarios, &used, &shocks, &rows, &mut faults);
    if faults.is_empty() { Ok(rows) } else { Err(Error::Refused(faults)) }
}

/// What the book holds, in index order.
struct Used {
    assets: Vec<AssetIndex>,
    instruments: Vec<InstrumentIndex>,
}

impl Used {
    fn of(snapshot: &Snapshot) -> Self {
        let mut asset_used = vec![false; snapshot.assets.len()];
        let mut instrument_used = vec![false; snapshot.instruments.len()];
        snapshot.book.balances().iter().for_each(|balance| asset_used[balance.asset as usize] = true);
        snapshot.book.positions().iter().for_each(|position| instrument_used[position.instrument as usize] = true);
        for (instrument, _) in snapshot.instruments.iter().zip(&instrument_used).filter(|(_, used)| **used) {
            asset_used[instrument.settlement_asset as usize] = true;
        }
        let indices = |used: Vec<bool>| (0u32..).zip(used).filter(|(_, used)| *used).map(|(index, _)| index).collect();
        Self { assets: indices(asset_used), instruments: indices(instrument_used) }
    }
}

/// Where each shock stands in the scenario set.
struct Shocks {
    /// `price:` column and beta of each underlying.
    price: Vec<Option<(usize, f64)>>,
    basis: Vec<Option<usize>>,
    /// `price:` column and beta, and `asset:` column, of each asset.
    asset_price: Vec<Option<(usize, f64)>>,
    asset: Vec<Option<usize>>,
    time: Option<usize>,
}

impl Shocks {
    fn of(snapshot: &Snapshot, scenarios: &ScenarioSet) -> Self {
        let columns: HashMap<&Factor, usize> = scenarios.factors.iter().zip(0..).collect();
        let column = |kind: FactorKind, name: &str| columns.get(&Factor { kind, name: name.into() }).copied();
        let price: Vec<_> = snapshot
            .underlyings
            .iter()
            .map(|underlying| Some((column(FactorKind::Price, &underlying.factor)?, underlying.beta)))
            .collect();
        let by_name: HashMap<&str, usize> = snapshot.underlyings.iter().map(|u| u.name.as_str()).zip(0..).collect();
        // An asset follows the column of its underlying's own name; without one it moves as the underlying does, so that
        // collateral never stands still beside contracts that fall.
        let asset_price = snapshot.assets.iter().map(|asset| {
            let own = column(FactorKind::Price, &asset.underlying).map(|column| (column, 1.0));
            let through_factor = by_name.get(asset.underlying.as_str()).and_then(|&underlying| price[underlying]);
            own.or(through_factor)
        });
        Self {
            asset_price: asset_price.collect(),
            asset: snapshot.assets.iter().map(|asset| column(FactorKind::Asset, &asset.name)).collect(),
            basis: snapshot.underlyings.iter().map(|u| column(FactorKind::Basis, &u.name)).collect(),
            time: column(FactorKind::Time, ""),
            price,
        }
    }

    fn asset_price(&self, snapshot: &Snapshot, scenarios: &ScenarioSet, asset: AssetIndex, scenario: usize) -> f64 {
        let index = asset as usize;
        let mut price = snapshot.assets[index].price;
        if let Some((column, beta)) = self.asset_price[index] {
            price *= 1.0 + beta * scenarios.shock(scenario, column);
        }
        if let Some(column) = self.asset[index] {
            price *= 1.0 + scenarios.shock(scenario, column);
        }
        price
    }

    fn mark_price(
        &self,
        snapshot: &Snapshot,
        scenarios: &ScenarioSet,
        instrument: &Instrument,
        scenario: usize,
    ) -> f64 {
        let underlying = &snapshot.underlyings[instrument.underlying as usize];
        let factor = match self.price[instrument.underlying as usize] {
            Some((column, beta)) => 1.0 + beta * scenarios.shock(scenario, column),
            None => 1.0,
        };
        if let (Some(expiry), Some(as_of), Some(column)) = (instrument.expiry, snapshot.as_of, self.time) {
            let seconds_left = expiry.duration_since(as_of).as_secs_f64();
            if scenarios.shock(scenario, column) * YEAR_SECONDS >= seconds_left {
                let price = self.asset_price(snapshot, scenarios, instrument.price_asset, scenario);
                return underlying.index_price * factor / price;
            }
        }
        match self.basis[instrument.underlying as usize] {
            Some(column) if instrument.kind != Kind::Spot => {
                let basis = scenarios.shock(scenario, column);
                let index = underlying.index_price / snapshot.assets[instrument.price_asset as usize].price;
                (instrument.mark_price + basis * index) * factor
            }
            _ => instrument.mark_price * factor,
        }
    }

    /// Names of held underlyings, and of held collateral that is an underlying, without a factor.
    fn held_still(&self, snapshot: &Snapshot, used: &Used) -> Vec<String> {
        let mut names = BTreeSet::new();
        for &index in &used.instruments {
            let underlying = snapshot.instruments[index as usize].underlying as usize;
            if self.price[underlying].is_none() {
                names.insert(snapshot.underlyings[underlying].name.clone());
            }
        }
        for balance in snapshot.book.balances() {
            let asset = &snapshot.assets[balance.asset as usize];
            let is_underlying = snapshot.underlyings.binary_search_by(|u| u.name.cmp(&asset.underlying)).is_ok();
            let moves =
                self.asset_price[balance.asset as usize].is_some() || self.asset[balance.asset as usize].is_some();
            if is_underlying && !moves && !names.contains(&asset.underlying) {
                names.insert(asset.underlying.clone());
            }
        }
        names.into_iter().collect()
    }

    /// Names of balances' assets, the quote apart, without any factor.
    fn unmoved_collateral(&self, snapshot: &Snapshot) -> Vec<String> {
        let mut held = vec![false; snapshot.assets.len()];
        snapshot.book.balances().iter().for_each(|balance| held[balance.asset as usize] = true);
        let assets = snapshot.assets.iter().enumerate().filter(|(index, asset)| {
            held[*index]
                && asset.name != snapshot.quote
                && self.asset_price[*index].is_none()
                && self.asset[*index].is_none()
        });
        assets.map(|(_, asset)| asset.name.clone()).collect()
    }

    fn check_betas(&self, snapshot: &Snapshot, scenarios: &ScenarioSet, used: &Used, faults: &mut Vec<Fault>) {
        let held: BTreeSet<_> = used.instruments.iter().map(|&i| snapshot.instruments[i as usize].underlying).collect();
        for underlying in held {
            let Some((column, beta)) = self.price[underlying as usize] else { continue };
            for scenario in 0..scenarios.len() {
                let shock = beta * scenarios.shock(scenario, column);
                if shock < -1.0 {
                    let name = &snapshot.underlyings[underlying as usize].name;
                    let rule = format!("beta · shock of {name} is at least −1; beta {beta} makes it {shock}");
                    let place = ("scenarios", scenario as u64 + 1, scenarios.factors[column].to_string());
                    let value = scenarios.shock(scenario, column).to_string();
                    faults.push(Fault::of_cell(
                        (place.0, place.1, &place.2),
                        value,
                        rule,
                        "lower the beta or the shock",
                    ));
                }
            }
        }
    }

    fn ignored(&self, snapshot: &Snapshot, scenarios: &ScenarioSet) -> Vec<String> {
        let used: BTreeSet<usize> = (self.price.iter().chain(&self.asset_price).flatten().map(|(column, _)| *column))
            .chain(self.asset.iter().chain(&self.basis).flatten().copied())
            .chain(self.time)
            .collect();
        let names_something = |factor: &Factor| match factor.kind {
            FactorKind::Rate => snapshot.assets.iter().any(|asset| asset.name == factor.name),
            _ => snapshot.underlyings.iter().any(|underlying| underlying.name == factor.name),
        };
        let ignored = scenarios.factors.iter().enumerate();
        ignored
            .filter(|(k, f)| !used.contains(k) && !names_something(f))
            .map(|(_, factor)| factor.to_string())
            .collect()
    }
}

/// Every value is finite, and no shocked mark is negative.
fn check_values(
    snapshot: &Snapshot,
    scenarios: &ScenarioSet,
    used: &Used,
    shocks: &Shocks,
    rows: &Rows,
    faults: &mut Vec<Fault>,
) {
    for &index in &used.instruments {
        let instrument = &snapshot.instruments[index as usize];
        let Some(row) = rows.of_instrument(index) else { continue };
        for scenario in 0..scenarios.len() {
            let mark = shocks.mark_price(snapshot, scenarios, instrument, scenario);
            let rule = if mark < 0.0 {
                "a shocked mark price is ≥ 0"
            } else if !rows.shocked[[row as usize, scenario]].is_finite() {
                "a contract has a finite value; an inverse contract has none at a mark of 0"
            } else {
                continue;
            };
            let place = ("scenarios", scenario as u64 + 1, instrument.name.as_str());
            faults.push(Fault::of_cell(place, mark.to_string(), rule, "soften the shock"));
            break;
        }
    }
    for (row, values) in rows.shocked.rows().into_iter().enumerate().take(used.assets.len()) {
        if let Some(scenario) = values.iter().position(|value| !(value.is_finite() && *value >= 0.0)) {
            let name = &snapshot.assets[used.assets[row] as usize].name;
            let place = ("scenarios", scenario as u64 + 1, name.as_str());
            faults.push(Fault::of_cell(
                place,
                values[scenario].to_string(),
                "a price is finite and ≥ 0",
                "soften the shock",
            ));
        }
    }
}
