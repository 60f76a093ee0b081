//! What a rule answers.

use super::{Leg, Target};

/// Answer of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// Notional to cut of each leg, quote units, in \[0, N\]: `[n_legs]`.
    Cuts(Vec<f64>),
    /// No partial restoration exists: all useful cuts together gain less than the shortfall. Compared in f64, so within
    /// rounding of equality either may be said.
    Infeasible,
}

/// What Σ g_i(x_i) of `cuts` comes to, quote units.
pub(super) fn gain_quote(legs: &[Leg], cuts: &[f64], target: Target) -> f64 {
    legs.iter().zip(cuts).map(|(leg, cut)| leg.gain_quote(*cut, target)).sum()
}

/// The frame of every partial rule: no cut without a shortfall, infeasible where all useful cuts do not reach it, otherwise
/// `cuts` of the useful cuts, `[n_legs]` units of notional, which do.
pub(super) fn restore(legs: &[Leg], target: Target, cuts: impl FnOnce(&[f64]) -> Vec<f64>) -> Choice {
    debug_assert!(legs.iter().all(Leg::is_well_formed), "the caller refuses legs that are not finite or in range");
    debug_assert!(target.is_well_formed(), "the caller refuses targets that are not finite or in range");
    if target.shortfall_quote <= 0.0 {
        return Choice::Cuts(vec![0.0; legs.len()]);
    }
    let useful: Vec<f64> = legs.iter().map(|leg| leg.useful_cut(target)).collect();
    if gain_quote(legs, &useful, target) < target.shortfall_quote {
        return Choice::Infeasible;
    }
    Choice::Cuts(cuts(&useful))
}
