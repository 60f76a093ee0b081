//! One pool taken apart: its terms and published figures in a market, its worst scenario, how far prices may move.

use std::collections::BTreeSet;

use ndarray::Array2;

use super::arbiter::{Arbiter, Decision};
use super::greeks::{UnderlyingLegs, legs};
use super::outcome::{Figures, State};
use crate::domain::{Pool, Snapshot};
use crate::error::{Error, Result};
use crate::margin::{ComponentStatement, MarginRows, Rulebook, Rules, Setting, Term, TermSums, revalue};
use crate::pricing::{Column, ShockedMarket, Unshocked};
use crate::scenario::{Factor, ScenarioSet};

/// Largest rise of a price that is looked at: to eleven times its value.
const LARGEST_RISE: f64 = 10.0;
/// Moves tried on each side before the first one that liquidates is narrowed down.
const COARSE_STEPS: usize = 256;
/// Moves tried in each round of narrowing down, and rounds: to about 1e-12 of the price.
const FINE_STEPS: usize = 64;
const ROUNDS: usize = 6;

/// A pool's figures in one market, and the terms that add up to them.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The market.
    pub column: Column,
    /// The published figures, bit for bit.
    pub figures: Figures,
    /// The exclusive state there.
    pub state: State,
    /// What the figures are made of.
    pub terms: Vec<Term>,
    /// Every component of the rulebook by group, before expressions put them together.
    pub components: Vec<ComponentStatement>,
    /// Largest difference between a figure and the sum of its terms, quote units: the rounding of the sums.
    pub rounding: f64,
    /// Greeks by underlying, and the positions that carry them.
    pub greeks: Vec<UnderlyingLegs>,
}

/// How far one price factor alone, or all together, must move for the pool to become liquidatable, and bankrupt; `None` where it
/// does not within the range that is looked at (down to −100 %, up to +1,000 %).
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// Name of the price factor; [`Reach::EVERY_PRICE`] = all of them by the same relative move.
    pub factor: String,
    /// Smallest fall that liquidates, relative and negative.
    pub down: Option<f64>,
    /// Smallest rise that liquidates, relative.
    pub up: Option<f64>,
    /// Smallest fall that takes raw equity below 0, relative and negative: the buffer to the bankruptcy price.
    pub bankrupt_down: Option<f64>,
    /// Smallest rise that takes raw equity below 0, relative.
    pub bankrupt_up: Option<f64>,
}

impl Reach {
    /// Stands for every price factor that the pool depends on.
    pub const EVERY_PRICE: &str = "*";
}

/// A pool at base, and in a scenario where there are any.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The unshocked market.
    pub base: Statement,
    /// The scenario asked for, or the pool's worst.
    pub scenario: Option<Statement>,
    /// Moves of single prices that liquidate; none for a pool that is liquidatable at base.
    pub reaches: Vec<Reach>,
}

/// Explains pools of a snapshot under a rulebook.
#[derive(Debug, Clone, Copy)]
pub struct Explainer<'a> {
    /// Market data and book.
    pub snapshot: &'a Snapshot,
    /// Margin rules.
    pub rulebook: &'a Rulebook,
    /// Scenarios, where there are any.
    pub scenarios: Option<&'a ScenarioSet>,
    /// What to do with a held underlying without a factor.
    pub unshocked: Unshocked,
}

impl Explainer<'_> {
    /// Explains the pool at `index` of the book: in `scenario` (a position in the set), or else in its worst one.
    ///
    /// Only what this pool holds is valued, so nothing that others hold can refuse the call.
    ///
    /// # Errors
    /// [`Error::Refused`] where the pool's holdings, the rulebook and the scenarios do not fit together.
    pub fn explain(&self, index: usize, scenario: Option<usize>) -> Result<Explanation> {
        let snapshot = self.snapshot.of_pool(index);
        let rules = Rules::resolve(self.rulebook, &snapshot)?;
        let none = ScenarioSet::default();
        let (scenarios, unshocked) = match self.scenarios {
            Some(scenarios) => (scenarios, self.unshocked),
            None => (&none, Unshocked::Hold),
        };
        let faults = scenarios.faults();
        if self.scenarios.is_some() && !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        let rows = revalue(&rules, &snapshot, scenarios, unshocked)?;
        let market = ShockedMarket::new(&snapshot, scenarios);
        let setting = Setting { snapshot: &snapshot, rules: &rules, rows: &rows };
        let pool = snapshot.book.pool(0);
        let arbiter = Arbiter::new(setting);
        let market_at = |at| (&rows, Column::Scenario(at));
        let worst = || arbiter.worst_scenario(&pool, 0..rows.scenario_count(), market_at).map(|(at, _)| at);
        let scenario = scenario.or_else(worst);
        let base = statement(&arbiter, &pool, (Column::Base, &market));
        Ok(Explanation {
            reaches: if base.state > State::Liquidatable { reaches(&snapshot, &rules)? } else { Vec::new() },
            scenario: scenario.map(|scenario| statement(&arbiter, &pool, (Column::Scenario(scenario), &market))),
            base,
        })
    }
}

