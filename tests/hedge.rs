//! `hedge` through the real binary: the example of docs/hedging.md, books under every kind of rule, faults.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const EXAMPLE: [&str; 7] = ["hedge", "book", "ann", "--target", "1", "--cost", "perpetual=0.0005,future=0.0008"];

/// A directory with a book.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    /// The book of docs/hedging.md, and what the page says is printed.
    fn of_example() -> (Self, String) {
        let desk = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        std::fs::create_dir(desk.path("book")).expect("a directory");
        desk.write("book/snapshot.toml", "as_of = \"2026-01-01T00:00:00Z\"\n");
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/hedging.md");
        let page = std::fs::read_to_string(page).expect("the page");
        let (_, example) = page.split_once("## Example").expect("an example");
        let mut printed = String::new();
        for block in example.split("\n```").skip(1).step_by(2) {
            let (info, text) = block.split_once('\n').unwrap_or((block, ""));
            match info.split_once(' ').unwrap_or((info, "")) {
                ("csv", table) => desk.write(&format!("book/{table}.csv"), &format!("{text}\n")),
                ("toml", _) => desk.write("book/rulebook.toml", text),
                ("text", _) => printed = text.into(),
                ("console", _) => assert_eq!(text, format!("plimsoll {}", EXAMPLE.join(" "))),
                _ => {}
            }
        }
        (desk, printed)
    }

    /// A synthetic book under a rulebook of fixtures/rulebooks, or its own.
    fn synthetic() -> Self {
        let desk = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        desk.ok(&["synth", "book", "--accounts", "40", "--seed", "11", "--tables", "csv"]);
        desk.ok(&["scenarios", "monte-carlo", "book", "--count", "8", "--seed", "3", "--out", "set.csv"]);
        desk
    }

    /// A rulebook of fixtures/rulebooks, with the haircut classes of the book's assets.
    fn fixture(&self, name: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/rulebooks/{name}.toml"));
        let mut rulebook = std::fs::read_to_string(path).expect("a rulebook");
        let own = std::fs::read_to_string(self.path("book/rulebook.toml")).expect("a rulebook");
        for class in own.lines().filter(|line| line.starts_with("[haircut.")) {
            let section = class.split(']').next().unwrap_or_default().split('.').take(2).collect::<Vec<_>>().join(".");
            if !rulebook.contains(&format!("{section}]")) {
                rulebook.push_str(&format!("\n{section}]\nflat = 0.1\n"));
            }
        }
        rulebook
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
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let all: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
        serde_json::from_str(&self.ok(&all)).expect("one JSON object")
    }

    fn fails(&self, arguments: &[&str], exit: i32, words: &str) {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {words:?} is not in {stderr}");
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn assert_close(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
}

/// The plan of this name.
fn plan<'a>(object: &'a Value, name: &str) -> &'a Value {
    let plans = object["plans"].as_array().expect("a list");
    plans.iter().find(|plan| plan["plan"] == name).unwrap_or_else(|| panic!("no plan {name}"))
}

fn legs(plan: &Value) -> &[Value] {
    plan["legs"].as_array().expect("a list")
}

/// Contracts of an instrument after a plan.
fn after(plan: &Value, instrument: &str) -> f64 {
    let leg = legs(plan).iter().find(|leg| leg["instrument"] == instrument);
    number(&leg.unwrap_or_else(|| panic!("no leg {instrument}"))["quantity_after"])
}

#[test]
fn the_example_prints_what_the_page_says() {
    let (desk, said) = Desk::of_example();
    let printed: Vec<String> = desk.ok(&EXAMPLE).lines().map(|line| line.trim_end().into()).collect();
    assert_eq!(printed.join("\n").trim(), said.trim());
}

#[test]
fn the_example_cuts_what_the_linear_program_says() {
    let (desk, _) = Desk::of_example();
    let object = desk.json(&EXAMPLE);
    assert_close(number(&object["before"]["maintenance_margin"]), 210_000.0, 1e-6);
    let cuts = plan(&object, "cuts");
    assert_close(50_000.0 * (20.0 - after(cuts, "BTC-PERP")), 401_337.79, 0.01);
    assert_eq!(after(cuts, "ETH-MAR"), 120.0);
    assert_close(number(&cuts["cost_quote"]), 200.67, 0.005);
    assert_close(number(&cuts["after"]["maintenance_margin"]), 149_799.33, 0.01);
    assert_close(number(&legs(cuts)[0]["marginal_requirement_quote"]), 0.15 * 50_000.0, 1e-3);
    let ratio = number(&cuts["after"]["ratio"]);
    assert!((1.0..1.0 + 1e-7).contains(&ratio), "{ratio}");
}

#[test]
fn explain_finds_the_figures_that_hedge_says_its_trades_leave() {
    let (desk, _) = Desk::of_example();
    let object = desk.json(&EXAMPLE);
    for name in ["cuts", "hedges", "both"] {
        let plan = plan(&object, name);
        assert_eq!(plan["outcome"], "restored", "{name}");
        let rows = legs(plan).iter().map(|leg| {
            let instrument = leg["instrument"].as_str().expect("a name");
            format!("ann,{instrument},{}\n", leg["quantity_after"])
        });
        desk.write("book/positions.csv", &format!("account,instrument,quantity\n{}", rows.collect::<String>()));
        let amount = 150_000.0 - number(&plan["cost_quote"]);
        desk.write("book/balances.csv", &format!("account,asset,amount\nann,USD,{amount}\n"));
        let explained = desk.json(&["explain", "book", "ann"]);
        for figure in ["equity", "adjusted_equity", "initial_margin", "maintenance_margin"] {
            assert_close(number(&explained[figure]), number(&plan["after"][figure]), 1e-6);
        }
        let again = desk.json(&EXAMPLE);
        let met = again["met_before"] == true || number(&again["before"]["ratio"]) > 1.0 - 1e-12;
        assert!(met, "{name}: {again}");
    }
}

