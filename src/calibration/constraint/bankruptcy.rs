//! How many of the liquidated pools are bankrupt.

use super::super::landscape::Reading;
use super::Limit;
use crate::engine::Outcome;

/// Of the pools that fall below their maintenance margin in a scenario, at most a share is bankrupt there: liquidation comes in
/// time for the others. Pools have what the book says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BankruptcyGivenLiquidation {
    /// The largest share, in (0, 1).
    pub limit: f64,
}

impl BankruptcyGivenLiquidation {
    /// Reads a sweep of the candidate: Σ w·bankrupt / Σ w·liquidatable, 0 where nothing is liquidated.
    pub(in crate::calibration) fn reading(&self, outcome: &Outcome, weights: &[f64], relaxed: f64) -> Reading {
        let sums = outcome.scenarios.iter().zip(weights).fold((0.0, 0.0), |sum, (scenario, weight)| {
            (sum.0 + weight * scenario.bankrupt_pools as f64, sum.1 + weight * scenario.liquidatable_pools as f64)
        });
        let share = if sums.1 > 0.0 { sums.0 / sums.1 } else { 0.0 };
        Limit::Amount(self.limit).reading(share, 0.0, relaxed)
    }
}
