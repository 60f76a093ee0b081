//! `forecast evaluate`, `fit`, `apply` and `replay` through the real binary: scores, a model that reads back, what is refused.

mod bars;

use std::path::PathBuf;
use std::process::{Command, Output};

use bars::{FIRST_HOUR, HOURS, bars};
use serde_json::Value;

/// A directory with a synthetic history of bars.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        desk.write("bars.csv", &bars(HOURS));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a writable file");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a text file")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.arg("forecast").args(arguments).current_dir(self.dir.path()).output().expect("the binary runs")
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
        serde_json::from_str(&self.ok(&arguments)).expect("one JSON object")
    }

    fn fails(&self, arguments: &[&str], exit: i32, words: &str) {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
}

fn named<'v>(list: &'v Value, name: &str) -> &'v Value {
    let found = list.as_array().expect("a list").iter().find(|entry| entry["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn an_evaluation_scores_every_model_and_repeats() {
    let desk = Desk::new();
    let scores = desk.json(&["evaluate", "bars.csv", "--out", "run", "--tables", "csv"]);
    assert_eq!((scores["asset"].as_str(), scores["companions"][0].as_str()), (Some("BTC"), Some("ETH")));
    assert_eq!(scores["from"], "2021-07-01T00:00:00Z");
    let models = &scores["models"];
    assert_eq!(models.as_array().map(Vec::len), Some(8));
    assert!(number(&named(models, "log_har")["qlike"]) < number(&named(models, "ewma")["qlike"]), "{models}");
    assert!(named(models, "garch_t")["pr_auc"].is_null() && number(&named(models, "garch_t")["qlike"]) > 0.0);
    let har = named(models, "log_har");
    let verdicts = ["log_har", "har_x", "ewma"].map(|name| named(models, name)["verdict"].as_str());
    assert_eq!(verdicts, [Some("baseline"), Some("too_short"), Some("too_short")], "{models}");
    assert!(number(&named(models, "har_x")["months"]) < 12.0 && scores["choice"] == "log_har");
    assert!(har["used"] == true && har["qlike_gain"].is_null());
    let ridge = named(models, "har_x");
    let gain = &ridge["qlike_gain"];
    assert!(number(&gain["low"]) <= number(&gain["estimate"]) && number(&gain["estimate"]) <= number(&gain["high"]));
    for figure in ["pr_auc", "roc_auc", "brier"] {
        assert!((0.0..=1.0).contains(&number(&ridge[figure])), "{ridge}");
    }
    let observations = scores["observations"].as_u64().expect("a count");
    let bins: u64 = scores["reliability"]
        .as_array()
        .expect("bins")
        .iter()
        .filter(|bin| bin["model"] == "har_x")
        .map(|bin| bin["count"].as_u64().unwrap_or(0))
        .sum();
    assert_eq!(bins, observations, "every forecast is in a bin");
    let table = desk.read("run/outlooks.csv");
    assert!(table.starts_with("model,hour,variance,long_run_variance,spike_probability,realised_variance,threshold\n"));
    assert_eq!(table.lines().filter(|line| line.starts_with("har_x,")).count() as u64, observations);
    let manifest: Value = serde_json::from_str(&desk.read("run/manifest.json")).expect("JSON");
    assert_eq!((&manifest["digest"], &manifest["program"]), (&scores["digest"], &Value::from("plimsoll")));
    let again = desk.json(&["evaluate", "bars.csv", "--asset", "btc", "--with", "eth", "--from", "2021-07-01"]);
    assert_eq!(again, scores);
    let alone = desk.json(&["evaluate", "bars.csv", "--asset", "eth", "--alone"]);
    assert!(alone["asset"] == "ETH" && alone["companions"].as_array().is_some_and(Vec::is_empty));
    let text = desk.ok(&["evaluate", "bars.csv"]);
    assert!(text.contains("log_har") && text.contains("baseline") && text.contains("reliability of"), "{text}");
    assert!(text.contains("it needs 12 calendar months and 30 spikes"), "{text}");
}

#[test]
fn a_fitted_model_says_what_the_walk_said() {
    let desk = Desk::new();
    // Two months before the end: what is known when December starts.
    let december = FIRST_HOUR + (366 + 334) * 24;
    let cut: String =
        desk.read("bars.csv").lines().take(1 + (366 + 334) * 24).map(|line| format!("{line}\n")).collect();
    desk.write("past.csv", &cut);
    let fitted = desk.json(&["fit", "past.csv", "--out", "model.toml", "--ungated"]);
    let kind = fitted["model"].as_str().expect("a kind");
    assert!(
        kind.starts_with("har_x") && fitted["training"]["rows"].as_u64().is_some_and(|rows| rows > 3_000),
        "{fitted}"
    );
    desk.json(&["evaluate", "bars.csv", "--out", "run", "--tables", "csv"]);
    let walked = desk.read("run/outlooks.csv");
    for hour in [december, december + 4, december + 300] {
        let said = desk.json(&["apply", "bars.csv", "--model", "model.toml", "--at", &hour.to_string()]);
        let start = format!("{kind},{hour},");
        let row: Vec<f64> = walked
            .lines()
            .find(|line| line.starts_with(&start))
            .expect("a row")
            .split(',')
            .skip(2)
            .map(|cell| cell.parse().expect("a number"))
            .collect();
        let figures = ["variance", "long_run_variance", "spike_probability"].map(|name| number(&said[name]));
        for (figure, walked) in figures.iter().zip(&row) {
            assert!((figure / walked - 1.0).abs() < 1e-14, "{said} beside {row:?}");
        }
        assert_eq!(said["model_hash"], fitted["model_hash"]);
        assert!((number(&said["volatility"]).powi(2) - 365.0 * row[0]).abs() < 1e-12);
    }
    let text = desk.ok(&["apply", "bars.csv", "--model", "model.toml"]);
    assert!(text.contains("2022-01-01") || text.contains("2021-12-31"), "{text}");
    let gated = desk.json(&["fit", "past.csv", "--out", "gated.toml"]);
    assert_eq!((gated["gate"].as_str(), gated["model"].as_str()), (Some("baseline"), Some("log_har")), "{gated}");
    assert_eq!(
        (&gated["verdict"], &fitted["gate"]),
        (&"too_short".into(), &"failed".into()),
        "half a year is too short"
    );
    let text = desk.ok(&["fit", "past.csv", "--out", "gated.toml"]);
    assert!(text.contains("the gate cannot judge"), "{text}");
    assert_eq!(desk.json(&["apply", "bars.csv", "--model", "gated.toml"])["gate_passed"], true);
}

#[test]
fn what_cannot_be_forecast_is_refused_with_a_reason() {
    let desk = Desk::new();
    let bars = desk.read("bars.csv");
    let lines: Vec<&str> = bars.lines().collect();
    let gap = |from: usize, to: usize| [&lines[..from], &lines[to..]].concat().join("\n");
    desk.write("gap.csv", &gap(5_000, 5_003));
    desk.fails(&["evaluate", "gap.csv"], 3, "row 5000");
    desk.write("short.csv", &lines[..9_000].join("\n"));
    desk.fails(&["evaluate", "short.csv"], 3, "181 days");
    let flat: String = (0..HOURS).map(|hour| format!("{},7,7,7,7\n", FIRST_HOUR + hour)).collect();
    desk.write("flat.csv", &format!("hour,usdc_open,usdc_high,usdc_low,usdc_close\n{flat}"));
    desk.fails(&["evaluate", "flat.csv"], 3, "moves at least once");
    desk.fails(&["evaluate", "none.csv"], 2, "none.csv");
    desk.fails(&["evaluate", "bars.csv", "--asset", "sol"], 2, "BTC ETH");
    desk.fails(&["evaluate", "bars.csv", "--from", "2020-03-01"], 2, "too early");
    desk.fails(&["evaluate", "bars.csv", "--from", "soon"], 2, "moment");
    desk.ok(&["fit", "bars.csv", "--out", "model.toml"]);
    let model = desk.read("model.toml");
    let altered = model.replacen("intercept = -", "intercept = -1", 1);
    assert_ne!(altered, model);
    desk.write("altered.toml", &altered);
    desk.fails(&["apply", "bars.csv", "--model", "altered.toml"], 2, "hash");
    desk.write("later.toml", &model.replace("version = 1", "version = 9"));
    desk.fails(&["apply", "bars.csv", "--model", "later.toml"], 2, "version");
    desk.fails(&["apply", "bars.csv", "--model", "model.toml", "--at", "2020-02-01"], 3, "181 days");
    desk.fails(&["apply", "bars.csv", "--model", "model.toml", "--at", "2031-01-01"], 3, "reaches");
}

const OVERLAY: &str = "version = 1\n# Ours.\n[margin.BTC]\nmaintenance = { form = \"flat\", rate = 0.05 }\n[overlay] # follows\n\
                       floor = 0.5\n";

#[test]
fn a_replay_compares_rules_at_equal_coverage_and_repeats() {
    let desk = Desk::new();
    desk.write("rulebook.toml", OVERLAY);
    let arguments = ["replay", "bars.csv", "--rulebook", "rulebook.toml", "--follow", "log_har", "--accounts", "500"];
    let out = ["--out", "replay", "--tables", "csv"];
    let replay = desk.json(&arguments.iter().chain(&out).copied().collect::<Vec<_>>());
    assert_eq!((replay["asset"].as_str(), replay["followed"].as_str()), (Some("BTC"), Some("log_har")));
    let steps = number(&replay["steps"]);
    let rules = replay["in_sample"].as_array().expect("a list");
    assert_eq!(rules.len(), 18, "nine rules, both directions");
    assert!(rules.iter().all(|rule| number(&rule["exceedances"]) == (0.01 * steps).floor()), "{rules:?}");
    let of = |rule: &str| rules.iter().find(|found| found["rule"] == rule).expect("the rule");
    assert_eq!(number(&of("constant")["peak_to_trough"]), 1.0);
    assert!(number(&of("half log_har")["peak_to_trough"]) < number(&of("log_har")["peak_to_trough"]));
    assert!(number(&of("overlay of log_har")["rise_1_day"]) < 0.25 + 1e-9);
    let changes = desk.read("replay/changes.csv");
    assert_eq!(changes.lines().count() as f64, number(&replay["changes"]) + 1.0);
    assert!(desk.read("replay/manifest.json").contains("rulebook.toml"));
    assert_eq!(desk.json(&arguments), replay);
    assert!(desk.ok(&arguments).contains("overlay of log_har without notice"));
    desk.fails(&["replay", "bars.csv", "--follow", "garch_t"], 2, "no series of outlooks is called \"garch_t\"");
    desk.fails(&["replay", "bars.csv", "--rulebook", "none.toml"], 2, "none.toml");
}

#[test]
fn an_outlook_moves_a_rulebook_and_is_logged() {
    let desk = Desk::new();
    desk.write("rulebook.toml", OVERLAY);
    desk.write("plain.toml", "version = 1\n");
    desk.ok(&["fit", "bars.csv", "--out", "model.toml"]);
    let follow = |from: &str, to: &str, at: &str| {
        let files = ["apply", "bars.csv", "--model", "model.toml", "--rulebook", from, "--write-rulebook", to];
        desk.json(&files.iter().chain(&["--log", "log.csv", "--at", at]).copied().collect::<Vec<_>>())
    };
    let first = follow("rulebook.toml", "next.toml", "2021-12-01");
    let (changes, hash) = (first["changes"].as_array().expect("changes"), &first["model_hash"]);
    assert!(!changes.is_empty() && changes.iter().all(|change| &change["model"] == hash), "{first}");
    let text = desk.read("next.toml");
    assert!(text.contains("# Ours.") && text.contains("[overlay] # follows"), "{text}");
    let rulebook = plimsoll::margin::Rulebook::parse(&text, "next.toml").expect("a rulebook");
    let in_force = &rulebook.overlay.expect("an overlay").in_force["BTC"];
    assert_eq!(
        (in_force.since.to_string().as_str(), in_force.model.as_deref()),
        ("2021-12-01T00:00:00Z", hash.as_str())
    );
    let second = follow("next.toml", "next.toml", "2021-12-02");
    let earlier = follow("next.toml", "same.toml", "2021-12-01");
    assert!(earlier["changes"].as_array().is_some_and(Vec::is_empty), "an outlook of the past changes nothing");
    let logged = changes.len() + second["changes"].as_array().map_or(0, Vec::len);
    assert_eq!(desk.read("log.csv").lines().count(), logged + 1);
    desk.write("other.csv", "hour,price\n");
    let kept = desk.read("next.toml");
    let refused = |log: &str, exit: i32, words: &str| {
        let files = ["apply", "bars.csv", "--model", "model.toml", "--rulebook", "rulebook.toml", "--log", log];
        let to = |to: &'static str| files.into_iter().chain(["--write-rulebook", to]).collect::<Vec<_>>();
        desk.fails(&to("next.toml"), exit, words);
        desk.fails(&to("none.toml"), exit, words);
    };
    refused("none/log.csv", 2, "none/log.csv");
    refused("other.csv", 3, "a log of changes begins with");
    assert!(desk.read("next.toml") == kept && !desk.path("none.toml").exists(), "a refused run writes nothing");
    assert_eq!(desk.read("other.csv"), "hour,price\n");
    let named =
        ["apply", "bars.csv", "--model", "model.toml", "--rulebook", "rulebook.toml", "--write-rulebook", "y.toml"];
    let warning = |more: &[&str]| {
        String::from_utf8(desk.run(&[&named[..], more].concat()).stderr)
            .expect("text")
            .contains("only underlyings of a book")
    };
    assert!(warning(&["--underlying", "FOO"]) && !warning(&[]));
    let files =
        ["apply", "bars.csv", "--model", "model.toml", "--rulebook", "plain.toml", "--write-rulebook", "x.toml"];
    desk.fails(&files, 2, "add [overlay]");
    assert!(!desk.path("x.toml").exists());
}
