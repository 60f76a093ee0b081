//! Reverse stress: the closed form against the search, single factors, what is the same everywhere, the command.

use std::path::Path;
use std::process::{Command, Output};

use ndarray::{Array2, arr2};
use plimsoll::domain::{Asset, Balance, BookBuilder, Instrument, Position, Snapshot, Underlying};
use plimsoll::engine::plan::PlanOptions;
use plimsoll::engine::{EngineChoice, SweepOptions};
use plimsoll::margin::{MarginClass, Rulebook, Schedule};
use plimsoll::reverse::{
    Ellipsoid, Findings, Moves, Question, SearchOptions, SingleFactors, Spread, Target, most_plausible, reverse,
};
use plimsoll::scenario::Factor;
use serde_json::Value;

const PRICE: f64 = 100.0;

/// Perpetuals at 100, maintenance margin 1 %, one account per row: its money, then contracts of each.
fn exchange(names: &[&str], accounts: &[(f64, &[f64])]) -> (Snapshot, Rulebook) {
    let mut builder = BookBuilder::default();
    for (number, (money, quantities)) in accounts.iter().enumerate() {
        let pool = builder.pool(&format!("account{number:04}"), "main");
        builder.add_balance(pool, Balance::new(0, *money));
        for (instrument, quantity) in (0u32..).zip(*quantities).filter(|(_, quantity)| **quantity != 0.0) {
            builder.add_position(pool, Position::new(instrument, *quantity, PRICE));
        }
    }
    let perpetual = |(underlying, name): (u32, &&str)| Instrument {
        margin_class: "perpetual".into(),
        ..Instrument::perpetual(format!("{name}-PERP"), underlying, 0, PRICE)
    };
    let snapshot = Snapshot {
        as_of: None,
        quote: "USD".into(),
        assets: vec![Asset::new("USD", 1.0)],
        underlyings: names.iter().map(|name| Underlying::new(*name, PRICE)).collect(),
        instruments: (0u32..).zip(names).map(perpetual).collect(),
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: builder.build(),
    };
    let class = MarginClass::brackets(Schedule::flat(0.01), Schedule::flat(0.02));
    let rulebook =
        Rulebook { name: "flat".into(), margin: [("perpetual".to_string(), class)].into(), ..Rulebook::default() };
    (snapshot, rulebook)
}

fn ellipsoid(snapshot: &Snapshot, deviations: &[f64], correlation: Array2<f64>, moves: Moves) -> Ellipsoid {
    let factors = snapshot.underlyings.iter().map(|underlying| Factor::price(underlying.name.clone())).collect();
    let spread = Spread { factors, deviations: deviations.to_vec(), correlation };
    Ellipsoid::new(spread, moves, &snapshot.underlyings).expect("an ellipsoid")
}

fn options() -> SearchOptions {
    SearchOptions {
        directions: 64,
        ladder: 16,
        max_radius: 10.0,
        answers: 2,
        distinct_degrees: 30.0,
        seed: 1,
        sweep: SweepOptions { engine: EngineChoice::Cpu, ..SweepOptions::default() },
        single_factors: SingleFactors::Skip,
    }
}

fn found((snapshot, rulebook): &(Snapshot, Rulebook), of: &Ellipsoid, target: Target, how: &SearchOptions) -> Findings {
    let question = Question { snapshot, rulebook, ellipsoid: of, target };
    reverse(question, None, how, &()).expect("a search")
}

