//! `bench` by itself: the standard workloads on every engine and adapter of this machine, answers first, speeds after,
//! beside what the machine can do at most.

mod budget;
mod compare;
#[cfg(test)]
mod fixture;
mod lineup;
mod machine;
mod report;
mod rules;
mod table;
mod trial;
mod workload;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::progress::Meter;
use crate::cli::{Context, Format, print_json, print_text};
use crate::error::{Error, Result};
use crate::io::write_file;
use budget::Budget;
use compare::{Comparison, Former};
use lineup::{Asked, Lineup};
use machine::Machine;
use report::{Report, RowResult, SCHEMA};
use trial::{Plan, Trial};
use workload::{Size, Workload};

/// Exit code of wrong answers.
const WRONG_ANSWERS: u8 = 4;
/// Exit code of an engine that gave none.
const NO_ANSWERS: u8 = 75;

/// Arguments of `bench` without a subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Workloads to run [default: all].
    #[arg(long, value_enum, value_delimiter = ',')]
    workload: Vec<Workload>,
    /// Sizes to run.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Size::Small, Size::Medium])]
    size: Vec<Size>,
    /// Engines to run.
    #[arg(long, value_enum, default_value_t = Asked::Auto)]
    engine: Asked,
    /// Adapter to run on in place of every hardware one: its index, or a part of its name. Naming a software adapter is asking
    /// for it.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
    /// Worker threads (default: one per core).
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    threads: Option<u32>,
    /// Seed of books and scenarios; runs with another one are other work.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Timed runs of each row, after one that warms up; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    reps: u32,
    /// Seconds to spend: what would not fit in what is left of them is left out, and named.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..))]
    budget_seconds: u32,
    /// File for the results as JSON, to be shared or compared; appears whole or not at all.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A former run's JSON: prints the ratio of each row, and what differs.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let budget = Budget::of(Duration::from_secs(args.budget_seconds.into()));
    // Before two minutes are spent: what is to be read can be, and what is to be written has a place.
    let former = args.compare.as_deref().map(Former::read).transpose()?;
    args.json.as_deref().map(require_directory).transpose()?;
    let report = measure(args, budget, context)?;
    let comparison = former.map(|former| former.beside(&report));
    let object = object(&report, comparison.as_ref())?;
    if let Some(path) = &args.json {
        write_file(path, format!("{object:#}\n").as_bytes())?;
    }
    match context.format {
        Format::Json => print_json(&object),
        Format::Table => print_text(table::text(&report, comparison.as_ref())),
    }
    Ok(exit_code(&report))
}

fn measure(args: &Args, budget: Budget, context: Context) -> Result<Report> {
    let date = jiff::Timestamp::now().to_string();
    let threads = args.threads.map(|threads| threads as usize);
    let lineup = Lineup::new(args.engine, args.adapter.as_deref(), threads)?;
    let plan = Plan {
        workloads: chosen(&args.workload, &Workload::ALL),
        sizes: chosen(&args.size, &[]),
        seed: args.seed,
        threads,
        reps: args.reps,
    };
    let meter = Meter::of(context.progress, "sweeps");
    let rows = Trial::new(&plan, &lineup.contenders, budget, &meter).run();
    meter.finish();
    Ok(Report {
        schema: SCHEMA.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        commit: option_env!("PLIMSOLL_COMMIT").map(Into::into),
        date,
        seed: args.seed,
        machine: Machine::here(threads),
        engines: lineup.contenders.into_iter().map(|contender| contender.engine).collect(),
        not_run: lineup.not_run,
        rows: rows?,
    })
}

/// What was asked for, each once and in order; where nothing was, all.
fn chosen<T: Copy + Ord>(asked: &[T], all: &[T]) -> Vec<T> {
    let mut chosen = if asked.is_empty() { all.to_vec() } else { asked.to_vec() };
    chosen.sort();
    chosen.dedup();
    chosen
}

fn require_directory(file: &Path) -> Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match directory.is_dir() && !file.is_dir() {
        true => Ok(()),
        false => Err(Error::Usage(format!("--json {}: a file in a directory that exists", file.display()))),
    }
}

fn object(report: &Report, comparison: Option<&Comparison>) -> Result<Value> {
    let bug = |error: serde_json::Error| Error::Bug(error.to_string());
    let mut object = serde_json::to_value(report).map_err(bug)?;
    if let Some(comparison) = comparison {
        object["comparison"] = json!(comparison);
    }
    Ok(object)
}

fn exit_code(report: &Report) -> u8 {
    let any = |is: fn(&RowResult) -> bool| report.rows.iter().any(|row| is(&row.result));
    if any(|result| matches!(result, RowResult::Wrong { .. })) {
        WRONG_ANSWERS
    } else if any(|result| matches!(result, RowResult::Failed { .. })) {
        NO_ANSWERS
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{measured, report};
    use super::*;

    #[test]
    fn wrong_answers_outweigh_missing_ones_and_those_outweigh_what_is_left_out() {
        let left_out = ("grid", RowResult::LeftOut { needs_seconds: 1.0 });
        let failed = ("options", RowResult::Failed { reason: String::new() });
        let wrong = ("linear", RowResult::Wrong { reason: String::new() });
        let right = ("linear", measured(1e9));
        assert_eq!(exit_code(&report(&[right.clone(), left_out.clone()])), 0);
        assert_eq!(exit_code(&report(&[right.clone(), left_out.clone(), failed.clone()])), NO_ANSWERS);
        assert_eq!(exit_code(&report(&[right, failed, wrong, left_out])), WRONG_ANSWERS);
    }

    #[test]
    fn what_is_asked_twice_is_run_once() {
        assert_eq!(chosen(&[Size::Medium, Size::Small, Size::Medium], &[]), [Size::Small, Size::Medium]);
        assert_eq!(chosen(&[], &Workload::ALL), Workload::ALL);
    }
}
