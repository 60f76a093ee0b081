//! Option classes and spread recognition in a rulebook file.

use toml::{Table, Value};

use super::keys::{Key, KeyKind, Shape, words};
use super::reader::Reader;
use super::section::Section;
use super::{table_of, word_of};
use crate::margin::option::{MarkIn, OptionClass, OptionReference, OptionRequirement, RATIO_RANGE};
use crate::margin::{OptionSpread, Rulebook};

const REFERENCES: [(&str, OptionReference); 3] =
    [("index", OptionReference::Index), ("forward", OptionReference::Forward), ("strike", OptionReference::Strike)];
const MARKS: [(&str, MarkIn); 2] = [("equity", MarkIn::Equity), ("requirement", MarkIn::Requirement)];

/// What one short option requires.
const REQUIREMENT: &[Key] = &[
    Key::optional("rate", KeyKind::SHARE, "0", "share of the reference, less the amount out of the money"),
    Key::required("floor", KeyKind::SHARE, "least share of the reference"),
    Key::optional(
        "put_cap_of_strike",
        KeyKind::SHARE,
        "no cap",
        "greatest requirement of a put, a share of its strike",
    ),
    Key::optional("put_floor_of_mark", KeyKind::SHARE, "0", "least requirement of a put, a share of its mark"),
    Key::optional("long_of_mark", KeyKind::SHARE, "0", "requirement of a long option, a share of its mark"),
];
const RATIO: KeyKind = KeyKind::Number { min: 0.0, max: *RATIO_RANGE.end() };
const RATIOS: &[Key] =
    &[Key::optional("call", RATIO, "0", "ratio of calls"), Key::optional("put", RATIO, "0", "ratio of puts")];

/// Keys of `[option.NAME]`.
pub(super) const KEYS: &[Key] = &[
    Key::optional("reference", KeyKind::Word(&words(&REFERENCES)), "index", "the price that rates are shares of"),
    Key::optional("mark", KeyKind::Word(&words(&MARKS)), "equity", "where the value of an option counts"),
    Key::required("maintenance", KeyKind::Table(Shape::Keys(REQUIREMENT)), "maintenance requirement of a short option"),
    Key::optional(
        "initial",
        KeyKind::Table(Shape::Keys(REQUIREMENT)),
        "maintenance",
        "initial requirement of a short option",
    ),
    Key::optional(
        "initial_over_maintenance",
        KeyKind::Either(&[RATIO, KeyKind::Table(Shape::Keys(RATIOS))]),
        "0",
        "least initial requirement as a multiple of maintenance: 0 (none) or 1 to 10",
    ),
    Key::optional("long_credit", KeyKind::SHARE, "1", "share of a long option's value that counts in adjusted equity"),
];

/// Keys of `[option_spread]`.
pub(super) const SPREAD_KEYS: &[Key] = &[
    Key::required("classes", KeyKind::Texts, "option classes whose spreads are recognised"),
    Key::required("unpaired_initial", UNPAIRED, "initial requirement of a net short call, a share of the forward"),
    Key::required("unpaired_maintenance", UNPAIRED, "the same of maintenance"),
];
const UNPAIRED: KeyKind = KeyKind::Number { min: 0.0, max: OptionSpread::UNPAIRED_MAX };

/// An option class; `None` where a fault was recorded.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<OptionClass> {
    let maintenance = section.table("maintenance").and_then(requirement);
    let initial = match section.has("initial") {
        true => section.table("initial").and_then(requirement),
        false => maintenance,
    };
    let ratios = ratios(section, reader);
    let long_credit = match section.has("long_credit") {
        true => section.number("long_credit"),
        false => Some(1.0),
    };
    let (call_initial_over_maintenance, put_initial_over_maintenance) = ratios?;
    Some(OptionClass {
        reference: section.choice("reference", &REFERENCES).unwrap_or_default(),
        mark: section.choice("mark", &MARKS).unwrap_or_default(),
        maintenance: maintenance?,
        initial: initial?,
        call_initial_over_maintenance,
        put_initial_over_maintenance,
        long_credit: long_credit?,
    })
}

