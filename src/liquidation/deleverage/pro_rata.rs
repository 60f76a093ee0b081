//! Everyone the same fraction of its capacity, or a fraction by weight.

use num_bigint::BigUint;

use super::level::{Claim, Level};
use super::shares::Quotas;
use super::winner::{Winner, divide, quanta};

/// Takes `budget` from winners in proportion to their capacities, by largest remainders. A budget beyond all capacities takes
/// them whole, one below 0 nothing.
pub fn allocate(winners: &[Winner], budget: i128) -> Vec<i128> {
    let capacities: Vec<i128> = winners.iter().map(|winner| winner.capacity).collect();
    allocate_by_weight(winners, &capacities, budget)
}

/// Takes min(capacity, τ · weight) from each winner, τ such that the amounts sum to `budget`, which is bounded as in
/// [`allocate`]. With a capacity of β · c and a weight of w · c these are the risk-aware haircuts min(β, τ · w) on amounts c
/// of T. Chitra et al. ("Autodeleveraging: impossibilities and optimization", 2025).
///
/// Weights are relative. Winners whose weight is 0, below 0 or missing give once all others gave everything, in proportion
/// to their capacities.
pub fn allocate_by_weight(winners: &[Winner], weights: &[i128], budget: i128) -> Vec<i128> {
    let claim = |index: usize| Claim {
        weight: weights.get(index).copied().map_or(0, quanta),
        cap: quanta(winners[index].capacity),
    };
    divide(winners, claim, |claims| capped(claims, &quanta(budget).into()))
}

/// The level, rounded by largest remainders. Shares below their caps stay there: a share rounded up is at most a cap that
/// the share itself is below.
fn capped(claims: &[Claim], total: &BigUint) -> Vec<u128> {
    let Level { at_cap, weights, rest } = Level::of(claims, total);
    let shares = Quotas::of(&weights, &rest).largest_remainder();
    at_cap.into_iter().zip(shares).map(|(cap, share)| cap + share).collect()
}
