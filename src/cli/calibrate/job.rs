//! Everything that a job reads.

use std::path::{Path, PathBuf};

use ndarray::s;

use crate::calibration::{Document, OverlayHistory};
use crate::cli::inputs::{InputFiles, Inputs, OnRefused, resolved};
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::io::hash::{self, FileHash};
use crate::io::job_file::{HoldOut, JobFile, read_document};
use crate::io::{bar_csv, scenario_file};
use crate::margin::Rulebook;
use crate::scenario::ScenarioSet;

/// The inputs of a calibration.
pub(super) struct JobInputs {
    pub(super) inputs: Inputs,
    pub(super) document: Document,
    pub(super) scenarios: ScenarioSet,
    pub(super) hold_out: Option<ScenarioSet>,
    pub(super) history: Option<OverlayHistory>,
    /// Every file that was read.
    pub(super) hashes: Vec<FileHash>,
    /// Hash of all of them, and of the program's version.
    pub(super) identity: String,
    pub(super) warnings: Vec<String>,
}

impl JobInputs {
    pub(super) fn read(file: &JobFile, job: &Path) -> Result<Self> {
        let files = InputFiles {
            snapshot: &file.snapshot,
            rulebook: &file.rulebook,
            scenarios: None,
            on_refused: OnRefused::Stop,
        };
        let inputs = files.read()?;
        let book = (file.snapshot.as_path(), &inputs.snapshot, &inputs.rulebook);
        let (mut scenarios, mut warnings) = read_sets(&file.scenarios, book)?;
        let hold_out = match &file.hold_out {
            HoldOut::Nothing => None,
            HoldOut::Files(files) => {
                let (set, more) = read_sets(files, book)?;
                warnings.extend(more);
                Some(set)
            }
            HoldOut::Share(share) => Some(split_off(&mut scenarios, *share)?),
        };
        let mut hashes = inputs.hashes.clone();
        let held_out: &[PathBuf] = match &file.hold_out {
            HoldOut::Files(files) => files,
            HoldOut::Nothing | HoldOut::Share(_) => &[],
        };
        let history = read_history(file)?;
        for read in file.scenarios.iter().chain(held_out).chain(&file.history) {
            hashes.push(hash::file(read)?);
        }
        hashes.push(hash::file(job)?);
        let document = read_document(&file.rulebook, &inputs.rulebook)?;
        let identity = identity(&hashes, file);
        Ok(Self { inputs, document, scenarios, hold_out, history, hashes, identity, warnings })
    }
}

/// The bars of a job, walked through once.
fn read_history(file: &JobFile) -> Result<Option<OverlayHistory>> {
    let asked = file.history.as_ref().zip(file.job.history.as_ref());
    asked.map(|(bars, request)| OverlayHistory::of(&bar_csv::read(bars)?, request)).transpose()
}

/// Sets one after the other; ids of several get the name of their file in front.
fn read_sets(
    files: &[PathBuf],
    (dir, snapshot, rulebook): (&Path, &Snapshot, &Rulebook),
) -> Result<(ScenarioSet, Vec<String>)> {
    let mut sets = files.iter().map(|file| scenario_file::read(file)).collect::<Result<Vec<_>>>()?;
    if let Some(other) = sets.iter().position(|set| set.factors != sets[0].factors) {
        let (first, other) = (files[0].display(), files[other].display());
        return Err(Error::Usage(format!(
            "{first} and {other}: scenario sets of one job have the same factors, in one order"
        )));
    }
    if sets.len() > 1 {
        for (set, file) in sets.iter_mut().zip(files) {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            set.ids.iter_mut().for_each(|id| *id = format!("{stem}/{id}"));
        }
    }
    resolved(ScenarioSet::join(&sets), (dir, snapshot), rulebook)
}

/// Takes the last share of a set off it.
fn split_off(set: &mut ScenarioSet, share: f64) -> Result<ScenarioSet> {
    let kept = set.len() - libm::round(share * set.len() as f64) as usize;
    if kept == 0 || kept == set.len() {
        return Err(Error::Usage(format!(
            "hold_out_share = {share} of {} scenarios leaves nothing on one side: use more scenarios, or another share",
            set.len()
        )));
    }
    let held = ScenarioSet {
        ids: set.ids.split_off(kept),
        weights: set.weights.split_off(kept),
        labels: set.labels.split_off(kept),
        factors: set.factors.clone(),
        shocks: set.shocks.slice(s![kept.., ..]).to_owned(),
    };
    set.shocks = set.shocks.slice(s![..kept, ..]).to_owned();
    Ok(held)
}

fn identity(hashes: &[FileHash], file: &JobFile) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    for hash in hashes {
        hasher.update(format!("\n{} {}", hash.file, hash.blake3).as_bytes());
    }
    // What the command line may change of the job.
    hasher.update(format!("\n{:?}", file.job.unshocked).as_bytes());
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Factor;

    fn set(count: usize) -> ScenarioSet {
        ScenarioSet {
            ids: (0..count).map(|at| at.to_string()).collect(),
            weights: vec![1.0; count],
            labels: vec![String::new(); count],
            factors: vec![Factor::price("BTC")],
            shocks: ndarray::Array2::from_shape_fn((count, 1), |(row, _)| row as f64 / 100.0),
        }
    }

    #[test]
    fn the_last_share_is_held_out() {
        let mut searched = set(10);
        let held = split_off(&mut searched, 0.3).expect("both sides");
        assert_eq!((searched.len(), held.len(), held.ids[0].as_str()), (7, 3, "7"));
        assert_eq!((searched.faults().len(), held.faults().len(), held.shocks[[0, 0]]), (0, 0, 0.07));
        assert!(split_off(&mut set(1), 0.3).is_err() && split_off(&mut set(3), 0.1).is_err());
    }
}
