//! A collapse, day by day: what each rule would have taken, and whether that was enough.

use super::combined::combined;
use super::falls::{Fall, worst_falls};
use super::history::{Course, History};
use super::liquidity::{Liquidity, Volume};
use super::past::Past;
use super::procyclical::Floor;
use super::tail::Tail;
use crate::error::{Error, Result};

const DAY_HOURS: i64 = 24;

/// A rule that makes haircuts from what has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayRule {
    /// One number, whatever happens.
    Flat,
    /// Quantile of a normal distribution with the volatility of the whole past.
    Gaussian,
    /// Empirical estimate over the look-back.
    Recent,
    /// Empirical estimate over the whole past.
    Full,
    /// The larger of the estimate over the whole past and (1 − weight)·recent + weight·largest fall so far.
    Floored,
    /// The same, with the slippage of selling the given size.
    Tiered,
}

impl ReplayRule {
    /// Every rule, from the plainest.
    pub const ALL: [Self; 6] = [Self::Flat, Self::Gaussian, Self::Recent, Self::Full, Self::Floored, Self::Tiered];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Gaussian => "gaussian",
            Self::Recent => "empirical recent",
            Self::Full => "empirical full",
            Self::Floored => "with floor",
            Self::Tiered => "with liquidity",
        }
    }
}

/// What a replay is made by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplaySettings {
    /// Hours that selling takes, ≥ 1.
    pub horizon_hours: u32,
    /// Share of windows that a haircut should cover, in (0, 1).
    pub level: f64,
    /// Haircut of the flat rule, in [0, 1].
    pub flat: f64,
    /// Days that the recent estimate looks back.
    pub look_back_days: u32,
    /// Weight of the largest fall so far in the floored rule, in [0, 1].
    pub stress_weight: f64,
    /// Y of the square-root law, ≥ 0.
    pub impact: f64,
    /// What is to be sold, a share of the daily volume, ≥ 0.
    pub size: f64,
    /// Days shown before the largest fall, and after it.
    pub days: u32,
}

/// One day.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayDay {
    /// Hour of the row of that day from which it fell the furthest; the collateral is held at its close.
    pub hour: i64,
    /// Price there.
    pub close: f64,
    /// Haircut of each of [`ReplayRule::ALL`], formed from what had ended by then; `None` with too short a past.
    pub haircuts: [Option<f64>; 6],
    /// Worst fall within the horizon that follows.
    pub loss: f64,
}

/// How a rule did over the days shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// The rule.
    pub rule: ReplayRule,
    /// Days on which it had a haircut.
    pub days: usize,
    /// Days whose loss the haircut covered.
    pub covered: usize,
    /// Hour of the first day that it did not cover.
    pub first_breach: Option<i64>,
    /// Largest loss beyond the haircut, a share of the value; 0 where all were covered.
    pub largest_shortfall: f64,
    /// Mean haircut: what the rule cost.
    pub mean: f64,
}

/// A collapse, day by day.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The asset.
    pub asset: String,
    /// Hours of each window, a whole number of steps.
    pub span_hours: i64,
    /// Hour from which it fell the furthest, and how far.
    pub collapse: (i64, f64),
    /// The days around it.
    pub days: Vec<ReplayDay>,
    /// How each rule did.
    pub held: Vec<Held>,
}

