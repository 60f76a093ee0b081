//! Scenarios from their first breach to the fixed point: rounds on frozen marks, each screened on the engine.

use std::time::Instant;

use ndarray::Array2;
use rayon::prelude::*;

use super::books::{Books, unit_flow};
use super::event::Event;
use super::fit::{bottomless_assets, check};
use super::marks::Marks;
use super::money::Quanta;
use super::path::Path;
use super::run::{Exchange, Run};
use super::screen::Screened;
use super::sequence::{Markets, round};
use super::socialise::settle_debts;
use super::summary::{Ending, Ladder, Outcome, RoundFigures, Summary};
use crate::domain::Snapshot;
use crate::engine::{Arbiter, Progress, SweepOptions};
use crate::error::{Error, Result};
use crate::margin::{Rulebook, Rules, Setting, revalue};
use crate::policy::Policy;
use crate::pricing::{Column, ShockedMarket};
use crate::scenario::{Factor, ScenarioSet};

/// Scenarios whose rounds are screened together: each adds its touched pools to memory, few share a sweep's cost badly.
const BATCH: usize = 8;

/// What a caller may choose.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The engine that screens, and its choices.
    pub sweep: SweepOptions,
    /// One underlying's book made as many times as deep, by its place in the snapshot.
    pub deepened: Option<(u32, f64)>,
}

/// Somebody who takes events as they happen: those of a scenario (its place in the paths) from number `first` on. Scenarios
/// interleave; the events of one come in order.
pub trait Recorder {
    /// Takes events.
    ///
    /// # Errors
    /// Whatever keeps it from taking them; the run stops.
    fn record(&mut self, scenario: usize, first: u64, events: &[Event]) -> Result<()>;
}

/// Nobody.
impl Recorder for () {
    fn record(&mut self, _: usize, _: u64, _: &[Event]) -> Result<()> {
        Ok(())
    }
}

/// Sequences every path to its end.
///
/// # Errors
/// [`Error::Refused`] where inputs do not fit together or a depth is missing; what the screening sweeps answer; what the
/// recorder answers.
pub fn liquidate(
    (snapshot, rulebook): (&Snapshot, &Rulebook),
    policy: &Policy,
    paths: &[Path],
    options: &Options,
    (progress, recorder): (&dyn Progress, &mut (dyn Recorder + Send)),
) -> Result<Outcome> {
    let mut liquidate = || sequence_all((snapshot, rulebook), policy, paths, options, (progress, recorder));
    match options.sweep.threads {
        None => liquidate(),
        Some(threads) => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.map_err(|error| Error::Temporary(format!("cannot start {threads} threads: {error}")))?;
            pool.install(liquidate)
        }
    }
}

fn sequence_all(
    (snapshot, rulebook): (&Snapshot, &Rulebook),
    policy: &Policy,
    paths: &[Path],
    options: &Options,
    (progress, recorder): (&dyn Progress, &mut (dyn Recorder + Send)),
) -> Result<Outcome> {
    check(snapshot, policy)?;
    let rules = Rules::resolve(rulebook, snapshot)?;
    let exchange = Exchange::of(snapshot, policy);
    let cascade = Cascade { exchange: &exchange, rulebook, rules: &rules, options };
    let mut outcome = Outcome::default();
    let mut digest = blake3::Hasher::new();
    for (batch, chunk) in paths.chunks(BATCH).enumerate() {
        let batch = cascade.run(chunk, batch * BATCH, recorder, &mut outcome)?;
        for summary in batch {
            digest.update(summary.digest.as_bytes());
            outcome.scenarios.push(summary);
            progress.advance(outcome.scenarios.len() as u64, paths.len() as u64);
        }
    }
    for name in bottomless_assets(snapshot, policy) {
        outcome.warnings.push(format!("nobody gives the depth of {name}: it is sold at its mark, without impact"));
    }
    outcome.digest = digest.finalize().to_hex().to_string();
    Ok(outcome)
}

struct Cascade<'c> {
    exchange: &'c Exchange<'c>,
    rulebook: &'c Rulebook,
    rules: &'c Rules,
    options: &'c Options,
}

/// A run and where it stands.
struct Active<'p> {
    place: usize,
    run: Run<'p>,
    /// Markets of the path's steps as the exchange sees them, and as they are.
    seen_market: ScenarioSet,
    market: ScenarioSet,
    /// What forced trades had done to the prices that decide when these last followed: one number per book.
    seen_impacts: Vec<f64>,
    rounds: Vec<RoundFigures>,
    before: Option<Ladder>,
    /// The limit of rounds is reached; what its last round did to prices has still to be looked at.
    is_cut_off: bool,
    summary: Option<Summary>,
}

