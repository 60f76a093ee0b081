use jiff::Timestamp;

use super::path::{Follower, Subject};
use super::reason::Change;
use crate::error::{Error, Result};
use crate::forecast::Outlook;
use crate::margin::{EarlierInitial, InForce, Overlay};

/// Moves an overlay's multipliers in force by one outlook; answers what changed, the initial multiplier first. An underlying
/// without multipliers in force starts from multipliers at rest. What does not change keeps its date.
///
/// # Errors
/// [`Error::Usage`] where a step is not a moment that a rulebook can hold.
pub fn apply(overlay: &mut Overlay, outlook: &Outlook, subject: Subject<'_>) -> Result<Vec<Change>> {
    let before = overlay.in_force.get(subject.underlying);
    let mut follower = match before {
        Some(in_force) => Follower::of(overlay.coefficients, in_force),
        None => Follower::at_rest(overlay.coefficients),
    };
    let Some(step) = follower.step(outlook) else { return Ok(Vec::new()) };
    let changes: Vec<Change> = step.changes(subject).collect();
    if before.is_some() && changes.is_empty() {
        return Ok(changes);
    }
    // What has always been in force is dated as far back as the rules look.
    let at_rest = outlook.hour.saturating_sub(follower.look_back_hours());
    let dated = |hour: i64| moment(if hour == Follower::ALWAYS { at_rest } else { hour });
    let steps = follower.initial_steps().map(|(hour, initial)| Ok((dated(hour)?, initial)));
    let mut steps: Vec<(Timestamp, f64)> = steps.collect::<Result<_>>()?;
    let multipliers = follower.multipliers();
    let (since, initial) = steps.pop().unwrap_or((moment(outlook.hour)?, multipliers.initial));
    let in_force = InForce {
        initial,
        maintenance: multipliers.maintenance,
        since,
        earlier: steps.into_iter().map(|(since, initial)| EarlierInitial { initial, since }).collect(),
        model: subject.model.map(str::to_owned),
    };
    overlay.in_force.insert(subject.underlying.into(), in_force);
    Ok(changes)
}

fn moment(hour: i64) -> Result<Timestamp> {
    let seconds = hour.checked_mul(3_600);
    let moment = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    moment.ok_or_else(|| Error::Usage(format!("hour {hour} since 1970 is no moment of the calendar")))
}
