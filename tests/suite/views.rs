//! Prices as the exchange sees them, and as they are: the comparison against the direct formulas, pool by pool.

use plimsoll::domain::Snapshot;
use plimsoll::engine::{Arbiter, EngineChoice, SweepOptions, ViewOutcome, sweep, sweep_views};
use plimsoll::margin::{HaircutBase, Rulebook, Rules, Setting, SizeUnit, revalue};
use plimsoll::pricing::{Column, Unshocked};
use plimsoll::scenario::{Factor, ScenarioSet};

use crate::books::{self, Case};

fn options(engine: EngineChoice) -> SweepOptions {
    SweepOptions { engine, unshocked: Unshocked::Hold, ..SweepOptions::default() }
}

fn compare(case: &Case, engine: EngineChoice) -> Vec<ViewOutcome> {
    sweep_views(&case.snapshot, &case.rulebook, &case.scenarios, &options(engine), &()).expect("the sweep succeeds").1
}

/// Every scenario by itself: two markets, each pool decided by the arbiter in both.
fn by_hand(snapshot: &Snapshot, rulebook: &Rulebook, scenarios: &ScenarioSet) -> Vec<ViewOutcome> {
    let rules = Rules::resolve(rulebook, snapshot).expect("rules");
    let [seen, real] = [scenarios.clone(), scenarios.as_it_is()]
        .map(|set| revalue(&rules, snapshot, &set, Unshocked::Hold).expect("rows"));
    let [seen, real] = [&seen, &real].map(|rows| Arbiter::new(Setting { snapshot, rules: &rules, rows }));
    let mut outcomes = vec![ViewOutcome::default(); scenarios.len()];
    for (scenario, outcome) in outcomes.iter_mut().enumerate() {
        let column = Column::Scenario(scenario);
        for pool in snapshot.book.pools() {
            let (as_seen, in_truth) = (seen.decide(&pool, column), real.decide(&pool, column));
            let (free, figures) = (seen.figures(&pool, column), real.figures(&pool, column));
            if as_seen.liquidatable && !in_truth.liquidatable {
                outcome.wrongful_pools += 1;
                outcome.wrongful_notional += figures.gross_notional;
            }
            if in_truth.liquidatable && !as_seen.liquidatable {
                outcome.missed_pools += 1;
                outcome.missed_notional += figures.gross_notional;
            }
            if in_truth.bankrupt && !as_seen.liquidatable {
                outcome.late_pools += 1;
                outcome.late_shortfall += (-figures.equity).max(0.0);
            }
            let withdrawable = (free.adjusted_equity - free.initial_margin).max(0.0);
            outcome.extractable += (withdrawable - figures.equity.max(0.0)).max(0.0);
        }
    }
    outcomes
}

#[test]
fn the_comparison_is_that_of_the_direct_formulas_on_every_rule() {
    for (base, unit) in [(HaircutBase::Balance, SizeUnit::Asset), (HaircutBase::BalanceAndPnl, SizeUnit::Quote)] {
        let case = books::random(200, 77, 11, base, unit);
        let expected = by_hand(&case.snapshot, &case.rulebook, &case.scenarios);
        let found = compare(&case, EngineChoice::Cpu);
        assert_eq!(found, compare(&case, EngineChoice::Reference));
        let mut seen = [0; 4];
        for (found, expected) in found.iter().zip(&expected) {
            let counts = |view: &ViewOutcome| [view.wrongful_pools, view.missed_pools, view.late_pools];
            assert_eq!(counts(found), counts(expected));
            seen.iter_mut().zip(counts(found)).for_each(|(sum, count)| *sum += count);
            seen[3] += u64::from(found.extractable > 0.0);
            let amounts = |view: &ViewOutcome| {
                [view.wrongful_notional, view.missed_notional, view.late_shortfall, view.extractable]
            };
            for (found, expected) in amounts(found).into_iter().zip(amounts(expected)) {
                // Half a quantum of 2⁻²⁰ for each pool, and the rounding of the sum by hand.
                assert!((found - expected).abs() <= 200.0 * 1e-6 + 1e-12 * expected, "{found} {expected}");
            }
        }
        assert!(seen.iter().all(|count| *count > 5), "every figure must occur, or the test sees nothing: {seen:?}");
    }
}

#[test]
fn seen_less_true_breaches_are_wrongful_less_missed_ones_and_each_view_is_a_sweep_of_its_own() {
    let case = books::random(300, 64, 3, HaircutBase::Balance, SizeUnit::Asset);
    let (paired, views) =
        sweep_views(&case.snapshot, &case.rulebook, &case.scenarios, &options(EngineChoice::Cpu), &()).expect("pairs");
    let alone = |set: &ScenarioSet| {
        sweep(&case.snapshot, &case.rulebook, set, &options(EngineChoice::Cpu), &()).expect("a sweep").scenarios
    };
    let (seen, real) = (alone(&case.scenarios), alone(&case.scenarios.as_it_is()));
    for (k, view) in views.iter().enumerate() {
        let pair = [&paired.scenarios[2 * k], &paired.scenarios[2 * k + 1]].map(|outcome| outcome.liquidatable_pools);
        assert_eq!(pair, [seen[k].liquidatable_pools, real[k].liquidatable_pools]);
        assert_eq!(pair[0] + view.missed_pools, pair[1] + view.wrongful_pools);
    }
}

#[test]
fn where_both_views_agree_nothing_is_wrongful_missed_late_or_extractable() {
    let mut case = books::random(200, 40, 5, HaircutBase::Balance, SizeUnit::Asset);
    case.scenarios = case.scenarios.as_it_is();
    assert!(compare(&case, EngineChoice::Cpu).iter().all(|view| *view == ViewOutcome::default()));
    case.scenarios.factors.push(Factor::parse("oracle:BTC").expect("a factor"));
    let zeros = ndarray::Array2::zeros((case.scenarios.len(), 1));
    case.scenarios.shocks =
        ndarray::concatenate(ndarray::Axis(1), &[case.scenarios.shocks.view(), zeros.view()]).expect("equal lengths");
    assert!(compare(&case, EngineChoice::Cpu).iter().all(|view| *view == ViewOutcome::default()));
}
