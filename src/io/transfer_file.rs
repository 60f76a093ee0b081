//! Transfer plans: what moves from one pool to another, and what must hold all the while.

use std::path::{Path, PathBuf};

use serde_json::Value;
use toml::Table;

use super::{beside, named_text, rulebook_schema};
use crate::domain::Kind;
use crate::error::Result;
use crate::hedge::CostRates;
use crate::margin::MarginSide;
use crate::margin::file::{self, Key, KeyKind, Reader, Section, Shape, words};
use crate::transfer::{Absent, Cargo, LotAmount, LotRequest, Plan, Positions, Reopening, Route, Standing, Target};

/// Words of the requirements.
const MARGINS: [(&str, MarginSide); 2] = [("initial", MarginSide::Initial), ("maintenance", MarginSide::Maintenance)];
/// Words of an amount that is no number.
const AMOUNTS: [(&str, LotAmount); 2] = [("all", LotAmount::All), ("largest", LotAmount::Largest)];
/// Words of the ways of positions.
const POSITIONS: [(&str, Way); 2] = [("novation", Way::Novation), ("reopen", Way::Reopen)];
/// Longest latency and timeout: a year.
const HOURS_MAX: f64 = 8_760.0;

/// How positions move, without the costs that stand elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Novation,
    Reopen,
}

const SOURCE: &[Key] = &[
    Key::required("snapshot", KeyKind::Text, "directory of tables, relative to the plan"),
    Key::optional("rulebook", KeyKind::Text, "rulebook.toml in the snapshot", "margin rules, relative to the plan"),
    Key::required("scenarios", KeyKind::Text, "scenario set under which the target is kept, relative to the plan"),
    Key::required("account", KeyKind::Text, "owner of the pool"),
    Key::optional("pool", KeyKind::Text, "main", "name of the pool"),
];

const DESTINATION: &[Key] = &[
    SOURCE[0],
    SOURCE[1],
    SOURCE[2],
    SOURCE[3],
    SOURCE[4],
    Key::optional(
        "if_absent",
        KeyKind::Word(&words(&Absent::WORDS)),
        "refuse",
        "what to do where there is no such pool: refuse the plan, or create an empty one",
    ),
];

const LOT: &[Key] = &[
    Key::required("asset", KeyKind::Text, "the asset, of the same name at both sides"),
    Key::required(
        "amount",
        KeyKind::Either(&[KeyKind::POSITIVE_AMOUNT, KeyKind::Word(&words(&AMOUNTS))]),
        "units that leave the source; all of the balance; or the largest amount that keeps every target",
    ),
    Key::optional(
        "flat_fee",
        KeyKind::AMOUNT,
        "0",
        "units that the route takes of the lot beside its share; less than all of it",
    ),
];

const TARGET: &[Key] = &[
    Key::optional("source", KeyKind::POSITIVE, "1", "multiple of its requirement that the source keeps"),
    Key::optional("destination", KeyKind::POSITIVE, "1", "multiple of its requirement that the destination keeps"),
    Key::optional("margin", KeyKind::Word(&words(&MARGINS)), "initial", "the requirement meant"),
    Key::optional(
        "standing",
        KeyKind::Word(&words(&Standing::WORDS)),
        "check",
        "whether a side that misses its target with what it holds anyway stops the plan, or is reported",
    ),
];

const ROUTE: &[Key] = &[
    Key::optional("fee", KeyKind::SHARE, "0", "share of every lot that the route takes, below 1"),
    Key::optional("transit_haircut", KeyKind::SHARE, "0", "share of a locked lot that the source no longer counts"),
    Key::optional(
        "transit_credit",
        KeyKind::SHARE,
        "0",
        "share of an accepted lot that the destination counts before it has arrived, at most the haircut",
    ),
    Key::optional("latency_hours", KeyKind::Number { min: 0.0, max: HOURS_MAX }, "0", "hours that one message takes"),
    Key::optional(
        "timeout_hours",
        KeyKind::Number { min: f64::MIN_POSITIVE, max: HOURS_MAX },
        "24",
        "hours after which a transfer without a decision is aborted, at least twice the latency",
    ),
];

const COSTS: &[Key] = &[
    Key::optional("spot", KeyKind::SHARE, "0.0012", "taker fee plus half the spread of spot, share of notional"),
    Key::optional("perpetual", KeyKind::SHARE, "0.0006", "the same of perpetuals"),
    Key::optional("future", KeyKind::SHARE, "0.0007", "the same of dated futures"),
    Key::optional("option", KeyKind::SHARE, "0.0013", "the same of options, of contract size times index price"),
];

