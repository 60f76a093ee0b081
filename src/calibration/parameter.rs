//! Free parameters: where they stand in a rulebook file, and the axes that a search sees.

use std::collections::BTreeMap;

use super::document::{Document, Found, Place, Reach};
use super::job::{How, ParameterRequest, Per, fault};
use super::landscape::{Axis, Strict};
use super::path::{self, written};
use crate::error::Fault;

/// Values on an axis that a search may tell apart, where the job does not say.
const STEPS: f64 = 1_024.0;

/// A free parameter whose places are known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    /// Place of its request in the job.
    pub(super) request: usize,
    /// What it does to the numbers.
    how: How,
    /// Where they stand in the old rulebook, and which.
    pub(super) numbers: Vec<(Place, f64)>,
}

impl Parameter {
    /// The numbers that a value writes.
    pub(super) fn edits(&self, value: f64) -> impl Iterator<Item = (&Place, f64)> {
        self.numbers.iter().map(move |(place, old)| match self.how {
            How::Set => (place, value),
            How::Scale => (place, old * value),
            How::Add => (place, old + value),
            How::AtLeast => (place, old.max(value)),
        })
    }
}

/// The old rulebook with these values, one per parameter.
pub(super) fn apply(document: &Document, parameters: &[Parameter], point: &[f64]) -> Document {
    document.with(parameters.iter().zip(point).flat_map(|(parameter, value)| parameter.edits(*value)))
}

