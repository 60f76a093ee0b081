use super::landscape::Landscape;
use super::planes::{Answer, Goal, Planes};
use super::problem::{Outcome, Problem, TOLERANCE};

/// How far, relative to the size of the pool, the least shortfall is searched once it is known that there is one.
const SHARPNESS: f64 = 1e-6;

/// The cheapest trades that restore the target, by constraint generation.
///
/// Right, within 1e-9 of equity and requirement before any trade, where equity is concave and the requirement convex in
/// the holdings; of several answers that cost the same, any. Under another rule [`Outcome::Restored`] still meets the
/// target, but may not be cheapest, and [`Outcome::Infeasible`] is a claim about the planes seen, not about the rule.
pub fn cheapest(problem: &Problem, landscape: &mut impl Landscape) -> Outcome {
    if !problem.is_valid() {
        return Outcome::Unsettled;
    }
    let mut trades = vec![0.0; problem.legs.len()];
    let mut plane = landscape.plane(&problem.holdings(&trades));
    let size = problem.size(&plane);
    let tolerance = TOLERANCE * size;
    let mut planes = Planes::new(problem, size);
    let (mut goal, mut promised) = (Goal::Cost, 0.0);
    for asked in 1..=problem.limit {
        if !plane.is_finite() {
            return Outcome::Unsettled;
        }
        if let Some(restoration) = problem.restored(&trades, &plane, (asked, tolerance)) {
            return Outcome::Restored(restoration);
        }
        let shortfall = problem.shortfall(&plane, problem.cost(&trades));
        if goal == Goal::Shortfall && shortfall - promised <= SHARPNESS * size {
            return Outcome::Infeasible { trades, shortfall_quote: shortfall };
        }
        planes.add(&trades, plane);
        let mut answer = planes.solve(goal);
        if goal == Goal::Cost && answer == Answer::Infeasible {
            goal = Goal::Shortfall;
            answer = planes.solve(goal);
        }
        let Answer::Trades { trades: next, shortfall_quote } = answer else { return Outcome::Unsettled };
        // The solver keeps bounds within its tolerance only.
        let holdings = problem.holdings(&next);
        trades = problem.legs.iter().zip(&holdings).map(|(leg, holding)| holding - leg.held).collect();
        plane = landscape.plane(&holdings);
        promised = shortfall_quote;
    }
    Outcome::Unsettled
}
