//! What a search sees of an exchange: axes, and what a point on them amounts to.

use crate::error::Result;

/// Which end of an axis is the stricter one: where less is lost beyond what is required, never more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strict {
    /// The upper end: rates, haircuts, ranges.
    #[default]
    High,
    /// The lower end.
    Low,
    /// Neither: no order of candidates is known.
    Neither,
}

impl Strict {
    /// The words of a job file.
    pub const WORDS: [(&'static str, Self); 3] = [("high", Self::High), ("low", Self::Low), ("neither", Self::Neither)];
}

/// A free parameter as a search sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Name, unique in the job.
    pub name: String,
    /// The value of the old rulebook; 1 for a factor. It may lie outside the range.
    pub old: f64,
    /// Lower end of the range, finite.
    pub low: f64,
    /// Upper end, above `low`.
    pub high: f64,
    /// Distance below which two values count as one, > 0.
    pub tolerance: f64,
    /// Which end is stricter.
    pub strict: Strict,
}

/// Pools that are counted together, at one candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Name: a margin class, or `book`.
    pub name: String,
    /// Pools whose loss was observed, by scenario.
    pub observed: Vec<u32>,
    /// Pools that lost more than they had to have, by scenario.
    pub exceeded: Vec<u32>,
}

/// One portfolio that stands for a class, at one candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Name: class, instrument and side.
    pub name: String,
    /// By scenario: whether it lost more than it had to have; `None` where its price is not quoted.
    pub exceeded: Vec<Option<bool>>,
}

/// What a candidate amounts to, scenario by scenario.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Σ over pools of the calibrated requirement in the unshocked market, quote units; of what pools hold
    /// ([`super::Resources::Held`]) with what haircuts take, M + R − A. With a history, times the mean
    /// multiplier of the overlay over it.
    pub margin: f64,
    /// Pools by group.
    pub groups: Vec<Group>,
    /// Portfolios that stand for classes.
    pub probes: Vec<Probe>,
    /// Σ over pools of what was lost beyond what they had to have, by scenario, quote units, ≥ 0.
    pub shortfall: Vec<f64>,
    /// The same of the n accounts that lose most beyond it (n of the job, 2 by default), by scenario.
    pub cover: Vec<f64>,
    /// The insurance fund of the candidate's rulebook, quote units; 0 where it says nothing, +∞ where it is unlimited.
    pub fund: f64,
}

/// One constraint at one candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// What is published.
    pub value: f64,
    /// What it may be at most or must be at least.
    pub limit: f64,
    /// How far it is from being broken, relative to what is tolerated; < 0 = broken.
    pub slack: f64,
}

impl Reading {
    /// Whether it was measured at all: a run waits for what is cheaper to hold.
    pub fn is_measured(&self) -> bool {
        !self.value.is_nan()
    }

    /// Whether the constraint holds.
    pub fn is_met(&self) -> bool {
        self.slack >= 0.0
    }
}

/// A candidate as a search compares it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluation {
    /// What is minimised.
    pub objective: f64,
    /// Constraints in the order of the job.
    pub readings: Vec<Reading>,
}

impl Evaluation {
    /// Whether every constraint holds.
    pub fn is_met(&self) -> bool {
        self.readings.iter().all(Reading::is_met)
    }
}

/// What a search may ask. Answers depend on the point alone: the same point, the same answer, bit for bit.
pub trait Landscape {
    /// The free parameters.
    fn axes(&self) -> &[Axis];

    /// A candidate, one value per axis, within its range. `relaxed` multiplies what constraints tolerate (the share that may
    /// exceed, the loss that may be made); 1 = as the job says.
    ///
    /// # Errors
    /// What the measurement answers.
    fn evaluate(&mut self, point: &[f64], relaxed: f64) -> Result<Evaluation>;

    /// What the candidate amounts to in the scenarios that are searched over.
    ///
    /// # Errors
    /// What the measurement answers.
    fn measure(&mut self, point: &[f64]) -> Result<Measured>;

    /// Reads objective and constraints from what was measured, under weights of the scenarios (≥ 0, one each). What needs a
    /// run of its own, or depends on the point alone, reads as met, with infinite slack.
    fn read(&self, measured: &Measured, weights: &[f64], relaxed: f64) -> Evaluation;

    /// The slack of every part of every constraint (each class of one that holds class by class), as in [`Landscape::read`]:
    /// one axis moves some parts only, and the others say nothing about it. By default every constraint is one part.
    fn slacks(&self, measured: &Measured, weights: &[f64], relaxed: f64) -> Vec<f64> {
        self.read(measured, weights, relaxed).readings.iter().map(|reading| reading.slack).collect()
    }

    /// Whether what was observed can speak for both of two candidates that differ in the margin: by default it can. Not where losses
    /// that nobody observed would tell them apart.
    ///
    /// # Errors
    /// What the measurement answers.
    fn are_observed(&mut self, _one: &[f64], _other: &[f64]) -> Result<bool> {
        Ok(true)
    }

    /// The weights of the job's scenarios.
    fn weights(&self) -> &[f64];
}
