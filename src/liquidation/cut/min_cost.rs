//! The restoration that costs least.

use super::{Choice, Leg, Target, search::search};

/// Restores at least cost: min Σ k_i(x_i) with Σ g_i(x_i) = S.
///
/// With a multiplier λ on the shortfall, each leg is cut until its marginal cost is λ/(1 + λ)·τ·m_i: cost is paid from equity,
/// hence the 1 + λ. That share of τ·m_i is what is searched for, in \[0, 1\]. So
/// x_i = (λ(τm_i − c_i) − c_i)/(s_i(1 + λ)) for linear impact, \[(λ(τm_i − c_i) − c_i)/(1.5·a_i(1 + λ))\]² for square-root
/// impact, and the fractional knapsack, legs by c_i/(τm_i − c_i) ascending, without.
pub fn min_cost(legs: &[Leg], target: Target) -> Choice {
    search(legs, target, 0.0, 1.0, |leg, share| leg.cut_below(share * (target.health * leg.relief)))
}
