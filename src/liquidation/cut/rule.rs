//! The rules by name.

use super::{Choice, Leg, Target, full, largest_loss, largest_relief, least_notional, min_cost, pro_rata};
use crate::policy::CutRule;

/// Cuts of `legs` that reach `target` by a rule that reads legs alone; the rules that ask for more (`step_down`, `program`) cut
/// nothing here.
pub fn choose(rule: CutRule, legs: &[Leg], target: Target) -> Choice {
    match rule {
        CutRule::Full => full(legs, target),
        CutRule::MinCost => min_cost(legs, target),
        CutRule::LeastNotional => least_notional(legs, target),
        CutRule::ProRata => pro_rata(legs, target),
        CutRule::LargestLoss => largest_loss(legs, target),
        CutRule::LargestRelief => largest_relief(legs, target),
        CutRule::StepDown | CutRule::Program => Choice::Infeasible,
    }
}
