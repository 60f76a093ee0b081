//! An exchange with one perpetual, accounts given by what they hold.

use ndarray::Array2;

use crate::domain::{Asset, Balance, BookBuilder, Instrument, Position, Snapshot, Underlying};
use crate::error::Result;
use crate::liquidation::{Event, Options, Outcome, Path, Recorder, liquidate};
use crate::margin::{MarginClass, Requirement, Rulebook, Schedule, SizeFunction};
use crate::policy::{Costs, ImpactPolicy, Policy};
use crate::scenario::{Factor, ScenarioSet};

/// Price of the underlying `U`, and mark of `U-PERP`.
pub const PRICE: f64 = 100.0;

/// An account: collateral in USD, contracts entered at [`PRICE`].
#[derive(Debug, Clone, Copy)]
pub struct Account {
    pub cash: f64,
    pub contracts: f64,
}

/// Accounts `A00`, `A01` … of pool `main`.
pub fn exchange(accounts: &[Account], depth_quote: f64) -> Snapshot {
    let mut underlying = Underlying::new("U", PRICE);
    underlying.depth_quote = Some(depth_quote);
    let assets = vec![Asset::new("USD", 1.0)];
    let instruments = vec![Instrument::perpetual("U-PERP", 0, 0, PRICE)];
    let mut book = BookBuilder::default();
    for (index, account) in accounts.iter().enumerate() {
        let pool = book.pool(&format!("A{index:02}"), "main");
        book.add_balance(pool, Balance::new(0, account.cash));
        if account.contracts != 0.0 {
            book.add_position(pool, Position::new(0, account.contracts, PRICE));
        }
    }
    Snapshot {
        as_of: None,
        quote: "USD".into(),
        assets,
        underlyings: vec![underlying],
        instruments,
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: book.build(),
    }
}

/// Maintenance and initial rates on notional.
pub fn rulebook(maintenance: f64, initial: f64) -> Rulebook {
    let flat = |rate: f64| SizeFunction::Brackets(Schedule::flat(rate));
    let class = MarginClass {
        maintenance: flat(maintenance),
        initial: flat(initial),
        max_notional: None,
        minimum: Requirement::both(0.0),
        scale: None,
    };
    Rulebook { margin: [("U-PERP".to_string(), class)].into(), ..Rulebook::default() }
}

/// A policy without any cost.
pub fn free_policy() -> Policy {
    let costs = Costs { half_spread: 0.0, option_half_spread: 0.0, trading_fee: 0.0, liquidation_fee: 0.0 };
    Policy { costs, impact: ImpactPolicy::default(), ..Policy::default() }
}

/// Moves of `U`, one scenario each.
pub fn moves(moves: &[f64]) -> ScenarioSet {
    ScenarioSet {
        ids: moves.iter().map(|shock| format!("{shock}")).collect(),
        weights: vec![1.0; moves.len()],
        labels: vec![String::new(); moves.len()],
        factors: vec![Factor::price("U")],
        shocks: Array2::from_shape_fn((moves.len(), 1), |(row, _)| moves[row]),
    }
}

/// Every event, in order.
#[derive(Debug, Default)]
pub struct Events(pub Vec<Event>);

impl Recorder for Events {
    fn record(&mut self, _: usize, first: u64, events: &[Event]) -> Result<()> {
        if first == 0 || first as usize == self.0.len() {
            self.0.extend_from_slice(events);
        }
        Ok(())
    }
}

/// One scenario to its end, and its events.
pub fn run(snapshot: &Snapshot, rulebook: &Rulebook, policy: &Policy, shock: f64) -> (Outcome, Vec<Event>) {
    let path = Path::of_scenario(&moves(&[shock]), 0, policy.rounds_max);
    run_path(snapshot, rulebook, policy, path)
}

/// One path to its end, and its events.
pub fn run_path(snapshot: &Snapshot, rulebook: &Rulebook, policy: &Policy, path: Path) -> (Outcome, Vec<Event>) {
    let mut events = Events::default();
    let mut options = Options::default();
    options.sweep.engine = crate::engine::EngineChoice::Cpu;
    let outcome = liquidate((snapshot, rulebook), policy, &[path], &options, (&(), &mut events)).expect("sequenced");
    for scenario in &outcome.scenarios {
        assert_eq!(scenario.tally.conservation_error, 0);
        assert_eq!(scenario.events as usize, events.0.len());
    }
    (outcome, events.0)
}
