//! The position that lost most goes first.

use super::{Choice, Leg, Target, choice::restore, fill::fill_by_rank};

/// Restores by cutting whole legs, the largest unrealised loss first and equal ones by index, the last one in part; legs in
/// profit follow, the smallest profit first. A leg is cut no further than it helps.
pub fn largest_loss(legs: &[Leg], target: Target) -> Choice {
    restore(legs, target, |useful| fill_by_rank(legs, target, useful, |leg| leg.profit_quote))
}
