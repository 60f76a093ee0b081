//! The back-test of a book and of synthetic portfolios over a return history.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rayon::prelude::*;

use super::coverage::Coverage;
use super::horizon::compound;
use super::losses::Losses;
use super::portfolios::{LeftOut, Portfolio, synthetic};
use super::procyclicality::Procyclicality;
use super::rolling::Rolling;
use crate::domain::{Pool, Snapshot};
use crate::engine::{Arbiter, Progress};
use crate::error::{Error, Result};
use crate::margin::{Rulebook, Rules, Setting, revalue};
use crate::pricing::{Column, Unshocked};
use crate::scenario::ScenarioSet;

/// Which requirement of the rulebook is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Initial margin.
    Initial,
    /// Maintenance margin.
    Maintenance,
}

/// What the losses of a pool of the book are taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossOf {
    /// Raw equity: positions and collateral.
    Equity,
    /// Positions alone: what a haircut is for is left out.
    Positions,
}

/// How a back-test is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The requirement of the rulebook.
    pub requirement: Requirement,
    /// What a pool loses.
    pub loss_of: LossOf,
    /// What to do with a held underlying that the history lacks.
    pub unshocked: Unshocked,
    /// Share of losses that a requirement should cover, in (0, 1).
    pub level: f64,
    /// Rows of the history that a loss spans, ≥ 1; more than one make overlapping windows.
    pub horizon: usize,
    /// Rows a day, ≥ 1.
    pub rows_per_day: usize,
    /// Also test a requirement that follows the history.
    pub rolling: Option<Rolling>,
}

/// Where a tested requirement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// The rulebook, at base.
    Rulebook,
    /// The tail of the losses before.
    Rolling,
    /// The same with a buffer.
    Buffer,
    /// The same with a weight on stressed observations.
    StressedWeight,
    /// The same with a long-run floor.
    Floor,
}

impl Model {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rulebook => "rulebook",
            Self::Rolling => "rolling",
            Self::Buffer => "rolling_buffer",
            Self::StressedWeight => "rolling_stressed_weight",
            Self::Floor => "rolling_floor",
        }
    }
}

/// What one requirement covered of one portfolio's losses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// Where the requirement comes from.
    pub model: Model,
    /// The requirement, quote units; of one that moves, its mean over the observations (0 without any).
    pub requirement: f64,
    /// What it covered.
    pub coverage: Coverage,
    /// How much it moved; `None` for one that stands still.
    pub procyclicality: Option<Procyclicality>,
}

/// A pool of the book, by its place there, with every tested requirement.
#[derive(Debug, Clone, PartialEq)]
pub struct TestedPool {
    /// Index in the book.
    pub index: usize,
    /// One per model.
    pub tested: Vec<Tested>,
}

/// A synthetic portfolio with every tested requirement.
#[derive(Debug, Clone, PartialEq)]
pub struct TestedPortfolio {
    /// The portfolio.
    pub portfolio: Portfolio,
    /// One per model.
    pub tested: Vec<Tested>,
}

/// A book's back-test.
#[derive(Debug, Clone, PartialEq)]
pub struct BookTest {
    /// Pools with a requirement, in book order.
    pub pools: Vec<TestedPool>,
    /// All of them pooled, one per model: pool-days of one market, so never independent. Requirements are sums over pools.
    pub pooled: Vec<Tested>,
    /// Pools that the rulebook requires nothing of: there is nothing to test.
    pub without_requirement: u64,
    /// Pools that a refused row touches.
    pub unknown: u64,
}

/// Tests requirements against a history.
#[derive(Debug)]
pub struct Backtest<'a> {
    rulebook: &'a Rulebook,
    history: ScenarioSet,
    options: Options,
}

