use std::cmp::Ordering;

use super::landscape::{Landscape, Plane};
use super::problem::{Leg, Outcome, Problem, TOLERANCE};

/// Largest share of a leg's range traded before looking again.
const LARGEST_STEP: f64 = 1.0 / 32.0;
/// How often a step that does not help is halved before the next leg is tried.
const HALVINGS: usize = 12;

/// Trades one leg at a time, each step the one that restores most per quote unit of cost, until the target is met.
///
/// A leg never turns back, so it ends at or beyond where it began in one direction. Never below the cost of
/// [`super::cheapest`] under a convex rule; under any rule it ends. [`Outcome::Unsettled`] where no single leg helps any
/// more, which proves nothing.
pub fn greedy(problem: &Problem, landscape: &mut impl Landscape) -> Outcome {
    if !problem.is_valid() {
        return Outcome::Unsettled;
    }
    let mut trades = vec![0.0; problem.legs.len()];
    let mut asked = 1;
    let mut plane = landscape.plane(&problem.holdings(&trades));
    let tolerance = TOLERANCE * problem.size(&plane);
    loop {
        if !plane.is_finite() {
            return Outcome::Unsettled;
        }
        let shortfall = problem.shortfall(&plane, problem.cost(&trades));
        if let Some(restoration) = problem.restored(&trades, &plane, (asked, tolerance)) {
            return Outcome::Restored(restoration);
        }
        let mut better = None;
        'steps: for step in steps(problem, &plane, &trades, shortfall) {
            let mut units = step.units;
            for _ in 0..HALVINGS {
                if asked == problem.limit {
                    return Outcome::Unsettled;
                }
                let mut tried = trades.clone();
                tried[step.leg] += units;
                asked += 1;
                let reached = landscape.plane(&problem.holdings(&tried));
                if problem.shortfall(&reached, problem.cost(&tried)) < shortfall {
                    better = Some((tried, reached));
                    break 'steps;
                }
                units /= 2.0;
            }
        }
        match better {
            Some(reached) => (trades, plane) = reached,
            None => return Outcome::Unsettled,
        }
    }
}

/// A trade to try.
#[derive(Debug, Clone, Copy)]
struct Step {
    leg: usize,
    /// Units, positive = buy.
    units: f64,
    /// What one unit restores, its cost paid, quote units; > 0.
    gain: f64,
    /// Cost of one unit, quote units.
    cost: f64,
}

impl Step {
    /// Which step restores more per quote unit of cost (free ones most), or of equals, per unit.
    fn compare(&self, other: &Self) -> Ordering {
        let by_cost = (self.gain / self.cost).total_cmp(&(other.gain / other.cost));
        by_cost.then(self.gain.total_cmp(&other.gain))
    }
}

/// Trades that restore something by the plane here, the best first.
fn steps(problem: &Problem, plane: &Plane, trades: &[f64], shortfall: f64) -> Vec<Step> {
    let mut steps = Vec::new();
    for (at, (leg, trade)) in problem.legs.iter().zip(trades).enumerate() {
        let slope = plane.equity_gradient[at] - problem.target * plane.requirement_gradient[at];
        for (direction, room) in [(1.0, leg.highest - leg.held - trade), (-1.0, leg.held + trade - leg.lowest)] {
            let gain = direction * slope - leg.cost;
            if room > 0.0 && gain > 0.0 && direction * trade >= 0.0 {
                let units = direction * (shortfall / gain).min(room).min(LARGEST_STEP * range(leg));
                steps.push(Step { leg: at, units, gain, cost: leg.cost });
            }
        }
    }
    steps.sort_by(|a, b| b.compare(a));
    steps
}

fn range(leg: &Leg) -> f64 {
    leg.highest - leg.lowest
}