const REOPEN: &[Key] = &[
    Key::optional("source", KeyKind::Table(Shape::Keys(COSTS)), "assumed costs", "cost of closing at the source"),
    Key::optional(
        "destination",
        KeyKind::Table(Shape::Keys(COSTS)),
        "assumed costs",
        "cost of opening at the destination",
    ),
];

/// Every key of a transfer plan.
pub const ROOT: &[Key] = &[
    Key::required("source", KeyKind::Table(Shape::Keys(SOURCE)), "where it comes from"),
    Key::required("destination", KeyKind::Table(Shape::Keys(DESTINATION)), "where it goes"),
    Key::optional(
        "lots",
        KeyKind::Tables(Shape::Keys(LOT)),
        "nothing but a whole account",
        "what moves, asset by asset",
    ),
    Key::optional(
        "whole",
        KeyKind::Flag,
        "false",
        "whether every balance and position of the pool moves, instead of lots",
    ),
    Key::optional(
        "positions",
        KeyKind::Word(&words(&POSITIONS)),
        "novation",
        "how the positions of a whole account move: as they are, or closed and opened again at the source's mark",
    ),
    Key::optional("reopen", KeyKind::Table(Shape::Keys(REOPEN)), "assumed costs", "what reopening costs"),
    Key::optional("target", KeyKind::Table(Shape::Keys(TARGET)), "1 on initial margin", "what both sides keep"),
    Key::optional("route", KeyKind::Table(Shape::Keys(ROUTE)), "free and immediate", "the way between them"),
    Key::optional("nonce", KeyKind::Integer { min: 0, max: i64::MAX - 1 }, "1", "number of the lock, never used twice"),
];

/// A plan, and the files of its sides.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanFile {
    /// Where it comes from.
    pub source: SideFiles,
    /// Where it goes.
    pub destination: SideFiles,
    /// What to do where the destination has no such pool.
    pub absent: Absent,
    /// What moves, and how.
    pub plan: Plan,
}

/// Files and names of one side; paths are relative to where the program runs.
#[derive(Debug, Clone, PartialEq)]
pub struct SideFiles {
    /// Directory of tables.
    pub snapshot: PathBuf,
    /// Margin rules.
    pub rulebook: PathBuf,
    /// Scenario set.
    pub scenarios: PathBuf,
    /// Owner of the pool.
    pub account: String,
    /// Name of the pool.
    pub pool: String,
}

/// Reads a transfer plan from a TOML file; paths in it are relative to it.
///
/// # Errors
/// [`crate::Error::Io`] where the file cannot be read, [`crate::Error::Usage`] where it is no UTF-8 text,
/// [`crate::Error::Configuration`] with every broken rule.
pub fn read(path: &Path) -> Result<PlanFile> {
    let (name, text) = named_text(path, "a transfer plan")?;
    let mut file = parse(&text, &name)?;
    for side in [&mut file.source, &mut file.destination] {
        for relative in [&mut side.snapshot, &mut side.rulebook, &mut side.scenarios] {
            *relative = beside(path, &relative.to_string_lossy());
        }
    }
    Ok(file)
}

/// Reads a transfer plan from TOML, its paths as written. `source_name` is the file's name in faults.
///
/// # Errors
/// [`crate::Error::Configuration`] with every fault and its line.
pub fn parse(text: &str, source_name: &str) -> Result<PlanFile> {
    file::parse(text, source_name, read_root)
}

/// The JSON Schema (draft-07) of a transfer plan. What only the reader checks (which keys go together) is in the descriptions.
pub fn schema() -> Value {
    rulebook_schema::of_file("Plimsoll transfer plan", "What moves from one pool to another", ROOT)
}

fn read_root(root: &Table, reader: &mut Reader<'_>) -> PlanFile {
    let section = reader.section("", root, ROOT);
    let plan = Plan {
        cargo: read_cargo(&section, reader),
        target: section.table("target").map_or_else(default_target, read_target),
        route: section.table("route").map_or_else(Route::default, read_route),
        nonce: section.integer("nonce").and_then(|nonce| nonce.try_into().ok()).unwrap_or(1),
    };
    // Where a number was at fault a default stands, which is at fault with nothing.
    for fault in plan.faults().into_iter().filter(|_| lots_are_read(&section)) {
        reader.fault(&fault.column, fault.value, fault.rule, fault.remedy);
    }
    let destination = section.table("destination");
    PlanFile {
        source: read_side(section.table("source")),
        destination: read_side(destination),
        absent: destination.and_then(|side| side.choice("if_absent", &Absent::WORDS)).unwrap_or_default(),
        plan,
    }
}

