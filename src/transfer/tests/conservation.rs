//! Random transfers between pools: nothing is made or lost, nothing is touched that does not move.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::domain::{Asset, Balance, BookBuilder, Snapshot};
use crate::error::Error;
use crate::liquidation::Quanta;
use crate::margin::{MarginSide, Rulebook};
use crate::scenario::ScenarioSet;
use crate::transfer::cargo::Load;
use crate::transfer::course::State;
use crate::transfer::holdings::Holdings;
use crate::transfer::run::States;
use crate::transfer::{Absent, Cargo, LotAmount, LotRequest, Plan, Relation, Route, Standing, Target, Venue, Venues};

const ASSETS: [&str; 3] = ["BTC", "USDC", "USDT"];

fn market() -> Snapshot {
    Snapshot {
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        as_of: None,
        quote: "USDT".into(),
        assets: ASSETS.map(|name| Asset::new(name, 1.0)).into(),
        underlyings: Vec::new(),
        instruments: Vec::new(),
        book: BookBuilder::default().build(),
    }
}

fn plan(lots: Vec<LotRequest>, route: Route) -> Plan {
    let target = Target { source: 1.0, destination: 1.0, on: MarginSide::Initial, standing: Standing::Check };
    Plan { cargo: Cargo::Lots(lots), target, route, nonce: 1 }
}

fn total(pools: &[Holdings], asset: u32) -> Quanta {
    pools.iter().map(|pool| Quanta((pool.amount(asset) * 1e8).round() as i128)).sum()
}

/// Pools of three assets, some in several lots, all in whole quanta.
fn pools(random: &mut ChaCha8Rng) -> Vec<Holdings> {
    let balance = |random: &mut ChaCha8Rng, asset| Balance {
        accrued_interest: random.random_range(-1.0..1.0) * 1e-3,
        ..Balance::new(asset, Quanta(random.random_range(1_000..10_000_000_000_000)).units())
    };
    let pool = |_| {
        let mut balances: Vec<Balance> = (0..3).map(|asset| balance(random, asset)).collect();
        balances.push(balance(random, 1));
        balances.sort_by_key(|balance| balance.asset);
        Holdings { balances, ..Holdings::default() }
    };
    (0..6).map(pool).collect()
}

#[test]
fn ten_thousand_transfers_conserve_every_quantum() {
    let mut random = ChaCha8Rng::seed_from_u64(0x7a5);
    let (market, rulebook, scenarios) = (market(), Rulebook::default(), ScenarioSet::default());
    let venue = Venue { snapshot: &market, rulebook: &rulebook, scenarios: &scenarios, account: "a", pool: "main" };
    let mut pools = pools(&mut random);
    let start: Vec<Quanta> = (0..3).map(|asset| total(&pools, asset)).collect();
    let mut fees = [Quanta::ZERO; 3];
    let (mut moved, mut committed_by_message, mut eaten) = (0, 0, 0);
    for _ in 0..15_000 {
        let (from, to) = (random.random_range(0..6usize), random.random_range(0..6usize));
        let asset = random.random_range(0..3usize);
        let held = pools[from].amount(asset as u32);
        if from == to || held < 1e-6 {
            continue;
        }
        let amount = match random.random_bool(0.1) {
            true => LotAmount::All,
            false => LotAmount::Units(held * random.random_range(0.01..0.9)),
        };
        let haircut = if random.random_bool(0.5) { random.random_range(0.0..=1.0) } else { 0.0 };
        let route = Route {
            fee: if random.random_bool(0.5) { random.random_range(0.0..0.01) } else { 0.0 },
            transit_haircut: haircut,
            transit_credit: haircut * random.random_range(0.0..=1.0),
            ..Route::default()
        };
        let lot = LotRequest { asset: ASSETS[asset].into(), amount, flat_fee: random.random_range(0.0..1e-5) };
        let relation = if random.random_bool(0.5) { Relation::OneVenue } else { Relation::TwoVenues };
        let venues = Venues { source: venue, destination: venue, absent: Absent::Refuse, relation };
        let plan = plan(vec![lot], route);
        let before = (pools[from].clone(), pools[to].clone());
        let Cargo::Lots(lots) = &plan.cargo else { unreachable!("lots") };
        let load = match Load::of_lots(lots, &venues, (&before.0, &before.1), &plan.route) {
            Ok(load) => load,
            // Of some small lots the fees leave nothing.
            Err(Error::Configuration(faults)) => {
                assert!(["route.fee", "lots[0].flat_fee"].contains(&faults[0].column.as_str()), "{faults:?}");
                eaten += 1;
                continue;
            }
            Err(other) => panic!("{other}"),
        };
        let states = States::of(&venues, &plan, (&before.0, &before.1), &load).expect("a course");
        for state in [State::Idle, State::Aborted] {
            assert_eq!(states.held(state), [&before.0, &before.1], "{state:?} leaves both as they were");
        }
        let [source, destination] = states.held(State::Committed).map(Clone::clone);
        (pools[from], pools[to]) = (source, destination);
        fees[asset] += load.pieces[0].item.fee;
        moved += 1;
        committed_by_message += u32::from(relation == Relation::TwoVenues);
        for asset in 0..3 {
            assert_eq!(total(&pools, asset as u32) + fees[asset], start[asset], "{}", ASSETS[asset]);
        }
    }
    assert!(
        moved >= 10_000 && committed_by_message > 1_000 && fees.iter().all(|fee| fee.0 > 0),
        "{moved} moved, {eaten} eaten"
    );
}
