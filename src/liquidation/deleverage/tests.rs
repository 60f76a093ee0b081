use num_bigint::BigUint;
use proptest::prelude::*;

use super::*;
use crate::policy::Allocation;

const RULES: [Allocation; 5] =
    [Allocation::Leverage, Allocation::ProRata, Allocation::ProfitLeverage, Allocation::MarkEntry, Allocation::MinMax];

/// A winner of this capacity and equity, with nothing else to tell it apart but its rank.
fn winner(capacity: i128, equity: f64, rank: u32) -> Winner {
    Winner { capacity, equity, profit_ratio: 0.0, price_ratio: 1.0, leverage: 1.0, rank }
}

/// Equities (10, 20, 50) and positions of 100 contracts each, 100 to be closed: λ = 10/3, cuts of 66.67, 33.33 and 0.
#[test]
fn leverage_is_levelled_as_published() {
    const CONTRACT: i128 = 100_000_000;
    let winners = [winner(100 * CONTRACT, 10.0, 0), winner(100 * CONTRACT, 20.0, 1), winner(100 * CONTRACT, 50.0, 2)];
    let cuts = water_fill::allocate(&winners, 100 * CONTRACT);
    assert_eq!(cuts, [6_666_666_667, 3_333_333_333, 0]);
    let level = |index: usize| (100 * CONTRACT - cuts[index]) as f64 / 1e8 / winners[index].equity;
    assert!((level(0) - 10.0 / 3.0).abs() < 1e-8 && (level(1) - 10.0 / 3.0).abs() < 1e-8);
    assert_eq!(level(2), 2.0);
}

/// Six accounts of (10, 10, 20, 30, 20, 10) contracts whose scores stand in the order (3, 6, 1, 4, 5, 2): 20 contracts are
/// closed of the second and of the fifth account.
#[test]
fn the_queue_is_served_as_published() {
    let quantities = [10, 10, 20, 30, 20, 10];
    let scores = [3.0, 6.0, 1.0, 4.0, 5.0, 2.0];
    let winners: Vec<Winner> = (0..6)
        .map(|i| Winner { profit_ratio: scores[i], price_ratio: scores[i], ..winner(quantities[i], 1.0, i as u32) })
        .collect();
    for rule in [Allocation::ProfitLeverage, Allocation::MarkEntry] {
        assert_eq!(rule.allocate(&winners, 20), [0, 10, 0, 0, 10, 0], "{rule:?}");
    }
}

#[test]
fn scores_follow_their_formulas() {
    let of = |profit_ratio: f64, price_ratio: f64, leverage: f64| Winner {
        profit_ratio,
        price_ratio,
        leverage,
        ..winner(1, 1.0, 0)
    };
    let profit = |w: &Winner| QueueScore::ProfitLeverage.of(w);
    assert_eq!(profit(&of(0.25, 1.25, 8.0)), 2.0);
    assert_eq!(profit(&of(-0.25, 0.75, 8.0)), -0.03125, "leverage dampens a loss");
    assert_eq!(QueueScore::MarkEntry.of(&of(0.25, 1.25, 8.0)), 10.0);
    assert_eq!(profit(&of(0.0, 1.0, 0.0)), f64::NEG_INFINITY);
    assert_eq!(profit(&of(f64::NAN, 1.0, 1.0)), f64::NEG_INFINITY);
}

/// Weights of (3, 2, 1) and caps of (10, 100, 100): the first is capped, the others share 30 as 2 to 1.
#[test]
fn haircuts_by_weight_stop_at_their_caps() {
    let winners = [winner(10, 0.0, 0), winner(100, 0.0, 1), winner(100, 0.0, 2)];
    assert_eq!(pro_rata::allocate_by_weight(&winners, &[3, 2, 1], 40), [10, 20, 10]);
    assert_eq!(pro_rata::allocate_by_weight(&winners, &[3, 0, -1], 30), [10, 10, 10], "those without weight come last");
    assert_eq!(pro_rata::allocate_by_weight(&winners, &[], 21), [1, 10, 10]);
}

