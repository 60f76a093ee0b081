//! `bench`: measures this machine on standard work.

mod options;
mod peers;
mod standard;

use super::Context;
use crate::error::Result;

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    standard: standard::Args,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run the linear workload of the peers' on-disk format and print one JSON line.
    Peers(peers::Args),
    /// Price every option of a snapshot under many scenarios with every pricer, and check the answers.
    Options(options::Args),
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    match &args.command {
        None => standard::run(&args.standard, context),
        Some(Command::Peers(args)) => peers::run(args),
        Some(Command::Options(args)) => options::run(args, context),
    }
}
