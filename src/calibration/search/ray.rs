use super::bisection::last_met;
use super::explorer::Explorer;
use crate::error::Result;

/// Fractions of the way to the loose ends that are told apart.
const FRACTIONS: u64 = 1024;

/// All monotone axes loosened by one common fraction of what is left to them, as far as every constraint holds; `from` itself
/// where its objective is lower.
pub(super) fn loosened(explorer: &mut Explorer<'_>, from: Vec<u64>) -> Result<Vec<u64>> {
    let ends: Vec<u64> = explorer
        .grids
        .iter()
        .zip(&from)
        .map(|(grid, step)| if grid.is_monotone() { grid.steps.max(*step) } else { *step })
        .collect();
    let candidate = |fraction: u64| -> Vec<u64> {
        from.iter().zip(&ends).map(|(step, end)| step + (end - step) * fraction / FRACTIONS).collect()
    };
    let fraction = last_met(explorer, (0, FRACTIONS), &candidate)?;
    let (here, there) = (explorer.objective(&from)?, explorer.objective(&candidate(fraction))?);
    let rises = matches!((here, there), (Some(here), Some(there)) if there > here) || there.is_none();
    Ok(if rises { from } else { candidate(fraction) })
}
