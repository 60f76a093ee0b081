use std::path::Path;

use super::names::{Keyed, Names};
use crate::domain::Underlying;
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, TableRead};

pub(in crate::io) static LAYOUT: Layout = Layout {
    table: "underlyings",
    columns: &[
        Column::required("underlying", CellKind::Text),
        Column::required("index_price", CellKind::Number),
        Column::optional("factor", CellKind::Text),
        Column::optional("beta", CellKind::Number),
        Column::optional("volatility_index", CellKind::Number),
        Column::optional("depth", CellKind::Number),
        Column::optional("adv", CellKind::Number),
        Column::optional("open_interest", CellKind::Number),
        Column::optional("confidence", CellKind::Number),
    ],
};
const UNDERLYING: usize = 0;
const INDEX_PRICE: usize = 1;
const FACTOR: usize = 2;
const BETA: usize = 3;
const VOLATILITY_INDEX: usize = 4;
const DEPTH: usize = 5;
const ADV: usize = 6;
const OPEN_INTEREST: usize = 7;
const CONFIDENCE: usize = 8;

/// Reads the underlyings.
pub(super) fn read(dir: &Path, log: &mut FaultLog) -> (Vec<Underlying>, Names, TableRead) {
    let mut underlyings = Keyed::default();
    let outcome = table::read(dir, &LAYOUT, Presence::Required, log, |row| {
        let Some(name) = row.required_text(UNDERLYING) else { return };
        underlyings.claim(row, UNDERLYING, name);
        let underlying = Underlying {
            name: name.into(),
            index_price: row.required_number(INDEX_PRICE, NumberRule::Positive).unwrap_or(0.0),
            factor: row.text(FACTOR).unwrap_or(name).into(),
            beta: row.number_at(BETA, NumberRule::Amount).unwrap_or(1.0),
            volatility_index: row.number_at(VOLATILITY_INDEX, NumberRule::Positive),
            depth_quote: row.number_at(DEPTH, NumberRule::NonNegative),
            adv_quote: row.number_at(ADV, NumberRule::NonNegative),
            open_interest_quote: row.number_at(OPEN_INTEREST, NumberRule::NonNegative),
            confidence: row.number_at(CONFIDENCE, NumberRule::Share).unwrap_or(1.0),
            volatility_shock: Default::default(),
        };
        underlyings.add(row, name, (!row.is_refused()).then_some(underlying));
    });
    let (underlyings, names) = underlyings.finish(|underlying| &underlying.name);
    (underlyings, names, outcome)
}
