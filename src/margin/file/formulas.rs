//! What the names in a rulebook's formulas stand for.

use std::collections::BTreeSet;

use super::reader::Reader;
use super::section::path;
use crate::error::Fault;
use crate::margin::Rulebook;
use crate::margin::component::Kind;
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
    check_requirements(rulebook, reader);
    // A component that could not be read would be called missing a second time.
    if reader.is_faultless() {
        let faults = Requirements::of(rulebook).1;
        // An initial requirement that is not written stands as the maintenance one, with its faults.
        let is_repeated = |fault: &Fault| {
            let of = fault.column.strip_suffix(".initial").map(|of| format!("{of}.maintenance"));
            faults.iter().any(|other| Some(&other.column) == of.as_ref() && other.value == fault.value)
        };
        for fault in faults.iter().filter(|fault| !is_repeated(fault)) {
            reader.fault(&fault.column, fault.value.as_str(), fault.rule.as_str(), fault.remedy.as_str());
        }
    }
}

/// Records requirements that read a quantity of `underlying`: only what a margin class is scaled by has one.
fn check_requirements(rulebook: &Rulebook, reader: &mut Reader<'_>) {
    let formulas = rulebook.component.iter().filter_map(|(name, component)| match &component.kind {
        Kind::Formula(rule) => Some((path("component", name), rule)),
        _ => None,
    });
    let standard = rulebook.requirement.iter().map(|rule| ("requirement".to_string(), rule));
    let portfolio = rulebook.portfolio_requirement.iter().map(|rule| ("requirement.portfolio".to_string(), rule));
    for (at, rule) in standard.chain(portfolio).chain(formulas) {
        let sides = [("maintenance", &rule.maintenance), ("initial", &rule.initial)];
        let mut faulty = sides.into_iter().filter(|(_, expression)| reads_underlying(rulebook, expression));
        if let Some((side, expression)) = faulty.next() {
            let rule = "only the scalar of a margin class has an underlying";
            reader.fault(&format!("{at}.{side}"), expression.to_string(), rule, "name one, like volatility_index(BTC)");
        }
    }
}

/// Whether a formula reads a quantity of `underlying`, through scalars too.
fn reads_underlying(rulebook: &Rulebook, expression: &Expression) -> bool {
    let (mut seen, mut waiting, mut reads) = (BTreeSet::new(), vec![expression], false);
    while let Some(next) = waiting.pop() {
        next.names(&mut |name| match name {
            Name::Market(_, who) => reads |= who == "underlying",
            Name::Component(name, _) => {
                if let Some(scalar) = rulebook.scalar.get(name).filter(|_| seen.insert(name)) {
                    waiting.push(&scalar.value);
                }
            }
        });
    }
    reads
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
