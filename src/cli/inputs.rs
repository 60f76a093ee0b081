//! The files that a run over scenarios reads: a snapshot, margin rules, a scenario set.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::collateral::network;
use crate::domain::Snapshot;
use crate::error::{Error, Fault, Result};
use crate::io::hash::{self, FileHash};
use crate::io::results::ResultsWriter;
use crate::io::snapshot::{Loaded, read_with_faults};
use crate::io::{oracle_tables, read_rulebook, rulebook_files, scenario_file};
use crate::margin::{Rulebook, check_book};
use crate::oracle;
use crate::scenario::ScenarioSet;

/// What to do when rows are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRefused {
    /// Write `refused` and nothing else.
    Stop,
    /// Go on; the pools they touch are unknown.
    Quarantine,
}

/// Where the inputs are.
#[derive(Debug, Clone, Copy)]
pub struct InputFiles<'a> {
    /// Directory of tables.
    pub snapshot: &'a Path,
    /// Margin rules.
    pub rulebook: &'a Path,
    /// Scenario set, where the run has one.
    pub scenarios: Option<&'a Path>,
    /// What to do when rows are refused.
    pub on_refused: OnRefused,
}

/// The inputs of a run, read and found to fit together.
pub struct Inputs {
    /// Market data and book.
    pub snapshot: Snapshot,
    /// Margin rules.
    pub rulebook: Rulebook,
    /// The scenarios as engines know them ([`resolved`]); none where the run has no set.
    pub scenarios: ScenarioSet,
    /// Every file that was read.
    pub hashes: Vec<FileHash>,
    /// Rows of each table.
    pub counts: Value,
    /// Rows refused, all tables.
    pub rows_refused: u64,
    /// The faults of those rows.
    pub refused: Vec<Fault>,
    /// Things a reader should know.
    pub warnings: Vec<String>,
}

impl InputFiles<'_> {
    /// Reads everything.
    ///
    /// # Errors
    /// What the readers answer; [`Error::Refused`] where rows are refused and that stops the run.
    pub fn read(&self) -> Result<Inputs> {
        let mut loaded = read_with_faults(self.snapshot)?;
        let rulebook = read_rulebook(self.rulebook)?;
        let scenarios = self.scenarios.map(scenario_file::read).transpose()?.unwrap_or_default();
        let mut warnings = loaded.warnings.clone();
        let (faults, more) = check_book(&loaded.snapshot, &rulebook);
        warnings.extend(more);
        warnings.extend(rulebook.warnings());
        loaded.add(faults, Vec::new());
        let (refused, rows_refused) = (loaded.faults.clone(), loaded.rows_refused());
        let counts = counts_of(&loaded);
        let snapshot = match self.on_refused {
            OnRefused::Stop => loaded.into_snapshot(),
            OnRefused::Quarantine => loaded.into_quarantined(),
        }?;
        warnings.extend(unquoted(&scenarios));
        let (scenarios, more) = resolved(scenarios, (self.snapshot, &snapshot), &rulebook)?;
        warnings.extend(more);
        let hashes = self.hashes(&rulebook)?;
        Ok(Inputs { snapshot, rulebook, scenarios, hashes, counts, rows_refused, refused, warnings })
    }

    /// Hashes of every file.
    ///
    /// # Errors
    /// [`Error::Io`] where one cannot be read.
    pub(super) fn hashes(&self, rulebook: &Rulebook) -> Result<Vec<FileHash>> {
        let mut hashes = hash::directory(self.snapshot)?;
        for file in rulebook_files(self.rulebook, rulebook) {
            hashes.push(hash::file(&file)?);
        }
        if let Some(file) = self.scenarios {
            hashes.push(hash::file(file)?);
        }
        Ok(hashes)
    }
}

/// Rows of each table, as a manifest has them.
pub(super) fn counts_of(loaded: &Loaded) -> Value {
    let counts = loaded.counts.iter().map(|(table, counts)| (*table, serde_json::json!(counts)));
    serde_json::json!(counts.collect::<BTreeMap<&str, Value>>())
}

