//! The command line end to end, through the real binary: exit codes, digests, whole outputs, interrupts.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A synthetic exchange with scenarios, in a directory of its own.
struct Exchange {
    dir: tempfile::TempDir,
}

impl Exchange {
    fn new(accounts: &str, tables: &str, scenarios: &str) -> Self {
        let exchange = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        exchange.ok(&[
            "synth",
            "book",
            "--accounts",
            accounts,
            "--seed",
            "11",
            "--near-threshold",
            "0.05",
            "--tables",
            tables,
        ]);
        exchange.ok(&["scenarios", "monte-carlo", "book", "--count", scenarios, "--seed", "3", "--out", "set.csv"]);
        exchange
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.dir.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Runs a command that succeeds; its stdout.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs a command that fails with this code and these words.
    fn fails(&self, arguments: &[&str], exit: i32, words: &str) {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {words:?} is not in {stderr}");
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let all: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
        serde_json::from_str(&self.ok(&all)).expect("one JSON object")
    }

    fn sweep(&self, more: &[&str]) -> Value {
        let all: Vec<&str> = ["sweep", "book", "--scenarios", "set.csv", "--engine", "cpu", "--out", "run"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        self.json(&all)
    }

    /// Names in the exchange's directory, hidden ones included.
    fn names(&self) -> Vec<String> {
        names(self.dir.path())
    }

    fn append(&self, file: &str, text: &str) {
        let path = self.path(file);
        let before = std::fs::read_to_string(&path).expect("a text file");
        std::fs::write(path, before + text).expect("a writable file");
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

const SWEEP: [&str; 6] = ["sweep", "book", "--scenarios", "set.csv", "--out", "run"];

#[test]
fn a_sweep_has_every_key_of_the_contract_and_writes_every_file() {
    let exchange = Exchange::new("200", "parquet", "32");
    let object = exchange.sweep(&[]);
    for key in [
        "digest",
        "engine",
        "adapter",
        "pools",
        "holdings",
        "scenarios",
        "cells",
        "seconds",
        "cells_per_second",
        "redecided_pools",
        "unknown_pools",
        "rows_refused",
        "audit",
    ] {
        assert!(object.get(key).is_some(), "no {key}");
    }
    for key in ["pools", "cells", "decisions_differ", "worst_bound_ratio"] {
        assert!(object["audit"].get(key).is_some(), "no audit.{key}");
    }
    assert_eq!(
        (&object["engine"], &object["scenarios"], &object["audit"]["decisions_differ"]),
        (&"cpu".into(), &32.into(), &0.into())
    );
    assert_eq!(
        names(&exchange.path("run")),
        [
            "greeks.parquet",
            "manifest.json",
            "pools.parquet",
            "report.html",
            "scenario_greeks.parquet",
            "scenarios.parquet"
        ]
    );
    let manifest = std::fs::read_to_string(exchange.path("run/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!((&manifest["digest"], &manifest["complete"]), (&object["digest"], &true.into()));
}

#[test]
fn the_digest_depends_on_no_format_thread_chunk_or_tile() {
    let parquet = Exchange::new("150", "parquet", "200");
    let digest = parquet.sweep(&[])["digest"].clone();
    for tables in ["csv", "arrow"] {
        let other = Exchange::new("150", tables, "200");
        assert_eq!(other.sweep(&[])["digest"], digest, "{tables}");
    }
    for more in [
        ["--threads", "1"],
        ["--threads", "2"],
        ["--chunk-pools", "1"],
        ["--chunk-pools", "7"],
        ["--chunk-pools", "1000"],
        ["--tile-scenarios", "16"],
        ["--tile-scenarios", "4096"],
        ["--audit-seed", "9"],
        ["--tables", "csv"],
    ] {
        assert_eq!(parquet.sweep(&more)["digest"], digest, "{more:?}");
    }
    let reference = ["sweep", "book", "--scenarios", "set.csv", "--out", "run", "--engine", "reference"];
    assert_eq!(parquet.json(&reference)["digest"], digest);
}

#[test]
fn greeks_are_written_explained_and_equal_whatever_the_run() {
    const GREEKS: &str = "delta,gamma,vega,theta,rho,vanna,volga,charm";
    let exchange = Exchange::new("60", "csv", "64");
    let object = exchange.sweep(&["--tables", "csv"]);
    let seconds = object["seconds"]["greeks"].as_f64().expect("a time");
    assert!(seconds > 0.0);
    let read = |name: &str| std::fs::read_to_string(exchange.path(name)).expect("a table");
    let (greeks, scenarios) = (read("run/greeks.csv"), read("run/scenario_greeks.csv"));
    assert_eq!(greeks.lines().next(), Some(format!("account,pool,underlying,at,{GREEKS}").as_str()));
    assert_eq!(scenarios.lines().next(), Some(format!("scenario,underlying,{GREEKS}").as_str()));
    let keys: Vec<Vec<&str>> = greeks.lines().skip(1).map(|line| line.split(',').take(4).collect()).collect();
    assert!(keys.is_sorted() && keys.len() > 100, "by account, pool, underlying, at");
    let underlyings = object["greeks"].as_array().expect("a list").len();
    assert_eq!(scenarios.lines().count(), 1 + 64 * underlyings);

    // What `explain` shows of a pool is what the table says, to the last digit.
    let fields: Vec<&str> = greeks.lines().nth(2).expect("a row at worst").split(',').collect();
    assert_eq!(fields[3], "worst");
    let explained = ["explain", "book", fields[0], "--pool", fields[1], "--scenarios", "set.csv", "--format", "json"];
    let object_text = exchange.ok(&explained);
    assert!(object_text.contains(&format!("\"delta\": {},", fields[4])), "{fields:?} in {object_text}");
    let explained: Value = serde_json::from_str(&object_text).expect("JSON");
    let of = &explained["greeks"][0];
    assert_eq!(of["underlying"], fields[2]);
    let legs: f64 =
        of["legs"].as_array().expect("legs").iter().map(|leg| leg["greeks"]["delta"].as_f64().unwrap()).sum();
    let total = of["total"]["delta"].as_f64().expect("a total");
    assert!((legs - total).abs() <= 1e-12 * total.abs().max(1.0));
    assert!(explained["base"]["greeks"].is_array());
    let text = exchange.ok(&["explain", "book", fields[0], "--pool", fields[1]]);
    assert!(
        text.contains("Greeks of the positions") && text.contains(" delta |") && !text.contains(" vega |"),
        "{text}"
    );

    let manifest: Value = serde_json::from_str(&read("run/manifest.json")).expect("JSON");
    assert_eq!(manifest["greeks_digest"], object["greeks_digest"]);
    for more in [["--threads", "1"], ["--chunk-pools", "7"], ["--engine", "reference"]] {
        let all = [&["sweep", "book", "--scenarios", "set.csv", "--out", "run"], &more[..]].concat();
        assert_eq!(exchange.json(&all)["greeks_digest"], object["greeks_digest"], "{more:?}");
    }
    for of in object["attribution"].as_array().expect("a list") {
        let part = |name: &str| of[name].as_f64().expect("an amount");
        let sum: f64 = ["delta", "gamma", "vega", "theta", "rest"].map(part).iter().sum();
        assert!((sum - part("actual")).abs() <= 1e-9 * part("actual").abs());
    }
}

#[test]
fn wrong_calls_end_with_2_and_leave_nothing() {
    let exchange = Exchange::new("20", "csv", "8");
    std::fs::write(exchange.path("bad.toml"), "version = 1\n[margin.X]\n").expect("a file");
    std::fs::create_dir(exchange.path("mine")).expect("a directory");
    std::fs::write(exchange.path("mine/thesis.txt"), "years of work").expect("a file");
    let before = exchange.names();
    exchange.fails(&["sweep", "book", "--scenarios", "none.csv", "--out", "run"], 2, "none.csv");
    exchange.fails(&["sweep", "nowhere", "--scenarios", "set.csv", "--out", "run"], 2, "nowhere");
    exchange.fails(&[&SWEEP[..], &["--rulebook", "bad.toml"]].concat(), 2, "a required key is missing");
    exchange.fails(&["sweep", "book", "--scenarios", "set.csv", "--out", "mine"], 2, "left alone");
    exchange.fails(&[&SWEEP[..], &["--engine", "cpu", "--adapter", "x"]].concat(), 2, "--adapter");
    exchange.fails(&[&SWEEP[..], &["--engine", "reference", "--adapter", "all"]].concat(), 2, "--adapter");
    exchange.fails(&["sweep", "book"], 2, "--scenarios");
    exchange.fails(&[&SWEEP[..], &["--engine", "gpu", "--adapter", "no-such-adapter"]].concat(), 7, "no-such-adapter");
    let twice = ["--adapter", "no-such-adapter", "--adapter", "nor-this"];
    exchange.fails(&[&SWEEP[..], &twice[..]].concat(), 7, "no-such-adapter");
    exchange.fails(&["explain", "book", "a9"], 2, "no account \"a9\"");
    exchange.fails(&["explain", "book", "a0000OO3"], 2, "did you mean \"a0000003\"?");
    exchange.fails(&["explain", "book", "a0000003", "--pool", "mian"], 2, "did you mean \"main\"?");
    exchange.fails(
        &["explain", "book", "a0000003", "--scenarios", "set.csv", "--scenario", "x"],
        2,
        "no scenario \"x\"",
    );
    exchange.fails(&["demo", "--out", "mine"], 2, "left alone");
    assert_eq!(exchange.names(), before);
    assert_eq!(names(&exchange.path("mine")), ["thesis.txt"]);
}

#[test]
fn refused_rows_stop_a_run_or_make_their_pools_unknown() {
    let exchange = Exchange::new("20", "csv", "8");
    exchange.append("book/balances.csv", "zoe,main,NOPE,,1,\n");
    exchange.fails(&SWEEP, 3, "no such name in assets");
    assert_eq!(names(&exchange.path("run")), ["manifest.json", "refused.parquet"]);
    let output = exchange.run(&[&SWEEP[..], &["--quarantine", "--tables", "csv", "--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(6));
    let object: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&object["unknown_pools"], &object["rows_refused"]), (&1.into(), &1.into()));
    assert_eq!(
        names(&exchange.path("run")),
        [
            "greeks.csv",
            "manifest.json",
            "pools.csv",
            "refused.csv",
            "report.html",
            "scenario_greeks.csv",
            "scenarios.csv"
        ]
    );
    let pools = std::fs::read_to_string(exchange.path("run/pools.csv")).expect("a table");
    assert_eq!(pools.lines().last(), Some("zoe,main,,,,,,,unknown,,,,,,,"));
    let greeks = std::fs::read_to_string(exchange.path("run/greeks.csv")).expect("a table");
    assert!(!greeks.contains("zoe"), "nothing is known of its Greeks");
    let output = exchange.run(&["explain", "book", "zoe", "--format", "json"]);
    assert_eq!(output.status.code(), Some(6));
    let object: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&object["state"], &object["equity"]), (&"unknown".into(), &Value::Null));
}

#[test]
fn a_refused_scenario_set_stops_a_run() {
    let exchange = Exchange::new("20", "csv", "8");
    exchange.append("set.csv", "again,1,\n");
    exchange.fails(&SWEEP, 3, "scenarios");
    assert_eq!(names(&exchange.path("run")), ["manifest.json", "refused.parquet"]);
}

/// Sum of the terms of these components.
fn sum(object: &Value, components: &[&str]) -> f64 {
    let terms = object["terms"].as_array().expect("terms").iter();
    let of = terms.filter(|term| components.contains(&term["component"].as_str().expect("a component")));
    of.map(|term| term["value"].as_f64().expect("a number")).sum()
}

fn assert_adds_up(object: &Value) {
    let equity = ["balance", "position_value", "accrued_funding"];
    let adjusted = [&equity[..], &["haircut"]].concat();
    for (total, components) in [
        ("equity", &equity[..]),
        ("adjusted_equity", &adjusted),
        ("initial_margin", &["initial_margin", "order_reserve"]),
        ("maintenance_margin", &["maintenance_margin"]),
    ] {
        let (published, added) = (object[total].as_f64().expect("a figure"), sum(object, components));
        assert!((published - added).abs() < 1e-9 * published.abs().max(1.0), "{total} {published}, terms {added}");
    }
    for term in object["terms"].as_array().expect("terms") {
        for key in ["component", "item", "value", "alternative"] {
            assert!(term.get(key).is_some(), "no {key} in {term}");
        }
    }
}

#[test]
fn explained_terms_add_up_to_what_the_sweep_publishes() {
    let exchange = Exchange::new("40", "csv", "64");
    exchange.sweep(&["--tables", "csv"]);
    let pools = std::fs::read_to_string(exchange.path("run/pools.csv")).expect("a table");
    for line in pools.lines().skip(1).step_by(4) {
        let fields: Vec<&str> = line.split(',').collect();
        let object = exchange.json(&["explain", "book", fields[0], "--pool", fields[1], "--scenarios", "set.csv"]);
        assert_adds_up(&object);
        assert_adds_up(&object["base"]);
        // As text: this reader of JSON may be wrong in the last bit.
        let base = exchange.ok(&["explain", "book", fields[0], "--pool", fields[1], "--format", "json"]);
        for (key, at) in [("equity", 2), ("adjusted_equity", 3), ("initial_margin", 4), ("maintenance_margin", 5)] {
            let published = format!("\"{key}\": {},", fields[at]);
            assert!(base.contains(&published), "{line}: no {published} in {base}");
        }
        assert_eq!((&object["base"]["state"], &object["scenario"]), (&fields[8].into(), &fields[9].into()), "{line}");
        let worst: f64 = fields[11].parse().expect("a number");
        assert!((object["equity"].as_f64().expect("a figure") - worst).abs() <= 1e-12 * worst.abs(), "{line}");
    }
    // One scenario asked for, and a table for reading.
    let asked = exchange.json(&[
        "explain",
        "book",
        "a0000003",
        "--pool",
        "main",
        "--scenarios",
        "set.csv",
        "--scenario",
        &scenario(&exchange),
    ]);
    assert_eq!(asked["scenario"], scenario(&exchange).as_str());
    let text = exchange.ok(&["explain", "book", "a0000003"]);
    assert!(text.contains("unshocked market") && text.contains("the terms add to the totals within"), "{text}");
}

/// The id of the first scenario.
fn scenario(exchange: &Exchange) -> String {
    let set = std::fs::read_to_string(exchange.path("set.csv")).expect("a set");
    let line = set.lines().nth(1).expect("a scenario");
    line.split(',').next().expect("an id").to_string()
}

#[test]
fn a_demo_runs_shows_its_commands_and_replaces_an_earlier_one() {
    let exchange = Exchange { dir: tempfile::tempdir().expect("a temporary directory") };
    let text = exchange.ok(&["demo", "--accounts", "300"]);
    for words in [
        "$ plimsoll synth plimsoll-demo/snapshot",
        "$ plimsoll sweep",
        "report: plimsoll-demo/result/report.html",
        "digest",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    assert!(exchange.path("plimsoll-demo/result/report.html").exists());
    let object = exchange.json(&["demo", "--accounts", "300"]);
    assert!(text.contains(object["digest"].as_str().expect("a digest")), "the same exchange again");
    assert_eq!(exchange.names(), ["plimsoll-demo"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_leaves_nothing() {
    use std::time::{Duration, Instant};
    let exchange = Exchange::new("2000", "parquet", "4000");
    let before = exchange.names();
    for (signal, exit) in [("INT", 130), ("TERM", 143)] {
        let mut child = exchange.command(&[&SWEEP[..], &["--engine", "reference", "--progress", "off"]].concat());
        let mut child = child.stderr(std::process::Stdio::piped()).spawn().expect("the binary runs");
        let start = Instant::now();
        while !exchange.names().iter().any(|name| name.ends_with(".partial")) {
            assert!(start.elapsed() < Duration::from_secs(60), "nothing is under construction");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(child.try_wait().expect("a child"), None, "the sweep is too short for this test");
        let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        let status = child.wait().expect("a child");
        assert_eq!(status.code(), Some(exit), "SIG{signal}");
        assert_eq!(exchange.names(), before, "SIG{signal}");
    }
}

/// A panel of the price factors of a book's underlyings: 40 rows a day apart. Even rows of BTC rise by 1 %, odd ones fall
/// by 0.5 %, the last one falls by 60 %; the others stand still.
fn write_panel(exchange: &Exchange) {
    let table = std::fs::read_to_string(exchange.path("book").join("underlyings.csv")).expect("a table");
    let names: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let mut text = format!("hour,{}\n", names.join(","));
    let mut bitcoin = 100.0;
    for row in 0..40 {
        bitcoin *= match row {
            39 => 0.4,
            _ if row % 2 == 0 => 1.01,
            _ => 0.995,
        };
        let prices = names.iter().map(|name| if *name == "BTC" { bitcoin.to_string() } else { "1".into() });
        text += &format!("{},{}\n", 480_000 + 24 * row, prices.collect::<Vec<_>>().join(","));
    }
    std::fs::write(exchange.path("panel.csv"), text).expect("a writable file");
}

#[test]
fn a_backtest_counts_the_exceedances_of_a_panel() {
    let exchange = Exchange::new("60", "csv", "2");
    write_panel(&exchange);
    let backtest = ["backtest", "book", "--panel", "panel.csv"];
    let with = |more: &[&'static str]| backtest.iter().chain(more).copied().collect::<Vec<_>>();
    let object = exchange.json(&with(&["--out", "run", "--tables", "csv"]));
    assert_eq!((object["rows"].as_u64(), object["rows_per_day"].as_u64()), (Some(39), Some(1)));
    assert_eq!(object["dependent"], false);
    let synthetic = object["synthetic"].as_array().expect("rows");
    let of = |kind: &str| {
        let found = synthetic.iter().find(|row| row["kind"] == kind && row["portfolio"] == "BTC");
        found.unwrap_or_else(|| panic!("no {kind} of BTC"))
    };
    // 100,000 of bitcoin lose 60,000 once; each rise costs a short one 1,000.
    let long = of("outright_long");
    assert_eq!((long["observations"].as_u64(), long["exceedances"].as_u64()), (Some(39), Some(1)));
    let requirement = long["requirement"].as_f64().expect("a number");
    let loss = long["max_shortfall"].as_f64().expect("a number") + requirement;
    assert!(requirement > 0.0 && (loss / 60_000.0 - 1.0).abs() < 0.01, "{long}");
    assert_eq!(of("outright_short")["exceedances"].as_u64(), Some(if requirement < 999.0 { 19 } else { 0 }));
    assert_eq!(of("hedged_spot")["exceedances"].as_u64(), Some(0));
    assert_eq!(of("calendar")["exceedances"].as_u64(), Some(0));
    let table = std::fs::read_to_string(exchange.path("run").join("backtest.csv")).expect("a table");
    let count = |key: &str| object[key].as_array().expect("rows").len();
    let pools = object["pools_tested"].as_u64().expect("a count") as usize;
    assert!(pools > 30 && count("left_out") > 0);
    assert_eq!(table.lines().count(), 1 + count("synthetic") + count("book") + pools);
    assert!(
        table.starts_with("kind,portfolio,pool,model,observations,exceedances,first_yellow,first_red,zone,dependent,")
    );
    assert!(exchange.path("run").join("manifest.json").exists());

    let rolling = exchange.json(&with(&["--pools", "0", "--horizon", "3", "--rolling", "10"]));
    assert_eq!((rolling["dependent"].as_bool(), rolling["pools_tested"].as_u64()), (Some(true), Some(0)));
    let rows = rolling["synthetic"].as_array().expect("rows");
    assert_eq!(rows.len(), 5 * synthetic.len());
    assert_eq!(rows[4]["model"], "rolling_floor");
    assert_eq!((rows[0]["observations"].as_u64(), rows[4]["observations"].as_u64()), (Some(37), Some(25)));
    assert!(exchange.ok(&with(&["--pools", "5"])).contains("5 pools of the book"), "a table for reading");
    exchange.fails(&with(&["--horizon", "40"]), 2, "the history has 39 returns");
    exchange.fails(&with(&["--level", "1"]), 2, "a level lies between 0 and 1");
    exchange.fails(&with(&["--account", "nobody"]), 2, "no account");
}