/// Whether the lots, if any are written, could be read: their rules say nothing otherwise.
fn lots_are_read(section: &Section) -> bool {
    !section.has("lots") || section.tables("lots").is_some()
}

fn read_cargo(section: &Section, reader: &mut Reader<'_>) -> Cargo {
    let is_whole = section.flag("whole") == Some(true);
    if is_whole && section.has("lots") {
        reader.fault("lots", "", "a whole account has no lots beside it", "remove the lots, or whole");
    }
    for key in ["positions", "reopen"].into_iter().filter(|key| !is_whole && section.has(key)) {
        reader.fault(key, "", "positions move with a whole account only", "remove it, or write whole = true");
    }
    let way = section.choice("positions", &POSITIONS).unwrap_or(Way::Novation);
    if is_whole && way == Way::Novation && section.has("reopen") {
        reader.fault("reopen", "", "costs are those of positions = \"reopen\"", "remove it, or reopen positions");
    }
    match (is_whole, way) {
        (true, Way::Novation) => Cargo::Whole(Positions::Novation),
        (true, Way::Reopen) => Cargo::Whole(Positions::Reopen(read_reopening(section.table("reopen")))),
        // That a plan has a lot is a rule of plans.
        (false, _) => Cargo::Lots(section.tables("lots").unwrap_or_default().iter().map(read_lot).collect()),
    }
}

fn read_lot(section: &Section) -> LotRequest {
    let units = section.number("amount").map(LotAmount::Units);
    LotRequest {
        asset: section.text("asset").unwrap_or_default().into(),
        amount: units.or_else(|| section.choice("amount", &AMOUNTS)).unwrap_or(LotAmount::All),
        flat_fee: section.number("flat_fee").unwrap_or_default(),
    }
}

fn read_reopening(section: Option<&Section>) -> Reopening {
    let costs =
        |side: &str| section.and_then(|section| section.table(side)).map_or_else(CostRates::default, read_costs);
    Reopening { source: costs("source"), destination: costs("destination") }
}

fn read_costs(section: &Section) -> CostRates {
    let mut costs = CostRates::default();
    let kinds =
        [("spot", Kind::Spot), ("perpetual", Kind::Perpetual), ("future", Kind::Future), ("option", Kind::Option)];
    for (name, kind) in kinds {
        if let Some(rate) = section.number(name) {
            *costs.of_mut(kind) = rate;
        }
    }
    costs
}

fn default_target() -> Target {
    Target { source: 1.0, destination: 1.0, on: MarginSide::Initial, standing: Standing::default() }
}

fn read_target(section: &Section) -> Target {
    let default = default_target();
    Target {
        source: section.number("source").unwrap_or(default.source),
        destination: section.number("destination").unwrap_or(default.destination),
        on: section.choice("margin", &MARGINS).unwrap_or(default.on),
        standing: section.choice("standing", &Standing::WORDS).unwrap_or(default.standing),
    }
}

fn read_route(section: &Section) -> Route {
    let default = Route::default();
    let number = |key: &str, without: f64| section.number(key).unwrap_or(without);
    Route {
        fee: number("fee", default.fee),
        transit_haircut: number("transit_haircut", default.transit_haircut),
        transit_credit: number("transit_credit", default.transit_credit),
        latency_hours: number("latency_hours", default.latency_hours),
        timeout_hours: number("timeout_hours", default.timeout_hours),
    }
}

fn read_side(section: Option<&Section>) -> SideFiles {
    let text = |key: &str| section.and_then(|section| section.text(key)).unwrap_or_default().to_string();
    let snapshot = PathBuf::from(text("snapshot"));
    let rulebook = section.and_then(|section| section.text("rulebook")).map(PathBuf::from);
    SideFiles {
        rulebook: rulebook.unwrap_or_else(|| snapshot.join("rulebook.toml")),
        snapshot,
        scenarios: text("scenarios").into(),
        account: text("account"),
        pool: section.and_then(|section| section.text("pool")).unwrap_or("main").into(),
    }
}
