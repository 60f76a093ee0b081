use super::explorer::{Explorer, is_met};
use crate::calibration::landscape::Evaluation;
use crate::error::Result;

/// What stopped an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// One tolerance looser (or, without order, to the side of a lower objective) this constraint breaks.
    Constraint(usize),
    /// Its range ends there.
    Range,
    /// The objective is higher to either side.
    Objective,
    /// The objective is the same to either side.
    Indifferent,
    /// No loss that is counted and no constraint reacts to it: it keeps its old value.
    Untested,
    /// Nothing more was to be evaluated.
    Budget,
    /// No candidate meets every constraint.
    Unmet,
}

impl Why {
    /// The reason in a few words; `constraints` are their names, in the order of the job.
    pub fn text(&self, constraints: &[String]) -> String {
        match self {
            Self::Constraint(number) => {
                constraints.get(*number).map_or_else(|| format!("constraint {number}"), Clone::clone)
            }
            Self::Range => "end of its range".into(),
            Self::Objective => "objective rises beyond".into(),
            Self::Indifferent => "the objective does not depend on it".into(),
            Self::Untested => "nothing tests it".into(),
            Self::Budget => "evaluations ran out".into(),
            Self::Unmet => "constraints cannot be met".into(),
        }
    }
}

/// What a step to one side does.
enum Side {
    Ends,
    Breaks(usize),
    Rises,
    Level,
    Unknown,
}

/// Why an axis stands where it does, the others held. `at` meets every constraint.
pub(super) fn why(explorer: &mut Explorer<'_>, at: &[u64], axis: usize) -> Result<Why> {
    let looser = side(explorer, at, axis, at[axis].checked_add(1))?;
    let is_monotone = explorer.grids[axis].is_monotone();
    let stricter = if is_monotone { Side::Rises } else { side(explorer, at, axis, at[axis].checked_sub(1))? };
    Ok(match (looser, stricter) {
        (Side::Unknown, _) | (_, Side::Unknown) => Why::Budget,
        (Side::Breaks(constraint), _) | (_, Side::Breaks(constraint)) => Why::Constraint(constraint),
        (Side::Ends, _) | (_, Side::Ends) => Why::Range,
        (Side::Level, Side::Level) => Why::Indifferent,
        (Side::Rises | Side::Level, Side::Rises | Side::Level) => Why::Objective,
    })
}

fn side(explorer: &mut Explorer<'_>, at: &[u64], axis: usize, step: Option<u64>) -> Result<Side> {
    let Some(step) = step.filter(|step| *step <= explorer.grids[axis].steps) else { return Ok(Side::Ends) };
    let mut there = at.to_vec();
    there[axis] = step;
    let (here, there) = (explorer.evaluate(at)?, explorer.evaluate(&there)?);
    let Some((here, there)) = here.zip(there) else { return Ok(Side::Unknown) };
    let gains = explorer.grids[axis].is_monotone() || there.objective < here.objective;
    Ok(match most_broken(&there) {
        Some(constraint) if gains => Side::Breaks(constraint),
        _ if !explorer.grids[axis].is_monotone() && there.objective == here.objective => Side::Level,
        Some(_) => Side::Rises,
        // Better and met, yet not taken: the search was cut short.
        None if is_met(&there) && there.objective < here.objective => Side::Unknown,
        None => Side::Rises,
    })
}

/// The constraint with the least slack among the broken ones, the first of several.
fn most_broken(evaluation: &Evaluation) -> Option<usize> {
    let broken = evaluation.readings.iter().enumerate().filter(|(_, reading)| !reading.is_met());
    broken.min_by(|a, b| a.1.slack.total_cmp(&b.1.slack)).map(|(constraint, _)| constraint)
}
