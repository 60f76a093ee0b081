mod component;
mod option;
mod overlay;
mod size;

use std::path::{Path, PathBuf};

use serde_json::json;

use component::{component_json, print_components, requirement_json};
use option::{option_json, print_option, spread_json};
use overlay::{overlay_json, print_overlay};
use size::{print_size, size_json};

use super::status::{rung_json, rung_text};
use super::{Context, Format, print_json, print_text};
use crate::error::{Error, Result};
use crate::margin::{Requirement, Rulebook};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Turn published leverage brackets into a rulebook.
    Import {
        /// CSV: symbol, tier, min_notional, max_notional, maint_margin_rate, max_leverage, cum_deduction.
        brackets: PathBuf,
        /// The rulebook to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Validate a rulebook; report every fault.
    Check {
        /// The rulebook.
        file: PathBuf,
    },
    /// Print the JSON Schema of a rulebook, a policy, a path, a transfer or a calibration, for editors that complete and check as you type.
    Schema {
        /// Which file it is of.
        #[arg(value_enum, default_value_t = SchemaOf::Rulebook)]
        of: SchemaOf,
        /// A file to write it to [default: stdout].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show a rulebook in words: requirements, components, scalars, brackets with their derived deductions, options.
    Explain {
        /// The rulebook.
        file: PathBuf,
        /// A margin or option class [default: all].
        class: Option<String>,
    },
}

/// A TOML file that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum SchemaOf {
    /// A rulebook.
    Rulebook,
    /// How a venue liquidates: the section `[liquidation]` as a file.
    Policy,
    /// Steps that a market takes one after the other.
    Path,
    /// What moves from one pool to another.
    Transfer,
    /// What is calibrated.
    Calibrate,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    match &args.command {
        Command::Import { brackets, out } => import(brackets, out, context),
        Command::Check { file } => check(file, context),
        Command::Schema { of, out } => schema(*of, out.as_deref(), context),
        Command::Explain { file, class } => explain(file, class.as_deref(), context),
    }
}

fn import(brackets: &Path, out: &Path, context: Context) -> Result<u8> {
    let imported = crate::io::bracket_csv::read(brackets)?;
    let rulebook = &imported.rulebook;
    crate::io::write_file(out, rulebook.to_toml().as_bytes())?;
    let mut warnings = rulebook.warnings();
    warnings.extend(rulebook.margin.keys().filter_map(|symbol| other_unit(symbol)));
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    match context.format {
        Format::Json => print_json(&json!({
            "symbols": rulebook.margin.len(),
            "tiers": imported.tiers,
            "inner_boundaries": imported.inner_boundaries,
            "warnings": warnings,
            "out": out.display().to_string(),
        })),
        Format::Table => print_text(format_args!(
            "{} symbols, {} tiers, maintenance margin continuous at {} inner boundaries: {}",
            rulebook.margin.len(),
            imported.tiers,
            imported.inner_boundaries,
            out.display()
        )),
    }
    Ok(0)
}

/// A warning for a symbol such as `ETH/BTC:BTC`, whose published bounds are not in dollars: a sweep measures notional in the
/// snapshot's quote currency.
fn other_unit(symbol: &str) -> Option<String> {
    let quote = symbol.split('/').nth(1)?.split([':', '-']).next()?;
    let is_dollar = quote.contains("USD") || quote == "DAI";
    (!is_dollar).then(|| {
        format!(
            "margin class {symbol:?}: its bounds are in {quote}; a sweep reads them in the snapshot's quote currency"
        )
    })
}

fn check(file: &Path, context: Context) -> Result<u8> {
    let (faults, rulebook) = match crate::io::read_rulebook(file) {
        Ok(rulebook) => (Vec::new(), rulebook),
        // In JSON the faults belong on stdout, where a caller looks for them.
        Err(Error::Configuration(faults)) if context.format == Format::Json => (faults, Rulebook::default()),
        Err(error) => return Err(error),
    };
    match context.format {
        Format::Json => print_json(&json!({
            "name": rulebook.name,
            "effective": rulebook.effective.map(|moment| moment.to_string()),
            "description": rulebook.description,
            "faults": faults,
            "warnings": rulebook.warnings(),
            "margin_classes": rulebook.margin.len(),
            "option_classes": rulebook.option.len(),
            "haircut_classes": rulebook.haircut.len(),
            "components": rulebook.component.iter().map(|(name, component)| component_json(name, component)).collect::<Vec<_>>(),
            "overlay": rulebook.overlay.as_ref().map(overlay_json),
        })),
        Format::Table => {
            for warning in rulebook.warnings() {
                eprintln!("warning: {warning}");
            }
            print_header(&rulebook);
            print_text(format_args!(
                "{} margin classes, {} option classes, {} haircut classes, {} components, no faults",
                rulebook.margin.len(),
                rulebook.option.len(),
                rulebook.haircut.len(),
                rulebook.component.len()
            ));
            for (name, component) in &rulebook.component {
                print_text(format_args!("  {name}: {}, {}", component.kind_name(), component.evaluated()));
            }
            if let Some(overlay) = &rulebook.overlay {
                print_text(format_args!("  overlay: multipliers in force of {} underlyings", overlay.in_force.len()));
            }
        }
    }
    Ok(if faults.is_empty() { 0 } else { 2 })
}

