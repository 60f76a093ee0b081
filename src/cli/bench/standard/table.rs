//! A run as text.

use std::fmt::Write;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, LineStyle, Table};

use super::compare::Comparison;
use super::report::{Engine, Measured, Report, Row, RowResult};
use crate::engine::ceiling::Clock;
use crate::error::one_line;
use crate::report::{count, percent};

/// The whole report: what ran on what, its ceilings, rows, what was not run, and the comparison where there is one.
pub(super) fn text(report: &Report, comparison: Option<&Comparison>) -> String {
    let machine = &report.machine;
    let cpu = if machine.cpu.is_empty() { "an unnamed processor" } else { &machine.cpu };
    let mut text = format!(
        "plimsoll {} on {cpu}, {} cores, {} threads, {}\n",
        report.version, machine.cores, machine.threads, machine.system
    );
    for engine in &report.engines {
        if let Some(adapter) = &engine.adapter {
            let kind = if engine.is_software { "SOFTWARE: says nothing of any GPU" } else { &adapter.kind };
            line(
                &mut text,
                format_args!("{}: {} ({kind}, {}, {})", engine.name, adapter.name, adapter.backend, adapter.driver),
            );
        }
    }
    report.not_run.iter().for_each(|reason| line(&mut text, format_args!("{reason}")));
    line(&mut text, format_args!("\n{}", ceilings(&report.engines)));
    line(&mut text, format_args!("\n{}", rows(&report.rows)));
    for row in &report.rows {
        let title = format!("{} {} {}", row.workload, row.size, row.engine);
        match &row.result {
            RowResult::Measured(_) => {}
            RowResult::Wrong { reason } => line(&mut text, format_args!("{title}: WRONG ANSWERS, no speed: {reason}")),
            RowResult::Failed { reason } => line(&mut text, format_args!("{title}: failed: {reason}")),
            RowResult::LeftOut { needs_seconds } => {
                line(&mut text, format_args!("{title}: left out (needs about {} s)", needs_seconds.ceil()));
            }
        }
    }
    if let Some(comparison) = comparison {
        compared(&mut text, comparison);
    }
    text.trim_end().to_string()
}

/// Writing to a string cannot fail.
fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{arguments}");
}

fn table(header: &[&str], left_columns: usize) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none())).set_header(header.to_vec());
    for (at, column) in table.column_iter_mut().enumerate() {
        let alignment = if at < left_columns { CellAlignment::Left } else { CellAlignment::Right };
        column.set_cell_alignment(alignment);
    }
    table
}

/// A name, marked where it is that of a software adapter.
fn marked(name: &str, is_software: bool) -> String {
    if is_software { format!("{name} (software)") } else { name.into() }
}

fn ceilings(engines: &[Engine]) -> Table {
    let header = ["ceilings", "copy GB/s", "L2 GB/s", "L1 GB/s", "f32 G fma/s", "f64 G fma/s", "clock"];
    let mut table = table(&header, 1);
    for engine in engines {
        let giga = |value: Option<f64>| value.map_or("–".into(), |value| figure(value / 1e9));
        let ceilings = &engine.ceilings;
        table.add_row([
            marked(&engine.name, engine.is_software),
            giga(Some(ceilings.copy_bytes)),
            giga(Some(ceilings.l2_bytes)),
            giga(ceilings.l1_bytes),
            giga(Some(ceilings.multiply_adds_f32)),
            giga(ceilings.multiply_adds_f64),
            match ceilings.clock {
                Clock::Host => "host".into(),
                Clock::Device => "device".into(),
            },
        ]);
    }
    table
}

fn rows(rows: &[Row]) -> Table {
    let header = [
        "workload",
        "size",
        "engine",
        "M cells",
        "M cells/s",
        "GB/s",
        "of ceiling",
        "revalue s",
        "sweep s",
        "audit s",
        "re-decided",
    ];
    let mut table = table(&header, 3);
    for row in rows {
        let RowResult::Measured(measured) = &row.result else { continue };
        table.add_row(cells(row, measured));
    }
    table
}

fn cells(row: &Row, measured: &Measured) -> Vec<String> {
    let ceiling = if measured.ceiling == "l2" { "L2" } else { "fma" };
    vec![
        row.workload.clone(),
        row.size.clone(),
        marked(&row.engine, row.is_software),
        count((measured.cells as f64 / 1e6).round() as u64),
        figure(measured.cells_per_second / 1e6),
        figure(measured.bytes_per_second / 1e9),
        format!("{} {ceiling}", percent(measured.ceiling_share)),
        format!("{:.4}", measured.seconds.revalue),
        format!("{:.4}", measured.seconds.sweep),
        format!("{:.4}", measured.seconds.audit),
        percent(measured.redecided_share),
    ]
}

fn compared(text: &mut String, comparison: &Comparison) {
    line(text, format_args!("\ncompared with the run of {}", one_line(&comparison.date)));
    comparison.differs.iter().for_each(|what| line(text, format_args!("differs: {what}")));
    let mut table = table(&["workload", "size", "engine", "then M cells/s", "now M cells/s", "now / then"], 3);
    for ratio in &comparison.ratios {
        let speed = |cells_per_second: f64| figure(cells_per_second / 1e6);
        table.add_row([
            ratio.workload.clone(),
            ratio.size.clone(),
            ratio.engine.clone(),
            speed(ratio.before),
            speed(ratio.now),
            format!("{:.3}", ratio.ratio),
        ]);
    }
    if !comparison.ratios.is_empty() {
        line(text, format_args!("{table}"));
    }
    comparison.without_ratio.iter().for_each(|what| line(text, format_args!("{what}")));
}

/// Three digits, or all before the point.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => count(value.round() as u64),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{measured, report};
    use super::*;

    #[test]
    fn a_speed_is_told_of_right_answers_only_and_nothing_is_dropped() {
        let mut report = report(&[
            ("linear", measured(2.5e9)),
            ("brackets", RowResult::Wrong { reason: "answers differ".into() }),
            ("options", RowResult::Failed { reason: "device lost".into() }),
            ("grid", RowResult::LeftOut { needs_seconds: 41.2 }),
        ]);
        report.not_run.push("gpu 0: llvmpipe: software, not run".into());
        let text = text(&report, None);
        assert!(text.contains("2,500"), "{text}");
        assert!(text.contains("brackets small cpu: WRONG ANSWERS, no speed: answers differ"), "{text}");
        assert!(text.contains("options small cpu: failed: device lost"), "{text}");
        assert!(text.contains("grid small cpu: left out (needs about 42 s)"), "{text}");
        assert!(text.contains("llvmpipe: software, not run"), "{text}");
        assert_eq!(text.lines().filter(|line| line.contains("2,500")).count(), 1);
    }

    #[test]
    fn a_software_adapter_is_marked_wherever_it_stands() {
        let mut report = report(&[("linear", measured(1e8))]);
        report.engines[0].is_software = true;
        report.rows[0].is_software = true;
        let text = text(&report, None);
        assert_eq!(text.matches("cpu (software)").count(), 2, "{text}");
    }
}
