//! Legs cut one after the other until the shortfall is gone.

use super::{Leg, Target, choice::gain_quote, single::single};

/// Raises the cuts `from` to `to` leg by leg in `order`, the last one in part, until they restore. Both are `[n_legs]` units
/// of notional, `from` ≤ `to` ≤ useful; `to` restores.
pub(super) fn fill(
    legs: &[Leg],
    target: Target,
    order: impl IntoIterator<Item = usize>,
    from: Vec<f64>,
    to: &[f64],
) -> Vec<f64> {
    let mut remaining = target.shortfall_quote - gain_quote(legs, &from, target);
    let mut cuts = from;
    for index in order {
        let (leg, least, most) = (&legs[index], cuts[index], to[index]);
        let before = leg.gain_quote(least, target);
        let gain = leg.gain_quote(most, target) - before;
        if gain >= remaining {
            let part = Target { shortfall_quote: before + remaining, ..target };
            cuts[index] = single(leg, part).unwrap_or(most).max(least).min(most);
            break;
        }
        cuts[index] = most;
        remaining -= gain;
    }
    cuts
}

/// Whole legs in the order of `rank`, smallest first and equal ones by index, cut as far as it helps; the last in part.
pub(super) fn fill_by_rank(legs: &[Leg], target: Target, useful: &[f64], rank: impl Fn(&Leg) -> f64) -> Vec<f64> {
    // −0 + 0 is 0: the total order tells the two zeros apart.
    let ranks: Vec<f64> = legs.iter().map(|leg| rank(leg) + 0.0).collect();
    let mut order: Vec<usize> = (0..legs.len()).collect();
    order.sort_by(|a, b| ranks[*a].total_cmp(&ranks[*b]));
    fill(legs, target, order, vec![0.0; legs.len()], useful)
}