/// Looks every parameter up; one that stands for each of several names becomes several, in the order of names. Answers every
/// fault: paths that lead nowhere, names and places that stand twice.
pub(super) fn resolve(requests: &[ParameterRequest], document: &Document) -> (Vec<Parameter>, Vec<Axis>, Vec<Fault>) {
    let (mut parameters, mut axes, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for (request, asked) in requests.iter().enumerate() {
        for (name, numbers) in numbers_of(request, asked, document, &mut faults) {
            axes.push(axis(asked, name, &numbers));
            parameters.push(Parameter { request, how: asked.how, numbers });
        }
    }
    check_names(&parameters, &axes, &mut faults);
    check_places(&parameters, &axes, &mut faults);
    (parameters, axes, faults)
}

/// The parameters of one request: name, and the numbers that it writes.
fn numbers_of(
    request: usize,
    asked: &ParameterRequest,
    document: &Document,
    faults: &mut Vec<Fault>,
) -> Vec<(String, Vec<(Place, f64)>)> {
    let reach = match asked.how {
        How::Set => Reach::Number,
        How::Scale | How::Add | How::AtLeast => Reach::Numbers,
    };
    let mut by_name: BTreeMap<String, Vec<(Place, f64)>> = BTreeMap::new();
    for (at, text) in asked.at.iter().enumerate() {
        let column = format!("parameter[{request}].at[{at}]");
        let steps = match path::parse(text) {
            Ok(steps) => steps,
            Err(rule) => {
                faults.push(fault(&column, text, rule, "write it like margin.\"BTC-USD\".maintenance.rate"));
                continue;
            }
        };
        match document.find(&steps, reach) {
            Ok(found) => found.into_iter().for_each(|Found { stands_for, numbers }| {
                let name = match (asked.per, stands_for.as_str()) {
                    (Per::One, _) | (Per::Each, "") => asked.name.clone(),
                    (Per::Each, stands_for) => format!("{}.{stands_for}", asked.name),
                };
                by_name.entry(name).or_default().extend(numbers);
            }),
            Err(flaw) => faults.push(fault(&column, text, flaw.rule, flaw.remedy)),
        }
    }
    by_name.into_iter().collect()
}

/// What a search sees. The old value of one that sets several different numbers is the strictest of them; of one that raises
/// numbers, the least of them, which raises nothing.
fn axis(asked: &ParameterRequest, name: String, numbers: &[(Place, f64)]) -> Axis {
    let values = numbers.iter().map(|(_, number)| *number);
    let old = match (asked.how, asked.strict) {
        (How::Scale, _) => 1.0,
        (How::Add, _) => 0.0,
        (How::AtLeast, _) => values.fold(f64::INFINITY, f64::min),
        (How::Set, Strict::Low) => values.fold(f64::INFINITY, f64::min),
        (How::Set, Strict::High | Strict::Neither) => values.fold(f64::NEG_INFINITY, f64::max),
    };
    let (low, high) = (asked.low, asked.high);
    let tolerance = asked.tolerance.unwrap_or((high - low) / STEPS);
    Axis { name, old, low, high, tolerance, strict: asked.strict }
}

fn check_names(parameters: &[Parameter], axes: &[Axis], faults: &mut Vec<Fault>) {
    let mut seen = BTreeMap::new();
    for (parameter, axis) in parameters.iter().zip(axes) {
        let before = seen.insert(axis.name.as_str(), parameter.request);
        if before.is_some_and(|request| request != parameter.request) {
            let column = format!("parameter[{}].name", parameter.request);
            faults.push(fault(&column, &axis.name, "names are unique, those of each included", "rename one of them"));
        }
    }
}

fn check_places(parameters: &[Parameter], axes: &[Axis], faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<&Place, &str> = BTreeMap::new();
    for (parameter, axis) in parameters.iter().zip(axes) {
        for (place, _) in &parameter.numbers {
            if let Some(other) = seen.insert(place, &axis.name) {
                let rule = format!("a number is written once; {other} writes {}, too", written(place));
                faults.push(fault(
                    &format!("parameter[{}].at", parameter.request),
                    &axis.name,
                    rule,
                    "remove one of them",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::Rulebook;

    const TEXT: &str = "version = 1\n[margin.A.maintenance]\nform = \"flat\"\nrate = 0.05\n[margin.B.maintenance]\nform = \"flat\"\nrate = 0.1\n";

    fn request(name: &str, at: &str, per: Per, how: How) -> ParameterRequest {
        let at = vec![at.to_string()];
        ParameterRequest { name: name.into(), at, per, how, low: 0.0, high: 2.0, tolerance: None, strict: Strict::High }
    }

    fn document() -> Document {
        Document::new("rulebook.toml", TEXT, &Rulebook::default()).expect("TOML")
    }

    #[test]
    fn one_or_each_set_or_scaled() {
        let rates = "margin.*.maintenance.rate";
        let (parameters, axes, faults) = resolve(&[request("r", rates, Per::Each, How::Set)], &document());
        assert_eq!(faults, []);
        let seen: Vec<(&str, f64, f64)> = axes.iter().map(|a| (a.name.as_str(), a.old, a.tolerance)).collect();
        assert_eq!(seen, [("r.A", 0.05, 2.0 / 1024.0), ("r.B", 0.1, 2.0 / 1024.0)]);
        let text = apply(&document(), &parameters, &[0.3, 0.4]).text();
        assert_eq!(text, TEXT.replace("0.05", "0.3").replace("0.1", "0.4"));
        let (parameters, axes, _) = resolve(&[request("r", rates, Per::One, How::Scale)], &document());
        assert_eq!((axes.len(), axes[0].old), (1, 1.0));
        assert_eq!(apply(&document(), &parameters, &[2.0]).text(), TEXT.replace("0.1", "0.2").replace("0.05", "0.1"));
        let (_, axes, _) = resolve(&[request("r", rates, Per::One, How::Set)], &document());
        assert_eq!(axes[0].old, 0.1, "the strictest of several");
    }

    #[test]
    fn names_and_places_stand_once_and_paths_lead_somewhere() {
        let columns = |requests: &[ParameterRequest]| -> Vec<String> {
            resolve(requests, &document()).2.into_iter().map(|fault| fault.column).collect()
        };
        let each = request("r", "margin.*.maintenance.rate", Per::Each, How::Set);
        let twice = [each.clone(), request("s", "margin.A.maintenance.rate", Per::One, How::Set)];
        assert_eq!(columns(&twice), ["parameter[1].at"]);
        let named = [each, request("r.A", "version", Per::One, How::Set)];
        assert_eq!(columns(&named), ["parameter[1].name"]);
        assert_eq!(columns(&[request("x", "margin.C.maintenance.rate", Per::One, How::Set)]), ["parameter[0].at[0]"]);
        assert_eq!(columns(&[request("x", "margin..rate", Per::One, How::Set)]), ["parameter[0].at[0]"]);
    }
}
