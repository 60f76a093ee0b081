//! `transfer`: through the library on random books under every rule, and through the real binary on synthetic ones.

#[path = "suite/books.rs"]
#[allow(dead_code, reason = "the suite uses the rest")]
mod books;
mod schema;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plimsoll::domain::{Balance, BookBuilder, PoolSettings};
use plimsoll::engine::{Arbiter, EngineChoice, State as Health, SweepOptions};
use plimsoll::io::transfer_file;
use plimsoll::liquidation::Quanta;
use plimsoll::margin::{HaircutBase, MarginSide, Rules, Setting, SizeUnit, revalue};
use plimsoll::pricing::{Column, Unshocked};
use plimsoll::transfer::{
    Absent, Cargo, LotAmount, LotRequest, Outcome, Plan, Positions, Relation, Reopening, Route, Standing, State,
    Target, Test, Venue, Venues, transfer,
};
use plimsoll::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

fn options() -> SweepOptions {
    SweepOptions { engine: EngineChoice::Cpu, unshocked: Unshocked::Hold, ..SweepOptions::default() }
}

fn pair<'a>(case: &'a books::Case, other: &'a books::Case, from: usize, to: usize, relation: Relation) -> Venues<'a> {
    let venue = |case: &'a books::Case, index| {
        let pool = case.snapshot.book.pool(index);
        Venue {
            snapshot: &case.snapshot,
            rulebook: &case.rulebook,
            scenarios: &case.scenarios,
            account: pool.account,
            pool: pool.pool,
        }
    };
    Venues { source: venue(case, from), destination: venue(other, to), absent: Absent::Refuse, relation }
}

fn plan(cargo: Cargo, target: f64, standing: Standing, route: Route) -> Plan {
    let target = Target { source: target, destination: target, on: MarginSide::Initial, standing };
    Plan { cargo, target, route, nonce: 1 }
}

fn lot(asset: &str, amount: LotAmount) -> Cargo {
    Cargo::Lots(vec![LotRequest { asset: asset.into(), amount, flat_fee: 0.0 }])
}

/// What the engine found of a side at 1 · initial margin: markets below it.
fn restricted(side: &plimsoll::transfer::SideOutcome) -> u64 {
    let at_base = matches!(side.pool.state, Health::Restricted | Health::Liquidatable | Health::Bankrupt);
    u64::from(side.pool.restricted_scenarios) + u64::from(at_base)
}

