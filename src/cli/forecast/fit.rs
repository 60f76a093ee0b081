use std::path::PathBuf;

use serde_json::{Value, json};

use super::history::{HistoryArgs, Walked};
use super::show::{interval_json, interval_text, moment, too_short};
use crate::cli::{Context, Format, print_json, print_text};
use crate::error::Result;
use crate::forecast::{Evaluation, Gate, Model, ModelKind, Score, Verdict};
use crate::io::model_file;

/// Arguments of `forecast fit`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    history: HistoryArgs,
    /// Model to write, TOML.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write the ridge model even where it does not beat log-HAR.
    #[arg(long)]
    ungated: bool,
}

/// Runs the command; returns the exit code.
pub(super) fn run(args: &Args, context: Context) -> Result<u8> {
    let walked = args.history.walked()?;
    let Walked { samples, walk, evaluation, .. } = &walked;
    let fit = if args.ungated { Model::ungated } else { Model::gated };
    let model = fit(samples, walk, evaluation)?;
    model_file::write(&args.out, &model)?;
    let score = evaluation.score(if model.gate == Gate::Baseline { ModelKind::HarX } else { model.kind });
    match context.format {
        Format::Json => print_json(&report(args, &model, score)?),
        Format::Table => print_text(text(args, &model, (evaluation, score))?),
    }
    Ok(0)
}

/// One JSON object. The gains are those of the model written, or of the ridge model that log-HAR is written instead of.
fn report(args: &Args, model: &Model, score: Option<&Score>) -> Result<Value> {
    let gain = score.and_then(|score| score.gain);
    Ok(json!({
        "out": args.out.display().to_string(),
        "model": model.kind.name(),
        "model_hash": model.hash()?,
        "gate": model.gate,
        "pr_auc_gain": gain.and_then(|gain| gain.pr_auc).map(interval_json),
        "qlike_gain": gain.and_then(|gain| gain.qlike).map(interval_json),
        "asset": model.asset,
        "companions": model.companions,
        "recalibration": model.recalibration.name(),
        "verdict": score.map(|score| score.verdict.name()),
        "log_loss_gain": gain.and_then(|gain| gain.log_loss).map(interval_json),
        "training": model.training,
    }))
}

fn text(args: &Args, model: &Model, (evaluation, score): (&Evaluation, Option<&Score>)) -> Result<String> {
    let intervals = score.and_then(|score| score.gain).map_or_else(String::new, |gain| {
        let shown = [("PR-AUC", gain.pr_auc), ("QLIKE", gain.qlike), ("log loss", gain.log_loss)];
        let shown = shown.into_iter().filter_map(|(name, gain)| Some(format!("{name} {}", interval_text(gain?))));
        shown.collect::<Vec<_>>().join(", ")
    });
    let is_too_short = score.is_some_and(|score| score.verdict == Verdict::TooShort);
    let verdict = match model.gate {
        Gate::Baseline if is_too_short => format!("log_har is written: {}", too_short(evaluation)),
        Gate::Failed if is_too_short => {
            format!("{} is written all the same, though {}", model.kind.name(), too_short(evaluation))
        }
        Gate::Baseline => {
            format!(
                "log_har is written: no ridge model beats it with an interval above zero and none below ({intervals})"
            )
        }
        Gate::Passed => format!("{} passes the gate: gains over log_har {intervals}", model.kind.name()),
        Gate::Failed => {
            format!("{} does not pass the gate ({intervals}) and is written all the same", model.kind.name())
        }
    };
    let training = &model.training;
    Ok(format!(
        "{verdict}\n{}: fitted to {} moments, {} to {}; training {}\nrecalibration of probabilities: {}\nmodel {} in {}",
        model.asset,
        training.rows,
        moment(training.first_hour),
        moment(training.last_hour),
        training.hash,
        model.recalibration.name(),
        model.hash()?,
        args.out.display(),
    ))
}
