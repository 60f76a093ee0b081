use std::path::PathBuf;

use serde_json::json;

use super::show::moment;
use super::threshold::{self, Said, ThresholdArgs};
use crate::cli::{Context, Format, print_json, print_text};
use crate::error::Result;
use crate::forecast::Gate;
use crate::io::moment::hour as parse_hour;
use crate::io::{bar_csv, model_file};

/// Days in a year, for volatilities per √year.
const DAYS: f64 = 365.0;

/// Arguments of `forecast apply`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Hourly bars, as for `forecast fit`, of at least the last 181 days; a year for the long-run variance.
    history: PathBuf,
    /// Model that `forecast fit` wrote.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The moment: a date, an RFC 3339 time or Unix time / 3600 [default: the close of the last bar].
    #[arg(long, value_name = "MOMENT", value_parser = parse_hour)]
    at: Option<i64>,
    #[command(flatten)]
    thresholds: ThresholdArgs,
}

/// Runs the command; returns the exit code.
pub(super) fn run(args: &Args, context: Context) -> Result<u8> {
    let model = model_file::read(&args.model)?;
    let history = bar_csv::read(&args.history)?;
    let hour = args.at.unwrap_or_else(|| history.moment(history.len()));
    let outlook = model.outlook(&history, hour)?;
    let volatility = libm::sqrt(DAYS * outlook.variance);
    let long_run_volatility = libm::sqrt(DAYS * outlook.long_run_variance);
    let hash = model.hash()?;
    let is_used = model.gate != Gate::Failed;
    let changes = args.thresholds.apply(&Said { outlook: &outlook, asset: &model.asset, model: &hash, is_used })?;
    match context.format {
        Format::Json => print_json(&json!({
            "asset": model.asset,
            "hour": outlook.hour,
            "moment": moment(outlook.hour),
            "variance": outlook.variance,
            "volatility": volatility,
            "long_run_variance": outlook.long_run_variance,
            "long_run_volatility": long_run_volatility,
            "spike_probability": outlook.spike_probability,
            "model": model.kind.name(),
            "model_hash": hash,
            "gate": model.gate,
            "gate_passed": is_used,
            "changes": changes.iter().map(threshold::json).collect::<Vec<_>>(),
        })),
        Format::Table => {
            let probability =
                outlook.spike_probability.map_or_else(|| "–".into(), |share| format!("{:.1} %", 100.0 * share));
            let gate = match model.gate {
                Gate::Baseline => "the baseline",
                Gate::Passed => "passed the gate",
                Gate::Failed => "did NOT pass the gate",
            };
            print_text(format_args!(
                "{} at {}, next 24 hours\nvariance {:.3e}: {:.1} % a year; trailing year {:.1} %\nspike probability {probability}\n{} \
                 ({gate}), model {}{}",
                model.asset,
                moment(outlook.hour),
                outlook.variance,
                100.0 * volatility,
                100.0 * long_run_volatility,
                model.kind.name(),
                hash,
                changes.iter().map(threshold::text).collect::<String>(),
            ));
        }
    }
    Ok(0)
}
