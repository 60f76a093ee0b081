use super::falls::worst_falls;
use super::history::{Course, History};
use super::past::Past;
use super::procyclical::Floor;
use super::tail::{Estimate, Tail};

/// How far a price fell within the horizon, and the haircut that follows.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketFall {
    /// The course it was read from.
    pub source: String,
    /// Tail over the look-back, or over the whole history where that is too short.
    pub recent: Tail,
    /// Tail over the whole history.
    pub full: Tail,
    /// What the tail over the look-back says.
    pub estimate: Estimate,
    /// What a normal distribution of the same volatility says.
    pub gaussian: f64,
    /// Standard deviation of the daily log-return.
    pub daily_volatility: f64,
    /// The estimate under the floor, in [0, 1].
    pub haircut: f64,
}

impl MarketFall {
    /// Reads a course to its end. `None` where fewer than thirty independent windows have ended: nothing is said then.
    pub fn of(
        history: &History,
        course: &Course,
        span_hours: i64,
        level: f64,
        (look_back_days, floor): (Option<u32>, Floor),
    ) -> Option<Self> {
        let falls = worst_falls(history, course, span_hours);
        let mut past = Past::new(history, course, &falls, span_hours, look_back_days);
        past.move_to(history.hours.len().checked_sub(1)?);
        let full = past.full(level)?;
        let long = full.estimate()?;
        let known = past.recent(level).and_then(|tail| Some((tail, tail.estimate()?)));
        let (recent, estimate) = known.unwrap_or((full, long));
        Some(Self {
            source: course.name.clone(),
            gaussian: past.gaussian(level)?,
            daily_volatility: past.volatility(24.0)?,
            haircut: floor.apply(estimate.loss, long.loss, &full).clamp(0.0, 1.0),
            recent,
            full,
            estimate,
        })
    }

    /// The empirical estimate over the Gaussian one; `None` where the latter is 0.
    pub fn ratio_to_gaussian(&self) -> Option<f64> {
        (self.gaussian > 0.0).then(|| self.estimate.loss / self.gaussian)
    }
}