/// σ = (4 %, 5 %), ρ = 0.8, 1,000,000 of A and −400,000 of B: the most plausible loss of 60,000 is (−8 %, −5 %), √5 away.
#[test]
fn the_engine_finds_the_closed_form_of_two_factors() {
    let book = exchange(&["A", "B"], &[(1e7, &[10_000.0, -4_000.0])]);
    let covariance = arr2(&[[0.0016, 0.0016], [0.0016, 0.0025]]);
    let closed = most_plausible(&covariance, &[1e6, -4e5], -60_000.0).expect("a closed form");
    assert!((closed.moves[0] + 0.08).abs() < 1e-15 && (closed.moves[1] + 0.05).abs() < 1e-15, "{closed:?}");
    assert_eq!(format!("{:.5}", closed.radius), "2.23607");
    let correlation = arr2(&[[1.0, 0.8], [0.8, 1.0]]);
    let of = ellipsoid(&book.0, &[0.04, 0.05], correlation, Moves::Relative);
    let findings = found(&book, &of, Target::EquityLoss(60_000.0), &options());
    let best = &findings.answers[0];
    assert!((best.shocks[0] + 0.08).abs() < 1e-4 && (best.shocks[1] + 0.05).abs() < 1e-4, "{:?}", best.shocks);
    assert!((5f64.sqrt() * (1.0 - 1e-12)..5f64.sqrt() * (1.0 + 1e-6)).contains(&best.radius), "{}", best.radius);
    assert!(best.value >= 60_000.0 && best.value < 60_000.1, "{}", best.value);
    assert_eq!(best.likelihood, 1.0);
    let second = &findings.answers[1];
    let apart = of.whitened(&best.shocks).iter().zip(of.whitened(&second.shocks)).map(|(a, b)| a * b).sum::<f64>();
    assert!(apart / (best.radius * second.radius) <= 30f64.to_radians().cos() + 1e-12);
    let likelihood = (0.5 * (best.radius.powi(2) - second.radius.powi(2))).exp();
    assert!(second.radius > best.radius && (second.likelihood / likelihood - 1.0).abs() < 1e-12);
}

#[test]
fn a_linear_book_is_never_nearer_than_the_closed_form_and_within_a_percent() {
    const NAMES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
    let deviations = [0.02, 0.03, 0.05, 0.04, 0.06, 0.01];
    let correlation = Array2::from_shape_fn((6, 6), |(i, j)| if i == j { 1.0 } else { 0.5 });
    let covariance = Array2::from_shape_fn((6, 6), |(i, j)| correlation[[i, j]] * deviations[i] * deviations[j]);
    for seed in 1..4u32 {
        let quantity = |at: u32| f64::from((7 * at + 13 * seed) % 11) * 100.0 - 500.0;
        let quantities: Vec<f64> = (0..6).map(quantity).collect();
        // The same book in two accounts, to be added up.
        let (first, second): (Vec<f64>, Vec<f64>) = quantities.iter().map(|q| (q - 70.0, 70.0)).unzip();
        let book = exchange(&NAMES, &[(1e7, &first), (1e6, &second)]);
        let of = ellipsoid(&book.0, &deviations, correlation.clone(), Moves::Relative);
        let sensitivity: Vec<f64> = quantities.iter().map(|quantity| quantity * PRICE).collect();
        let spread = most_plausible(&covariance, &sensitivity, -1.0).expect("a book that moves").radius.recip();
        let loss = 3.0 * spread;
        let how = SearchOptions { seed: seed.into(), answers: 1, ..options() };
        let best = found(&book, &of, Target::EquityLoss(loss), &how).answers.remove(0);
        let closed = most_plausible(&covariance, &sensitivity, -loss).expect("a closed form");
        assert!((3.0 * (1.0 - 1e-9)..3.03).contains(&best.radius), "{} for 3", best.radius);
        assert!(best.radius >= closed.radius * (1.0 - 1e-9));
        for (shock, expected) in best.shocks.iter().zip(&closed.moves) {
            assert!((shock - expected).abs() < 0.002, "{:?} for {:?}", best.shocks, closed.moves);
        }
    }
}

/// 6,000 of money and 1,200 contracts at 100: 6,000 + 120,000 s < 1,200 (1 + s) below s = −4,800/118,800; the loan of it
/// above. B is held by nobody here.
#[test]
fn buffers_of_a_long_account_are_its_liquidation_prices() {
    let book = exchange(&["A", "B"], &[(6_000.0, &[1_200.0, 0.0])]);
    let of = ellipsoid(&book.0, &[0.03, 0.05], arr2(&[[1.0, 0.6], [0.6, 1.0]]), Moves::Log);
    let how = SearchOptions { single_factors: SingleFactors::Measure, ..options() };
    let findings = found(&book, &of, Target::Liquidatable(1), &how);
    let down = findings.buffers[0].down.expect("a fall liquidates");
    let expected = -4_800.0 / 118_800.0;
    assert!(down.shock <= expected && down.shock > expected - 1e-8, "{} for {expected}", down.shock);
    assert!((down.deviations + down.shock.ln_1p() / 0.03).abs() < 1e-12);
    assert!(findings.buffers[0].up.is_none() && findings.buffers[1].down.is_none() && findings.buffers[1].up.is_none());
    // A falls by as much in the most plausible answer, and B follows by its correlation.
    let best = &findings.answers[0];
    assert!((best.radius - down.deviations).abs() < 1e-4, "{} and {}", best.radius, down.deviations);
    assert!((best.shocks[1].ln_1p() - 0.6 * 0.05 / 0.03 * best.shocks[0].ln_1p()).abs() < 1e-3, "{:?}", best.shocks);
    assert_eq!(best.outcome.liquidatable_pools, 1);
}

