//! `liquidate` end to end, through the real binary: its tables read by the test itself, its digest, its errors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A thin market: forced trades move prices, and the fund is soon empty.
const THIN: &str = r#"
steps = ["cancel_orders", "convert_collateral", "cut", "insurance_fund", "auto_deleverage", "socialise"]
[impact]
law = "linear"
depth_scale = 0.01
default_depth_quote = 1000
[fund]
balance_quote = 100
[deleverage]
severity = 0.5
"#;

/// Everything is closed.
const FULL: &str = "target_health = 1\n[cut]\nrule = \"full\"\n[impact]\ndefault_depth_quote = 1000\n";

/// A synthetic exchange with scenarios and policies, in a directory of its own.
struct Exchange {
    dir: tempfile::TempDir,
}

impl Exchange {
    fn new() -> Self {
        let exchange = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        let synth =
            ["synth", "book", "--accounts", "150", "--seed", "11", "--near-threshold", "0.1", "--tables", "csv"];
        exchange.ok(&synth);
        exchange.ok(&["scenarios", "monte-carlo", "book", "--count", "16", "--seed", "3", "--out", "set.csv"]);
        for (name, text) in [("thin.toml", THIN), ("full.toml", FULL)] {
            std::fs::write(exchange.path(name), text).expect("a policy");
        }
        exchange
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.dir.path());
        command.output().expect("the binary runs")
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn fails(&self, more: &[&str], exit: i32, words: &str) {
        let output = self.run(&command(more));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{more:?}: {stderr}");
        assert!(stderr.contains(words), "{more:?}: {words:?} is not in {stderr}");
    }

    fn liquidate(&self, more: &[&str]) -> Value {
        let mut all = command(more);
        all.extend(["--format", "json"]);
        serde_json::from_str(&self.ok(&all)).expect("one JSON object")
    }

    /// Contract sizes of the linear contracts.
    fn linear_sizes(&self) -> BTreeMap<String, f64> {
        let rows = self.rows("book/instruments.csv").into_iter();
        let linear = rows.filter(|row| row["payoff"] == "linear" && row["kind"] != "option");
        linear.map(|row| (row["instrument"].clone(), row["contract_size"].parse().expect("a size"))).collect()
    }

    fn rows(&self, table: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(self.path(table)).expect("a table");
        let header = reader.headers().expect("a header").clone();
        let row = |record: csv::StringRecord| {
            header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect()
        };
        reader.records().map(|record| row(record.expect("a row"))).collect()
    }
}

fn command<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["liquidate", "book", "--out", "run"];
    if !more.contains(&"--engine") {
        all.extend(["--engine", "cpu"]);
    }
    if !more.contains(&"--path") {
        all.extend(["--scenarios", "set.csv"]);
    }
    all.extend(more);
    all
}

