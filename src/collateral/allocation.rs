//! Which mix of collateral a pool should post: the least haircut that still meets its target in every scenario.
//!
//! What assets count is concave in their amounts (haircut tiers never fall), so excess equity is, too, scenario by scenario, and
//! what haircuts take is convex. Both are met by their tangents: a small linear program, to which the worst scenarios at its answer
//! add tangents until none is broken (Kelley's cutting planes).

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, SolveOptions};

use crate::domain::{AssetIndex, Balance, Pool};
use crate::engine::Arbiter;
use crate::error::{Error, Result};
use crate::margin::{MarginSide, Setting};
use crate::pricing::Column;

/// Programs solved before the best answer so far is given up.
const ROUNDS_MAX: usize = 200;
/// Scenarios that add a tangent in one round.
const SCENARIOS_PER_ROUND: usize = 4;
/// Step of a slope, relative to the amount available: within one tier, since functions are straight there.
const STEP: f64 = 1e-7;
/// Excess aimed at and distance from the optimum allowed, relative to everything available.
const TOLERANCE: f64 = 1e-9;
/// Tolerance of the solver: its rows are in units of everything available.
const FEASIBILITY: f64 = 1e-10;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct AllocationAsk {
    /// What may be posted at most, units ≥ 0 of each asset, each asset once.
    pub available: Vec<(AssetIndex, f64)>,
    /// Adjusted equity is to be at least this times the requirement; ≥ 1.
    pub target: f64,
    /// Which requirement.
    pub margin: MarginSide,
}

/// One asset of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posted {
    /// The asset.
    pub asset: AssetIndex,
    /// Units available.
    pub available: f64,
    /// Units to post.
    pub amount: f64,
    /// Their value at base, quote units.
    pub value: f64,
    /// What of it counts, quote units.
    pub counted: f64,
}

/// A mix of collateral.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// One for each asset available, in the order of the ask.
    pub posted: Vec<Posted>,
    /// Whether the target is met at base and in every scenario, decided exactly.
    pub is_met: bool,
    /// Lowest excess over the target, quote units, and where.
    pub worst: (Column, f64),
    /// Linear programs solved.
    pub rounds: usize,
}

impl Allocation {
    /// What haircuts take at base, quote units.
    pub fn haircut(&self) -> f64 {
        self.posted.iter().map(|posted| posted.value - posted.counted).sum()
    }
}

/// The mix with the least haircut; everything available where even that does not meet the target. Loans and positions of the only
/// pool of the setting's snapshot stay; its positive balances are replaced. Every available asset must be among its balances.
///
/// # Errors
/// [`Error::Bug`] where the linear program cannot be solved.
pub fn allocate(setting: Setting<'_>, ask: &AllocationAsk) -> Result<Allocation> {
    let problem = Problem::new(setting, ask);
    let all: Vec<f64> = ask.available.iter().map(|(_, amount)| *amount).collect();
    if problem.worst(&all)[0].1 < 0.0 {
        return Ok(problem.answer(&all, 0));
    }
    let mut program = Tangents::new(&problem);
    let mut amounts = vec![0.0; all.len()];
    for round in 1..=ROUNDS_MAX {
        if !program.add(&amounts) {
            let answer = problem.answer(&amounts, round - 1);
            if answer.is_met {
                return Ok(answer);
            }
            // Met but for the solver's rounding: aim a little higher.
            program.aim *= 10.0;
        }
        amounts = program.solve()?;
    }
    // Everything available meets the target in f64, and nothing that the programs found does exactly.
    Ok(problem.answer(&all, ROUNDS_MAX))
}

struct Problem<'a> {
    setting: Setting<'a>,
    ask: &'a AllocationAsk,
    pool: Pool<'a>,
    loans: Vec<Balance>,
    /// Value of everything available and of the requirement, quote units, > 0: what tolerances are relative to.
    money: f64,
}

