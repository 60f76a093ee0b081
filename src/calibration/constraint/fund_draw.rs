//! What insurance pays after liquidations.

use super::super::landscape::Reading;
use super::super::loss_measure::LossMeasure;
use super::Limit;
use crate::liquidation::{Outcome, Quanta};

/// What pools owe after their liquidation stays within a limit: paid by the fund, taken from others' profits, spread over
/// members or paid by nobody. Liquidations run in the worst scenarios alone; in the others nothing is owed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FundDraw {
    /// What is read from the sums by scenario.
    pub measure: LossMeasure,
    /// Level of a measure that has one, in (0, 1).
    pub level: f64,
    /// The most of it.
    pub limit: Limit,
    /// Scenarios that are run, those with the largest sum of negative equity; ≥ 1.
    pub worst: usize,
}

impl FundDraw {
    /// Reads the liquidations of the scenarios at `places`, the worst first.
    pub(in crate::calibration) fn reading(
        &self,
        (outcome, places): (&Outcome, &[usize]),
        (weights, fund, relaxed): (&[f64], f64, f64),
    ) -> Reading {
        let mut owed = vec![0.0; weights.len()];
        for (summary, &place) in outcome.scenarios.iter().zip(places).take(self.worst) {
            let tally = &summary.tally;
            let parts = [tally.fund_draw, tally.haircut, tally.socialised, tally.uncovered];
            owed[place] = parts.into_iter().map(Quanta::units).sum();
        }
        let loss = self.measure.of(&owed, weights, self.level);
        self.limit.reading(loss, fund, relaxed)
    }
}
