//! What a calibration is asked.

use std::collections::BTreeSet;

use super::constraint::{Constraint, Rule};
use super::history::HistoryRequest;
use super::landscape::Strict;
use crate::error::Fault;
use crate::margin::MarginSide;
use crate::pricing::Unshocked;

/// What a pool's loss is taken of, and what it has against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resources {
    /// Positions alone, against the calibrated requirement in the unshocked market: everything above it may have been
    /// withdrawn. Haircuts change nothing.
    #[default]
    Required,
    /// Raw equity, against what the pool has or is called for, haircuts included: max(R, M + R − A) with R raw and A adjusted
    /// equity and M the calibrated requirement, all in the unshocked market.
    Held,
}

impl Resources {
    /// The words of a job file.
    pub const WORDS: [(&'static str, Self); 2] = [("required", Self::Required), ("held", Self::Held)];
}

/// How many parameters stand for what the stars of a path stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Per {
    /// One for all.
    #[default]
    One,
    /// One for each name.
    Each,
}

impl Per {
    /// The words of a job file.
    pub const WORDS: [(&'static str, Self); 2] = [("one", Self::One), ("each", Self::Each)];
}

/// What a parameter does to the numbers at its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum How {
    /// It takes their place.
    #[default]
    Set,
    /// It multiplies them, those of lists included.
    Scale,
    /// It is added to them, those of lists included.
    Add,
    /// None of them stays below it, those of lists included: lower brackets are raised to it.
    AtLeast,
}

impl How {
    /// The words of a job file.
    pub const WORDS: [(&'static str, Self); 4] =
        [("set", Self::Set), ("scale", Self::Scale), ("add", Self::Add), ("at_least", Self::AtLeast)];
}

/// A free parameter as a job names it.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterRequest {
    /// Name, unique in the job.
    pub name: String,
    /// Paths into the rulebook file.
    pub at: Vec<String>,
    /// One for all that stars stand for, or one for each.
    pub per: Per,
    /// What it does to numbers.
    pub how: How,
    /// Lower end of the range, finite.
    pub low: f64,
    /// Upper end, above `low`.
    pub high: f64,
    /// Distance below which two values count as one; `None` = (high − low)/1024.
    pub tolerance: Option<f64>,
    /// Which end is stricter.
    pub strict: Strict,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Objective {
    /// Σ of the calibrated requirement over pools ([`super::Measured::margin`]).
    #[default]
    Margin,
    /// margin · Σ requirement + shortfall · mean shortfall + fund · insurance fund; each cost is ≥ 0, per quote unit.
    Cost {
        /// Cost of a quote unit of margin.
        margin: f64,
        /// Cost of a quote unit of expected shortfall.
        shortfall: f64,
        /// Cost of a quote unit of insurance fund.
        fund: f64,
    },
}

/// How much a search may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchBudget {
    /// Candidates that are evaluated at most.
    pub evaluations: u32,
    /// Those of them for refinement without derivatives.
    pub refine: u32,
    /// Replicates of the bootstrap.
    pub replicates: u32,
    /// Scenarios in a block of the bootstrap; `None` = the cube root of their number.
    pub block: Option<u32>,
}

impl Default for SearchBudget {
    fn default() -> Self {
        Self { evaluations: 2_000, refine: 200, replicates: 200, block: None }
    }
}

/// A calibration job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The requirement that is calibrated.
    pub margin: MarginSide,
    /// What losses are taken of and held against.
    pub resources: Resources,
    /// Notional of each outright portfolio, quote units, > 0.
    pub outright_notional: f64,
    /// What to do with a held underlying that no scenario moves.
    pub unshocked: Unshocked,
    /// Confidence of intervals, in (0, 1).
    pub confidence: f64,
    /// Seed of the bootstrap and of the search.
    pub seed: u64,
    /// What is minimised.
    pub objective: Objective,
    /// What is free.
    pub parameters: Vec<ParameterRequest>,
    /// What must hold.
    pub constraints: Vec<Constraint>,
    /// What the rulebook's overlay is replayed over; `None` = it is left out of account.
    pub history: Option<HistoryRequest>,
    /// How much the search may do.
    pub search: SearchBudget,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            margin: MarginSide::Maintenance,
            resources: Resources::default(),
            outright_notional: 100_000.0,
            unshocked: Unshocked::Refuse,
            confidence: 0.99,
            seed: 0,
            objective: Objective::default(),
            parameters: Vec::new(),
            constraints: Vec::new(),
            history: None,
            search: SearchBudget::default(),
        }
    }
}

