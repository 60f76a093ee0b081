use super::falls::Fall;
use super::history::{Course, History};
use super::procyclical::Floor;
use super::sample::Sample;
use super::tail::{Estimate, Tail};
use crate::scenario::inverse_normal;

/// Hours of a day.
const DAY_HOURS: i64 = 24;

/// What is known of one course at a moment: the falls whose windows have ended by then. It only moves forward.
#[derive(Debug)]
pub(super) struct Past<'h> {
    hours: &'h [i64],
    falls: &'h [Fall],
    span: i64,
    step: i64,
    look_back: Option<i64>,
    /// First fall that is not known yet, and first that has not been forgotten.
    next: usize,
    oldest: usize,
    full: Sample,
    recent: Sample,
    squares: Squares,
    now: usize,
}

/// What a past says of the next window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Said {
    /// Tail within the look-back.
    pub(super) recent: Tail,
    /// Tail of everything known.
    pub(super) full: Tail,
    /// What the former says.
    pub(super) estimate: Estimate,
    /// That under the floor, in [0, 1].
    pub(super) haircut: f64,
}

impl<'h> Past<'h> {
    /// Nothing known yet. `look_back_days` limits the recent falls; `None` keeps all.
    pub(super) fn new(
        history: &'h History,
        course: &Course,
        falls: &'h [Fall],
        span: i64,
        look_back_days: Option<u32>,
    ) -> Self {
        Self {
            hours: &history.hours,
            falls,
            span,
            step: history.step_hours(),
            look_back: look_back_days.map(|days| i64::from(days) * DAY_HOURS),
            next: 0,
            oldest: 0,
            full: Sample::default(),
            recent: Sample::default(),
            squares: Squares::of(history, course),
            now: 0,
        }
    }

    /// Moves to a row: falls that have ended by then become known, recent ones that began too long before are forgotten.
    pub(super) fn move_to(&mut self, row: usize) {
        /// Numbers from which sorting anew is quicker than putting them in one by one.
        const MANY: usize = 256;
        self.now = row;
        let now = self.hours[row];
        let ended = |fall: &Fall| self.hours[fall.entry] + self.span <= now;
        let next = self.next + self.falls[self.next..].iter().take_while(|fall| ended(fall)).count();
        let is_old = |fall: &Fall| self.look_back.is_some_and(|hours| self.hours[fall.entry] < now - hours);
        let oldest = self.oldest + self.falls[self.oldest..next].iter().take_while(|fall| is_old(fall)).count();
        let losses = |falls: &'h [Fall]| falls.iter().map(|fall| fall.loss);
        if next - self.next > MANY {
            self.full = Sample::of(losses(&self.falls[..next]));
            self.recent = Sample::of(losses(&self.falls[oldest..next]));
        } else {
            for loss in losses(&self.falls[self.next..next]) {
                self.full.insert(loss);
                self.recent.insert(loss);
            }
            losses(&self.falls[self.oldest..oldest]).for_each(|loss| self.recent.remove(loss));
        }
        (self.next, self.oldest) = (next, oldest);
    }

    /// The estimate within the look-back, under a floor; `None` with fewer than thirty independent windows within the look-back:
    /// nothing is said then, whatever happened before.
    pub(super) fn says(&self, level: f64, floor: Floor) -> Option<Said> {
        let (recent, full) = (self.recent(level)?, self.full(level)?);
        let (estimate, long) = (recent.estimate()?, full.estimate()?);
        let haircut = floor.apply(estimate.loss, long.loss, &full).clamp(0.0, 1.0);
        Some(Said { recent, full, estimate, haircut })
    }

    /// Windows within the look-back, and how many independent ones they are worth.
    pub(super) fn recent_windows(&self) -> (usize, f64) {
        (self.recent.len(), self.independent(&self.recent))
    }

    /// Tail of everything known.
    pub(super) fn full(&self, level: f64) -> Option<Tail> {
        self.tail(&self.full, level)
    }

    /// Tail of what is within the look-back.
    pub(super) fn recent(&self, level: f64) -> Option<Tail> {
        self.tail(&self.recent, level)
    }

    fn tail(&self, sample: &Sample, level: f64) -> Option<Tail> {
        Tail::of(sample, self.independent(sample), level)
    }

    fn independent(&self, sample: &Sample) -> f64 {
        sample.len() as f64 * self.step as f64 / self.span as f64
    }

    /// Standard deviation of the log-return over `hours`, taken to grow with the root of time and to have mean 0; `None`
    /// without a return.
    pub(super) fn volatility(&self, hours: f64) -> Option<f64> {
        Some(self.squares.per_step(self.now)? * libm::sqrt(hours / self.step as f64))
    }

    /// What a normal distribution would say: min(1, z·σ·√span).
    pub(super) fn gaussian(&self, level: f64) -> Option<f64> {
        Some((inverse_normal(level) * self.volatility(self.span as f64)?).clamp(0.0, 1.0))
    }
}

/// Σ of squared log-returns of consecutive rows up to each row, and how many.
#[derive(Debug)]
struct Squares {
    up_to: Vec<(f64, usize)>,
}

impl Squares {
    fn of(history: &History, course: &Course) -> Self {
        let step = history.step_hours();
        let mut up_to = vec![(0.0, 0); history.hours.len()];
        for row in 1..up_to.len() {
            let (sum, count) = up_to[row - 1];
            let change = libm::log(course.closes[row] / course.closes[row - 1]);
            let is_step = history.hours[row] - history.hours[row - 1] == step && change.is_finite();
            up_to[row] = if is_step { (sum + change * change, count + 1) } else { (sum, count) };
        }
        Self { up_to }
    }

    fn per_step(&self, row: usize) -> Option<f64> {
        let (sum, count) = *self.up_to.get(row)?;
        (count > 0).then(|| libm::sqrt(sum / count as f64))
    }
}