#[test]
fn engines_threads_and_chunks_give_one_digest_and_seeds_reproduce() {
    let quantities: Vec<[f64; 3]> =
        (0..40).map(|k| [f64::from(k % 7) * 30.0, f64::from(k % 5) * -20.0, 55.0]).collect();
    let accounts: Vec<(f64, &[f64])> =
        quantities.iter().enumerate().map(|(k, of)| (900.0 + 50.0 * k as f64, &of[..])).collect();
    let book = exchange(&["A", "B", "C"], &accounts);
    let correlation = Array2::from_shape_fn((3, 3), |(i, j)| if i == j { 1.0 } else { 0.4 });
    let of = ellipsoid(&book.0, &[0.03, 0.05, 0.04], correlation, Moves::Log);
    let engine = |engine, threads, chunk_pools| {
        let plan = PlanOptions { chunk_pools, tile_scenarios: None };
        let sweep = SweepOptions { engine, threads, plan, ..SweepOptions::default() };
        SearchOptions { directions: 16, ladder: 8, answers: 1, sweep, ..options() }
    };
    for target in
        [Target::Shortfall(500.0), Target::LiquidatableNotional(3e4), Target::Bankrupt(5), Target::EquityLoss(2e4)]
    {
        let plain = found(&book, &of, target, &engine(EngineChoice::Cpu, None, None));
        assert!(plain.base < target.amount() && plain.answers[0].value >= target.amount(), "{target}");
        for how in [
            engine(EngineChoice::Cpu, Some(1), Some(3)),
            engine(EngineChoice::Cpu, Some(3), Some(7)),
            engine(EngineChoice::Reference, Some(2), None),
        ] {
            assert_eq!(found(&book, &of, target, &how).digest, plain.digest, "{target}");
        }
        let other = SearchOptions { seed: 2, ..engine(EngineChoice::Cpu, None, None) };
        let other = found(&book, &of, target, &other);
        assert!((other.answers[0].radius / plain.answers[0].radius - 1.0).abs() < 0.01, "{target}");
    }
}

#[test]
fn what_holds_at_base_and_what_is_out_of_reach_is_said() {
    let book = exchange(&["A"], &[(6_000.0, &[1_200.0]), (100.0, &[1_200.0])]);
    let of = ellipsoid(&book.0, &[0.03], arr2(&[[1.0]]), Moves::Log);
    let at_base = found(&book, &of, Target::Liquidatable(1), &options());
    assert_eq!((at_base.base, at_base.answers.len(), at_base.answers[0].radius), (1.0, 1, 0.0));
    assert_eq!(at_base.set.shocks, arr2(&[[0.0]]));
    let never = found(&book, &of, Target::Liquidatable(3), &options());
    assert!(never.answers.is_empty() && never.set.is_empty());
    let furthest = never.furthest.expect("the nearest miss");
    assert_eq!(furthest.value, 2.0);
    assert!(furthest.shocks[0] < -0.04, "{furthest:?}");
}

#[test]
fn falls_stop_where_a_beta_would_take_a_price_below_zero() {
    let mut book = exchange(&["A"], &[(6_000.0, &[1_200.0])]);
    book.0.underlyings[0].beta = 2.0;
    let of = ellipsoid(&book.0, &[0.5], arr2(&[[1.0]]), Moves::Relative);
    let findings = found(&book, &of, Target::EquityLoss(119_000.0), &options());
    let best = &findings.answers[0];
    assert!(best.shocks[0] > -0.5 && best.shocks[0] < -0.49, "{:?}", best.shocks);
    assert!((best.radius - best.shocks[0].abs() / 0.5).abs() < 1e-12);
}