#[test]
fn targets_caps_and_markets_are_obeyed() {
    let (desk, _) = Desk::of_example();
    let with = |more: &[&str]| desk.json(&[&EXAMPLE[..3], more].concat());
    let higher = with(&["--target", "1.5", "--on", "initial"]);
    let ratio = number(&plan(&higher, "both")["after"]["ratio"]);
    assert!((1.5..1.5 + 1e-6).contains(&ratio), "{ratio}");
    assert_eq!(with(&["--target", "0.5"])["met_before"], true);
    assert_eq!(with(&["--cuts", "off"])["plans"].as_array().map(Vec::len), Some(1));

    desk.write("book/underlyings.csv", "underlying,index_price,adv,depth\nBTC,50000,1e6,1e5\nETH,2500,1e6,1e5\n");
    let capped = with(&["--target", "1", "--participation", "0.1", "--liquidity", "volume"]);
    assert_eq!(plan(&capped, "hedges")["outcome"], "infeasible");
    assert!(number(&plan(&capped, "hedges")["shortfall_quote"]) > 0.0);
    assert_close(after(plan(&capped, "both"), "ETH-PERP"), -40.0, 1e-6);

    desk.write("set.csv", "scenario,price:BTC,price:ETH\nfall,-0.05,-0.05\n");
    let fall = ["--target", "1", "--scenarios", "set.csv", "--scenario", "fall", "--trade-at"];
    let late = with(&[&fall[..], &["scenario"]].concat());
    let early = with(&[&fall[..], &["base"]].concat());
    assert_close(number(&late["before"]["adjusted_equity"]), 85_000.0, 1e-6);
    for object in [&late, &early] {
        let ratio = number(&plan(object, "cuts")["after"]["ratio"]);
        assert!((1.0..1.0 + 1e-6).contains(&ratio), "{ratio}");
    }
    // What is sold before the fall is not hit by it.
    assert!(number(&plan(&early, "cuts")["cost_quote"]) < number(&plan(&late, "cuts")["cost_quote"]));
}

/// What every plan of every pool must keep to.
fn check_plan(plan: &Value, target: f64) {
    assert!(number(&plan["after"]["ratio"]) >= target * (1.0 - 1e-12), "{plan}");
    for leg in legs(plan) {
        let (before, after) = (number(&leg["quantity_before"]), number(&leg["quantity_after"]));
        assert!(before * after >= 0.0, "changes sides: {leg}");
        assert!(plan["plan"] != "cuts" || after.abs() <= before.abs(), "no cut: {leg}");
        assert!(plan["plan"] != "hedges" || after.abs() >= before.abs(), "a cut: {leg}");
    }
    let costs: f64 = legs(plan).iter().map(|leg| number(&leg["cost_quote"])).sum();
    assert_close(costs, number(&plan["cost_quote"]), 1e-9 * costs + 1e-12);
}

#[test]
fn pools_under_every_kind_of_rule_are_restored_or_said_not_to_be() {
    let desk = Desk::synthetic();
    let own = std::fs::read_to_string(desk.path("book/rulebook.toml")).expect("a rulebook");
    let rulebooks = [(own, "8"), (desk.fixture("grid-15-additive"), "2"), (desk.fixture("scan-24"), "2")];
    for (rulebook, target) in &rulebooks {
        let mut restored = 0;
        desk.write("rulebook.toml", rulebook);
        for account in 0..5 {
            let account = format!("a{account:07}");
            for more in [&[][..], &["--scenarios", "set.csv", "--scenario", "mc000003"]] {
                let call =
                    ["hedge", "book", &account, "--pool", "main", "--rulebook", "rulebook.toml", "--target", target];
                let object = desk.json(&[&call[..], more].concat());
                for plan in
                    object["plans"].as_array().expect("a list").iter().filter(|plan| plan["outcome"] == "restored")
                {
                    check_plan(plan, target.parse().expect("a number"));
                    restored += 1;
                }
            }
        }
        assert!(restored > 5, "{rulebook}: {restored}");
    }
}

#[test]
fn faults_are_named() {
    let (desk, _) = Desk::of_example();
    let with = |more: &'static [&'static str]| [&EXAMPLE[..3], more].concat();
    desk.fails(&["hedge", "book", "anna"], 2, "did you mean \"ann\"?");
    desk.fails(&with(&["--pool", "other"]), 2, "no pool \"other\"");
    desk.fails(&with(&["--with", "BTC-PREP"]), 2, "did you mean \"BTC-PERP\"?");
    desk.fails(&with(&["--cost", "perpetul=1"]), 2, "did you mean \"perpetual\"?");
    desk.fails(&with(&["--cost", "-0.1"]), 2, "a cost is a share of notional, ≥ 0");
    desk.fails(&with(&["--target", "-1", "--participation", "0", "--cost", "NaN"]), 2, "3 fault(s)");
    desk.fails(&with(&["--participation", "0.1"]), 3, "BTC has adv");
    desk.write("set.csv", "scenario,price:BTC,price:ETH\nfall,-0.05,-0.05\n");
    desk.fails(&with(&["--scenarios", "set.csv", "--scenario", "fal"]), 2, "did you mean \"fall\"?");
    desk.write("book/positions.csv", "account,instrument,quantity\nann,BTC-PERP,x\n");
    let unknown = desk.run(&with(&[]));
    assert_eq!(unknown.status.code(), Some(6));
}
