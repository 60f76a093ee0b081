//! A sweep whose every answer is known by integer arithmetic: three pools on one coin, prices in thirty-seconds, some
//! scenarios exactly on a threshold.

use ndarray::Array2;

use super::Gpu;
use crate::domain::{Asset, Balance, BookBuilder, Instrument, Position, Snapshot, Underlying};
use crate::engine::outcome::{Outcome, PoolOutcome};
use crate::engine::sweep::{Runner, SweepOptions, sweep_on};
use crate::margin::{Form, HaircutBase, MarginClass, OrderReserve, Rulebook, Schedule};
use crate::scenario::{Factor, ScenarioSet};

/// Mark price of the contract.
const MARK: f64 = 128.0;
/// Scenario k moves the mark by k/4, for k from −150 to 149: two tiles, the second one short.
const STEPS: std::ops::Range<i64> = -150..150;
/// Bracket bound, quote units of notional.
const BOUND: i64 = 544;
/// Balance and contracts of each pool. The first is liquidatable below k = −32 and bankrupt below −92, the second above 32
/// and 100, the third, whose notional crosses the bound at 32, above 64 and 140; none of them at these steps themselves.
const POOLS: [(i64, i64); 3] = [(23, 1), (25, -1), (140, -4)];

/// Equity, initial and maintenance margin of a pool, in thirty-seconds: margins are an eighth of the notional and an
/// eighth of what exceeds the bound; the initial one is twice that.
fn exact((balance, contracts): (i64, i64), step: i64) -> [i64; 3] {
    let eighths = contracts.abs() * (512 + step);
    let maintenance = eighths + (eighths - 4 * BOUND).max(0);
    [32 * balance + 8 * contracts * step, 2 * maintenance, maintenance]
}

/// Sweeps the known book on a device; says what was wrong.
pub fn check(gpu: Gpu) -> Result<(), String> {
    let outcome =
        sweep_on(&snapshot(), &rulebook(), &scenarios(), &SweepOptions::default(), &(), || Ok(Runner::Gpu(vec![gpu])));
    compare(&outcome.map_err(|error| error.to_string())?)
}

fn compare(outcome: &Outcome) -> Result<(), String> {
    if outcome.engine != "gpu" {
        return Err(format!("the sweep ran on {}: {}", outcome.engine, outcome.warnings.join("; ")));
    }
    for (index, pool) in outcome.pools.iter().enumerate() {
        compare_pool(index, pool)?;
    }
    for (step, scenario) in STEPS.zip(&outcome.scenarios) {
        let counted = [scenario.restricted_pools, scenario.liquidatable_pools, scenario.bankrupt_pools];
        let known = POOLS.iter().map(|&pool| decisions(pool, step)).fold([0; 3], plus);
        if counted != known {
            return Err(format!("scenario {step:+} counts {counted:?}, known to be {known:?}"));
        }
    }
    Ok(())
}

fn compare_pool(index: usize, pool: &PoolOutcome) -> Result<(), String> {
    let counted = [pool.restricted_scenarios, pool.liquidatable_scenarios, pool.bankrupt_scenarios].map(u64::from);
    let known = STEPS.map(|step| decisions(POOLS[index], step)).fold([0; 3], plus);
    let excess = |step: i64| {
        let [equity, _, maintenance] = exact(POOLS[index], step);
        equity - maintenance
    };
    let worst = STEPS.min_by_key(|&step| excess(step)).unwrap_or_default();
    let place = (worst - STEPS.start) as u32;
    if counted != known {
        return Err(format!("pool {index} counts {counted:?}, known to be {known:?}"));
    }
    if pool.worst_scenario != place || pool.worst_excess != excess(worst) as f64 / 32.0 {
        return Err(format!(
            "pool {index} is worst in scenario {} with {}, known to be {place} with {}",
            pool.worst_scenario,
            pool.worst_excess,
            excess(worst) as f64 / 32.0
        ));
    }
    Ok(())
}

/// 1 where a pool is restricted, liquidatable, bankrupt.
fn decisions(pool: (i64, i64), step: i64) -> [u64; 3] {
    let [equity, initial, maintenance] = exact(pool, step);
    [equity < initial, equity < maintenance, equity < 0].map(u64::from)
}

fn plus(a: [u64; 3], b: [u64; 3]) -> [u64; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn snapshot() -> Snapshot {
    let usd = Asset::new("USD", 1.0);
    let coin = Underlying::new("COIN", MARK);
    let contract = Instrument { margin_class: "known".into(), ..Instrument::perpetual("COIN-USD", 0, 0, MARK) };
    let mut book = BookBuilder::default();
    for (index, (balance, contracts)) in POOLS.into_iter().enumerate() {
        let pool = book.pool(&format!("known-{index}"), "main");
        book.add_balance(pool, Balance::new(0, balance as f64));
        book.add_position(pool, Position::new(0, contracts as f64, MARK));
    }
    Snapshot {
        as_of: None,
        quote: "USD".into(),
        assets: vec![usd],
        underlyings: vec![coin],
        instruments: vec![contract],
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: book.build(),
    }
}

fn rulebook() -> Rulebook {
    let schedule =
        |rates: [f64; 2]| Schedule { form: Form::Marginal, bounds: vec![BOUND as f64], rates: rates.to_vec() };
    let class = MarginClass::brackets(schedule([0.125, 0.25]), schedule([0.25, 0.5]));
    Rulebook {
        name: "known answer".into(),
        margin: [("known".to_string(), class)].into(),
        haircut: [].into(),
        haircut_base: HaircutBase::Balance,
        orders: OrderReserve::None,
        ..Rulebook::default()
    }
}

fn scenarios() -> ScenarioSet {
    let n = STEPS.count();
    ScenarioSet {
        ids: STEPS.map(|step| step.to_string()).collect(),
        weights: vec![1.0; n],
        labels: vec![String::new(); n],
        factors: vec![Factor::price("COIN")],
        shocks: Array2::from_shape_fn((n, 1), |(scenario, _)| (STEPS.start + scenario as i64) as f64 / 512.0),
    }
}
