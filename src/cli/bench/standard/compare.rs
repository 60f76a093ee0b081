//! A run beside a former one: the ratio of each row, and what is not the same about the two.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::report::{Engine, Report, Row, RowResult, SCHEMA};
use crate::error::{Error, Fault, Result, one_line};

/// A former run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Former(Report);

/// What a former run says to a later one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Comparison {
    /// When the former run began.
    pub(super) date: String,
    /// What differs and makes ratios hard to read: machine, adapters, version, seed.
    pub(super) differs: Vec<String>,
    /// Rows that both runs measured.
    pub(super) ratios: Vec<Ratio>,
    /// Rows that only one of them measured, or with other answers, or at a speed that nothing can be divided by.
    pub(super) without_ratio: Vec<String>,
}

/// One row of both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Ratio {
    pub(super) workload: String,
    pub(super) size: String,
    pub(super) engine: String,
    /// Cells per second of the former run.
    pub(super) before: f64,
    /// Cells per second of this one.
    pub(super) now: f64,
    /// The second over the first.
    pub(super) ratio: f64,
}

impl Former {
    /// Reads what an earlier run wrote.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read, [`Error::Refused`] where it is not a run of this format.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let remedy = "give a file that plimsoll bench --json wrote";
        let refused = |rule: String| Error::Refused(vec![Fault::of_table(&name, rule, remedy)]);
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| refused(format!("is JSON: {}", one_line(error))))?;
        match value["schema"].as_str() {
            Some(SCHEMA) => {}
            Some(other) => return Err(refused(format!("its schema is {SCHEMA:?}, not {:?}", one_line(other)))),
            None => return Err(refused(format!("its schema is {SCHEMA:?}; it names none"))),
        }
        serde_json::from_value(value).map(Self).map_err(|error| refused(format!("has all fields: {}", one_line(error))))
    }

    /// This run beside that one.
    pub(super) fn beside(&self, report: &Report) -> Comparison {
        let former = &self.0;
        let mut comparison = Comparison {
            date: former.date.clone(),
            differs: differences(former, report),
            ratios: Vec::new(),
            without_ratio: Vec::new(),
        };
        for row in &report.rows {
            let title = title(row);
            match (former.rows.iter().find(|other| key(other) == key(row)).map(|row| &row.result), &row.result) {
                (Some(RowResult::Measured(before)), RowResult::Measured(now)) if before.digest == now.digest => {
                    let (before, now) = (before.cells_per_second, now.cells_per_second);
                    let ratio = now / before;
                    if ratio.is_finite() {
                        let Row { workload, size, engine, .. } = row.clone();
                        comparison.ratios.push(Ratio { workload, size, engine, before, now, ratio });
                    } else {
                        comparison.without_ratio.push(format!("{title}: no ratio to the former speed of {before}"));
                    }
                }
                (Some(RowResult::Measured(_)), RowResult::Measured(_)) => {
                    comparison.without_ratio.push(format!("{title}: the answers are not those of the former run"));
                }
                (_, RowResult::Measured(_)) => {
                    comparison.without_ratio.push(format!("{title}: not measured by the former run"));
                }
                _ => comparison.without_ratio.push(format!("{title}: not measured by this run")),
            }
        }
        let is_missing = |row: &&Row| {
            matches!(row.result, RowResult::Measured(_)) && !report.rows.iter().any(|other| key(other) == key(row))
        };
        let missing = former.rows.iter().filter(is_missing);
        comparison.without_ratio.extend(missing.map(|row| format!("{}: not in this run", one_line(title(row)))));
        comparison
    }
}

/// What makes rows of two runs the same row.
fn key(row: &Row) -> (&str, &str, &str) {
    (&row.workload, &row.size, &row.engine)
}

fn title(row: &Row) -> String {
    let (workload, size, engine) = key(row);
    format!("{workload} {size} {engine}")
}

