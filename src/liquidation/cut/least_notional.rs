//! The restoration that cuts least.

use super::{Choice, Leg, Target, search::search};

/// Restores with the least notional: min Σ x_i with Σ g_i(x_i) = S.
///
/// Each leg is cut until its marginal gain τ·m_i − k_i′(x_i) has fallen to a common level, which is what is searched for. Without
/// impact: legs by τ·m_i − c_i descending.
pub fn least_notional(legs: &[Leg], target: Target) -> Choice {
    let highest = legs.iter().map(|leg| target.health * leg.relief).fold(0.0, f64::max);
    search(legs, target, highest, 0.0, |leg, level| leg.cut_below(target.health * leg.relief - level))
}
