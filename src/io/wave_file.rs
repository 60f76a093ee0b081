//! Waves of auto-deleveraging as published: what each needed, what the venue took, what other policies would have taken.
//!
//! Amounts are in US dollars. The file's further columns are known and not used.

use std::path::Path;

use super::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Row};
use crate::error::{Error, Fault, Result};

/// Policies that a file compares, under the names that end its columns: what the venue did, in proportion to wealth, profit
/// and equity, mirror descent, in proportion to contracts, integer min-max.
pub const POLICIES: [&str; 7] = ["prod", "pr", "pnl_pr", "eq_pr", "vector", "contract_pr", "fixed_point_ilp_integer"];

static LAYOUT: Layout = Layout {
    table: "waves",
    columns: &[
        Column::required("wave", CellKind::Number),
        Column::required("t_start", CellKind::Time),
        Column::required("t_end", CellKind::Time),
        Column::required("budget_needed", CellKind::Number),
        Column::required("total_cap", CellKind::Number),
        Column::required("deficit_usd", CellKind::Number),
        Column::required("budget_prod", CellKind::Number),
        Column::required("budget_pr", CellKind::Number),
        Column::required("budget_pnl_pr", CellKind::Number),
        Column::required("budget_eq_pr", CellKind::Number),
        Column::required("budget_vector", CellKind::Number),
        Column::required("budget_contract_pr", CellKind::Number),
        Column::required("budget_fixed_point_ilp_integer", CellKind::Number),
        Column::required("overshoot_prod", CellKind::Number),
        Column::required("overshoot_pr", CellKind::Number),
        Column::required("overshoot_pnl_pr", CellKind::Number),
        Column::required("overshoot_eq_pr", CellKind::Number),
        Column::required("overshoot_vector", CellKind::Number),
        Column::required("overshoot_contract_pr", CellKind::Number),
        Column::required("overshoot_fixed_point_ilp_integer", CellKind::Number),
        Column::required("max_pct_prod", CellKind::Number),
        Column::required("max_pct_pr", CellKind::Number),
        Column::required("max_pct_pnl_pr", CellKind::Number),
        Column::required("max_pct_eq_pr", CellKind::Number),
        Column::required("max_pct_vector", CellKind::Number),
        Column::required("max_pct_contract_pr", CellKind::Number),
        Column::required("max_pct_fixed_point_ilp_integer", CellKind::Number),
        Column::optional("budget_target", CellKind::Number),
        Column::optional("fixed_point_ilp_scale", CellKind::Number),
        Column::optional("max_loss_usd", CellKind::Number),
        Column::optional("theta_prod_capped", CellKind::Number),
        Column::optional("theta_needed_capped", CellKind::Number),
        Column::optional("ptsr_prod", CellKind::Number),
        Column::optional("ptsr_pr", CellKind::Number),
        Column::optional("ptsr_pnl_pr", CellKind::Number),
        Column::optional("ptsr_eq_pr", CellKind::Number),
        Column::optional("ptsr_vector", CellKind::Number),
        Column::optional("ptsr_contract_pr", CellKind::Number),
        Column::optional("ptsr_fixed_point_ilp_integer", CellKind::Number),
        Column::optional("rd_nse_prod", CellKind::Number),
        Column::optional("rd_nse_pr", CellKind::Number),
        Column::optional("rd_nse_pnl_pr", CellKind::Number),
        Column::optional("rd_nse_eq_pr", CellKind::Number),
        Column::optional("rd_nse_vector", CellKind::Number),
        Column::optional("rd_nse_contract_pr", CellKind::Number),
        Column::optional("rd_nse_fixed_point_ilp_integer", CellKind::Number),
        Column::optional("pmr_prod", CellKind::Number),
        Column::optional("pmr_pr", CellKind::Number),
        Column::optional("pmr_pnl_pr", CellKind::Number),
        Column::optional("pmr_eq_pr", CellKind::Number),
        Column::optional("pmr_vector", CellKind::Number),
        Column::optional("pmr_contract_pr", CellKind::Number),
        Column::optional("pmr_fixed_point_ilp_integer", CellKind::Number),
    ],
};
const WAVE: usize = 0;
const START: usize = 1;
const END: usize = 2;
const NEEDED: usize = 3;
const CAPACITY: usize = 4;
const DEFICIT: usize = 5;
const BUDGET: usize = 6;
const OVERSHOOT: usize = BUDGET + POLICIES.len();
const LARGEST: usize = OVERSHOOT + POLICIES.len();

/// Quanta in a dollar.
const QUANTA: f64 = 1e8;
/// The most dollars of one cell: sums of any number of rows stay far below the largest integer.
const MOST: f64 = 1e15;
/// Published sums in floating point miss by less than a cent.
const CENT: i128 = 1_000_000;

