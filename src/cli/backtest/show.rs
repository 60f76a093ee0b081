//! Findings as JSON and as text.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value, json};

use super::Findings;
use crate::backtest::{LossOf, Model, Requirement};
use crate::io::results::BacktestRow;

/// Portfolios and pools shown on a terminal, and pools in JSON; the file has them all.
const SHOWN: usize = 20;

impl Findings<'_> {
    /// The findings as one JSON object: what scripts rely on.
    pub(super) fn json(&self, rows: &[BacktestRow<'_>]) -> Value {
        let of = |wanted: fn(&str) -> bool| -> Vec<Value> {
            rows.iter().filter(|row| wanted(row.kind)).map(row_json).collect()
        };
        let pools = worst(rows, |kind| kind == "pool", SHOWN);
        let rolling = self.options.rolling.map(|rolling| {
            json!({"window": rolling.window, "floor_window": self.args.floor_window,
                "stressed_weight": rolling.stressed_weight, "buffer": rolling.buffer.share,
                "buffer_rise": rolling.buffer.rise, "buffer_rise_rows": rolling.buffer.rise_rows,
                "buffer_rebuild_rows": rolling.buffer.rebuild_rows})
        });
        let left_out = self.left_out.iter().map(|left_out| {
            json!({"kind": left_out.shape.name(), "portfolio": left_out.underlying, "reason": left_out.reason})
        });
        json!({
            "requirement": self.requirement(),
            "loss": self.loss(),
            "level": self.options.level,
            "horizon_rows": self.options.horizon,
            "dependent": self.options.horizon > 1,
            "filtered": self.args.filtered,
            "rows": self.rows.2,
            "from": self.rows.0,
            "to": self.rows.1,
            "step_hours": self.report.step_hours,
            "rows_per_day": self.options.rows_per_day,
            "longer_steps": self.report.gaps.len(),
            "rolling": rolling,
            "pools_tested": self.book.pools.len(),
            "pools_without_requirement": self.book.without_requirement,
            "unknown_pools": self.book.unknown,
            "synthetic": of(|kind| kind != "pool" && kind != "book"),
            "left_out": left_out.collect::<Vec<_>>(),
            "book": of(|kind| kind == "book"),
            "worst_pools": pools.into_iter().map(row_json).collect::<Vec<_>>(),
            "seconds": self.seconds,
        })
    }

    /// The findings for reading.
    pub(super) fn text(&self, rows: &[BacktestRow<'_>]) -> String {
        let (from, to, count) = &self.rows;
        let percent = 100.0 * self.options.level;
        let mut lines = vec![format!(
            "{} margin against losses of {} over {} row(s) of {} h, {count} observations, {from} to {to}; level {percent} %",
            self.requirement(),
            self.loss(),
            self.options.horizon,
            self.report.step_hours
        )];
        lines.push(format!(
            "{} synthetic portfolios, {} pools of the book; {} pools have no requirement, {} portfolios are left out",
            self.synthetic.len(),
            self.book.pools.len(),
            self.book.without_requirement,
            self.left_out.len()
        ));
        let is_synthetic = |kind: &str| kind != "pool" && kind != "book";
        let shown = worst(rows, is_synthetic, SHOWN);
        let book = rows.iter().filter(|row| row.kind == "book");
        let pools = worst(rows, |kind| kind == "pool", SHOWN / 2);
        lines.push(format!("\nlowest coverage first:\n{}", table(shown.into_iter().chain(book).chain(pools))));
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        self.left_out.iter().for_each(|left_out| *reasons.entry(&left_out.reason).or_default() += 1);
        lines.extend(reasons.into_iter().map(|(reason, count)| format!("left out, {count}: {reason}")));
        lines.push(
            "prices move alone: volatilities, rates and bases stand still, and so does what the panel lacks".into(),
        );
        if self.options.horizon > 1 {
            lines.push("windows overlap: observations depend on each other, and the tests reject too easily".into());
        }
        if !self.book.pools.is_empty() {
            lines.push("the book pools pools that share a market: its p-values are no evidence by themselves".into());
        }
        lines.push(format!("{:.1} s", self.seconds));
        lines.join("\n")
    }

    fn requirement(&self) -> &'static str {
        match self.options.requirement {
            Requirement::Initial => "initial",
            Requirement::Maintenance => "maintenance",
        }
    }

    fn loss(&self) -> &'static str {
        match self.options.loss_of {
            LossOf::Equity => "equity",
            LossOf::Positions => "positions",
        }
    }
}

