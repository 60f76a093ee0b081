//! Rules of allocation by name.

use super::{QueueScore, Winner, min_max, pro_rata, queue, water_fill};

/// Which winners pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllocationRule {
    /// The most levered first, down to a common leverage: [`water_fill`].
    Leverage,
    /// In proportion to capacity: [`pro_rata`].
    ProRata,
    /// A queue by profit ratio and leverage: [`QueueScore::ProfitLeverage`].
    QueueProfitLeverage,
    /// A queue by mark over entry price and leverage: [`QueueScore::MarkEntry`].
    QueueMarkEntry,
    /// The largest haircut as small as possible: [`min_max`].
    MinMax,
}

impl AllocationRule {
    /// Every rule.
    pub const ALL: [Self; 5] =
        [Self::Leverage, Self::ProRata, Self::QueueProfitLeverage, Self::QueueMarkEntry, Self::MinMax];

    /// Its name in files and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leverage => "leverage",
            Self::ProRata => "pro_rata",
            Self::QueueProfitLeverage => "queue_profit_leverage",
            Self::QueueMarkEntry => "queue_mark_entry",
            Self::MinMax => "min_max",
        }
    }

    /// What is taken of each winner, in quanta, beside `winners`: between 0 and its capacity, in sum the budget or, where
    /// that is larger, all capacities. A budget below 0 takes nothing. Deterministic; the order of `winners` is irrelevant.
    pub fn allocate(self, winners: &[Winner], budget: i128) -> Vec<i128> {
        match self {
            Self::Leverage => water_fill::allocate(winners, budget),
            Self::ProRata => pro_rata::allocate(winners, budget),
            Self::QueueProfitLeverage => queue::allocate(winners, QueueScore::ProfitLeverage, budget),
            Self::QueueMarkEntry => queue::allocate(winners, QueueScore::MarkEntry, budget),
            Self::MinMax => min_max::allocate(winners, budget),
        }
    }
}
