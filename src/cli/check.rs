use std::path::{Path, PathBuf};

use serde_json::json;

use super::inputs::resolved;
use super::{Context, Format, print_json, print_text};
use crate::error::{Error, Fault, Result};
use crate::io::snapshot::{self, Loaded};
use crate::margin::{Rulebook, Rules};
use crate::pricing::Unshocked;

/// Faults shown on a terminal; JSON has them all.
const SHOWN: usize = 50;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// Margin rules [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Scenario set to check as well.
    #[arg(long, value_name = "FILE")]
    scenarios: Option<PathBuf>,
}

/// Runs the command; returns the exit code: 0, 3 where the snapshot or the scenario set breaks a rule, 2 where only the
/// rulebook does.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let mut loaded = snapshot::read_with_faults(&args.snapshot)?;
    let (rulebook, rulebook_faults) = check_rulebook(args, &mut loaded)?;
    check_oracle_tables(args, &mut loaded);
    if let Some(path) = &args.scenarios {
        match check_scenarios(path, rulebook.as_ref(), (&args.snapshot, &loaded)) {
            Err(Error::Refused(faults)) => loaded.add(faults, Vec::new()),
            other => other?,
        }
    }
    let input_is_good = loaded.fault_count == 0;
    let rulebook_is_good = rulebook_faults.is_empty();
    loaded.add(rulebook_faults, Vec::new());
    match context.format {
        Format::Json => print_json(&json!({
            "faults": loaded.faults,
            "fault_count": loaded.fault_count,
            "counts": loaded.counts,
            "warnings": loaded.warnings,
        })),
        Format::Table => print_summary(&loaded),
    }
    Ok(match (input_is_good, rulebook_is_good) {
        (true, true) => 0,
        (true, false) => 2,
        (false, _) => 3,
    })
}

/// Checks the rulebook against the book; answers the rulebook, where there is a good one, and its own faults.
fn check_rulebook(args: &Args, loaded: &mut Loaded) -> Result<(Option<Rulebook>, Vec<Fault>)> {
    let default = args.snapshot.join("rulebook.toml");
    let path = match &args.rulebook {
        Some(path) => path,
        None if default.exists() => &default,
        None => {
            loaded.add(Vec::new(), vec!["no rulebook.toml in the snapshot and none given: classes not checked".into()]);
            return Ok((None, Vec::new()));
        }
    };
    match crate::io::read_rulebook(path) {
        Ok(rulebook) => {
            let (faults, warnings) = crate::margin::check_book(&loaded.snapshot, &rulebook);
            loaded.add(faults, warnings);
            Ok((Some(rulebook), Vec::new()))
        }
        Err(Error::Configuration(faults)) => Ok((None, faults)),
        Err(error) => Err(error),
    }
}

/// Reads the tables that prices are formed from, where there are any. Their names are checked where the book has no faults.
fn check_oracle_tables(args: &Args, loaded: &mut Loaded) {
    let snapshot = (loaded.fault_count == 0).then_some(&loaded.snapshot);
    let (tables, faults) = crate::io::oracle_tables::read_with_faults(&args.snapshot, snapshot);
    loaded.counts.extend(tables.counts.into_iter().filter(|(_, counts)| counts.read > 0));
    loaded.add(faults, Vec::new());
}

/// Reads a scenario set for its faults, and, where the book itself has none, revalues it as a sweep would.
fn check_scenarios(path: &Path, rulebook: Option<&Rulebook>, (dir, loaded): (&Path, &Loaded)) -> Result<()> {
    let scenarios = crate::io::scenario_file::read(path)?;
    if loaded.fault_count > 0 {
        return Ok(());
    }
    let snapshot = &loaded.snapshot;
    let rules = rulebook.cloned().unwrap_or_default();
    let (scenarios, _) = resolved(scenarios, (dir, snapshot), &rules)?;
    match rulebook {
        None => crate::pricing::revalue(snapshot, &scenarios, Unshocked::Refuse).map(|_| ()),
        Some(rulebook) => {
            let rules = Rules::resolve(rulebook, snapshot)?;
            crate::margin::revalue(&rules, snapshot, &scenarios, Unshocked::Refuse).map(|_| ())
        }
    }
}

fn print_summary(loaded: &Loaded) {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header(["table", "rows", "used", "refused"]);
    for (name, counts) in &loaded.counts {
        table.add_row([name.to_string(), counts.read.to_string(), counts.used.to_string(), counts.refused.to_string()]);
    }
    print_text(table);
    print_text(format_args!(
        "{} pools, {} unknown",
        loaded.snapshot.book.len(),
        loaded.snapshot.book.pools().filter(|p| p.unknown).count()
    ));
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    if loaded.fault_count == 0 {
        print_text("no faults");
        return;
    }
    eprintln!("error: input refused: {} fault(s)", loaded.fault_count);
    for fault in loaded.faults.iter().take(SHOWN) {
        eprintln!("  {fault}");
    }
    if loaded.fault_count > SHOWN as u64 {
        eprintln!("  … and {} more; --format json lists them", loaded.fault_count - SHOWN as u64);
    }
}
