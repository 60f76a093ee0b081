//! A book of two accounts, built in code, swept under three scenarios: `cargo run --release --example sweep_in_memory`.
//!
//! `hedged` is long spot bitcoin and short the same amount of perpetual; `levered` is long 20 times its money. A fall of
//! 10 % liquidates the second and leaves the first alone.

#![expect(clippy::print_stdout, reason = "an example prints its answer")]

use std::collections::BTreeMap;

use ndarray::array;
use plimsoll::domain::{Asset, Balance, Book, BookBuilder, Instrument, Position, Snapshot, Underlying};
use plimsoll::engine::{EngineChoice, State, SweepOptions, sweep};
use plimsoll::margin::{Form, MarginClass, Rulebook, Schedule};
use plimsoll::scenario::{Factor, ScenarioSet};

const BTC: u32 = 0;
const USDT: u32 = 1;
const PRICE: f64 = 60_000.0;

fn market(book: Book) -> Snapshot {
    let bitcoin = Underlying::new("BTC", PRICE);
    let perpetual = Instrument::perpetual("BTCUSDT", 0, USDT, PRICE);
    Snapshot {
        as_of: None,
        quote: "USD".into(),
        assets: vec![Asset::new("BTC", PRICE), Asset::new("USDT", 1.0)],
        underlyings: vec![bitcoin],
        instruments: vec![perpetual],
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book,
    }
}

fn book() -> Book {
    let mut builder = BookBuilder::default();
    let mut account = |name, asset, amount, quantity| {
        let pool = builder.pool(name, "main");
        builder.add_balance(pool, Balance::new(asset, amount));
        builder.add_position(pool, Position::new(0, quantity, PRICE));
    };
    account("hedged", BTC, 2.0, -2.0);
    account("levered", USDT, 6_000.0, 2.0);
    builder.build()
}

/// Maintenance 0.5 % up to 50,000 of notional and 1 % above; initial margin 2 %.
fn rulebook() -> Rulebook {
    let maintenance = Schedule { form: Form::Marginal, bounds: vec![50_000.0], rates: vec![0.005, 0.01] };
    let class = MarginClass::brackets(maintenance, Schedule::flat(0.02));
    Rulebook { name: "example".into(), margin: BTreeMap::from([("BTCUSDT".into(), class)]), ..Rulebook::default() }
}

fn scenarios() -> ScenarioSet {
    let ids = ["calm", "fall", "crash"];
    ScenarioSet {
        ids: ids.map(Into::into).to_vec(),
        weights: vec![1.0; ids.len()],
        labels: vec![String::new(); ids.len()],
        factors: vec![Factor::price("BTC"), Factor::asset("USDT")],
        shocks: array![[0.0, 0.0], [-0.04, 0.0], [-0.1, -0.01]],
    }
}

fn main() -> plimsoll::Result<()> {
    let (snapshot, scenarios) = (market(book()), scenarios());
    let options = SweepOptions { engine: EngineChoice::Cpu, ..SweepOptions::default() };
    let outcome = sweep(&snapshot, &rulebook(), &scenarios, &options, &())?;
    for (pool, result) in snapshot.book.pools().zip(&outcome.pools) {
        println!(
            "{:8} {:8} at base, excess over maintenance {:9.2} in its worst scenario, {}",
            pool.account,
            result.state.name(),
            result.worst_excess,
            scenarios.ids[result.worst_scenario as usize],
        );
    }
    for (id, result) in scenarios.ids.iter().zip(&outcome.scenarios) {
        println!("{id:8} {} liquidatable, shortfall {:.2}", result.liquidatable_pools, result.shortfall);
    }
    println!("audited {} pools: {} decisions differ", outcome.audit.pools, outcome.audit.decisions_differ);
    assert!(outcome.pools.iter().all(|pool| pool.state == State::Healthy), "nobody is in trouble before the shock");
    let liquidatable: Vec<u64> = outcome.scenarios.iter().map(|scenario| scenario.liquidatable_pools).collect();
    assert_eq!(liquidatable, [0, 0, 1], "only the crash liquidates, and only the levered account");
    Ok(())
}