/// Replays the largest fall of an asset. Every haircut is formed from windows that had ended by its moment.
///
/// # Errors
/// [`Error::Usage`] where the history lacks the asset, or has no window of it, or a setting is out of range.
pub fn replay(history: &History, asset: &str, settings: &ReplaySettings) -> Result<Replay> {
    settings.check()?;
    let course = history.course(asset).ok_or_else(|| {
        let known = history.courses.iter().map(|course| course.name.as_str());
        Error::Usage(format!("no asset {asset:?} ({})", crate::suggest::remedy(asset, known, "the panel has none")))
    })?;
    let span_hours = history.span(settings.horizon_hours);
    let falls = worst_falls(history, course, span_hours);
    let first = falls.first().ok_or_else(|| {
        Error::Usage(format!("{asset}: the panel has no window of {span_hours} h in which it is quoted throughout"))
    })?;
    let worst = falls.iter().fold(first, |worst, fall| if fall.loss > worst.loss { fall } else { worst });
    let around = i64::from(settings.days) * DAY_HOURS;
    let collapse = history.hours[worst.entry];
    let mut past = Past::new(history, course, &falls, span_hours, Some(settings.look_back_days));
    let day_of = |fall: &Fall| history.hours[fall.entry].div_euclid(DAY_HOURS);
    let mut days = Vec::new();
    for day in falls.chunk_by(|a, b| day_of(a) == day_of(b)) {
        let fall = day.iter().fold(day[0], |worst, fall| if fall.loss > worst.loss { *fall } else { worst });
        let hour = history.hours[fall.entry];
        if (hour - collapse).abs() > around {
            continue;
        }
        past.move_to(fall.entry);
        let haircuts = ReplayRule::ALL.map(|rule| settings.haircut(rule, &past));
        days.push(ReplayDay { hour, close: course.closes[fall.entry], haircuts, loss: fall.loss });
    }
    let held = ReplayRule::ALL.into_iter().enumerate().map(|(at, rule)| held(rule, at, &days)).collect();
    Ok(Replay { asset: course.name.clone(), span_hours, collapse: (collapse, worst.loss), days, held })
}

impl ReplaySettings {
    fn check(&self) -> Result<()> {
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        let is_amount = |value: f64| value.is_finite() && value >= 0.0;
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::Usage("a quantile lies strictly between 0 and 1".into()));
        }
        if !(is_share(self.flat) && is_share(self.stress_weight)) {
            return Err(Error::Usage("a haircut and a stress weight lie between 0 and 1".into()));
        }
        if !(is_amount(self.impact) && is_amount(self.size)) {
            return Err(Error::Usage("the impact and the size are finite and not negative".into()));
        }
        Ok(())
    }

    fn haircut(&self, rule: ReplayRule, past: &Past<'_>) -> Option<f64> {
        let loss = |tail: Option<Tail>| Some(tail?.estimate()?.loss);
        match rule {
            ReplayRule::Flat => Some(self.flat),
            ReplayRule::Gaussian => past.gaussian(self.level),
            ReplayRule::Recent => loss(past.recent(self.level)),
            ReplayRule::Full => loss(past.full(self.level)),
            ReplayRule::Floored => {
                let full = past.full(self.level)?;
                let long = full.estimate()?.loss;
                let recent = loss(past.recent(self.level)).unwrap_or(long);
                Some(Floor::Stress(self.stress_weight).apply(recent, long, &full).max(long))
            }
            ReplayRule::Tiered => {
                let daily_volatility = past.volatility(DAY_HOURS as f64)?;
                // Sizes are shares of the volume, whatever that is.
                let liquidity = Liquidity { volume: Volume::Daily(1.0), impact: self.impact, daily_volatility };
                Some(combined(&[self.haircut(ReplayRule::Floored, past)?, liquidity.slippage(self.size)]))
            }
        }
    }
}

fn held(rule: ReplayRule, at: usize, days: &[ReplayDay]) -> Held {
    let known = || days.iter().filter_map(move |day| Some((day, day.haircuts[at]?)));
    let count = known().count();
    let shortfall = |(day, haircut): (&ReplayDay, f64)| day.loss - haircut;
    Held {
        rule,
        days: count,
        covered: known().filter(|day| shortfall(*day) <= 0.0).count(),
        first_breach: known().find(|day| shortfall(*day) > 0.0).map(|(day, _)| day.hour),
        largest_shortfall: known().map(shortfall).fold(0.0, f64::max),
        mean: if count == 0 { 0.0 } else { known().map(|(_, haircut)| haircut).sum::<f64>() / count as f64 },
    }
}

/// The courses that lost almost everything: those whose last quote is at most `share` of their highest, in the order of the
/// history, and that end before it does.
pub fn total_losses(history: &History, share: f64) -> Vec<&Course> {
    let ended = |course: &&Course| {
        let Some(last) = course.last_quoted() else { return false };
        let highest = course.closes.iter().copied().fold(f64::NAN, f64::max);
        last + 1 < history.hours.len() && course.closes[last] <= share * highest
    };
    history.courses.iter().filter(ended).collect()
}
