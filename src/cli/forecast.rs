//! `forecast`: what the next day's variance will be, how likely a spike is, and which model may say so.

mod apply;
mod evaluate;
mod fit;
mod history;
mod replay;
mod replay_show;
mod show;
mod threshold;

use super::Context;
use crate::error::Result;

/// Arguments of `forecast`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, clap::Subcommand)]
enum Question {
    /// Score every model month by month, each fitted to its past only, and compare it with log-HAR.
    Evaluate(evaluate::Args),
    /// Fit the model that passes the gate to the whole history, and write it.
    Fit(fit::Args),
    /// What a fitted model expects of the next 24 hours.
    Apply(apply::Args),
    /// Margin that follows the forecasts over the history, against a constant one at equal coverage.
    Replay(replay::Args),
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    match &args.question {
        Question::Evaluate(args) => evaluate::run(args, context),
        Question::Fit(args) => fit::run(args, context),
        Question::Apply(args) => apply::run(args, context),
        Question::Replay(args) => replay::run(args, context),
    }
}
