//! The rows of a grid: one per point and held contract, asset or underlying.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::points::PointAt;
use super::{Cell, Discount, DiscountCurve, Grid, PriceUnit, SettleAt, TimeWeight, Transform};
use crate::domain::{AssetIndex, Instrument, InstrumentIndex, Kind, UnderlyingIndex};
use crate::error::Fault;
use crate::margin::component::block::Block;
use crate::margin::component::{ComponentRows, Cover};
use crate::margin::row_sheet::RowSheet;
use crate::pricing::{Column, YEAR_SECONDS};

/// Instruments whose rows are formed at once.
const BATCH: usize = 16;

/// Of an instrument: weight · (value after the move − value). Of an asset: weight · (price after − price).
pub(super) const CHANGE: usize = 0;
/// Of a discounted option: weight · share of a positive value · value after the move.
pub(super) const POSITIVE: usize = 1;
/// Of a discounted option: weight · share of a negative value · value after the move.
pub(super) const NEGATIVE: usize = 2;
/// Of a discounted option: weight · value.
pub(super) const CURRENT: usize = 3;
/// Of an underlying: what a cell is dampened by.
pub(super) const DAMPENING: usize = 0;
/// Of an underlying: the largest gain of a cell.
pub(super) const CAP: usize = 1;

pub(super) fn rows(grid: &Grid, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
    let snapshot = sheet.snapshot;
    let mut rows = ComponentRows::default();
    let is_covered = |&index: &InstrumentIndex| cover.instrument(&snapshot.instruments[index as usize], snapshot);
    let held: Vec<_> = sheet.held_instruments().into_iter().filter(is_covered).collect();
    for batch in held.chunks(BATCH) {
        let formed: Vec<_> = batch.par_iter().map(|&index| instrument_blocks(grid, index, sheet)).collect();
        for (&index, blocks) in batch.iter().zip(formed) {
            for (kind, block) in blocks {
                let name = &snapshot.instruments[index as usize].name;
                rows.set_instrument(kind, index, block.append(sheet, name));
            }
        }
    }
    let assets = assets(grid, cover, &held, sheet);
    let of_instruments = held.iter().map(|&index| snapshot.instruments[index as usize].underlying);
    let underlyings: BTreeSet<_> = of_instruments.chain(assets.iter().map(|(_, underlying)| *underlying)).collect();
    for (asset, underlying) in assets {
        let points = points_of(grid, underlying, sheet);
        let price_row = sheet.rows.of_asset(asset).unwrap_or_default();
        let block = Block::new(points.len(), sheet.rows.scenario_count(), |k, column| {
            let add = grid.time_weight.map_or(1.0, |weight| weight.add);
            grid.weight(&points[k]) * add * (sheet.rows.value(price_row, column) * points[k].price)
        });
        let name = &snapshot.assets[asset as usize].name;
        rows.set_asset(CHANGE, asset, block.append(sheet, name));
    }
    for underlying in underlyings {
        grid.check(underlying, sheet);
        let points = points_of(grid, underlying, sheet);
        for (kind, amounts) in grid.limits(&points) {
            let block = Block::new(points.len(), sheet.rows.scenario_count(), |k, _| amounts[k]);
            let name = &snapshot.underlyings[underlying as usize].name;
            rows.set_underlying(kind, underlying, block.append(sheet, name));
        }
    }
    rows
}

fn points_of(grid: &Grid, underlying: UnderlyingIndex, sheet: &RowSheet<'_>) -> Vec<PointAt> {
    grid.points_of(&sheet.snapshot.underlyings[underlying as usize])
}

/// Assets whose price the grid moves, and the underlying it moves with: covered collateral, and what covered contracts settle
/// in where profits count at the price after the move.
fn assets(
    grid: &Grid,
    cover: &Cover,
    held: &[InstrumentIndex],
    sheet: &RowSheet<'_>,
) -> Vec<(AssetIndex, UnderlyingIndex)> {
    let snapshot = sheet.snapshot;
    let mut used = vec![false; snapshot.assets.len()];
    for balance in snapshot.book.balances() {
        used[balance.asset as usize] |= cover.asset(&snapshot.assets[balance.asset as usize]);
    }
    for &index in held.iter().filter(|_| grid.settle_at == SettleAt::Moved) {
        used[snapshot.instruments[index as usize].settlement_asset as usize] = true;
    }
    let used = (0u32..).zip(used).filter(|(_, used)| *used);
    used.filter_map(|(asset, _)| Some((asset, snapshot.underlying_of_asset(asset)?))).collect()
}

