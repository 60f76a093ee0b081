//! Calibration jobs: what is free, what is minimised, what must hold.

mod constraints;
mod history;
mod keys;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde_json::Value;
use toml::Table;

use super::{beside, named_text, rulebook_schema};
use crate::calibration::{Document, How, Job, Objective, ParameterRequest, Per, Resources, SearchBudget, Strict};
use crate::error::{Error, Fault, Result};
use crate::margin::file::{self, Reader, Section, line_of};
use crate::margin::{MarginSide, Rulebook};
use crate::pricing::Unshocked;

pub use keys::ROOT;

/// Scenarios that no search sees.
#[derive(Debug, Clone, PartialEq)]
pub enum HoldOut {
    /// None.
    Nothing,
    /// Those of these files.
    Files(Vec<PathBuf>),
    /// The last share of the scenarios, in [0, 1).
    Share(f64),
}

/// A job, and the files that it is about; paths are relative to where the program runs.
#[derive(Debug, Clone, PartialEq)]
pub struct JobFile {
    /// Directory of tables.
    pub snapshot: PathBuf,
    /// Margin rules.
    pub rulebook: PathBuf,
    /// Scenario sets, one after the other.
    pub scenarios: Vec<PathBuf>,
    /// What is held out.
    pub hold_out: HoldOut,
    /// Bars that the rulebook's overlay is replayed over.
    pub history: Option<PathBuf>,
    /// What is asked.
    pub job: Job,
    /// Name of the file in faults, and its text.
    source: (String, String),
}

/// Reads a job from a TOML file; paths in it are relative to it.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read, [`Error::Usage`] where it is no UTF-8 text, [`Error::Configuration`] with every
/// broken rule.
pub fn read(path: &Path) -> Result<JobFile> {
    let (name, text) = named_text(path, "a calibration job")?;
    let mut file = parse(&text, &name)?;
    let hold_out: &mut [PathBuf] = match &mut file.hold_out {
        HoldOut::Files(files) => files,
        HoldOut::Nothing | HoldOut::Share(_) => &mut [],
    };
    let tables = [&mut file.snapshot, &mut file.rulebook].into_iter().chain(&mut file.history);
    for relative in tables.chain(&mut file.scenarios).chain(hold_out) {
        *relative = beside(path, &relative.to_string_lossy());
    }
    Ok(file)
}

/// The file of a rulebook that was read from it, as a text whose numbers can change.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read, [`Error::Usage`] where it is no UTF-8 text.
pub fn read_document(path: &Path, rulebook: &Rulebook) -> Result<Document> {
    let (name, text) = named_text(path, "a rulebook")?;
    Document::new(&name, &text, rulebook)
}

/// Reads a job from TOML, its paths as written. `source_name` is the file's name in faults.
///
/// # Errors
/// [`Error::Configuration`] with every fault and its line.
pub fn parse(text: &str, source_name: &str) -> Result<JobFile> {
    let mut file = file::parse(text, source_name, read_root)?;
    file.source = (source_name.into(), text.into());
    Ok(file)
}

/// The JSON Schema (draft-07) of a job. What only the reader checks (which keys go together) is in the descriptions.
pub fn schema() -> Value {
    rulebook_schema::of_file("Plimsoll calibration job", "Thresholds that are just strict enough", ROOT)
}

impl JobFile {
    /// An error of the job against its rulebook, with the lines of this file; others are as they were.
    pub fn located(&self, error: Error) -> Error {
        let (name, text) = &self.source;
        let locate = |fault: Fault| match fault.table.as_str() {
            "job" => Fault { line: Some(line_of(text, &fault.column)), table: name.clone(), ..fault },
            _ => fault,
        };
        match error {
            Error::Configuration(faults) => Error::Configuration(faults.into_iter().map(locate).collect()),
            other => other,
        }
    }
}