impl<'a> Backtest<'a> {
    /// A back-test over `history`, the moves of one row of it each, in order of time.
    ///
    /// # Errors
    /// [`Error::Usage`] where an option is out of its range or the history is shorter than the horizon; [`Error::Refused`]
    /// where a move over the horizon is not one that a market can make.
    pub fn new(rulebook: &'a Rulebook, history: &ScenarioSet, options: Options) -> Result<Self> {
        options.check()?;
        let history = compound(history, options.horizon)?;
        let faults = history.faults();
        if faults.is_empty() { Ok(Self { rulebook, history, options }) } else { Err(Error::Refused(faults)) }
    }

    /// The history over the horizon.
    pub fn history(&self) -> &ScenarioSet {
        &self.history
    }

    /// Tests every pool of a snapshot's book.
    ///
    /// # Errors
    /// [`Error::Refused`] where the holdings, the rulebook and the history do not fit together.
    pub fn book(&self, snapshot: &Snapshot, progress: &dyn Progress) -> Result<BookTest> {
        let rules = Rules::resolve(self.rulebook, snapshot)?;
        let rows = revalue(&rules, snapshot, &self.history, self.options.unshocked)?;
        let arbiter = Arbiter::new(Setting { snapshot, rules: &rules, rows: &rows });
        let losses = Losses::new(*arbiter.setting(), &self.history);
        let total = (snapshot.book.position_count() * self.history.len()) as u64;
        let done = AtomicU64::new(0);
        let test = |index: usize| {
            let pool = snapshot.book.pool(index);
            let tested = (!pool.unknown).then(|| self.pool(&arbiter, &losses, &pool, self.options.loss_of));
            let cells = (pool.positions.len() * self.history.len()) as u64;
            progress.advance(done.fetch_add(cells, Relaxed) + cells, total);
            tested
        };
        let answers: Vec<Option<Vec<Tested>>> = (0..snapshot.book.len()).into_par_iter().map(test).collect();
        let unknown = answers.iter().filter(|answer| answer.is_none()).count() as u64;
        let known = answers.into_iter().enumerate().filter_map(|(index, tested)| Some((index, tested?)));
        let (pools, nothing): (Vec<TestedPool>, Vec<TestedPool>) =
            known.map(|(index, tested)| TestedPool { index, tested }).partition(TestedPool::requires);
        Ok(BookTest { pooled: pooled(&pools), pools, without_requirement: nothing.len() as u64, unknown })
    }

    /// Tests the synthetic portfolios of a snapshot's instruments: on every underlying that the history moves. A portfolio
    /// that the rulebook does not know how to margin is left out, with the first fault as its reason.
    pub fn synthetic(&self, snapshot: &Snapshot) -> (Vec<TestedPortfolio>, Vec<LeftOut>) {
        let (portfolios, mut left_out) = synthetic(snapshot);
        // The book is not copied with the market for each of them.
        let market = snapshot.with_book(Default::default());
        let answers: Vec<_> = portfolios
            .into_par_iter()
            .map(|portfolio| match self.portfolio(&market.with_book(portfolio.book())) {
                Ok(tested) => Ok(TestedPortfolio { portfolio, tested }),
                Err(error) => {
                    let Portfolio { shape, underlying, .. } = portfolio;
                    Err(LeftOut { shape, underlying, reason: reason(&error) })
                }
            })
            .collect();
        let mut tested = Vec::new();
        for answer in answers {
            match answer {
                Ok(portfolio) => tested.push(portfolio),
                Err(portfolio) => left_out.push(portfolio),
            }
        }
        left_out.sort_by(|a, b| a.underlying.cmp(&b.underlying));
        (tested, left_out)
    }

    /// Tests the only pool of a snapshot, its collateral included: the coin of a hedge is part of it.
    fn portfolio(&self, snapshot: &Snapshot) -> Result<Vec<Tested>> {
        let rules = Rules::resolve(self.rulebook, snapshot)?;
        // Without a history there is nothing to test, whatever a run does with the book.
        let rows = revalue(&rules, snapshot, &self.history, Unshocked::Refuse)?;
        let arbiter = Arbiter::new(Setting { snapshot, rules: &rules, rows: &rows });
        let losses = Losses::new(*arbiter.setting(), &self.history);
        Ok(self.pool(&arbiter, &losses, &snapshot.book.pool(0), LossOf::Equity))
    }

