//! The rows of a tail: one per joint move and held contract or asset.

use rayon::prelude::*;

use super::Tail;
use crate::domain::{AssetIndex, InstrumentIndex};
use crate::error::Fault;
use crate::margin::component::block::Block;
use crate::margin::component::{ComponentRows, Cover};
use crate::margin::row_sheet::RowSheet;
use crate::pricing::{Column, ShockedMarket};
use crate::scenario::{FactorKind, ScenarioSet};

/// Instruments whose rows are formed at once.
const BATCH: usize = 16;

/// Of an instrument: value after the move − value. Of an asset: price after − price.
pub(super) const CHANGE: usize = 0;

pub(super) fn rows(tail: &Tail, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
    let (snapshot, rules) = (sheet.snapshot, sheet.rules);
    let mut rows = ComponentRows::default();
    let Some(set) = rules.moves(&tail.set) else {
        let rule = format!("the set of moves {:?} is in the rulebook", tail.set);
        sheet.faults.push(Fault::of_table("rulebook", rule, "add it to sets"));
        return rows;
    };
    let moves = ShockedMarket::new(snapshot, set);
    let is_covered = |&index: &InstrumentIndex| cover.instrument(&snapshot.instruments[index as usize], snapshot);
    let held: Vec<_> = sheet.held_instruments().into_iter().filter(is_covered).collect();
    let faults = faults(tail, set, &moves, &held, sheet);
    if !faults.is_empty() {
        sheet.faults.extend(faults);
        return rows;
    }
    for batch in held.chunks(BATCH) {
        let form = |&index: &InstrumentIndex| {
            let value_row = sheet.rows.of_instrument(index).unwrap_or_default();
            let steps = moves.as_moves(&snapshot.instruments[index as usize]);
            let after = Block::revalued(index, &steps, sheet);
            after.map(|_, column, after| after - sheet.rows.value(value_row, column))
        };
        let formed: Vec<_> = batch.par_iter().map(form).collect();
        for (&index, block) in batch.iter().zip(formed) {
            rows.set_instrument(CHANGE, index, block.append(sheet, &snapshot.instruments[index as usize].name));
        }
    }
    for asset in assets(cover, &held, sheet) {
        let prices: Vec<f64> = (0..set.len()).map(|k| moves.asset_price(asset, Column::Scenario(k))).collect();
        let unmoved = moves.asset_price(asset, Column::Base);
        if prices.iter().all(|price| *price == unmoved) {
            continue;
        }
        let price_row = sheet.rows.of_asset(asset).unwrap_or_default();
        let block = Block::new(set.len(), sheet.rows.scenario_count(), |k, column| {
            sheet.rows.value(price_row, column) * (prices[k] / unmoved - 1.0)
        });
        rows.set_asset(CHANGE, asset, block.append(sheet, &snapshot.assets[asset as usize].name));
    }
    rows
}

/// Covered collateral, and what covered contracts settle in.
fn assets(cover: &Cover, held: &[InstrumentIndex], sheet: &RowSheet<'_>) -> Vec<AssetIndex> {
    let snapshot = sheet.snapshot;
    let mut used = vec![false; snapshot.assets.len()];
    for balance in snapshot.book.balances() {
        used[balance.asset as usize] |= cover.asset(&snapshot.assets[balance.asset as usize]);
    }
    held.iter().for_each(|&index| used[snapshot.instruments[index as usize].settlement_asset as usize] = true);
    (0u32..).zip(used).filter(|(_, used)| *used).map(|(asset, _)| asset).collect()
}

fn faults(
    tail: &Tail,
    set: &ScenarioSet,
    moves: &ShockedMarket<'_>,
    held: &[InstrumentIndex],
    sheet: &RowSheet<'_>,
) -> Vec<Fault> {
    let name = &tail.set;
    let of_set = |rule: String, remedy: &str| Fault::of_table(name.as_str(), rule, remedy);
    let mut faults = Vec::new();
    if set.is_empty() {
        faults.push(of_set("a set of moves has at least one".into(), "add moves"));
    }
    if set.weights.windows(2).any(|pair| pair[0] != pair[1]) {
        faults.push(of_set("joint moves count alike: their weights are equal".into(), "leave weight out"));
    }
    let moves_values = |kind: FactorKind| {
        use FactorKind::{Asset, Price, Rate, Skew, Time, Volatility};
        matches!(kind, Price | Volatility | Skew | Asset | Rate | Time)
    };
    for factor in set.factors.iter().filter(|factor| !moves_values(factor.kind)) {
        let rule = format!("joint moves have price, vol, skew, asset, rate and time columns, not {factor}");
        faults.push(of_set(rule, "remove the column"));
    }
    let underlyings = &sheet.snapshot.underlyings;
    let mut covered: Vec<u32> = held.iter().map(|&i| sheet.snapshot.instruments[i as usize].underlying).collect();
    covered.sort_unstable();
    covered.dedup();
    for underlying in covered {
        let found = &underlyings[underlying as usize];
        if !moves.moves_price(underlying) {
            let rule = format!("joint moves move the price of {}, whose contracts are covered", found.name);
            faults.push(of_set(rule, &format!("add a column price:{}", found.factor)));
        }
        let below = (0..set.len()).find(|&k| moves.price_factor(underlying, Column::Scenario(k)) < 0.0);
        if let Some(k) = below {
            let rule = format!("beta · move of {} is at least −1; move {} is not", found.name, set.ids[k]);
            faults.push(of_set(rule, "lower the beta or the move"));
        }
    }
    faults
}
