//! One after the other, by a published score.

use super::winner::Winner;

/// What winners are queued by, the highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueScore {
    /// Profit ratio · leverage in profit, profit ratio / leverage otherwise (BitMEX, MEXC).
    ProfitLeverage,
    /// Mark over entry price · leverage (Hyperliquid).
    MarkEntry,
}

impl QueueScore {
    /// The score of a winner; what is no number ranks last.
    pub fn of(self, winner: &Winner) -> f64 {
        let Winner { profit_ratio, price_ratio, leverage, .. } = *winner;
        let score = match self {
            Self::ProfitLeverage if profit_ratio > 0.0 => profit_ratio * leverage,
            Self::ProfitLeverage => profit_ratio / leverage,
            Self::MarkEntry => price_ratio * leverage,
        };
        if score.is_nan() { f64::NEG_INFINITY } else { score + 0.0 }
    }
}

/// Takes all of the first in the queue, then of the next, until `budget` is reached; ties go to the lower rank. A budget
/// beyond all capacities takes them whole, one below 0 nothing.
pub fn allocate(winners: &[Winner], score: QueueScore, budget: i128) -> Vec<i128> {
    let mut queue: Vec<(f64, usize)> = winners.iter().map(|winner| score.of(winner)).zip(0..).collect();
    queue.sort_by(|(a, i), (b, j)| b.total_cmp(a).then(winners[*i].rank.cmp(&winners[*j].rank)));
    let mut left = budget.max(0);
    let mut amounts = vec![0; winners.len()];
    for (_, index) in queue {
        amounts[index] = winners[index].capacity.clamp(0, left);
        left -= amounts[index];
    }
    amounts
}
