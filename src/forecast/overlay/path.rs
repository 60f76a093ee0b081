//! Outlooks become multipliers, step by step, by the coefficients of a rulebook's overlay.

use std::collections::VecDeque;

use super::reason::{Change, Reason};
use crate::forecast::Outlook;
use crate::margin::{InForce, MarginSide, OverlayCoefficients, Requirement};

/// Multipliers are whole ten-thousandths, so that a rulebook can be read and a decay ends.
const STEPS_PER_UNIT: f64 = 1e4;
/// Hours within which a rise is limited, and that one step of a fall covers at most.
const DAY_HOURS: f64 = 24.0;

/// A multiplier before and after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Move {
    /// Before.
    pub from: f64,
    /// After.
    pub to: f64,
    /// Why it is what it is.
    pub reason: Reason,
}

/// Both multipliers at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Hours since 1970-01-01 00:00 UTC.
    pub hour: i64,
    /// Where the initial multiplier is heading: √((blend·v + (1 − blend)·v_LT)/v_LT), within floor and cap.
    pub target: f64,
    /// The initial multiplier.
    pub initial: Move,
    /// The maintenance multiplier.
    pub maintenance: Move,
}

/// What a path is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subject<'a> {
    /// The underlying.
    pub underlying: &'a str,
    /// Hash of the model that made the outlooks, where there is one.
    pub model: Option<&'a str>,
}

/// A series of steps and every change among them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Path {
    /// A step for each usable outlook, in order of time.
    pub steps: Vec<Step>,
    /// Changes, in order of time, the initial one first.
    pub changes: Vec<Change>,
}

/// The multipliers in force and what the rules look back on.
///
/// The initial multiplier goes to its target at once where it may: a rise stays within 1 + `rise_per_day` times the lowest
/// initial multiplier of the last 24 hours; a fall leaves half of its distance behind in `half_life_days`, one step the part of the
/// time since the last change, a day at most. The maintenance
/// multiplier is the lowest initial one of the last `notice_hours`: so it rises after notice, falls at once, and never is above
/// the initial one.
#[derive(Debug, Clone, PartialEq)]
pub struct Follower {
    coefficients: OverlayCoefficients,
    /// Initial multipliers and since when, the one in force last; never empty.
    initial: VecDeque<(i64, f64)>,
    maintenance: f64,
    /// The hour of the last step.
    hour: i64,
    /// The outlook of the last step.
    outlook: Option<Outlook>,
}

impl Follower {
    /// The hour of what has always been in force.
    pub(super) const ALWAYS: i64 = i64::MIN;

    /// Multipliers of 1 (or the nearest of floor and cap) that have always been in force.
    pub fn at_rest(coefficients: OverlayCoefficients) -> Self {
        let multiplier = within(1.0, &coefficients);
        let initial = VecDeque::from([(Self::ALWAYS, multiplier)]);
        Self { coefficients, initial, maintenance: multiplier, hour: Self::ALWAYS, outlook: None }
    }

    /// The state that a rulebook holds.
    pub fn of(coefficients: OverlayCoefficients, in_force: &InForce) -> Self {
        let hour = hour_of(in_force.since);
        let earlier = in_force.earlier.iter().map(|earlier| (hour_of(earlier.since), earlier.initial));
        let initial = earlier.chain([(hour, in_force.initial)]).collect();
        Self { coefficients, initial, maintenance: in_force.maintenance, hour, outlook: None }
    }

    /// Multipliers in force.
    pub fn multipliers(&self) -> Requirement<f64> {
        Requirement { initial: self.last().1, maintenance: self.maintenance }
    }