#[test]
fn wrong_options_are_refused() {
    let book = exchange(&["A"], &[(6_000.0, &[1_200.0])]);
    let of = ellipsoid(&book.0, &[0.03], arr2(&[[1.0]]), Moves::Log);
    let bounded = SweepOptions { totals: Some(plimsoll::engine::Totals::Bounded), ..SweepOptions::default() };
    for wrong in [
        SearchOptions { ladder: 0, ..options() },
        SearchOptions { answers: 0, ..options() },
        SearchOptions { max_radius: f64::NAN, ..options() },
        SearchOptions { max_radius: 0.0, ..options() },
        SearchOptions { max_radius: f64::INFINITY, ..options() },
        SearchOptions { directions: usize::MAX, ..options() },
        SearchOptions { distinct_degrees: -1.0, ..options() },
        SearchOptions { sweep: bounded, ..options() },
    ] {
        let question =
            Question { snapshot: &book.0, rulebook: &book.1, ellipsoid: &of, target: Target::Liquidatable(1) };
        assert!(reverse(question, None, &wrong, &()).is_err(), "{wrong:?}");
    }
    for deviation in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let spread =
            Spread { factors: vec![Factor::price("A")], deviations: vec![deviation], correlation: arr2(&[[1.0]]) };
        assert!(Ellipsoid::new(spread, Moves::Log, &[]).is_err(), "{deviation}");
    }
}

/// A short straddle, and a future whose account is far from trouble.
const TABLES: [(&str, &str); 8] = [
    ("snapshot.toml", "as_of = \"2026-11-22T00:00:00Z\"\nquote = \"USD\"\n"),
    ("assets.csv", "asset,price\nBTC,60000\nUSD,1\n"),
    ("underlyings.csv", "underlying,index_price\nBTC,60000\n"),
    (
        "instruments.csv",
        "instrument,kind,underlying,payoff,mark_price,strike,expiry,right,implied_volatility,forward_price,margin_class\n\
         C,option,BTC,linear,4300,60000,2026-12-25T08:00:00Z,call,0.6,60000,option\n\
         P,option,BTC,linear,4300,60000,2026-12-25T08:00:00Z,put,0.6,60000,option\n",
    ),
    ("balances.csv", "account,asset,amount\na,USD,25000\nb,USD,50000\n"),
    ("positions.csv", "account,instrument,quantity,entry_price\na,C,-1,4300\na,P,-1,4300\nb,C,1,4300\n"),
    (
        "rulebook.toml",
        "version = 1\nname = \"options by notional\"\n[margin.option]\nmaintenance = { form = \"flat\", rate = 0.1 }\n\
         initial = { form = \"flat\", rate = 0.2 }\n",
    ),
    ("set.csv", "scenario,price:BTC\nfall,-0.3\nstill,0\nrise,0.2\n"),
];

fn write(dir: &Path) {
    for (name, text) in TABLES {
        std::fs::write(dir.join(name), text).expect("a table");
    }
    // Forty hours up and down by 1 %, then a crash.
    let mut panel = "hour,BTC\n".to_string();
    for hour in 0..41 {
        panel += &format!("{},{}\n", 490_000 + hour, if hour % 2 == 0 { 60_000 } else { 60_600 });
    }
    panel += "490041,39000\n";
    std::fs::write(dir.join("panel.csv"), panel).expect("a panel");
}

fn run(dir: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(arguments.split(' ')).args(["--engine", "cpu"]).current_dir(dir).output().expect("the binary runs")
}

fn object(dir: &Path, arguments: &str) -> Value {
    let output = run(dir, &format!("{arguments} --format json"));
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn a_short_straddle_is_liquidated_on_both_sides() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path());
    let ask = "reverse . --account a --target liquidatable --volatility 0.6 --max-radius 20 --out answers.csv";
    let found = object(dir.path(), ask);
    let side = |side: &str| found["buffers"][0][side]["shock"].as_f64().expect("a crossing");
    assert!(side("down") < -0.05 && side("up") > 0.05, "{found}");
    let radii: Vec<f64> =
        found["answers"].as_array().expect("a list").iter().map(|a| a["radius"].as_f64().expect("a radius")).collect();
    assert_eq!(radii.len(), 2, "one up, one down");
    let shocks: Vec<f64> = [0, 1].map(|k| found["answers"][k]["shocks"]["price:BTC"].as_f64().expect("a shock")).into();
    assert!(shocks[0] * shocks[1] < 0.0 && radii[0] <= radii[1], "{shocks:?}");
    assert_eq!(object(dir.path(), ask)["digest"], found["digest"]);
    let swept = object(dir.path(), "sweep . --scenarios answers.csv --out run --tables csv");
    assert_eq!(swept["states"]["liquidatable"], 0, "nobody is at base");
    let rows = std::fs::read_to_string(dir.path().join("run/scenarios.csv")).expect("a table");
    let at = rows.lines().next().expect("a header").split(',').position(|name| name == "liquidatable_pools");
    let counts: Vec<&str> =
        rows.lines().skip(1).map(|row| row.split(',').nth(at.expect("a column")).unwrap_or("")).collect();
    assert_eq!(counts, ["1", "1"], "{rows}");
}

