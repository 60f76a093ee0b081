//! Published leverage brackets as CSV, read into a rulebook.
//!
//! Maintenance margin of a notional in bracket k is `notional · rate − deduction` (marginal); the initial margin of the
//! whole position is `notional / max_leverage` of its bracket.

use std::collections::BTreeMap;
use std::path::Path;

use super::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Row};
use crate::error::{Error, Fault, Result};
use crate::margin::{Form, MarginClass, Rulebook, Schedule};

static LAYOUT: Layout = Layout {
    table: "brackets",
    columns: &[
        Column::required("symbol", CellKind::Text),
        Column::required("tier", CellKind::Number),
        Column::required("min_notional", CellKind::Number),
        Column::required("max_notional", CellKind::Number),
        Column::required("maint_margin_rate", CellKind::Number),
        Column::required("max_leverage", CellKind::Number),
        Column::required("cum_deduction", CellKind::Number),
    ],
};
const SYMBOL: usize = 0;
const TIER: usize = 1;
const MIN_NOTIONAL: usize = 2;
const MAX_NOTIONAL: usize = 3;
const RATE: usize = 4;
const MAX_LEVERAGE: usize = 5;
const DEDUCTION: usize = 6;

/// What an import found.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The rules: one margin class for each symbol, under the symbol as it stands in the file.
    pub rulebook: Rulebook,
    /// Rows read.
    pub tiers: u64,
    /// Boundaries between two tiers of one symbol, at each of which the maintenance margin was found continuous.
    pub inner_boundaries: u64,
}

#[derive(Debug, Clone, Copy)]
struct Tier {
    row: u64,
    tier: f64,
    min_notional: f64,
    max_notional: f64,
    rate: f64,
    max_leverage: f64,
    deduction: f64,
}

/// Reads a bracket file. The class keys are the symbols; the rulebook's name is the file's.
///
/// # Errors
/// [`Error::Io`] where the file does not exist; [`Error::Refused`] with every broken rule: tiers that do not count from
/// 1, a gap or overlap between tiers, a maintenance margin that jumps at a boundary, numbers out of range.
pub fn read(path: &Path) -> Result<Imported> {
    std::fs::metadata(path).map_err(|source| Error::io(path, source))?;
    let mut log = FaultLog::default();
    let mut symbols: BTreeMap<String, Vec<Tier>> = BTreeMap::new();
    let outcome = table::read_file(path, &LAYOUT, &mut log, |row| {
        let symbol = row.required_text(SYMBOL);
        if let (Some(tier), Some(symbol)) = (read_tier(row), symbol) {
            symbols.entry(symbol.into()).or_default().push(tier);
        }
    });
    let mut rulebook = Rulebook {
        name: path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        ..Rulebook::default()
    };
    let mut inner_boundaries = 0;
    // Rows that were refused leave gaps behind; checking across them would report the same fault twice.
    let complete = log.total() == 0;
    for (symbol, mut tiers) in symbols {
        tiers.sort_by(|a, b| a.tier.total_cmp(&b.tier).then(a.row.cmp(&b.row)));
        if complete {
            check_tiers(&symbol, &tiers, &mut log);
        }
        inner_boundaries += tiers.len() as u64 - 1;
        rulebook.margin.insert(symbol, margin_class(&tiers));
    }
    if log.total() == 0 && rulebook.margin.is_empty() {
        log.push(Fault::of_table(LAYOUT.table, "the file has no brackets", "add at least one row"));
    }
    let faults = log.into_faults();
    if faults.is_empty() {
        Ok(Imported { rulebook, tiers: outcome.counts.used, inner_boundaries })
    } else {
        Err(Error::Refused(faults))
    }
}

