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
    highest: Option<Highest>,
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
        Ok(Self { question, options, progress, total, evaluated: 0, highest: None })
    }

    /// The target's value at each whitened point, in order.
    ///
    /// # Errors
    /// As [`sweep`].
    pub fn values(&mut self, points: &[Vec<f64>]) -> Result<Vec<f64>> {
        let mut values = Vec::with_capacity(points.len());
        for batch in points.chunks(BATCH) {
            let shocks: Vec<Vec<f64>> = batch.par_iter().map(|point| self.question.ellipsoid.shocks(point)).collect();
            values.extend(self.of_set(&self.scenarios(&shocks)?)?);
        }
        self.evaluated += points.len() as u64;
        for (value, point) in values.iter().zip(points) {
            if self.highest.as_ref().is_none_or(|highest| *value > highest.value) {
                self.highest = Some(Highest { value: *value, point: point.clone() });
            }
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
        sweep(self.question.snapshot, self.question.rulebook, set, &self.options, self.progress)
    }

    /// Shocks of every factor, one scenario each; ids are numbers from 1.
    ///
    /// # Errors
    /// [`Error::Bug`] where a row has another width than there are factors.
    pub fn scenarios(&self, shocks: &[Vec<f64>]) -> Result<ScenarioSet> {
        let factors = self.question.ellipsoid.factors().to_vec();
        let cells = shocks.concat();
        let shocks = Array2::from_shape_vec((shocks.len(), factors.len()), cells);
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
