use std::path::PathBuf;

use super::history::HistoryArgs;
use super::replay_show as show;
use crate::cli::tables::Tables;
use crate::cli::{Context, Format, print_json, print_text};
use crate::error::{Error, Result};
use crate::forecast::overlay::{Population, Prices, Series, Terms, replay};
use crate::forecast::{ModelKind, WalkForward};
use crate::io::results::ResultsWriter;
use crate::io::{hash, read_rulebook};
use crate::margin::OverlayCoefficients;

/// Models whose variances make margin: those that speak at every step, each once.
const MODELS: [ModelKind; 4] = [ModelKind::Ewma, ModelKind::Yesterday, ModelKind::LogHar, ModelKind::HarX];

/// Arguments of `forecast replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    history: HistoryArgs,
    /// Rulebook whose [overlay] is replayed [default: the defaults of its keys].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Model that the overlay follows: ewma, yesterday, log_har or har_x [default: the one that the gate lets pass].
    #[arg(long, value_name = "MODEL")]
    follow: Option<String>,
    /// Share of the losses of a day that every rule is scaled to cover.
    #[arg(long, value_name = "SHARE", default_value_t = 0.99)]
    confidence: f64,
    /// Maintenance margin over initial margin.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    maintenance_share: f64,
    /// Synthetic accounts.
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    accounts: u64,
    /// What their random numbers start from.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Directory for every rule, every account figure and every change; appears whole or not at all.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Format of the tables written.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    tables: Tables,
}

/// Runs the command; returns the exit code.
pub(super) fn run(args: &Args, context: Context) -> Result<u8> {
    let writer = args.out.as_ref().map(|out| ResultsWriter::create(out, args.tables.format())).transpose()?;
    let coefficients = coefficients(args)?;
    let walked = args.history.walked()?;
    let choice = if walked.evaluation.choice() == ModelKind::LogHar { ModelKind::LogHar } else { ModelKind::HarX };
    let followed = args.follow.as_deref().unwrap_or(choice.name());
    let terms = Terms {
        confidence: args.confidence,
        maintenance_share: args.maintenance_share,
        population: Population { accounts: args.accounts, seed: args.seed },
        ..Terms::of(&walked.walk.asset, coefficients, followed, ModelKind::Ewma.name())
    };
    let prices = Prices::of(&walked.history, &walked.walk.asset);
    let prices = prices.ok_or_else(|| Error::Bug("the history was walked without its asset".into()))?;
    let found = replay(prices, &series(&walked.walk), &terms)?;
    let object = show::json(&terms, &found);
    if let Some(writer) = writer {
        writer.write_replay(&found)?;
        let mut manifest = object.clone();
        manifest["version"] = env!("CARGO_PKG_VERSION").into();
        let files = [Some(&args.history.history), args.rulebook.as_ref()];
        let inputs = files.into_iter().flatten().map(|file| hash::file(file)).collect::<Result<Vec<_>>>()?;
        manifest["inputs"] = serde_json::json!(inputs);
        writer.finish(manifest)?;
    }
    match context.format {
        Format::Json => print_json(&object),
        Format::Table => print_text(show::text(&terms, &found)),
    }
    Ok(0)
}

fn coefficients(args: &Args) -> Result<OverlayCoefficients> {
    let rulebook = args.rulebook.as_deref().map(read_rulebook).transpose()?;
    Ok(rulebook.and_then(|rulebook| rulebook.overlay).unwrap_or_default().coefficients)
}

/// The outlooks of each model.
fn series(walk: &WalkForward) -> Vec<Series> {
    let courses = MODELS.into_iter().filter_map(|model| walk.course(model));
    courses.map(|course| Series { name: course.model.name().into(), outlooks: course.outlooks.clone() }).collect()
}