fn read_tier(row: &mut Row<'_>) -> Option<Tier> {
    let tier = row.required_number(TIER, NumberRule::Positive);
    let min_notional = row.required_number(MIN_NOTIONAL, NumberRule::NonNegative);
    let max_notional = row.required_number(MAX_NOTIONAL, NumberRule::Positive);
    let rate = row.required_number(RATE, NumberRule::Share);
    let max_leverage = row.required_number(MAX_LEVERAGE, NumberRule::Leverage);
    let deduction = row.required_number(DEDUCTION, NumberRule::Amount);
    Some(Tier {
        row: row.number(),
        tier: tier?,
        min_notional: min_notional?,
        max_notional: max_notional?,
        rate: rate?,
        max_leverage: max_leverage?,
        deduction: deduction?,
    })
}

/// Checks the tiers of one symbol, sorted: numbered from 1, one beginning where the last ends, maintenance continuous.
fn check_tiers(symbol: &str, tiers: &[Tier], log: &mut FaultLog) {
    let mut fault = |tier: &Tier, column: usize, value: f64, rule: String| {
        let place = (LAYOUT.table, tier.row, LAYOUT.columns[column].name);
        let rule = format!("symbol {symbol} tier {}: {rule}, found {value}", tier.tier);
        log.push(Fault::of_cell(place, value.to_string(), rule, "correct the published table"));
    };
    for (index, tier) in tiers.iter().enumerate() {
        let number = (index + 1) as f64;
        if tier.tier != number {
            fault(tier, TIER, tier.tier, format!("tiers count from 1 without a gap: expected {number}"));
        }
        let (start, deduction) = match index.checked_sub(1).map(|before| tiers[before]) {
            None => (0.0, 0.0),
            Some(before) => (before.max_notional, before.deduction + tier.min_notional * (tier.rate - before.rate)),
        };
        if tier.min_notional != start {
            fault(
                tier,
                MIN_NOTIONAL,
                tier.min_notional,
                format!("a tier begins where the last ends: expected {start}"),
            );
        }
        if tier.max_notional <= tier.min_notional {
            let rule = format!("a tier ends above its beginning, {}: expected more", tier.min_notional);
            fault(tier, MAX_NOTIONAL, tier.max_notional, rule);
        }
        if (tier.deduction - deduction).abs() > (1e-6 * deduction.abs()).max(1e-6) {
            let rule = format!("the maintenance margin is continuous: expected a deduction of {deduction}");
            fault(tier, DEDUCTION, tier.deduction, rule);
        }
    }
}

fn margin_class(tiers: &[Tier]) -> MarginClass {
    let bounds: Vec<f64> = tiers.iter().skip(1).map(|tier| tier.min_notional).collect();
    let schedule = |form, rates: Vec<f64>| Schedule { form, bounds: bounds.clone(), rates };
    let maintenance = schedule(Form::Marginal, tiers.iter().map(|tier| tier.rate).collect());
    let initial = schedule(Form::Whole, tiers.iter().map(|tier| 1.0 / tier.max_leverage).collect());
    let max_notional = tiers.last().map(|tier| tier.max_notional);
    MarginClass { max_notional, ..MarginClass::brackets(maintenance, initial) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_in_any_order_become_schedules() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("published.csv");
        let text = "symbol,tier,min_notional,max_notional,maint_margin_rate,max_leverage,cum_deduction\n\
                    B/Q:Q,2,100,200,0.02,25,1\nA,1,0,5,0.5,1,0\nB/Q:Q,1,0,100,0.01,50,0\n";
        std::fs::write(&path, text).expect("a file");
        let imported = read(&path).expect("a valid file");
        assert_eq!((imported.tiers, imported.inner_boundaries, imported.rulebook.margin.len()), (3, 1, 2));
        assert_eq!(imported.rulebook.name, "published");
        let class = &imported.rulebook.margin["B/Q:Q"];
        assert_eq!(
            class.maintenance,
            Schedule { form: Form::Marginal, bounds: vec![100.0], rates: vec![0.01, 0.02] }.into()
        );
        assert_eq!(class.initial, Schedule { form: Form::Whole, bounds: vec![100.0], rates: vec![0.02, 0.04] }.into());
        assert_eq!(class.max_notional, Some(200.0));
    }
}
