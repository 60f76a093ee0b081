//! `collateral`: questions about what is pledged.

mod allocate;
mod routes;
mod utilisation;

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
    /// How much of the collateral requirements use, by asset, network and account; what margining together saves.
    Utilisation(utilisation::Args),
    /// The mix of collateral with the least haircut that still meets a pool's target in every scenario.
    Allocate(allocate::Args),
    /// Write haircut classes for what stands on routes to other networks, and say why.
    Routes(routes::Args),
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    match &args.question {
        Question::Utilisation(args) => utilisation::run(args, context),
        Question::Allocate(args) => allocate::run(args, context),
        Question::Routes(args) => routes::run(args, context),
    }
}
