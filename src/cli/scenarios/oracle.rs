//! `scenarios oracle`: failures of what the exchange sees.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Made;
use super::args::OracleArgs;
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::io::{oracle_tables, scenario_file};
use crate::scenario::oracle_failures::{OracleShocks, OracleTargets, oracle_failures};
use crate::suggest;

/// Makes the set.
pub(super) fn run(args: &OracleArgs) -> Result<Made> {
    let snapshot = crate::io::snapshot::read(&args.snapshot)?;
    let (all, known) = names(&snapshot);
    for name in &args.each {
        if !known.contains(name) {
            let remedy =
                suggest::remedy(name, known.iter().map(String::as_str), "no underlying or asset has this name");
            return Err(Error::Usage(format!("--each {name} ({remedy})")));
        }
    }
    let (tables, faults) = oracle_tables::read_with_faults(&args.snapshot, Some(&snapshot));
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let quotes = tables.subjects.values().flat_map(|evidence| &evidence.quotes);
    let sources: BTreeSet<String> = quotes.map(|quote| quote.source.clone()).collect();
    let sources: Vec<String> = sources.into_iter().collect();
    let usual = OracleShocks::default();
    let or_usual = |given: &[f64], usual: Vec<f64>| if given.is_empty() { usual } else { given.to_vec() };
    let shocks = OracleShocks {
        lags: or_usual(&args.lag, usual.lags),
        divergences: or_usual(&args.divergence, usual.divergences),
        confidences: or_usual(&args.confidence, usual.confidences),
        captures: or_usual(&args.capture, usual.captures),
    };
    let all: Vec<String> = all.into_iter().collect();
    let mut set = oracle_failures(OracleTargets { each: &args.each, all: &all, sources: &sources }, &shocks)?;
    if let Some(path) = &args.cross {
        set = scenario_file::read(path)?.product(&set)?;
    }
    let notes =
        if sources.is_empty() { vec!["the snapshot has no quotes: no source is captured".into()] } else { vec![] };
    let fields = [("sources".to_string(), Value::from(sources)), ("names".into(), Value::from(all))];
    Ok(Made { set, notes, fields: Map::from_iter(fields) })
}

/// What fails where everything does (every underlying, with all that follows it, and every asset that follows none), and every
/// name that may fail by itself. The quote never does.
fn names(snapshot: &Snapshot) -> (BTreeSet<String>, BTreeSet<String>) {
    let underlyings: BTreeSet<String> = snapshot.underlyings.iter().map(|underlying| underlying.name.clone()).collect();
    let assets = (0u32..).zip(&snapshot.assets);
    let assets = assets.filter(|(_, asset)| asset.custody.is_none() && asset.name != snapshot.quote);
    let alone = assets.clone().filter(|(index, _)| snapshot.underlying_of_asset(*index).is_none());
    let all = underlyings.iter().cloned().chain(alone.map(|(_, asset)| asset.name.clone())).collect();
    (all, underlyings.into_iter().chain(assets.map(|(_, asset)| asset.name.clone())).collect())
}
