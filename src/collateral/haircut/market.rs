use super::falls::worst_falls;
use super::history::{Course, History};
use super::past::{Past, Said};
use super::procyclical::Floor;
use super::tail::{Estimate, Tail};

/// How far a price fell within the horizon, and the haircut that follows.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketFall {
    /// The course it was read from.
    pub source: String,
    /// Tail over the look-back.
    pub recent: Tail,
    /// Tail over the whole history.
    pub full: Tail,
    /// What the tail over the look-back says.
    pub estimate: Estimate,
    /// What a normal distribution of the same volatility says.
    pub gaussian: f64,
    /// Standard deviation of the daily log-return, of single steps of the whole history.
    pub daily_volatility: f64,
    /// The estimate under the floor, in [0, 1].
    pub haircut: f64,
}

/// Windows from which nothing is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TooShort {
    /// Windows within the look-back, which overlap.
    pub windows: usize,
    /// As many independent ones would fit into the same time.
    pub independent: f64,
}

impl MarketFall {
    /// Reads a course to its end.
    ///
    /// # Errors
    /// [`TooShort`] with fewer than thirty independent windows within the look-back, or without two quotes a step apart.
    pub fn of(
        history: &History,
        course: &Course,
        span_hours: i64,
        level: f64,
        (look_back_days, floor): (Option<u32>, Floor),
    ) -> Result<Self, TooShort> {
        let falls = worst_falls(history, course, span_hours);
        let mut past = Past::new(history, course, &falls, span_hours, look_back_days);
        if let Some(last) = history.hours.len().checked_sub(1) {
            past.move_to(last);
        }
        let (windows, independent) = past.recent_windows();
        let said = past.says(level, floor).zip(past.gaussian(level)).zip(past.volatility(24.0));
        let ((said, gaussian), daily_volatility) = said.ok_or(TooShort { windows, independent })?;
        let Said { recent, full, estimate, haircut } = said;
        Ok(Self { source: course.name.clone(), recent, full, estimate, gaussian, daily_volatility, haircut })
    }

    /// The empirical estimate over the Gaussian one; `None` where the latter is 0.
    pub fn ratio_to_gaussian(&self) -> Option<f64> {
        (self.gaussian > 0.0).then(|| self.estimate.loss / self.gaussian)
    }
}