/// Prints what a rulebook says of itself.
fn print_header(rulebook: &Rulebook) {
    let effective = rulebook.effective.map(|moment| format!("effective {moment}"));
    let lines = [Some(rulebook.name.clone()), effective, Some(rulebook.description.clone())];
    lines.into_iter().flatten().filter(|line| !line.is_empty()).for_each(print_text);
}

/// The schema is JSON in either format; written to a file, that file is what is reported.
fn schema(of: SchemaOf, out: Option<&Path>, context: Context) -> Result<u8> {
    let schema = match of {
        SchemaOf::Rulebook => crate::io::rulebook_schema::schema(),
        SchemaOf::Policy => crate::io::policy_file::schema(),
        SchemaOf::Path => crate::io::path_file::schema(),
        SchemaOf::Transfer => crate::io::transfer_file::schema(),
        SchemaOf::Calibrate => crate::io::job_file::schema(),
    };
    let Some(out) = out else {
        print_json(&schema);
        return Ok(0);
    };
    crate::io::write_file(out, format!("{schema:#}\n").as_bytes())?;
    match context.format {
        Format::Json => print_json(&json!({ "out": out.display().to_string() })),
        Format::Table => print_text(format_args!("JSON Schema (draft-07): {}", out.display())),
    }
    Ok(0)
}

fn explain(file: &Path, class: Option<&str>, context: Context) -> Result<u8> {
    let rulebook = crate::io::read_rulebook(file)?;
    let is_known = |name: &&str| rulebook.margin.contains_key(*name) || rulebook.option.contains_key(*name);
    if let Some(name) = class.filter(|name| !is_known(name)) {
        let known = rulebook.margin.keys().chain(rulebook.option.keys()).map(String::as_str);
        let remedy = crate::suggest::remedy(name, known, "run without a class to see all");
        return Err(Error::Usage(format!("no margin class {name:?} in {} ({remedy})", file.display())));
    }
    let is_asked = |name: &String| class.is_none_or(|class| class == name.as_str());
    let classes = rulebook.margin.iter().filter(|(name, _)| is_asked(name));
    let options = rulebook.option.iter().filter(|(name, _)| is_asked(name));
    if context.format == Format::Json {
        let classes: serde_json::Map<_, _> = classes
            .map(|(name, class)| {
                let value = json!({
                    "maintenance": size_json(&class.maintenance),
                    "initial": size_json(&class.initial),
                    "max_notional": class.max_notional,
                    "minimum": { "maintenance": class.minimum.maintenance, "initial": class.minimum.initial },
                    "scale": class.scale,
                });
                (name.clone(), value)
            })
            .collect();
        let options: serde_json::Map<_, _> = options.map(|(name, class)| (name.clone(), option_json(class))).collect();
        let spread = rulebook.option_spread.as_ref().map(spread_json);
        let mut object = requirement_json(&rulebook);
        object["margin"] = classes.into();
        object["option"] = options.into();
        object["option_spread"] = spread.into();
        object["overlay"] = rulebook.overlay.as_ref().map(overlay_json).into();
        object["status"] = rulebook.status.iter().map(rung_json).collect::<Vec<_>>().into();
        print_json(&object);
        return Ok(0);
    }
    if class.is_none() {
        print_header(&rulebook);
        print_components(&rulebook);
        rulebook.overlay.iter().for_each(print_overlay);
    }
    for (name, class) in classes {
        let end = class.max_notional.map_or_else(|| "no upper end".into(), |end| format!("published up to {end}"));
        print_text(format_args!("{name} ({end})"));
        print_size("maintenance", &class.maintenance);
        print_size("initial", &class.initial);
        let minimum = class.minimum;
        if minimum != Requirement::default() {
            let (maintenance, initial) = (minimum.maintenance, minimum.initial);
            print_text(format_args!("plus for every position: maintenance {maintenance}, initial {initial}"));
        }
        if let Some(scale) = &class.scale {
            print_text(format_args!("times the scalar {scale}"));
        }
    }
    for (name, class) in options {
        let spread = rulebook.option_spread.as_ref().filter(|spread| spread.classes.contains(name));
        print_option(name, class, spread);
    }
    for rung in &rulebook.status {
        print_text(format_args!("status {}", rung_text(rung)));
    }
    Ok(0)
}