/// A decimal with eight places, in units of the last.
fn quanta(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').expect("eight decimals");
    assert_eq!(part.len(), 8, "{text}");
    format!("{whole}{part}").parse().expect("an integer")
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_output_is_written_and_has_what_scripts_rely_on() {
    let exchange = Exchange::new();
    let object = exchange.liquidate(&["--worst", "3", "--policy", "thin.toml", "--against", "full.toml"]);
    let files = [
        "events.parquet",
        "impacts.parquet",
        "liquidations.parquet",
        "manifest.json",
        "policies.parquet",
        "report.html",
        "rounds.parquet",
        "traded.parquet",
    ];
    assert_eq!(names(&exchange.path("run")), files);
    let scenarios = object["scenarios"].as_array().expect("a list");
    assert_eq!(scenarios.len(), 3);
    for scenario in scenarios {
        for key in [
            "scenario",
            "liquidated_pools",
            "rounds",
            "liquidated_notional",
            "fund_draw",
            "adl_notional",
            "adl_pools",
            "adl_haircut",
            "socialised_loss",
            "uncovered",
            "amplification",
            "fund_left",
            "ending",
        ] {
            assert!(scenario.get(key).is_some(), "no {key}");
        }
        assert_eq!(scenario["conservation_error"], 0);
        let of = |stage: &str| -> u64 {
            scenario["ladder"][stage].as_object().expect("counts").values().filter_map(Value::as_u64).sum()
        };
        assert_eq!((of("before"), of("after")), (object["pools"].as_u64().unwrap(), object["pools"].as_u64().unwrap()));
        let (breached, liquidated) = (&scenario["breached_pools"], &scenario["liquidated_pools"]);
        let extra = liquidated.as_i64().unwrap() - breached.as_i64().unwrap();
        assert_eq!(scenario["extra_pools"], extra);
    }
    assert_eq!(object["policies"].as_array().expect("a list").len(), 2);
    let manifest = std::fs::read_to_string(exchange.path("run/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!((&manifest["digest"], &manifest["complete"]), (&object["digest"], &true.into()));
    let inputs = manifest["inputs"].as_array().expect("a list");
    for file in ["thin.toml", "full.toml", "set.csv"] {
        assert!(inputs.iter().any(|input| input["file"] == file), "no hash of {file}");
    }
    let report = std::fs::read_to_string(exchange.path("run/report.html")).expect("a report");
    for title in ["Who pays", "Rounds: notional", "Cascade ladder", "Health ladder", "Insurance fund", "Policies"] {
        assert!(report.contains(title), "no {title}");
    }
    let text = exchange.ok(&command(&["--worst", "3", "--policy", "thin.toml"]));
    assert!(text.contains("3 of 16 scenarios sequenced") && text.contains("the others are not"), "{text}");
}

/// What pools lose others receive, read from the table alone.
#[test]
fn the_events_add_up() {
    let exchange = Exchange::new();
    let object = exchange.liquidate(&["--worst", "4", "--policy", "thin.toml", "--tables", "csv"]);
    let events = exchange.rows("run/events.csv");
    assert!(events.len() > 100, "{} events", events.len());
    let linear = exchange.linear_sizes();
    let mut traded = 0;
    let mut numbers: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    // Between two pools every event stands twice: what one gives the other receives, of every asset and instrument.
    let mut between: BTreeMap<(&str, &str), i128> = BTreeMap::new();
    let mut sums: BTreeMap<(&str, &str), i128> = BTreeMap::new();
    for event in &events {
        let of = |column: &str| quanta(&event[column]);
        let scenario = event["scenario"].as_str();
        numbers.entry(scenario).or_default().push(event["event"].parse().expect("a number"));
        if event["counterparty"].contains('/') {
            *between.entry((scenario, &event["asset"])).or_default() += of("amount") - of("carry");
            *between.entry((scenario, &event["instrument"])).or_default() += of("quantity");
        }
        if event["action"] == "deleverage" && event["counterparty"] == "members" {
            *between.entry((scenario, "members")).or_default() += of("amount");
        }
        for (name, column) in [("trading_fees", "trading_fee"), ("fund_fees", "fund_fee")] {
            *sums.entry((scenario, name)).or_default() += of(column);
        }
        for (name, action) in [("fund_draw", "fund_draw"), ("socialised_loss", "socialise")] {
            if event["action"] == action {
                *sums.entry((scenario, name)).or_default() += of("amount");
            }
        }
        // What a position brings beyond what it was entered at is quantity · size · price, rounded down to a quantum.
        if let (Some(size), Ok(price)) = (linear.get(&event["instrument"]), event["price"].parse::<f64>()) {
            let proceeds = (of("amount") - of("carry")) as f64 / 1e8;
            let expected = -of("quantity") as f64 / 1e8 * size * price;
            assert!((proceeds - expected).abs() <= 2e-8 + 1e-12 * expected.abs(), "{proceeds} {expected}: {event:?}");
            traded += 1;
        }
        // Fees never exceed what left the quote balance, and nothing else of it leaves in a cut.
        if event["action"] == "cut" {
            assert_eq!(of("quote_amount") + of("trading_fee") + of("fund_fee"), 0, "{event:?}");
        }
    }
    assert!(between.values().all(|sum| *sum == 0), "{between:?}");
    assert!(!between.is_empty() && traded > 100, "somebody is deleveraged, and {traded} trades have a price");
    for numbers in numbers.values_mut() {
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "numbered without a gap");
    }
    for scenario in object["scenarios"].as_array().expect("a list") {
        let id = scenario["scenario"].as_str().expect("an id");
        for name in ["trading_fees", "fund_fees", "fund_draw", "socialised_loss"] {
            let sum = sums.get(&(id, name)).copied().unwrap_or_default();
            assert_eq!(scenario[name].as_f64(), Some(sum as f64 / 1e8), "{id} {name}");
        }
        // The fund: what it had, and came in, less what it paid.
        let of = |name| sums.get(&(id, name)).copied().unwrap_or_default();
        let left = 100 * 100_000_000 + of("fund_fees") - of("fund_draw");
        assert_eq!(scenario["fund_left"].as_f64(), Some(left as f64 / 1e8), "{id}");
    }
    let rows = exchange.rows("run/liquidations.csv");
    assert_eq!(rows.len(), 4);
    let by_round: f64 =
        exchange.rows("run/rounds.csv").iter().map(|row| row["liquidated_notional"].parse::<f64>().unwrap()).sum();
    let total: f64 = rows.iter().map(|row| row["liquidated_notional"].parse::<f64>().unwrap()).sum();
    assert!((by_round - total).abs() <= 1e-9 * total, "{by_round} {total}");
}

#[test]
fn the_digest_depends_on_no_thread_format_or_engine() {
    let exchange = Exchange::new();
    let base = ["--worst", "3", "--policy", "thin.toml"];
    let digest = exchange.liquidate(&base)["digest"].clone();
    for more in [
        ["--threads", "1"],
        ["--threads", "2"],
        ["--tables", "csv"],
        ["--tables", "arrow"],
        ["--chunk-pools", "7"],
        ["--engine", "reference"],
        ["--against", "full.toml"],
    ] {
        let all: Vec<&str> = base.iter().copied().chain(more).collect();
        assert_eq!(exchange.liquidate(&all)["digest"], digest, "{more:?}");
    }
    assert_ne!(exchange.liquidate(&["--worst", "3", "--policy", "thin.toml", "--deeper", "4"])["digest"], digest);
}

#[test]
fn an_event_is_explained_from_any_format() {
    let exchange = Exchange::new();
    let mut shown = Vec::new();
    for tables in ["csv", "parquet", "arrow"] {
        exchange.liquidate(&["--worst", "2", "--policy", "thin.toml", "--tables", "csv"]);
        let events = exchange.rows("run/events.csv");
        let cut = events.iter().find(|event| event["action"] == "cut").expect("a cut");
        exchange.liquidate(&["--worst", "2", "--policy", "thin.toml", "--tables", tables]);
        let line = [
            "explain",
            "book",
            &cut["account"],
            "--event",
            &cut["event"],
            "--events",
            "run",
            "--scenario",
            &cut["scenario"],
        ];
        let text = exchange.ok(&line);
        for words in ["contracts ×", "conceded against the mark", "maintenance margin", "events of the pool", "→"] {
            assert!(text.contains(words), "{words:?} is not in {text}");
        }
        shown.push(text);
        let output = exchange.run(&["explain", "book", &cut["account"], "--event", "999999", "--events", "run"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("no event 999999"));
    }
    assert!(shown.windows(2).all(|pair| pair[0] == pair[1]), "every format says the same");
}

#[test]
fn a_critical_depth_is_a_bracket_and_a_path_has_its_steps() {
    let exchange = Exchange::new();
    let object = exchange.liquidate(&["--worst", "1", "--policy", "thin.toml", "--critical-depth", "exchange"]);
    let found = &object["critical_depth"][0];
    assert_eq!(found["scope"], "exchange");
    match found["runs_away"].as_str().expect("a word") {
        "between" => {
            let (at, stable) = (found["runs_away_at"].as_f64().unwrap(), found["stable_at"].as_f64().unwrap());
            assert!(at < stable && stable / at < 1.01, "{found}");
            // The bracket holds: one end runs away, the other does not.
            let amplification = |factor: f64| {
                let factor = factor.to_string();
                let object = exchange.liquidate(&["--worst", "1", "--policy", "thin.toml", "--deeper", &factor]);
                object["scenarios"][0]["amplification"].as_f64().expect("a ratio")
            };
            assert!(amplification(at) >= 2.0 && amplification(stable) < 2.0);
        }
        word => assert!(["never", "always", "unmoved"].contains(&word)),
    }
    let path = "rounds_per_step = 2\n[[step]]\nshocks = { \"price:BTC\" = -0.1 }\n[[step]]\nshocks = { \"price:BTC\" = -0.3 }\n";
    std::fs::write(exchange.path("crash.toml"), path).expect("a path");
    let object = exchange.liquidate(&[
        "--path",
        "crash.toml",
        "--policy",
        "thin.toml",
        "--scenarios",
        "set.csv",
        "--tables",
        "csv",
    ]);
    let warnings = object["warnings"].to_string();
    assert!(warnings.contains("the scenario set is not used") && warnings.contains("held still"), "{warnings}");
    assert_eq!(object["scenarios"][0]["scenario"], "crash");
    let steps: Vec<String> = exchange.rows("run/rounds.csv").iter().map(|row| row["step"].clone()).collect();
    assert!(steps.contains(&"0".to_string()) && steps.contains(&"1".to_string()), "{steps:?}");
}

#[test]
fn wrong_calls_are_refused_by_name() {
    let exchange = Exchange::new();
    let id = std::fs::read_to_string(exchange.path("set.csv")).expect("a set");
    let id = id.lines().nth(1).and_then(|line| line.split(',').next()).expect("an id").to_string();
    exchange.fails(&["--scenario", &format!("{id}x"), "--policy", "thin.toml"], 2, "did you mean");
    exchange.fails(&["--policy", "thin.toml"], 2, "--scenario");
    exchange.fails(&["--worst", "2", "--scenario", &id], 2, "cannot be used with");
    exchange.fails(&["--worst", "2", "--deeper", "0"], 2, "a factor is between");
    exchange.fails(&["--worst", "2", "--policy", "thin.toml", "--critical-depth", "BTCC"], 2, "did you mean \"BTC\"");
    std::fs::write(exchange.path("bad.toml"), "[cut]\nrule = \"ful\"\n").expect("a policy");
    exchange.fails(&["--worst", "2", "--policy", "bad.toml"], 2, "did you mean \"full\"");
    assert!(!exchange.path("run").exists(), "nothing is left of a wrong call");
    let market = std::fs::read_to_string(exchange.path("book/underlyings.csv")).expect("a table");
    let header: Vec<&str> = market.lines().next().expect("a header").split(',').collect();
    let depth = header.iter().position(|name| *name == "depth").expect("a depth");
    let without = |line: &str| -> String {
        let fields: Vec<&str> =
            line.split(',').enumerate().filter(|(at, _)| *at != depth).map(|(_, field)| field).collect();
        fields.join(",")
    };
    let thinned: Vec<String> = market.lines().map(without).collect();
    std::fs::write(exchange.path("book/underlyings.csv"), thinned.join("\n") + "\n").expect("written");
    exchange.fails(&["--worst", "2"], 3, "depth");
    assert_eq!(names(&exchange.path("run")), ["manifest.json", "refused.parquet"]);
}