fn instrument_blocks(grid: &Grid, index: InstrumentIndex, sheet: &RowSheet<'_>) -> Vec<(usize, Block)> {
    let instrument = &sheet.snapshot.instruments[index as usize];
    let points = points_of(grid, instrument.underlying, sheet);
    let moves_along = sheet.snapshot.underlying_of_asset(instrument.settlement_asset) == Some(instrument.underlying);
    let settlement = if moves_along { grid.settle_at } else { SettleAt::Current };
    let moves: Vec<_> = points.iter().map(|point| point.step(settlement)).collect();
    let after = Block::revalued(index, &moves, sheet);
    let value_row = sheet.rows.of_instrument(index).unwrap_or_default();
    let current = |column: Column| sheet.rows.value(value_row, column);
    let time_weights = grid.time_weight.map(|weight| weight.of(instrument, sheet));
    let weight = |k: usize, column: Column| {
        grid.weight(&points[k]) * time_weights.as_ref().map_or(1.0, |weights| weights[place(column)])
    };
    let Some(discount) = grid.discount.filter(|_| grid.cell == Cell::Expiry && instrument.kind == Kind::Option) else {
        return vec![(CHANGE, after.map(|k, c, after| weight(k, c) * (after - current(c))))];
    };
    let shares: Vec<(f64, f64)> = sheet.columns().map(|column| discount.shares(instrument, column, sheet)).collect();
    vec![
        (POSITIVE, after.mapped(|k, c, after| weight(k, c) * shares[place(c)].0 * after)),
        (CURRENT, after.mapped(|k, c, _| weight(k, c) * current(c))),
        (NEGATIVE, after.map(|k, c, after| weight(k, c) * shares[place(c)].1 * after)),
    ]
}

/// Where a market stands in a list that begins with the unshocked one.
fn place(column: Column) -> usize {
    match column {
        Column::Base => 0,
        Column::Scenario(scenario) => scenario + 1,
    }
}

impl TimeWeight {
    /// The weight of a contract in each market, the unshocked one first.
    fn of(&self, instrument: &Instrument, sheet: &RowSheet<'_>) -> Vec<f64> {
        let years =
            |column| sheet.market.seconds_left(instrument, column).map_or(0.0, |left| left.max(0.0) / YEAR_SECONDS);
        sheet.columns().map(|column| self.add + self.per_year * years(column)).collect()
    }
}

impl Discount {
    /// Shares of a positive and of a negative value that count.
    fn shares(&self, instrument: &Instrument, column: Column, sheet: &RowSheet<'_>) -> (f64, f64) {
        let Some((_, option)) = sheet.market.option(instrument, column) else { return (1.0, 1.0) };
        let years = option.years;
        if years <= 0.0 {
            return (1.0, 1.0);
        }
        let rate = option.rate.max(0.0);
        let share =
            |curve: DiscountCurve| curve.base * libm::exp(-years * (rate * curve.rate_multiple + curve.rate_add));
        // A loss never counts for more than it is worth undiscounted.
        let negative = self.negative.map_or(1.0, |curve| {
            let growth = curve.base * libm::exp(years * (rate * curve.rate_multiple + curve.rate_add));
            growth.min(libm::exp(rate * years))
        });
        (share(self.positive), negative)
    }
}

impl Grid {
    /// Moves in deviations need a volatility index.
    fn check(&self, underlying: UnderlyingIndex, sheet: &mut RowSheet<'_>) {
        let underlying = &sheet.snapshot.underlyings[underlying as usize];
        if self.price_unit == PriceUnit::Deviations && underlying.volatility_index.is_none() {
            let rule =
                format!("underlying {}, whose price moves by deviations, has a volatility_index", underlying.name);
            sheet.faults.push(Fault::of_table("underlyings", rule, "add the index, or use another price_unit"));
        }
    }

    /// The weight that a point's rows carry.
    pub(super) fn weight(&self, point: &PointAt) -> f64 {
        if self.transforms.contains(&Transform::Weight) { point.weight } else { 1.0 }
    }

    /// What the transforms that are not linear compare a weighted cell with: a weight that is applied after them scales them.
    fn limits(&self, points: &[PointAt]) -> Vec<(usize, Vec<f64>)> {
        let weight_at = self.transforms.iter().position(|transform| *transform == Transform::Weight);
        let mut limits = Vec::new();
        for (at, transform) in self.transforms.iter().enumerate() {
            let scaled = |point: &PointAt, amount: f64| match weight_at {
                Some(weight_at) if weight_at > at => amount * point.weight,
                _ => amount,
            };
            match *transform {
                Transform::Weight | Transform::Gain { cap: None, .. } => {}
                Transform::Dampen { amount } => {
                    let dampening = |point: &PointAt| {
                        let at_current = match self.settle_at {
                            SettleAt::Current => 1.0 / (1.0 + point.price),
                            SettleAt::Moved => 1.0,
                        };
                        scaled(point, amount * point.beyond * at_current)
                    };
                    limits.push((DAMPENING, points.iter().map(dampening).collect()));
                }
                Transform::Gain { cap: Some(cap), .. } => {
                    limits.push((CAP, points.iter().map(|point| scaled(point, cap)).collect()));
                }
            }
        }
        limits
    }
}
