//! `collateral`: questions about what is pledged.

mod routes;

use super::Context;
use crate::error::Result;

/// Arguments of `collateral`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, clap::Subcommand)]
enum Question {
    /// Write haircut classes for what stands on routes to other networks, and say why.
    Routes(routes::Args),
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    match &args.question {
        Question::Routes(args) => routes::run(args, context),
    }
}
