//! What every bench shares: a synthetic exchange, and the check that comes before the clock.
#![allow(dead_code, reason = "every bench compiles this file and uses its part")]

use std::time::Duration;

use criterion::Criterion;
use plimsoll::domain::Snapshot;
use plimsoll::engine::{EngineChoice, Outcome, SweepOptions, digest, sweep};
use plimsoll::margin::Rulebook;
use plimsoll::scenario::ScenarioSet;
use plimsoll::scenario::monte_carlo::{Dependence, MonteCarloRequest, VolatilityChoice};
use plimsoll::scenario::monte_carlo::{monte_carlo, price_volatilities};
use plimsoll::synth;

/// Seed of the exchange and of the scenarios: every run measures the same work.
const SEED: u64 = 7;
/// Accounts measured unless PLIMSOLL_BENCH_ACCOUNTS says otherwise: some 40,000 positions.
const ACCOUNTS: u64 = 5_000;
/// Share of accounts placed within 1e-7 of a threshold, so that certification has work to do.
const NEAR_THRESHOLD_SHARE: f64 = 0.01;

/// A book, its rules and its scenarios.
pub struct Case {
    pub snapshot: Snapshot,
    pub rulebook: Rulebook,
    pub scenarios: ScenarioSet,
}

impl Case {
    /// Positions × scenarios.
    pub fn cells(&self) -> u64 {
        self.snapshot.book.position_count() as u64 * self.scenarios.len() as u64
    }

    /// Sweeps the case.
    pub fn sweep(&self, engine: &EngineChoice) -> plimsoll::Result<Outcome> {
        let options = SweepOptions { engine: engine.clone(), ..SweepOptions::default() };
        sweep(&self.snapshot, &self.rulebook, &self.scenarios, &options, &())
    }
}

/// A synthetic exchange under Monte Carlo scenarios.
pub fn case(accounts: u64, scenarios: usize) -> Case {
    let market = synth::Market::built_in(&synth::MarketOptions { seed: SEED, ..synth::MarketOptions::default() })
        .expect("the built-in market");
    let rulebook = synth::rulebook(&market);
    let options = synth::Options { accounts, seed: SEED, near_threshold_share: NEAR_THRESHOLD_SHARE };
    let snapshot = synth::snapshot(&market, &rulebook, options).expect("a synthetic book");
    let (names, volatilities) =
        price_volatilities(&snapshot.underlyings, &VolatilityChoice::default()).expect("volatilities of the market");
    let request = MonteCarloRequest {
        names,
        volatilities,
        dependence: Dependence::OneFactor(0.6),
        count: scenarios,
        seed: SEED,
        degrees_of_freedom: 4.0,
        horizon_days: 1.0,
    };
    let (scenarios, _) = monte_carlo(&request).expect("Monte Carlo scenarios");
    Case { snapshot, rulebook, scenarios }
}

/// Accounts to measure with.
pub fn accounts() -> u64 {
    match std::env::var("PLIMSOLL_BENCH_ACCOUNTS") {
        Ok(text) => text.parse().expect("PLIMSOLL_BENCH_ACCOUNTS is a number of accounts"),
        Err(_) => ACCOUNTS,
    }
}

/// The engine must publish what the reference publishes, on a book small enough for it, before it is timed.
///
/// # Panics
/// Where a digest differs, or the audit of the sweep is not clean.
pub fn assert_equals_reference(engine: &EngineChoice) {
    let case = case(200, 300);
    let reference = case.sweep(&EngineChoice::Reference).expect("the reference sweeps");
    let outcome = case.sweep(engine).expect("the engine sweeps");
    assert_clean(&outcome);
    let liquidatable: u64 = outcome.scenarios.iter().map(|scenario| scenario.liquidatable_pools).sum();
    assert!(liquidatable > 0, "a book that never breaches proves nothing");
    assert_eq!(
        digest(&outcome.pools, &outcome.scenarios),
        digest(&reference.pools, &reference.scenarios),
        "{engine:?} and the reference publish different results"
    );
}

/// Every pool is known and every audited decision is the reference's.
pub fn assert_clean(outcome: &Outcome) {
    assert_eq!((outcome.audit.decisions_differ, outcome.unknown_pools), (0, 0), "the audit is clean");
    assert!(outcome.audit.pools > 0, "the audit looked at some pools");
}

/// The sweep stage alone: compilation, kernels, certification; neither revaluation nor audit.
pub fn sweep_stage(case: &Case, engine: &EngineChoice, iterations: u64) -> Duration {
    let seconds = |_| {
        let outcome = case.sweep(engine).expect("the engine sweeps");
        assert_clean(&outcome);
        outcome.seconds.sweep
    };
    Duration::from_secs_f64((0..iterations).map(seconds).sum())
}

/// Ten samples of about half a second each: enough to see a change of a tenth, short enough to be run.
pub fn criterion() -> Criterion {
    let criterion = Criterion::default().sample_size(10);
    criterion.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4)).configure_from_args()
}
