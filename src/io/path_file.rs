//! Path files: a market that moves in steps.

use std::path::Path as FilePath;

use serde_json::Value;
use toml::Table;

use super::{named_text, rulebook_schema};
use crate::error::Result;
use crate::liquidation::path::{Oracle, Path, PathStep};
use crate::margin::file::{self, Key, KeyKind, Reader, Section, Shape, words};
use crate::scenario::{Factor, FactorKind};

/// Rounds of one step.
const ROUNDS_MAX: i64 = 1_000_000;

const STEP: &[Key] = &[
    Key::optional("label", KeyKind::Text, "empty", "name of the step, shown in reports"),
    Key::optional(
        "oracle",
        KeyKind::Word(&words(&Oracle::WORDS)),
        "update",
        "whether the prices that decide are those of the step, or stay those of the last update",
    ),
    Key::optional(
        "capacity_quote",
        KeyKind::POSITIVE_AMOUNT,
        "that of the path",
        "notional that all books together can trade in this step, quote units",
    ),
    Key::optional(
        "shocks",
        KeyKind::Values(&KeyKind::NUMBER),
        "the market of the snapshot",
        "shocks by factor, like price:BTC, relative to the snapshot and not to the step before",
    ),
];

/// Every key of a path file.
pub const ROOT: &[Key] = &[
    Key::optional("name", KeyKind::Text, "empty", "name of the path, shown in reports"),
    Key::optional(
        "rounds_per_step",
        KeyKind::Integer { min: 1, max: ROUNDS_MAX },
        "1",
        "rounds of liquidation in one step",
    ),
    Key::optional(
        "capacity_quote",
        KeyKind::POSITIVE_AMOUNT,
        "unlimited",
        "notional that all books together can trade in one step, quote units",
    ),
    Key::required("step", KeyKind::Tables(Shape::Keys(STEP)), "the steps, in order; at least one"),
];

/// Reads a path from a TOML file.
///
/// # Errors
/// [`crate::Error::Io`] where the file cannot be read, [`crate::Error::Usage`] where it is no UTF-8 text,
/// [`crate::Error::Configuration`] with every broken rule.
pub fn read(path: &FilePath) -> Result<Path> {
    let (name, text) = named_text(path, "a path")?;
    parse(&text, &name)
}

/// Reads a path from TOML. `source_name` is the file's name in faults.
///
/// # Errors
/// [`crate::Error::Configuration`] with every fault and its line: no step, unknown keys and factors, numbers out of range,
/// shocks below the minimum of their kind, time that runs backwards.
pub fn parse(text: &str, source_name: &str) -> Result<Path> {
    file::parse(text, source_name, read_root)
}

/// The JSON Schema (draft-07) of a path file. What only the reader checks (factors and their minima) is in the descriptions.
pub fn schema() -> Value {
    rulebook_schema::of_file("Plimsoll path", "A market that moves in steps", ROOT)
}

fn read_root(root: &Table, reader: &mut Reader<'_>) -> Path {
    let section = reader.section("", root, ROOT);
    let steps = section.tables("step").unwrap_or_default();
    if section.tables("step").is_some_and(<[Section]>::is_empty) {
        reader.fault("step", "[]", "a path has at least one step", "add [[step]]");
    }
    let steps: Vec<PathStep> = steps.iter().map(|step| read_step(step, reader)).collect();
    check_time(&steps, reader);
    Path {
        name: section.text("name").unwrap_or_default().into(),
        rounds_per_step: section.integer("rounds_per_step").and_then(|rounds| rounds.try_into().ok()).unwrap_or(1),
        capacity_quote: section.number("capacity_quote"),
        steps,
    }
}

fn read_step(section: &Section, reader: &mut Reader<'_>) -> PathStep {
    let at = section.at("shocks");
    let shocks = section.numbers_by_name("shocks").into_iter().flatten();
    PathStep {
        label: section.text("label").unwrap_or_default().into(),
        oracle: section.choice("oracle", &Oracle::WORDS).unwrap_or_default(),
        capacity_quote: section.number("capacity_quote"),
        shocks: shocks.filter_map(|(name, shock)| read_shock(&file::path(&at, &name), &name, shock, reader)).collect(),
    }
}

/// A shock; `None` where a fault was recorded.
fn read_shock(at: &str, name: &str, shock: f64, reader: &mut Reader<'_>) -> Option<(Factor, f64)> {
    let Some(factor) = Factor::parse(name) else {
        let (prefix, rest) = name.split_once(':').unwrap_or((name, ""));
        let known = FactorKind::ALL.map(FactorKind::prefix);
        let rule = format!("a factor is time, or one of {} with a name", known[..known.len() - 1].join(", "));
        let remedy = match known.contains(&prefix) && rest.is_empty() {
            true => "write it like price:BTC".into(),
            false => crate::suggest::remedy(prefix, known, "write it like price:BTC"),
        };
        reader.fault(at, name, rule, remedy);
        return None;
    };
    let (least, greatest) = (factor.kind.minimum(), factor.kind.maximum());
    if !(least..=greatest).contains(&shock) {
        let rule = format!("{} is at least {least} and at most {greatest}", factor.kind.shock());
        reader.fault(at, shock.to_string(), rule, "correct it");
        return None;
    }
    Some((factor, shock))
}

/// Records steps before which more time had passed than at them.
fn check_time(steps: &[PathStep], reader: &mut Reader<'_>) {
    let time_of = |step: &PathStep| {
        let time = step.shocks.iter().find(|(factor, _)| factor.kind == FactorKind::Time);
        time.map_or(0.0, |(_, years)| *years)
    };
    for (index, pair) in steps.windows(2).enumerate() {
        let (before, after) = (time_of(&pair[0]), time_of(&pair[1]));
        if after < before {
            let rule = format!("time does not run backwards; the step before is at {before} years");
            let remedy = "give the time since the snapshot in every step";
            reader.fault(&format!("step[{}].shocks.time", index + 1), after.to_string(), rule, remedy);
        }
    }
}
