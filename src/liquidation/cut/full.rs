//! Everything.

use super::{Choice, Leg, Target};

/// Closes every leg, toxic ones too, whether that restores or not; nothing without a shortfall. Never infeasible.
pub fn full(legs: &[Leg], target: Target) -> Choice {
    let is_needed = target.shortfall_quote > 0.0;
    Choice::Cuts(legs.iter().map(|leg| if is_needed { leg.notional_quote } else { 0.0 }).collect())
}
