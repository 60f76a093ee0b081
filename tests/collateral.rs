//! Wrong prices, and the use and mix of collateral, by the real binary.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Four accounts on one perpetual at 100, maintenance 5 %, initial 10 %; prices from three sources.
const TABLES: [(&str, &str); 8] = [
    ("snapshot.toml", "as_of = \"2026-01-01T00:00:00Z\"\n"),
    ("assets.csv", "asset,price,haircut_class,network\nBTC,100,coin,bitcoin\nUSD,1,,\nUSDC,1,stable,base\n"),
    ("underlyings.csv", "underlying,index_price\nBTC,100\n"),
    ("instruments.csv", "instrument,kind,underlying,mark_price\nBTCUSD,perpetual,BTC,100\n"),
    ("balances.csv", "account,asset,amount\nlong,USD,200\nnear,USD,120\nshort,USD,200\nrich,USDC,500\nrich,BTC,2\n"),
    (
        "positions.csv",
        "account,instrument,quantity\nlong,BTCUSD,10\nnear,BTCUSD,10\nshort,BTCUSD,-10\nrich,BTCUSD,10\n",
    ),
    (
        "rulebook.toml",
        "version = 1\n[margin.BTCUSD]\nmaintenance = { form = \"flat\", rate = 0.05 }\ninitial = { form = \"flat\", rate = 0.1 }\n\
         [haircut.coin]\nflat = 0.2\n[haircut.stable]\nflat = 0.01\n",
    ),
    (
        "quotes.csv",
        "source,subject,price,confidence,timestamp\na,BTC,99.9,0.1,2026-01-01T00:00:00Z\nb,BTC,100,0.1,2026-01-01T00:00:00Z\n\
         c,BTC,100.1,0.1,2026-01-01T00:00:00Z\n",
    ),
];

fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    TABLES.iter().for_each(|(name, text)| std::fs::write(dir.path().join(name), text).expect("written"));
    dir
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll")).current_dir(dir).args(arguments).output();
    output.expect("the binary runs")
}

