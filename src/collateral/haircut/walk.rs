use super::falls::worst_falls;
use super::history::{Course, History};
use super::past::Past;
use super::procyclical::Floor;
use crate::backtest::Coverage;

/// A haircut that is formed anew before each window from what had ended by then, against the fall in that window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WalkForward {
    /// Of the estimate within the look-back under the floor; a shortfall is a share of the value.
    pub empirical: Coverage,
    /// Of the normal distribution at the same moments.
    pub gaussian: Coverage,
    /// Hour of the first window.
    pub first_hour: Option<i64>,
}

/// Walks through a course. Windows of `span_hours` follow each other without overlap, so that tests which take them for
/// independent apply; the first is where thirty independent windows have ended, and one before which the look-back has fewer is
/// left out. The rule is that of [`MarketFall::of`](super::MarketFall::of).
pub fn walk_forward(
    history: &History,
    course: &Course,
    span_hours: i64,
    level: f64,
    (look_back_days, floor): (Option<u32>, Floor),
) -> WalkForward {
    let falls = worst_falls(history, course, span_hours);
    let mut past = Past::new(history, course, &falls, span_hours, look_back_days);
    let (mut empirical, mut gaussian, mut first_hour) = (Vec::new(), Vec::new(), None);
    let mut next_hour = i64::MIN;
    for fall in &falls {
        let hour = history.hours[fall.entry];
        if hour < next_hour {
            continue;
        }
        past.move_to(fall.entry);
        let Some((said, normal)) = past.says(level, floor).zip(past.gaussian(level)) else { continue };
        first_hour.get_or_insert(hour);
        next_hour = hour + span_hours;
        empirical.push((fall.loss, said.haircut));
        gaussian.push((fall.loss, normal));
    }
    WalkForward { empirical: Coverage::of(empirical), gaussian: Coverage::of(gaussian), first_hour }
}
