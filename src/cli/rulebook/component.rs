//! Requirements, components, scalars and haircuts in words.

use serde_json::{Value, json};

use crate::cli::print_text;
use crate::margin::{Component, RequirementRule, Rulebook, Scalar, SizeUnit};

/// Keys of every component, said apart from those of its kind.
const COVER: [&str; 5] = ["per", "kinds", "underlyings", "classes", "collateral"];

pub(super) fn component_json(name: &str, component: &Component) -> Value {
    json!({
        "name": name,
        "kind": component.kind_name(),
        "per": per(component),
        "evaluated": component.evaluated().to_string(),
        "written": component.written(),
    })
}

/// What a rulebook says beside its classes.
pub(super) fn requirement_json(rulebook: &Rulebook) -> Value {
    let rule = |rule: &RequirementRule| json!({ "initial": rule.initial.to_string(), "maintenance": rule.maintenance.to_string() });
    let standard = rulebook.requirement.as_ref().map_or_else(|| json!(sum_of_all(rulebook)), rule);
    let components = rulebook.component.iter().map(|(name, component)| component_json(name, component));
    let scalar = |(name, scalar): (&String, &Scalar)| json!({ "name": name, "value": scalar.value.to_string(), "words": words_of(scalar) });
    json!({
        "name": rulebook.name,
        "effective": rulebook.effective.map(|moment| moment.to_string()),
        "description": rulebook.description,
        "requirement": standard,
        "portfolio_requirement": rulebook.portfolio_requirement.as_ref().map(rule),
        "components": components.collect::<Vec<_>>(),
        "scalars": rulebook.scalar.iter().map(scalar).collect::<Vec<_>>(),
        "sets": rulebook.sets.iter().map(|(name, set)| json!({ "name": name, "file": set.file, "moves": set.moves.len() })).collect::<Vec<_>>(),
        "haircut": haircuts(rulebook).map(|(name, words)| json!({ "name": name, "words": words })).collect::<Vec<_>>(),
        "warnings": rulebook.warnings(),
    })
}

/// The same in words.
pub(super) fn print_components(rulebook: &Rulebook) {
    match &rulebook.requirement {
        Some(rule) => print_rule("requirement", rule),
        None => print_text(format_args!("requirement: {}", sum_of_all(rulebook))),
    }
    if let Some(rule) = &rulebook.portfolio_requirement {
        print_rule("requirement in portfolio mode", rule);
    }
    for (name, component) in &rulebook.component {
        print_text(format_args!(
            "component {name}: {} per {}{}; evaluated by: {}",
            component.kind_name(),
            per(component),
            cover(component),
            component.evaluated()
        ));
        let own = component.written().iter().filter(|(key, _)| *key != "kind" && !COVER.contains(&key.as_str()));
        own.for_each(|(key, value)| print_text(format_args!("  {key} = {value}")));
    }
    for (name, scalar) in &rulebook.scalar {
        print_text(format_args!("scalar {name}: {}{}", scalar.value, words_of(scalar)));
    }
    for (name, set) in &rulebook.sets {
        print_text(format_args!("set {name}: {} moves of {}", set.moves.len(), set.file));
    }
    for (name, words) in haircuts(rulebook) {
        print_text(format_args!("haircut {name}: {words}"));
    }
    for warning in rulebook.warnings() {
        print_text(format_args!("warning: {warning}"));
    }
}

fn print_rule(name: &str, rule: &RequirementRule) {
    print_text(format_args!("{name}"));
    print_text(format_args!("  initial     = {}", rule.initial));
    print_text(format_args!("  maintenance = {}", rule.maintenance));
}

/// What a rulebook without a requirement table requires.
fn sum_of_all(rulebook: &Rulebook) -> String {
    let has_classes = !rulebook.margin.is_empty() || !rulebook.option.is_empty() || rulebook.component.is_empty();
    let positions = has_classes.then_some("positions");
    let names: Vec<&str> = positions.into_iter().chain(rulebook.component.keys().map(String::as_str)).collect();
    names.join(" + ")
}

fn per(component: &Component) -> &str {
    component.written().get("per").and_then(toml::Value::as_str).unwrap_or("underlying")
}

/// What a component covers, where that is not everything.
fn cover(component: &Component) -> String {
    let named = COVER[1..].iter().filter_map(|key| {
        let names = component.written().get(*key)?.as_array()?.iter().filter_map(toml::Value::as_str);
        Some(format!("; {key} {}", names.collect::<Vec<_>>().join(", ")))
    });
    named.collect()
}

fn words_of(scalar: &Scalar) -> String {
    let mut words = format!(", at least {}", scalar.minimum);
    if scalar.maximum < crate::margin::file::LARGEST {
        words.push_str(&format!(", at most {}", scalar.maximum));
    }
    if let Some(path) = scalar.path {
        let step = if path.step_per_day.is_finite() {
            format!("{} of it per day", path.step_per_day)
        } else {
            "at once".into()
        };
        words.push_str(&format!(
            "; {} in force since {}, moves {step} beyond {} of it, rises after {} days",
            path.in_force, path.since, path.hysteresis, path.notice_days
        ));
    }
    words
}

/// Haircut classes in words.
fn haircuts(rulebook: &Rulebook) -> impl Iterator<Item = (&String, String)> {
    rulebook.haircut.iter().map(|(name, schedule)| {
        let unit = match schedule.unit {
            SizeUnit::Asset => "coins",
            SizeUnit::Quote => "quote units",
        };
        let of = |haircuts: &[f64]| match haircuts {
            [flat] => flat.to_string(),
            _ => {
                let from = std::iter::once(0.0).chain(schedule.bounds.iter().copied());
                let tiers = from.zip(haircuts).map(|(from, haircut)| format!("{haircut} from {from} {unit}"));
                tiers.collect::<Vec<_>>().join(", ")
            }
        };
        let initial =
            schedule.initial.as_deref().map_or_else(String::new, |initial| format!("; initial {}", of(initial)));
        let words = format!("{}{initial}", of(&schedule.haircuts));
        (name, words)
    })
}
