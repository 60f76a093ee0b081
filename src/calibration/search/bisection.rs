use super::explorer::Explorer;
use crate::error::Result;

/// The last step of a line of candidates that meets every constraint, where all do up to some step and none beyond it: `met`
/// does, `last` is the end of the line. Without that order, some step after which one does not.
pub(super) fn last_met(
    explorer: &mut Explorer<'_>,
    (mut met, last): (u64, u64),
    candidate: &dyn Fn(u64) -> Vec<u64>,
) -> Result<u64> {
    if met >= last || explorer.objective(&candidate(last))?.is_some() {
        return Ok(met.max(last));
    }
    let mut broken = last;
    while broken - met > 1 {
        let middle = met + (broken - met) / 2;
        match explorer.objective(&candidate(middle))? {
            Some(_) => met = middle,
            None => broken = middle,
        }
        if explorer.is_exhausted() {
            break;
        }
    }
    Ok(met)
}
