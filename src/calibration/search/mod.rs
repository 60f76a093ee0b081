//! The search for the loosest thresholds that hold: bisection on monotone axes, golden section where the objective turns,
//! COBYLA where axes have no order or share what stops them.

mod bisection;
mod coordinate;
mod descent;
mod explorer;
mod feasible;
mod grid;
mod minimum;
mod ray;
#[cfg(test)]
mod tests;
mod why;

use super::landscape::{Evaluation, Landscape, Strict};
use crate::error::Result;
use explorer::Explorer;

pub use explorer::Progress;
pub use why::Why;

/// How long a search may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchOptions {
    /// Candidates that are evaluated at most, ≥ 1.
    pub evaluations: usize,
    /// Candidates of them that the derivative-free search takes at most, and as many for exchanges between axes after it; 0
    /// leaves both out.
    pub refine: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { evaluations: 4_000, refine: 400 }
    }
}

/// A constraint that the returned point breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmet {
    /// Which, in the order of the job.
    pub constraint: usize,
    /// Whether another candidate met it: then it contradicts other constraints; else none that was tried meets it.
    pub is_met_elsewhere: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// One value per axis; the least broken candidate where no candidate meets every constraint.
    pub point: Vec<f64>,
    /// What it amounts to.
    pub evaluation: Evaluation,
    /// Constraints it breaks, in the order of the job; empty where all are met.
    pub unmet: Vec<Unmet>,
    /// What stopped each axis.
    pub why: Vec<Why>,
    /// Candidates that were evaluated, each counted once.
    pub evaluations: usize,
}

impl Solution {
    /// Whether every constraint is met.
    pub fn is_met(&self) -> bool {
        self.unmet.is_empty() && self.evaluation.is_met()
    }
}

/// Finds the candidate of least objective that meets every constraint, on a grid of one tolerance per axis.
///
/// All axes start at their strict ends (or at `start` where that is better), are loosened together, then one by one (what
/// saves most of the objective first) to the loosest value that still holds, until nothing moves. Where an axis has no
/// order, the objective rises before a constraint breaks, or several axes share the constraint that stops them, a
/// derivative-free search goes on from there (M. J. D. Powell's COBYLA, 1994), and its answer counts only where it is met and
/// better. An axis that no loss and no constraint reacts to keeps its old value, clamped to its range. The same landscape gives the same answer.
///
/// # Errors
/// What the measurement answers.
pub fn solve(
    landscape: &mut dyn Landscape,
    options: &SearchOptions,
    relaxed: f64,
    start: Option<&[f64]>,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Solution> {
    let mut explorer = Explorer::new(landscape, options.evaluations, relaxed, progress);
    let Some(first) = feasible::first_met(&mut explorer, options.refine, start)? else {
        return explorer.least_broken();
    };
    let mut at = ray::loosened(&mut explorer, first)?;
    let free = coordinate::tested(&mut explorer, &at)?;
    at = coordinate::descend(&mut explorer, &free, at)?;
    if options.refine > 0 && is_coupled(&mut explorer, &free, &at)? {
        descent::improve(&mut explorer, &free, &at, options.refine)?;
        let better = explorer.better_than(at);
        at = coordinate::exchanged(&mut explorer, &free, better, options.refine)?;
    }
    finish(&mut explorer, &free, at)
}

/// Whether moving one axis at a time may miss the least objective.
fn is_coupled(explorer: &mut Explorer<'_>, free: &[usize], at: &[u64]) -> Result<bool> {
    let mut stops = Vec::new();
    for &axis in free {
        if explorer.grids[axis].strict == Strict::Neither {
            return Ok(true);
        }
        match why::why(explorer, at, axis)? {
            Why::Objective => return Ok(true),
            Why::Constraint(constraint) if stops.contains(&constraint) => return Ok(true),
            Why::Constraint(constraint) => stops.push(constraint),
            _ => {}
        }
    }
    Ok(false)
}

fn finish(explorer: &mut Explorer<'_>, free: &[usize], at: Vec<u64>) -> Result<Solution> {
    let mut why = Vec::with_capacity(at.len());
    let mut point = explorer.values(&at);
    for axis in 0..at.len() {
        if free.contains(&axis) {
            why.push(why::why(explorer, &at, axis)?);
        } else {
            let bounds = &explorer.grids[axis];
            point[axis] = bounds.old.clamp(bounds.low, bounds.high);
            why.push(Why::Untested);
        }
    }
    // Old values need not lie on the grid: what is answered is measured where it stands.
    let evaluation = explorer.evaluate_exactly(&point)?;
    Ok(Solution { point, unmet: explorer.unmet(&evaluation), evaluation, why, evaluations: explorer.evaluations })
}
