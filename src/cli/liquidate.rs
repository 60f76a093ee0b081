//! `liquidate`: takes scenarios from their first breach to who pays in the end.

mod choice;
mod critical;
mod json;
mod policies;

use std::path::PathBuf;
use std::time::Instant;

use super::engine_args::EngineArgs;
use super::inputs::{InputFiles, Inputs, OnRefused, write_refused};
use super::progress::Meter;
use super::tables::Tables;
use super::{Context, Format, print_json, print_text};
use crate::engine::SweepOptions;
use crate::error::{Error, Result};
use crate::io::hash;
use crate::io::results::ResultsWriter;
use crate::liquidation::{Options, Outcome, Path, Recorder, check, liquidate};
use crate::policy::Policy;
use crate::pricing::Unshocked;
use crate::report::{CriticalRow, LiquidationInput, liquidation_html, liquidation_summary};
use choice::Choice;
use policies::NamedPolicy;

/// Arguments of `liquidate`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("market").required(true).args(["scenario", "worst", "path"])))]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// Scenario set; with --path it is read and not used.
    #[arg(long, value_name = "FILE", required_unless_present = "path")]
    scenarios: Option<PathBuf>,
    /// Scenario to sequence; give it several times for several.
    #[arg(long, value_name = "ID")]
    scenario: Vec<String>,
    /// Sweep the whole set first, and sequence its N worst scenarios by shortfall.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    worst: Option<u32>,
    /// A market that moves in steps, instead of a scenario set.
    #[arg(long, value_name = "FILE")]
    path: Option<PathBuf>,
    /// Margin rules [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// How the exchange liquidates [default: the rulebook's [liquidation], else Plimsoll's own policy].
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Another policy, sequenced over the same scenarios and set beside the first; give it several times for several.
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Factor on the depth of every book, on top of the policy's.
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    deeper: Option<f64>,
    /// Search the least factor on depth at which no cascade runs away: of every book (`exchange`), of one underlying's, or of
    /// each underlying whose price forced trades move (`all`).
    #[arg(long, value_name = "exchange|UNDERLYING|all")]
    critical_depth: Option<String>,
    /// Amplification from which a cascade counts as running away.
    #[arg(long, value_name = "RATIO", default_value_t = 2.0, value_parser = runaway)]
    runaway: f64,
    /// Directory for the results; appears whole or not at all.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Format of the result tables.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    tables: Tables,
    /// Go on when rows are refused: every pool they touch is unknown and never liquidated, and the exit code is 6.
    #[arg(long)]
    quarantine: bool,
    #[command(flatten)]
    engine: EngineArgs,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse::<f64>().ok().filter(|factor| (1e-6..=1e6).contains(factor));
    factor.ok_or_else(|| "a factor is between 1e-6 and 1e6 (2 = twice as deep)".into())
}

fn runaway(text: &str) -> Result<f64, String> {
    let ratio = text.parse::<f64>().ok().filter(|ratio| *ratio > 1.0 && ratio.is_finite());
    ratio.ok_or_else(|| "an amplification above 1 (2 = prices move twice as far)".into())
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let sweep = args.engine.options()?;
    // First of all: a directory that must be left alone should not cost a sweep before it is said.
    let writer = ResultsWriter::create(&args.out, args.tables.format())?;
    match args.sequence(&writer, &sweep, context) {
        Ok(found) => found.publish(args, writer, context),
        Err(Error::Refused(faults)) => {
            write_refused(writer, &faults);
            Err(Error::Refused(faults))
        }
        Err(other) => Err(other),
    }
}

/// Wall-clock seconds beside those of the outcome.
#[derive(Debug, Clone, Copy, Default)]
struct Seconds {
    read: f64,
    rank: f64,
    critical: f64,
    against: f64,
}

/// What a run found out.
struct Found {
    inputs: Inputs,
    choice: Choice,
    /// The first is the one that events and reports are of; the others are set beside it.
    policies: Vec<NamedPolicy>,
    outcomes: Vec<Outcome>,
    critical: Vec<CriticalRow>,
    seconds: Seconds,
}

impl Args {
    fn files<'a>(&'a self, rulebook: &'a std::path::Path) -> InputFiles<'a> {
        let on_refused = if self.quarantine { OnRefused::Quarantine } else { OnRefused::Stop };
        InputFiles { snapshot: &self.snapshot, rulebook, scenarios: self.scenarios.as_deref(), on_refused }
    }

