//! Greeks of random books: equal on every engine and thread count, and the exchange is the sum of its pools.

use plimsoll::domain::{Instrument, Kind, Position, Premium, Right};
use plimsoll::engine::greeks::{GreekSheet, GreekSummary, GreeksDigest, GrossGreeks};
use plimsoll::engine::{EngineChoice, Outcome, SweepOptions, sweep};
use plimsoll::margin::{HaircutBase, SizeUnit};
use plimsoll::pricing::Greeks;
use plimsoll::scenario::ScenarioSet;

use crate::books::{self, Case};
use crate::engines::engines;

/// A random book with calls and puts on each linear perpetual's underlying, long in some pools and short in others; the
/// first scenario moves nothing.
fn case() -> Case {
    let mut case = books::random(400, 96, 23, HaircutBase::BalanceAndPnl, SizeUnit::Asset);
    case.scenarios.shocks.row_mut(0).fill(0.0);
    let perpetuals: Vec<Instrument> =
        case.snapshot.instruments.iter().filter(|i| i.name.ends_with("-USDT")).cloned().collect();
    // Names after all others: the instruments stay sorted, and the positions' indices stay what they are.
    let first = case.snapshot.instruments.len() as u32;
    for (at, perpetual) in perpetuals.iter().enumerate() {
        let right = if at % 2 == 0 { Right::Call } else { Right::Put };
        case.snapshot.instruments.push(Instrument {
            name: format!("ZZ-{}", perpetual.name),
            kind: Kind::Option,
            strike: Some(perpetual.mark_price * 1.1),
            expiry: "2027-01-22T00:00:00Z".parse().ok(),
            right: Some(right),
            implied_volatility: Some(0.7),
            premium: if at % 3 == 0 { Premium::Margined } else { Premium::Paid },
            mark_price: perpetual.mark_price * 0.1,
            ..perpetual.clone()
        });
    }
    let mut builder = plimsoll::domain::BookBuilder::default();
    for (at, pool) in case.snapshot.book.pools().enumerate() {
        let id = builder.pool(pool.account, pool.pool);
        pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
        pool.positions.iter().for_each(|position| builder.add_position(id, *position));
        *builder.settings(id) = pool.settings.clone();
        let option = first + (at % perpetuals.len()) as u32;
        let mark = case.snapshot.instruments[option as usize].mark_price;
        let quantity = (at as f64 - 200.0) * 5.0 / mark;
        builder.add_position(id, Position::new(option, quantity, mark));
        if at % 50 == 49 {
            builder.mark_unknown(id);
        }
    }
    case.snapshot.book = builder.build();
    case
}

fn run(case: &Case, engine: EngineChoice, threads: Option<usize>) -> Outcome {
    let options = SweepOptions { engine, threads, ..SweepOptions::default() };
    sweep(&case.snapshot, &case.rulebook, &case.scenarios, &options, &()).expect("the sweep succeeds")
}

/// Digest of all Greeks, in pieces of `pools` pools on `threads` threads.
fn digest(case: &Case, outcome: &Outcome, pools: usize, threads: usize) -> String {
    let workers = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    workers.install(|| {
        let sheet = GreekSheet::new(&case.snapshot, &case.scenarios);
        let mut digest = GreeksDigest::default();
        let n = case.snapshot.book.len();
        (0..n).step_by(pools).for_each(|at| digest.add_pools(&sheet.of_pools(&outcome.pools, at..(at + pools).min(n))));
        digest.add_scenarios(&sheet.of_scenarios(0..case.scenarios.len()));
        digest.finish()
    })
}

#[test]
fn greeks_and_attribution_are_equal_on_every_engine_and_thread_count() {
    let case = case();
    let reference = run(&case, EngineChoice::Reference, None);
    let expected = digest(&case, &reference, case.snapshot.book.len(), 1);
    for engine in engines() {
        let outcome = run(&case, engine.clone(), Some(2));
        assert_eq!(digest(&case, &outcome, 37, 3), expected, "{engine:?}");
        let liquidatable = |of: &Outcome| of.scenarios.iter().map(|s| s.liquidatable_pools).collect::<Vec<_>>();
        assert_eq!(liquidatable(&outcome), liquidatable(&reference));
        assert_eq!(outcome.attributions.len(), 5);
        for of in &outcome.attributions {
            assert_eq!(of.pools, outcome.scenarios[of.scenario as usize].liquidatable_pools, "{engine:?}");
            let same = reference.attributions.iter().find(|other| other.scenario == of.scenario);
            // Shortfalls of a device have a bound: it may rank two scenarios otherwise.
            assert!(same.is_none_or(|same| same == of), "{engine:?}: {of:?}, {same:?}");
        }
    }
}

#[test]
fn pools_add_up_to_the_exchange() {
    let case = case();
    let outcome = run(&case, EngineChoice::Cpu, None);
    let sheet = GreekSheet::new(&case.snapshot, &case.scenarios);
    let rows = sheet.of_pools(&outcome.pools, 0..case.snapshot.book.len());
    let mut gross = GrossGreeks::default();
    gross.add(&rows);
    let summary = GreekSummary::new(&sheet, &gross);
    assert_eq!(summary.ladders.len(), 3, "every coin has options, the largest three are shown");
    let still = sheet.of_scenarios(0..1);
    assert_eq!(still.len(), summary.underlyings.len());
    for of in &still {
        let total = summary.underlyings.iter().find(|total| total.underlying == of.underlying).expect("a total");
        let mut sum = Greeks::default();
        rows.iter().filter(|row| row.underlying == of.underlying).for_each(|row| sum.add_scaled(1.0, row.base));
        for greek in 0..8 {
            let (scenario, base, pools) =
                (of.greeks.to_array()[greek], total.net.to_array()[greek], sum.to_array()[greek]);
            // A few hundred roundings, each of a part of the gross or of a leg that a pool nets away.
            let size = 1e-10 * total.gross.to_array()[greek];
            assert!(
                (scenario - base).abs() <= size && (base - pools).abs() <= size,
                "{scenario} {base} {pools} {size}"
            );
        }
    }
    let known = case.snapshot.book.pools().filter(|pool| !pool.unknown).count();
    let mut pools: Vec<u32> = rows.iter().map(|row| row.pool).collect();
    pools.dedup();
    assert_eq!(pools.len(), known, "no unknown pool, and an option in every other");
}

#[test]
fn a_price_of_zero_leaves_figures_out_and_does_not_spread() {
    let mut case = case();
    let set = ScenarioSet { shocks: case.scenarios.shocks.mapv(|_| 0.0), ..case.scenarios.clone() };
    case.scenarios = set;
    let column = case.scenarios.factors.iter().position(|factor| factor.name == "ADA").expect("ADA");
    case.scenarios.shocks[[1, column]] = -1.0;
    // Inverse contracts have no value at a mark of 0.
    let mut builder = plimsoll::domain::BookBuilder::default();
    for pool in case.snapshot.book.pools() {
        let id = builder.pool(pool.account, pool.pool);
        let held = |position: &&Position| {
            case.snapshot.instruments[position.instrument as usize].payoff != plimsoll::domain::Payoff::Inverse
        };
        pool.positions.iter().filter(held).for_each(|position| builder.add_position(id, *position));
    }
    case.snapshot.book = builder.build();
    let rows = GreekSheet::new(&case.snapshot, &case.scenarios).of_scenarios(0..2);
    for row in rows {
        let is_zero_price = row.scenario == 1 && case.snapshot.underlyings[row.underlying as usize].name == "ADA";
        assert!(is_zero_price || row.greeks.to_array().iter().all(|greek| greek.is_finite()), "{row:?}");
    }
}