/// Every plan over random books of every rule, and what came of it.
fn planned(mut visit: impl FnMut(&Plan, &Venues<'_>, Outcome)) {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let bases = [HaircutBase::Balance, HaircutBase::BalanceAndPnl];
    for seed in 0..6u64 {
        let base = bases[seed as usize % 2];
        let case = books::random(30, 24, seed, base, SizeUnit::Quote);
        let other = books::random(30, 24, seed + 100, bases[1 - seed as usize % 2], SizeUnit::Asset);
        for from in 0..30 {
            let balances = case.snapshot.book.pool(from).balances;
            let Some(held) = balances.iter().find(|balance| balance.amount > 0.0) else { continue };
            let asset = &case.snapshot.assets[held.asset as usize].name;
            let (relation, other) = match random.random_bool(0.5) {
                true => (Relation::OneVenue, &case),
                false => (Relation::TwoVenues, &other),
            };
            let to = (from + random.random_range(1..30usize)) % 30;
            let amount = match random.random_range(0..3) {
                0 => LotAmount::All,
                1 => LotAmount::Largest,
                _ => LotAmount::Units(held.amount * random.random_range(0.05..0.6)),
            };
            let haircut = if random.random_bool(0.5) { random.random_range(0.0..=1.0) } else { 0.0 };
            let route = Route {
                fee: 0.001,
                transit_haircut: haircut,
                transit_credit: 0.5 * haircut,
                latency_hours: 0.5,
                ..Route::default()
            };
            let standing = if random.random_bool(0.5) { Standing::Check } else { Standing::Report };
            let plan = plan(lot(asset, amount), 1.0, standing, route);
            let venues = pair(&case, other, from, to, relation);
            match transfer(&venues, &plan, &options(), &()) {
                Ok(outcome) => visit(&plan, &venues, outcome),
                // Some pools owe more of an asset than they hold of it.
                Err(Error::Configuration(faults)) => assert!(faults[0].column.starts_with("lots"), "{faults:?}"),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn every_state_is_what_the_engine_says_and_a_safe_plan_misses_no_target() {
    let (mut safe, mut refused, mut released) = (0, 0, 0);
    planned(|plan, _, outcome| {
        assert_eq!(outcome.conservation_error, Quanta::ZERO);
        for step in &outcome.steps {
            released += u32::from(step.state == State::Released);
            for (name, side) in step.sides() {
                assert_eq!(side.check.breached, restricted(side), "{name:?} when {:?}", step.state);
                if outcome.breach.is_none() && side.test == Test::Stops {
                    assert_eq!(restricted(side), 0);
                }
                assert!(side.test == Test::Stops || plan.target.standing == Standing::Report);
                assert!(step.joint_requirement >= side.requirement);
            }
        }
        let [idle, .., aborted] = &outcome.steps[..] else { panic!("states") };
        assert_eq!((idle.state, aborted.state), (State::Idle, State::Aborted));
        assert_eq!((&idle.source.counts, &idle.source.digest), (&aborted.source.counts, &aborted.source.digest));
        assert_eq!(idle.destination.digest, aborted.destination.digest);
        match outcome.breach {
            None => safe += 1,
            Some(_) => refused += 1,
        }
    });
    assert!(safe > 5 && refused > 10 && released > 10, "{safe} safe, {refused} refused, {released} released");
}

/// The same pools with dollars that put every initial margin between 100 and 10 000 within reach in the worst market.
fn with_slack(case: &books::Case, random: &mut ChaCha8Rng) -> books::Case {
    let rules = Rules::resolve(&case.rulebook, &case.snapshot).expect("rules resolve");
    let rows = revalue(&rules, &case.snapshot, &case.scenarios, Unshocked::Hold).expect("rows");
    let arbiter = Arbiter::new(Setting { snapshot: &case.snapshot, rules: &rules, rows: &rows });
    let usd = case.snapshot.assets.iter().position(|asset| asset.name == "USD").expect("USD") as u32;
    let mut builder = BookBuilder::default();
    for pool in case.snapshot.book.pools() {
        let id = builder.pool(pool.account, pool.pool);
        pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
        pool.positions.iter().for_each(|position| builder.add_position(id, *position));
        *builder.settings(id) = pool.settings.clone();
        let markets = (0..case.scenarios.len()).map(Column::Scenario).chain([Column::Base]);
        let excess = markets.map(|column| {
            let figures = arbiter.figures(&pool, column);
            figures.adjusted_equity - figures.initial_margin.max(figures.maintenance_margin)
        });
        let worst = excess.fold(f64::INFINITY, f64::min);
        builder.add_balance(id, Balance::new(usd, (-worst).max(0.0) + random.random_range(100.0..10_000.0)));
    }
    books::Case {
        snapshot: case.snapshot.with_book(builder.build()),
        rulebook: case.rulebook.clone(),
        scenarios: case.scenarios.clone(),
    }
}

/// The step of amounts of this size together, as docs/transfer.md says.
fn step(units: f64) -> Quanta {
    let mut step = 1;
    while 2.0 * units * 1e8 / step as f64 > (1u64 << 50) as f64 {
        step *= 10;
    }
    Quanta(step)
}

#[test]
fn the_largest_lot_is_the_last_quantum_that_keeps_every_target() {
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let (mut bounded, mut whole) = (0, 0);
    for seed in 0..2u64 {
        let case = books::random(24, 12, seed, HaircutBase::Balance, SizeUnit::Quote);
        let other = books::random(24, 12, seed + 100, HaircutBase::BalanceAndPnl, SizeUnit::Asset);
        let (case, other) = (with_slack(&case, &mut random), with_slack(&other, &mut random));
        for from in 0..24 {
            let relation = [Relation::OneVenue, Relation::TwoVenues][from % 2];
            let other = if relation == Relation::OneVenue { &case } else { &other };
            let venues = pair(&case, other, from, (from + random.random_range(1..24usize)) % 24, relation);
            let haircut = if from % 3 == 0 { random.random_range(0.0..=1.0) } else { 0.0 };
            let route =
                Route { fee: 0.001, transit_haircut: haircut, transit_credit: 0.5 * haircut, ..Route::default() };
            let planned = |amount, flat_fee| {
                let lots = Cargo::Lots(vec![LotRequest { asset: "USD".into(), amount, flat_fee }]);
                transfer(&venues, &plan(lots, 1.0, Standing::Check, route), &options(), &())
            };
            let Ok(largest) = planned(LotAmount::Largest, 0.0) else { continue };
            if largest.breach.is_some() {
                continue;
            }
            let item = &largest.items[0];
            let held = item.source_before.units().abs() + item.destination_before.units().abs();
            let exactly = |lot: Quanta| planned(LotAmount::Units(lot.units()), 0.0);
            let kept = exactly(item.leaving).expect("a lot that is held");
            let misses = kept.steps.iter().flat_map(|step| step.sides()).map(|(_, side)| side.check.breached);
            assert_eq!((misses.sum::<u64>(), kept.breach), (0, None));
            let Some(next) = &largest.next_breach else {
                assert_eq!(item.leaving, item.source_before);
                whole += 1;
                continue;
            };
            let more = exactly(item.leaving + step(held)).expect("a lot that is held").breach;
            assert!(more.as_ref() == Some(next) && next.breached > 0, "{more:?} is not {next:?}");
            match planned(LotAmount::Largest, item.leaving.units()) {
                Err(Error::Configuration(faults)) => assert_eq!(faults[0].column, "lots[0].flat_fee"),
                found => panic!("fees that take the largest lot are a fault: {:?}", found.map(|found| found.items)),
            }
            bounded += 1;
        }
    }
    assert!(bounded >= 20, "{bounded} bounded, {whole} whole");
}

#[test]
fn more_collateral_never_hurts_the_destination() {
    let mut compared = 0;
    planned(|plan, venues, outcome| {
        let Cargo::Lots(lots) = &plan.cargo else { return };
        let LotAmount::Units(units) = lots[0].amount else { return };
        let less = Plan { cargo: lot(&lots[0].asset, LotAmount::Units(units * 0.5)), ..plan.clone() };
        let less = transfer(venues, &less, &options(), &()).expect("half of what is held");
        let committed = |outcome: &Outcome| {
            let step = outcome.steps.iter().find(|step| step.state == State::Committed).cloned();
            step.expect("every course commits")
        };
        let (more, less) = (committed(&outcome), committed(&less));
        assert!(more.destination.check.breached <= less.destination.check.breached);
        assert!(more.source.check.breached >= less.source.check.breached);
        compared += 1;
    });
    assert!(compared > 20, "{compared}");
}

#[test]
fn a_whole_account_arrives_with_every_contract() {
    let (mut moved, mut refused) = (0, 0);
    for seed in 0..4 {
        let case = books::random(30, 8, seed, HaircutBase::Balance, SizeUnit::Quote);
        let other = books::random(30, 8, seed, HaircutBase::BalanceAndPnl, SizeUnit::Asset);
        for from in 0..30 {
            let source = case.snapshot.book.pool(from);
            let to = (from + 1) % 30;
            let mut venues = pair(&case, &other, from, to, Relation::TwoVenues);
            if from % 2 == 0 {
                (venues.destination.account, venues.absent) = ("nobody before", Absent::Create);
            }
            for positions in [Positions::Novation, Positions::Reopen(Reopening::default())] {
                let plan = plan(Cargo::Whole(positions), 1.0, Standing::Report, Route::default());
                let outcome = match transfer(&venues, &plan, &options(), &()) {
                    Ok(outcome) => outcome,
                    Err(Error::Configuration(faults)) => {
                        let has_orders = source.settings.open_order_margin > 0.0;
                        let is_empty = source.positions.is_empty() && source.balances.is_empty();
                        assert!(has_orders || is_empty, "{faults:?}");
                        refused += 1;
                        continue;
                    }
                    Err(other) => panic!("{other}"),
                };
                assert_eq!(outcome.conservation_error, Quanta::ZERO);
                assert!(outcome.source_after.positions.is_empty() && outcome.source_after.balances.is_empty());
                if venues.absent == Absent::Create {
                    let [idle, ..] = &outcome.steps[..] else { panic!("states") };
                    let committed = &outcome.steps[outcome.steps.len() - 2];
                    let (before, after) = (idle.source.pool.base.equity, committed.destination.pool.base.equity);
                    let cost = outcome.reopening_cost.0 + outcome.reopening_cost.1;
                    let slack = 1e-9 * idle.source.pool.base.gross_notional + 0.01;
                    assert!((before - cost - after).abs() <= slack, "{before} less {cost} is not {after}");
                    assert_eq!(outcome.destination_after.settings, PoolSettings::default());
                    let entries = outcome.destination_after.positions.iter().zip(source.positions);
                    assert_eq!(outcome.destination_after.positions.len(), source.positions.len());
                    for (after, before) in entries {
                        assert_eq!((after.quantity, after.side), (before.quantity, before.side));
                        assert!(positions != Positions::Novation || after == before, "a novated position is as it was");
                    }
                }
                moved += 1;
            }
        }
    }
    assert!(moved > 50 && refused > 0, "{moved} moved, {refused} refused");
}

#[test]
fn an_instrument_on_other_terms_is_listed() {
    let case = books::random(6, 4, 5, HaircutBase::Balance, SizeUnit::Quote);
    let mut other = books::random(6, 4, 5, HaircutBase::Balance, SizeUnit::Quote);
    other.snapshot.instruments.iter_mut().for_each(|instrument| instrument.contract_size *= 2.0);
    let from = (0..6).find(|&at| {
        let pool = case.snapshot.book.pool(at);
        !pool.positions.is_empty() && pool.settings.open_order_margin == 0.0
    });
    let venues = pair(&case, &other, from.expect("a pool"), 0, Relation::TwoVenues);
    let plan = plan(Cargo::Whole(Positions::Novation), 1.0, Standing::Report, Route::default());
    match transfer(&venues, &plan, &options(), &()) {
        Err(Error::Configuration(faults)) => {
            let terms = faults.iter().filter(|fault| fault.rule.contains("contract_size"));
            assert_eq!(terms.count(), venues.source.snapshot.book.pool(from.expect("a pool")).positions.len());
        }
        other => panic!("{:?}", other.map(|outcome| outcome.breach)),
    }
}

/// A directory with two synthetic venues, a scenario set and the examples.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        desk.ok(&["synth", "exchange", "--accounts", "300", "--seed", "7", "--tables", "csv"]);
        desk.ok(&["synth", "other", "--accounts", "50", "--seed", "9", "--tables", "csv"]);
        desk.ok(&["scenarios", "monte-carlo", "exchange", "--count", "256", "--seed", "7", "--out", "shocks.csv"]);
        for example in examples() {
            std::fs::copy(&example, desk.path(&file_name(&example))).expect("copied");
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.dir.path()).output().expect("the binary runs")
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let all: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
        serde_json::from_str(&self.ok(&all)).expect("one JSON object")
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a readable file")
    }
}

fn examples() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/transfers");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).expect("examples").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn examples_run_follow_the_schema_and_their_snapshots_can_be_swept() {
    let desk = Desk::new();
    for example in examples() {
        let name = file_name(&example);
        let table: toml::Table = desk.text(&name).parse().expect("TOML");
        let value = serde_json::to_value(table).expect("JSON");
        assert_eq!(schema::against(&transfer_file::schema(), &value, ""), Vec::<String>::new(), "{name}");
        let out = format!("out-{name}");
        let applied = format!("applied-{name}");
        let arguments = ["transfer", &name, "--out", &out, "--apply", &applied, "--tables", "csv", "--engine", "cpu"];
        let object = desk.json(&arguments);
        assert_eq!((&object["outcome"], &object["conservation_error"]), (&"safe".into(), &"0".into()), "{name}");
        if name == "largest.toml" {
            let leaving: f64 =
                object["items"][0]["leaving"].as_str().and_then(|text| text.parse().ok()).expect("an amount");
            assert!(object["next_breach"]["excess"].is_number(), "one quantum more is said to miss a target");
            let more = desk.text(&name).replace("\"largest\"", &format!("{:.8}", leaving + 1e-8));
            std::fs::write(desk.path("more.toml"), more).expect("written");
            let output = desk.run(&["transfer", "more.toml", "--out", "more", "--engine", "cpu"]);
            assert_eq!(output.status.code(), Some(5), "one quantum more misses a target");
        }
        for file in ["items.csv", "steps.csv", "states.csv", "manifest.json", "report.html"] {
            assert!(!desk.text(&format!("{out}/{file}")).is_empty(), "{out}/{file}");
        }
        let sides: &[&str] = if name == "largest.toml" { &["venue"] } else { &["source", "destination"] };
        for side in sides {
            let (snapshot, swept) = (format!("{applied}/{side}"), format!("swept-{side}-{name}"));
            desk.ok(&["sweep", &snapshot, "--scenarios", "shocks.csv", "--out", &swept, "--engine", "cpu"]);
        }
    }
    let printed: Value =
        serde_json::from_str(&desk.ok(&["rulebook", "schema", "transfer"])).expect("a schema is one JSON object");
    assert_eq!(printed, transfer_file::schema());
    // Whatever the engine and its threads.
    let digest = |engine: &str| {
        desk.json(&["transfer", "bridge.toml", "--out", "again", "--engine", engine, "--threads", "1"])["digest"]
            .clone()
    };
    assert_eq!(digest("cpu"), digest("reference"));
}

#[test]
fn a_plan_that_misses_a_target_says_where_and_changes_nothing() {
    let desk = Desk::new();
    let greedy = desk.text("largest.toml").replace("\"largest\"", "\"all\"");
    std::fs::write(desk.path("greedy.toml"), greedy).expect("written");
    let output = desk.run(&["transfer", "greedy.toml", "--out", "out", "--apply", "applied", "--format", "json"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("risk limit breached: source when committed: "), "{stderr}");
    let object: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&object["outcome"], &object["breach"]["state"]), (&"refused".into(), &"committed".into()));
    assert!(object["breach"]["excess"].as_f64().is_some_and(|excess| excess < 0.0));
    assert!(desk.path("out/report.html").exists() && !desk.path("applied").exists());
}

#[test]
fn an_applied_snapshot_has_the_rules_that_the_plan_names_and_takes_an_empty_place() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("rules")).expect("made");
    let rules = format!("{}\n[sets.tail]\nfile = \"tail.csv\"\n", desk.text("exchange/rulebook.toml"));
    std::fs::write(desk.path("rules/exchange.toml"), rules).expect("written");
    std::fs::copy(desk.path("shocks.csv"), desk.path("rules/tail.csv")).expect("copied");
    let snapshot = "snapshot = \"exchange\"";
    let plan = desk.text("bridge.toml").replace(snapshot, &format!("{snapshot}\nrulebook = \"rules/exchange.toml\""));
    std::fs::write(desk.path("elsewhere.toml"), plan).expect("written");
    let arguments = ["transfer", "elsewhere.toml", "--out", "out", "--apply", "applied", "--engine", "cpu"];
    desk.ok(&arguments);
    assert_eq!(desk.text("applied/source/rulebook.toml"), desk.text("rules/exchange.toml"));
    assert_eq!(desk.text("applied/source/tail.csv"), desk.text("shocks.csv"));
    desk.ok(&["sweep", "applied/source", "--scenarios", "shocks.csv", "--out", "swept", "--engine", "cpu"]);
    let again = desk.run(&["transfer", "elsewhere.toml", "--out", "again", "--apply", "applied", "--engine", "cpu"]);
    assert_eq!(again.status.code(), Some(2), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(!desk.path("again").exists(), "nothing is computed where the result has no place");
}

