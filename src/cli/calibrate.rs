//! `calibrate`: free parameters of a rulebook, as strict as they must be.

mod job;
mod progress;
mod show;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::engine_args::EngineArgs;
use super::inputs::write_refused;
use super::progress::Meter;
use super::tables::Tables;
use super::{Context, Format, print_json, print_text};
use crate::calibration::{Calibration, Landscape, Reading, Subject};
use crate::engine::{SweepOptions, on_threads};
use crate::error::{Error, Result};
use crate::io::checkpoint_file::{self, CheckpointFile};
use crate::io::job_file;
use crate::io::results::ResultsWriter;
use crate::pricing::Unshocked;
use job::JobInputs;
use progress::BestSoFar;
use show::Found;

/// Arguments of `calibrate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is free, what is minimised, what must hold (TOML); paths in it are relative to it.
    job: PathBuf,
    /// Directory for the results; appears whole or not at all. What is evaluated stands in OUT.checkpoint until then.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Format of the tables written.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    tables: Tables,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let options = args.engine.options()?;
    let mut file = job_file::read(&args.job)?;
    if options.unshocked == Unshocked::Hold {
        file.job.unshocked = Unshocked::Hold;
    }
    let writer = ResultsWriter::create(&args.out, args.tables.format())?;
    let read = match JobInputs::read(&file, &args.job) {
        Ok(read) => read,
        Err(Error::Refused(faults)) => {
            write_refused(writer, &faults);
            return Err(Error::Refused(faults));
        }
        Err(other) => return Err(other),
    };
    let threads = options.threads;
    // The threads of the whole command are those of its sweeps.
    let options = SweepOptions { threads: None, ..options };
    let checkpoint = checkpoint_path(&args.out);
    let find = || find(&read, &file, options, (&checkpoint, context));
    let found = on_threads(threads, find)??;
    let object = found.json(&file.job);
    let mut manifest = object.clone();
    read.inputs.describe(&mut manifest);
    manifest["inputs"] = serde_json::json!(read.hashes);
    manifest["audit_seed"] = args.engine.audit_seed().into();
    writer.write_text("rulebook.toml", &found.text)?;
    writer.finish(manifest)?;
    checkpoint_file::remove(&checkpoint)?;
    match context.format {
        Format::Json => print_json(&object),
        Format::Table => print_text(found.report(&file.job)),
    }
    let unmet = |reading: &Reading| !reading.is_met();
    let broken = file.job.constraints.iter().zip(&found.evaluation.readings).filter(|(_, reading)| unmet(reading));
    let broken: Vec<String> = broken
        .map(|(rule, reading)| format!("{}: {} where {} is asked", rule.name, reading.value, reading.limit))
        .collect();
    if broken.is_empty() { Ok(0) } else { Err(Error::Limit(broken.join("; "))) }
}

/// The file beside the results that an interrupted calibration goes on from.
fn checkpoint_path(out: &Path) -> PathBuf {
    let mut name: OsString = out.file_name().unwrap_or_default().into();
    name.push(".checkpoint");
    out.with_file_name(name)
}

fn find(
    read: &JobInputs,
    file: &job_file::JobFile,
    options: SweepOptions,
    (checkpoint, context): (&Path, Context),
) -> Result<Found> {
    let meter = Meter::new(context.progress);
    let (recorder, known) = CheckpointFile::open(checkpoint, &read.identity)?;
    let recorder = Box::new(BestSoFar::new(recorder, context.progress));
    let subject = Subject {
        snapshot: &read.inputs.snapshot,
        document: read.document.clone(),
        scenarios: read.scenarios.clone(),
        hold_out: read.hold_out.clone(),
    };
    let calibration = Calibration::new(subject, &file.job, options, (&meter, recorder));
    let mut calibration = calibration.map_err(|error| file.located(error))?;
    calibration.recall(known);
    let point = calibration.strictest();
    let evaluation = calibration.evaluate(&point, 1.0)?;
    let (_, old) = calibration.old()?;
    let hold_out = calibration.hold_out(Some(&point))?.map(|(_, evaluation)| evaluation);
    meter.finish();
    let mut warnings = read.inputs.warnings.clone();
    warnings.extend(read.warnings.iter().cloned());
    Ok(Found {
        axes: calibration.axes().to_vec(),
        text: calibration.text(&point),
        sweeps: calibration.sweeps(),
        point,
        old,
        evaluation,
        hold_out,
        warnings,
    })
}
