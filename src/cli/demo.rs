//! `demo`: the whole pipeline on a synthetic exchange, by the commands that a user would type.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Parser;

use super::{Cli, Command, Context, Format, print_text, scenarios, synth};
use crate::error::{Error, Result};

/// By this file a later demo knows that it may replace the directory.
const MARKER: &str = "plimsoll-demo.json";
/// What a demo makes, beside its marker.
const PARTS: [&str; 5] = ["snapshot", "monte-carlo.parquet", "events.parquet", "scenarios.parquet", "result"];
/// Random scenarios; named events come on top.
const RANDOM_SCENARIOS: &str = "1000";
/// Share of accounts next to a threshold: those that plain f32 gets wrong.
const NEAR_THRESHOLD: &str = "0.002";

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory for everything the demo makes; an earlier demo there is replaced, anything else is left alone.
    #[arg(long, value_name = "DIR", default_value = "plimsoll-demo")]
    out: PathBuf,
    /// Number of accounts.
    #[arg(long, default_value_t = 20_000)]
    accounts: u64,
    /// Seed of the exchange and of the random scenarios.
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let out = args.out.to_str().ok_or_else(|| Error::Usage("--out: a demo directory has a UTF-8 name".into()))?;
    prepare(&args.out)?;
    let path = |part: &str| format!("{}/{part}", out.trim_end_matches('/'));
    let [snapshot, random, events, set, result] = PARTS.map(path);
    let (accounts, seed) = (args.accounts.to_string(), args.seed.to_string());
    let lines: [&[&str]; 5] = [
        &["synth", &snapshot, "--accounts", &accounts, "--seed", &seed, "--near-threshold", NEAR_THRESHOLD],
        &[
            "scenarios",
            "monte-carlo",
            &snapshot,
            "--count",
            RANDOM_SCENARIOS,
            "--seed",
            &seed,
            "--vol-beta",
            "-1",
            "--vol-of-vol",
            "0.9",
            "--out",
            &random,
        ],
        &["scenarios", "events", &snapshot, "--out", &events],
        &["scenarios", "join", &random, &events, "--out", &set],
        &["sweep", &snapshot, "--scenarios", &set, "--engine", "auto", "--out", &result],
    ];
    let mut exit = 0;
    for line in lines {
        exit = step(line, context)?;
    }
    if context.format == Format::Table {
        print_text(format_args!("\nreport: {result}/report.html"));
        print_text(format_args!("next:   plimsoll explain {snapshot} ACCOUNT --scenarios {set}"));
    }
    Ok(exit)
}

/// An empty directory, or one that an earlier demo made, without what it made.
fn prepare(out: &Path) -> Result<()> {
    let marker = out.join(MARKER);
    let taken = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_some() && !marker.is_file(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(source) => return Err(Error::io(out, source)),
    };
    if taken {
        let message = "the directory is not empty and no earlier demo made it: it is left alone; name another";
        return Err(Error::Usage(format!("{}: {message}", out.display())));
    }
    fs::create_dir_all(out).map_err(|source| Error::io(out, source))?;
    crate::io::write_file(&marker, b"{\"program\": \"plimsoll\", \"demo\": true}\n")?;
    for part in PARTS.map(|part| out.join(part)) {
        let removed = if part.is_dir() { fs::remove_dir_all(&part) } else { fs::remove_file(&part) };
        match removed {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(Error::io(&part, source)),
            _ => {}
        }
    }
    Ok(())
}

/// Shows a command line and carries it out. Of the JSON objects only the sweep's is printed: a command prints one.
fn step(line: &[&str], context: Context) -> Result<u8> {
    if context.format == Format::Table {
        print_text(format_args!("\n$ plimsoll {}", line.join(" ")));
    }
    let words = ["plimsoll"].iter().chain(line);
    let cli =
        Cli::try_parse_from(words).map_err(|error| Error::Bug(format!("the demo's own command line: {error}")))?;
    match (&cli.command, context.format) {
        (Command::Synth(args), Format::Json) => synth::generate(args).map(|_| 0),
        (Command::Scenarios(args), format) => {
            let (scenarios, factors) = scenarios::make(args)?.set.shocks.dim();
            if format == Format::Table {
                print_text(format_args!("{scenarios} scenarios × {factors} factors"));
            }
            Ok(0)
        }
        (command, _) => super::run(command, context),
    }
}
