//! Leverage from the top: whoever is most levered is closed down to a common level.

use num_bigint::BigUint;

use super::level::Claim;
use super::min_max::lowest_peak;
use super::winner::{Winner, divide, quanta};

/// Quanta of a quote unit, in which equity is a weight.
const QUANTA: f64 = 1e8;

/// Takes `budget` so that the largest leverage that remains is the smallest possible in integers: each keeps
/// min(capacity, λ · equity), Σ (capacity − λ · equity)⁺ = budget (S. Campbell, J. Hey, C. Moallemi and M. Nutz,
/// "Risk-based auto-deleveraging", arXiv 2603.15963: it minimises expected future shortfall whatever the distribution).
/// A budget beyond all capacities takes them whole, one below 0 nothing.
///
/// Capacities are positions in one instrument, so contracts over equity compare as leverage does. Equity counts in whole
/// 1e-8 of a quote unit, rounded down; who has none is closed first.
pub fn allocate(winners: &[Winner], budget: i128) -> Vec<i128> {
    let claim = |index: usize| {
        let Winner { capacity, equity, .. } = winners[index];
        // The conversion takes NaN and what is below 0 as 0 and stops at the largest integer.
        Claim { weight: (equity * QUANTA) as u128, cap: quanta(capacity) }
    };
    divide(winners, claim, |claims| {
        let all: BigUint = claims.iter().map(|claim| claim.cap).sum();
        let taken = all.clone().min(quanta(budget).into());
        let kept = lowest_peak(claims, &(all - taken));
        claims.iter().zip(kept).map(|(claim, kept)| claim.cap - kept).collect()
    })
}
