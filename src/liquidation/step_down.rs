//! The cut rule `step_down`: the largest position is cut to the lower bound of its bracket.

use super::money::Quanta;
use super::plan::Planner;
use super::state::PoolState;
use crate::margin::SizeFunction;

/// Contracts to cut of the largest position that can be traded: down to the bound under its notional, or all of it where there is
/// none; `None` where nothing can be traded.
pub fn cuts_by_step_down(planner: &Planner<'_>, trial: &PoolState) -> Option<Vec<(usize, Quanta)>> {
    let (places, legs) = planner.legs(trial);
    let largest = places.iter().zip(&legs).max_by(|a, b| {
        let by_size = a.1.notional_quote.total_cmp(&b.1.notional_quote);
        // The first of equals.
        by_size.then(b.0.cmp(a.0))
    });
    let (&place, leg) = largest?;
    let instrument = trial.positions[place].position.instrument;
    let rules = planner.marks.setting().rules;
    let bound = match rules.option(instrument) {
        Some(_) => 0.0,
        None => match &rules.class(instrument).maintenance {
            SizeFunction::Brackets(schedule) => {
                schedule.bounds.iter().rev().find(|bound| **bound < leg.notional_quote).copied().unwrap_or(0.0)
            }
            SizeFunction::Curve(_) | SizeFunction::OpenInterest(_) => 0.0,
        },
    };
    let contracts = planner.contracts_of(trial, place, leg.notional_quote - bound);
    (contracts != Quanta::ZERO).then(|| vec![(place, contracts)])
}
