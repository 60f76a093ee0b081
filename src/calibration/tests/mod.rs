//! Measurement against plain recomputation, and jobs that can only be refused.

mod jobs;
mod measurement;
mod overlay;
mod planted;
mod runs;

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::constraint::{Constraint, Coverage, CoverageOf, Each, Limit, Rule, Shortfall};
use super::*;
use crate::domain::Snapshot;
use crate::engine::{EngineChoice, SweepOptions};
use crate::error::{Error, Result};
use crate::margin::Rulebook;
use crate::scenario::{Factor, ScenarioSet};
use crate::synth;

/// A synthetic exchange of 12 instruments, options among them, and scenarios of all its underlyings, some not quoted.
struct Exchange {
    snapshot: Snapshot,
    rulebook: Rulebook,
    scenarios: ScenarioSet,
}

impl Exchange {
    fn new() -> Self {
        let options = synth::MarketOptions {
            instruments: Some(12),
            options: synth::OptionListing::Chains,
            ..synth::MarketOptions::default()
        };
        let market = synth::Market::built_in(&options).expect("a market");
        let mut rulebook = synth::rulebook(&market);
        rulebook.liquidation = Some(crate::policy::Policy::default());
        let options = synth::Options { seed: 5, accounts: 150, near_threshold_share: 0.0 };
        let snapshot = synth::snapshot(&market, &rulebook, options).expect("a book");
        let scenarios = scenarios(&snapshot, 90);
        Self { snapshot, rulebook, scenarios }
    }

    fn subject(&self, hold_out: Option<ScenarioSet>) -> Subject<'_> {
        let document = Document::new("rulebook.toml", &self.rulebook.to_toml(), &self.rulebook).expect("TOML");
        Subject { snapshot: &self.snapshot, document, scenarios: self.scenarios.clone(), hold_out, history: None }
    }

    fn calibration<'a>(&'a self, job: &'a Job) -> Result<Calibration<'a>> {
        let options = SweepOptions { engine: EngineChoice::Cpu, ..SweepOptions::default() };
        Calibration::new(self.subject(None), job, options, (&(), Box::new(())))
    }

    /// The columns of a refused job.
    fn refused(&self, job: &Job) -> Vec<String> {
        match self.calibration(job) {
            Err(Error::Configuration(faults)) => faults.into_iter().map(|fault| fault.column).collect(),
            Err(other) => panic!("{other}"),
            Ok(_) => Vec::new(),
        }
    }
}

/// Moves of every underlying: one common, one of its own; the first underlying is not quoted in every tenth scenario.
fn scenarios(snapshot: &Snapshot, count: usize) -> ScenarioSet {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let factors: Vec<Factor> =
        snapshot.underlyings.iter().map(|underlying| Factor::price(&underlying.factor)).collect();
    let mut shocks = Array2::zeros((count, factors.len()));
    for (at, mut row) in shocks.rows_mut().into_iter().enumerate() {
        let common: f64 = random.random_range(-0.25..0.25);
        row.iter_mut().for_each(|shock| *shock = common + random.random_range(-0.1..0.1));
        if at % 10 == 3 {
            row[0] = f64::NAN;
        }
    }
    ScenarioSet {
        ids: (0..count).map(|at| format!("s{at}")).collect(),
        weights: vec![1.0; count],
        labels: vec![String::new(); count],
        factors,
        shocks,
    }
}

fn scaled(name: &str, at: &str, per: Per, (low, high): (f64, f64)) -> ParameterRequest {
    ParameterRequest {
        name: name.into(),
        at: vec![at.into()],
        per,
        how: How::Scale,
        low,
        high,
        tolerance: None,
        strict: Strict::High,
    }
}

fn constraint(rule: Rule) -> Constraint {
    Constraint { name: rule.default_name(), rule }
}

fn covered(of: CoverageOf, each: Each, level: f64) -> Constraint {
    constraint(Rule::Coverage(Coverage { of, each, level, confidence: 0.5 }))
}

/// Maintenance rates of every margin class scaled, 60 % of the book's losses covered.
fn job() -> Job {
    Job {
        parameters: vec![scaled("rates", "margin.*.maintenance.rate", Per::One, (0.5, 4.0))],
        constraints: vec![covered(CoverageOf::Accounts, Each::Book, 0.6)],
        ..Job::default()
    }
}

fn shortfall_within(limit: Limit) -> Constraint {
    constraint(Rule::Shortfall(Shortfall { measure: LossMeasure::Mean, level: 0.0, limit }))
}