/// A warning for each factor that some scenarios do not quote.
pub(super) fn unquoted(scenarios: &ScenarioSet) -> Vec<String> {
    let factors = scenarios.factors.iter().zip(scenarios.unquoted()).filter(|(_, empty)| *empty > 0);
    let warning =
        |(factor, empty)| format!("{factor}: {empty} of {} cells not quoted, unshocked there", scenarios.len());
    factors.map(warning).collect()
}

/// A set as engines know it, and what a reader should know: what happens to sources and routes becomes what the exchange sees, what
/// assets are worth and what of them counts. Prices are formed again from the quotes beside the snapshot in `dir`.
///
/// # Errors
/// [`Error::Usage`] where the set speaks of sources and the snapshot has no quotes or no moment; [`Error::Refused`] for faults of
/// the quotes.
pub fn resolved(
    scenarios: ScenarioSet,
    (dir, snapshot): (&Path, &Snapshot),
    rulebook: &Rulebook,
) -> Result<(ScenarioSet, Vec<String>)> {
    if !oracle::has_sources(&scenarios) {
        return Ok((network::resolve(scenarios, snapshot, rulebook), Vec::new()));
    }
    let needed_by = |error: Error| match error {
        Error::Usage(message) => {
            let columns = scenarios.factors.iter().filter(|factor| oracle::is_of_sources(factor.kind));
            let columns: Vec<String> = columns.map(ToString::to_string).collect();
            Error::Usage(format!("{message} (needed by the columns {})", columns.join(", ")))
        }
        other => other,
    };
    let tables = oracle_tables::read(dir, snapshot).map_err(needed_by)?;
    let as_of = snapshot.as_of;
    let without = || needed_by(Error::Usage("the ages of quotes need as_of in snapshot.toml".into()));
    let as_of = as_of.ok_or_else(without)?;
    let policies = rulebook.oracle.clone().unwrap_or_default();
    let seen = oracle::resolve(&scenarios, &tables.subjects, &policies, as_of);
    Ok((network::resolve(seen.scenarios, snapshot, rulebook), seen.warnings))
}

impl Inputs {
    /// Adds to a manifest what was read, and by which program.
    pub fn describe(&self, manifest: &mut Value) {
        manifest["complete"] = true.into();
        manifest["version"] = env!("CARGO_PKG_VERSION").into();
        manifest["commit"] = option_env!("PLIMSOLL_COMMIT").into();
        manifest["inputs"] = serde_json::json!(self.hashes);
        manifest["rulebook"] = self.rulebook.name.as_str().into();
        manifest["rulebook_effective"] = self.rulebook.effective.map(|moment| moment.to_string()).into();
        manifest["rulebook_description"] = self.rulebook.description.as_str().into();
        manifest["counts"] = self.counts.clone();
    }

    /// Facts for a report: the program, the rulebook, every file with its hash.
    pub fn facts(&self) -> Vec<(String, String)> {
        let own = [("plimsoll", env!("CARGO_PKG_VERSION")), ("rulebook", self.rulebook.name.as_str())];
        let own = own.map(|(name, value)| (name.to_string(), value.to_string()));
        let file = |file: &FileHash| (file.file.clone(), format!("{} bytes, BLAKE3 {}", file.size, file.blake3));
        own.into_iter().chain(self.hashes.iter().map(file)).collect()
    }
}

/// Writes the refused rows and nothing else; that they could not be written is said beside the refusal, which is what matters.
pub fn write_refused(writer: ResultsWriter, faults: &[Fault]) {
    let written = writer
        .write_faults(faults)
        .and_then(|()| writer.finish(serde_json::json!({"complete": false, "refused": faults.len()})));
    if let Err(error) = written {
        tracing::warn!("cannot write the refused rows: {error}");
    }
}

/// Place of a scenario in its set.
///
/// # Errors
/// [`Error::Usage`] where there is none of this id.
pub fn place_of(set: &ScenarioSet, id: &str) -> Result<usize> {
    set.position(id).ok_or_else(|| {
        let remedy = crate::suggest::remedy(id, set.ids.iter().map(String::as_str), "the set has no such id");
        Error::Usage(format!("no scenario {id:?} ({remedy})"))
    })
}