    /// The initial multipliers that the rules may still look back on, with their hours, the one in force last.
    pub(super) fn initial_steps(&self) -> impl DoubleEndedIterator<Item = (i64, f64)> + '_ {
        self.initial.iter().copied()
    }

    /// The next step. `None` leaves everything as it is: an outlook that is not later than the last step, or whose variances
    /// are not positive numbers.
    pub fn step(&mut self, outlook: &Outlook) -> Option<Step> {
        let (target, reason) = self.target(outlook)?;
        if outlook.hour <= self.hour {
            return None;
        }
        let (from, maintenance_from) = (self.last().1, self.maintenance);
        let initial = self.moved(outlook.hour, from, target, reason);
        if initial.to != from {
            self.initial.push_back((outlook.hour, initial.to));
        }
        let notice_hours = self.coefficients.notice_hours;
        self.maintenance = self.lowest_within(outlook.hour, notice_hours);
        let reason = if self.maintenance > maintenance_from { Reason::Notice } else { initial.reason };
        let maintenance = Move { from: maintenance_from, to: self.maintenance, reason };
        self.hour = outlook.hour;
        self.outlook = Some(*outlook);
        self.forget_superseded(outlook.hour);
        Some(Step { hour: outlook.hour, target, initial, maintenance })
    }

    fn last(&self) -> (i64, f64) {
        self.initial.back().copied().unwrap_or((Self::ALWAYS, self.maintenance))
    }

    /// The target within floor and cap, and why it is there.
    fn target(&self, outlook: &Outlook) -> Option<(f64, Reason)> {
        let Outlook { variance, long_run_variance, .. } = *outlook;
        if !outlook.is_usable() {
            return None;
        }
        let OverlayCoefficients { blend, floor, cap, .. } = self.coefficients;
        let free = libm::sqrt(blend * (variance / long_run_variance) + (1.0 - blend));
        let reason = match free {
            free if free > cap => Reason::Cap,
            free if free < floor => Reason::Floor,
            _ => self.mover(outlook),
        };
        Some((within(published(free), &self.coefficients), reason))
    }

    /// Which of the two variances moved more since the last step.
    fn mover(&self, outlook: &Outlook) -> Reason {
        let Some(before) = &self.outlook else { return Reason::Forecast };
        let distance = |now: f64, before: f64| libm::fabs(libm::log(now / before));
        let of_forecast = distance(outlook.variance, before.variance);
        let of_long_run = distance(outlook.long_run_variance, before.long_run_variance);
        if of_long_run > of_forecast { Reason::LongRun } else { Reason::Forecast }
    }

    /// Where the initial multiplier goes on its way to the target.
    fn moved(&self, hour: i64, from: f64, target: f64, reason: Reason) -> Move {
        let coefficients = &self.coefficients;
        if target > from {
            let limit = (1.0 + coefficients.rise_per_day) * self.lowest_within(hour, DAY_HOURS);
            let limit = within(published(limit), coefficients).max(from);
            return match limit < target {
                true => Move { from, to: limit, reason: Reason::RateLimit },
                false => Move { from, to: target, reason },
            };
        }
        let days = hours_between(self.last().0, hour).min(DAY_HOURS) / DAY_HOURS;
        let left = libm::exp2(-days / coefficients.half_life_days);
        let decayed = within(published(target + (from - target) * left), coefficients).clamp(target, from);
        match decayed > target {
            true => Move { from, to: decayed, reason: Reason::Decay },
            false => Move { from, to: target, reason },
        }
    }

    /// The lowest initial multiplier in force at some moment from `hours` before `hour` on.
    fn lowest_within(&self, hour: i64, hours: f64) -> f64 {
        let mut lowest = f64::INFINITY;
        for &(since, initial) in self.initial.iter().rev() {
            lowest = lowest.min(initial);
            if hours_between(since, hour) >= hours {
                break;
            }
        }
        lowest
    }

    /// Whole hours that the rules look back on.
    pub(super) fn look_back_hours(&self) -> i64 {
        libm::ceil(self.coefficients.notice_hours.max(DAY_HOURS)) as i64
    }

    /// Drops multipliers that no rule looks back on from `hour` on.
    fn forget_superseded(&mut self, hour: i64) {
        let hours = self.look_back_hours() as f64;
        while self.initial.get(1).is_some_and(|(since, _)| hours_between(*since, hour) >= hours) {
            self.initial.pop_front();
        }
    }
}

/// Follows a series of outlooks from multipliers at rest. Outlooks that [`Follower::step`] refuses are left out.
pub fn follow(coefficients: &OverlayCoefficients, outlooks: &[Outlook], subject: Subject<'_>) -> Path {
    let mut follower = Follower::at_rest(*coefficients);
    let mut path = Path::default();
    for step in outlooks.iter().filter_map(|outlook| follower.step(outlook)) {
        path.changes.extend(step.changes(subject));
        path.steps.push(step);
    }
    path
}

impl Step {
    /// What the step changes, the initial multiplier first.
    pub(super) fn changes(self, subject: Subject<'_>) -> impl Iterator<Item = Change> {
        let moves = [(MarginSide::Initial, self.initial), (MarginSide::Maintenance, self.maintenance)];
        let changed = moves.into_iter().filter(|(_, moved)| moved.from != moved.to);
        changed.map(move |(side, Move { from, to, reason })| Change {
            hour: self.hour,
            underlying: subject.underlying.into(),
            side,
            from,
            to,
            reason,
            model: subject.model.map(str::to_owned),
        })
    }
}

/// Whole hours since 1970-01-01 00:00 UTC of a moment, rounded down.
fn hour_of(moment: jiff::Timestamp) -> i64 {
    moment.as_second().div_euclid(3_600)
}

fn hours_between(earlier: i64, later: i64) -> f64 {
    later as f64 - earlier as f64
}

/// Rounded down to a whole ten-thousandth; what is one already stays, whatever its last bit.
fn published(multiplier: f64) -> f64 {
    libm::floor(multiplier * STEPS_PER_UNIT + 1e-6) / STEPS_PER_UNIT
}

fn within(multiplier: f64, coefficients: &OverlayCoefficients) -> f64 {
    if multiplier < coefficients.floor { coefficients.floor } else { multiplier.min(coefficients.cap) }
}
