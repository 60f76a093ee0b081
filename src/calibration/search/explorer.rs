use std::collections::HashMap;

use super::grid::Grid;
use super::why::Why;
use super::{Solution, Unmet};
use crate::calibration::landscape::{Evaluation, Landscape};
use crate::error::Result;

/// How far a search is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Candidates evaluated so far.
    pub evaluations: usize,
    /// Most that will be.
    pub limit: usize,
    /// The best candidate so far that meets every constraint, and what it amounts to.
    pub best: Option<(&'a [f64], &'a Evaluation)>,
}

/// A candidate in steps, and what it amounts to.
#[derive(Debug, Clone)]
struct Known {
    at: Vec<u64>,
    point: Vec<f64>,
    evaluation: Evaluation,
}

/// Candidates on a grid, each asked for once, and the best of them.
pub(super) struct Explorer<'a> {
    pub(super) grids: Vec<Grid>,
    pub(super) evaluations: usize,
    landscape: &'a mut dyn Landscape,
    relaxed: f64,
    limit: usize,
    known: HashMap<Vec<u64>, Evaluation>,
    best: Option<Known>,
    least_broken: Option<Known>,
    /// Whether some candidate met each constraint.
    reached: Vec<bool>,
    progress: &'a mut dyn FnMut(&Progress<'_>),
}

impl<'a> Explorer<'a> {
    pub(super) fn new(
        landscape: &'a mut dyn Landscape,
        limit: usize,
        relaxed: f64,
        progress: &'a mut dyn FnMut(&Progress<'_>),
    ) -> Self {
        let grids = landscape.axes().iter().map(Grid::of).collect();
        Self {
            grids,
            evaluations: 0,
            landscape,
            relaxed,
            limit: limit.max(1),
            known: HashMap::new(),
            best: None,
            least_broken: None,
            reached: Vec::new(),
            progress,
        }
    }

    /// The values of a candidate.
    pub(super) fn values(&self, at: &[u64]) -> Vec<f64> {
        self.grids.iter().zip(at).map(|(grid, step)| grid.value(*step)).collect()
    }

    /// What a candidate amounts to; `None` where nothing more may be evaluated.
    pub(super) fn evaluate(&mut self, at: &[u64]) -> Result<Option<Evaluation>> {
        if let Some(evaluation) = self.known.get(at) {
            return Ok(Some(evaluation.clone()));
        }
        if self.is_exhausted() {
            return Ok(None);
        }
        let point = self.values(at);
        let evaluation = self.landscape.evaluate(&point, self.relaxed)?;
        self.evaluations += 1;
        self.known.insert(at.into(), evaluation.clone());
        self.reached.resize(evaluation.readings.len(), false);
        for (reached, reading) in self.reached.iter_mut().zip(&evaluation.readings) {
            *reached |= reading.is_met();
        }
        self.remember(Known { at: at.into(), point, evaluation: evaluation.clone() });
        let best = self.best.as_ref().map(|best| (best.point.as_slice(), &best.evaluation));
        (self.progress)(&Progress { evaluations: self.evaluations, limit: self.limit, best });
        Ok(Some(evaluation))
    }

    /// What a candidate amounts to where every constraint holds and the objective is a number; `None` elsewhere.
    pub(super) fn objective(&mut self, at: &[u64]) -> Result<Option<f64>> {
        Ok(self.evaluate(at)?.filter(is_met).map(|evaluation| evaluation.objective))
    }

    /// What a point amounts to that need not lie on the grid, whatever has been spent.
    pub(super) fn evaluate_exactly(&mut self, point: &[f64]) -> Result<Evaluation> {
        self.landscape.evaluate(point, self.relaxed)
    }

    /// Whether what was observed can speak for both of two candidates.
    pub(super) fn are_observed(&mut self, one: &[u64], other: &[u64]) -> Result<bool> {
        let [one, other] = [self.values(one), self.values(other)];
        self.landscape.are_observed(&one, &other)
    }

    /// Whether nothing more may be evaluated.
    pub(super) fn is_exhausted(&self) -> bool {
        self.evaluations >= self.limit
    }

    /// The candidate of least objective that meets every constraint, the first of several.
    pub(super) fn best(&self) -> Option<&[u64]> {
        self.best.as_ref().map(|best| best.at.as_slice())
    }

    /// The best candidate where it has a lower objective than this one.
    pub(super) fn better_than(&self, at: Vec<u64>) -> Vec<u64> {
        let Some((best, known)) = self.best.as_ref().zip(self.known.get(&at)) else { return at };
        if best.evaluation.objective < known.objective { best.at.clone() } else { at }
    }

    /// Constraints that an evaluation breaks.
    pub(super) fn unmet(&self, evaluation: &Evaluation) -> Vec<Unmet> {
        let readings = evaluation.readings.iter().zip(&self.reached).enumerate();
        let broken = readings.filter(|(_, (reading, _))| !reading.is_met());
        broken.map(|(constraint, (_, reached))| Unmet { constraint, is_met_elsewhere: *reached }).collect()
    }

    /// The answer where no candidate meets every constraint: the one whose worst constraint is broken least.
    pub(super) fn least_broken(self) -> Result<Solution> {
        let Some(Known { point, evaluation, .. }) = self.least_broken.clone() else {
            return Err(crate::Error::Bug("a search evaluated nothing".into()));
        };
        let why = vec![Why::Unmet; point.len()];
        Ok(Solution { unmet: self.unmet(&evaluation), why, evaluations: self.evaluations, point, evaluation })
    }

    fn remember(&mut self, known: Known) {
        let is_better = |best: &Known| known.evaluation.objective < best.evaluation.objective;
        let is_less_broken = |least: &Known| violation(&known.evaluation) < violation(&least.evaluation);
        if is_met(&known.evaluation) {
            if self.best.as_ref().is_none_or(is_better) {
                self.best = Some(known);
            }
        } else if self.least_broken.as_ref().is_none_or(is_less_broken) {
            self.least_broken = Some(known);
        }
    }
}

/// Whether every constraint holds and the objective can be compared.
pub(super) fn is_met(evaluation: &Evaluation) -> bool {
    evaluation.is_met() && evaluation.objective.is_finite()
}

/// By how much the worst constraint is broken; 0 where none is, the largest number where that is not known.
pub(super) fn violation(evaluation: &Evaluation) -> f64 {
    let broken = |slack: f64| if slack.is_nan() { f64::MAX } else { (-slack).clamp(0.0, f64::MAX) };
    evaluation.readings.iter().map(|reading| broken(reading.slack)).fold(0.0, f64::max)
}
