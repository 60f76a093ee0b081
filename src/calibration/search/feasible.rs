use super::descent;
use super::explorer::Explorer;
use crate::calibration::landscape::Evaluation;
use crate::error::Result;

/// A candidate that meets every constraint: all axes at their strict ends, or `start` where that is better. Where neither does
/// and more strictness need not help (an axis without order, a constraint that some looser candidate breaks less), the worst
/// violation is descended. `None` where no candidate was found.
pub(super) fn first_met(explorer: &mut Explorer<'_>, refine: usize, start: Option<&[f64]>) -> Result<Option<Vec<u64>>> {
    let snapped = |explorer: &Explorer<'_>, value: &dyn Fn(usize) -> f64| -> Vec<u64> {
        explorer.grids.iter().enumerate().map(|(axis, grid)| grid.step(value(axis))).collect()
    };
    let old = snapped(explorer, &|axis| explorer.grids[axis].old);
    let strict = |(grid, old): (&super::grid::Grid, &u64)| if grid.is_monotone() { 0 } else { *old };
    let corner: Vec<u64> = explorer.grids.iter().zip(&old).map(strict).collect();
    let at_corner = explorer.evaluate(&corner)?;
    if let Some(start) = start.filter(|start| start.len() == corner.len()) {
        let start = snapped(explorer, &|axis| start[axis]);
        explorer.evaluate(&start)?;
    }
    if explorer.best().is_none() {
        let halves = explorer.grids.iter().map(|grid| grid.steps / 2).collect();
        let loosest = explorer.grids.iter().map(|grid| grid.steps).collect();
        let mut may_help = explorer.grids.iter().any(|grid| !grid.is_monotone());
        for elsewhere in [old, halves, loosest] {
            let there = explorer.evaluate(&elsewhere)?;
            may_help |= at_corner.as_ref().zip(there.as_ref()).is_some_and(|(strict, there)| helps(strict, there));
        }
        if explorer.best().is_none() && may_help && refine > 0 {
            descent::meet(explorer, &corner, refine)?;
        }
    }
    Ok(explorer.best().map(<[u64]>::to_vec))
}

/// Whether a constraint that is broken at the strict end is broken less, or met, elsewhere.
fn helps(strict: &Evaluation, elsewhere: &Evaluation) -> bool {
    let readings = strict.readings.iter().zip(&elsewhere.readings);
    readings.into_iter().any(|(strict, there)| !strict.is_met() && there.slack > strict.slack)
}
