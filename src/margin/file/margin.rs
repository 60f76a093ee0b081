//! Margin classes in a rulebook file.

use toml::{Table, Value};

use super::keys::{Key, KeyKind, Kind, LARGEST, Shape, words};
use super::reader::Reader;
use super::section::Section;
use super::{from_zero, table_of, word_of};
use crate::margin::{
    Form, Growth, MarginClass, OpenInterestRate, Requirement, Schedule, SizeCurve, SizeFunction, SizeUnit,
};

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
const TIMES: Key = Key::optional(
    "times",
    KeyKind::Number { min: f64::MIN_POSITIVE, max: 1.0 },
    "1",
    "what 1/max_leverage is multiplied by: 0.5 where maintenance is half the initial rate",
);
const BASE: Key = Key::required("base", KeyKind::SHARE, "rate of the smallest size, a fraction of the notional");
const UNIT: Key = Key::optional(
    "unit",
    KeyKind::Word(&words(&UNITS)),
    "underlying",
    "unit of size: of the underlying (inverse contracts: coins), or quote units of notional",
);
const UNITS: [(&str, SizeUnit); 2] = [("underlying", SizeUnit::Asset), ("quote", SizeUnit::Quote)];
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
            keys: &[FROM, RATES, MAX_LEVERAGE, TIMES, DEDUCTION],
        },
        Kind {
            name: "whole",
            help: "the whole notional pays the rate of the bracket it lies in",
            keys: &[FROM, RATES, MAX_LEVERAGE, TIMES],
        },
        Kind {
            name: "linear",
            help: "a rate of base + slope · size",
            keys: &[BASE, Key::required("slope", KeyKind::NOT_NEGATIVE, "increase of the rate per unit of size"), UNIT],
        },
        Kind {
            name: "square_root",
            help: "a rate of max(base, share_of_base · base + factor · √size)",
            keys: &[
                BASE,
                Key::required("factor", KeyKind::NOT_NEGATIVE, "increase of the rate per √unit of size"),
                Key::optional("share_of_base", KeyKind::SHARE, "0", "what of the base the growing rate starts from"),
                UNIT,
            ],
        },
        Kind {
            name: "open_interest",
            help: "a rate that rises from base to 1 with the open interest of the underlying",
            keys: &[
                BASE,
                Key::required(
                    "lower",
                    KeyKind::NOT_NEGATIVE,
                    "open interest up to which the rate is base, quote units",
                ),
                Key::required("upper", KeyKind::POSITIVE, "open interest from which the rate is 1, quote units"),
            ],
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
    Key::required("maintenance", KeyKind::Table(SCHEDULE), "maintenance requirement by size"),
    Key::optional("initial", KeyKind::Table(SCHEDULE), "maintenance", "initial requirement by size"),
    Key::optional(
        "minimum",
        KeyKind::Either(&[KeyKind::NOT_NEGATIVE, KeyKind::Table(Shape::Keys(MINIMUM_KEYS))]),
        "0",
        "what every position that is not empty requires on top, quote units",
    ),
    Key::optional("scale", KeyKind::Text, "1", "the scalar that the requirements are multiplied by"),
];

/// A minimum of each requirement.
const MINIMUM_KEYS: &[Key] = &[
    Key::optional("maintenance", KeyKind::NOT_NEGATIVE, "0", "of the maintenance requirement"),
    Key::optional("initial", KeyKind::NOT_NEGATIVE, "0", "of the initial requirement"),
];

/// A margin class; `None` where a fault was recorded.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<MarginClass> {
    let maintenance = section.table("maintenance").and_then(|section| size_function(section, reader));
    let initial = match section.has("initial") {
        true => section.table("initial").and_then(|section| size_function(section, reader)),
        false => maintenance.clone(),
    };
    Some(MarginClass {
        maintenance: maintenance?,
        initial: initial?,
        max_notional: section.number("max_notional"),
        minimum: minimum(section),
        scale: section.text("scale").map(str::to_owned),
    })
}

