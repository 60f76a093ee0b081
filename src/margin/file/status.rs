//! `[[status]]` in a rulebook file.

use toml::{Table, Value};

use super::keys::{Key, KeyKind, words};
use super::reader::Reader;
use super::section::Section;
use super::table_of;
use crate::margin::{StatusAction, StatusRung};

/// Keys of a rung.
pub(super) const KEYS: &[Key] = &[
    Key::required("action", KeyKind::Word(&words(&StatusAction::WORDS)), "what is done from here on"),
    Key::optional("name", KeyKind::Text, "the action", "name, shown in explanations"),
    Key::required(
        "below",
        KeyKind::POSITIVE,
        "the rung is reached below this health ratio, adjusted equity / maintenance margin; each below the one before",
    ),
    Key::optional(
        "target_ratio",
        KeyKind::POSITIVE,
        "not said",
        "health ratio that the action restores, at least below",
    ),
    Key::optional("hysteresis", KeyKind::NOT_NEGATIVE, "0", "rise above below at which the rung is left"),
];

/// The ladder of a list of rungs; rungs at fault are left out.
pub(super) fn read(rungs: &[Section], reader: &mut Reader<'_>) -> Vec<StatusRung> {
    let ladder: Vec<StatusRung> = rungs.iter().filter_map(|rung| read_rung(rung, reader)).collect();
    if let Some(pair) = ladder.windows(2).find(|pair| pair[0].below <= pair[1].below) {
        let value = format!("{}, {}", pair[0].below, pair[1].below);
        reader.fault("status", value, "the ratios of a ladder descend", "sort the rungs, the highest ratio first");
    }
    ladder
}

fn read_rung(section: &Section, reader: &mut Reader<'_>) -> Option<StatusRung> {
    let (action, below) = (section.choice("action", &StatusAction::WORDS)?, section.number("below")?);
    let target_ratio = section.number("target_ratio");
    if let Some(target) = target_ratio.filter(|target| *target < below) {
        let rule = format!("a target is at least the ratio of its rung, {below}");
        reader.fault(&section.at("target_ratio"), target.to_string(), rule, "raise it");
    }
    Some(StatusRung {
        name: section.text("name").unwrap_or(action.name()).into(),
        action,
        below,
        target_ratio,
        hysteresis: section.number("hysteresis").unwrap_or_default(),
    })
}

/// A ladder as TOML values.
pub(super) fn to_value(ladder: &[StatusRung]) -> Value {
    Value::Array(ladder.iter().map(|rung| Value::Table(rung_table(rung))).collect())
}

fn rung_table(rung: &StatusRung) -> Table {
    let mut table = table_of([
        ("action", rung.action.name().into()),
        ("name", rung.name.as_str().into()),
        ("below", rung.below.into()),
        ("hysteresis", rung.hysteresis.into()),
    ]);
    if let Some(target) = rung.target_ratio {
        table.insert("target_ratio".into(), target.into());
    }
    table
}
