//! A book, its rulebook and its scenarios as the landscape that a search moves over.

use std::collections::HashMap;
use std::sync::Arc;

use super::candidate::{Candidate, Ground};
use super::checkpoint::{Evaluated, Recorder, key};
use super::constraint::{Floored, Rule, Sample, View};
use super::document::Document;
use super::history::{OverlayHistory, Replays};
use super::job::{Job, Objective};
use super::landscape::{Axis, Evaluation, Landscape, Measured, Reading};
use super::loss_measure::LossMeasure;
use super::measure::{Against, measure, measure_alone};
use super::parameter::{Parameter, apply};
use super::population::Population;
use super::runs::Runs;
use super::setup::Corner;
use super::tail::{KEPT_MAX, Market, Swept, Tails};
use super::touched::Touched;
use crate::domain::Snapshot;
use crate::engine::Progress;
use crate::error::{Error, Result};
use crate::margin::Rules;
use crate::scenario::ScenarioSet;

/// What is calibrated on what.
#[derive(Debug)]
pub struct Subject<'a> {
    /// Market data and book.
    pub snapshot: &'a Snapshot,
    /// The old rulebook as it is written.
    pub document: Document,
    /// Scenarios that are searched over.
    pub scenarios: ScenarioSet,
    /// Scenarios that the answer is judged by, and no search sees.
    pub hold_out: Option<ScenarioSet>,
    /// What the rulebook's overlay is replayed over; there where the job asks for it.
    pub history: Option<OverlayHistory>,
}

/// Scenarios, and what was kept of them.
pub(super) struct SampleMarket {
    pub(super) set: ScenarioSet,
    pub(super) tails: Option<Tails>,
}

/// The measuring half of a calibration.
pub struct Calibration<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) job: &'a Job,
    pub(super) document: Document,
    pub(super) rules: Rules,
    pub(super) parameters: Vec<Parameter>,
    pub(super) axes: Vec<Axis>,
    /// By constraint.
    pub(super) floors: Vec<Option<Floored>>,
    pub(super) population: Population,
    /// By parameter.
    pub(super) touched: Vec<Touched>,
    pub(super) replays: Option<Replays>,
    /// Pools whose losses count.
    pub(super) is_counted: Vec<bool>,
    /// Thresholds at the loosest corner of what is free.
    pub(super) loosest: Vec<f64>,
    pub(super) searched: SampleMarket,
    pub(super) held_out: Option<SampleMarket>,
    pub(super) runs: Runs,
    pub(super) progress: &'a dyn Progress,
    pub(super) recorder: Box<dyn Recorder + Send + 'a>,
    pub(super) known: HashMap<Vec<u64>, Evaluation>,
    /// The candidate that was looked at last: what follows is usually asked of the same.
    pub(super) last: Option<(Vec<u64>, Arc<Candidate>)>,
    pub(super) sweeps: u64,
    pub(super) candidates: u64,
}