fn json(dir: &Path, arguments: &[&str]) -> Value {
    let output = run(dir, &[arguments, &["--format", "json"]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).expect("one object")
}

fn stress(dir: &Path, set: &str) -> Vec<Value> {
    std::fs::write(dir.join("set.csv"), set).expect("written");
    let found = json(dir, &["oracle-stress", ".", "--scenarios", "set.csv", "--out", "out", "--engine", "cpu"]);
    assert!(dir.join("out/report.html").exists() && dir.join("out/views.parquet").exists());
    found["scenarios"].as_array().expect("a list").clone()
}

fn counts(scenario: &Value) -> [u64; 5] {
    let names = ["seen_liquidatable_pools", "true_liquidatable_pools", "wrongful_pools", "missed_pools", "late_pools"];
    names.map(|name| scenario[name].as_u64().expect(name))
}

/// Equity at price p: long and near 10·(p − 100) + 200 or 120, short 10·(100 − p) + 200; maintenance 0.5·p.
#[test]
fn an_oracle_stress_is_what_a_hand_computes() {
    let dir = directory();
    let set = "scenario,price:BTC,oracle:BTC,lag:BTC,asset:USDC\n\
               print,0,-0.12,0,0\nslow,-0.19,0,1,0\nhigh,0,0.3,0,0\nright,-0.1,0,0,0\n";
    let found = stress(dir.path(), set);
    // Seen at 88: near is at 0, long at 80 above 44. Nobody is breached at 100.
    assert_eq!(counts(&found[0]), [1, 0, 1, 0, 0]);
    assert_eq!(found[0]["wrongful_notional"], 1_000.0);
    // At 81 near is bankrupt by 70, long at 10 is below 40.5; at the frozen 100 nobody is seen.
    assert_eq!(counts(&found[1]), [0, 2, 0, 2, 1]);
    assert_eq!(found[1]["late_shortfall"], 70.0);
    // Seen at 130 the longs may withdraw 500 − 130 and 420 − 130, and the short is breached wrongly; they have 200 and 120.
    assert_eq!(counts(&found[2]), [1, 0, 1, 0, 0]);
    let rich = 2.0 * 130.0 * 0.8 + 495.0 + 300.0 - 130.0;
    assert_eq!(found[2]["extractable"], (370.0 - 200.0) + (290.0 - 120.0) + (rich - 700.0_f64));
    // What is seen as it is harms nobody: at 90 near has 20 of 45.
    assert_eq!(counts(&found[3]), [1, 1, 0, 0, 0]);
    assert_eq!(found[3]["extractable"], 0.0);
}

#[test]
fn captured_sources_and_wide_confidences_are_what_is_seen() {
    let dir = directory();
    let rulebook = dir.path().join("rulebook.toml");
    let text =
        std::fs::read_to_string(&rulebook).expect("read") + "[oracle]\nmax_confidence = 0.02\nminimum_sources = 2\n";
    std::fs::write(&rulebook, text).expect("written");
    let set = "scenario,price:BTC,source:a,source:b,confidence:BTC,asset:USDC\n\
               one,-0.19,-0.5,0,0,0\ntwo,-0.19,-0.5,-0.5,0,0\nwide,-0.19,0,0,0.05,0\nnarrow,-0.19,0,0,0.01,0\n";
    let found = stress(dir.path(), set);
    // One liar deviates and is dropped; beside two liars it is the honest quote that deviates.
    assert_eq!(counts(&found[0]), [2, 2, 0, 0, 0]);
    assert_eq!(counts(&found[1]), [3, 2, 1, 0, 0]);
    assert_eq!(counts(&found[2]), [0, 2, 0, 2, 1]);
    assert_eq!(counts(&found[3]), [2, 2, 0, 0, 0]);
}

#[test]
fn sources_need_quotes_and_a_device_is_refused() {
    let dir = directory();
    std::fs::write(dir.path().join("set.csv"), "scenario,price:BTC,source:a,asset:USDC\ns,0,0.1,0\n").expect("written");
    let arguments = ["oracle-stress", ".", "--scenarios", "set.csv", "--out", "out"];
    let refused = run(dir.path(), &[&arguments[..], &["--engine", "gpu"]].concat());
    assert_eq!(refused.status.code(), Some(7));
    std::fs::remove_file(dir.path().join("quotes.csv")).expect("removed");
    let refused = run(dir.path(), &arguments);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("quotes"));
    assert!(!dir.path().join("out").exists());
}

#[test]
fn scenarios_oracle_names_every_failure_and_captures_every_source() {
    let dir = directory();
    let made = json(dir.path(), &["scenarios", "oracle", ".", "--each", "BTC", "--out", "o.csv"]);
    assert_eq!(made["sources"], serde_json::json!(["a", "b", "c"]));
    let text = std::fs::read_to_string(dir.path().join("o.csv")).expect("read");
    for id in ["seen as it is", "all lag 1", "BTC oracle -0.2", "BTC confidence 0.1", "source c +0.5"] {
        assert!(text.contains(&format!("\n{id},")), "{id} in {text}");
    }
    std::fs::write(dir.path().join("p.csv"), "scenario,price:BTC,asset:USDC\nx,-0.1,0\ny,0.1,0\n").expect("written");
    let crossed = ["scenarios", "oracle", ".", "--cross", "p.csv", "--out", "q.csv"];
    assert!(run(dir.path(), &crossed).status.success());
    let text = std::fs::read_to_string(dir.path().join("q.csv")).expect("read");
    // Two markets × (as it is, two lags, four divergences, a width, three sources twice).
    assert_eq!(text.lines().count(), 1 + 2 * (1 + 2 + 4 + 1 + 6));
    let unknown = run(dir.path(), &["scenarios", "oracle", ".", "--each", "BTX", "--out", "r.csv"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean \"BTC\""));
}

