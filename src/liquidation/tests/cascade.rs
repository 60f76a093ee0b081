//! Cascades of longs in one asset.

use super::fixture::{Account, PRICE, exchange, free_policy, rulebook, run};
use crate::policy::{CutPolicy, CutRule, Policy, Step};

const RATE: f64 = 0.01;

/// Longs of these sizes that are liquidatable at and below these prices.
fn longs(prices: &[f64], sizes: &[f64]) -> Vec<Account> {
    let long = |(price, size): (&f64, &f64)| Account {
        cash: size * (PRICE - price) + RATE * size * price - 1e-6,
        contracts: *size,
    };
    prices.iter().zip(sizes).map(long).collect()
}

fn full_close() -> Policy {
    let cut = CutPolicy { rule: CutRule::Full, clip: None, dust_quote: 0.0 };
    Policy { steps: vec![Step::Cut], cut, ..free_policy() }
}

/// Longs of 100, 200, 300 and 400 units liquidated at 96, 94, 93.5 and 90, a fall from 100 to 95, and an impact of K per unit: the
/// price ends at 94.6 (K = .004), 94.2, 94.01, 85 (K = .010: all of them, amplification 3), 75.
#[test]
fn a_spiral_ends_where_the_fixed_point_is() {
    let accounts = longs(&[96.0, 94.0, 93.5, 90.0], &[100.0, 200.0, 300.0, 400.0]);
    for (per_unit, price, liquidated) in
        [(0.004, 94.6, 1), (0.008, 94.2, 1), (0.0099, 94.01, 1), (0.010, 85.0, 4), (0.02, 75.0, 4)]
    {
        // 0.01 · units · 95 / depth is the relative move.
        let depth = 0.01 * 95.0 * 95.0 / per_unit;
        let (outcome, events) = run(&exchange(&accounts, depth), &rulebook(RATE, 2.0 * RATE), &full_close(), -0.05);
        let summary = &outcome.scenarios[0];
        let end = PRICE * (1.0 + summary.books[0].shock) * (1.0 + summary.books[0].impact);
        assert!((end - price).abs() < 1e-6, "K = {per_unit}: {end}");
        assert_eq!((summary.liquidated_pools, summary.breached_pools), (liquidated, 1));
        let amplification = summary.amplification.expect("prices moved");
        assert!((amplification - (100.0 - price) / 5.0).abs() < 1e-6);
        assert_eq!(events.len() as u64, liquidated);
    }
}
