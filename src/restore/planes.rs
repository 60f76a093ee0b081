//! The linear program over the planes found so far.

use microlp::{ComparisonOp, Error, LinearExpr, OptimizationDirection, SolveOptions, Variable};

use super::landscape::Plane;
use super::problem::Problem;

/// Least tolerance of the solver: its rows are in units of the pool's own size.
const FEASIBILITY: f64 = 1e-10;
/// Slopes below this, where the largest of their column is 1, are rounding: a plane does without them, and still touches.
const NEGLIGIBLE: f64 = 1e-7;
/// What a plane must change at its own trades to be worth a row, relative to the pool's size.
const WORTH_A_ROW: f64 = 1e-10;

/// What a solve minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The cost of meeting the target.
    Cost,
    /// What is missing, where the target cannot be met.
    Shortfall,
}

/// What the program answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The best trades over the planes, and what they leave missing by these, quote units.
    Trades { trades: Vec<f64>, shortfall_quote: f64 },
    /// No trades meet the target even over these planes.
    Infeasible,
    /// The solver gave up.
    Failed,
}

/// A plane through a value, and the trades at which it touches.
#[derive(Debug, Clone)]
struct Touching {
    trades: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

impl Touching {
    fn at(&self, trades: &[f64]) -> f64 {
        let moved = self.trades.iter().zip(trades).map(|(from, to)| to - from);
        self.value + self.gradient.iter().zip(moved).map(|(slope, moved)| slope * moved).sum::<f64>()
    }
}

/// The planes found so far.
#[derive(Debug, Clone)]
pub struct Planes<'a> {
    problem: &'a Problem,
    /// Never below equity.
    equity: Vec<Touching>,
    /// Never above the requirement.
    requirement: Vec<Touching>,
    /// Size of the pool, quote units; > 0.
    money: f64,
}

/// Trades as the solver sees them: by direction, in `unit`s.
#[derive(Debug, Clone, Copy)]
struct LegVariables {
    up: Variable,
    down: Variable,
    unit: f64,
}

impl LegVariables {
    fn add(&self, row: &mut LinearExpr, up: f64, down: f64) {
        row.add(self.up, up);
        row.add(self.down, down);
    }
}

impl<'a> Planes<'a> {
    /// No planes yet, for a pool of this size, quote units; > 0.
    pub fn new(problem: &'a Problem, money: f64) -> Self {
        Self { problem, equity: Vec::new(), requirement: Vec::new(), money }
    }

    /// Adds the planes that touch at these trades, where they say more than the others.
    pub fn add(&mut self, trades: &[f64], plane: Plane) {
        let little = WORTH_A_ROW * self.money;
        let known = self.equity.iter().map(|of| of.at(trades)).fold(f64::INFINITY, f64::min);
        if known > plane.equity + little {
            let (value, gradient) = (plane.equity, plane.equity_gradient);
            self.equity.push(Touching { trades: trades.to_vec(), value, gradient });
        }
        let known = self.requirement.iter().map(|of| of.at(trades)).fold(f64::NEG_INFINITY, f64::max);
        if known < plane.requirement - little {
            let (value, gradient) = (plane.requirement, plane.requirement_gradient);
            self.requirement.push(Touching { trades: trades.to_vec(), value, gradient });
        }
    }

    /// Solves over the planes found so far.
    pub fn solve(&self, goal: Goal) -> Answer {
        let mut program = microlp::Problem::new(OptimizationDirection::Minimize);
        let legs = self.leg_variables(&mut program, goal);
        let equity = program.add_var(0.0, (f64::NEG_INFINITY, f64::INFINITY));
        let requirement = program.add_var(0.0, (0.0, f64::INFINITY));
        let most = if goal == Goal::Shortfall { f64::INFINITY } else { 0.0 };
        let shortfall = program.add_var(1.0, (0.0, most));
        for plane in &self.equity {
            let (row, constant) = self.row(&legs, plane);
            program.add_constraint(with(row, equity), ComparisonOp::Le, constant);
        }
        for plane in &self.requirement {
            let (row, constant) = self.row(&legs, plane);
            program.add_constraint(with(row, requirement), ComparisonOp::Ge, constant);
        }
        let mut met = LinearExpr::empty();
        met.add(equity, 1.0);
        met.add(requirement, -self.problem.target);
        met.add(shortfall, 1.0);
        for (variables, leg) in legs.iter().zip(&self.problem.legs) {
            let cost = leg.cost * variables.unit / self.money;
            if cost > 0.0 {
                variables.add(&mut met, -cost, -cost);
            }
        }
        program.add_constraint(met, ComparisonOp::Ge, self.problem.excess / self.money);
        let mut options = SolveOptions::default();
        options.tolerances.feasibility = FEASIBILITY;
        let solution = match program.solve_with(options).map(|outcome| outcome.into_solution()) {
            Ok(Ok(solution)) => solution,
            Err(Error::Infeasible) => return Answer::Infeasible,
            Ok(Err(_)) | Err(_) => return Answer::Failed,
        };
        let trade = |leg: &LegVariables| leg.unit * (solution.var_value(leg.up) - solution.var_value(leg.down));
        let trades = legs.iter().map(trade).collect();
        Answer::Trades { trades, shortfall_quote: self.money * solution.var_value(shortfall) }
    }

    /// Two variables per leg, in units that make its largest coefficient 1.
    fn leg_variables(&self, program: &mut microlp::Problem, goal: Goal) -> Vec<LegVariables> {
        let units: Vec<f64> = (0..self.problem.legs.len()).map(|at| self.money / self.steepest(at)).collect();
        let costs: Vec<f64> = self.problem.legs.iter().zip(&units).map(|(leg, unit)| leg.cost * unit).collect();
        let dearest = costs.iter().copied().fold(0.0, f64::max);
        let variables = self.problem.legs.iter().zip(&units).zip(&costs).map(|((leg, &unit), cost)| {
            let cost = if goal == Goal::Cost && dearest > 0.0 { cost / dearest } else { 0.0 };
            LegVariables {
                up: program.add_var(cost, (0.0, (leg.highest - leg.held) / unit)),
                down: program.add_var(cost, (0.0, (leg.held - leg.lowest) / unit)),
                unit,
            }
        });
        variables.collect()
    }

    /// The most that one unit of a leg does to anything, quote units; 1 where it does nothing.
    fn steepest(&self, leg: usize) -> f64 {
        let cost = self.problem.legs[leg].cost;
        let planes = self.equity.iter().chain(&self.requirement);
        let steepest = planes.fold(cost, |steepest, plane| steepest.max(plane.gradient[leg].abs()));
        if steepest > 0.0 { steepest } else { 1.0 }
    }

    /// `value + gradient · (trades − those it touches at)` as a row that stands on the left, and its constant.
    fn row(&self, legs: &[LegVariables], plane: &Touching) -> (LinearExpr, f64) {
        let mut row = LinearExpr::empty();
        let mut constant = plane.value / self.money;
        for ((variables, slope), trade) in legs.iter().zip(&plane.gradient).zip(&plane.trades) {
            let slope = slope * variables.unit / self.money;
            if slope.abs() > NEGLIGIBLE {
                variables.add(&mut row, -slope, slope);
                constant -= slope * trade / variables.unit;
            }
        }
        (row, constant)
    }
}

/// A row with one more variable, coefficient 1.
fn with(mut row: LinearExpr, variable: Variable) -> LinearExpr {
    row.add(variable, 1.0);
    row
}
