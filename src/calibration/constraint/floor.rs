//! What a parameter's numbers are at least.

use super::super::document::{Document, Place, Reach};
use super::super::job::{Job, fault};
use super::super::landscape::Reading;
use super::super::parameter::Parameter;
use super::super::path;
use crate::error::Fault;

/// Every number that a parameter writes is at least something.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    /// Name of the parameter in the job; one that stands for each of several names means all of them.
    pub parameter: String,
    /// At least what.
    pub at_least: AtLeast,
}

/// The least that a number may be.
#[derive(Debug, Clone, PartialEq)]
pub enum AtLeast {
    /// A number.
    Number(f64),
    /// The sum of the numbers at these paths of the candidate's rulebook, such as fees.
    SumOf(Vec<String>),
}

/// A floor whose places are known.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::calibration) struct Floored {
    numbers: Vec<Place>,
    constant: f64,
    terms: Vec<Place>,
}

impl Floor {
    pub(super) fn faults(&self, place: &dyn Fn(&str) -> String, job: &Job) -> Vec<Fault> {
        let names = || job.parameters.iter().map(|parameter| parameter.name.as_str());
        let is_known = names().any(|name| name == self.parameter);
        let remedy = crate::suggest::remedy(&self.parameter, names(), "name a parameter of the job");
        (!is_known)
            .then(|| fault(&place("parameter"), &self.parameter, "a parameter of the job", remedy))
            .into_iter()
            .collect()
    }

    /// Looks its places up; `at` is the place of the constraint in the job.
    pub(in crate::calibration) fn resolve(
        &self,
        at: usize,
        (job, parameters): (&Job, &[Parameter]),
        document: &Document,
        faults: &mut Vec<Fault>,
    ) -> Floored {
        let of_name = |parameter: &&Parameter| job.parameters[parameter.request].name == self.parameter;
        let numbers = parameters.iter().filter(of_name).flat_map(|parameter| &parameter.numbers);
        let mut floored =
            Floored { numbers: numbers.map(|(place, _)| place.clone()).collect(), constant: 0.0, terms: Vec::new() };
        match &self.at_least {
            AtLeast::Number(number) => floored.constant = *number,
            AtLeast::SumOf(paths) => {
                for (term, text) in paths.iter().enumerate() {
                    let column = format!("constraint[{at}].at_least_sum_of[{term}]");
                    let found = path::parse(text).map_err(|rule| (rule, "correct the path".to_string()));
                    let found = found.and_then(|steps| {
                        document.find(&steps, Reach::Number).map_err(|flaw| (flaw.rule, flaw.remedy))
                    });
                    match found {
                        Ok(found) => {
                            floored.terms.extend(found.into_iter().flat_map(|f| f.numbers).map(|(place, _)| place))
                        }
                        Err((rule, remedy)) => faults.push(fault(&column, text, rule, remedy)),
                    }
                }
            }
        }
        floored
    }
}

impl Floored {
    /// The lowest of the numbers in a candidate's rulebook, against the floor there.
    pub(in crate::calibration) fn reading(&self, candidate: &Document) -> Reading {
        let number = |place: &Place| candidate.number(place).unwrap_or_default();
        let value = self.numbers.iter().map(number).fold(f64::INFINITY, f64::min);
        let limit = self.constant + self.terms.iter().map(number).sum::<f64>();
        let slack = if limit > 0.0 { (value - limit) / limit } else { value - limit };
        Reading { value, limit, slack }
    }
}
