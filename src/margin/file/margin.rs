//! Margin classes in a rulebook file.

use toml::{Table, Value};

use super::keys::{Key, KeyKind, Kind, LARGEST, Shape};
use super::reader::Reader;
use super::section::Section;
use super::{from_zero, table_of};
use crate::margin::{Form, MarginClass, Schedule};

const FROM: Key = Key::required(
    "from",
    KeyKind::Numbers { min: 0.0, max: LARGEST },
    "lower end of each bracket, quote units: 0 first, then strictly increasing",
);
const RATES: Key =
    Key::optional("rate", KeyKind::SHARES, "1/max_leverage", "rate of each bracket, a fraction of the notional");
const MAX_LEVERAGE: Key = Key::optional(
    "max_leverage",
    KeyKind::Numbers { min: 1.0, max: LARGEST },
    "rate is given",
    "greatest leverage of each bracket; the rate is its inverse",
);
const DEDUCTION: Key = Key::optional(
    "deduction",
    KeyKind::Numbers { min: -LARGEST, max: LARGEST },
    "derived",
    "published deduction of each bracket, quote units; only checked against the derived one",
);

/// A rate as a function of notional.
const SCHEDULE: Shape = Shape::Kinds {
    by: "form",
    of: &[
        Kind {
            name: "flat",
            help: "one rate for every notional",
            keys: &[Key::required("rate", KeyKind::SHARE, "a fraction of the notional")],
        },
        Kind {
            name: "marginal",
            help: "each slice of the notional pays the rate of its bracket",
            keys: &[FROM, RATES, MAX_LEVERAGE, DEDUCTION],
        },
        Kind {
            name: "whole",
            help: "the whole notional pays the rate of the bracket it lies in",
            keys: &[FROM, RATES, MAX_LEVERAGE],
        },
    ],
};

/// Keys of `[margin.NAME]`.
pub(super) const KEYS: &[Key] = &[
    Key::optional(
        "max_notional",
        KeyKind::POSITIVE,
        "no upper end",
        "upper end of the published table, quote units; a larger notional is reported and pays the last rate",
    ),
    Key::required("maintenance", KeyKind::Table(SCHEDULE), "maintenance requirement by notional"),
    Key::optional("initial", KeyKind::Table(SCHEDULE), "maintenance", "initial requirement by notional"),
];

/// A margin class; `None` where a fault was recorded.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<MarginClass> {
    let maintenance = section.table("maintenance").and_then(|section| schedule(section, reader));
    let initial = match section.has("initial") {
        true => section.table("initial").and_then(|section| schedule(section, reader)),
        false => maintenance.clone(),
    };
    Some(MarginClass { maintenance: maintenance?, initial: initial?, max_notional: section.number("max_notional") })
}

/// A margin class as TOML values.
pub(super) fn to_table(class: &MarginClass) -> Table {
    let mut table = table_of([
        ("maintenance", Value::Table(schedule_table(&class.maintenance))),
        ("initial", Value::Table(schedule_table(&class.initial))),
    ]);
    if let Some(limit) = class.max_notional {
        table.insert("max_notional".into(), limit.into());
    }
    table
}

fn schedule_table(schedule: &Schedule) -> Table {
    let form = match schedule.form {
        Form::Marginal if schedule.bounds.is_empty() => {
            return table_of([("form", "flat".into()), ("rate", schedule.rates[0].into())]);
        }
        Form::Marginal => "marginal",
        Form::Whole => "whole",
    };
    let from = from_zero(&schedule.bounds);
    table_of([("form", form.into()), ("from", from.into()), ("rate", schedule.rates.clone().into())])
}

fn schedule(section: &Section, reader: &mut Reader<'_>) -> Option<Schedule> {
    let form = match section.kind() {
        "flat" => return section.number("rate").map(Schedule::flat),
        "marginal" => Form::Marginal,
        _ => Form::Whole,
    };
    let bounds = reader.bounds(section);
    let rates = rates(section, reader);
    let (bounds, rates) = (bounds?, rates?);
    reader.same_length(section.path(), "rate or max_leverage", bounds.len() + 1, rates.len())?;
    let schedule = Schedule { form, bounds, rates };
    if form == Form::Marginal {
        check_deductions(section, &schedule, reader);
    }
    Some(schedule)
}

fn rates(section: &Section, reader: &mut Reader<'_>) -> Option<Vec<f64>> {
    match (section.has("rate"), section.has("max_leverage")) {
        (true, false) => section.numbers("rate").map(<[f64]>::to_vec),
        (false, true) => {
            section.numbers("max_leverage").map(|leverages| leverages.iter().map(|leverage| 1.0 / leverage).collect())
        }
        (true, true) => {
            let rule = "either rate or max_leverage, not both";
            reader.fault(section.path(), "", rule, "remove one of them");
            None
        }
        (false, false) => {
            reader.fault(&section.at("rate"), "", "a required key is missing", "add rate or max_leverage");
            None
        }
    }
}

/// Published deductions are redundant: those that differ from the derived ones show an error of the table.
fn check_deductions(section: &Section, schedule: &Schedule, reader: &mut Reader<'_>) {
    let Some(given) = section.numbers("deduction") else { return };
    let at = section.at("deduction");
    let derived = schedule.deductions();
    if reader.same_length(&at, "deduction", derived.len(), given.len()).is_none() {
        return;
    }
    for (bracket, (given, derived)) in given.iter().zip(&derived).enumerate() {
        let tolerance = (1e-6 * derived.abs()).max(1e-6);
        if (given - derived).abs() > tolerance {
            let rule = format!("bracket {} continues the one before with a deduction of {derived}", bracket + 1);
            reader.fault(&at, given.to_string(), rule, "correct the bounds, the rates or the deduction");
        }
    }
}

impl Reader<'_> {
    /// The bounds of `from`: 0, then the bounds.
    pub(in crate::margin) fn bounds(&mut self, section: &Section) -> Option<Vec<f64>> {
        let from = section.numbers("from")?;
        let at = section.at("from");
        let (first, bounds) = from.split_first()?;
        if *first != 0.0 {
            self.fault(&at, first.to_string(), "the first bracket starts at 0", "add the bracket from 0");
            return None;
        }
        if let Some(pair) = from.windows(2).find(|pair| pair[1] <= pair[0]) {
            let value = format!("{}, {}", pair[0], pair[1]);
            self.fault(&at, value, "bounds increase strictly", "sort the brackets and remove repeated ones");
            return None;
        }
        Some(bounds.to_vec())
    }

    pub(in crate::margin) fn same_length(&mut self, at: &str, name: &str, expected: usize, found: usize) -> Option<()> {
        if expected == found {
            return Some(());
        }
        let rule = format!("one {name} for each bracket: {expected}, not {found}");
        self.fault(at, "", rule, "add or remove entries");
        None
    }
}