/// One minimum for both requirements, or a table.
fn minimum(section: &Section) -> Requirement<f64> {
    match section.table("minimum") {
        Some(table) => {
            let of = |name: &str| table.number(name).unwrap_or_default();
            Requirement { initial: of("initial"), maintenance: of("maintenance") }
        }
        None => Requirement::both(section.number("minimum").unwrap_or_default()),
    }
}

/// A margin class as TOML values.
pub(super) fn to_table(class: &MarginClass) -> Table {
    let mut table = table_of([
        ("maintenance", Value::Table(size_table(&class.maintenance))),
        ("initial", Value::Table(size_table(&class.initial))),
    ]);
    if class.minimum != Requirement::default() {
        let Requirement { initial, maintenance } = class.minimum;
        let both = table_of([("maintenance", maintenance.into()), ("initial", initial.into())]);
        table.insert("minimum".into(), Value::Table(both));
    }
    if let Some(scale) = &class.scale {
        table.insert("scale".into(), scale.as_str().into());
    }
    if let Some(limit) = class.max_notional {
        table.insert("max_notional".into(), limit.into());
    }
    table
}

fn size_table(size: &SizeFunction) -> Table {
    match size {
        SizeFunction::Brackets(schedule) => schedule_table(schedule),
        SizeFunction::Curve(SizeCurve { base, growth, unit }) => {
            let common = table_of([("base", (*base).into()), ("unit", word_of(&UNITS, *unit).into())]);
            let own = match *growth {
                Growth::Linear { slope } => table_of([("form", "linear".into()), ("slope", slope.into())]),
                Growth::SquareRoot { factor, share_of_base } => table_of([
                    ("form", "square_root".into()),
                    ("factor", factor.into()),
                    ("share_of_base", share_of_base.into()),
                ]),
            };
            common.into_iter().chain(own).collect()
        }
        SizeFunction::OpenInterest(OpenInterestRate { base, lower, upper }) => table_of([
            ("form", "open_interest".into()),
            ("base", (*base).into()),
            ("lower", (*lower).into()),
            ("upper", (*upper).into()),
        ]),
    }
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

fn size_function(section: &Section, reader: &mut Reader<'_>) -> Option<SizeFunction> {
    let unit = || section.choice("unit", &UNITS).unwrap_or(SizeUnit::Asset);
    let growth = match section.kind() {
        "linear" => Growth::Linear { slope: section.number("slope")? },
        "square_root" => Growth::SquareRoot {
            factor: section.number("factor")?,
            share_of_base: section.number("share_of_base").unwrap_or_default(),
        },
        "open_interest" => return open_interest(section, reader).map(SizeFunction::OpenInterest),
        _ => return schedule(section, reader).map(SizeFunction::Brackets),
    };
    Some(SizeFunction::Curve(SizeCurve { base: section.number("base")?, growth, unit: unit() }))
}

fn open_interest(section: &Section, reader: &mut Reader<'_>) -> Option<OpenInterestRate> {
    let (lower, upper) = (section.number("lower")?, section.number("upper")?);
    if lower >= upper {
        let value = format!("{lower}, {upper}");
        reader.fault(&section.at("upper"), value, "upper is above lower", "correct one of them");
    }
    Some(OpenInterestRate { base: section.number("base")?, lower, upper })
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
    if section.has("times") && !section.has("max_leverage") {
        reader.fault(&section.at("times"), "", "times belongs to max_leverage", "give max_leverage, or remove times");
    }
    let times = section.number("times").unwrap_or(1.0);
    match (section.has("rate"), section.has("max_leverage")) {
        (true, false) => section.numbers("rate").map(<[f64]>::to_vec),
        (false, true) => {
            section.numbers("max_leverage").map(|leverages| leverages.iter().map(|leverage| times / leverage).collect())
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
