//! `sweep`: evaluates every pool under every scenario.

mod greeks;

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::engine_args::EngineArgs;
use super::inputs::{InputFiles, Inputs, OnRefused, write_refused};
use super::progress::Meter;
use super::tables::Tables;
use super::{Context, Format, print_json, print_text};
use crate::engine::{Outcome, State, SweepOptions, digest, sweep};
use crate::error::{Error, Result};
use crate::io::TableFormat;
use crate::io::results::ResultsWriter;
use crate::report::{ReportInput, html, summary};
use greeks::Findings;

pub(super) use greeks::object as greeks_object;

/// Arguments of `sweep`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// Scenario set.
    #[arg(long, value_name = "FILE")]
    scenarios: PathBuf,
    /// Margin rules [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Directory for the results; appears whole or not at all.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Format of the result tables.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    tables: Tables,
    /// Go on when rows are refused: every pool they touch is unknown, and the exit code is 6.
    #[arg(long)]
    quarantine: bool,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let rulebook = args.rulebook.clone().unwrap_or_else(|| args.snapshot.join("rulebook.toml"));
    let job = Job {
        snapshot: &args.snapshot,
        scenarios: &args.scenarios,
        rulebook: &rulebook,
        out: &args.out,
        tables: args.tables.format(),
        on_refused: if args.quarantine { OnRefused::Quarantine } else { OnRefused::Stop },
        engine: &args.engine,
    };
    job.run(context)
}

/// A sweep from files to files.
pub struct Job<'a> {
    /// Directory of tables.
    pub snapshot: &'a Path,
    /// Scenario set.
    pub scenarios: &'a Path,
    /// Margin rules.
    pub rulebook: &'a Path,
    /// Directory for the results.
    pub out: &'a Path,
    /// Format of the result tables.
    pub tables: TableFormat,
    /// What to do when rows are refused.
    pub on_refused: OnRefused,
    /// Engine options.
    pub engine: &'a EngineArgs,
}

impl Job<'_> {
    /// Reads, sweeps, writes, prints; returns the exit code.
    pub fn run(&self, context: Context) -> Result<u8> {
        let options = self.engine.options()?;
        // First of all: a directory that must be left alone should not cost a sweep before it is said.
        let writer = ResultsWriter::create(self.out, self.tables)?;
        match self.sweep(&options, context) {
            Ok((inputs, outcome)) => self.publish(writer, &inputs, outcome, context),
            Err(Error::Refused(faults)) => {
                write_refused(writer, &faults);
                Err(Error::Refused(faults))
            }
            Err(other) => Err(other),
        }
    }

    fn sweep(&self, options: &SweepOptions, context: Context) -> Result<(Inputs, Outcome)> {
        let clock = Instant::now();
        let inputs = self.read()?;
        let read_seconds = clock.elapsed().as_secs_f64();
        let meter = Meter::new(context.progress);
        let swept = sweep(&inputs.snapshot, &inputs.rulebook, &inputs.scenarios, options, &meter);
        meter.finish();
        let mut outcome = swept?;
        outcome.seconds.read = read_seconds;
        outcome.warnings.extend(inputs.warnings.iter().cloned());
        Ok((inputs, outcome))
    }

    fn publish(&self, writer: ResultsWriter, inputs: &Inputs, mut outcome: Outcome, context: Context) -> Result<u8> {
        let digest = digest(&outcome.pools, &outcome.scenarios);
        let clock = Instant::now();
        let found = greeks::write(&writer, inputs, &outcome)?;
        outcome.seconds.greeks += found.seconds;
        self.write(writer, inputs, &outcome, &found, &digest)?;
        outcome.seconds.write = clock.elapsed().as_secs_f64() - found.seconds;
        match context.format {
            Format::Json => print_json(&json(inputs, &outcome, &found, &digest)),
            Format::Table => {
                let facts = self.facts(inputs);
                print_text(summary(&report_input(inputs, &outcome, &found, &facts, &digest)));
            }
        }
        Ok(if outcome.unknown_pools > 0 || inputs.rows_refused > 0 { 6 } else { 0 })
    }

    fn read(&self) -> Result<Inputs> {
        let (snapshot, rulebook, on_refused) = (self.snapshot, self.rulebook, self.on_refused);
        InputFiles { snapshot, rulebook, scenarios: Some(self.scenarios), on_refused }.read()
    }

    fn write(
        &self,
        writer: ResultsWriter,
        inputs: &Inputs,
        outcome: &Outcome,
        found: &Findings,
        digest: &str,
    ) -> Result<()> {
        let (book, scenarios) = (&inputs.snapshot.book, &inputs.scenarios);
        writer.write_pools(book, outcome, scenarios)?;
        writer.write_scenarios(scenarios, outcome)?;
        if !inputs.refused.is_empty() {
            writer.write_faults(&inputs.refused)?;
        }
        let facts = self.facts(inputs);
        writer.write_text("report.html", &html(&report_input(inputs, outcome, found, &facts, digest)))?;
        let mut manifest = json(inputs, outcome, found, digest);
        inputs.describe(&mut manifest);
        manifest["device_limits"] = outcome.device_limits.map_or(serde_json::Value::Null, |limits| {
            serde_json::json!({"binding_bytes": limits.binding_bytes,
                "workgroups_per_dimension": limits.workgroups_per_dimension})
        });
        manifest["audit_seed"] = self.engine.audit_seed().into();
        writer.finish(manifest)
    }

    fn facts(&self, inputs: &Inputs) -> Vec<(String, String)> {
        let mut facts = inputs.facts();
        facts.insert(2, ("audit seed".into(), self.engine.audit_seed().to_string()));
        facts
    }
}

