//! `bench`: measures this machine on standard work.

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
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, _context: Context) -> Result<u8> {
    match &args.command {
        Command::Peers(args) => peers::run(args),
    }
}