/// What a policy took in a wave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// Taken from winners, quanta of 1e-8 dollar.
    pub budget: i128,
    /// The published difference from what was needed, quanta; below 0 where too little was taken.
    pub overshoot: i128,
    /// Largest fraction that a winner lost of what it had.
    pub largest_haircut: f64,
}

/// One wave: fills of auto-deleveraging close together in time.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave {
    /// Its number, above that of the row before.
    pub number: u64,
    /// First fill.
    pub start: jiff::Timestamp,
    /// Last fill, not before the first.
    pub end: jiff::Timestamp,
    /// What closing the losers away from the mark cost, quanta of 1e-8 dollar.
    pub needed: i128,
    /// What winners had to give: the lower of unrealised profit and equity, summed; quanta.
    pub capacity: i128,
    /// Equity of losers below 0, summed; quanta.
    pub deficit: i128,
    /// What each of [`POLICIES`] took.
    pub taken: [Taken; POLICIES.len()],
}

/// Reads a file of waves.
///
/// # Errors
/// [`Error::Io`] where the file does not exist; [`Error::Refused`] with every broken rule: cells out of range, waves out of
/// order, a wave that ends before it starts, an overshoot that is not the budget less what was needed (to a cent).
pub fn read(path: &Path) -> Result<Vec<Wave>> {
    std::fs::metadata(path).map_err(|source| Error::io(path, source))?;
    let mut log = FaultLog::default();
    let mut waves: Vec<Wave> = Vec::new();
    table::read_file(path, &LAYOUT, &mut log, |row| {
        let Some(wave) = read_wave(row) else { return };
        if let Some(last) = waves.last().filter(|last| last.number >= wave.number) {
            row.refuse_cell(WAVE, format!("waves ascend: the last is {}", last.number), "sort the rows");
        }
        if wave.end < wave.start {
            row.refuse_cell(END, format!("a wave does not end before its start, {}", wave.start), "correct it");
        }
        for (index, taken) in wave.taken.iter().enumerate() {
            let expected = taken.budget - wave.needed;
            if (taken.overshoot - expected).abs() > CENT {
                let expected = expected as f64 / QUANTA;
                let rule = format!("an overshoot is the budget less budget_needed: expected {expected:.2}");
                row.refuse_cell(OVERSHOOT + index, rule, "correct it");
            }
        }
        waves.push(wave);
    });
    if log.total() == 0 && waves.is_empty() {
        log.push(Fault::of_table(LAYOUT.table, "the file has no waves", "add at least one row"));
    }
    let faults = log.into_faults();
    if faults.is_empty() { Ok(waves) } else { Err(Error::Refused(faults)) }
}

/// The cells of a row, all of them looked at so that every fault is found.
fn read_wave(row: &mut Row<'_>) -> Option<Wave> {
    let number = number(row);
    let (start, end) = (moment(row, START), moment(row, END));
    let [needed, capacity, deficit] = [NEEDED, CAPACITY, DEFICIT].map(|column| amount(row, column));
    let taken: [Option<Taken>; POLICIES.len()] = std::array::from_fn(|policy| {
        let budget = amount(row, BUDGET + policy);
        let overshoot = quanta(row, OVERSHOOT + policy, NumberRule::Amount);
        let largest_haircut = row.required_number(LARGEST + policy, NumberRule::NonNegative);
        Some(Taken { budget: budget?, overshoot: overshoot?, largest_haircut: largest_haircut? })
    });
    let taken: Vec<Taken> = taken.into_iter().collect::<Option<_>>()?;
    Some(Wave {
        number: number?,
        start: start?,
        end: end?,
        needed: needed?,
        capacity: capacity?,
        deficit: deficit?,
        taken: taken.try_into().ok()?,
    })
}

fn number(row: &mut Row<'_>) -> Option<u64> {
    let number = row.required_number(WAVE, NumberRule::NonNegative)?;
    if number.fract() != 0.0 || number > 1e9 {
        row.refuse_cell(WAVE, "a wave has a whole number, at most 1e9", "correct it");
        return None;
    }
    Some(number as u64)
}

fn moment(row: &mut Row<'_>, column: usize) -> Option<jiff::Timestamp> {
    let moment = row.time(column);
    if moment.is_none() && row.is_blank(column) {
        row.refuse_cell(column, "a required value is missing", "fill the cell in");
    }
    moment
}

/// Dollars that are not below 0, as quanta.
fn amount(row: &mut Row<'_>, column: usize) -> Option<i128> {
    quanta(row, column, NumberRule::NonNegative)
}

/// Dollars as quanta, rounded to the nearest.
fn quanta(row: &mut Row<'_>, column: usize, rule: NumberRule) -> Option<i128> {
    let dollars = row.required_number(column, rule)?;
    if dollars.abs() > MOST {
        row.refuse_cell(column, "an amount is at most 1e15 dollars", "correct it");
        return None;
    }
    Some((dollars * QUANTA).round() as i128)
}