/// Figures, terms and Greeks of a pool in a market.
fn statement(arbiter: &Arbiter<'_>, pool: &Pool<'_>, (column, market): (Column, &ShockedMarket<'_>)) -> Statement {
    let figures = arbiter.figures(pool, column);
    let terms = arbiter.setting().terms(pool, column, market);
    let sums = TermSums::of(&terms);
    let differences = [
        sums.equity - figures.equity,
        sums.adjusted_equity - figures.adjusted_equity,
        sums.initial_margin - figures.initial_margin,
        sums.maintenance_margin - figures.maintenance_margin,
    ];
    let rounding = differences.iter().fold(0.0, |largest: f64, difference| largest.max(difference.abs()));
    let greeks = legs(arbiter.setting().snapshot, market, pool, column);
    let components = arbiter.setting().components(pool, column);
    Statement { column, figures, state: arbiter.decide(pool, column).state(), terms, components, rounding, greeks }
}

/// Moves of each price factor that the only pool of `snapshot` depends on, all others held still; then of all of them together.
fn reaches(snapshot: &Snapshot, rules: &Rules) -> Result<Vec<Reach>> {
    let factors: Vec<String> = factors(snapshot).into_iter().collect();
    let mut alone: Vec<(String, Vec<String>)> = factors.iter().map(|name| (name.clone(), vec![name.clone()])).collect();
    if factors.len() > 1 {
        alone.push((Reach::EVERY_PRICE.into(), factors));
    }
    let reach = |(factor, moved): (String, Vec<String>)| {
        let liquidating = Probe { snapshot, rules, factors: &moved, reached: |decision| decision.liquidatable };
        let bankrupting = Probe { snapshot, rules, factors: &moved, reached: |decision| decision.bankrupt };
        let (down, up) = (liquidating.first(-1.0)?, liquidating.first(LARGEST_RISE)?);
        let (bankrupt_down, bankrupt_up) = (bankrupting.first(-1.0)?, bankrupting.first(LARGEST_RISE)?);
        Ok(Reach { factor, down, up, bankrupt_down, bankrupt_up })
    };
    alone.into_iter().map(reach).collect()
}

/// Price factors of the underlyings and assets that the pool holds.
fn factors(snapshot: &Snapshot) -> BTreeSet<String> {
    let pool = snapshot.book.pool(0);
    let factor_of = |name: &str| snapshot.underlyings.iter().find(|u| u.name == name).map(|u| u.factor.clone());
    let of_positions = pool.positions.iter().flat_map(|position| {
        let instrument = &snapshot.instruments[position.instrument as usize];
        let settlement = &snapshot.assets[instrument.settlement_asset as usize];
        let own = snapshot.underlyings[instrument.underlying as usize].factor.clone();
        [Some(own), factor_of(&settlement.underlying)]
    });
    let of_balances = pool.balances.iter().map(|b| factor_of(&snapshot.assets[b.asset as usize].underlying));
    of_positions.chain(of_balances).flatten().collect()
}

/// Tries moves of price factors, all by as much.
struct Probe<'a> {
    snapshot: &'a Snapshot,
    rules: &'a Rules,
    factors: &'a [String],
    /// What is looked for.
    reached: fn(Decision) -> bool,
}

impl Probe<'_> {
    /// The smallest move towards `limit` that reaches it: the first of equally spaced ones, narrowed down.
    fn first(&self, limit: f64) -> Result<Option<f64>> {
        let (mut near, mut far) = (0.0, limit);
        for round in 0..ROUNDS {
            let steps = if round == 0 { COARSE_STEPS } else { FINE_STEPS };
            let moves: Vec<f64> = (1..=steps).map(|step| near + (far - near) * step as f64 / steps as f64).collect();
            match self.first_of(&moves)? {
                Some(first) => (near, far) = (if first == 0 { near } else { moves[first - 1] }, moves[first]),
                // Nothing on the way reaches it; in later rounds the far end does, so something always has.
                None => return Ok((round > 0).then_some(far)),
            }
        }
        Ok(Some(far))
    }

    /// The first of these moves that reaches it. Moves that no price can make (an inverse contract at 0) end the list.
    fn first_of(&self, moves: &[f64]) -> Result<Option<usize>> {
        let rows = match self.rows(moves) {
            Err(Error::Refused(_)) if moves.len() > 1 => return self.first_of(&moves[..moves.len() - 1]),
            Err(Error::Refused(_)) => return Ok(None),
            rows => rows?,
        };
        let setting = Setting { snapshot: self.snapshot, rules: self.rules, rows: &rows };
        let (arbiter, pool) = (Arbiter::new(setting), self.snapshot.book.pool(0));
        Ok((0..moves.len()).find(|&at| (self.reached)(arbiter.decide(&pool, Column::Scenario(at)))))
    }

    fn rows(&self, moves: &[f64]) -> Result<MarginRows> {
        let set = ScenarioSet {
            ids: (1..=moves.len()).map(|at| at.to_string()).collect(),
            weights: vec![1.0; moves.len()],
            labels: vec![String::new(); moves.len()],
            factors: self.factors.iter().map(Factor::price).collect(),
            shocks: Array2::from_shape_fn((moves.len(), self.factors.len()), |(row, _)| moves[row]),
        };
        revalue(self.rules, self.snapshot, &set, Unshocked::Hold)
    }
}
