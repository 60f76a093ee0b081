//! `reverse`: the most plausible scenarios that reach a target.

mod show;
mod spread;

use std::path::PathBuf;

use super::engine_args::EngineArgs;
use super::progress::Meter;
use super::scenarios::{CorrelationSource, parse_correlation, parse_volatility};
use super::{Context, Format, explain, print_json, print_text};
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::io::snapshot::read_with_faults;
use crate::io::{read_rulebook, scenario_file};
use crate::margin::{Rulebook, check_book};
use crate::reverse::{History, Moves, Question, Replay, SearchOptions, SingleFactors, Target, reverse};
use crate::scenario::monte_carlo::VolatilityChoice;
use spread::Plausibility;

/// Arguments of `reverse`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// What is to be reached: shortfall=AMOUNT, liquidatable=COUNT, liquidatable-notional=AMOUNT, bankrupt=COUNT or
    /// equity-loss=AMOUNT; of an account also liquidatable, bankrupt or loss=AMOUNT.
    #[arg(long)]
    target: Target,
    /// Ask about this account alone.
    #[arg(long)]
    account: Option<String>,
    /// Pool of the account [default: all of them together].
    #[arg(long, requires = "account")]
    pool: Option<String>,
    /// Margin rules [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// History that says how plausible moves are: a price panel (CSV with a column hour) or a scenario set.
    #[arg(long, value_name = "FILE", conflicts_with = "volatility")]
    covariance: Option<PathBuf>,
    /// Without a history: volatility per square-root year for all (0.8), by price factor (BTC=0.6,ETH=0.8), or both; otherwise
    /// the snapshot's volatility_index.
    #[arg(long, value_parser = parse_volatility)]
    volatility: Option<VolatilityChoice>,
    /// One number for every pair [default: 0.6], or a square CSV; with --covariance, a number for the pairs it lacks.
    #[arg(long, value_parser = parse_correlation, allow_hyphen_values = true)]
    correlation: Option<CorrelationSource>,
    /// Days the moves span, of a 365-day year [default: 1; with a panel, its step].
    #[arg(long)]
    horizon_days: Option<f64>,
    /// What the ellipsoid is an ellipsoid of.
    #[arg(long, value_enum, default_value_t = MovesName::Log)]
    moves: MovesName,
    /// Random directions, beside those of the factors and of the steepest rise.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    directions: u32,
    /// Radii tried along each direction; a crossing and its return between two of them is not seen.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    ladder: u32,
    /// Largest Mahalanobis radius that is looked at.
    #[arg(long, default_value_t = 10.0)]
    max_radius: f64,
    /// Distinct answers wanted.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    answers: u32,
    /// Least angle between two answers in whitened space, degrees.
    #[arg(long, default_value_t = 30.0)]
    distinct_degrees: f64,
    /// Seed of every random number.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Replay the history, too, and count its rows that reach the target.
    #[arg(long, requires = "covariance")]
    replay: bool,
    /// Scenario set to write (.csv, .parquet or .arrow): the answers, weighed by likelihood. Where nothing reaches the target
    /// there is no such file afterwards.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Names of the kinds of moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum MovesName {
    /// Logarithms, as drawn scenarios: a shock is exp(x) − 1.
    Log,
    /// Relative shocks, kept above −1.
    Relative,
}

/// Runs the command; returns the exit code, 0 whether or not the target is reached.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let options = args.options()?;
    // A wrong extension must not cost the search first.
    scenario_file::Encoding::of(&args.out)?;
    let (snapshot, rulebook, mut warnings) = args.read()?;
    let plausibility = Plausibility::of(args, &snapshot)?;
    let asked = match &args.account {
        Some(account) => snapshot.of_pools(&explain::find(&snapshot, account, args.pool.as_deref())?),
        None => snapshot,
    };
    let question =
        Question { snapshot: &asked, rulebook: &rulebook, ellipsoid: &plausibility.ellipsoid, target: args.target };
    let replay = if args.replay { Replay::Sweep } else { Replay::Skip };
    let history = plausibility.history.as_ref().map(|set| History { set, scale: plausibility.scale, replay });
    let meter = Meter::new(context.progress);
    let found = reverse(question, history, &options, &meter);
    meter.finish();
    let findings = found?;
    args.publish(&findings.set)?;
    warnings.extend(findings.outcome.warnings.iter().cloned());
    let shown = show::Shown { args, question, findings: &findings, warnings: &warnings };
    match context.format {
        Format::Json => print_json(&shown.json()),
        Format::Table => print_text(shown.text()),
    }
    Ok(0)
}

impl Args {
    fn options(&self) -> Result<SearchOptions> {
        Ok(SearchOptions {
            directions: self.directions as usize,
            ladder: self.ladder as usize,
            max_radius: self.max_radius,
            answers: self.answers as usize,
            distinct_degrees: self.distinct_degrees,
            seed: self.seed,
            sweep: self.engine.options()?,
            single_factors: if self.account.is_some() { SingleFactors::Measure } else { SingleFactors::Skip },
        })
    }

    fn moves(&self) -> Moves {
        match self.moves {
            MovesName::Log => Moves::Log,
            MovesName::Relative => Moves::Relative,
        }
    }

    fn read(&self) -> Result<(Snapshot, Rulebook, Vec<String>)> {
        let mut loaded = read_with_faults(&self.snapshot)?;
        let rulebook = read_rulebook(&self.rulebook.clone().unwrap_or_else(|| self.snapshot.join("rulebook.toml")))?;
        let (faults, news) = check_book(&loaded.snapshot, &rulebook);
        loaded.add(faults, news);
        let warnings = loaded.warnings.iter().cloned().chain(rulebook.warnings()).collect();
        Ok((loaded.into_snapshot()?, rulebook, warnings))
    }

    /// Writes the answers; where there are none, an earlier file is removed: it would be taken for them.
    fn publish(&self, set: &crate::scenario::ScenarioSet) -> Result<()> {
        if !set.is_empty() {
            return scenario_file::write(&self.out, set);
        }
        match std::fs::remove_file(&self.out) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&self.out, error)),
            _ => Ok(()),
        }
    }
}
