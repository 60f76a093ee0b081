//! The command line: one file per subcommand.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::error::Result;

mod account;
mod adl;
mod backtest;
mod bench;
mod calibrate;
mod check;
mod collateral;
mod compare;
mod demo;
mod doctor;
mod engine_args;
mod explain;
mod forecast;
mod haircuts;
mod hedge;
mod import;
mod inputs;
mod interrupt;
mod liquidate;
mod oracle;
mod oracle_stress;
mod price;
mod progress;
mod reverse;
mod rulebook;
mod scenarios;
mod status;
mod sweep;
mod synth;
mod tables;
mod transfer;

/// GPU-accelerated stress kernel for cross-margin portfolios.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What goes to stdout: a table for reading, or one JSON object.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Progress on stderr: a bar on a terminal, log lines otherwise.
    #[arg(long, global = true, value_enum, default_value_t = Progress::Auto)]
    progress: Progress,
}

/// What a command prints on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables and sentences for reading.
    Table,
    /// One JSON object.
    Json,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// A bar on a terminal, log lines otherwise.
    Auto,
    /// A log line now and then.
    Log,
    /// Nothing.
    Off,
}

/// What every command gets beside its own arguments.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// What goes to stdout.
    pub format: Format,
    /// How progress is shown.
    pub progress: Progress,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole pipeline on a synthetic exchange; no GPU needed.
    Demo(demo::Args),
    /// Make a synthetic exchange of any size from a seed.
    Synth(synth::Args),
    /// Validate a snapshot, a rulebook and a scenario set; report every fault.
    Check(check::Args),
    /// Make a scenario set.
    Scenarios(scenarios::Args),
    /// Import or inspect margin rules.
    Rulebook(rulebook::Args),
    /// Turn published market data into a snapshot.
    Import(import::Args),
    /// Form prices from several sources, and say what they may be used for.
    Oracle(oracle::Args),
    /// Compare decisions on the prices that the exchange sees with those on the true ones.
    OracleStress(oracle_stress::Args),
    /// Value and Greeks of every instrument of a snapshot.
    Price(price::Args),
    /// Evaluate every pool under every scenario.
    Sweep(sweep::Args),
    /// Take scenarios from the first breach to who pays in the end.
    Liquidate(liquidate::Args),
    /// Compare the book under cross, isolated and portfolio margin, and under several rulebooks.
    Compare(compare::Args),
    /// Find the most plausible scenarios that reach a target.
    Reverse(reverse::Args),
    /// Show every term of one account's equity and requirement.
    Explain(explain::Args),
    /// Find the cheapest cut or hedge that restores one pool.
    Hedge(hedge::Args),
    /// What collateral on other networks counts for.
    Collateral(collateral::Args),
    /// Move collateral or a whole account between two pools, safe in every state on the way.
    Transfer(transfer::Args),
    /// Test margin requirements against a return history.
    Backtest(backtest::Args),
    /// Calibrate free parameters of a rulebook: as strict as they must be.
    Calibrate(calibrate::Args),
    /// Haircut classes from a price history; which rule would have held in a collapse.
    Haircuts(haircuts::Args),
    /// Forecast the next day's variance and how likely a spike is; which model may be used.
    Forecast(forecast::Args),
    /// Portable margin accounts: export, import, verify, sign.
    Account(account::Args),
    /// Weigh published waves of auto-deleveraging: what was needed, what was taken, what other allocations take.
    Adl(adl::Args),
    /// Show adapters, limits and the arithmetic they really do.
    Doctor(doctor::Args),
    /// Measure this machine on standard work.
    Bench(bench::Args),
}

/// Parses the command line, runs the command, prints a failure to stderr.
pub fn main() -> ExitCode {
    quiet_drivers();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .compact()
        .init();
    let context = Context { format: cli.format, progress: cli.progress };
    let interrupt = interrupt::watch();
    let outcome = run(&cli.command, context);
    interrupt.settle();
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// Mesa's drivers ask for the user's runtime directory when they load and, where there is none (root, containers), print
/// two lines that read like errors of this program. Any directory silences them.
fn quiet_drivers() {
    if cfg!(unix) && std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        #[expect(unsafe_code, reason = "the environment is changed before any thread is started")]
        // SAFETY: this is the first statement of `main`; no other thread can read the environment yet.
        unsafe {
            std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir());
        }
    }
}

fn run(command: &Command, context: Context) -> Result<u8> {
    match command {
        Command::Demo(args) => demo::run(args, context),
        Command::Synth(args) => synth::run(args, context),
        Command::Check(args) => check::run(args, context),
        Command::Scenarios(args) => scenarios::run(args, context),
        Command::Rulebook(args) => rulebook::run(args, context),
        Command::Import(args) => import::run(args, context),
        Command::Oracle(args) => oracle::run(args, context),
        Command::OracleStress(args) => oracle_stress::run(args, context),
        Command::Price(args) => price::run(args, context),
        Command::Sweep(args) => sweep::run(args, context),
        Command::Liquidate(args) => liquidate::run(args, context),
        Command::Compare(args) => compare::run(args, context),
        Command::Reverse(args) => reverse::run(args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Hedge(args) => hedge::run(args, context),
        Command::Collateral(args) => collateral::run(args, context),
        Command::Transfer(args) => transfer::run(args, context),
        Command::Backtest(args) => backtest::run(args, context),
        Command::Calibrate(args) => calibrate::run(args, context),
        Command::Haircuts(args) => haircuts::run(args, context),
        Command::Forecast(args) => forecast::run(args, context),
        Command::Account(args) => account::run(args, context),
        Command::Adl(args) => adl::run(args, context),
        Command::Doctor(args) => doctor::run(args, context),
        Command::Bench(args) => bench::run(args, context),
    }
}

/// Prints one JSON object on stdout.
pub fn print_json(value: &serde_json::Value) {
    print_text(format_args!("{value:#}"));
}

/// Prints text and a line break on stdout. A reader that went away changes nothing about the exit code; a full disk ends
/// the process with exit 75.
pub fn print_text(text: impl std::fmt::Display) {
    use std::io::Write;
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("error: stdout: {error}");
            std::process::exit(75);
        }
        _ => {}
    }
}
