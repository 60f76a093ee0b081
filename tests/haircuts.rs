//! `haircuts` and `scenarios depeg` through the real binary: a proposal that reads back and sweeps, tails, a collapse, faults.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// A directory with a synthetic book and a synthetic panel: BTC, ETH and SOL swing, USDC keeps its peg, GONE is lost whole.
struct Desk {
    dir: tempfile::TempDir,
}

const ROWS: i64 = 1_200;

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        desk.ok(&["synth", "book", "--accounts", "60", "--seed", "11", "--tables", "csv"]);
        desk.write("panel.csv", &panel());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a writable file");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.dir.path()).output().expect("the binary runs")
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

/// Closes every four hours: a common swing of up to 3 % and one of each coin's own.
fn panel() -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    let mut prices = [50_000.0, 2_500.0, 150.0, 30.0];
    let mut text = String::from("hour,BTC,ETH,SOL,GONE,USDC\n");
    for row in 0..ROWS {
        let common = 0.06 * next();
        for (at, price) in prices.iter_mut().enumerate() {
            *price *= 1.0 + common + 0.01 * next() * (1.0 + at as f64);
        }
        if row >= 1_100 {
            prices[3] *= 0.8;
        }
        let [btc, eth, sol, gone] = prices;
        let gone = if row < 1_150 { gone.to_string() } else { String::new() };
        let _ = writeln!(text, "{},{btc},{eth},{sol},{gone},1", 449_328 + 4 * row);
    }
    text
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn named<'v>(list: &'v Value, key: &str, name: &str) -> &'v Value {
    let found = list.as_array().expect("a list").iter().find(|entry| entry[key] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list}"))
}

