//! What the names in a rulebook's formulas stand for.

use std::collections::BTreeSet;

use super::reader::Reader;
use super::section::path;
use crate::margin::Rulebook;
use crate::margin::expression::{Expression, Name, is_component_name};
use crate::margin::formula::HOLDINGS;
use crate::margin::requirement::Requirements;

/// Records names that formulas cannot use, scalars that do not depend on the market alone, and formulas whose names stand
/// for nothing.
pub(super) fn check(rulebook: &Rulebook, reader: &mut Reader<'_>) {
    for name in rulebook.component.keys() {
        check_name(&path("component", name), name, reader);
    }
    for (name, scalar) in &rulebook.scalar {
        let at = path("scalar", name);
        check_name(&at, name, reader);
        if rulebook.component.contains_key(name) {
            reader.fault(&at, name.as_str(), "a name is either a component or a scalar", "rename one of them");
        }
        check_scalar(rulebook, &format!("{at}.value"), (name, &scalar.value), reader);
    }
    // A component that could not be read would be called missing a second time.
    if reader.is_faultless() {
        for fault in Requirements::of(rulebook).1 {
            reader.fault(&fault.column, fault.value, fault.rule, fault.remedy);
        }
    }
}

fn check_name(at: &str, name: &str, reader: &mut Reader<'_>) {
    if !is_component_name(name) {
        let rule = "a name in formulas has letters, digits and _, and no digit first";
        reader.fault(at, name, rule, "rename it");
    } else if HOLDINGS.contains(&name) {
        let rule = format!("formulas call a pool's own quantities {}", HOLDINGS.join(", "));
        reader.fault(at, name, rule, "rename it");
    }
}

fn check_scalar(rulebook: &Rulebook, at: &str, (name, value): (&str, &Expression), reader: &mut Reader<'_>) {
    for named in names_of(value) {
        if !rulebook.scalar.contains_key(named) {
            let known = rulebook.scalar.keys().map(String::as_str).filter(|known| *known != name);
            let remedy = crate::suggest::remedy(named, known, "name a scalar or a quantity like volatility_index(BTC)");
            reader.fault(at, named, "a scalar is a formula over the market and other scalars", remedy);
        }
    }
    let (mut seen, mut waiting) = (BTreeSet::new(), names_of(value));
    while let Some(next) = waiting.pop() {
        if seen.insert(next) {
            waiting.extend(rulebook.scalar.get(next).into_iter().flat_map(|scalar| names_of(&scalar.value)));
        }
    }
    if seen.contains(name) {
        reader.fault(at, name, "a scalar does not name itself, nor through others", "break the circle");
    }
}

/// The components and scalars that a formula names.
fn names_of(expression: &Expression) -> Vec<&str> {
    let mut names = Vec::new();
    expression.names(&mut |name| {
        if let Name::Component(name, _) = name {
            names.push(name.as_str());
        }
    });
    names
}
