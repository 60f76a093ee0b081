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
use crate::calibration::{Calibration, Subject, calibrate, digest};
use crate::engine::{SweepOptions, on_threads};
use crate::error::{Error, Result};
use crate::io::checkpoint_file::{self, CheckpointFile};
use crate::io::job_file;
use crate::io::results::ResultsWriter;
use crate::pricing::Unshocked;
use crate::report::{CalibrationInput, calibration_html};
use job::JobInputs;
use progress::BestSoFar;
use show::{Found, LIMITS};

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
    let object = found.json();
    let mut manifest = object.clone();
    read.inputs.describe(&mut manifest);
    manifest["inputs"] = serde_json::json!(read.hashes);
    manifest["audit_seed"] = args.engine.audit_seed().into();
    writer.write_text("rulebook.toml", &found.text)?;
    writer.write_text("report.html", &page(&found, &args.job))?;
    writer.write_calibration(&found.answer, &found.pools, &found.scenario_ids)?;
    writer.finish(manifest)?;
    checkpoint_file::remove(&checkpoint)?;
    match context.format {
        Format::Json => print_json(&object),
        Format::Table => print_text(found.report()),
    }
    if found.answer.is_met { Ok(0) } else { Err(Error::Limit(found.answer.unmet().join("; "))) }
}

fn page(found: &Found, job: &Path) -> String {
    let facts = [
        ("job".to_string(), job.display().to_string()),
        ("scenarios".into(), found.scenario_ids.len().to_string()),
        ("candidates measured".into(), found.candidates.to_string()),
        ("sweeps".into(), found.answer.sweeps.to_string()),
    ];
    calibration_html(&CalibrationInput {
        answer: &found.answer,
        pools: &found.pools,
        scenario_ids: &found.scenario_ids,
        limits: &LIMITS.map(String::from),
        warnings: &found.warnings,
        facts: &facts,
        digest: &found.digest,
    })
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
    let subject = Subject {
        snapshot: &read.inputs.snapshot,
        document: read.document.clone(),
        scenarios: read.scenarios.clone(),
        hold_out: read.hold_out.clone(),
        history: read.history.clone(),
    };
    let calibration = Calibration::new(subject, &file.job, options, (&meter, Box::new(recorder)));
    let mut calibration = calibration.map_err(|error| file.located(error))?;
    calibration.recall(known);
    let mut best = BestSoFar::new(context.progress);
    let (answer, pools) = calibrate(&mut calibration, &file.job, &mut |search| best.tell(search))?;
    meter.finish();
    let found = Found {
        pools,
        scenario_ids: read.scenarios.ids.clone(),
        text: calibration.text(&answer.point()),
        digest: digest(&answer),
        candidates: calibration.candidates(),
        warnings: read.inputs.warnings.iter().chain(&read.warnings).cloned().collect(),
        answer,
    };
    Ok(found.warned())
}
