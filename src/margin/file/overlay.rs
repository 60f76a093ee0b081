//! `[overlay]` in a rulebook file.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::keys::{Key, KeyKind, Shape};
use super::reader::Reader;
use super::section::Section;
use super::table_of;
use super::writer::Writer;
use crate::margin::{EarlierInitial, InForce, Overlay, OverlayCoefficients};

const MULTIPLIER: KeyKind = KeyKind::Number { min: f64::MIN_POSITIVE, max: OverlayCoefficients::LARGEST_CAP };
const HOURS: KeyKind = KeyKind::Number { min: 0.0, max: 8_760.0 };

/// Keys of `[overlay]`.
pub(super) const KEYS: &[Key] = &[
    Key::optional("blend", KeyKind::SHARE, "0.5", "weight of the forecast variance; the rest is the long-run variance"),
    Key::optional("floor", MULTIPLIER, "1", "smallest multiplier"),
    Key::optional("cap", MULTIPLIER, "3", "largest multiplier, at least floor"),
    Key::optional(
        "rise_per_day",
        KeyKind::Number { min: 0.0, max: OverlayCoefficients::LARGEST_CAP },
        "0.25",
        "largest relative rise of the initial multiplier within any 24 hours: 0.25 = ×1.25",
    ),
    Key::optional(
        "half_life_days",
        KeyKind::Number { min: f64::MIN_POSITIVE, max: 3_650.0 },
        "7",
        "days in which a fall leaves half of the distance to its target behind",
    ),
    Key::optional(
        "notice_hours",
        HOURS,
        "24",
        "hours by which rises of the maintenance multiplier follow the initial one",
    ),
    Key::optional(
        "in_force",
        KeyKind::Named(Shape::Keys(IN_FORCE)),
        "1 for every underlying",
        "multipliers by underlying",
    ),
];

/// Keys of `[overlay.in_force.UNDERLYING]`.
const IN_FORCE: &[Key] = &[
    Key::required("initial", MULTIPLIER, "what initial requirements are multiplied by, floor to cap"),
    Key::required("maintenance", MULTIPLIER, "what maintenance requirements are multiplied by, floor to initial"),
    Key::required("since", KeyKind::Timestamp, "since when initial is in force"),
    Key::optional(
        "earlier",
        KeyKind::Tables(Shape::Keys(EARLIER)),
        "initial has long been in force",
        "initial multipliers before this one, as far back as notice looks",
    ),
    Key::optional("model", KeyKind::Text, "set by hand", "hash of the model whose forecast set them"),
];

const EARLIER: &[Key] = &[
    Key::required("initial", MULTIPLIER, "the multiplier"),
    Key::required("since", KeyKind::Timestamp, "since when it was in force"),
];

/// The overlay; tables at fault are left out.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Overlay {
    let default = OverlayCoefficients::default();
    let number = |name: &str, without: f64| section.number(name).unwrap_or(without);
    let coefficients = OverlayCoefficients {
        blend: number("blend", default.blend),
        floor: number("floor", default.floor),
        cap: number("cap", default.cap),
        rise_per_day: number("rise_per_day", default.rise_per_day),
        half_life_days: number("half_life_days", default.half_life_days),
        notice_hours: number("notice_hours", default.notice_hours),
    };
    let in_force = section.named("in_force").into_iter().flatten();
    let in_force: BTreeMap<String, InForce> =
        in_force.filter_map(|(name, section)| Some((name.clone(), read_in_force(section)?))).collect();
    let overlay = Overlay { coefficients, in_force };
    for (at, rule) in overlay.broken_rules() {
        reader.fault(&format!("{}.{at}", section.path()), "", rule, "correct one of them");
    }
    overlay
}

fn read_in_force(section: &Section) -> Option<InForce> {
    let earlier = |section: &Section| {
        Some(EarlierInitial { initial: section.number("initial")?, since: section.timestamp("since")? })
    };
    Some(InForce {
        initial: section.number("initial")?,
        maintenance: section.number("maintenance")?,
        since: section.timestamp("since")?,
        earlier: section.tables("earlier").unwrap_or_default().iter().filter_map(earlier).collect(),
        model: section.text("model").map(str::to_owned),
    })
}

/// Writes the overlay under `[overlay]`.
pub(super) fn write(overlay: &Overlay, writer: &mut Writer) {
    let OverlayCoefficients { blend, floor, cap, rise_per_day, half_life_days, notice_hours } = overlay.coefficients;
    let coefficients = table_of([
        ("blend", blend.into()),
        ("floor", floor.into()),
        ("cap", cap.into()),
        ("rise_per_day", rise_per_day.into()),
        ("half_life_days", half_life_days.into()),
        ("notice_hours", notice_hours.into()),
    ]);
    writer.section(&["overlay"], &coefficients, Shape::Keys(KEYS));
    for (underlying, in_force) in &overlay.in_force {
        writer.section(&["overlay", "in_force", underlying], &in_force_table(in_force), Shape::Keys(IN_FORCE));
    }
}

fn in_force_table(in_force: &InForce) -> Table {
    let mut table = table_of([
        ("initial", in_force.initial.into()),
        ("maintenance", in_force.maintenance.into()),
        ("since", in_force.since.to_string().into()),
    ]);
    if !in_force.earlier.is_empty() {
        let of = |earlier: &EarlierInitial| {
            table_of([("initial", earlier.initial.into()), ("since", earlier.since.to_string().into())])
        };
        let earlier = in_force.earlier.iter().map(|earlier| Value::Table(of(earlier)));
        table.insert("earlier".into(), Value::Array(earlier.collect()));
    }
    if let Some(model) = &in_force.model {
        table.insert("model".into(), model.as_str().into());
    }
    table
}
