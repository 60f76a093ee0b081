//! `haircuts`: the classes of a rulebook from what collateral did.

mod args;
mod replay;
mod show;
mod tails;

use std::path::Path;

pub use args::Args;
use args::{Kind, ProposeArgs};

use super::{Context, Format, print_json, print_text};
use crate::backtest::Statistics;
use crate::collateral::haircut::{
    AssetHaircut, ClassChange, History, Settings, WalkForward, WrongWayPair, classes, propose, walk_forward,
    wrong_way_component, wrong_way_pairs,
};
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::io::{panel, read_rulebook, snapshot, write_file};
use crate::margin::{Rulebook, component};

/// Name of the component that holds wrong-way pairs.
const WRONG_WAY: &str = "wrong_way";

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    match &args.kind {
        Some(Kind::Tails(args)) => tails::run(args, context),
        Some(Kind::Replay(args)) => replay::run(args, context),
        None => run_proposal(&args.propose, context),
    }
}

/// What was proposed, from what.
struct Findings<'a> {
    args: &'a ProposeArgs,
    snapshot: Snapshot,
    span_hours: i64,
    step_hours: i64,
    assets: Vec<AssetHaircut>,
    classes: Vec<ClassChange>,
    pairs: Vec<WrongWayPair>,
    /// Walk-forward coverage of each course that a haircut was read from.
    coverage: Vec<Covered>,
    notes: Vec<String>,
    out: &'a Path,
}

/// How the market haircut of a course, by the rule asked for, would have covered what came next.
struct Covered {
    source: String,
    walk: WalkForward,
    empirical: Statistics,
    gaussian: Statistics,
}

fn run_proposal(args: &ProposeArgs, context: Context) -> Result<u8> {
    let (snapshot_dir, panel_file, out) = args.files()?;
    let settings = args.settings()?;
    settings.check()?;
    let rulebook_file = args.rulebook.clone().unwrap_or_else(|| snapshot_dir.join("rulebook.toml"));
    let mut rulebook = read_rulebook(&rulebook_file)?;
    let snapshot = snapshot::read(snapshot_dir)?;
    let history = panel::read_history(panel_file)?;
    args.check_names(&snapshot)?;
    let assets = propose(&snapshot, &history, &settings)?;
    let (classes, without) = classes(&snapshot, &rulebook, &assets, settings.step);
    let mut notes = Vec::new();
    if !without.is_empty() {
        notes.push(format!("no haircut class, so no haircut whatever is found: {}", without.join(" ")));
    }
    if !rulebook.sets.is_empty() && out.parent() != rulebook_file.parent() {
        notes.push("the rulebook names scenario files relative to itself: put them beside the new one".into());
    }
    for change in &classes {
        rulebook.haircut.insert(change.class.clone(), change.schedule.clone());
    }
    let pairs = args.wrong_way.map_or_else(Vec::new, |least| wrong_way_pairs(&snapshot, &history, &assets, least));
    if args.wrong_way.is_some() {
        set_wrong_way(&mut rulebook, &pairs, &mut notes)?;
    }
    let span_hours = history.span(settings.horizon_hours);
    let coverage = coverage(&history, &assets, &settings);
    write_file(out, rulebook.to_toml().as_bytes())?;
    let step_hours = history.step_hours();
    let findings = Findings { args, snapshot, span_hours, step_hours, assets, classes, pairs, coverage, notes, out };
    match context.format {
        Format::Json => print_json(&findings.json()),
        Format::Table => print_text(findings.text()),
    }
    Ok(0)
}

/// Puts the pairs into the rulebook in place of those of an earlier run.
fn set_wrong_way(rulebook: &mut Rulebook, pairs: &[WrongWayPair], notes: &mut Vec<String>) -> Result<()> {
    let is_other = |component: &component::Component| !matches!(component.kind, component::Kind::WrongWay(_));
    if rulebook.component.get(WRONG_WAY).is_some_and(is_other) {
        return Err(Error::Usage(format!("the rulebook has a component {WRONG_WAY} of another kind: rename it")));
    }
    match wrong_way_component(pairs)? {
        Some(component) => {
            rulebook.component.insert(WRONG_WAY.into(), component);
            if rulebook.requirement.is_some() || rulebook.has_portfolio_requirement() {
                notes.push(format!("the rulebook says what pools require: name the component {WRONG_WAY} there"));
            }
        }
        None => {
            rulebook.component.remove(WRONG_WAY);
            notes.push("no pair of a collateral and an underlying is correlated that much".into());
        }
    }
    Ok(())
}

fn coverage(history: &History, assets: &[AssetHaircut], settings: &Settings) -> Vec<Covered> {
    let Settings { level, look_back_days, floor, .. } = *settings;
    let span_hours = history.span(settings.horizon_hours);
    let mut sources: Vec<&str> =
        assets.iter().filter_map(|asset| asset.market.as_ref()).map(|market| market.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    let covered = |source: &str| {
        let walk = walk_forward(history, history.course(source)?, span_hours, level, (look_back_days, floor));
        let [empirical, gaussian] = [walk.empirical, walk.gaussian].map(|coverage| Statistics::of(&coverage, level));
        Some(Covered { source: source.into(), walk, empirical, gaussian })
    };
    sources.into_iter().filter_map(covered).collect()
}
