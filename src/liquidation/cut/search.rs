//! Cuts that one number governs.

use super::{Choice, Leg, Target, choice::gain_quote, choice::restore, fill::fill};

/// Cuts `cut(leg, number)` at the number between `few` and `many` (both ≥ 0, in either order) at which they restore.
///
/// Every cut grows from 0 at `few` to the leg's useful cut at `many`. The search halves the distance in units in the last
/// place, so it ends after at most 64 steps with two neighbouring numbers. Legs without impact jump between the two, and are
/// filled by index: at one number they are equally good.
pub(super) fn search(legs: &[Leg], target: Target, few: f64, many: f64, cut: impl Fn(&Leg, f64) -> f64) -> Choice {
    restore(legs, target, |_| {
        let cuts_at = |bits: u64| -> Vec<f64> { legs.iter().map(|leg| cut(leg, f64::from_bits(bits))).collect() };
        let (mut few, mut many) = (few.to_bits(), many.to_bits());
        while few.abs_diff(many) > 1 {
            let middle = u64::midpoint(few, many);
            if gain_quote(legs, &cuts_at(middle), target) < target.shortfall_quote {
                few = middle;
            } else {
                many = middle;
            }
        }
        fill(legs, target, 0..legs.len(), cuts_at(few), &cuts_at(many))
    })
}