fn requirement(section: &Section) -> Option<OptionRequirement> {
    Some(OptionRequirement {
        rate: section.number("rate").unwrap_or_default(),
        floor: section.number("floor")?,
        put_cap_of_strike: section.number("put_cap_of_strike"),
        put_floor_of_mark: section.number("put_floor_of_mark").unwrap_or_default(),
        long_of_mark: section.number("long_of_mark").unwrap_or_default(),
    })
}

/// γ of calls and of puts: one number for both, or a table.
fn ratios(section: &Section, reader: &mut Reader<'_>) -> Option<(f64, f64)> {
    const NAME: &str = "initial_over_maintenance";
    if let Some(table) = section.table(NAME) {
        let mut of = |name: &str| match table.has(name) {
            true => table.number(name).and_then(|number| ratio(&table.at(name), number, reader)),
            false => Some(0.0),
        };
        let (call, put) = (of("call"), of("put"));
        return Some((call?, put?));
    }
    match section.has(NAME) {
        true => {
            let both = ratio(&section.at(NAME), section.number(NAME)?, reader)?;
            Some((both, both))
        }
        false => Some((0.0, 0.0)),
    }
}

fn ratio(at: &str, number: f64, reader: &mut Reader<'_>) -> Option<f64> {
    if number == 0.0 || RATIO_RANGE.contains(&number) {
        return Some(number);
    }
    reader.fault(at, number.to_string(), "0 (none) or between 1 and 10", "correct it");
    None
}

/// Spread recognition; `None` where a fault was recorded.
pub(super) fn read_spread(section: &Section) -> Option<OptionSpread> {
    Some(OptionSpread {
        classes: section.texts("classes")?.iter().cloned().collect(),
        unpaired_initial: section.number("unpaired_initial")?,
        unpaired_maintenance: section.number("unpaired_maintenance")?,
    })
}

/// Records what is wrong with the classes of a spread.
pub(super) fn check_spread(rulebook: &Rulebook, reader: &mut Reader<'_>) {
    let Some(spread) = &rulebook.option_spread else { return };
    for (class, rule) in spread.faults(rulebook) {
        let known = rulebook.option.keys().map(String::as_str);
        let remedy = crate::suggest::remedy(&class, known.filter(|key| *key != class), "correct the class");
        reader.fault("option_spread.classes", class, rule, remedy);
    }
}

/// An option class as TOML values.
pub(super) fn to_table(class: &OptionClass) -> Table {
    let ratios = [("call", class.call_initial_over_maintenance), ("put", class.put_initial_over_maintenance)];
    table_of([
        ("reference", word_of(&REFERENCES, class.reference).into()),
        ("mark", word_of(&MARKS, class.mark).into()),
        ("maintenance", Value::Table(requirement_table(&class.maintenance))),
        ("initial", Value::Table(requirement_table(&class.initial))),
        ("initial_over_maintenance", Value::Table(table_of(ratios.map(|(name, ratio)| (name, ratio.into()))))),
        ("long_credit", class.long_credit.into()),
    ])
}

fn requirement_table(requirement: &OptionRequirement) -> Table {
    let OptionRequirement { rate, floor, put_cap_of_strike, put_floor_of_mark, long_of_mark } = *requirement;
    let mut table = table_of([
        ("rate", rate.into()),
        ("floor", floor.into()),
        ("put_floor_of_mark", put_floor_of_mark.into()),
        ("long_of_mark", long_of_mark.into()),
    ]);
    if let Some(cap) = put_cap_of_strike {
        table.insert("put_cap_of_strike".into(), cap.into());
    }
    table
}

/// Spread recognition as TOML values.
pub(super) fn spread_table(spread: &OptionSpread) -> Table {
    table_of([
        ("classes", spread.classes.iter().cloned().collect::<Vec<_>>().into()),
        ("unpaired_initial", spread.unpaired_initial.into()),
        ("unpaired_maintenance", spread.unpaired_maintenance.into()),
    ])
}
