use super::explorer::Explorer;
use crate::error::Result;

/// Places at which an axis without order is tried, ends included.
const PLACES: u64 = 8;

/// The step of least objective among `first..=last`, where that falls, then rises: golden section in Fibonacci numbers, so
/// that every place but one is known from before (J. Kiefer, Proc. AMS 4 (1953) 502–506). A candidate that breaks a constraint
/// counts as infinite.
pub(super) fn golden(
    explorer: &mut Explorer<'_>,
    (first, last): (u64, u64),
    candidate: &dyn Fn(u64) -> Vec<u64>,
) -> Result<u64> {
    let mut value = |step: u64| -> Result<f64> {
        let beyond = step > last;
        Ok(if beyond { f64::INFINITY } else { explorer.objective(&candidate(step))?.unwrap_or(f64::INFINITY) })
    };
    let (mut shorter, mut length) = (1, 2);
    while length < last - first {
        (shorter, length) = (length, shorter + length);
    }
    let mut low = first;
    while length > 2 {
        let (left, right) = (low + length - shorter, low + shorter);
        if value(left)? > value(right)? {
            low = left;
        }
        (shorter, length) = (length - shorter, shorter);
    }
    let mut best = (low, value(low)?);
    for step in low + 1..=(low + 2).min(last) {
        let here = value(step)?;
        if here < best.1 {
            best = (step, here);
        }
    }
    Ok(best.0)
}

/// The step of least objective of an axis without order, as far as nine even places and a golden section around the best of
/// them show.
pub(super) fn scanned(explorer: &mut Explorer<'_>, steps: u64, candidate: &dyn Fn(u64) -> Vec<u64>) -> Result<u64> {
    let mut best = (0, f64::INFINITY);
    let place = |number: u64| steps / PLACES * number + steps % PLACES * number / PLACES;
    for number in 0..=PLACES {
        let objective = explorer.objective(&candidate(place(number)))?.unwrap_or(f64::INFINITY);
        if objective < best.1 {
            best = (number, objective);
        }
    }
    let around = (place(best.0.saturating_sub(1)), place((best.0 + 1).min(PLACES)));
    let narrowed = golden(explorer, around, candidate)?;
    let better = explorer.objective(&candidate(narrowed))?.is_some_and(|objective| objective < best.1);
    Ok(if better { narrowed } else { place(best.0) })
}
