use std::cell::RefCell;

use cobyla::{Func, RhoBeg, StopTols, minimize};

use super::explorer::{Explorer, violation};
use crate::error::{Error, Result};

/// First change of every axis, as a share of its range.
const FIRST_CHANGE: f64 = 0.1;

/// What is minimised.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// The objective, within the constraints.
    Objective,
    /// The worst violation of a constraint.
    Violation,
}

/// Looks from `from` for a lower objective within the constraints, moving the axes `free`, over `most` candidates. What it
/// finds is the explorer's best candidate.
pub(super) fn improve(explorer: &mut Explorer<'_>, free: &[usize], from: &[u64], most: usize) -> Result<()> {
    run(explorer, Goal::Objective, (free, from), most)
}

/// Looks from `from` for a candidate that meets every constraint, over `most` candidates.
pub(super) fn meet(explorer: &mut Explorer<'_>, from: &[u64], most: usize) -> Result<()> {
    let all: Vec<usize> = (0..from.len()).collect();
    run(explorer, Goal::Violation, (&all, from), most)
}

/// What COBYLA sees: axes as shares of their ranges, numbers it can bear.
struct View<'e, 'a> {
    explorer: &'e mut Explorer<'a>,
    goal: Goal,
    free: &'e [usize],
    from: &'e [u64],
    /// Objective at the start, and its size.
    origin: (f64, f64),
    /// Explorer's evaluations after which nothing more is asked for.
    limit: usize,
    /// Answer to the last candidate that could be evaluated: the function value, then the slacks.
    last: Vec<f64>,
    failed: Option<Error>,
}

impl View<'_, '_> {
    /// The function value (place 0) or a slack at a point of the unit cube.
    fn answer(&mut self, shares: &[f64], place: usize) -> f64 {
        let mut at = self.from.to_vec();
        for (axis, share) in self.free.iter().zip(shares) {
            let steps = self.explorer.grids[*axis].steps;
            at[*axis] = (libm::round(share * steps as f64).max(0.0) as u64).min(steps);
        }
        let is_done = self.goal == Goal::Violation && self.explorer.best().is_some();
        if self.failed.is_none() && !is_done && self.explorer.evaluations < self.limit {
            match self.explorer.evaluate(&at) {
                Err(error) => self.failed = Some(error),
                Ok(None) => {}
                Ok(Some(evaluation)) => {
                    let value = match self.goal {
                        Goal::Objective => (evaluation.objective - self.origin.0) / self.origin.1,
                        Goal::Violation => violation(&evaluation),
                    };
                    let slacks = evaluation.readings.iter().map(|reading| reading.slack);
                    self.last.clear();
                    self.last.extend(std::iter::once(value).chain(slacks).map(bearable));
                }
            }
        }
        self.last.get(place).copied().unwrap_or(0.0)
    }
}

/// A number that differences can be formed of.
fn bearable(value: f64) -> f64 {
    if value.is_nan() { -1e3 } else { value.clamp(-1e3, 1e3) }
}

fn run(explorer: &mut Explorer<'_>, goal: Goal, (free, from): (&[usize], &[u64]), most: usize) -> Result<()> {
    let Some(start) = explorer.evaluate(from)?.filter(|_| !free.is_empty()) else { return Ok(()) };
    let share = |axis: &usize| from[*axis] as f64 / explorer.grids[*axis].steps as f64;
    let shares: Vec<f64> = free.iter().map(share).collect();
    let ends: Vec<f64> = free.iter().map(|axis| 0.5 / explorer.grids[*axis].steps as f64).collect();
    let size = start.objective.abs();
    let origin = if size.is_finite() && size > 0.0 { (start.objective, size) } else { (0.0, 1.0) };
    let constraints = if goal == Goal::Objective { start.readings.len() } else { 0 };
    let limit = explorer.evaluations.saturating_add(most);
    let view = RefCell::new(View { explorer, goal, free, from, origin, limit, last: Vec::new(), failed: None });
    let value = |shares: &[f64], _: &mut ()| view.borrow_mut().answer(shares, 0);
    let slack = |number: usize| {
        let view = &view;
        move |shares: &[f64], _: &mut ()| view.borrow_mut().answer(shares, number + 1)
    };
    let slacks: Vec<_> = (0..constraints).map(slack).collect();
    let slacks: Vec<&dyn Func<()>> = slacks.iter().map(|slack| slack as &dyn Func<()>).collect();
    let tolerances = StopTols { xtol_abs: ends, ..StopTols::default() };
    let bounds = vec![(0.0, 1.0); free.len()];
    // The explorer has kept the best of what was asked for, whatever is answered.
    let calls = most.min(i32::MAX as usize / 2);
    let _ = minimize(value, &shares, &bounds, &slacks, (), calls, RhoBeg::All(FIRST_CHANGE), Some(tolerances));
    let failed = view.borrow_mut().failed.take();
    failed.map_or(Ok(()), Err)
}