impl<'a> Problem<'a> {
    fn new(setting: Setting<'a>, ask: &'a AllocationAsk) -> Self {
        let pool = setting.snapshot.book.pool(0);
        let is_loan = |balance: &&Balance| balance.amount + balance.accrued_interest < 0.0;
        let loans = pool.balances.iter().filter(is_loan).copied().collect();
        let mut problem = Self { setting, ask, pool, loans, money: 1.0 };
        let available: f64 = (0..ask.available.len()).map(|at| problem.price(at) * ask.available[at].1).sum();
        let required = setting.requirement::<f64>(&pool, &(setting.rows, Column::Base)).initial.abs();
        problem.money = (available + required).max(1.0);
        problem
    }

    fn price(&self, at: usize) -> f64 {
        let row = self.setting.rows.of_asset(self.ask.available[at].0);
        row.map_or(0.0, |row| self.setting.rows.value(row, Column::Base))
    }

    fn balances(&self, amounts: &[f64]) -> Vec<Balance> {
        let posted = self.ask.available.iter().zip(amounts).map(|((asset, _), &amount)| Balance::new(*asset, amount));
        let mut balances: Vec<Balance> = posted.chain(self.loans.iter().copied()).collect();
        balances.sort_by_key(|balance| (balance.asset, balance.amount.to_bits()));
        balances
    }

    fn excess(&self, amounts: &[f64], column: Column) -> f64 {
        let balances = self.balances(amounts);
        let pool = Pool { balances: &balances, ..self.pool };
        let market = (self.setting.rows, column);
        let required = self.setting.requirement::<f64>(&pool, &market);
        let required = match self.ask.margin {
            MarginSide::Initial => required.initial.max(required.maintenance),
            MarginSide::Maintenance => required.maintenance,
        };
        self.setting.equity::<f64>(&pool, &market).adjusted - self.ask.target * required
    }

    fn columns(&self) -> impl Iterator<Item = Column> {
        std::iter::once(Column::Base).chain((0..self.setting.rows.scenario_count()).map(Column::Scenario))
    }

    /// Every market with its excess, the lowest first.
    fn worst(&self, amounts: &[f64]) -> Vec<(Column, f64)> {
        let mut found: Vec<_> = self.columns().map(|column| (column, self.excess(amounts, column))).collect();
        found.sort_by(|a, b| a.1.total_cmp(&b.1));
        found
    }

    /// What a mix of one asset counts at base.
    fn counted(&self, at: usize, amount: f64) -> f64 {
        let lot = [Balance::new(self.ask.available[at].0, amount)];
        let pool = Pool { balances: &lot, positions: &[], ..self.pool };
        self.setting.equity::<f64>(&pool, &(self.setting.rows, Column::Base)).adjusted
    }

    /// What the haircut of one asset takes at base, and its slope upwards per unit.
    fn haircut(&self, at: usize, amount: f64) -> (f64, f64) {
        let taken = |amount: f64| self.price(at) * amount - self.counted(at, amount);
        let step = STEP * self.ask.available[at].1;
        let slope = if step > 0.0 { (taken(amount + step) - taken(amount)) / step } else { 0.0 };
        (taken(amount), slope)
    }

    fn slopes(&self, amounts: &[f64], column: Column) -> Vec<f64> {
        let at_amounts = self.excess(amounts, column);
        let slope = |at: usize| {
            let step = STEP * self.ask.available[at].1;
            let mut moved = amounts.to_vec();
            moved[at] += step;
            if step > 0.0 { (self.excess(&moved, column) - at_amounts) / step } else { 0.0 }
        };
        (0..amounts.len()).map(slope).collect()
    }

    fn answer(&self, amounts: &[f64], rounds: usize) -> Allocation {
        let posted = self.ask.available.iter().zip(amounts).enumerate().map(|(at, (&(asset, available), &amount))| {
            Posted { asset, available, amount, value: self.price(at) * amount, counted: self.counted(at, amount) }
        });
        let balances = self.balances(amounts);
        let pool = Pool { balances: &balances, ..self.pool };
        let arbiter = Arbiter::new(self.setting);
        let meets = |column| arbiter.meets(&pool, column, (self.ask.margin, self.ask.target));
        Allocation {
            posted: posted.collect(),
            is_met: self.columns().all(meets),
            worst: self.worst(amounts)[0],
            rounds,
        }
    }
}

