//! Haircut classes in a rulebook file.

use toml::Table;

use super::keys::{Key, KeyKind, LARGEST, words};
use super::reader::Reader;
use super::section::Section;
use super::{from_zero, table_of, word_of};
use crate::margin::{HaircutSchedule, SizeUnit};

const UNITS: [(&str, SizeUnit); 2] = [("asset", SizeUnit::Asset), ("quote", SizeUnit::Quote)];

/// Keys of `[haircut.NAME]`: `flat` or tiers.
pub(super) const KEYS: &[Key] = &[
    Key::optional("flat", KeyKind::SHARE, "tiers", "haircut of every size, a fraction of the value; stands alone"),
    Key::optional("unit", KeyKind::Word(&words(&UNITS)), "asset", "unit of the tiers and of the cap"),
    Key::optional(
        "from",
        KeyKind::Numbers { min: 0.0, max: LARGEST },
        "flat is given",
        "lower end of each tier, units of unit: 0 first, then strictly increasing",
    ),
    Key::optional(
        "haircut",
        KeyKind::SHARES,
        "flat is given",
        "haircut of each tier, a fraction of the value, never decreasing",
    ),
    Key::optional(
        "initial",
        KeyKind::Either(&[KeyKind::SHARE, KeyKind::SHARES]),
        "the same",
        "haircut for the initial requirement alone, one for each tier, none below haircut",
    ),
    Key::optional("cap", KeyKind::POSITIVE, "no cap", "size beyond which nothing counts, units of unit"),
];

/// A haircut class; `None` where a fault was recorded.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<HaircutSchedule> {
    let unit = section.choice("unit", &UNITS).unwrap_or(SizeUnit::Asset);
    if section.has("flat") {
        for name in ["from", "haircut"].into_iter().filter(|name| section.has(name)) {
            reader.fault(&section.at(name), "", "flat stands alone: no tiers beside it", "remove one of them");
        }
        if section.has("unit") && !section.has("cap") {
            reader.fault(&section.at("unit"), "", "flat has no unit without a cap", "remove it, or add cap");
        }
        let flat = HaircutSchedule { unit, ..HaircutSchedule::flat(section.number("flat")?) };
        return completed(flat, section, reader);
    }
    for name in ["from", "haircut"].into_iter().filter(|name| !section.has(name)) {
        reader.fault(&section.at(name), "", "a required key is missing", "add the key, or flat in place of tiers");
    }
    let bounds = reader.bounds(section);
    let (bounds, haircuts) = (bounds?, section.numbers("haircut")?);
    reader.same_length(section.path(), "haircut", bounds.len() + 1, haircuts.len())?;
    let tiers = HaircutSchedule { unit, bounds, haircuts: haircuts.to_vec(), initial: None };
    completed(tiers, section, reader)
}

/// A class with its initial haircuts and its cap; checks the haircuts.
fn completed(mut class: HaircutSchedule, section: &Section, reader: &mut Reader<'_>) -> Option<HaircutSchedule> {
    never_decrease(&class.haircuts, "haircut", section, reader);
    if section.has("initial") {
        let initial = match section.number("initial") {
            Some(initial) => vec![initial],
            None => section.numbers("initial")?.to_vec(),
        };
        reader.same_length(&section.at("initial"), "initial haircut", class.haircuts.len(), initial.len())?;
        never_decrease(&initial, "initial", section, reader);
        if let Some((initial, haircut)) =
            initial.iter().zip(&class.haircuts).find(|(initial, haircut)| initial < haircut)
        {
            let rule = format!("an initial haircut is at least the haircut of its tier, {haircut}");
            reader.fault(&section.at("initial"), initial.to_string(), rule, "raise it");
        }
        class.initial = Some(initial);
    }
    if section.has("cap") {
        let cap = section.number("cap")?;
        if class.bounds.last().is_some_and(|bound| cap <= *bound) {
            reader.fault(&section.at("cap"), cap.to_string(), "cap is above the last tier's start", "raise it");
        }
        class.bounds.push(cap);
        class.haircuts.push(1.0);
        class.initial.iter_mut().for_each(|initial| initial.push(1.0));
    }
    Some(class)
}

fn never_decrease(haircuts: &[f64], name: &str, section: &Section, reader: &mut Reader<'_>) {
    if let Some(pair) = haircuts.windows(2).find(|pair| pair[1] < pair[0]) {
        let value = format!("{}, {}", pair[0], pair[1]);
        reader.fault(&section.at(name), value, "haircuts never decrease with size", "sort the tiers");
    }
}

/// A haircut class as TOML values.
pub(super) fn to_table(class: &HaircutSchedule) -> Table {
    let mut table = table_of([
        ("unit", word_of(&UNITS, class.unit).into()),
        ("from", from_zero(&class.bounds).into()),
        ("haircut", class.haircuts.clone().into()),
    ]);
    if let Some(initial) = &class.initial {
        table.insert("initial".into(), initial.clone().into());
    }
    table
}
