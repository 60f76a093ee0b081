//! The rows of a grid: one per point and held contract, asset or underlying.

use ndarray::Array2;
use rayon::prelude::*;

use super::points::PointAt;
use super::{Cell, Discount, DiscountCurve, Grid, SettleAt, Transform};
use crate::domain::{AssetIndex, InstrumentIndex, Kind, UnderlyingIndex};
use crate::margin::component::{ComponentRows, Cover};
use crate::margin::row_sheet::RowSheet;
use crate::pricing::Column;

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

/// Adjacent rows on their way: `[n_points]` at base, `[n_points × n_scenarios]`.
struct Block {
    base: Vec<f64>,
    shocked: Array2<f64>,
}

impl Block {
    fn new(points: usize, scenarios: usize, value: impl Fn(usize, Column) -> f64) -> Self {
        Self {
            base: (0..points).map(|k| value(k, Column::Base)).collect(),
            shocked: Array2::from_shape_fn((points, scenarios), |(k, s)| value(k, Column::Scenario(s))),
        }
    }
}

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
                rows.set_instrument(kind, index, sheet.append_block(&block.base, block.shocked.view(), name));
            }
        }
    }
    for (asset, underlying) in assets(grid, cover, &held, sheet) {
        let points = points_of(grid, underlying, sheet);
        let price_row = sheet.rows.of_asset(asset).unwrap_or_default();
        let block = Block::new(points.len(), sheet.rows.scenario_count(), |k, column| {
            grid.weight(&points[k]) * (sheet.rows.value(price_row, column) * points[k].price)
        });
        let name = &snapshot.assets[asset as usize].name;
        rows.set_asset(CHANGE, asset, sheet.append_block(&block.base, block.shocked.view(), name));
    }
    let mut underlyings: Vec<_> = held.iter().map(|&i| snapshot.instruments[i as usize].underlying).collect();
    underlyings.sort_unstable();
    underlyings.dedup();
    for underlying in underlyings {
        let points = points_of(grid, underlying, sheet);
        for (kind, amounts) in grid.limits(&points) {
            let block = Block::new(points.len(), sheet.rows.scenario_count(), |k, _| amounts[k]);
            let name = &snapshot.underlyings[underlying as usize].name;
            rows.set_underlying(kind, underlying, sheet.append_block(&block.base, block.shocked.view(), name));
        }
    }
    rows
}

fn points_of(grid: &Grid, underlying: UnderlyingIndex, sheet: &RowSheet<'_>) -> Vec<PointAt> {
    let underlying = &sheet.snapshot.underlyings[underlying as usize];
    grid.points_of(&underlying.name, underlying.volatility_index)
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
    let moved = sheet.market.moved(instrument, &moves);
    let value_row = sheet.rows.of_instrument(index).unwrap_or_default();
    let n_scenarios = sheet.rows.scenario_count();
    let after = |k: usize, column: Column| match column {
        Column::Base => moved.base[k],
        Column::Scenario(scenario) => moved.shocked[[k, scenario]],
    };
    let current = |column: Column| sheet.rows.value(value_row, column);
    let weight = |k: usize| grid.weight(&points[k]);
    let Some(discount) = grid.discount.filter(|_| grid.cell == Cell::Expiry && instrument.kind == Kind::Option) else {
        let change = |k, column| weight(k) * (after(k, column) - current(column));
        return vec![(CHANGE, Block::new(points.len(), n_scenarios, change))];
    };
    let shares: Vec<(f64, f64)> = sheet.columns().map(|column| discount.shares(instrument, column, sheet)).collect();
    let at = |column: Column| match column {
        Column::Base => shares[0],
        Column::Scenario(scenario) => shares[scenario + 1],
    };
    vec![
        (POSITIVE, Block::new(points.len(), n_scenarios, |k, c| weight(k) * at(c).0 * after(k, c))),
        (NEGATIVE, Block::new(points.len(), n_scenarios, |k, c| weight(k) * at(c).1 * after(k, c))),
        (CURRENT, Block::new(points.len(), n_scenarios, |k, c| weight(k) * current(c))),
    ]
}

impl Discount {
    /// Shares of a positive and of a negative value that count.
    fn shares(&self, instrument: &crate::domain::Instrument, column: Column, sheet: &RowSheet<'_>) -> (f64, f64) {
        let Some((_, option)) = sheet.market.option(instrument, column) else { return (1.0, 1.0) };
        let years = option.years.max(0.0);
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