    fn pool(&self, arbiter: &Arbiter<'_>, losses: &Losses<'_>, pool: &Pool<'_>, loss_of: LossOf) -> Vec<Tested> {
        let pool = match loss_of {
            LossOf::Equity => *pool,
            LossOf::Positions => Pool { balances: &[], ..*pool },
        };
        let figures = arbiter.figures(&pool, Column::Base);
        let requirement = match self.options.requirement {
            Requirement::Initial => figures.initial_margin,
            Requirement::Maintenance => figures.maintenance_margin,
        };
        let losses = losses.of(&pool, figures.equity);
        let coverage = Coverage::of(losses.iter().map(|loss| (*loss, requirement)));
        let mut tested = vec![Tested { model: Model::Rulebook, requirement, coverage, procyclicality: None }];
        if let Some(rolling) = &self.options.rolling {
            let series = rolling.series(&losses, self.options.level, self.options.horizon);
            let models: [(Model, &[f64]); 4] = [
                (Model::Rolling, &series.calculated),
                (Model::Buffer, &series.buffered),
                (Model::StressedWeight, &series.stressed),
                (Model::Floor, &series.floored),
            ];
            let test = |(model, required)| self.moving(model, &losses[series.start..], required);
            tested.extend(models.map(test));
        }
        tested
    }

    fn moving(&self, model: Model, losses: &[f64], required: &[f64]) -> Tested {
        let mean = required.iter().sum::<f64>() / required.len().max(1) as f64;
        Tested {
            model,
            requirement: mean,
            coverage: Coverage::of(losses.iter().copied().zip(required.iter().copied())),
            procyclicality: Some(Procyclicality::of(required, self.options.rows_per_day)),
        }
    }
}

impl TestedPool {
    /// Whether the rulebook requires anything.
    fn requires(&self) -> bool {
        self.tested.first().is_some_and(|tested| tested.requirement > 0.0)
    }
}

/// All pools as one, by model.
fn pooled(pools: &[TestedPool]) -> Vec<Tested> {
    let Some((first, others)) = pools.split_first() else { return Vec::new() };
    let mut sums: Vec<Tested> = first.tested.iter().map(|tested| Tested { procyclicality: None, ..*tested }).collect();
    for pool in others {
        for (sum, tested) in sums.iter_mut().zip(&pool.tested) {
            sum.requirement += tested.requirement;
            sum.coverage.add(&tested.coverage);
        }
    }
    sums
}

/// The first fault, or what else went wrong.
fn reason(error: &Error) -> String {
    match error {
        Error::Refused(faults) if !faults.is_empty() => faults[0].rule.clone(),
        other => other.to_string(),
    }
}

impl Options {
    fn check(&self) -> Result<()> {
        let usage = |text: String| Err(Error::Usage(text));
        if !(self.level > 0.0 && self.level < 1.0) {
            return usage(format!("level {}: a level lies between 0 and 1", self.level));
        }
        let Some(rolling) = &self.rolling else { return Ok(()) };
        if rolling.window == 0 || rolling.floor_window < rolling.window {
            return usage("a rolling window has a row or more, and the floor's window is not shorter".into());
        }
        if !(0.0..=1.0).contains(&rolling.stressed_weight) {
            return usage(format!("stressed weight {}: a weight lies between 0 and 1", rolling.stressed_weight));
        }
        if !(rolling.buffer.share.is_finite() && rolling.buffer.share >= 0.0) {
            return usage(format!("buffer {}: a buffer is a share, 0.25 for 25 %", rolling.buffer.share));
        }
        Ok(())
    }
}
