//! The share of a history's losses that a requirement moved by the overlay covers.

use super::super::landscape::Reading;
use super::super::loss_measure::share_of;
use crate::forecast::overlay::Figures;

/// Of the worst losses of the day after each step of the job's history, those of long and of short outright positions by themselves,
/// at least a share stays within the requirement of the moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OverlayCoverage {
    /// The share, in (0, 1).
    pub level: f64,
}

impl OverlayCoverage {
    /// The lower share of both sides, against the level; `relaxed` multiplies what may exceed.
    pub(in crate::calibration) fn reading(&self, figures: &Figures, relaxed: f64) -> Reading {
        let tolerated = share_of(self.level) * relaxed;
        let value = figures.coverage.unwrap_or(1.0);
        Reading { value, limit: 1.0 - tolerated, slack: (tolerated - share_of(value)) / tolerated }
    }
}