#[test]
fn a_lot_of_which_nothing_arrives_and_a_margin_for_orders_are_faults_by_name() {
    let desk = Desk::new();
    let bridge = |asset: &str, by: &str| desk.text("bridge.toml").replace(asset, by);
    let cases = [
        (bridge("flat_fee = 0.002", "flat_fee = 5"), "lots[0].flat_fee value \"5\": something of a lot arrives"),
        (bridge("fee = 0.0005", "fee = 1"), "route.fee value \"1\": a fee is a share below 1"),
        (bridge("amount = 5000", "amount = 0.00000001"), "route.fee value \"0.0005\": something of a lot arrives"),
        (
            desk.text("largest.toml").replace("[target]", "flat_fee = 1e9\n[target]"),
            "lots[0].flat_fee value \"1000000000\": something of a lot arrives",
        ),
    ];
    for (text, words) in cases {
        std::fs::write(desk.path("burns.toml"), text).expect("written");
        let output = desk.run(&["transfer", "burns.toml", "--out", "out", "--apply", "applied", "--engine", "cpu"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{words:?} is not in {stderr}");
        assert!(!desk.path("out").exists() && !desk.path("applied").exists());
    }
    let case = books::random(30, 4, 5, HaircutBase::Balance, SizeUnit::Quote);
    let from = (0..30).find(|&at| case.snapshot.book.pool(at).settings.open_order_margin > 0.0).expect("a pool");
    let venues = pair(&case, &case, from, (from + 1) % 30, Relation::TwoVenues);
    let plan = plan(Cargo::Whole(Positions::Novation), 1.0, Standing::Report, Route::default());
    match transfer(&venues, &plan, &options(), &()) {
        Err(Error::Configuration(faults)) => {
            assert_eq!((faults[0].column.as_str(), faults[0].value.as_str()), ("open_order_margin", "25"));
            assert_eq!(faults.len(), 1, "{faults:?}");
        }
        other => panic!("{:?}", other.map(|outcome| outcome.breach)),
    }
}

fn faults(text: &str) -> Vec<String> {
    match transfer_file::parse(text, "plan.toml").map(|_| ()) as Result<()> {
        Err(Error::Configuration(faults)) => faults.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fault_of_a_plan_is_said_at_once() {
    let found = faults(
        "positions = \"reopen\"\n[source]\nsnapshot = \"a\"\nscenarios = \"s\"\naccount = 3\n[destination]\nsnapshot = \"b\"\n\
         scenarios = \"s\"\nacount = \"x\"\n[[lots]]\nasset = \"USDT\"\namount = \"al\"\n[[lots]]\nasset = \"USDT\"\n\
         amount = -1\n[target]\nsource = 0\n[route]\ntransit_haircut = 0.1\ntransit_credit = 0.2\nlatency_hours = 20\n",
    );
    let expected = [
        "plan.toml:1 key positions: positions move with a whole account only",
        "plan.toml:5 key source.account value \"3\": a string",
        "plan.toml:6 key destination.account: a required key is missing",
        "plan.toml:9 key destination.acount: no such key here",
        "plan.toml:12 key lots[0].amount value \"al\": a number, or all, largest",
        "plan.toml:15 key lots[1].amount value \"-1\": above 0",
        "plan.toml:17 key target.source value \"0\": a positive number",
        "plan.toml:20 key route.transit_credit value \"0.2\": what the destination counts in transit is at most",
        "plan.toml:18 key route.timeout_hours value \"24\": an offer and its answer arrive in time",
    ];
    for expected in expected {
        assert!(found.iter().any(|fault| fault.starts_with(expected)), "{expected}\n{found:#?}");
    }
    let nothing = faults(
        "[source]\nsnapshot=\"a\"\nscenarios=\"s\"\naccount=\"x\"\n[destination]\nsnapshot=\"a\"\nscenarios=\"s\"\naccount=\"y\"\n",
    );
    assert_eq!(nothing.len(), 1, "{nothing:#?}");
    let both = "whole = true\nlots = []\n[route]\ntransit_haircut = 1\n[source]\nsnapshot=\"a\"\nscenarios=\"s\"\naccount=\"x\"\n\
                [destination]\nsnapshot=\"a\"\nscenarios=\"s\"\naccount=\"y\"\n";
    assert_eq!(faults(both).len(), 2, "{:#?}", faults(both));
}

#[test]
fn what_a_venue_does_not_have_ends_with_exit_2() {
    let desk = Desk::new();
    let plan = desk.text("largest.toml");
    let cases = [
        (plan.replace("account = \"a0000013\"", "account = \"a000013\""), "did you mean"),
        (plan.replace("account = \"a0000013\"", "account = \"a0000001\""), "the destination is another pool"),
        (plan.replace("\"USDT\"", "\"USTD\""), "lots[0].asset"),
        (plan.replace("\"largest\"", "1e12"), "the source holds that much"),
        (plan.replace("\"exchange\"", "\"no-such\""), "no-such"),
    ];
    for (text, words) in cases {
        std::fs::write(desk.path("bad.toml"), text).expect("written");
        let output = desk.run(&["transfer", "bad.toml", "--out", "out"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{words:?} is not in {stderr}");
    }
    assert!(!desk.path("out").exists());
}