#[test]
fn a_proposal_reads_back_sweeps_and_says_why() {
    let desk = Desk::new();
    let propose = ["haircuts", "book", "--panel", "panel.csv", "--quantile", "0.99", "--out", "new.toml"];
    let found = desk.json(&[&propose[..], &["--wrong-way", "0.7"]].concat());
    let btc = named(&found["assets"], "asset", "BTC");
    let market = &btc["market"];
    assert!(number(&market["estimate"]) > 0.03 && number(&market["estimate"]) < 0.2, "{market}");
    assert!(number(&market["gaussian"]) > 0.0 && number(&market["recent"]["low"]) <= number(&market["estimate"]));
    assert_eq!(btc["binding"], "market");
    let tiers = btc["tiers"].as_array().expect("tiers");
    assert_eq!(tiers.len(), 3);
    assert!(tiers.windows(2).all(|pair| number(&pair[0]["haircut"]) < number(&pair[1]["haircut"])), "{tiers:?}");
    assert_eq!(named(&found["assets"], "asset", "USDC")["binding"], "peg");
    let major = named(&found["classes"], "class", "major");
    assert_eq!(major["new"]["haircut"].as_array().and_then(|tiers| tiers.last()), Some(&Value::from(1.0)));
    assert!(!found["wrong_way"].as_array().expect("pairs").is_empty());
    let coverage = named(&found["coverage"], "price", "BTC");
    assert!(number(&coverage["empirical"]["observations"]) > 300.0);
    // The result is a rulebook that every engine takes.
    desk.ok(&["scenarios", "monte-carlo", "book", "--count", "8", "--seed", "3", "--out", "set.csv"]);
    desk.ok(&["check", "book", "--rulebook", "new.toml"]);
    desk.ok(&["sweep", "book", "--rulebook", "new.toml", "--scenarios", "set.csv", "--out", "run"]);
    // The same inputs give the same bytes.
    let first = std::fs::read(desk.path("new.toml")).expect("a rulebook");
    desk.ok(&[&propose[..], &["--wrong-way", "0.7"]].concat());
    assert_eq!(std::fs::read(desk.path("new.toml")).expect("a rulebook"), first);
    let text = desk.ok(&propose);
    for word in ["worst asset", "Kupiec p", "follows", "share the class"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    // Coverage is that of the rule asked for: twenty days are too short for the quantile, and what continues them is exceeded less often.
    let short = desk.json(&[&propose[..], &["--look-back-days", "20", "--floor", "none"]].concat());
    let short = named(&short["coverage"], "price", "BTC");
    let exceeded = |coverage: &Value| number(&coverage["empirical"]["exceedances"]);
    assert!(exceeded(short) < exceeded(coverage), "{short} {coverage}");
}

#[test]
fn limits_hold_and_longer_horizons_take_more() {
    let desk = Desk::new();
    let start = |horizon: &str, more: &[&str]| {
        let head = ["haircuts", "book", "--panel", "panel.csv", "--quantile", "0.99", "--out", "n.toml"];
        let found = desk.json(&[&head[..], &["--horizon-hours", horizon], more].concat());
        let class = named(&found["classes"], "class", "major");
        (
            number(&class["old"]["haircut"][0]),
            number(&class["new"]["haircut"][0]),
            number(&class["wanted"]["haircut"][0]),
        )
    };
    let (old, short, _) = start("4", &[]);
    assert!(start("24", &[]).1 > short);
    let (_, held, wanted) = start("24", &["--step", "0,0.001"]);
    assert!((held - (old + 0.001)).abs() < 1e-12 && wanted > held, "{held} {wanted}");
    assert!(start("4", &["--flat", "--bridge", "BTC=0.5"]).1 > 0.5);
    let (_, calm, _) = start("12", &["--look-back-days", "100", "--floor", "none"]);
    assert!(start("12", &["--look-back-days", "100", "--floor", "stress"]).1 > calm);
    assert!(start("12", &["--total-cap", "0.00000001"]).1 > 0.9);
}

#[test]
fn a_look_back_too_short_and_a_flat_haircut_are_said() {
    let desk = Desk::new();
    let propose = ["haircuts", "book", "--panel", "panel.csv", "--quantile", "0.99", "--out", "n.toml"];
    let found = desk.json(&[&propose[..], &["--look-back-days", "10", "--floor", "none"]].concat());
    let btc = named(&found["assets"], "asset", "BTC");
    // 240 hours hold the entries of 58 windows of three steps that have ended.
    assert_eq!((&btc["market"], number(&btc["too_short"]["windows"])), (&Value::Null, 58.0));
    assert!(btc["notes"][0].as_str().is_some_and(|note| note.contains("within 10 days")), "{btc}");
    let major = named(&found["classes"], "class", "major");
    assert_eq!(major["new"], major["old"]);
    let flat = desk.ok(&[&propose[..], &["--flat"]].concat());
    assert!(flat.contains("one tier on request") && !flat.contains("no volume or depth"), "{flat}");
}

#[test]
fn tails_and_a_collapse_are_shown() {
    let desk = Desk::new();
    let tails = desk.json(&["haircuts", "tails", "panel.csv", "--horizons", "4,24", "--assets", "btc"]);
    let rows = tails["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 2);
    let quantile = |row: &Value| number(&row["levels"][2]["quantile"]);
    assert!(quantile(&rows[0]) < quantile(&rows[1]));
    assert!(desk.ok(&["haircuts", "tails", "panel.csv"]).contains("q99.9"));
    let spans = desk.json(&["haircuts", "tails", "panel.csv", "--assets", "BTC"]);
    let spans = spans["rows"].as_array().expect("rows").iter().map(|row| number(&row["span_hours"]));
    assert_eq!(spans.collect::<Vec<_>>(), [4.0, 12.0, 24.0], "one hour and four are one step");
    let found = desk.json(&["haircuts", "replay", "panel.csv", "--csv", "days.csv", "--html", "page.html"]);
    let replay = &found["replays"][0];
    assert_eq!((replay["asset"].as_str(), found["replays"].as_array().map(Vec::len)), (Some("GONE"), Some(1)));
    assert!(number(&replay["collapse_loss"]) > 0.6);
    let held = replay["held"].as_array().expect("rules");
    assert!(number(&held[0]["covered"]) < number(&held[0]["days"]), "10 % are not enough");
    let csv = std::fs::read_to_string(desk.path("days.csv")).expect("a table");
    assert_eq!(csv.lines().count(), replay["days"].as_array().map_or(0, Vec::len) + 1);
    let page = std::fs::read_to_string(desk.path("page.html")).expect("a page");
    assert!(page.contains("<svg") && page.contains("GONE") && !page.contains("<script"));
    assert!(desk.ok(&["haircuts", "replay", "panel.csv"]).contains("first day not covered"));
}

#[test]
fn bars_are_read_down_to_their_lows() {
    let desk = Desk::new();
    let mut bars = String::from("hour,a_open,a_high,a_low,a_close,a_vol,src\n");
    for hour in 0..100 {
        let _ = writeln!(bars, "{hour},100,101,{},100,0,0", if hour == 50 { 60 } else { 99 });
    }
    desk.write("bars.csv", &bars);
    let tails = desk.json(&["haircuts", "tails", "bars.csv", "--horizons", "1"]);
    assert_eq!(tails["rows"][0]["asset"], "A");
    assert!((number(&tails["rows"][0]["largest"]) - 0.4).abs() < 1e-12);
    desk.write("bars.csv", &bars.replace(",101,60,100,", ",101,160,100,"));
    desk.fails(&["haircuts", "tails", "bars.csv"], 3, "a low is at most the close");
}

#[test]
fn pegs_break_as_scenarios() {
    let desk = Desk::new();
    let made = desk.json(&["scenarios", "depeg", "book", "--out", "pegs.csv"]);
    assert!(number(&made["scenarios"]) > 8.0, "{made}");
    let text = std::fs::read_to_string(desk.path("pegs.csv")).expect("a set");
    assert!(text.contains("usdc-2023-03") && text.contains("asset:USDC"), "{text}");
    desk.ok(&["sweep", "book", "--scenarios", "pegs.csv", "--unshocked", "hold", "--out", "run"]);
    desk.fails(&["scenarios", "depeg", "book", "--asset", "XYZ", "--out", "x.csv"], 2, "no asset");
    desk.fails(&["scenarios", "depeg", "book", "--asset", "USD", "--out", "x.csv"], 2, "USD is the quote currency");
    desk.fails(&["scenarios", "depeg", "book", "--grid", "-1.5", "--out", "x.csv"], 2, "at least -1");
}

#[test]
fn bad_input_is_refused_and_writes_nothing() {
    let desk = Desk::new();
    let with =
        |more: &[&'static str]| [&["haircuts", "book", "--panel", "panel.csv", "--out", "none.toml"], more].concat();
    desk.fails(&with(&["--quantile", "1"]), 2, "strictly between 0 and 1");
    desk.fails(&with(&["--quantile", "nan"]), 2, "strictly between 0 and 1");
    desk.fails(&with(&["--sizes", "0.1,0.01"]), 2, "strictly increasing");
    desk.fails(&with(&["--step", "0.1"]), 2, "RELATIVE,ABSOLUTE");
    desk.fails(&with(&["--bridge", "BTC=2"]), 2, "between 0 and 1");
    desk.fails(&with(&["--peg", "XYZ=USD"]), 2, "no asset \"XYZ\"");
    desk.fails(&with(&["--peg", "USDC=XYZ"]), 2, "no asset \"XYZ\"");
    desk.fails(&with(&["--peg", "USDC=USDC"]), 2, "USDC follows itself");
    desk.fails(&with(&["--peg", "USDC=USDT,USDT=USDC"]), 2, "USDC follows itself");
    desk.fails(&with(&["--peg", "USDC=USD", "--peg", "USDC=EUR"]), 2, "--peg is given twice for USDC");
    desk.fails(&with(&["--bridge", "BTC=0.1,BTC=0.2"]), 2, "--bridge is given twice for BTC");
    desk.fails(&with(&["--flat", "--total-cap", "0.1"]), 2, "--total-cap");
    desk.fails(&with(&["--horizon-hours", "0"]), 2, "horizon-hours");
    desk.fails(&with(&["--wrong-way", "0"]), 2, "above 0");
    desk.fails(&with(&["--rulebook", "missing.toml"]), 2, "missing.toml");
    desk.fails(&["haircuts", "book", "--out", "none.toml"], 2, "--panel");
    desk.fails(&["haircuts", "book", "--panel", "missing.csv", "--out", "none.toml"], 2, "missing.csv");
    desk.write("bad.csv", "hour,BTC\n1,nan\n2,-1\n");
    desk.fails(&["haircuts", "book", "--panel", "bad.csv", "--out", "none.toml"], 3, "finite number");
    desk.write("bad.csv", "hour,BTC,btc\n1,1,1\n2,1,1\n");
    desk.fails(&["haircuts", "tails", "bad.csv"], 3, "whatever the case");
    std::fs::write(desk.path("bad.csv"), b"hour,B\xffC\n1,1\n2,1\n").expect("a writable file");
    desk.fails(&["haircuts", "tails", "bad.csv"], 3, "UTF-8");
    desk.fails(&["haircuts", "replay", "panel.csv", "--collapse", "XYZ"], 2, "no asset \"XYZ\"");
    desk.fails(&["haircuts", "tails", "panel.csv", "--levels", "2"], 2, "strictly between 0 and 1");
    desk.write("short.csv", "hour,BTC\n1,1\n2,1\n");
    desk.fails(&["haircuts", "replay", "short.csv"], 2, "--collapse");
    desk.fails(&["haircuts", "replay", "short.csv", "--collapse", "BTC"], 2, "no window");
    assert!(!desk.path("none.toml").exists());
}
