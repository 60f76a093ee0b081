//! Rules of allocation by name.

use crate::policy::Allocation;

use super::{QueueScore, Winner, min_max, pro_rata, queue, water_fill};

impl Allocation {
    /// What is taken of each winner, in quanta, beside `winners`: between 0 and its capacity, in sum the budget or, where
    /// that is larger, all capacities. A budget below 0 takes nothing. Deterministic; the order of `winners` is irrelevant.
    pub fn allocate(self, winners: &[Winner], budget: i128) -> Vec<i128> {
        match self {
            Self::Leverage => water_fill::allocate(winners, budget),
            Self::ProRata => pro_rata::allocate(winners, budget),
            Self::ProfitLeverage => queue::allocate(winners, QueueScore::ProfitLeverage, budget),
            Self::MarkEntry => queue::allocate(winners, QueueScore::MarkEntry, budget),
            Self::MinMax => min_max::allocate(winners, budget),
        }
    }
}
