use std::collections::HashMap;
use std::path::Path;

use super::OracleTables;
use super::subject::{self, About, Names};
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, Row, RowCounts};
use crate::oracle::MarkInputs;

static LAYOUT: Layout = Layout {
    table: "marks",
    columns: &[
        Column::optional("subject", CellKind::Text),
        Column::optional("asset", CellKind::Text),
        Column::optional("underlying", CellKind::Text),
        Column::optional("instrument", CellKind::Text),
        Column::optional("basis_average", CellKind::Number),
        Column::optional("bid", CellKind::Number),
        Column::optional("ask", CellKind::Number),
        Column::optional("last", CellKind::Number),
        Column::optional("perpetual_median", CellKind::Number),
    ],
};
const SUBJECTS: [(usize, &str, About); 4] = [
    (0, "subject", About::Subject),
    (1, "asset", About::Asset),
    (2, "underlying", About::Underlying),
    (3, "instrument", About::Instrument),
];
const BASIS: usize = 4;
const BID: usize = 5;
const ASK: usize = 6;
const LAST: usize = 7;
const PERPETUAL: usize = 8;

/// Reads what marks are made of.
pub(super) fn read(dir: &Path, names: Option<&Names<'_>>, tables: &mut OracleTables, log: &mut FaultLog) -> RowCounts {
    let mut rows: HashMap<(bool, String), u64> = HashMap::new();
    let each = |row: &mut Row<'_>| {
        let found = subject::read(row, &SUBJECTS, names);
        let inputs = read_inputs(row);
        let Some((name, about)) = found else { return };
        let is_instrument = about == About::Instrument;
        if let Some(first) = rows.get(&(is_instrument, name.into())) {
            let rule = format!("names are unique; row {first} has the same");
            let column = SUBJECTS.iter().find(|(_, _, of)| *of == about).map_or(0, |(column, ..)| *column);
            row.refuse(column, name, rule, "remove one of them");
        } else {
            rows.insert((is_instrument, name.into()), row.number());
        }
        if row.is_refused() {
            return;
        }
        match is_instrument {
            true => drop(tables.instruments.insert(name.into(), inputs)),
            false => tables.subjects.entry(name.into()).or_default().mark_inputs = inputs,
        }
    };
    table::read(dir, &LAYOUT, Presence::Optional, log, each).counts
}

fn read_inputs(row: &mut Row<'_>) -> MarkInputs {
    let basis_average = row.number_at(BASIS, NumberRule::Amount);
    let [bid, ask, last, perpetual_median] =
        [BID, ASK, LAST, PERPETUAL].map(|column| row.number_at(column, NumberRule::Positive));
    if let Some((bid, _)) = bid.zip(ask).filter(|(bid, ask)| bid > ask) {
        row.refuse_cell(ASK, format!("an ask is not below the bid, {bid}"), "correct one of them");
    }
    MarkInputs { basis_average, bid, ask, last, perpetual_median }
}
