//! `sweep`: evaluates every pool under every scenario.

mod greeks;
mod segments;

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::engine_args::EngineArgs;
use super::inputs::{InputFiles, Inputs, OnRefused, write_refused};
use super::progress::Meter;
use super::tables::Tables;
use super::{Context, Format, print_json, print_text};
use crate::engine::{Outcome, SweepOptions, digest, sweep};
use crate::error::{Error, Result};
use crate::io::TableFormat;
use crate::io::results::ResultsWriter;
use crate::report::{PoolSummary, ReportInput, html, summary};
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
    /// Pools per segment of a book that is read piece by piece; 0 reads it as a whole. Results do not depend on it.
    #[arg(long, value_name = "N", hide = true)]
    segment_pools: Option<usize>,
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
        segment_pools: args.segment_pools,
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
    /// Pools per segment of a book that is read piece by piece, 0 to read it as a whole; by default its size decides.
    pub segment_pools: Option<usize>,
    /// Engine options.
    pub engine: &'a EngineArgs,
}

impl Job<'_> {
    /// Reads, sweeps, writes, prints; returns the exit code.
    pub fn run(&self, context: Context) -> Result<u8> {
        let options = self.engine.options()?;
        // First of all: a directory that must be left alone should not cost a sweep before it is said.
        let writer = ResultsWriter::create(self.out, self.tables)?;
        let clock = Instant::now();
        let swept = match segments::open(self)? {
            Some(Ok(snapshot)) => segments::run(self, &snapshot, clock, (&options, &writer), context),
            Some(Err(reason)) => self.sweep(&options, &writer, context).map(|mut swept| {
                swept.outcome.warnings.push(format!("the book was read as a whole: {reason}"));
                swept
            }),
            None => self.sweep(&options, &writer, context),
        };
        match swept {
            Ok(swept) => self.publish(writer, swept, context),
            Err(Error::Refused(faults)) => {
                // Nothing that was written of the tables so far is to stand beside the faults.
                drop(writer);
                match ResultsWriter::create(self.out, self.tables) {
                    Ok(writer) => write_refused(writer, &faults),
                    Err(error) => tracing::warn!("cannot write the refused rows: {error}"),
                }
                Err(Error::Refused(faults))
            }
            Err(other) => Err(other),
        }
    }

    /// Reads the book as a whole, sweeps it, writes the tables of its pools.
    fn sweep(&self, options: &SweepOptions, writer: &ResultsWriter, context: Context) -> Result<Swept> {
        let clock = Instant::now();
        let inputs = self.read()?;
        let read_seconds = clock.elapsed().as_secs_f64();
        let meter = Meter::new(context.progress);
        let swept = sweep(&inputs.snapshot, &inputs.rulebook, &inputs.scenarios, options, &meter);
        meter.finish();
        let mut outcome = swept?;
        outcome.seconds.read = read_seconds;
        outcome.warnings.extend(inputs.warnings.iter().cloned());
        let digest = digest(&outcome.pools, &outcome.scenarios);
        let clock = Instant::now();
        let found = greeks::write(writer, &inputs, &outcome)?;
        writer.write_pools(&inputs.snapshot.book, &outcome, &inputs.scenarios)?;
        outcome.seconds.write = clock.elapsed().as_secs_f64() - found.seconds;
        outcome.seconds.greeks += found.seconds;
        let pools = PoolSummary::of(&inputs.snapshot.book, &outcome);
        Ok(Swept { inputs, outcome, pools, found, digest })
    }

    fn publish(&self, writer: ResultsWriter, mut swept: Swept, context: Context) -> Result<u8> {
        let clock = Instant::now();
        self.write(writer, &swept)?;
        swept.outcome.seconds.write += clock.elapsed().as_secs_f64();
        match context.format {
            Format::Json => print_json(&json(&swept)),
            Format::Table => print_text(summary(&swept.report_input(&self.facts(&swept.inputs)))),
        }
        Ok(if swept.outcome.unknown_pools > 0 || swept.inputs.rows_refused > 0 { 6 } else { 0 })
    }

    fn files(&self) -> InputFiles<'_> {
        let (snapshot, rulebook, on_refused) = (self.snapshot, self.rulebook, self.on_refused);
        InputFiles { snapshot, rulebook, scenarios: Some(self.scenarios), on_refused }
    }

    fn read(&self) -> Result<Inputs> {
        self.files().read()
    }

    /// Writes everything but the tables of pools and of Greeks, and publishes all of it.
    fn write(&self, writer: ResultsWriter, swept: &Swept) -> Result<()> {
        let Swept { inputs, outcome, .. } = swept;
        writer.write_scenarios(&inputs.scenarios, outcome)?;
        if !inputs.refused.is_empty() {
            writer.write_faults(&inputs.refused)?;
        }
        let facts = self.facts(inputs);
        writer.write_text("report.html", &html(&swept.report_input(&facts)))?;
        let mut manifest = json(swept);
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

/// A sweep whose tables of pools and of Greeks are written.
struct Swept {
    inputs: Inputs,
    outcome: Outcome,
    pools: PoolSummary,
    found: Findings,
    digest: String,
}

impl Swept {
    fn report_input<'a>(&'a self, facts: &'a [(String, String)]) -> ReportInput<'a> {
        let Self { inputs, outcome, pools, found, digest } = self;
        let (snapshot, scenarios, greeks) = (&inputs.snapshot, &inputs.scenarios, &found.summary);
        ReportInput { outcome, pools, snapshot, scenarios, greeks, facts, digest }
    }
}

/// The run as one JSON object: what scripts rely on.
fn json(swept: &Swept) -> serde_json::Value {
    let Swept { inputs, outcome, pools, found, digest } = swept;
    let seconds = outcome.seconds;
    let sweep_seconds = seconds.revalue + seconds.sweep;
    let [healthy, restricted, liquidatable, bankrupt, unknown] = pools.states;
    serde_json::json!({
        "digest": digest,
        "greeks_digest": found.digest,
        "engine": outcome.engine,
        "adapter": outcome.adapter,
        "revaluation": {"option_rows": outcome.revaluation.option_rows, "device_rows": outcome.revaluation.device_rows,
            "reason": outcome.revaluation.reason},
        "totals": format!("{:?}", outcome.totals).to_lowercase(),
        "pools": pools.count,
        "holdings": pools.positions + pools.balances,
        "positions": pools.positions,
        "scenarios": outcome.scenarios.len(),
        "cells": outcome.cells,
        "seconds": {"read": seconds.read, "revalue": seconds.revalue, "sweep": seconds.sweep, "audit": seconds.audit,
            "greeks": seconds.greeks, "write": seconds.write},
        "cells_per_second": if sweep_seconds > 0.0 { outcome.cells as f64 / sweep_seconds } else { 0.0 },
        "redecided_pools": outcome.redecided_pools,
        "exact_verdicts": outcome.exact_verdicts,
        "unknown_pools": outcome.unknown_pools,
        "rows_refused": inputs.rows_refused,
        "states": {"healthy": healthy, "restricted": restricted, "liquidatable": liquidatable, "bankrupt": bankrupt,
            "unknown": unknown},
        "audit": {"pools": outcome.audit.pools, "cells": outcome.audit.cells, "verdicts": outcome.audit.verdicts,
            "decisions_differ": outcome.audit.decisions_differ, "worst_bound_ratio": outcome.audit.worst_bound_ratio,
            "prices": outcome.audit.prices, "worst_price_ratio": outcome.audit.worst_price_ratio},
        "greeks": greeks::json(&inputs.snapshot, &found.summary),
        "attribution": greeks::attribution_json(&inputs.scenarios, &outcome.attributions),
        "warnings": outcome.warnings,
    })
}
