//! Haircut classes in a rulebook file.

use toml::Table;

use super::keys::{Key, KeyKind, LARGEST, words};
use super::reader::Reader;
use super::section::Section;
use super::{from_zero, table_of, word_of};
use crate::margin::{HaircutSchedule, SizeUnit};

const UNITS: [(&str, SizeUnit); 2] = [("asset", SizeUnit::Asset), ("quote", SizeUnit::Quote)];

/// Keys of `[haircut.NAME]`: `flat` alone, or tiers.
pub(super) const KEYS: &[Key] = &[
    Key::optional("flat", KeyKind::SHARE, "tiers", "haircut of every size, a fraction of the value; stands alone"),
    Key::optional("unit", KeyKind::Word(&words(&UNITS)), "asset", "unit of the tiers"),
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
];

/// A haircut class; `None` where a fault was recorded.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<HaircutSchedule> {
    if section.has("flat") {
        for name in ["unit", "from", "haircut"].into_iter().filter(|name| section.has(name)) {
            reader.fault(&section.at(name), "", "flat stands alone: no tiers beside it", "remove one of them");
        }
        let haircuts = vec![section.number("flat")?];
        return Some(HaircutSchedule { unit: SizeUnit::Asset, bounds: Vec::new(), haircuts });
    }
    for name in ["from", "haircut"].into_iter().filter(|name| !section.has(name)) {
        reader.fault(&section.at(name), "", "a required key is missing", "add the key, or flat in place of tiers");
    }
    let unit = section.choice("unit", &UNITS).unwrap_or(SizeUnit::Asset);
    let bounds = reader.bounds(section);
    let (bounds, haircuts) = (bounds?, section.numbers("haircut")?);
    reader.same_length(section.path(), "haircut", bounds.len() + 1, haircuts.len())?;
    if let Some(pair) = haircuts.windows(2).find(|pair| pair[1] < pair[0]) {
        let value = format!("{}, {}", pair[0], pair[1]);
        reader.fault(&section.at("haircut"), value, "haircuts never decrease with size", "sort the tiers");
    }
    Some(HaircutSchedule { unit, bounds, haircuts: haircuts.to_vec() })
}

/// A haircut class as TOML values.
pub(super) fn to_table(class: &HaircutSchedule) -> Table {
    table_of([
        ("unit", word_of(&UNITS, class.unit).into()),
        ("from", from_zero(&class.bounds).into()),
        ("haircut", class.haircuts.clone().into()),
    ])
}
