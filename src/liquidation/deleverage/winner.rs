use super::level::Claim;

/// An account on the other side of a bankruptcy, from which a rule may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Winner {
    /// The most that can be taken, in quanta: contracts of the position that is closed, or profit (see
    /// [`profit_capacity`]). Below 0 counts as 0.
    pub capacity: i128,
    /// Equity of the account, quote units; what [`water_fill`](super::water_fill) divides the position by. Not above 0
    /// and NaN: no leverage is high enough.
    pub equity: f64,
    /// Unrealised profit of the position over its absolute entry value, a fraction; below 0 at a loss.
    pub profit_ratio: f64,
    /// Mark over entry price of a long, entry over mark price of a short: above 1 in profit.
    pub price_ratio: f64,
    /// Absolute notional of the position over the equity of the account.
    pub leverage: f64,
    /// Position in an order of all accounts that does not depend on how they are passed: it decides ties, the lower
    /// first. No two winners share one.
    pub rank: u32,
}

/// What a forced close can take from an account without touching its principal: max(0, equity − principal), all in quanta.
///
/// Counting the principal would promise money that closing a position at a worse price cannot yield.
pub fn profit_capacity(equity: i128, principal: i128) -> i128 {
    equity.saturating_sub(principal).max(0)
}

/// Divides among winners in the order of their ranks: `claim` is that of the winner at an index, `amounts` answers for claims
/// in rank order, at most the cap of each. The amounts stand where the winners stood.
pub(super) fn divide(
    winners: &[Winner],
    claim: impl Fn(usize) -> Claim,
    amounts: impl FnOnce(&[Claim]) -> Vec<u128>,
) -> Vec<i128> {
    let mut order: Vec<usize> = (0..winners.len()).collect();
    order.sort_by_key(|index| winners[*index].rank);
    let claims: Vec<Claim> = order.iter().map(|index| claim(*index)).collect();
    let mut divided = vec![0; winners.len()];
    for (index, amount) in order.into_iter().zip(amounts(&claims)) {
        // At most a capacity, which is an i128.
        divided[index] = amount as i128;
    }
    divided
}

/// A number of quanta that counts as 0 where it is below.
pub(super) fn quanta(amount: i128) -> u128 {
    amount.max(0).unsigned_abs()
}
