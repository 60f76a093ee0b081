//! The rules by name.

use super::{Choice, Leg, Target, full, largest_loss, largest_relief, least_notional, min_cost, pro_rata};

/// What to cut, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CutRule {
    /// [`full`]: everything.
    Full,
    /// [`min_cost`]: the cheapest restoration.
    MinCost,
    /// [`least_notional`]: the smallest restoration.
    LeastNotional,
    /// [`pro_rata`]: the same share of every leg.
    ProRata,
    /// [`largest_loss`]: losing legs first.
    LargestLoss,
    /// [`largest_relief`]: legs that release most margin first.
    LargestRelief,
}

impl CutRule {
    /// Every rule.
    pub const ALL: [Self; 6] =
        [Self::Full, Self::MinCost, Self::LeastNotional, Self::ProRata, Self::LargestLoss, Self::LargestRelief];

    /// Cuts of `legs` that reach `target`.
    pub fn choose(self, legs: &[Leg], target: Target) -> Choice {
        match self {
            Self::Full => full(legs, target),
            Self::MinCost => min_cost(legs, target),
            Self::LeastNotional => least_notional(legs, target),
            Self::ProRata => pro_rata(legs, target),
            Self::LargestLoss => largest_loss(legs, target),
            Self::LargestRelief => largest_relief(legs, target),
        }
    }

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::MinCost => "min_cost",
            Self::LeastNotional => "least_notional",
            Self::ProRata => "pro_rata",
            Self::LargestLoss => "largest_loss",
            Self::LargestRelief => "largest_relief",
        }
    }
}
