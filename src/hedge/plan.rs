use super::ask::{Ask, Choice};
use super::desk::Desk;
use super::legs::rounded;
use super::slopes::Slopes;
use crate::domain::Position;
use crate::engine::Figures;
use crate::restore::{Landscape, Leg, Outcome, Problem, Restoration, cheapest, greedy};

/// Most planes of a search.
const PLANES: usize = 300;
/// Most steps of the greedy search.
const STEPS: usize = 1_000;
/// How often a pool that misses the target by the rounding of its trades is asked for a little more.
const ATTEMPTS: usize = 12;
/// What it is first asked for in excess, relative to the larger of equity and target · requirement: twice what the search may miss.
const EXCESS: f64 = 2e-9;

/// How trades were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By planes: cheapest where the requirement is convex in the quantities.
    Planes,
    /// One position at a time, where planes did not settle: good, not proven cheapest.
    Greedy,
}

impl Method {
    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planes => "planes",
            Self::Greedy => "greedy",
        }
    }
}

/// One position traded, or margined beside those that are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    /// The position as it was; quantity 0 where nothing was held.
    pub position: Position,
    /// Contracts after.
    pub quantity: f64,
    /// Cost of the trade, quote units.
    pub cost_quote: f64,
    /// Requirement that one contract more would add after all trades, quote units.
    pub marginal_requirement: f64,
}

/// How a plan ended.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanOutcome {
    /// The pool that the trades leave meets the target: decided exactly.
    Restored {
        /// Every position, traded or not, in stored order.
        trades: Vec<Trade>,
        /// Cost of all trades, quote units.
        cost_quote: f64,
        /// Published figures of the pool after the trades, their cost paid.
        after: Figures,
        /// How they were found.
        method: Method,
    },
    /// No trades that the plan may make reach the target.
    Infeasible {
        /// What the best of them leave missing, quote units.
        shortfall_quote: f64,
    },
    /// Neither was found.
    Unsettled,
}

/// One way to the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it may do.
    pub choice: Choice,
    /// How it ended.
    pub outcome: PlanOutcome,
}

impl Plan {
    /// Cost of the trades, quote units; `None` where the target is not met.
    pub fn cost_quote(&self) -> Option<f64> {
        match &self.outcome {
            PlanOutcome::Restored { cost_quote, .. } => Some(*cost_quote),
            PlanOutcome::Infeasible { .. } | PlanOutcome::Unsettled => None,
        }
    }

    /// This plan, or with the trades of the cheapest of others that may do less, where a search under a rule that is not
    /// convex missed them.
    pub(super) fn or_cheaper(self, others: &[Self]) -> Self {
        let cost = |plan: &Self| plan.cost_quote().unwrap_or(f64::INFINITY);
        match others.iter().min_by(|a, b| cost(a).total_cmp(&cost(b))) {
            Some(other) if cost(other) < cost(&self) => Self { outcome: other.outcome.clone(), ..self },
            _ => self,
        }
    }
}

/// The cheapest trades of these legs that lift the desk's pool to the target.
pub fn plan(desk: &Desk<'_>, ask: &Ask, choice: Choice, legs: Vec<Leg>) -> Plan {
    let mut slopes = Slopes::new(desk, &legs);
    let held: Vec<f64> = legs.iter().map(|leg| leg.held).collect();
    let before = slopes.plane(&held);
    let excess = EXCESS * before.equity.abs().max(ask.target * before.requirement);
    let mut problem = Problem { legs: legs.clone(), target: ask.target, excess, limit: PLANES };
    for _ in 0..ATTEMPTS {
        let (restoration, method) = match search(&problem, &mut slopes) {
            Ok(found) => found,
            Err(outcome) => return Plan { choice, outcome },
        };
        match settle(desk, &problem, &restoration, method) {
            Ok(outcome) => return Plan { choice, outcome },
            Err(missing) => problem.excess += 2.0 * missing.max(excess),
        }
    }
    Plan { choice, outcome: PlanOutcome::Unsettled }
}

/// By planes, then, where those do not answer, one position at a time.
fn search(problem: &Problem, slopes: &mut Slopes<'_, '_>) -> Result<(Restoration, Method), PlanOutcome> {
    let by_planes = cheapest(problem, slopes);
    if let Outcome::Restored(restoration) = by_planes {
        return Ok((restoration, Method::Planes));
    }
    if let Outcome::Restored(restoration) = greedy(&Problem { limit: STEPS, ..problem.clone() }, slopes) {
        return Ok((restoration, Method::Greedy));
    }
    Err(match by_planes {
        Outcome::Infeasible { shortfall_quote, .. } => PlanOutcome::Infeasible { shortfall_quote },
        Outcome::Restored(_) | Outcome::Unsettled => PlanOutcome::Unsettled,
    })
}

/// The pool after the trades, on whole lots; or what is missing there after all, quote units.
fn settle(desk: &Desk<'_>, problem: &Problem, found: &Restoration, method: Method) -> Result<PlanOutcome, f64> {
    let quantities = rounded(&problem.legs, &found.trades);
    let costs = problem.legs.iter().zip(&quantities).map(|(leg, quantity)| leg.cost * (quantity - leg.held).abs());
    let costs: Vec<f64> = costs.collect();
    let held = desk.held(&quantities, &costs);
    let pool = held.pool(desk.pool());
    if !desk.meets(&pool, problem.target) {
        let (equity, requirement) = desk.level(&held);
        return Err(problem.target * requirement - equity);
    }
    let of_position = |(at, position): (usize, &Position)| Trade {
        position: *position,
        quantity: quantities[at],
        cost_quote: costs[at],
        marginal_requirement: found.marginal[at],
    };
    Ok(PlanOutcome::Restored {
        trades: desk.positions().iter().enumerate().map(of_position).collect(),
        cost_quote: costs.iter().sum(),
        after: desk.figures(&pool),
        method,
    })
}
