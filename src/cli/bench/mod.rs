//! `bench`: measures this machine on standard work.

mod options;
mod peers;

use super::Context;
use crate::error::Result;

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
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
        Command::Peers(args) => peers::run(args),
        Command::Options(args) => options::run(args, context),
    }
}