    fn sequence(&self, writer: &ResultsWriter, sweep: &SweepOptions, context: Context) -> Result<Found> {
        let mut seconds = Seconds::default();
        let clock = Instant::now();
        let rulebook = self.rulebook.clone().unwrap_or_else(|| self.snapshot.join("rulebook.toml"));
        let mut inputs = self.files(&rulebook).read()?;
        let policies = policies::read(self, &mut inputs)?;
        if self.path.is_some() && self.scenarios.is_some() {
            inputs.warnings.push("a path says its own markets: the scenario set is not used".into());
        }
        for file in self.path.iter().chain(&self.policy).chain(&self.against) {
            inputs.hashes.push(hash::file(file)?);
        }
        // What a policy lacks is said before anything is swept.
        policies.iter().try_for_each(|named| check(&inputs.snapshot, &named.policy))?;
        let scope = self.critical_depth.as_deref().map(|text| critical::Scopes::parse(text, &inputs.snapshot));
        let scope = scope.transpose()?;
        seconds.read = clock.elapsed().as_secs_f64();

        let clock = Instant::now();
        let choice = Choice::make(self, &inputs, sweep, context)?;
        seconds.rank = clock.elapsed().as_secs_f64();

        let mut options = Options { sweep: sweep.clone(), ..Options::default() };
        if self.path.is_some() {
            // What a path does not name stands where it stood in the snapshot.
            options.sweep.unshocked = Unshocked::Hold;
        }
        let sequencing = Sequencing { inputs: &inputs, options: &options, context };
        let names = choice.names();
        let mut events = writer.event_table(&inputs.snapshot, names.iter().map(String::as_str).collect());
        let mut outcomes = Vec::with_capacity(policies.len());
        let clock = Instant::now();
        for (at, NamedPolicy { policy, .. }) in policies.iter().enumerate() {
            let recorder: &mut (dyn Recorder + Send) = if at == 0 { &mut events } else { &mut () };
            outcomes.push(sequencing.run(policy, &choice.paths(policy), recorder)?);
        }
        events.finish()?;
        seconds.against = clock.elapsed().as_secs_f64();

        let clock = Instant::now();
        let critical = match (scope, policies.first().zip(outcomes.first())) {
            (Some(scope), Some((NamedPolicy { policy, .. }, outcome))) => {
                let paths = choice.paths(policy);
                critical::search(&scope, &inputs, (policy, &options), (&paths, outcome), self.runaway)?
            }
            _ => Vec::new(),
        };
        seconds.critical = clock.elapsed().as_secs_f64();
        if let Some(outcome) = outcomes.first_mut() {
            outcome.warnings.extend(inputs.warnings.iter().cloned());
            let own = outcome.seconds.screen + outcome.seconds.sequence;
            seconds.against = (seconds.against - own).max(0.0);
        }
        Ok(Found { inputs, choice, policies, outcomes, critical, seconds })
    }
}

/// What every policy is sequenced with.
struct Sequencing<'a> {
    inputs: &'a Inputs,
    options: &'a Options,
    context: Context,
}

impl Sequencing<'_> {
    fn run(&self, policy: &Policy, paths: &[Path], recorder: &mut (dyn Recorder + Send)) -> Result<Outcome> {
        let meter = Meter::of(self.context.progress, "scenarios");
        let (snapshot, rulebook) = (&self.inputs.snapshot, &self.inputs.rulebook);
        let sequenced = liquidate((snapshot, rulebook), policy, paths, self.options, (&meter, recorder));
        meter.finish();
        let outcome = sequenced?;
        match outcome.scenarios.iter().find(|summary| summary.tally.conservation_error != 0) {
            None => Ok(outcome),
            Some(summary) => Err(Error::Bug(format!(
                "scenario {:?}: {} quanta were made or lost",
                summary.scenario, summary.tally.conservation_error
            ))),
        }
    }
}

impl Found {
    fn publish(&self, args: &Args, writer: ResultsWriter, context: Context) -> Result<u8> {
        let Some((outcome, named)) = self.outcomes.first().zip(self.policies.first()) else {
            return Err(Error::Bug("nothing was sequenced".into()));
        };
        let beside = self.beside();
        writer.write_liquidations(outcome)?;
        writer.write_rounds(outcome)?;
        writer.write_impacts(outcome, &self.inputs.snapshot)?;
        writer.write_traded(outcome, &self.inputs.snapshot)?;
        if beside.len() > 1 {
            writer.write_policies(&beside)?;
        }
        if !self.inputs.refused.is_empty() {
            writer.write_faults(&self.inputs.refused)?;
        }
        let mut facts = self.inputs.facts();
        facts.insert(2, ("policy".into(), named.name.clone()));
        facts.insert(3, ("audit seed".into(), args.engine.audit_seed().to_string()));
        let input = LiquidationInput {
            outcome,
            snapshot: &self.inputs.snapshot,
            policy: &named.policy,
            policy_name: &named.name,
            selection: &self.choice.sentence(),
            policies: &beside,
            critical: &self.critical,
            runaway: args.runaway,
            facts: &facts,
        };
        writer.write_text("report.html", &liquidation_html(&input))?;
        let object = json::object(&input, self);
        let mut manifest = object.clone();
        self.inputs.describe(&mut manifest);
        manifest["audit_seed"] = args.engine.audit_seed().into();
        manifest["policy_toml"] = named.policy.to_toml().into();
        writer.finish(manifest)?;
        match context.format {
            Format::Json => print_json(&object),
            Format::Table => print_text(liquidation_summary(&input)),
        }
        Ok(if outcome.unknown_pools > 0 || self.inputs.rows_refused > 0 { 6 } else { 0 })
    }

    /// Names of the policies with what each came to.
    fn beside(&self) -> Vec<(String, &Outcome)> {
        self.policies.iter().map(|policy| policy.name.clone()).zip(&self.outcomes).collect()
    }
}
