//! `transfer`: moves collateral or a whole account between two pools, if every state on the way is safe.

mod apply;
mod show;

use std::path::{Path, PathBuf};

use super::engine_args::EngineArgs;
use super::inputs::{InputFiles, Inputs, OnRefused, write_refused};
use super::progress::Meter;
use super::tables::Tables;
use super::{Context, Format, print_json, print_text};
use crate::error::{Error, Result};
use crate::io::hash;
use crate::io::results::ResultsWriter;
use crate::io::snapshot_write;
use crate::io::transfer_file::{self, PlanFile, SideFiles};
use crate::report::{TransferInput, transfer_html};
use crate::transfer::{Outcome, Relation, Venue, Venues, transfer};

/// Arguments of `transfer`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What moves, from where to where, and what must hold (TOML); paths in it are relative to it.
    plan: PathBuf,
    /// Directory for the results; appears whole or not at all.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write the snapshots as they are after the commit to DIR/source and DIR/destination, or to DIR/venue where both pools are
    /// of one book; nothing where a target is missed. DIR is absent or empty.
    #[arg(long, value_name = "DIR")]
    apply: Option<PathBuf>,
    /// Format of the tables written.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    tables: Tables,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let options = args.engine.options()?;
    let file = transfer_file::read(&args.plan)?;
    args.apply.as_deref().map_or(Ok(()), snapshot_write::check_vacant)?;
    let writer = ResultsWriter::create(&args.out, args.tables.format())?;
    let read = match Sides::read(&file) {
        Ok(read) => read,
        Err(Error::Refused(faults)) => {
            write_refused(writer, &faults);
            return Err(Error::Refused(faults));
        }
        Err(other) => return Err(other),
    };
    let meter = Meter::new(context.progress);
    let venues = read.venues(&file);
    let planned = transfer(&venues, &file.plan, &options, &meter);
    meter.finish();
    let mut outcome = planned?;
    outcome.warnings.extend(read.warnings(&outcome.warnings));
    let shown = show::Shown { file: &file, outcome: &outcome, relation: read.relation };
    let object = shown.json();
    args.publish(&read, &shown, (writer, &object))?;
    match context.format {
        Format::Json => print_json(&object),
        Format::Table => print_text(shown.text()),
    }
    if let Some(breach) = &outcome.breach {
        return Err(Error::Limit(breach.to_string()));
    }
    let applied = apply::Applied { file: &file, venues: &venues, outcome: &outcome, format: args.tables.format() };
    args.apply.as_deref().map_or(Ok(()), |dir| applied.write(dir))?;
    Ok(0)
}

impl Args {
    fn publish(
        &self,
        read: &Sides,
        shown: &show::Shown<'_>,
        (writer, object): (ResultsWriter, &serde_json::Value),
    ) -> Result<()> {
        let outcome: &Outcome = shown.outcome;
        if outcome.conservation_error.0 != 0 {
            return Err(Error::Bug(format!("{} units were made or lost", outcome.conservation_error)));
        }
        writer.write_transfer(outcome)?;
        let plan = hash::file(&self.plan)?;
        let mut facts = vec![("plan".to_string(), format!("{}, BLAKE3 {}", plan.file, plan.blake3))];
        for (side, inputs) in [("source", &read.source), ("destination", read.destination())] {
            facts.extend(inputs.facts().into_iter().map(|(name, value)| (format!("{side}: {name}"), value)));
        }
        let side = |side: &'_ SideFiles| (side.account.clone(), side.pool.clone());
        let [source, destination] = [side(&shown.file.source), side(&shown.file.destination)];
        let input = TransferInput {
            outcome,
            pools: [(&source.0, &source.1), (&destination.0, &destination.1)],
            target: &shown.target(),
            limits: &shown.limits(),
            facts: &facts,
        };
        writer.write_text("report.html", &transfer_html(&input))?;
        let mut manifest = object.clone();
        read.source.describe(&mut manifest);
        manifest["audit_seed"] = self.engine.audit_seed().into();
        manifest["plan"] = serde_json::json!(plan);
        manifest["destination_inputs"] = serde_json::json!(read.destination().hashes);
        manifest["destination_rulebook"] = read.destination().rulebook.name.as_str().into();
        writer.finish(manifest)
    }
}

/// What was read for both sides.
struct Sides {
    source: Inputs,
    /// `None` where it is all the source's.
    destination: Option<Inputs>,
    relation: Relation,
}

impl Sides {
    fn read(file: &PlanFile) -> Result<Self> {
        let source = read_side(&file.source)?;
        let same = |path: fn(&SideFiles) -> &PathBuf| is_same(path(&file.source), path(&file.destination));
        let one_venue = same(|side| &side.snapshot) && same(|side| &side.rulebook);
        let destination = match one_venue && same(|side| &side.scenarios) {
            true => None,
            false => Some(read_side(&file.destination)?),
        };
        Ok(Self { source, destination, relation: if one_venue { Relation::OneVenue } else { Relation::TwoVenues } })
    }

    fn destination(&self) -> &Inputs {
        self.destination.as_ref().unwrap_or(&self.source)
    }

    fn venues<'a>(&'a self, file: &'a PlanFile) -> Venues<'a> {
        let venue = |inputs: &'a Inputs, side: &'a SideFiles| Venue {
            snapshot: &inputs.snapshot,
            rulebook: &inputs.rulebook,
            scenarios: &inputs.scenarios,
            account: &side.account,
            pool: &side.pool,
        };
        Venues {
            source: venue(&self.source, &file.source),
            destination: venue(self.destination(), &file.destination),
            absent: file.absent,
            relation: self.relation,
        }
    }

    fn warnings(&self, known: &[String]) -> Vec<String> {
        let all = self.source.warnings.iter().chain(self.destination.iter().flat_map(|inputs| &inputs.warnings));
        let mut warnings: Vec<String> = all.filter(|warning| !known.contains(warning)).cloned().collect();
        warnings.dedup();
        warnings
    }
}

fn read_side(side: &SideFiles) -> Result<Inputs> {
    let files = InputFiles {
        snapshot: &side.snapshot,
        rulebook: &side.rulebook,
        scenarios: Some(&side.scenarios),
        on_refused: OnRefused::Stop,
    };
    files.read()
}

/// Whether two paths lead to one place; of what is not there the reader will say so.
fn is_same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