/// The portfolios of these kinds with the lowest coverage under the rulebook, each with all its rows; about `limit` rows.
fn worst<'r, 'a>(rows: &'r [BacktestRow<'a>], wanted: fn(&str) -> bool, limit: usize) -> Vec<&'r BacktestRow<'a>> {
    let starts = |row: &BacktestRow<'_>| row.tested.model == Model::Rulebook;
    let groups = rows.chunk_by(|_, next| !starts(next));
    let mut groups: Vec<_> = groups.filter(|group| wanted(group[0].kind)).collect();
    let coverage = |group: &[BacktestRow<'_>]| group[0].tested.coverage.share().unwrap_or(f64::INFINITY);
    groups.sort_by(|a, b| coverage(a).total_cmp(&coverage(b)));
    groups.into_iter().flatten().take(limit).collect()
}

fn row_json(row: &BacktestRow<'_>) -> Value {
    let coverage = &row.tested.coverage;
    let mut object = Map::from_iter([
        ("kind".into(), row.kind.into()),
        ("portfolio".into(), row.portfolio.into()),
        ("pool".into(), row.pool.into()),
        ("model".into(), row.tested.model.name().into()),
        ("observations".into(), coverage.observations.into()),
        ("exceedances".into(), coverage.exceedances.into()),
        ("first_yellow".into(), row.statistics.light.map(|light| light.first_yellow).into()),
        ("first_red".into(), row.statistics.light.map(|light| light.first_red).into()),
        ("zone".into(), row.zone().into()),
        ("dependent".into(), row.dependent.into()),
    ]);
    object.extend(BacktestRow::FIGURES.map(String::from).into_iter().zip(row.figures().map(Value::from)));
    object.into()
}

fn table<'r>(rows: impl Iterator<Item = &'r BacktestRow<'r>>) -> Table {
    let rows: Vec<_> = rows.collect();
    let moves = rows.iter().any(|row| row.tested.procyclicality.is_some());
    let mut header = vec!["portfolio", "exceeded", "of", "coverage %", "zone", "Kupiec p", "indep. p"];
    header.extend(["mean shortfall", "max shortfall", "requirement"]);
    if moves {
        header.extend(["peak/trough", "rise 1 d", "rise 5 d", "rise 30 d"]);
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for row in rows {
        table.add_row(cells(row, moves));
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn cells(row: &BacktestRow<'_>, moves: bool) -> Vec<String> {
    let coverage = &row.tested.coverage;
    let figures: BTreeMap<&str, Option<f64>> = BacktestRow::FIGURES.into_iter().zip(row.figures()).collect();
    let figure = |name: &str, places: usize| {
        figures.get(name).copied().flatten().map_or_else(|| "–".into(), |value| format!("{value:.places$}"))
    };
    let model = if row.tested.model == Model::Rulebook { "" } else { row.tested.model.name() };
    let name: Vec<&str> = [row.kind, row.portfolio, row.pool.unwrap_or_default(), model]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let share = coverage.share().map_or_else(|| "–".into(), |share| format!("{:.2}", 100.0 * share));
    let mut cells = vec![name.join(" "), coverage.exceedances.to_string(), coverage.observations.to_string(), share];
    cells.push(row.zone().unwrap_or("–").into());
    cells.extend([("kupiec_p", 4), ("christoffersen_p", 4)].map(|(name, places)| figure(name, places)));
    cells.extend(
        [("mean_shortfall", 2), ("max_shortfall", 2), ("requirement", 2)].map(|(name, places)| figure(name, places)),
    );
    if moves {
        let names = ["peak_to_trough", "rise_1_day", "rise_5_days", "rise_30_days"];
        cells.extend(names.map(|name| figure(name, 2)));
    }
    cells
}
