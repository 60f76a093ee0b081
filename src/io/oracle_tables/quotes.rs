use std::collections::HashMap;
use std::path::Path;

use super::OracleTables;
use super::subject::{self, About, Names};
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, Row, RowCounts};
use crate::oracle::{Quote, SourceStatus};

static LAYOUT: Layout = Layout {
    table: "quotes",
    columns: &[
        Column::required("source", CellKind::Text),
        Column::optional("subject", CellKind::Text),
        Column::optional("asset", CellKind::Text),
        Column::optional("underlying", CellKind::Text),
        Column::required("price", CellKind::Number),
        Column::optional("confidence", CellKind::Number),
        Column::required("timestamp", CellKind::Time),
        Column::optional("weight", CellKind::Number),
        Column::optional("heartbeat_seconds", CellKind::Number),
        Column::optional("status", CellKind::Text),
        Column::optional("capture_cost", CellKind::Number),
        Column::optional("adv", CellKind::Number),
    ],
};
const SOURCE: usize = 0;
const SUBJECTS: [(usize, &str, About); 3] =
    [(1, "subject", About::Subject), (2, "asset", About::Asset), (3, "underlying", About::Underlying)];
const PRICE: usize = 4;
const CONFIDENCE: usize = 5;
const TIMESTAMP: usize = 6;
const WEIGHT: usize = 7;
const HEARTBEAT: usize = 8;
const STATUS: usize = 9;
const CAPTURE_COST: usize = 10;
const ADV: usize = 11;

/// Where the table is.
pub(super) enum At<'a> {
    /// In a directory, under its own name; it may be absent.
    Directory(&'a Path),
    /// In this file.
    File(&'a Path),
}

/// Reads the quotes.
pub(super) fn read(at: At<'_>, names: Option<&Names<'_>>, tables: &mut OracleTables, log: &mut FaultLog) -> RowCounts {
    let mut rows: HashMap<(String, String), u64> = HashMap::new();
    let each = |row: &mut Row<'_>| {
        let Some(quote) = read_quote(row, names) else { return };
        let key = (quote.subject.clone(), quote.source.clone());
        if let Some(first) = rows.get(&key) {
            let rule = format!("a source quotes a subject once; row {first} has the same");
            row.refuse(SOURCE, quote.source, rule, "remove one of them");
            return;
        }
        rows.insert(key, row.number());
        if !row.is_refused() {
            tables.subjects.entry(quote.subject.clone()).or_default().quotes.push(quote);
        }
    };
    match at {
        At::Directory(dir) => table::read(dir, &LAYOUT, Presence::Optional, log, each).counts,
        At::File(path) => table::read_file(path, &LAYOUT, log, each).counts,
    }
}

/// The cells of a row, all of them looked at so that every fault is found.
fn read_quote(row: &mut Row<'_>, names: Option<&Names<'_>>) -> Option<Quote> {
    let source = row.required_text(SOURCE);
    let subject = subject::read(row, &SUBJECTS, names);
    let price = row.required_number(PRICE, NumberRule::Amount);
    let confidence = row.number_at(CONFIDENCE, NumberRule::NonNegative).unwrap_or(0.0);
    let published_at = super::moment(row, TIMESTAMP);
    let weight = row.number_at(WEIGHT, NumberRule::Amount).unwrap_or(1.0);
    if !(Quote::LEAST_WEIGHT..=Quote::LARGEST_WEIGHT).contains(&weight) {
        row.refuse_cell(WEIGHT, "a weight is between 1e-9 and 1e9", "correct it");
    }
    let heartbeat_seconds = row.number_at(HEARTBEAT, NumberRule::Positive);
    let status = row.word(STATUS, &SourceStatus::WORDS).unwrap_or_default();
    let capture_cost = row.number_at(CAPTURE_COST, NumberRule::NonNegative);
    let adv_quote = row.number_at(ADV, NumberRule::NonNegative);
    Some(Quote {
        source: source?.into(),
        subject: subject?.0.into(),
        price: price?,
        confidence,
        published_at: published_at?,
        weight,
        heartbeat_seconds,
        status,
        capture_cost,
        adv_quote,
    })
}
