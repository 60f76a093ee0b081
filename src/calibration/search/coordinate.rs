use super::bisection::last_met;
use super::explorer::Explorer;
use super::minimum::{golden, scanned};
use crate::calibration::landscape::{Evaluation, Reading};
use crate::error::Result;

/// A candidate with one axis elsewhere.
fn with(at: &[u64], axis: usize, step: u64) -> Vec<u64> {
    let mut other = at.to_vec();
    other[axis] = step;
    other
}

/// The axes that something speaks of, the others held: a constraint or a loss that is counted differs between their ends, their
/// middle and `at`. That less is required of a class whose losses nobody saw is no reason to require less.
pub(super) fn tested(explorer: &mut Explorer<'_>, at: &[u64]) -> Result<Vec<usize>> {
    let here = explorer.evaluate(at)?;
    let mut tested = Vec::new();
    for axis in 0..at.len() {
        let steps = explorer.grids[axis].steps;
        let mut is_priced = false;
        for step in [steps, 0, steps / 2] {
            let there = explorer.evaluate(&with(at, axis, step))?;
            // Where nothing more may be evaluated, nothing shows that the axis does not matter.
            if there.is_none() || readings(&there) != readings(&here) {
                tested.push(axis);
                break;
            }
            is_priced |= there != here;
        }
        if is_priced
            && tested.last() != Some(&axis)
            && explorer.are_observed(&with(at, axis, 0), &with(at, axis, steps))?
        {
            tested.push(axis);
        }
    }
    Ok(tested)
}

fn readings(evaluation: &Option<Evaluation>) -> Option<&[Reading]> {
    evaluation.as_ref().map(|evaluation| evaluation.readings.as_slice())
}

/// Moves one axis after the other to where it is best, given the others, until none moves. What saves most of the objective
/// over the rest of its range comes first.
pub(super) fn descend(explorer: &mut Explorer<'_>, free: &[usize], mut at: Vec<u64>) -> Result<Vec<u64>> {
    let order = by_saving(explorer, free, &at)?;
    loop {
        let before = at.clone();
        for &axis in &order {
            at[axis] = best_step(explorer, &at, axis)?;
        }
        if at == before || explorer.is_exhausted() {
            return Ok(at);
        }
    }
}

/// Axes in the order of what their loose ends save, most first; those without order last.
fn by_saving(explorer: &mut Explorer<'_>, free: &[usize], at: &[u64]) -> Result<Vec<usize>> {
    let objective = |explorer: &mut Explorer<'_>, at: &[u64]| -> Result<f64> {
        let evaluation = explorer.evaluate(at)?;
        Ok(evaluation.map_or(f64::INFINITY, |evaluation| evaluation.objective))
    };
    let here = objective(explorer, at)?;
    let mut savings = Vec::with_capacity(free.len());
    for &axis in free {
        let grid = &explorer.grids[axis];
        let loosest = with(at, axis, if grid.is_monotone() { grid.steps } else { at[axis] });
        savings.push((here - objective(explorer, &loosest)?, axis));
    }
    savings.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    Ok(savings.into_iter().map(|(_, axis)| axis).collect())
}

/// Where an axis is best, the others held: the loosest step that holds, or the step of least objective where that rises
/// before; where it is, unless that is better or as good and looser.
fn best_step(explorer: &mut Explorer<'_>, at: &[u64], axis: usize) -> Result<u64> {
    let candidate = |step: u64| with(at, axis, step);
    let (here, steps) = (at[axis], explorer.grids[axis].steps);
    let is_monotone = explorer.grids[axis].is_monotone();
    let found = if is_monotone {
        let loosest = last_met(explorer, (here, steps), &candidate)?;
        let end = explorer.objective(&candidate(loosest))?;
        let before = explorer.objective(&candidate(loosest.saturating_sub(1)))?;
        let turns = matches!((before, end), (Some(before), Some(end)) if before < end);
        if turns { golden(explorer, (0, loosest), &candidate)? } else { loosest }
    } else {
        scanned(explorer, steps, &candidate)?
    };
    let (now, then) = (explorer.objective(at)?, explorer.objective(&candidate(found))?);
    let is_better = match (now, then) {
        (Some(now), Some(then)) => then < now || (then == now && is_monotone && found > here),
        (now, then) => now.is_none() && then.is_some(),
    };
    Ok(if is_better { found } else { here })
}

/// Tightens one axis and loosens another to where it is best, in steps that are halved where nothing gains: the slack that both
/// share goes to where it saves most. One axis at a time cannot do that, and a linear model of the constraints does it
/// coarsely. Over `most` candidates.
pub(super) fn exchanged(explorer: &mut Explorer<'_>, free: &[usize], at: Vec<u64>, most: usize) -> Result<Vec<u64>> {
    let mut at = descend(explorer, free, at)?;
    let axes: Vec<usize> = free.iter().copied().filter(|axis| explorer.grids[*axis].is_monotone()).collect();
    let longest = axes.iter().map(|axis| explorer.grids[*axis].steps).max().unwrap_or(0);
    let limit = explorer.evaluations.saturating_add(most);
    let mut divisor = 8;
    while divisor <= longest.saturating_mul(2) && !explorer.is_exhausted() && explorer.evaluations < limit {
        let mut gained = false;
        let pairs = axes.iter().flat_map(|tightened| axes.iter().map(move |loosened| (*tightened, *loosened)));
        for pair in pairs.filter(|(tightened, loosened)| tightened != loosened) {
            if explorer.evaluations >= limit {
                break;
            }
            if let Some(better) = exchange(explorer, &at, pair, divisor)? {
                at = better;
                gained = true;
            }
        }
        if !gained {
            divisor *= 2;
        }
    }
    descend(explorer, free, at)
}

/// The candidate after one exchange, where it is better.
fn exchange(
    explorer: &mut Explorer<'_>,
    at: &[u64],
    (tightened, loosened): (usize, usize),
    divisor: u64,
) -> Result<Option<Vec<u64>>> {
    let step = (explorer.grids[tightened].steps / divisor).max(1);
    let is_loose = at[loosened] >= explorer.grids[loosened].steps;
    if at[tightened] < step || is_loose {
        return Ok(None);
    }
    let mut other = with(at, tightened, at[tightened] - step);
    // Most pairs share nothing: one step tells.
    if explorer.objective(&with(&other, loosened, at[loosened] + 1))?.is_none() {
        return Ok(None);
    }
    other[loosened] = best_step(explorer, &other, loosened)?;
    let (now, then) = (explorer.objective(at)?, explorer.objective(&other)?);
    Ok(matches!((now, then), (Some(now), Some(then)) if then < now).then_some(other))
}
