use ndarray::Array2;
use rayon::prelude::*;

use super::ellipsoid::Ellipsoid;
use super::target::Target;
use crate::compare::merged;
use crate::domain::{BookBuilder, Mode, Snapshot};
use crate::engine::{Outcome, Progress, SweepOptions, sweep};
use crate::error::{Error, Result};
use crate::margin::{Rulebook, Rules, Setting, revalue};
use crate::pricing::{Column, Unshocked};
use crate::scenario::ScenarioSet;

/// Scenarios of one sweep at most: rows × scenarios must fit into memory.
const BATCH: usize = 4096;

/// What is asked, of whom.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Market data and the pools that are asked about.
    pub snapshot: &'a Snapshot,
    /// Margin rules.
    pub rulebook: &'a Rulebook,
    /// How plausible moves are.
    pub ellipsoid: &'a Ellipsoid,
    /// What is to be reached.
    pub target: Target,
}

/// The highest value seen, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Highest {
    /// The target's value.
    pub value: f64,
    /// Whitened point.
    pub point: Vec<f64>,
}

/// Evaluates the target at whitened points: on the engine, or, for the equity, on the merged book.
pub struct Probe<'a> {
    question: Question<'a>,
    options: SweepOptions,
    progress: &'a dyn Progress,
    total: Option<Total<'a>>,
    evaluated: u64,
    expected: u64,
    highest: Option<Highest>,
}

/// Tells of one sweep as a part of the whole search.
struct Part<'a> {
    progress: &'a dyn Progress,
    cells_before: u64,
    cells_expected: u64,
}

impl Progress for Part<'_> {
    fn advance(&self, done: u64, _: u64) {
        let done = self.cells_before + done;
        self.progress.advance(done, self.cells_expected.max(done));
    }
}

impl<'a> Probe<'a> {
    /// A probe that sweeps as `options` say.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Configuration`] where snapshot and rulebook do not fit together.
    pub fn new(question: Question<'a>, options: SweepOptions, progress: &'a dyn Progress) -> Result<Self> {
        let total = match question.target {
            Target::EquityLoss(_) => Some(Total::new(question, options.unshocked)?),
            _ => None,
        };
        Ok(Self { question, options, progress, total, evaluated: 0, expected: 0, highest: None })
    }

    /// Says how many points will be evaluated at most: the end of the progress.
    pub fn expect(&mut self, points: u64) {
        self.expected = points;
    }

    /// The target's value at `count` whitened points, in order; they are made batch by batch.
    ///
    /// # Errors
    /// As [`sweep`].
    pub fn values(&mut self, count: usize, point: impl Fn(usize) -> Vec<f64> + Sync) -> Result<Vec<f64>> {
        let mut values = Vec::with_capacity(count);
        for first in (0..count).step_by(BATCH) {
            let batch = first..count.min(first + BATCH);
            let shocks = batch.clone().into_par_iter().map(|at| self.question.ellipsoid.shocks(&point(at))).collect();
            let found = self.of_set(&self.scenarios(shocks)?)?;
            for (value, at) in found.iter().zip(batch) {
                if self.highest.as_ref().is_none_or(|highest| *value > highest.value) {
                    self.highest = Some(Highest { value: *value, point: point(at) });
                }
            }
            self.evaluated += found.len() as u64;
            values.extend(found);
        }
        Ok(values)
    }

    /// The target's value in each scenario of a set, in order.
    ///
    /// # Errors
    /// As [`sweep`].
    pub fn of_set(&self, set: &ScenarioSet) -> Result<Vec<f64>> {
        match &self.total {
            Some(total) => total.losses(set),
            None => self.of_outcome(&self.sweep(set)?, set),
        }
    }

    /// The target's value in each scenario of a set that was swept already.
    ///
    /// # Errors
    /// As [`sweep`].
    pub fn of_outcome(&self, outcome: &Outcome, set: &ScenarioSet) -> Result<Vec<f64>> {
        match &self.total {
            Some(total) => total.losses(set),
            None => Ok(outcome.scenarios.iter().filter_map(|scenario| self.question.target.value(scenario)).collect()),
        }
    }

    /// Sweeps the question's pools over a set.
    ///
    /// # Errors
    /// As [`sweep`].
    pub fn sweep(&self, set: &ScenarioSet) -> Result<Outcome> {
        let positions = self.question.snapshot.book.position_count() as u64;
        let part = Part {
            progress: self.progress,
            cells_before: self.evaluated * positions,
            cells_expected: self.expected * positions,
        };
        sweep(self.question.snapshot, self.question.rulebook, set, &self.options, &part)
    }

    /// Shocks of every factor, one scenario each; ids are numbers from 1.
    ///
    /// # Errors
    /// [`Error::Bug`] where a row has another width than there are factors.
    pub fn scenarios(&self, shocks: Vec<Vec<f64>>) -> Result<ScenarioSet> {
        let factors = self.question.ellipsoid.factors().to_vec();
        let shocks = Array2::from_shape_vec((shocks.len(), factors.len()), shocks.concat());
        let shocks = shocks.map_err(|error| Error::Bug(error.to_string()))?;
        let count = shocks.nrows();
        Ok(ScenarioSet {
            ids: (1..=count).map(|number| number.to_string()).collect(),
            weights: vec![1.0; count],
            labels: vec![String::new(); count],
            factors,
            shocks,
        })
    }

    /// What is asked.
    pub fn question(&self) -> Question<'a> {
        self.question
    }

    /// Points evaluated so far.
    pub fn evaluated(&self) -> u64 {
        self.evaluated
    }

    /// The highest value seen so far, the first of equals.
    pub fn highest(&self) -> Option<&Highest> {
        self.highest.as_ref()
    }
}

/// The equity of all pools as that of one: summed in one order whatever the engine, its threads and its chunks.
struct Total<'a> {
    book: Snapshot,
    rulebook: &'a Rulebook,
    unshocked: Unshocked,
}

impl<'a> Total<'a> {
    fn new(question: Question<'a>, unshocked: Unshocked) -> Result<Self> {
        let mut builder = BookBuilder::default();
        let known = question.snapshot.book.pools().enumerate().filter(|(_, pool)| !pool.unknown);
        for (index, pool) in known {
            let id = builder.pool("", &format!("{index:010}"));
            pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
            pool.positions.iter().for_each(|position| builder.add_position(id, *position));
        }
        let gathered = question.snapshot.with_book(builder.build());
        let book = gathered.with_book(merged(&gathered, Mode::Cross));
        Rules::resolve(question.rulebook, &book)?;
        Ok(Self { book, rulebook: question.rulebook, unshocked })
    }

    /// Equity in the unshocked market less equity in each scenario, quote units.
    fn losses(&self, set: &ScenarioSet) -> Result<Vec<f64>> {
        let rules = Rules::resolve(self.rulebook, &self.book)?;
        let rows = revalue(&rules, &self.book, set, self.unshocked)?;
        let setting = Setting { snapshot: &self.book, rules: &rules, rows: &rows };
        let equity = |column: Column| -> f64 {
            self.book.book.pools().map(|pool| setting.raw_equity::<f64>(&pool, &(&rows, column))).sum()
        };
        let base = equity(Column::Base);
        Ok((0..set.len()).into_par_iter().map(|scenario| base - equity(Column::Scenario(scenario))).collect())
    }
}
