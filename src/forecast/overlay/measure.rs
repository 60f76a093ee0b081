use super::excursion::Direction;
use crate::backtest::{Coverage, LikelihoodRatio, Procyclicality, conditional_coverage, proportion_of_failures};

/// What a margin rule covered of a history, and how it moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The rule.
    pub rule: String,
    /// Whose losses are meant.
    pub direction: Direction,
    /// Mean margin, a fraction of the price.
    pub mean_margin: f64,
    /// Every step: their days overlap, so exceedances come in clusters and tests do not apply.
    pub overlapping: Coverage,
    /// Days that do not overlap, with their tests.
    pub days: DayTests,
    /// How the margin moved.
    pub procyclicality: Procyclicality,
}

/// Coverage of days that do not overlap, and its tests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DayTests {
    /// The coverage.
    pub coverage: Coverage,
    /// Whether there are as many exceedances as there should be.
    pub proportion: Option<LikelihoodRatio>,
    /// Whether they come in clusters.
    pub independence: Option<LikelihoodRatio>,
    /// Both.
    pub conditional: Option<LikelihoodRatio>,
}

/// The losses of one direction, step by step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Losses<'a> {
    pub(super) direction: Direction,
    /// Hours of the steps.
    pub(super) hours: &'a [i64],
    /// Losses within the horizon of each step, fractions of the price.
    pub(super) losses: &'a [f64],
    /// The horizon.
    pub(super) horizon_hours: usize,
    /// Share that should be covered.
    pub(super) confidence: f64,
}

impl Losses<'_> {
    /// Measures a rule by its margins, one for each step.
    pub(super) fn measure(&self, rule: &str, margins: &[f64]) -> Measured {
        let pairs = || self.losses.iter().copied().zip(margins.iter().copied());
        Measured {
            rule: rule.into(),
            direction: self.direction,
            mean_margin: margins.iter().sum::<f64>() / margins.len().max(1) as f64,
            overlapping: Coverage::of(pairs()),
            days: self.day_tests(pairs()),
            procyclicality: Procyclicality::of(margins, self.steps_per_day()),
        }
    }

    /// The same from a step on.
    pub(super) fn since_step(self, first: usize) -> Self {
        let first = first.min(self.hours.len());
        Self { hours: &self.hours[first..], losses: &self.losses[first..], ..self }
    }

    fn day_tests(&self, pairs: impl Iterator<Item = (f64, f64)>) -> DayTests {
        let mut free_from = i64::MIN;
        let horizon = self.horizon_hours as i64;
        let apart = self.hours.iter().zip(pairs).filter(|(hour, _)| {
            let is_apart = **hour >= free_from;
            if is_apart {
                free_from = hour.saturating_add(horizon);
            }
            is_apart
        });
        let coverage = Coverage::of(apart.map(|(_, pair)| pair));
        let share = 1.0 - self.confidence;
        let proportion = proportion_of_failures(coverage.exceedances, coverage.observations, share);
        let independence = coverage.transitions.independence();
        let both = proportion.as_ref().zip(independence.as_ref());
        DayTests { coverage, proportion, independence, conditional: both.map(|(p, i)| conditional_coverage(p, i)) }
    }

    /// Steps a day, by the smallest distance of two.
    fn steps_per_day(&self) -> usize {
        let gap = self.hours.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).min().unwrap_or(24);
        usize::try_from(24 / gap.max(1)).unwrap_or(1).max(1)
    }
}
