//! Numbers of a component that may differ between the two requirements.

use super::Requirement;
use crate::margin::bracket::{Form, Schedule};
use crate::margin::file::{Key, KeyKind, LARGEST, Reader, Section, Shape};

const NUMBERS: KeyKind = KeyKind::Numbers { min: 0.0, max: LARGEST };

/// A number ≥ 0 for both requirements, or one for each.
pub(super) const BY_SIDE: KeyKind = KeyKind::Either(&[
    KeyKind::NOT_NEGATIVE,
    KeyKind::Table(Shape::Keys(&[
        Key::required("initial", KeyKind::NOT_NEGATIVE, "number for the initial requirement"),
        Key::required("maintenance", KeyKind::NOT_NEGATIVE, "number for the maintenance requirement"),
    ])),
]);

/// Numbers ≥ 0 for both requirements, or as many for each.
pub(super) const LIST_BY_SIDE: KeyKind = KeyKind::Either(&[
    NUMBERS,
    KeyKind::Table(Shape::Keys(&[
        Key::required("initial", NUMBERS, "numbers for the initial requirement"),
        Key::required("maintenance", NUMBERS, "numbers for the maintenance requirement"),
    ])),
]);

/// Key of the lower ends of tiers.
pub(super) const FROM: Key = Key::required(
    "from",
    NUMBERS,
    "lower end of each tier, in quote units or shares: 0 first, then strictly increasing",
);

/// The numbers under a key of kind [`BY_SIDE`]; `None` where it is absent or faulty.
pub(super) fn numbers(section: &Section, key: &str) -> Option<Requirement<f64>> {
    if let Some(number) = section.number(key) {
        return Some(Requirement::both(number));
    }
    let sides = section.table(key)?;
    Some(Requirement { initial: sides.number("initial")?, maintenance: sides.number("maintenance")? })
}

/// The same of a key that may be left out, where they are 0.
pub(super) fn numbers_or_zero(section: &Section, key: &str) -> Option<Requirement<f64>> {
    if section.has(key) { numbers(section, key) } else { Some(Requirement::both(0.0)) }
}

/// Tiers of `from`, and one number for each under a key of kind [`LIST_BY_SIDE`]; `None` where a fault was recorded.
pub(super) fn tiers(
    section: &Section,
    (form, key): (Form, &str),
    reader: &mut Reader<'_>,
) -> Option<Requirement<Schedule>> {
    let bounds = reader.bounds(section)?;
    let mut schedule = |section: &Section, list: &str| {
        let rates = section.numbers(list)?;
        reader.same_length(&section.at(list), key, bounds.len() + 1, rates.len())?;
        Some(Schedule { form, bounds: bounds.clone(), rates: rates.to_vec() })
    };
    let Some(sides) = section.table(key) else { return schedule(section, key).map(Requirement::both) };
    let (initial, maintenance) = (schedule(sides, "initial"), schedule(sides, "maintenance"));
    Some(Requirement { initial: initial?, maintenance: maintenance? })
}