#[test]
fn a_liquidation_decides_on_what_is_seen_and_trades_at_what_is() {
    let dir = directory();
    let underlyings = "underlying,index_price,depth\nBTC,100,1e12\n";
    std::fs::write(dir.path().join("underlyings.csv"), underlyings).expect("written");
    let set = "scenario,price:BTC,oracle:BTC,asset:USDC\nprint,0,-0.12,0\nright,0,0,0\n";
    std::fs::write(dir.path().join("set.csv"), set).expect("written");
    let arguments =
        ["liquidate", ".", "--scenarios", "set.csv", "--scenario", "print", "--scenario", "right", "--out", "l"];
    let found = json(dir.path(), &[&arguments[..], &["--engine", "cpu"]].concat());
    let of = |at: usize, name: &str| found["scenarios"][at][name].as_u64().expect("a count");
    assert_eq!((of(0, "liquidated_pools"), of(0, "wrongful_pools"), of(0, "late_pools")), (1, 1, 0));
    assert_eq!((of(1, "liquidated_pools"), of(1, "wrongful_pools")), (0, 0));
}

#[test]
fn utilisation_is_by_asset_network_and_account() {
    let dir = directory();
    let found = json(dir.path(), &["collateral", "utilisation", ".", "--out", "u.csv"]);
    // rich: 500 · 0.99 + 200 · 0.8 = 655 behind 100; the others 520 behind 300.
    assert_eq!(found["exchange"]["collateral"], 1_175.0);
    assert_eq!(found["exchange"]["requirement"], 400.0);
    let named = |list: &str, name: &str| {
        let rows = found[list].as_array().expect("a list");
        rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    assert_eq!(named("assets", "BTC")["collateral"], 160.0);
    assert_eq!(
        named("networks", "bitcoin"),
        named("assets", "BTC")
            .as_object()
            .map(|row| {
                let mut row = row.clone();
                row.insert("name".into(), "bitcoin".into());
                Value::Object(row)
            })
            .expect("a row")
    );
    assert_eq!(named("accounts", "near")["utilisation"], 100.0 / 120.0);
    assert_eq!(found["diversification"]["index"], 1.0);
    assert!(run(dir.path(), &["collateral", "utilisation", ".", "--pools", "p.csv"]).status.success());
    let table = std::fs::read_to_string(dir.path().join("p.csv")).expect("written");
    assert!(table.contains("near,main,1,100.0,100.0,1.0,0.0"), "{table}");
    let table = std::fs::read_to_string(dir.path().join("u.csv")).expect("written");
    assert_eq!(table.lines().count(), 1 + 1 + 3 + 3 + 4, "{table}");
    assert_eq!(run(dir.path(), &["collateral", "utilisation", ".", "--out", "u.txt"]).status.code(), Some(2));
}

#[test]
fn an_allocation_posts_the_cheapest_collateral_that_holds() {
    let dir = directory();
    let found = json(dir.path(), &["collateral", "allocate", ".", "rich"]);
    let amount = |found: &Value, asset: &str| {
        let posted = found["posted"].as_array().expect("a list").iter().find(|row| row["asset"] == asset);
        posted.unwrap_or_else(|| panic!("{asset}"))["amount"].as_f64().expect("a number")
    };
    // 100 required: 101.01 of USDC at 1 %, no BTC at 20 %.
    assert!((amount(&found, "USDC") - 100.0 / 0.99).abs() < 1e-5 && amount(&found, "BTC").abs() < 1e-9);
    std::fs::write(dir.path().join("set.csv"), "scenario,price:BTC,asset:USDC\ndown,-0.1,0\npeg,0,-0.5\n")
        .expect("written");
    let found = json(dir.path(), &["collateral", "allocate", ".", "rich", "--scenarios", "set.csv"]);
    // A fall of 10 % loses 100 and leaves 90 required; a lost peg leaves half of what USDC counts.
    assert!((amount(&found, "USDC") - 100.0 / (0.5 * 0.99)).abs() < 1e-4, "{found}");
    assert_eq!((found["is_met"].clone(), found["worst_scenario"].clone()), (true.into(), "peg".into()));
    let much = ["collateral", "allocate", ".", "rich", "--target", "50"];
    assert_eq!(run(dir.path(), &much).status.code(), Some(5));
    for (wrong, says) in [
        (vec!["--available", "BTX=1"], "did you mean"),
        (vec!["--available", "BTC=1", "--available", "BTC=2"], "twice"),
        (vec!["--available", "BTC"], "BTC=2.5"),
        (vec!["--target", "0.5"], "between 1 and"),
    ] {
        let refused = run(dir.path(), &[&["collateral", "allocate", ".", "rich"][..], &wrong].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(says), "{wrong:?}");
    }
}

/// Seen equity of accounts that hold 100 of an asset each, on a route or not.
#[test]
fn an_asset_is_seen_through_its_own_column_else_that_of_what_it_settles_to_else_its_underlyings() {
    let dir = directory();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    write("assets.csv", "asset,price,underlying\nETH,100,\nUSD,1,\nWE,100,ETH\n");
    write("underlyings.csv", "underlying,index_price\nETH,100\n");
    write("instruments.csv", "instrument,kind,underlying,mark_price\nETHUSD,perpetual,ETH,100\n");
    write("positions.csv", "account,instrument,quantity\n");
    write("routes.csv", "route,finality_seconds,message_seconds\nr,60,60\n");
    write(
        "balances.csv",
        "account,asset,amount,route,status,lock\na,WE,1,,,\nb,WE,1,r,attested,k1\nc,ETH,1,,,\nd,ETH,1,r,attested,k2\n",
    );
    write("rulebook.toml", "version = 1\n");
    std::fs::remove_file(dir.path().join("quotes.csv")).expect("removed");
    let equities = |header: &str, cells: &str| {
        write("set.csv", &format!("scenario,{header}\ns,{cells}\n"));
        let arguments = ["sweep", ".", "--scenarios", "set.csv", "--out", "out", "--tables", "csv", "--engine", "cpu"];
        let swept = run(dir.path(), &arguments);
        assert!(swept.status.success(), "{}", String::from_utf8_lossy(&swept.stderr));
        let table = std::fs::read_to_string(dir.path().join("out/pools.csv")).expect("written");
        let column = table.lines().next().and_then(|head| head.split(',').position(|name| name == "worst_equity"));
        let cell =
            |line: &str| line.split(',').nth(column.expect("a column")).and_then(|cell| cell.parse::<f64>().ok());
        table.lines().skip(1).map(|line| (cell(line).expect("a number") * 1e4).round() / 1e4).collect::<Vec<_>>()
    };
    assert_eq!(equities("price:ETH,oracle:WE", "0,-0.15"), [85.0, 85.0, 100.0, 100.0]);
    assert_eq!(equities("price:ETH,oracle:WE,oracle:ETH", "0,-0.15,-0.5"), [85.0, 85.0, 50.0, 50.0]);
    assert_eq!(equities("price:ETH,lag:ETH", "-0.5,0.5"), [70.7107; 4]);
    // A column of a route adds to the lag of what stands on it; one of zeros changes nothing.
    assert_eq!(equities("price:ETH,lag:ETH,stale:r", "-0.5,0.5,0"), [70.7107; 4]);
    assert_eq!(equities("price:ETH,stale:r", "-0.5,1"), [50.0, 100.0, 50.0, 100.0]);
    assert_eq!(equities("price:ETH,oracle:ETH,oracle:ETH@r", "0,-0.5,-0.1"), [50.0, 50.0, 50.0, 90.0]);
}