/// Shares of 1.6, 5.33 and 9.07: largest remainders take the extra one where it is two thirds of all there is.
#[test]
fn whole_lots_go_where_they_hurt_least() {
    let winners = [winner(3, 0.0, 0), winner(10, 0.0, 1), winner(17, 0.0, 2)];
    assert_eq!(pro_rata::allocate(&winners, 16), [2, 5, 9]);
    assert_eq!(min_max::allocate(&winners, 16), [1, 5, 10], "10/17 is below 6/10 and 2/3");
    // Lots of 4: capacities hold 0, 2 and 4 of them; a budget of 13 needs 4.
    assert_eq!(min_max::allocate_lots(&winners, 4, 13), [0, 4, 12]);
    assert_eq!(min_max::allocate_lots(&winners, 4, 100), [0, 8, 16], "no part of a lot");
    assert_eq!(min_max::allocate_lots(&winners, i128::MAX, 1), [0, 0, 0]);
}

#[test]
fn one_winner_no_winner_nothing_to_take_too_much_to_take() {
    for rule in RULES {
        assert_eq!(rule.allocate(&[], 5), [0i128; 0]);
        let alone = [winner(7, 1.0, 0)];
        assert_eq!(rule.allocate(&alone, 5), [5]);
        assert_eq!(rule.allocate(&alone, 0), [0]);
        assert_eq!(rule.allocate(&alone, -5), [0]);
        let several = [winner(7, 1.0, 0), winner(-3, 1.0, 1), winner(0, 1.0, 2), winner(2, 1.0, 3)];
        assert_eq!(rule.allocate(&several, 9), [7, 0, 0, 2]);
        assert_eq!(rule.allocate(&several, 1_000), [7, 0, 0, 2]);
        let absurd: Vec<Winner> = [f64::NAN, -1.0, f64::INFINITY, 0.0, 1e300]
            .into_iter()
            .zip(0..)
            .map(|(x, rank)| Winner { profit_ratio: x, price_ratio: x, leverage: x, ..winner(i128::MAX, x, rank) })
            .collect();
        assert_eq!(rule.allocate(&absurd, i128::MAX).iter().sum::<i128>(), i128::MAX, "{rule:?}");
    }
}

/// Closed first: who has no equity. Of the others, by leverage.
#[test]
fn who_has_no_equity_is_closed_first() {
    let winners = [winner(10, 1.0, 0), winner(10, -1.0, 1), winner(10, f64::NAN, 2), winner(10, 100.0, 3)];
    assert_eq!(water_fill::allocate(&winners, 20), [0, 10, 10, 0]);
    assert_eq!(water_fill::allocate(&winners, 25), [5, 10, 10, 0]);
    assert_eq!(water_fill::allocate(&winners, 10), [0, 5, 5, 0]);
}

prop_compose! {
    fn winner_of_any_kind()(
        capacity in prop_oneof![0..50i128, 0..10i128.pow(36)],
        equity in prop_oneof![-10.0..100.0f64, 1e-6..1e12f64],
        profit_ratio in -1.0..5.0f64,
        price_ratio in prop_oneof![0.1..5.0f64, Just(1.5)],
        leverage in prop_oneof![0.1..50.0f64, Just(3.0)],
    ) -> Winner {
        Winner { capacity, equity, profit_ratio, price_ratio, leverage, rank: 0 }
    }
}

fn winners() -> impl Strategy<Value = Vec<Winner>> {
    prop::collection::vec(winner_of_any_kind(), 1..9).prop_map(|mut winners| {
        winners.iter_mut().zip(0..).for_each(|(winner, rank)| winner.rank = rank);
        winners
    })
}

/// Winners, and a budget from nothing to somewhat more than they have.
fn problems() -> impl Strategy<Value = (Vec<Winner>, i128)> {
    winners().prop_flat_map(|winners| {
        let capacity: i128 = winners.iter().map(|winner| winner.capacity).sum();
        (Just(winners), 0..=capacity + capacity / 8 + 2)
    })
}

/// Whether the largest of the first ratios is at most the largest of the others; the denominators are above 0.
fn lowest(a: &[(i128, u128)], b: &[(i128, u128)]) -> bool {
    let wide = |x: i128, y: u128| BigUint::from(x.unsigned_abs()) * y;
    a.iter().all(|(p, q)| b.iter().any(|(r, s)| wide(*p, *s) <= wide(*r, *q)))
}