/// The tangents found so far, in shares of what is available.
struct Tangents<'p, 'a> {
    problem: &'p Problem<'a>,
    /// Σ slope · share ≥ constant.
    excess: Vec<(Vec<f64>, f64)>,
    /// By asset: what its haircut takes ≥ constant + slope · share.
    haircut: Vec<Vec<(f64, f64)>>,
    /// Excess aimed at, relative to everything available.
    aim: f64,
    /// What the last program said that haircuts take.
    promised: Option<f64>,
}

impl<'p, 'a> Tangents<'p, 'a> {
    fn new(problem: &'p Problem<'a>) -> Self {
        let n = problem.ask.available.len();
        Self { problem, excess: Vec::new(), haircut: vec![Vec::new(); n], aim: TOLERANCE, promised: None }
    }

    /// Adds what these amounts break; answers whether they break anything.
    fn add(&mut self, amounts: &[f64]) -> bool {
        let (problem, money) = (self.problem, self.problem.money);
        let available = |at: usize| problem.ask.available[at].1;
        let mut broken = self.promised.is_none();
        for (column, excess) in problem.worst(amounts).into_iter().take(SCENARIOS_PER_ROUND) {
            if excess >= 0.0 {
                break;
            }
            let slopes = problem.slopes(amounts, column);
            let here: f64 = slopes.iter().zip(amounts).map(|(slope, amount)| slope * amount).sum();
            let shares = slopes.iter().enumerate().map(|(at, slope)| slope * available(at) / money).collect();
            self.excess.push((shares, (here - excess) / money));
            broken = true;
        }
        let mut taken = 0.0;
        for (at, &amount) in amounts.iter().enumerate() {
            let (value, slope) = problem.haircut(at, amount);
            self.haircut[at].push(((value - slope * amount) / money, slope * available(at) / money));
            taken += value / money;
        }
        broken | self.promised.is_some_and(|promised| taken > promised + TOLERANCE)
    }

    fn solve(&mut self) -> Result<Vec<f64>> {
        let mut program = microlp::Problem::new(OptimizationDirection::Minimize);
        // Among mixes that lose equally little, the smaller one.
        let shares: Vec<_> = self.haircut.iter().map(|_| program.add_var(TOLERANCE, (0.0, 1.0))).collect();
        let taken: Vec<_> = self.haircut.iter().map(|_| program.add_var(1.0, (0.0, f64::INFINITY))).collect();
        for (slopes, constant) in &self.excess {
            let mut row = LinearExpr::empty();
            shares.iter().zip(slopes).for_each(|(share, slope)| row.add(*share, *slope));
            program.add_constraint(row, ComparisonOp::Ge, *constant + self.aim);
        }
        for ((taken, share), tangents) in taken.iter().zip(&shares).zip(&self.haircut) {
            for (constant, slope) in tangents {
                let mut row = LinearExpr::empty();
                row.add(*taken, 1.0);
                row.add(*share, -slope);
                program.add_constraint(row, ComparisonOp::Ge, *constant);
            }
        }
        let mut options = SolveOptions::default();
        options.tolerances.feasibility = FEASIBILITY;
        let outcome = program.solve_with(options).map(|outcome| outcome.into_solution());
        let Ok(Ok(solution)) = outcome else {
            return Err(Error::Bug("the linear program of a mix of collateral has no solution".into()));
        };
        self.promised = Some(taken.iter().map(|taken| solution.var_value(*taken)).sum());
        let amount = |(share, (_, available)): (_, &(AssetIndex, f64))| -> f64 {
            let share: f64 = solution.var_value(share);
            share.clamp(0.0, 1.0) * available
        };
        Ok(shares.iter().copied().zip(&self.problem.ask.available).map(amount).collect())
    }
}
