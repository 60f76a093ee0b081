//! What the prices that decide do when they are not those of trades.

use super::fixture::{Account, PRICE, exchange, free_policy, rulebook, run_path};
use crate::liquidation::path::PathStep;
use crate::liquidation::{Outcome, Path};
use crate::policy::{CutPolicy, CutRule, Policy, Step};
use crate::scenario::Factor;

/// Longs of 100 units with maintenance 1 %: breached below about 90.9, bankrupt below 90; and one far from either.
fn accounts() -> Vec<Account> {
    let long = |cash: f64| Account { cash, contracts: 100.0 };
    vec![long(1_000.0), long(9_000.0)]
}

fn full_close() -> Policy {
    let cut = CutPolicy { rule: CutRule::Full, clip: None, dust_quote: 0.0 };
    Policy { steps: vec![Step::Cut], cut, ..free_policy() }
}

fn run(shocks: &[(&str, f64)]) -> Outcome {
    let shocks = shocks.iter().map(|(name, shock)| (Factor::parse(name).expect("a factor"), *shock)).collect();
    let steps = vec![PathStep { shocks, ..PathStep::default() }];
    let path = Path { name: "p".into(), rounds_per_step: 5, capacity_quote: None, steps };
    run_path(&exchange(&accounts(), 1e12), &rulebook(0.01, 0.02), &full_close(), path).0
}

fn views(outcome: &Outcome) -> (u64, u64, u64) {
    let summary = &outcome.scenarios[0];
    (summary.liquidated_pools, summary.tally.wrongful_pools, summary.tally.late_pools)
}

#[test]
fn a_low_print_liquidates_who_was_sound_and_trades_stay_at_the_market() {
    let outcome = run(&[("price:U", 0.0), ("oracle:U", -0.1)]);
    assert_eq!(views(&outcome), (1, 1, 0));
    // Sold at 100, not at 90.
    assert!((outcome.scenarios[0].tally.liquidated_notional - 100.0 * PRICE).abs() < 1e-6);
    assert_eq!(outcome.scenarios[0].books[0].shock, 0.0, "the market has not moved");
}

#[test]
fn a_slow_price_liquidates_who_is_bankrupt_already() {
    // Half of ln 0.82 is not enough to see the breach at 90.9: √0.82 = 0.9055.
    assert_eq!(views(&run(&[("price:U", -0.18), ("lag:U", 0.5)])), (1, 0, 1));
    assert_eq!(views(&run(&[("price:U", -0.18)])), (1, 0, 0));
    // Seen as bankrupt as it is, though not in full.
    assert_eq!(views(&run(&[("price:U", -0.3), ("lag:U", 0.5)])), (1, 0, 0));
}

#[test]
fn nobody_is_liquidated_on_a_frozen_price() {
    assert_eq!(views(&run(&[("price:U", -0.5), ("lag:U", 1.0)])), (0, 0, 0));
    assert_eq!(views(&run(&[("price:U", -0.5)])).0, 1);
}