fn report_input<'a>(
    inputs: &'a Inputs,
    outcome: &'a Outcome,
    found: &'a Findings,
    facts: &'a [(String, String)],
    digest: &'a str,
) -> ReportInput<'a> {
    let (snapshot, scenarios, greeks) = (&inputs.snapshot, &inputs.scenarios, &found.summary);
    ReportInput { outcome, snapshot, scenarios, greeks, facts, digest }
}

/// The run as one JSON object: what scripts rely on.
fn json(inputs: &Inputs, outcome: &Outcome, found: &Findings, digest: &str) -> serde_json::Value {
    let seconds = outcome.seconds;
    let sweep_seconds = seconds.revalue + seconds.sweep;
    let count = |state: State| outcome.pools.iter().filter(|pool| pool.state == state).count();
    serde_json::json!({
        "digest": digest,
        "greeks_digest": found.digest,
        "engine": outcome.engine,
        "adapter": outcome.adapter,
        "revaluation": {"option_rows": outcome.revaluation.option_rows, "device_rows": outcome.revaluation.device_rows,
            "reason": outcome.revaluation.reason},
        "totals": format!("{:?}", outcome.totals).to_lowercase(),
        "pools": outcome.pools.len(),
        "holdings": inputs.snapshot.book.position_count() + inputs.snapshot.book.balance_count(),
        "positions": inputs.snapshot.book.position_count(),
        "scenarios": outcome.scenarios.len(),
        "cells": outcome.cells,
        "seconds": {"read": seconds.read, "revalue": seconds.revalue, "sweep": seconds.sweep, "audit": seconds.audit,
            "greeks": seconds.greeks, "write": seconds.write},
        "cells_per_second": if sweep_seconds > 0.0 { outcome.cells as f64 / sweep_seconds } else { 0.0 },
        "redecided_pools": outcome.redecided_pools,
        "exact_verdicts": outcome.exact_verdicts,
        "unknown_pools": outcome.unknown_pools,
        "rows_refused": inputs.rows_refused,
        "states": {"healthy": count(State::Healthy), "restricted": count(State::Restricted),
            "liquidatable": count(State::Liquidatable), "bankrupt": count(State::Bankrupt),
            "unknown": count(State::Unknown)},
        "audit": {"pools": outcome.audit.pools, "cells": outcome.audit.cells, "verdicts": outcome.audit.verdicts,
            "decisions_differ": outcome.audit.decisions_differ, "worst_bound_ratio": outcome.audit.worst_bound_ratio,
            "prices": outcome.audit.prices, "worst_price_ratio": outcome.audit.worst_price_ratio},
        "greeks": greeks::json(&inputs.snapshot, &found.summary),
        "attribution": greeks::attribution_json(&inputs.scenarios, &outcome.attributions),
        "warnings": outcome.warnings,
    })
}