impl Cascade<'_> {
    fn run(
        &self,
        paths: &[Path],
        first: usize,
        recorder: &mut dyn Recorder,
        outcome: &mut Outcome,
    ) -> Result<Vec<Summary>> {
        let mut active: Vec<Active<'_>> =
            paths.iter().enumerate().map(|(k, path)| self.open(first + k, path)).collect();
        while active.iter().any(|active| active.summary.is_none()) {
            self.lockstep(&mut active, outcome, recorder)?;
        }
        Ok(active.into_iter().filter_map(|active| active.summary).collect())
    }

    fn open<'p>(&self, place: usize, path: &'p Path) -> Active<'p> {
        let seen_market = path.scenarios();
        let market = seen_market.as_it_is();
        let books = self.open_books(&ShockedMarket::new(self.exchange.snapshot, &market), 0);
        let seen_impacts = books.impacts();
        let mut run = Run::open(self.exchange, path, books);
        self.begin_step(&mut run, &market);
        let (rounds, before, is_cut_off, summary) = (Vec::new(), None, false, None);
        Active { place, run, seen_market, market, seen_impacts, rounds, before, is_cut_off, summary }
    }

    fn open_books(&self, market: &ShockedMarket<'_>, step: usize) -> Books {
        let policy = &self.exchange.policy.impact;
        let mut books = Books::open(self.exchange.snapshot, market, Column::Scenario(step), policy);
        if let Some((book, factor)) = self.options.deepened {
            books.deepen(book as usize, factor);
        }
        books
    }

    /// Depth, capacity and the prices that flows are measured at, for the run's step.
    fn begin_step(&self, run: &mut Run<'_>, market: &ScenarioSet) {
        let (snapshot, step) = (self.exchange.snapshot, run.step as usize);
        let shocked = ShockedMarket::new(snapshot, market);
        if run.step > 0 {
            let mut books = self.open_books(&shocked, step);
            books.carry(&run.books, self.exchange.policy.impact.recovery_per_step);
            run.books = books;
        }
        run.capacity_left = run.path.capacity_quote_at(step).map(Quanta::floor);
        let column = Column::Scenario(step);
        let mut held = vec![false; snapshot.instruments.len()];
        snapshot.book.positions().iter().for_each(|position| held[position.instrument as usize] = true);
        let flow = |(index, held): (u32, &bool)| if *held { unit_flow(snapshot, &shocked, index, column) } else { 0.0 };
        run.unit_flows = (0u32..).zip(&held).map(flow).collect();
        run.asset_flows = (0..snapshot.assets.len() as u32).map(|asset| shocked.asset_price(asset, column)).collect();
    }

    /// One round of every run that is not finished, screened together.
    fn lockstep(&self, active: &mut [Active<'_>], outcome: &mut Outcome, recorder: &mut dyn Recorder) -> Result<()> {
        let snapshot = self.exchange.snapshot;
        let factors = self.factors(active);
        let mut going: Vec<&mut Active<'_>> = active.iter_mut().filter(|active| active.summary.is_none()).collect();
        let (mut seen, mut real) = (Vec::new(), Vec::new());
        for active in &mut going {
            let step = active.run.step as usize;
            let deciding = active.run.path.deciding_step(step);
            if deciding == Some(step) {
                active.seen_impacts = active.run.books.impacts();
            }
            seen.push(market_row(&factors, (&active.seen_market, deciding), (snapshot, &active.seen_impacts)));
            real.push(market_row(&factors, (&active.market, Some(step)), (snapshot, &active.run.books.impacts())));
        }
        let seen_set = scenario_set(&factors, &seen);
        let screened = Screened::of((snapshot, self.rulebook), &seen_set, &self.options.sweep, outcome)?;
        let is_same = seen == real;
        let joint = if is_same { seen_set } else { scenario_set(&factors, &[seen, real].concat()) };
        let clock = Instant::now();
        let rows = revalue(self.rules, snapshot, &joint, self.options.sweep.unshocked)?;
        let setting = Setting { snapshot, rules: self.rules, rows: &rows };
        let arbiter = Arbiter::new(setting);
        let market = ShockedMarket::new(snapshot, &joint);
        let n_going = going.len();
        going.par_iter_mut().enumerate().for_each(|(column, active)| {
            let real_column = if is_same { column } else { n_going + column };
            let seen = Marks::new(&arbiter, &market, column);
            let real = Marks::new(&arbiter, &market, real_column);
            self.advance(active, Markets { seen, real }, &screened, column);
        });
        for active in going {
            let (first, events) = active.run.log.collect();
            if !events.is_empty() {
                recorder.record(active.place, first, &events)?;
            }
        }
        outcome.seconds.sequence += clock.elapsed().as_secs_f64();
        Ok(())
    }

    fn advance(&self, active: &mut Active<'_>, markets: Markets<'_>, screened: &Screened, column: usize) {
        let run = &mut active.run;
        if active.before.is_none() {
            active.before = Some(screened.ladder(column, run, markets.seen));
        }
        let breached = screened.breached(run, markets.seen);
        if active.is_cut_off {
            // The last impact has reached the marks: nothing is done any more.
            self.finish(active, markets.real, screened.ladder(column, &active.run, markets.seen), Ending::CutOff);
            return;
        }
        let before = RoundFigures::of(self.exchange, run);
        let events = round(self.exchange, run, markets, &breached);
        active.rounds.push(RoundFigures::of(self.exchange, run).since(&before));
        let is_quiet = events == 0 && run.resting == 0;
        let limit = run.path.rounds_per_step.min(self.exchange.policy.rounds_max);
        if !is_quiet && run.round < limit {
            return;
        }
        let taken = settle_debts(self.exchange, run, markets.real);
        run.tally.conservation_error += run.ledger.error(run.states.values(), |i| self.exchange.settlement(i));
        if taken > 0 && run.round < limit {
            // Those who paid may have to be liquidated now.
            return;
        }
        if (run.step as usize) + 1 < run.path.steps.len() {
            (run.step, run.round) = (run.step + 1, 0);
            self.begin_step(run, &active.market);
            return;
        }
        if !is_quiet {
            active.is_cut_off = true;
            return;
        }
        let after = screened.ladder(column, run, markets.seen);
        self.finish(active, markets.real, after, Ending::Settled);
    }

    fn finish(&self, active: &mut Active<'_>, real: Marks<'_>, after: Ladder, ending: Ending) {
        let before = active.before.take().unwrap_or_default();
        let rounds = std::mem::take(&mut active.rounds);
        active.summary = Some(Summary::of(self.exchange, &active.run, real, (before, after), (rounds, ending)));
    }

    /// Every factor of the runs' markets, and of what forced trades do to them.
    fn factors(&self, active: &[Active<'_>]) -> Vec<Factor> {
        let mut factors = Books::factors(self.exchange.snapshot);
        for factor in active.iter().flat_map(|active| &active.seen_market.factors) {
            if !factors.contains(factor) {
                factors.push(factor.clone());
            }
        }
        factors
    }
}

/// Shocks of one market: a step of a path (none: the snapshot), and on top of it what forced trades did.
fn market_row(
    factors: &[Factor],
    (market, step): (&ScenarioSet, Option<usize>),
    (snapshot, impacts): (&Snapshot, &[f64]),
) -> Vec<f64> {
    let n = snapshot.underlyings.len();
    let of_factor = |(place, factor): (usize, &Factor)| {
        let shock = step.zip(market.column(factor)).map_or(0.0, |(step, column)| market.shock(step, column));
        // The books' factors come first; an asset of an underlying moves with the underlying's book.
        match place.checked_sub(n) {
            None => (1.0 + shock) * (1.0 + impacts[place]) - 1.0,
            Some(asset) if asset < snapshot.assets.len() && snapshot.underlying_of_asset(asset as u32).is_none() => {
                (1.0 + shock) * (1.0 + impacts[place]) - 1.0
            }
            Some(_) => shock,
        }
    };
    factors.iter().enumerate().map(|(place, factor)| of_factor((place, factor))).collect()
}

fn scenario_set(factors: &[Factor], rows: &[Vec<f64>]) -> ScenarioSet {
    ScenarioSet {
        ids: (0..rows.len()).map(|row| row.to_string()).collect(),
        weights: vec![1.0; rows.len()],
        labels: vec![String::new(); rows.len()],
        factors: factors.to_vec(),
        shocks: Array2::from_shape_fn((rows.len(), factors.len()), |(row, factor)| rows[row][factor]),
    }
}
