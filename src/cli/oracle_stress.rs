//! `oracle-stress`: decisions on the prices that the exchange sees, losses at the true ones.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use super::engine_args::EngineArgs;
use super::inputs::{InputFiles, Inputs, OnRefused, write_refused};
use super::progress::Meter;
use super::tables::Tables;
use super::{Context, Format, print_json, print_text};
use crate::engine::{Outcome, ViewOutcome, digest, sweep_views};
use crate::error::{Error, Result};
use crate::io::results::ResultsWriter;
use crate::report::{OracleStressInput, oracle_stress_html, oracle_stress_summary};

/// Arguments of `oracle-stress`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// Scenario set with columns `oracle:`, `lag:`, `confidence:`, `source:` or `stale:`.
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

/// What a run found.
struct Found {
    inputs: Inputs,
    outcome: Outcome,
    views: Vec<ViewOutcome>,
    digest: String,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let writer = ResultsWriter::create(&args.out, args.tables.format())?;
    match args.stress(context) {
        Ok(found) => found.publish(args, writer, context),
        Err(Error::Refused(faults)) => {
            write_refused(writer, &faults);
            Err(Error::Refused(faults))
        }
        Err(other) => Err(other),
    }
}

impl Args {
    fn stress(&self, context: Context) -> Result<Found> {
        let options = self.engine.options()?;
        let rulebook = self.rulebook.clone().unwrap_or_else(|| self.snapshot.join("rulebook.toml"));
        let on_refused = if self.quarantine { OnRefused::Quarantine } else { OnRefused::Stop };
        let (snapshot, scenarios) = (self.snapshot.as_path(), Some(self.scenarios.as_path()));
        let clock = Instant::now();
        let inputs = InputFiles { snapshot, rulebook: &rulebook, scenarios, on_refused }.read()?;
        let read_seconds = clock.elapsed().as_secs_f64();
        let meter = Meter::new(context.progress);
        let swept = sweep_views(&inputs.snapshot, &inputs.rulebook, &inputs.scenarios, &options, &meter);
        meter.finish();
        let (mut outcome, views) = swept?;
        outcome.seconds.read = read_seconds;
        outcome.warnings.extend(inputs.warnings.iter().cloned());
        if !inputs.scenarios.has_views() {
            let none = "no column lets the exchange see other prices than there are: both views are the same";
            outcome.warnings.push(none.into());
        }
        let digest = digest_of(&outcome, &views);
        Ok(Found { inputs, outcome, views, digest })
    }
}

/// Digest of the paired sweep and of the comparison.
fn digest_of(outcome: &Outcome, views: &[ViewOutcome]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(digest(&outcome.pools, &outcome.scenarios).as_bytes());
    for view in views {
        for pools in [view.wrongful_pools, view.missed_pools, view.late_pools] {
            hasher.update(&pools.to_le_bytes());
        }
        for amount in [view.wrongful_notional, view.missed_notional, view.late_shortfall, view.extractable] {
            hasher.update(&amount.to_bits().to_le_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

impl Found {
    fn publish(&self, args: &Args, writer: ResultsWriter, context: Context) -> Result<u8> {
        let mut facts = self.inputs.facts();
        facts.insert(2, ("audit seed".into(), args.engine.audit_seed().to_string()));
        let (outcome, views, scenarios) = (&self.outcome, &self.views[..], &self.inputs.scenarios);
        let input = OracleStressInput { outcome, views, scenarios, facts: &facts, digest: &self.digest };
        writer.write_views(scenarios, outcome, views)?;
        if !self.inputs.refused.is_empty() {
            writer.write_faults(&self.inputs.refused)?;
        }
        writer.write_text("report.html", &oracle_stress_html(&input))?;
        let object = self.json();
        let mut manifest = object.clone();
        self.inputs.describe(&mut manifest);
        manifest["audit_seed"] = args.engine.audit_seed().into();
        writer.finish(manifest)?;
        match context.format {
            Format::Json => print_json(&object),
            Format::Table => print_text(oracle_stress_summary(&input)),
        }
        Ok(if outcome.unknown_pools > 0 || self.inputs.rows_refused > 0 { 6 } else { 0 })
    }

    fn json(&self) -> Value {
        let outcome = &self.outcome;
        let pairs = outcome.scenarios.chunks(2).zip(&self.views).zip(&self.inputs.scenarios.ids);
        let scenario = |((pair, view), id): ((&[crate::engine::ScenarioOutcome], &ViewOutcome), &String)| {
            json!({
                "scenario": id,
                "seen_liquidatable_pools": pair[0].liquidatable_pools,
                "true_liquidatable_pools": pair[1].liquidatable_pools,
                "true_bankrupt_pools": pair[1].bankrupt_pools,
                "wrongful_pools": view.wrongful_pools,
                "missed_pools": view.missed_pools,
                "late_pools": view.late_pools,
                "wrongful_notional": view.wrongful_notional,
                "missed_notional": view.missed_notional,
                "late_shortfall": view.late_shortfall,
                "extractable": view.extractable,
            })
        };
        json!({
            "digest": self.digest,
            "engine": outcome.engine,
            "pools": outcome.pools.len(),
            "scenarios": pairs.map(scenario).collect::<Vec<_>>(),
            "seconds": {"read": outcome.seconds.read, "revalue": outcome.seconds.revalue, "sweep": outcome.seconds.sweep,
                "audit": outcome.seconds.audit},
            "unknown_pools": outcome.unknown_pools,
            "rows_refused": self.inputs.rows_refused,
            "audit": {"pools": outcome.audit.pools, "verdicts": outcome.audit.verdicts,
                "decisions_differ": outcome.audit.decisions_differ, "worst_bound_ratio": outcome.audit.worst_bound_ratio},
            "warnings": outcome.warnings,
        })
    }
}
