//! The position that holds most margin goes first.

use super::{Choice, Leg, Target, choice::restore, fill::fill_by_rank};

/// Restores by cutting whole legs, the largest release of maintenance margin m_i·N_i first and equal ones by index, the last
/// one in part. A leg is cut no further than it helps.
pub fn largest_relief(legs: &[Leg], target: Target) -> Choice {
    restore(legs, target, |useful| fill_by_rank(legs, target, useful, |leg| -leg.relief * leg.notional_quote))
}
