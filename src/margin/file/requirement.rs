//! `[requirement]` and `[scalar.NAME]` in a rulebook file.

use toml::Table;

use super::keys::{Key, KeyKind, LARGEST, Shape};
use super::reader::Reader;
use super::section::Section;
use crate::margin::scalar::ScalarPath;
use crate::margin::{Expression, RequirementRule, Scalar};

const MAINTENANCE: Key = Key::required(
    "maintenance",
    KeyKind::Expression,
    "maintenance margin: an expression over components, scalars, positions, option_value, liabilities, gross_notional",
);
const INITIAL: Key =
    Key::optional("initial", KeyKind::Expression, "as maintenance", "initial margin: an expression likewise");

/// Keys of `[requirement.portfolio]`, and of a formula.
pub(in crate::margin) const FORMULA_KEYS: &[Key] = &[MAINTENANCE, INITIAL];

/// Keys of `[requirement]`.
pub(super) const KEYS: &[Key] = &[
    MAINTENANCE,
    INITIAL,
    Key::optional(
        "portfolio",
        KeyKind::Table(Shape::Keys(FORMULA_KEYS)),
        "pools in portfolio mode are refused",
        "requirements of pools in portfolio mode",
    ),
];

/// Keys of `[scalar.NAME]`.
pub(super) const SCALAR_KEYS: &[Key] = &[
    Key::required(
        "value",
        KeyKind::Expression,
        "the target: an expression over the market; underlying as an argument means the one of what is scaled",
    ),
    Key::optional("minimum", KeyKind::NOT_NEGATIVE, "0", "smallest target"),
    Key::optional("maximum", KeyKind::NOT_NEGATIVE, "no limit", "largest target"),
    Key::optional("in_force", KeyKind::NOT_NEGATIVE, "the target at once", "the number in force since since"),
    Key::optional("since", KeyKind::Timestamp, "needed with in_force", "since when in_force holds"),
    Key::optional(
        "step_per_day",
        KeyKind::NOT_NEGATIVE,
        "no limit",
        "largest change per day since since, a fraction of in_force",
    ),
    Key::optional(
        "hysteresis",
        KeyKind::SHARE,
        "0",
        "distance of the target within which in_force stays, a fraction of in_force",
    ),
    Key::optional(
        "notice_days",
        KeyKind::Number { min: 0.0, max: 3_650.0 },
        "0",
        "days after since before a rise takes effect",
    ),
];

/// Two expressions; `None` where a fault was recorded.
pub(in crate::margin) fn read_formula(section: &Section) -> Option<RequirementRule> {
    let maintenance = section.expression("maintenance")?.clone();
    let initial = match section.has("initial") {
        true => section.expression("initial")?.clone(),
        false => maintenance.clone(),
    };
    Some(RequirementRule { initial, maintenance })
}

/// Two expressions as TOML values.
pub(super) fn to_table(rule: &RequirementRule) -> Table {
    let text = |expression: &Expression| toml::Value::String(expression.to_string());
    [("maintenance".to_string(), text(&rule.maintenance)), ("initial".to_string(), text(&rule.initial))]
        .into_iter()
        .collect()
}

/// A scalar; `None` where a fault was recorded.
pub(super) fn read_scalar(section: &Section, reader: &mut Reader<'_>) -> Option<Scalar> {
    let number = |name: &str, default: f64| if section.has(name) { section.number(name) } else { Some(default) };
    let (minimum, maximum) = (number("minimum", 0.0), number("maximum", LARGEST));
    let path = if section.has("in_force") {
        if !section.has("since") {
            reader.fault(
                &section.at("since"),
                "",
                "a number in force has a date",
                "add since = \"2026-01-01T00:00:00Z\"",
            );
        }
        Some(ScalarPath {
            in_force: section.number("in_force")?,
            since: section.timestamp("since")?,
            step_per_day: number("step_per_day", f64::INFINITY)?,
            hysteresis: number("hysteresis", 0.0)?,
            notice_days: number("notice_days", 0.0)?,
        })
    } else {
        for name in ["since", "step_per_day", "hysteresis", "notice_days"].into_iter().filter(|name| section.has(name))
        {
            reader.fault(&section.at(name), "", "only a number in force follows its target by rules", "add in_force");
        }
        None
    };
    let (minimum, maximum) = (minimum?, maximum?);
    if minimum > maximum {
        let value = format!("{minimum} > {maximum}");
        reader.fault(&section.at("minimum"), value, "minimum is at most maximum", "correct one of them");
    }
    Some(Scalar { value: section.expression("value")?.clone(), minimum, maximum, path })
}

/// A scalar as TOML values.
pub(super) fn scalar_table(scalar: &Scalar) -> Table {
    let mut table = Table::new();
    table.insert("value".into(), scalar.value.to_string().into());
    table.insert("minimum".into(), scalar.minimum.into());
    table.insert("maximum".into(), scalar.maximum.into());
    if let Some(path) = scalar.path {
        table.insert("in_force".into(), path.in_force.into());
        table.insert("since".into(), path.since.to_string().into());
        if path.step_per_day.is_finite() {
            table.insert("step_per_day".into(), path.step_per_day.into());
        }
        table.insert("hysteresis".into(), path.hysteresis.into());
        table.insert("notice_days".into(), path.notice_days.into());
    }
    table
}
