//! The same share of every position.

use super::{Choice, Leg, Target, search::search};

/// Restores by cutting the same share of every leg, each no further than it helps; toxic legs stay.
pub fn pro_rata(legs: &[Leg], target: Target) -> Choice {
    search(legs, target, 0.0, 1.0, |leg, share| (share * leg.notional_quote).min(leg.useful_cut(target)))
}
