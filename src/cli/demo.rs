use super::Context;
use crate::error::{Error, Result};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command; returns the exit code.
pub fn run(_args: &Args, _context: Context) -> Result<u8> {
    Err(Error::Bug("not wired yet".into()))
}
