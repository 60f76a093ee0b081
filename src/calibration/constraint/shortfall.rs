//! What all accounts lose beyond their resources.

use super::super::landscape::Reading;
use super::super::loss_measure::LossMeasure;
use super::{Limit, View};

/// What is lost beyond resources stays within a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shortfall {
    /// What is read from the sums by scenario.
    pub measure: LossMeasure,
    /// Level of a measure that has one, in (0, 1).
    pub level: f64,
    /// The most of it.
    pub limit: Limit,
}

impl Shortfall {
    pub(super) fn reading(&self, view: &View<'_>) -> Reading {
        let loss = self.measure.of(&view.measured.shortfall, view.weights, self.level);
        self.limit.reading(loss, view.measured.fund, view.relaxed)
    }
}