impl Calibration<'_> {
    /// Sweeps of the whole book so far.
    pub fn sweeps(&self) -> u64 {
        self.sweeps + self.runs.sweeps
    }

    /// Rulebooks whose thresholds were formed so far.
    pub fn candidates(&self) -> u64 {
        self.candidates
    }

    /// Takes what an earlier run of the same job has evaluated.
    pub fn recall(&mut self, evaluated: Vec<Evaluated>) {
        self.known.extend(evaluated.into_iter().map(|known| (key(&known.point, known.relaxed), known.evaluation)));
    }

    /// The rulebook file of a candidate.
    pub fn text(&self, point: &[f64]) -> String {
        apply(&self.document, &self.parameters, point).text()
    }

    /// The calibrated requirement of each pool in the unshocked market, in book order, quote units; `None` = the old rulebook.
    ///
    /// # Errors
    /// Where the candidate is no rulebook for this book.
    pub fn requirements(&mut self, point: Option<&[f64]>) -> Result<Vec<f64>> {
        Ok(self.candidate(point)?.thresholds.requirements.clone())
    }

    /// What the calibrated requirement binds of each pool's equity, in book order, quote units: itself or, of what pools hold, with
    /// what haircuts take; `None` = the old rulebook.
    ///
    /// # Errors
    /// Where the candidate is no rulebook for this book.
    pub(super) fn margins(&mut self, point: Option<&[f64]>) -> Result<Vec<f64>> {
        Ok(self.candidate(point)?.thresholds.margins.clone())
    }

    /// What each pool loses beyond its resources under the scenarios that are searched over: (scenario, quote units > 0), the
    /// largest first; `None` = the old rulebook.
    ///
    /// # Errors
    /// What the measurement answers.
    pub fn excesses(&mut self, point: Option<&[f64]>) -> Result<Vec<Vec<(usize, f64)>>> {
        let candidate = self.candidate(point)?;
        if !self.reach(Sample::Searched, &candidate)? {
            return Err(self.too_many());
        }
        let Some(tails) = &self.searched.tails else { return Ok(Vec::new()) };
        let of_pool = |(pool, threshold): (usize, &f64)| {
            tails.beyond(pool, *threshold).map(|(scenario, loss)| (scenario, loss - threshold)).collect()
        };
        Ok(candidate.thresholds.pools.iter().enumerate().map(of_pool).collect())
    }

    /// What the old rulebook amounts to, as it is written.
    ///
    /// # Errors
    /// What the measurement answers.
    pub fn old(&mut self) -> Result<(Measured, Evaluation)> {
        let candidate = self.candidate(None)?;
        self.judge(Sample::Searched, &candidate, 1.0)
    }

    /// What a candidate amounts to in the scenarios that were held out (`None` = the old rulebook), where there are any; the
    /// plain levels count.
    ///
    /// # Errors
    /// What the measurement answers.
    pub fn hold_out(&mut self, point: Option<&[f64]>) -> Result<Option<(Measured, Evaluation)>> {
        if self.held_out.is_none() {
            return Ok(None);
        }
        let candidate = self.candidate(point)?;
        self.judge(Sample::HeldOut, &candidate, 1.0).map(Some)
    }

    /// The weights of the scenarios that were held out.
    pub fn hold_out_weights(&self) -> &[f64] {
        self.held_out.as_ref().map_or(&[], |market| &market.set.weights)
    }

    /// The rulebook of a point, with its thresholds; `None` = the old one.
    fn candidate(&mut self, point: Option<&[f64]>) -> Result<Arc<Candidate>> {
        let key = point.map_or_else(Vec::new, |point| key(point, 1.0));
        if let Some((_, last)) = self.last.as_ref().filter(|(known, _)| *known == key) {
            return Ok(Arc::clone(last));
        }
        let document =
            point.map_or_else(|| self.document.clone(), |point| apply(&self.document, &self.parameters, point));
        self.candidates += 1;
        let ground = Ground {
            snapshot: self.snapshot,
            population: &self.population,
            job: self.job,
            replays: self.replays.as_ref(),
        };
        let mut candidate = match self.beside(&key) {
            Some((last, pools)) => last.beside(document, ground, &pools),
            None => Candidate::of(document, ground),
        }?;
        for (threshold, is_counted) in candidate.thresholds.pools.iter_mut().zip(&self.is_counted) {
            if !is_counted {
                *threshold = f64::INFINITY;
            }
        }
        let candidate = Arc::new(candidate);
        self.last = Some((key, Arc::clone(&candidate)));
        Ok(candidate)
    }

    /// The candidate that was looked at last, and the pools that can differ at a point: where those are not all.
    fn beside(&self, key: &[u64]) -> Option<(&Candidate, Vec<u32>)> {
        let (last_key, last) = self.last.as_ref().filter(|(last, _)| last.len() == key.len())?;
        let pairs = last_key.iter().zip(key).zip(&self.touched);
        match Touched::together(pairs.filter(|((last, now), _)| last != now).map(|(_, touched)| touched)) {
            Touched::All => None,
            Touched::Pools(pools) => Some((last, pools)),
        }
    }

    fn sample(&self, sample: Sample) -> Result<&SampleMarket> {
        match sample {
            Sample::Searched => Ok(&self.searched),
            Sample::HeldOut => self.held_out.as_ref().ok_or_else(|| Error::Bug("nothing is held out".into())),
        }
    }

    pub(super) fn market<'m>(&'m self, market: &'m SampleMarket) -> Market<'m> {
        Market {
            snapshot: self.snapshot,
            population: &self.population,
            rules: &self.rules,
            job: self.job,
            scenarios: &market.set,
            is_counted: &self.is_counted,
        }
    }

    /// Sweeps the scenarios, unless what was kept reaches down to the candidate's thresholds. Answers whether it does then: not
    /// where too much would have to be kept.
    fn reach(&mut self, sample: Sample, candidate: &Candidate) -> Result<bool> {
        let thresholds = &candidate.thresholds.pools;
        let market = self.sample(sample)?;
        let bounds = match (&market.tails, sample) {
            (Some(tails), _) if tails.reach(thresholds) => return Ok(true),
            (Some(tails), _) => tails.lowered(thresholds),
            (None, Sample::HeldOut) => thresholds.clone(),
            (None, Sample::Searched) => {
                self.loosest.iter().zip(thresholds).map(|(loosest, threshold)| loosest.min(*threshold)).collect()
            }
        };
        let swept = Tails::sweep(&self.market(market), bounds, self.progress)?;
        self.sweeps += 1;
        let Swept::Kept(tails) = swept else { return Ok(false) };
        match (sample, &mut self.held_out) {
            (Sample::HeldOut, Some(market)) => market.tails = Some(tails),
            _ => self.searched.tails = Some(tails),
        }
        Ok(true)
    }

    fn measured(&mut self, sample: Sample, candidate: &Candidate) -> Result<Measured> {
        let is_kept = self.reach(sample, candidate)?;
        let against = Against {
            population: &self.population,
            thresholds: &candidate.thresholds,
            accounts: self.job.cover_accounts(),
            fund: candidate.fund,
        };
        let market = self.sample(sample)?;
        let mut measured = match &market.tails {
            Some(tails) if is_kept => measure(&against, tails),
            _ => {
                let measured = measure_alone(&against, &self.market(market), self.progress)?;
                self.sweeps += 1;
                measured
            }
        };
        measured.margin *= candidate.overlay.map_or(1.0, |overlay| overlay.mean_multiplier);
        Ok(measured)
    }

    /// That what a search needs is kept: a sweep for every candidate is none.
    fn check_kept(&mut self) -> Result<()> {
        if self.searched.tails.is_some() {
            return Ok(());
        }
        let loosest = self.corner(Corner::Loosest);
        let candidate = self.candidate(Some(&loosest))?;
        if self.reach(Sample::Searched, &candidate)? { Ok(()) } else { Err(self.too_many()) }
    }

    /// Measures a candidate and reads every constraint; what needs a run of its own only where all others hold.
    fn judge(&mut self, sample: Sample, candidate: &Candidate, relaxed: f64) -> Result<(Measured, Evaluation)> {
        let measured = self.measured(sample, candidate)?;
        let mut evaluation = self.read_as(sample, &measured, &self.sample(sample)?.set.weights, relaxed);
        for (reading, floor) in evaluation.readings.iter_mut().zip(&self.floors) {
            floor.iter().for_each(|floor| *reading = floor.reading(&candidate.document));
        }
        if let Some(overlay) = &candidate.overlay {
            for (reading, constraint) in evaluation.readings.iter_mut().zip(&self.job.constraints) {
                let followed = constraint.rule.followed(overlay, relaxed);
                followed.iter().for_each(|followed| *reading = *followed);
            }
        }
        for (at, constraint) in self.job.constraints.iter().enumerate() {
            if constraint.rule.needs_run() && evaluation.is_met() {
                let market = match sample {
                    Sample::Searched => &self.searched,
                    Sample::HeldOut => {
                        self.held_out.as_ref().ok_or_else(|| Error::Bug("nothing is held out".into()))?
                    }
                };
                let reading =
                    self.runs.reading((&constraint.rule, sample), (self.snapshot, candidate), &market.set, relaxed)?;
                evaluation.readings[at] = reading;
            }
        }
        Ok((measured, evaluation))
    }

    fn read_as(&self, sample: Sample, measured: &Measured, weights: &[f64], relaxed: f64) -> Evaluation {
        let weights = scaled(weights);
        let view = View { measured, weights: &weights, relaxed, sample };
        Evaluation {
            objective: objective(self.job.objective, measured, &weights),
            readings: self.job.constraints.iter().map(|constraint| constraint.rule.reading(&view)).collect(),
        }
    }

    /// A candidate that is no rulebook breaks everything.
    fn refused(&self) -> Evaluation {
        let broken = Reading { value: f64::NAN, limit: f64::NAN, slack: -1.0 };
        Evaluation { objective: f64::INFINITY, readings: vec![broken; self.job.constraints.len()] }
    }

    /// That too much would have to be kept, with the parameter whose loose end costs most.
    fn too_many(&mut self) -> Error {
        let loosest = self.corner(Corner::Loosest);
        let margin_with = |calibration: &mut Self, at: usize| {
            let mut point = loosest.clone();
            point[at] = calibration.axes[at].low + calibration.axes[at].high - point[at];
            calibration.candidate(Some(&point)).map_or(0.0, |candidate| candidate.thresholds.margin())
        };
        let margins: Vec<f64> = (0..self.axes.len()).map(|at| margin_with(self, at)).collect();
        let most = margins.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(at, _)| at);
        let axis = &self.axes[most];
        let end = if loosest[most] == axis.low { "low" } else { "high" };
        let (name, loose) = (&axis.name, loosest[most]);
        Error::Usage(format!(
            "with {name} at {end} = {loose}, more than {KEPT_MAX} losses lie above what pools would have: bring its {end} end closer \
             to what is likely, or use fewer scenarios"
        ))
    }
}

