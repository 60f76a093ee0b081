//! `bench options` and `--revalue` as their callers see them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::engines::engines;

const TABLES: [(&str, &str); 7] = [
    ("snapshot.toml", "as_of = \"2026-11-22T00:00:00Z\"\nquote = \"USD\"\n"),
    ("assets.csv", "asset,price\nBTC,60000\nUSD,1\n"),
    ("underlyings.csv", "underlying,index_price\nBTC,60000\n"),
    (
        "instruments.csv",
        "instrument,kind,underlying,payoff,mark_price,strike,expiry,right,implied_volatility,forward_price,margin_class\n\
         C,option,BTC,inverse,0.03,64000,2026-12-25T08:00:00Z,call,0.6,60300,option\n\
         P,option,BTC,linear,1500,56000,2026-12-25T08:00:00Z,put,0.7,60300,option\n\
         S,option,BTC,linear,900,60000,2026-11-27T08:00:00Z,call,0.5,60100,option\n",
    ),
    ("balances.csv", "account,asset,amount\na,USD,5000\nb,BTC,0.1\n"),
    ("positions.csv", "account,instrument,quantity,entry_price\na,C,-1,0.03\na,P,-1,1500\nb,S,1,900\nb,P,-2,1400\n"),
    (
        "rulebook.toml",
        "version = 1\nname = \"options by notional\"\n[margin.option]\nmaintenance = { form = \"flat\", rate = 0.1 }\n\
         initial = { form = \"flat\", rate = 0.2 }\n",
    ),
];

fn plimsoll(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(arguments).output().expect("the program starts")
}

fn object(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object on stdout")
}

fn write_snapshot(dir: &Path) {
    for (name, text) in TABLES {
        std::fs::write(dir.join(name), text).expect("a table");
    }
}

#[test]
fn every_pricer_is_measured_and_within_its_bounds() {
    if engines().len() < 3 {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    write_snapshot(dir.path());
    let path = dir.path().to_string_lossy();
    let arguments = ["bench", "options", &*path, "--scenarios", "300", "--adapter", "llvmpipe", "--format", "json"];
    let object = object(&plimsoll(&arguments));
    assert_eq!(object["revaluations"], 900);
    let pricers = object["pricers"].as_array().expect("a list");
    assert!(pricers.len() >= 3);
    for pricer in pricers {
        assert_eq!(pricer["within_bounds"], true, "{pricer}");
        let runs = pricer["runs"].as_array().expect("a list");
        assert_eq!(runs.iter().map(|run| run["greeks"].as_u64()).collect::<Vec<_>>(), [Some(0), Some(4), Some(8)]);
        assert!(runs.iter().all(|run| run["revaluations_per_second"].as_f64().is_some_and(|speed| speed > 0.0)));
    }
    let device = pricers.last().expect("the device");
    assert_eq!(device["largest_error_per_bound"].as_object().expect("by output").len(), 9);
    let nobody = plimsoll(&["bench", "options", &*path, "--adapter", "no such adapter"]);
    assert_eq!(nobody.status.code(), Some(7));
}

#[test]
fn a_sweep_says_where_options_were_priced() {
    if engines().len() < 3 {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    write_snapshot(dir.path());
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let mut scenarios = "scenario,price:BTC,vol:BTC,time\n".to_string();
    for k in 0..200 {
        scenarios +=
            &format!("s{k},{},{},{}\n", -0.4 + 0.004 * f64::from(k), 0.002 * f64::from(k), 0.01 * f64::from(k % 2));
    }
    std::fs::write(at("shocks.csv"), scenarios).expect("a scenario set");
    let digests = ["host", "device"].map(|place| {
        let (path, set, out) = (dir.path().to_string_lossy(), at("shocks.csv"), at(&format!("out-{place}")));
        let arguments = [
            "sweep",
            &*path,
            "--scenarios",
            &set,
            "--out",
            &out,
            "--adapter",
            "llvmpipe",
            "--revalue",
            place,
            "--format",
            "json",
        ];
        let object = object(&plimsoll(&arguments));
        assert_eq!(object["engine"], "gpu", "{}", object["warnings"]);
        assert_eq!(object["revaluation"]["option_rows"], 3);
        assert_eq!(object["revaluation"]["device_rows"].as_u64().expect("a count") > 0, place == "device", "{object}");
        object["digest"].clone()
    });
    assert_eq!(digests[0], digests[1]);
}
