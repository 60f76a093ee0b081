//! Option chains and single prices through the real binary.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const CHAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/chain/chain.csv");

fn run(dir: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(arguments)
        .args(["--format", "json"])
        .current_dir(dir)
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// The rows of a price file in CSV: figures by instrument and column.
fn prices(path: &Path) -> HashMap<String, HashMap<String, f64>> {
    let mut reader = csv::Reader::from_path(path).expect("a price file");
    let header = reader.headers().expect("a header").clone();
    assert_eq!(
        header.iter().collect::<Vec<_>>().join(","),
        "instrument,value,value_coin,delta,gamma,vega,theta,rho,vanna,volga,charm"
    );
    let rows = reader.records().map(|record| record.expect("a row"));
    rows.map(|row| {
        let figures = header.iter().zip(row.iter()).skip(1);
        let figures = figures.map(|(name, cell)| (name.to_string(), cell.parse().unwrap_or(f64::NAN)));
        (row[0].to_string(), figures.collect())
    })
    .collect()
}

#[test]
fn a_chain_becomes_a_snapshot_and_its_quotes_are_judged() {
    let dir = tempfile::tempdir().expect("a directory");
    let imported = run(dir.path(), &["import", "chain", CHAIN, "--out", "book", "--tables", "csv"]);
    assert_eq!(imported["as_of"], "2026-03-09T10:00:00Z", "the last moment");
    assert_eq!((imported["rows"].as_u64(), imported["options"].as_u64()), (Some(80), Some(40)));
    let of = |name: &str| {
        let all = imported["underlyings"].as_array().expect("a list").iter();
        all.clone().find(|of| of["underlying"] == name).expect("an underlying").clone()
    };
    let (btc, eth) = (of("BTC"), of("ETH"));
    // Marks carry eight decimals: the formula is within half a unit of the last one.
    assert!(btc["mark_error_coin"]["largest"].as_f64().expect("a number") < 5.1e-9, "{btc}");
    assert!(btc["delta_error"]["largest"].as_f64().expect("a number") < 5.1e-7, "{btc}");
    assert_eq!(btc["crossed"], serde_json::json!(["BTC-27MAR26-60000-C"]));
    assert_eq!(btc["empty"], serde_json::json!(["BTC-27MAR26-42000-P"]));
    assert_eq!(btc["stale"], serde_json::json!([]));
    assert_eq!(eth["one_sided"], serde_json::json!(["ETH-25SEP26-2520-C"]));
    assert_eq!(eth["stale"], serde_json::json!(["ETH-25SEP26-1800-P"]));
    assert!((eth["mark_error_coin"]["largest"].as_f64().expect("a number") - 0.002).abs() < 1e-7);
    // The moment asked for need not be met to the second.
    let earlier = run(dir.path(), &["import", "chain", CHAIN, "--at", "2026-03-01T00:00:00Z", "--out", "earlier"]);
    assert_eq!(earlier["as_of"], "2026-03-02T10:00:00Z");
    assert_eq!(run(dir.path(), &["check", "book"])["fault_count"], 0);
}

#[test]
fn prices_follow_the_scenario_and_expire_inside_its_time() {
    let dir = tempfile::tempdir().expect("a directory");
    run(dir.path(), &["import", "chain", CHAIN, "--out", "book"]);
    let set = "scenario,price:BTC,vol:BTC,time\nstill,0,0,0\ncrash,-0.25,0.5,0\nlater,-0.25,0,0.1\n";
    std::fs::write(dir.path().join("set.csv"), set).expect("a file");
    let price = |out: &str, more: &[&str]| {
        let all: Vec<&str> = ["price", "book", "--out", out].iter().chain(more).copied().collect();
        assert_eq!(run(dir.path(), &all)["instruments"], 40);
        prices(&dir.path().join(out))
    };
    let under = |out: &str, scenario: &str| price(out, &["--scenarios", "set.csv", "--scenario", scenario]);
    let base = price("base.csv", &[]);
    assert_eq!(
        format!("{:?}", sorted(&base)),
        format!("{:?}", sorted(&under("still.csv", "still"))),
        "no shock, no change"
    );
    let (crash, later) = (under("crash.csv", "crash"), under("later.csv", "later"));
    let put = "BTC-27MAR26-60000-P";
    assert!(crash[put]["value"] > base[put]["value"] && crash[put]["vega"] > 0.0);
    // A tenth of a year takes the March options to their expiry: intrinsic at an index of 45,000, in coins of that price.
    assert!((later[put]["value"] - 15_000.0).abs() < 1e-9);
    assert!((later[put]["value_coin"] - 15_000.0 / 45_000.0).abs() < 1e-12);
    assert_eq!((later[put]["delta"], later[put]["gamma"], later[put]["theta"]), (-1.0, 0.0, 0.0));
    assert_eq!(later["BTC-27MAR26-60000-C"]["value"], 0.0);
    // The quotient rule: delta of V/S is (delta − V/S)/S.
    let coin = price("coin.csv", &["--greeks", "coin"]);
    let expected = (base[put]["delta"] - base[put]["value"] / 60_000.0) / 60_000.0;
    assert!((coin[put]["delta"] - expected).abs() < 1e-15);
}

fn sorted(prices: &HashMap<String, HashMap<String, f64>>) -> Vec<(&String, Vec<(&String, &f64)>)> {
    let mut rows: Vec<_> = prices
        .iter()
        .map(|(name, figures)| {
            let mut figures: Vec<_> = figures.iter().collect();
            figures.sort_by_key(|(column, _)| *column);
            (name, figures)
        })
        .collect();
    rows.sort_by_key(|(name, _)| *name);
    rows
}

#[test]
fn a_total_loss_has_greeks_of_its_limit() {
    let dir = tempfile::tempdir().expect("a directory");
    run(dir.path(), &["import", "chain", CHAIN, "--out", "book"]);
    std::fs::write(dir.path().join("set.csv"), "scenario,price:BTC\nlost,-1\n").expect("a file");
    run(dir.path(), &["price", "book", "--out", "p.csv", "--scenarios", "set.csv", "--scenario", "lost"]);
    let prices = prices(&dir.path().join("p.csv"));
    assert!(prices["BTC-27MAR26-60000-P"]["value"].is_nan(), "a put's coins are infinitely many: null");
    let call = &prices["BTC-27MAR26-60000-C"];
    assert_eq!((call["value"], call["delta"], call["gamma"]), (0.0, 0.0, 0.0));
    let finite = |name: &&str| prices["BTC-27MAR26-60000-P"][*name].is_finite();
    assert!(["delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm"].iter().all(finite));
}

#[test]
fn a_volatility_that_is_missing_is_that_of_the_mark() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = std::fs::read_to_string(CHAIN).expect("the fixture");
    let without: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(line, text)| {
            let mut cells: Vec<&str> = text.split(',').collect();
            // The options in the middle of the chain: far ones have marks of too few digits.
            if line > 0 && cells[3].starts_with('6') && cells[12] == "BTC" {
                cells[9] = "";
            }
            cells.join(",")
        })
        .collect();
    std::fs::write(dir.path().join("chain.csv"), without.join("\n")).expect("a file");
    let given = run(dir.path(), &["import", "chain", CHAIN, "--out", "given"]);
    let solved = run(dir.path(), &["import", "chain", "chain.csv", "--out", "solved"]);
    assert_eq!(given["options"], solved["options"]);
    for book in ["given", "solved"] {
        run(dir.path(), &["price", book, "--out", &format!("{book}.csv")]);
    }
    let (given, solved) = (prices(&dir.path().join("given.csv")), prices(&dir.path().join("solved.csv")));
    let put = "BTC-25SEP26-60000-P";
    assert_ne!(given[put]["value"], solved[put]["value"], "the volatility was really left out");
    for (name, of) in &given {
        // Marks carry eight decimals of a coin of 60,000.
        assert!((of["value"] - solved[name]["value"]).abs() < 6e-4, "{name}");
    }
}