impl Landscape for Calibration<'_> {
    fn axes(&self) -> &[Axis] {
        &self.axes
    }

    fn evaluate(&mut self, point: &[f64], relaxed: f64) -> Result<Evaluation> {
        let key = key(point, relaxed);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        self.check_kept()?;
        let evaluation = match self.candidate(Some(point)) {
            Ok(candidate) => self.judge(Sample::Searched, &candidate, relaxed)?.1,
            Err(Error::Configuration(_) | Error::Refused(_)) => self.refused(),
            Err(other) => return Err(other),
        };
        self.known.insert(key, evaluation.clone());
        self.recorder.record(&Evaluated { point: point.into(), relaxed, evaluation: evaluation.clone() })?;
        Ok(evaluation)
    }

    fn measure(&mut self, point: &[f64]) -> Result<Measured> {
        self.check_kept()?;
        let candidate = self.candidate(Some(point))?;
        self.measured(Sample::Searched, &candidate)
    }

    fn read(&self, measured: &Measured, weights: &[f64], relaxed: f64) -> Evaluation {
        self.read_as(Sample::Searched, measured, weights, relaxed)
    }

    fn are_observed(&mut self, one: &[f64], other: &[f64]) -> Result<bool> {
        let margin = 0.0;
        let one = Measured { margin, ..self.measure(one)? };
        let is_seen = |counts: &[u32]| counts.iter().any(|count| *count > 0);
        let all_seen = one.groups.iter().all(|group| is_seen(&group.observed))
            && one.probes.iter().all(|probe| probe.exceeded.iter().any(Option::is_some));
        // Where every class was observed, a class that loses nothing is no missing one.
        Ok(all_seen || one != Measured { margin, ..self.measure(other)? })
    }

    fn slacks(&self, measured: &Measured, weights: &[f64], relaxed: f64) -> Vec<f64> {
        let view = View { measured, weights: &scaled(weights), relaxed, sample: Sample::Searched };
        let rules = self.job.constraints.iter().map(|constraint| &constraint.rule);
        rules.flat_map(|rule| rule.parts(&view)).map(|part| part.slack).collect()
    }

    fn weights(&self) -> &[f64] {
        &self.searched.set.weights
    }
}

/// Weights of which the largest is 1: equal ones become 1 each, so that counts stay whole.
fn scaled(weights: &[f64]) -> Vec<f64> {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let scale = if largest > 0.0 { largest } else { 1.0 };
    weights.iter().map(|weight| weight / scale).collect()
}

/// What is minimised.
fn objective(objective: Objective, measured: &Measured, weights: &[f64]) -> f64 {
    match objective {
        Objective::Margin => measured.margin,
        Objective::Cost { margin, shortfall, fund } => {
            let mean = LossMeasure::Mean.of(&measured.shortfall, weights, 0.0);
            let fund = if fund > 0.0 { fund * measured.fund } else { 0.0 };
            margin * measured.margin + shortfall * mean + fund
        }
    }
}

/// Whether a rule's reading depends on the file alone.
pub(super) fn floor_of(rule: &Rule) -> Option<&super::constraint::Floor> {
    match rule {
        Rule::Floor(floor) => Some(floor),
        _ => None,
    }
}