fn read_root(root: &Table, reader: &mut Reader<'_>) -> JobFile {
    let section = reader.section("", root, ROOT);
    let job = read_job(&section, reader);
    // Where a value was at fault a default stands, of which nothing is said.
    if reader.is_faultless() {
        for fault in job.faults() {
            reader.fault(&fault.column, fault.value, fault.rule, fault.remedy);
        }
    }
    let paths = |key: &str| section.texts(key).map(|paths| paths.iter().map(PathBuf::from).collect::<Vec<_>>());
    let snapshot = PathBuf::from(section.text("snapshot").unwrap_or_default());
    let scenarios = paths("scenarios").unwrap_or_default();
    if section.texts("scenarios").is_some_and(<[String]>::is_empty) {
        reader.fault("scenarios", "[]", "at least one scenario set", "name a file");
    }
    let hold_out = read_hold_out(&section, paths("hold_out"), reader);
    if let HoldOut::Files(held_out) = &hold_out
        && let Some(twice) = held_out.iter().find(|file| scenarios.contains(file))
    {
        let rule = "what is held out is not searched over";
        reader.fault("hold_out", twice.display().to_string(), rule, "name another file, or write hold_out_share");
    }
    JobFile {
        rulebook: section.text("rulebook").map_or_else(|| snapshot.join("rulebook.toml"), PathBuf::from),
        snapshot,
        scenarios,
        hold_out,
        history: section.table("history").map(|history| history.text("file").unwrap_or_default().into()),
        job,
        source: Default::default(),
    }
}

fn read_hold_out(section: &Section, files: Option<Vec<PathBuf>>, reader: &mut Reader<'_>) -> HoldOut {
    match (files, section.number("hold_out_share")) {
        (Some(_), Some(_)) => {
            let rule = "scenarios are held out by file or by share";
            reader.fault("hold_out_share", "", rule, "remove hold_out or hold_out_share");
            HoldOut::Nothing
        }
        (Some(files), None) if !files.is_empty() => HoldOut::Files(files),
        (None, Some(share)) if share > 0.0 => HoldOut::Share(share),
        _ => HoldOut::Nothing,
    }
}

fn read_job(section: &Section, reader: &mut Reader<'_>) -> Job {
    let default = Job::default();
    let number = |key: &str, without: f64| section.number(key).unwrap_or(without);
    Job {
        margin: section.choice("margin", &keys::MARGINS).unwrap_or(MarginSide::Maintenance),
        resources: section.choice("resources", &Resources::WORDS).unwrap_or_default(),
        outright_notional: number("outright_notional", default.outright_notional),
        unshocked: section.choice("unshocked", &keys::UNSHOCKED).unwrap_or(Unshocked::Refuse),
        confidence: number("confidence", default.confidence),
        seed: section.integer("seed").and_then(|seed| seed.try_into().ok()).unwrap_or_default(),
        objective: section.table("objective").map_or(default.objective, |objective| read_objective(objective, reader)),
        parameters: section.tables("parameter").unwrap_or_default().iter().map(read_parameter).collect(),
        constraints: {
            let tables = section.tables("constraint").unwrap_or_default();
            tables.iter().map(|constraint| constraints::read(constraint, reader)).collect()
        },
        history: section.table("history").map(|history| history::read(history, reader)),
        search: section.table("search").map_or(default.search, read_search),
    }
}

fn read_objective(section: &Section, reader: &mut Reader<'_>) -> Objective {
    let costs = ["margin_cost", "shortfall_cost", "fund_cost"];
    match section.choice("minimise", &keys::MINIMISE).unwrap_or(keys::Minimise::Margin) {
        keys::Minimise::Margin => {
            for key in costs.into_iter().filter(|key| section.has(key)) {
                reader.fault(
                    &section.at(key),
                    "",
                    "costs are those of minimise = \"cost\"",
                    "remove it, or minimise cost",
                );
            }
            Objective::Margin
        }
        keys::Minimise::Cost => {
            let [margin, shortfall, fund] = costs.map(|key| section.number(key).unwrap_or_default());
            Objective::Cost { margin, shortfall, fund }
        }
    }
}

fn read_parameter(section: &Section) -> ParameterRequest {
    ParameterRequest {
        name: section.text("name").unwrap_or_default().into(),
        at: section.texts("at").unwrap_or_default().to_vec(),
        per: section.choice("per", &Per::WORDS).unwrap_or_default(),
        how: section.choice("how", &How::WORDS).unwrap_or_default(),
        low: section.number("low").unwrap_or_default(),
        high: section.number("high").unwrap_or_default(),
        tolerance: section.number("tolerance"),
        strict: section.choice("strict", &Strict::WORDS).unwrap_or_default(),
    }
}

fn read_search(section: &Section) -> SearchBudget {
    let default = SearchBudget::default();
    let count = |key: &str| section.integer(key).and_then(|count| u32::try_from(count).ok());
    SearchBudget {
        evaluations: count("evaluations").unwrap_or(default.evaluations),
        refine: count("refine").unwrap_or(default.refine),
        replicates: count("replicates").unwrap_or(default.replicates),
        block: count("block"),
    }
}
