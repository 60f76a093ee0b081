//! What must hold of every rule for every pool.

use proptest::prelude::*;

use super::super::{Choice, Leg, LegImpact, Target, choose, single};
use super::RULES;
use crate::policy::CutRule;

/// Rounding, relative to the largest of the amounts compared.
const ROUNDING: f64 = 1e-9;

fn impacts() -> impl Strategy<Value = LegImpact> {
    prop_oneof![
        Just(LegImpact::None),
        prop_oneof![Just(0.0), 1e-11..1e-6f64].prop_map(|slope| LegImpact::Linear { slope }),
        prop_oneof![Just(0.0), 1e-8..1e-4f64].prop_map(|coefficient| LegImpact::SquareRoot { coefficient }),
    ]
}

prop_compose! {
    fn legs()(
        notional in prop_oneof![Just(0.0), 1.0..1e7f64], relief in -0.02..0.2f64, cost in prop_oneof![Just(0.0), 0.0..0.05f64],
        impact in impacts(), profit_quote in -1e5..1e5f64,
    ) -> Leg {
        Leg { notional_quote: notional, relief, cost, impact, profit_quote }
    }
}

prop_compose! {
    /// A pool and a shortfall that is `share` of what its useful cuts gain.
    fn pools()(
        legs in prop::collection::vec(legs(), 1..8), health in 1.0..2.0f64, share in 1e-6..1.4f64,
    ) -> (Vec<Leg>, Target, f64) {
        let target = Target { shortfall_quote: 1.0, health };
        let reach: f64 = legs.iter().map(|leg| leg.gain_quote(leg.useful_cut(target), target)).sum();
        (legs, Target { shortfall_quote: reach * share, health }, share)
    }
}

fn total(legs: &[Leg], cuts: &[f64], of: impl Fn(&Leg, f64) -> f64) -> f64 {
    legs.iter().zip(cuts).map(|(leg, cut)| of(leg, *cut)).sum()
}

fn cost(legs: &[Leg], cuts: &[f64]) -> f64 {
    total(legs, cuts, Leg::cost_quote)
}

/// Price impact of a market `times` as deep.
fn deepened(impact: LegImpact, times: f64) -> LegImpact {
    match impact {
        LegImpact::None => LegImpact::None,
        LegImpact::Linear { slope } => LegImpact::Linear { slope: slope / times },
        LegImpact::SquareRoot { coefficient } => LegImpact::SquareRoot { coefficient: coefficient / times.sqrt() },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn restores_exactly_when_the_useful_cuts_do((legs, target, share) in pools()) {
        prop_assume!(target.shortfall_quote > 0.0 && (share - 1.0).abs() > ROUNDING);
        for rule in RULES.into_iter().skip(1) {
            match choose(rule, &legs, target) {
                Choice::Infeasible => prop_assert!(share > 1.0, "{:?} gives up", rule),
                Choice::Cuts(cuts) => {
                    prop_assert!(share < 1.0, "{:?} restores what cannot be", rule);
                    prop_assert_eq!(cuts.len(), legs.len());
                    for (leg, cut) in legs.iter().zip(&cuts) {
                        prop_assert!((0.0..=leg.useful_cut(target)).contains(cut), "{:?} cuts {cut} of {leg:?}", rule);
                    }
                    let gain = total(&legs, &cuts, |leg, cut| leg.gain_quote(cut, target));
                    let size = target.shortfall_quote + cost(&legs, &cuts);
                    prop_assert!((gain - target.shortfall_quote).abs() <= ROUNDING * size, "{:?}: {gain}", rule);
                }
            }
        }
    }

    #[test]
    fn no_cut_gains_more_than_the_useful_one((legs, target, _) in pools(), share in 0.0..1.0f64) {
        for leg in &legs {
            let useful = leg.useful_cut(target);
            prop_assert!((0.0..=leg.notional_quote).contains(&useful));
            let best = leg.gain_quote(useful, target);
            let other = leg.gain_quote(share * leg.notional_quote, target);
            prop_assert!(other <= best + ROUNDING * (1.0 + best.abs()), "{other} above {best}: {leg:?}");
        }
    }

    #[test]
    fn no_rule_beats_another_at_its_own((legs, target, _) in pools()) {
        let chosen = |rule: CutRule| match choose(rule, &legs, target) {
            Choice::Cuts(cuts) => Some((cost(&legs, &cuts), cuts.iter().sum::<f64>())),
            Choice::Infeasible => None,
        };
        let (cheapest, smallest) = (chosen(CutRule::MinCost), chosen(CutRule::LeastNotional));
        for rule in RULES {
            if let (Some(cheapest), Some(smallest), Some((cost, notional))) = (cheapest, smallest, chosen(rule)) {
                let slack = ROUNDING * (cost + target.shortfall_quote);
                prop_assert!(cheapest.0 <= cost + slack, "{rule:?} costs {cost}, min_cost {}", cheapest.0);
                prop_assert!(smallest.1 <= notional * (1.0 + ROUNDING), "{rule:?} cuts {notional} < {}", smallest.1);
            }
        }
    }

    #[test]
    fn a_book_and_a_market_of_another_size_scale((legs, target, _) in pools(), power in -3i32..8) {
        // Powers of 4 keep every rounding: their roots are powers of 2.
        let times = 4f64.powi(power);
        let larger: Vec<Leg> = legs.iter().map(|leg| Leg {
            notional_quote: leg.notional_quote * times,
            impact: deepened(leg.impact, times),
            ..*leg
        }).collect();
        let more = Target { shortfall_quote: target.shortfall_quote * times, ..target };
        for rule in RULES {
            match (choose(rule, &legs, target), choose(rule, &larger, more)) {
                (Choice::Cuts(cuts), Choice::Cuts(scaled)) => {
                    for (cut, scaled) in cuts.iter().zip(scaled) {
                        // Cuts of next to nothing may be subnormal, and lose digits.
                        prop_assert!((scaled - times * cut).abs() < 1e-300, "{:?}: {cut}, {scaled}", rule);
                    }
                }
                (choice, scaled) => prop_assert_eq!(choice, scaled, "{:?}", rule),
            }
        }
    }

    #[test]
    fn one_leg_is_cut_alike_by_every_rule(leg in legs(), health in 1.0..2.0f64, share in 1e-6..0.999f64) {
        let leg = Leg { notional_quote: leg.notional_quote + 1.0, relief: leg.cost + leg.relief.abs() + 0.001, ..leg };
        let target = Target { shortfall_quote: 1.0, health };
        let reach = leg.gain_quote(leg.useful_cut(target), target);
        let target = Target { shortfall_quote: share * reach, health };
        let closed = single(&leg, target).unwrap_or(f64::NAN);
        for rule in RULES.into_iter().skip(1) {
            let choice = choose(rule, &[leg], target);
            prop_assert!(matches!(&choice, Choice::Cuts(cuts) if (cuts[0] - closed).abs() <= 1e-7 * closed), "{choice:?}, {closed}");
        }
    }
}