proptest! {
    #[test]
    fn sums_are_exact_and_caps_kept((winners, budget) in problems()) {
        let capacity: i128 = winners.iter().map(|winner| winner.capacity).sum();
        for rule in RULES {
            let amounts = rule.allocate(&winners, budget);
            prop_assert_eq!(amounts.iter().sum::<i128>(), budget.min(capacity), "{:?}", rule);
            for (amount, winner) in amounts.iter().zip(&winners) {
                prop_assert!((0..=winner.capacity).contains(amount), "{rule:?}");
            }
        }
    }

    #[test]
    fn the_order_of_winners_is_irrelevant((winners, budget) in problems(), seed: u64) {
        let mut order: Vec<usize> = (0..winners.len()).collect();
        order.sort_by_key(|index| (*index as u64 + 1).wrapping_mul(seed | 1));
        let permuted: Vec<Winner> = order.iter().map(|index| winners[*index]).collect();
        for rule in RULES {
            let amounts = rule.allocate(&winners, budget);
            let expected: Vec<i128> = order.iter().map(|index| amounts[*index]).collect();
            prop_assert_eq!(rule.allocate(&permuted, budget), expected, "{:?}", rule);
        }
    }

    /// Largest remainders may give one quantum back as the budget grows (the Alabama paradox), the other rules nothing.
    #[test]
    fn a_larger_budget_takes_no_less_of_anyone((winners, budget) in problems(), more in prop_oneof![1..20i128, 0..10i128.pow(36)]) {
        for rule in RULES {
            let slack = i128::from(rule == Allocation::ProRata);
            let (less, more) = (rule.allocate(&winners, budget), rule.allocate(&winners, budget + more));
            prop_assert!(less.iter().zip(&more).all(|(less, more)| *less <= more + slack), "{rule:?}: {less:?} {more:?}");
        }
    }

    #[test]
    fn no_rule_leaves_less_leverage_than_the_water_fill((winners, budget) in problems()) {
        // Whoever has no equity is closed before anyone else, and has no leverage to compare.
        let remaining = |rule: Allocation| -> (i128, Vec<(i128, u128)>) {
            let left = rule.allocate(&winners, budget).into_iter().zip(&winners).map(|(cut, w)| (w.capacity - cut, (w.equity * 1e8) as u128));
            let (with, without): (Vec<_>, Vec<_>) = left.partition(|(_, equity)| *equity > 0);
            (without.iter().map(|(left, _)| left).sum(), with)
        };
        let (unbacked, levelled) = remaining(Allocation::Leverage);
        for rule in RULES {
            let (other_unbacked, other) = remaining(rule);
            prop_assert!(unbacked <= other_unbacked, "{rule:?}");
            prop_assert!(unbacked > 0 || other_unbacked > 0 || lowest(&levelled, &other), "{rule:?}");
        }
    }

    #[test]
    fn no_rule_has_a_smaller_largest_haircut_than_min_max((winners, budget) in problems()) {
        let haircuts = |rule: Allocation| -> Vec<(i128, u128)> {
            let amounts = rule.allocate(&winners, budget).into_iter().zip(&winners);
            amounts.filter(|(_, w)| w.capacity > 0).map(|(amount, w)| (amount, w.capacity.unsigned_abs())).collect()
        };
        let least = haircuts(Allocation::MinMax);
        for rule in RULES {
            prop_assert!(lowest(&least, &haircuts(rule)), "{rule:?}");
        }
    }

    /// Against every allocation of small problems.
    #[test]
    fn min_max_in_lots_is_optimal(capacities in prop::collection::vec(0..12i128, 3), lot in 1..4i128, budget in 0..30i128) {
        let winners: Vec<Winner> = capacities.iter().zip(0..).map(|(c, rank)| winner(*c, 0.0, rank)).collect();
        let amounts = min_max::allocate_lots(&winners, lot, budget);
        let most: i128 = capacities.iter().map(|c| c / lot).sum();
        let lots = ((budget + lot - 1) / lot).min(most);
        prop_assert_eq!(amounts.iter().sum::<i128>(), lots * lot);
        let peak = |amounts: &[i128]| amounts.iter().zip(&capacities).map(|(a, c)| if *c > 0 { *a as f64 / *c as f64 } else { 0.0 }).fold(0.0, f64::max);
        let mut best = f64::INFINITY;
        for a in 0..=capacities[0] / lot {
            for b in 0..=capacities[1] / lot {
                let c = lots - a - b;
                if (0..=capacities[2] / lot).contains(&c) {
                    best = best.min(peak(&[a * lot, b * lot, c * lot]));
                }
            }
        }
        prop_assert_eq!(peak(&amounts), best);
    }
}
