use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;

use super::OracleTables;
use super::subject::{self, About, Names};
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, Row, RowCounts};

static LAYOUT: Layout = Layout {
    table: "price_history",
    columns: &[
        Column::optional("subject", CellKind::Text),
        Column::optional("asset", CellKind::Text),
        Column::optional("underlying", CellKind::Text),
        Column::required("timestamp", CellKind::Time),
        Column::required("price", CellKind::Number),
    ],
};
const SUBJECTS: [(usize, &str, About); 3] =
    [(0, "subject", About::Subject), (1, "asset", About::Asset), (2, "underlying", About::Underlying)];
const TIMESTAMP: usize = 3;
const PRICE: usize = 4;

/// Reads earlier prices, in any order.
pub(super) fn read(dir: &Path, names: Option<&Names<'_>>, tables: &mut OracleTables, log: &mut FaultLog) -> RowCounts {
    let mut rows: HashMap<(String, Timestamp), u64> = HashMap::new();
    let each = |row: &mut Row<'_>| {
        let found = subject::read(row, &SUBJECTS, names);
        let moment = super::moment(row, TIMESTAMP);
        let price = row.required_number(PRICE, NumberRule::Positive);
        let (Some((name, _)), Some(moment), Some(price)) = (found, moment, price) else { return };
        if let Some(first) = rows.get(&(name.into(), moment)) {
            let rule = format!("a subject has one price at a moment; row {first} has the same");
            row.refuse_cell(TIMESTAMP, rule, "remove one of them");
        } else {
            rows.insert((name.into(), moment), row.number());
        }
        if !row.is_refused() {
            tables.subjects.entry(name.into()).or_default().history.push((moment, price));
        }
    };
    table::read(dir, &LAYOUT, Presence::Optional, log, each).counts
}
