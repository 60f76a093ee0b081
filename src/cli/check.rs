use std::path::PathBuf;

use serde_json::json;

use super::{Context, Format, print_json, print_text};
use crate::error::{Error, Result};
use crate::io::snapshot::{self, Loaded};

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

/// Runs the command; returns the exit code: 0, or 3 where a rule is broken.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let mut loaded = snapshot::read_with_faults(&args.snapshot)?;
    let default = args.snapshot.join("rulebook.toml");
    let rulebook = match &args.rulebook {
        Some(path) => Some(crate::io::read_rulebook(path)?),
        None if default.exists() => Some(crate::io::read_rulebook(&default)?),
        None => None,
    };
    match rulebook {
        Some(rulebook) => {
            let (faults, warnings) = crate::margin::check_book(&loaded.snapshot, &rulebook);
            loaded.add(faults, warnings);
        }
        None => {
            loaded.add(Vec::new(), vec!["no rulebook.toml in the snapshot and none given: rules not checked".into()])
        }
    }
    if let Some(path) = &args.scenarios {
        // MERGE: check the set read by crate::io::scenario_file::read(path) here.
        return Err(Error::Usage(format!("{}: scenario sets are not read by this build", path.display())));
    }
    match context.format {
        Format::Json => print_json(&json!({
            "faults": loaded.faults,
            "fault_count": loaded.fault_count,
            "counts": loaded.counts,
            "warnings": loaded.warnings,
        })),
        Format::Table => print_summary(&loaded),
    }
    Ok(if loaded.fault_count == 0 { 0 } else { 3 })
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
