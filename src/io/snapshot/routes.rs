use std::path::Path;

use super::names::{Keyed, Names};
use crate::domain::{Latency, Route};
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, Row, TableRead};

pub(in crate::io) static LAYOUT: Layout = Layout {
    table: "routes",
    columns: &[
        Column::required("route", CellKind::Text),
        Column::optional("from_network", CellKind::Text),
        Column::optional("to_network", CellKind::Text),
        Column::required("finality_seconds", CellKind::Number),
        Column::optional("finality_p99_seconds", CellKind::Number),
        Column::required("message_seconds", CellKind::Number),
        Column::optional("message_p99_seconds", CellKind::Number),
        Column::optional("liquidation_seconds", CellKind::Number),
        Column::optional("failure_per_year", CellKind::Number),
        Column::optional("loss_given_failure", CellKind::Number),
        Column::optional("review_days", CellKind::Number),
        Column::optional("capital_multiple", CellKind::Number),
        Column::optional("haircut", CellKind::Number),
        Column::optional("cap_quote", CellKind::Number),
    ],
};
const ROUTE: usize = 0;
const FROM_NETWORK: usize = 1;
const TO_NETWORK: usize = 2;
const FINALITY: usize = 3;
const FINALITY_P99: usize = 4;
const MESSAGE: usize = 5;
const MESSAGE_P99: usize = 6;
const LIQUIDATION: usize = 7;
const FAILURE_PER_YEAR: usize = 8;
const LOSS_GIVEN_FAILURE: usize = 9;
const REVIEW_DAYS: usize = 10;
const CAPITAL_MULTIPLE: usize = 11;
const HAIRCUT: usize = 12;
const CAP_QUOTE: usize = 13;

/// Reads the routes; none where there is no such table.
pub(super) fn read(dir: &Path, log: &mut FaultLog) -> (Vec<Route>, Names, TableRead) {
    let mut routes = Keyed::default();
    let outcome = table::read(dir, &LAYOUT, Presence::Optional, log, |row| {
        let Some(name) = row.required_text(ROUTE) else { return };
        routes.claim(row, ROUTE, name);
        if name.contains(['@', ':']) {
            let rule = "a route's name has no @ and no :, which assets on routes are named with";
            row.refuse(ROUTE, name, rule, "rename it");
        }
        let route = read_row(row, name);
        routes.add(row, name, route.filter(|_| !row.is_refused()));
    });
    let (routes, names) = routes.finish(|route| &route.name);
    (routes, names, outcome)
}

/// Reads every cell, so that every fault of the row is found.
fn read_row(row: &mut Row<'_>, name: &str) -> Option<Route> {
    let finality = read_latency(row, FINALITY, FINALITY_P99);
    let message = read_latency(row, MESSAGE, MESSAGE_P99);
    let liquidation_seconds = row.number_at(LIQUIDATION, NumberRule::Positive);
    let failure_per_year = row.number_at(FAILURE_PER_YEAR, NumberRule::NonNegative);
    let loss_given_failure = row.number_at(LOSS_GIVEN_FAILURE, NumberRule::Share);
    let review_days = row.number_at(REVIEW_DAYS, NumberRule::NonNegative);
    let capital_multiple = row.number_at(CAPITAL_MULTIPLE, NumberRule::NonNegative);
    let haircut = row.number_at(HAIRCUT, NumberRule::Share);
    let cap_quote = row.number_at(CAP_QUOTE, NumberRule::NonNegative);
    let (from_network, to_network) = (row.text(FROM_NETWORK), row.text(TO_NETWORK));
    Some(Route {
        from_network: from_network.map(Into::into),
        to_network: to_network.map(Into::into),
        liquidation_seconds: liquidation_seconds.unwrap_or(Route::LIQUIDATION_SECONDS),
        failure_per_year: failure_per_year.unwrap_or(Route::FAILURE_PER_YEAR),
        loss_given_failure: loss_given_failure.unwrap_or(Route::LOSS_GIVEN_FAILURE),
        review_days: review_days.unwrap_or(Route::REVIEW_DAYS),
        capital_multiple: capital_multiple.unwrap_or(0.0),
        haircut,
        cap_quote,
        ..Route::new(name, finality?, message?)
    })
}

fn read_latency(row: &mut Row<'_>, typical: usize, p99: usize) -> Option<Latency> {
    let seconds = row.required_number(typical, NumberRule::NonNegative);
    let p99_seconds = row.number_at(p99, NumberRule::NonNegative);
    let latency = Latency::typical(seconds?);
    match p99_seconds {
        None => Some(latency),
        Some(p99_seconds) if p99_seconds < latency.typical_seconds => {
            let rule = format!("the 99 % quantile is at least the typical time, {}", latency.typical_seconds);
            row.refuse(p99, p99_seconds.to_string(), rule, "correct one of them");
            None
        }
        Some(p99_seconds) => Some(Latency { p99_seconds, ..latency }),
    }
}