#[test]
fn a_history_says_how_plausible_and_how_often() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path());
    let found = object(
        dir.path(),
        "reverse . --account a --target liquidatable --covariance panel.csv --replay --max-radius 20 --out answers.csv",
    );
    assert_eq!(found["history"], serde_json::json!({"rows": 41, "reaching": 1}));
    let deviation = found["factors"][0]["deviation"].as_f64().expect("a number");
    let returns: Vec<f64> =
        (0..40).map(|k| if k % 2 == 0 { 1.01f64.ln() } else { -1.01f64.ln() }).chain([(0.65f64).ln()]).collect();
    let mean = returns.iter().sum::<f64>() / 41.0;
    let expected = (returns.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 41.0).sqrt();
    assert!((deviation / expected - 1.0).abs() < 1e-12, "{deviation} for {expected}");
    let answers = found["answers"].as_array().expect("a list");
    let of_fall = answers.iter().find(|a| a["shocks"]["price:BTC"].as_f64() < Some(0.0)).expect("a fall");
    assert_eq!(of_fall["history_rows_beyond"], 1, "the crash");
    let stretched = object(
        dir.path(),
        "reverse . --account a --target liquidatable --covariance panel.csv --horizon-days 1 --max-radius 20 --out a.csv",
    );
    let day = stretched["factors"][0]["deviation"].as_f64().expect("a number");
    assert!((day / (deviation * 24f64.sqrt()) - 1.0).abs() < 1e-12, "{day}");
    let set = object(dir.path(), "reverse . --target loss=5000 --covariance set.csv --out a.csv");
    assert_eq!((set["history"]["rows"].as_u64(), set["reached"].as_bool()), (Some(3), Some(true)));
}

#[test]
fn unreached_targets_leave_no_file_and_wrong_words_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path());
    std::fs::write(dir.path().join("old.csv"), "scenario\nold\n").expect("a file");
    let never = object(dir.path(), "reverse . --target bankrupt=2 --volatility 0.6 --max-radius 2 --out old.csv");
    assert_eq!((&never["reached"], &never["out"]), (&false.into(), &Value::Null));
    assert!(never["furthest"]["value"].as_f64() < Some(2.0) && !dir.path().join("old.csv").exists());
    for (arguments, exit, words) in [
        ("reverse . --target bankrput=2 --volatility 0.6 --out a.csv", 2, "did you mean \"bankrupt\"?"),
        ("reverse . --target shortfall=-1 --volatility 0.6 --out a.csv", 2, "above 0"),
        ("reverse . --target liquidatable --account z --volatility 0.6 --out a.csv", 2, "no account \"z\""),
        ("reverse . --target liquidatable --account a --pool z --volatility 0.6 --out a.csv", 2, "no pool \"z\""),
        ("reverse . --target liquidatable --pool z --volatility 0.6 --out a.csv", 2, "--account"),
        ("reverse . --target liquidatable --out a.csv", 2, "no volatility for BTC"),
        ("reverse . --target liquidatable --volatility BTX=0.6 --out a.csv", 2, "did you mean \"BTC\"?"),
        ("reverse . --target liquidatable --volatility 0.6 --out a.txt", 2, ".csv"),
        ("reverse . --target liquidatable --covariance nowhere.csv --out a.csv", 2, "nowhere.csv"),
        (
            "reverse . --target liquidatable --covariance set.csv --horizon-days 2 --out a.csv",
            2,
            "what time a scenario set",
        ),
        ("reverse . --target liquidatable --volatility 0.6 --horizon-days 0 --out a.csv", 2, "a horizon of 0 days"),
        ("reverse . --target liquidatable --volatility 0.6 --correlation 2 --out a.csv", 2, "lies between 0 and 1"),
        ("reverse . --target liquidatable --volatility 0.6 --max-radius inf --out a.csv", 2, "a largest radius of inf"),
        ("reverse . --target liquidatable --covariance balances.csv --out a.csv", 3, "scenario"),
    ] {
        let output = run(dir.path(), arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments}: {stderr}");
        assert!(stderr.contains(words), "{arguments}: {words:?} is not in {stderr}");
        assert!(!dir.path().join("a.csv").exists());
    }
}