/// What is not the same, as sentences.
fn differences(former: &Report, report: &Report) -> Vec<String> {
    let machine = |report: &Report| {
        let machine = &report.machine;
        format!("{}, {} cores, {} threads, {}", machine.cpu, machine.cores, machine.threads, machine.system)
    };
    let build = |report: &Report| match &report.commit {
        Some(commit) => format!("{} ({commit})", report.version),
        None => report.version.clone(),
    };
    let pairs = [
        ("machine", machine(former), machine(report)),
        ("version", build(former), build(report)),
        ("seed", former.seed.to_string(), report.seed.to_string()),
    ];
    let adapters = report.engines.iter().filter_map(|engine| {
        let before = former.engines.iter().find(|other| other.name == engine.name)?;
        Some((engine.name.as_str(), adapter(before), adapter(engine)))
    });
    pairs
        .into_iter()
        .chain(adapters)
        .filter(|(_, before, now)| before != now)
        .map(|(what, before, now)| format!("{what}: {} then, {now} here", one_line(before)))
        .collect()
}

fn adapter(engine: &Engine) -> String {
    let Some(adapter) = &engine.adapter else { return String::new() };
    format!("{} ({}, {})", adapter.name, adapter.backend, adapter.driver)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{measured, report};
    use super::*;

    fn former(report: &Report) -> Former {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("former.json");
        std::fs::write(&path, serde_json::to_vec(report).expect("JSON")).expect("written");
        Former::read(&path).expect("a run")
    }

    #[test]
    fn a_run_is_read_as_it_was_written_and_equals_itself() {
        let report = report(&[("linear", measured(2e9)), ("grid", RowResult::LeftOut { needs_seconds: 9.0 })]);
        let comparison = former(&report).beside(&report);
        assert_eq!(former(&report).0, report);
        assert!(comparison.differs.is_empty());
        assert_eq!(comparison.ratios.iter().map(|ratio| ratio.ratio).collect::<Vec<_>>(), [1.0]);
        assert_eq!(comparison.without_ratio, ["grid small cpu: not measured by this run"]);
    }

    #[test]
    fn ratios_are_of_rows_with_the_same_answers_and_differences_are_told() {
        let before = report(&[("linear", measured(2e9)), ("grid", measured(1e8))]);
        let mut now = report(&[("linear", measured(3e9)), ("grid", measured(1e8)), ("options", measured(1e9))]);
        (now.machine.cpu, now.version, now.seed) = ("another".into(), "9.9.9".into(), 8);
        if let RowResult::Measured(measured) = &mut now.rows[1].result {
            measured.digest = "other".into();
        }
        let comparison = former(&before).beside(&now);
        assert_eq!(comparison.ratios.iter().map(|ratio| ratio.ratio).collect::<Vec<_>>(), [1.5]);
        let told: Vec<&str> =
            comparison.differs.iter().filter_map(|line| line.split_once(':')).map(|(what, _)| what).collect();
        assert_eq!(told, ["machine", "version", "seed"]);
        assert_eq!(
            comparison.without_ratio,
            [
                "grid small cpu: the answers are not those of the former run",
                "options small cpu: not measured by the former run"
            ]
        );
    }

    #[test]
    fn rows_of_the_former_run_alone_are_told_where_it_measured_them() {
        let left_out = RowResult::LeftOut { needs_seconds: 9.0 };
        let before = report(&[("linear", measured(2e9)), ("grid\u{1b}[2J", measured(1e8)), ("options", left_out)]);
        let comparison = former(&before).beside(&report(&[("linear", measured(2e9))]));
        assert_eq!(comparison.ratios.len(), 1);
        assert_eq!(comparison.without_ratio, ["grid [2J small cpu: not in this run"]);
    }

    #[test]
    fn nothing_is_divided_by_a_speed_of_zero() {
        let comparison = former(&report(&[("linear", measured(0.0))])).beside(&report(&[("linear", measured(2e9))]));
        assert!(comparison.ratios.is_empty());
        assert_eq!(comparison.without_ratio, ["linear small cpu: no ratio to the former speed of 0"]);
    }

    #[test]
    fn what_is_no_run_is_refused_with_the_reason() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("former.json");
        assert_eq!(Former::read(&path).expect_err("missing").exit_code(), 2);
        let of_other_schema = r#"{"schema": "plimsoll-bench/0"}"#;
        let without_fields = format!(r#"{{"schema": "{SCHEMA}"}}"#);
        let cases = [("{", "JSON"), ("[]", "names none"), (of_other_schema, "bench/0"), (&without_fields, "field")];
        for (text, reason) in cases {
            std::fs::write(&path, text).expect("written");
            let error = Former::read(&path).expect_err(text);
            assert!(error.exit_code() == 3 && error.to_string().contains(reason), "{text}: {error}");
        }
    }
}
