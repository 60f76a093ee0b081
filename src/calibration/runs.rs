//! Constraints that need a run of their own: sweeps of the engine, liquidations.

use super::candidate::Candidate;
use super::constraint::{Rule, Sample, met};
use super::landscape::Reading;
use crate::domain::Snapshot;
use crate::engine::{SweepOptions, Totals, sweep};
use crate::error::Result;
use crate::liquidation::{Options, Path, liquidate};
use crate::scenario::ScenarioSet;

/// Runs so far, and what they have found that no candidate changes.
#[derive(Debug, Clone)]
pub(super) struct Runs {
    /// The engine.
    options: SweepOptions,
    /// Scenarios of most negative equity, the worst first: equity does not depend on rules.
    worst_searched: Option<Vec<usize>>,
    worst_held_out: Option<Vec<usize>>,
    /// Sweeps so far, those of liquidations not counted.
    pub(super) sweeps: u64,
}

impl Runs {
    pub(super) fn new(options: SweepOptions) -> Self {
        // Totals that carry a bound would rank scenarios by the device.
        let options = SweepOptions { totals: Some(Totals::Exact), ..options };
        Self { options, worst_searched: None, worst_held_out: None, sweeps: 0 }
    }

    /// The reading of a rule that needs a run; others are met.
    ///
    /// # Errors
    /// What the run answers.
    pub(super) fn reading(
        &mut self,
        (rule, sample): (&Rule, Sample),
        (snapshot, candidate): (&Snapshot, &Candidate),
        scenarios: &ScenarioSet,
        relaxed: f64,
    ) -> Result<Reading> {
        let weights = &scenarios.weights;
        match rule {
            Rule::Bankruptcy(rule) => {
                self.sweeps += 1;
                let outcome = sweep(snapshot, &candidate.rulebook, scenarios, &self.options, &())?;
                Ok(rule.reading(&outcome, weights, relaxed))
            }
            Rule::FundDraw(rule) => {
                let places = self.worst(sample, (snapshot, candidate), scenarios)?;
                let policy = candidate.rulebook.liquidation.clone().unwrap_or_default();
                let places: Vec<usize> = places.into_iter().take(rule.worst).collect();
                let path = |place: &usize| Path::of_scenario(scenarios, *place, policy.rounds_max);
                let paths: Vec<Path> = places.iter().map(path).collect();
                let options = Options { sweep: self.options.clone(), deepened: None };
                let outcome = liquidate((snapshot, &candidate.rulebook), &policy, &paths, &options, (&(), &mut ()))?;
                Ok(rule.reading((&outcome, &places), (weights, candidate.fund, relaxed)))
            }
            _ => Ok(met(f64::NAN, f64::NAN)),
        }
    }

    /// Every scenario, the worst first.
    fn worst(
        &mut self,
        sample: Sample,
        (snapshot, candidate): (&Snapshot, &Candidate),
        scenarios: &ScenarioSet,
    ) -> Result<Vec<usize>> {
        let known = match sample {
            Sample::Searched => &mut self.worst_searched,
            Sample::HeldOut => &mut self.worst_held_out,
        };
        if let Some(known) = known {
            return Ok(known.clone());
        }
        self.sweeps += 1;
        let outcome = sweep(snapshot, &candidate.rulebook, scenarios, &self.options, &())?;
        let mut ranked: Vec<usize> = (0..scenarios.len()).collect();
        ranked
            .sort_by(|a, b| outcome.scenarios[*b].shortfall.total_cmp(&outcome.scenarios[*a].shortfall).then(a.cmp(b)));
        Ok(known.insert(ranked).clone())
    }
}