impl Job {
    /// Every rule that the job breaks by itself, whatever it is asked of. Columns are dotted paths of the job file.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.parameters.is_empty() {
            faults.push(fault("parameter", "", "at least one parameter is free", "add [[parameter]]"));
        }
        if self.objective == Objective::Margin && self.constraints.is_empty() {
            let rule = "least margin needs a constraint: without one, no margin at all is the least";
            faults.push(fault("constraint", "", rule, "add [[constraint]], or minimise a cost"));
        }
        let mut names = BTreeSet::new();
        for (at, parameter) in self.parameters.iter().enumerate() {
            let place = |key: &str| format!("parameter[{at}].{key}");
            if !names.insert(parameter.name.as_str()) {
                faults.push(fault(&place("name"), &parameter.name, "names are unique", "rename one of them"));
            }
            faults.extend(parameter.faults(place));
        }
        let mut names = BTreeSet::new();
        for (at, constraint) in self.constraints.iter().enumerate() {
            let place = |key: &str| format!("constraint[{at}].{key}");
            if !names.insert(constraint.name.as_str()) {
                let remedy = "give one of them a name of its own";
                faults.push(fault(&place("name"), &constraint.name, "names are unique", remedy));
            }
            faults.extend(constraint.rule.faults(&place, self));
            if constraint.rule.needs_history() && self.history.is_none() {
                let rule = "what an overlay does is read from a history of bars";
                faults.push(fault(&place("kind"), &constraint.name, rule, "add [history] file"));
            }
        }
        faults.extend(self.objective_faults());
        faults
    }

    fn objective_faults(&self) -> Option<Fault> {
        let Objective::Cost { margin, shortfall, fund } = self.objective else { return None };
        let costs = [margin, shortfall, fund];
        let is_cost = costs.iter().all(|cost| *cost >= 0.0 && cost.is_finite()) && costs.iter().any(|cost| *cost > 0.0);
        (!is_cost).then(|| fault("objective", "", "costs are ≥ 0, and one of them is more", "give a cost"))
    }

    /// Accounts that are counted together by the constraint on the largest shortfalls.
    pub(super) fn cover_accounts(&self) -> usize {
        let of = |constraint: &Constraint| match &constraint.rule {
            Rule::Cover(cover) => Some(cover.accounts),
            _ => None,
        };
        self.constraints.iter().find_map(of).unwrap_or(2)
    }
}

impl ParameterRequest {
    fn faults(&self, place: impl Fn(&str) -> String) -> Vec<Fault> {
        let mut faults = Vec::new();
        let number = |number: f64| number.to_string();
        if self.name.is_empty() {
            faults.push(fault(&place("name"), "", "a name is not empty", "name the parameter"));
        }
        if self.at.is_empty() {
            faults.push(fault(&place("at"), "[]", "at least one path", "name a number of the rulebook"));
        }
        if !(self.low.is_finite() && self.high.is_finite() && self.low < self.high) {
            let value = format!("{} to {}", self.low, self.high);
            faults.push(fault(&place("low"), value, "low is below high", "correct the range"));
            return faults;
        }
        if self.how == How::Scale && self.low < 0.0 {
            faults.push(fault(&place("low"), number(self.low), "a factor is ≥ 0", "correct the range"));
        }
        if let Some(tolerance) =
            self.tolerance.filter(|tolerance| !(*tolerance > 0.0 && *tolerance <= self.high - self.low))
        {
            let rule = "a tolerance is above 0 and at most the width of the range";
            faults.push(fault(&place("tolerance"), number(tolerance), rule, "correct it"));
        }
        faults
    }
}

/// A fault of a key of the job.
pub(super) fn fault(
    column: &str,
    value: impl Into<String>,
    rule: impl Into<String>,
    remedy: impl Into<String>,
) -> Fault {
    Fault { column: column.into(), value: value.into(), ..Fault::of_table("job", rule, remedy) }
}
