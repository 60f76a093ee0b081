//! `compare` as its callers see it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A hedged pair and a short that was isolated by its owner, at 10 % initial and 5 % maintenance margin.
const FILES: [(&str, &str); 8] = [
    ("assets.csv", "asset,price\nUSD,1\n"),
    ("underlyings.csv", "underlying,index_price\nA,100\nB,100\n"),
    (
        "instruments.csv",
        "instrument,kind,underlying,mark_price,margin_class\nA-PERP,perpetual,A,100,all\nB-PERP,perpetual,B,100,all\n",
    ),
    ("balances.csv", "account,pool,asset,amount\nh,main,USD,300\nh,own,USD,40\n"),
    ("positions.csv", "account,pool,instrument,quantity\nh,main,A-PERP,10\nh,main,B-PERP,-10\nh,own,A-PERP,-4\n"),
    ("pools.csv", "account,pool,mode\nh,own,isolated\n"),
    (
        "rulebook.toml",
        "version = 1\nname = \"tenth\"\n[margin.all]\nmaintenance = { form = \"flat\", rate = 0.0625 }\n\
         initial = { form = \"flat\", rate = 0.125 }\n",
    ),
    ("../set.csv", "scenario,price:A,price:B\ncrash,-0.25,0\nrise,0.5,0.5\n"),
];

fn plimsoll(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(arguments).current_dir(dir).output().expect("the program starts")
}

fn exchange() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let book = dir.path().join("book");
    std::fs::create_dir(&book).expect("a directory");
    for (name, text) in FILES {
        std::fs::write(book.join(name), text).expect("a file");
    }
    dir
}

/// This reader of JSON may be wrong in the last bit.
fn assert_near(found: &Value, expected: f64) {
    let found = found.as_f64().expect("a number");
    assert!((found - expected).abs() <= 1e-15, "{found} is not {expected}");
}

const COMPARE: [&str; 6] = ["compare", "book", "--scenarios", "set.csv", "--engine", "cpu"];

#[test]
fn a_comparison_prints_the_rows_of_the_contract_and_writes_them() {
    let dir = exchange();
    let more = ["--out", "out", "--tables", "csv", "--format", "json", "--rulebook", "book/rulebook.toml"];
    let output = plimsoll(dir.path(), &[&COMPARE[..], &more, &["--rulebook", "book/rulebook.toml"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let object: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let rows = object["rows"].as_array().expect("rows");
    let of = |mode: &str| rows.iter().find(|row| row["mode"] == mode).expect("a row");
    assert_eq!(rows.len(), 6, "three arrangements, twice");
    assert_eq!(rows[0]["rulebook"], "tenth (book/rulebook.toml)");
    // Initial margin: 125 for each leg of the pair, 50 for the isolated short; in cross the short closes 4 of the 10.
    let figures = |mode: &str| {
        ["pools", "initial_margin", "maintenance_margin", "liquidatable", "bankrupt"]
            .map(|key| of(mode)[key].as_f64().expect("a figure"))
    };
    // Crash: A at 75. As it is, `main` has 300 − 250 = 50 < 46.875 + 62.5, `own` 140. Rise: both at 150; `main` keeps 300,
    // `own` has 40 − 200 < 0. Cross: 340 − 150 in the crash; 340 + 300 − 500 = 140 < 56.25 + 93.75 in the rise. Isolated:
    // 150 − 250 < 0 for the long, the B short 150 − 500 < 0 in the rise, `own` as it is.
    assert_eq!(figures("as_is"), [2.0, 300.0, 150.0, 2.0, 1.0]);
    assert_eq!(figures("cross"), [1.0, 200.0, 100.0, 1.0, 0.0]);
    assert_eq!(figures("isolated"), [3.0, 300.0, 150.0, 3.0, 3.0]);
    assert_near(&of("cross")["diversification_index"], 1.0 - 200.0 / 300.0);
    for mode in ["as_is", "cross", "isolated"] {
        assert_eq!(of(mode)["worst_scenario"], "rise", "{mode}");
    }
    // In the rise cross closes three legs, of which only the long of 1,500 (of 1,500 + 1,500 + 600) stands alone.
    assert_eq!((&of("cross")["contagion_legs"], &of("cross")["contagion_healthy_legs"]), (&3.into(), &1.into()));
    assert_near(&of("cross")["contagion_notional_share"], 1_500.0 / 3_600.0);
    let transitions = object["transitions"].as_array().expect("transitions").iter();
    let modes: Vec<_> = transitions.map(|of| (of["from"]["mode"].as_str(), of["to"]["mode"].as_str())).collect();
    let (as_is, isolated_to_cross) = ((Some("as_is"), Some("as_is")), (Some("isolated"), Some("cross")));
    assert_eq!(modes, [as_is, isolated_to_cross, isolated_to_cross]);

    let read = |name: &str| std::fs::read_to_string(dir.path().join("out").join(name)).expect("a file");
    let table = read("compare.csv");
    assert!(table.starts_with("mode,rulebook,pools,unknown_pools,positions,equity,"), "{table}");
    assert_eq!(table.lines().count(), 7);
    let utilisation = read("utilisation.csv");
    assert!(utilisation.contains("as_is,tenth (book/rulebook.toml),USD,340.0,300.0,0.88235"), "{utilisation}");
    let page = read("compare.html");
    assert!(page.contains("<h1>Plimsoll comparison</h1>") && page.contains("From isolated, tenth"), "{page}");
    assert!(read("manifest.json").contains("\"complete\": true"));
}

#[test]
fn a_comparison_for_reading_and_wrong_calls() {
    let dir = exchange();
    let output = plimsoll(dir.path(), &[&COMPARE[..], &["--isolated", "pro-rata-notional"]].concat());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for words in ["as it is", "cross", "isolated", "contagion", "USD"] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    let code = |more: &[&str]| plimsoll(dir.path(), &[&COMPARE[..], more].concat()).status.code();
    assert_eq!(code(&["--rulebook", "none.toml"]), Some(2));
    std::fs::write(dir.path().join("book/pools.csv"), "account,mode\nh,portfolio\n").expect("a file");
    let output = plimsoll(dir.path(), &COMPARE);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs [requirement.portfolio]"));
}
