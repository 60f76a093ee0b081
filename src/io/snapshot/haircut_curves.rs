use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::HaircutCurve;
use crate::error::Fault;
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, TableRead};

pub(in crate::io) static LAYOUT: Layout = Layout {
    table: "haircut_curves",
    columns: &[
        Column::required("class", CellKind::Text),
        Column::required("horizon_seconds", CellKind::Number),
        Column::required("haircut", CellKind::Number),
    ],
};
const CLASS: usize = 0;
const HORIZON: usize = 1;
const HAIRCUT: usize = 2;

/// A point of a curve and its row.
struct Point {
    seconds: f64,
    haircut: f64,
    row: u64,
}

/// Reads the curves, rows in any order; none where there is no such table.
pub(super) fn read(dir: &Path, log: &mut FaultLog) -> (Vec<HaircutCurve>, TableRead) {
    let mut points: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    let mut outcome = table::read(dir, &LAYOUT, Presence::Optional, log, |row| {
        let class = row.required_text(CLASS);
        let seconds = row.required_number(HORIZON, NumberRule::Positive);
        let haircut = row.required_number(HAIRCUT, NumberRule::Share);
        if let (Some(class), Some(seconds), Some(haircut), false) = (class, seconds, haircut, row.is_refused()) {
            points.entry(class.into()).or_default().push(Point { seconds, haircut, row: row.number() });
        }
    });
    let curves = points.into_iter().map(|(class, mut points)| {
        points.sort_by(|a, b| a.seconds.total_cmp(&b.seconds).then(a.row.cmp(&b.row)));
        let mut kept: Vec<Point> = Vec::with_capacity(points.len());
        for point in points {
            let broken = kept.last().and_then(|before| broken(before, &point));
            match broken {
                Some(fault) => {
                    log.push(fault);
                    outcome.counts.refuse_later();
                }
                None => kept.push(point),
            }
        }
        HaircutCurve { class, points: kept.into_iter().map(|point| (point.seconds, point.haircut)).collect() }
    });
    (curves.collect(), outcome)
}

/// What a point breaks beside the one before it.
fn broken(before: &Point, point: &Point) -> Option<Fault> {
    let fault = |column, value: f64, rule, remedy: &str| {
        Some(Fault::of_cell((LAYOUT.table, point.row, column), value.to_string(), rule, remedy))
    };
    if point.seconds == before.seconds {
        let rule = format!("one row for each class and horizon; row {} has the same", before.row);
        return fault("horizon_seconds", point.seconds, rule, "remove one of them");
    }
    if point.haircut < before.haircut {
        let rule = format!("more time never makes a fall smaller; row {} has {}", before.row, before.haircut);
        return fault("haircut", point.haircut, rule, "take the larger of the two");
    }
    None
}
