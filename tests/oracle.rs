//! Prices from several sources through the real binary: its page, its JSON, its refusals.

mod schema;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plimsoll::io::rulebook_schema;
use plimsoll::margin::Rulebook;
use plimsoll::margin::file::{Key, KeyKind, ORACLE, Shape};
use plimsoll::oracle::{
    Aggregation, NonPositive, OraclePolicies, OraclePolicy, StablePolicy, Ties, Tolerance, Validity,
};
use serde_json::Value;

/// A directory with files in it.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = Self(tempfile::tempdir().expect("a directory"));
        files.iter().for_each(|(name, text)| dir.write(name, text));
        dir
    }

    /// A book of one account on BTC and ETH, with wBETH and USD as collateral.
    fn book(more: &[(&str, &str)]) -> Self {
        let book = Self::new(&[
            ("snapshot.toml", "as_of = \"2026-01-01T00:00:10Z\"\n"),
            ("assets.csv", "asset,price\nBTC,90000\nUSD,1\nwBETH,2000\n"),
            ("underlyings.csv", "underlying,index_price,volatility_index\nBTC,90000,0.7641989\nETH,3000,\n"),
            (
                "instruments.csv",
                "instrument,kind,underlying,settlement_asset,mark_price\nBTC-PERP,perpetual,BTC,USD,90000\n\
                 ETH-PERP,perpetual,ETH,USD,3000\n",
            ),
            ("balances.csv", "account,asset,amount\nann,USD,50000\nann,wBETH,3\n"),
            ("positions.csv", "account,instrument,quantity\nann,BTC-PERP,1\n"),
        ]);
        more.iter().for_each(|(name, text)| book.write(name, text));
        book
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a writable file");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .expect("the binary runs")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["oracle"], arguments, &["--format", "json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON object")
    }

    /// Asserts the exit code of a command that fails, and parts of what it says.
    fn fails(&self, arguments: &[&str], code: i32, parts: &[&str]) {
        let output = self.run(&[&["oracle"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        parts.iter().for_each(|part| assert!(said.contains(part), "{part:?} in\n{said}"));
    }
}

const QUOTES: &str = "\
source,asset,underlying,price,confidence,timestamp,weight,capture_cost,adv
binance,,BTC,100000,20,2026-01-01T00:00:09Z,3,30,
okx,,BTC,100010,20,2026-01-01T00:00:09Z,2,20,
bybit,,BTC,99990,20,2026-01-01T00:00:09Z,2,20,
kraken,,BTC,100005,20,2026-01-01T00:00:08Z,1,10,
kucoin,,BTC,130000,20,2026-01-01T00:00:09Z,1,10,
gate,,BTC,100000,20,2025-12-31T23:00:00Z,1,,
mexc,,BTC,99980,20,2026-01-01T00:00:09Z,1,10,
dex,wBETH,,430,1,2026-01-01T00:00:09Z,,,1000000
a,,ETH,-1,1,2026-01-01T00:00:09Z,,,
";

fn subject<'a>(all: &'a Value, name: &str) -> &'a Value {
    let mut subjects = all["subjects"].as_array().expect("a list").iter();
    subjects.find(|subject| subject["subject"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn close(value: &Value, expected: f64) {
    let value = value.as_f64().expect("a number");
    assert!((value - expected).abs() <= 1e-9 * expected.abs(), "{value} is not {expected}");
}

#[test]
fn prices_are_formed_judged_and_priced() {
    let book = Files::book(&[
        ("quotes.csv", QUOTES),
        (
            "marks.csv",
            "underlying,instrument,basis_average,bid,ask,last,perpetual_median\nBTC,,50,,,,100100\n,BTC-PERP,50,120000,120002,120001,119000\n",
        ),
        (
            "price_history.csv",
            "underlying,timestamp,price\nBTC,2025-12-31T23:59:00Z,50000\nBTC,2026-01-02T00:00:00Z,1\n",
        ),
    ]);
    let all = book.json(&["."]);
    assert_eq!((&all["as_of"], &all["move"]), (&"2026-01-01T00:00:10Z".into(), &0.1.into()));
    assert_eq!(all["without_price"], serde_json::json!(["ETH"]));
    let btc = subject(&all, "BTC");
    assert_eq!((&btc["price"], &btc["confidence"]), (&100000.0.into(), &20.0.into()));
    assert_eq!(btc["used"], serde_json::json!(["binance", "okx", "bybit", "kraken", "mexc"]));
    assert_eq!(
        btc["dropped"],
        serde_json::json!([{"source": "kucoin", "reason": "deviation"}, {"source": "gate", "reason": "stale"}])
    );
    assert_eq!((&btc["weight_used"], &btc["weight"]), (&9.0.into(), &11.0.into()));
    // 70 seconds at 0.03 % each from 50,000; the median of 100,050, 100,000 and 100,100 is the mark.
    close(&btc["stable"], 50000.0 * (1.0 + 0.0003 * 70.0));
    close(&btc["mark"], 100050.0);
    let band = 0.0002 * 2.12;
    close(&btc["prices"]["initial"]["asset"], 51050.0 * (1.0 - band));
    close(&btc["prices"]["withdraw"]["liability"], 100050.0 * (1.0 + band));
    close(&btc["prices"]["liquidation"]["asset"], 100050.0);
    assert_eq!((&btc["validity"], &btc["actions"]["open"]), (&"valid".into(), &true.into()));
    let capture = &btc["capture"];
    assert_eq!((&capture["weight_needed"], &capture["fewest_sources"]), (&5.0.into(), &2.into()));
    assert_eq!((&capture["up"]["cost"], &capture["cost"]), (&50.0.into(), &50.0.into()));
    assert_eq!(capture["reach"][0], serde_json::json!({"source": "binance", "lowest": 99990.0, "highest": 100010.0}));
    let perpetual = &all["instruments"][0];
    assert_eq!((&perpetual["mark"], &perpetual["diverges"]), (&119000.0.into(), &true.into()));
    let eth = subject(&all, "ETH");
    assert!(eth["price"].is_null() && eth["prices"]["initial"].is_null() && eth["capture"]["up"].is_null());
    assert_eq!((&eth["verdict"], &eth["validity"]), (&"too_few_sources".into(), &"non_positive".into()));
    assert_eq!(eth["actions"]["liquidate"], false);
    // wBETH has no index, and so no volatility to price its venue by.
    assert_eq!(subject(&all, "wBETH")["capture"]["without_cost"], serde_json::json!(["dex"]));
    let one = book.json(&[".", "--subject", "wBETH"]);
    assert_eq!(one["subjects"].as_array().map(Vec::len), Some(1));
    let table = book.run(&["oracle", "."]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    for part in ["BTC: kucoin dropped: deviation", "ETH: no usable price: too_few_sources", "5 of 7", "| BTC-PERP"] {
        assert!(table.contains(part), "{part:?} in\n{table}");
    }
}

#[test]
fn a_venue_is_priced_by_volume_and_volatility() {
    let quotes = "source,underlying,price,timestamp,adv\na,BTC,100000,2026-01-01T00:00:09Z,1e6\n";
    let book = Files::book(&[("quotes.csv", quotes)]);
    // 0.7641989 a year is 0.04 a day: 2/3 · 0.1 · 1e6 · 2.5².
    let daily = 0.7641989 / 365f64.sqrt();
    close(&subject(&book.json(&["."]), "BTC")["capture"]["cost"], 2.0 / 3.0 * 0.1 * 1e6 * (0.1 / daily).powi(2));
    book.write("rulebook.toml", "version = 1\n[oracle.subject.BTC]\ndaily_volatility = 0.05\nimpact_factor = 2\n");
    close(&subject(&book.json(&[".", "--move", "0.2"]), "BTC")["capture"]["cost"], 2.0 / 3.0 * 0.2 * 1e6 * 4.0);
}

#[test]
fn a_snapshot_is_rewritten_with_the_prices() {
    let book =
        Files::book(&[("quotes.csv", QUOTES), ("marks.csv", "instrument,last\nBTC-PERP,100020\nETH-PERP,3100\n")]);
    let all = book.json(&[".", "--out", "formed", "--tables", "csv"]);
    assert_eq!(
        all["written"],
        serde_json::json!({
            "assets": ["BTC", "wBETH"], "underlyings": ["BTC"], "instruments": ["BTC-PERP", "ETH-PERP"], "kept": ["ETH"],
        })
    );
    let read = plimsoll::io::snapshot::read(&book.path("formed")).expect("a snapshot");
    let prices: Vec<_> = read.assets.iter().map(|asset| (asset.name.as_str(), asset.price)).collect();
    assert_eq!(prices, [("BTC", 100000.0), ("USD", 1.0), ("wBETH", 430.0)]);
    let index: Vec<_> = read.underlyings.iter().map(|underlying| underlying.index_price).collect();
    assert_eq!(index, [100000.0, 3000.0]);
    assert_eq!(read.instruments[0].mark_price, 100000.0, "index, index and last trade");
    assert_eq!(read.instruments[1].mark_price, 3100.0, "without an index the last trade");
    assert_eq!(read.book.len(), 1);
    book.json(&[".", "--out", "prices.csv"]);
    let text = std::fs::read_to_string(book.path("prices.csv")).expect("a file");
    assert!(text.contains("\nBTC,100000") && text.contains("\nETH,,,,"), "{text}");
    book.fails(&[".", "--out", "formed"], 2, &["formed"]);
}

#[test]
fn a_file_of_quotes_is_enough() {
    let text = "source,subject,price,confidence,timestamp\n\
                a,X,10000,10,2026-01-01T00:00:00Z\nb,X,10020,10,2026-01-01T00:00:00Z\nc,X,11000,10,2026-01-01T00:00:00Z\n";
    let rules = "version = 1\n[oracle]\naggregation = \"three_vote\"\nprice_tick = 1\nnon_positive = \"keep\"\n\
                 max_age_seconds = 25\ndeviation_mads = \"unlimited\"\nquorum = 0\nmax_confidence = \"unlimited\"\n";
    let files = Files::new(&[("q.csv", text), ("pyth.toml", rules)]);
    let at = "2026-01-01T00:00:25Z";
    let all = files.json(&["q.csv", "--at", at, "--rulebook", "pyth.toml"]);
    let x = subject(&all, "X");
    assert_eq!((&x["price"], &x["confidence"], &x["verdict"]), (&10020.0.into(), &970.0.into(), &"usable".into()));
    let later = files.json(&["q.csv", "--at", "2026-01-01T00:00:26Z", "--rulebook", "pyth.toml"]);
    assert_eq!(
        (&subject(&later, "X")["price"], &subject(&later, "X")["dropped"][0]["reason"]),
        (&Value::Null, &"stale".into())
    );
    let median = files.json(&["q.csv", "--at", at, "--rulebook", "pyth.toml", "--aggregation", "median"]);
    assert_eq!(subject(&median, "X")["price"], 10020.0);
    files.fails(&["q.csv"], 2, &["--at"]);
    files.fails(&["q.csv", "--at", at, "--out", "somewhere"], 2, &["no snapshot to rewrite"]);
    files.fails(&["q.csv", "--at", at, "--subject", "x"], 2, &["no subject \"x\"", "did you mean \"X\"?"]);
    files.fails(&["q.csv", "--at", at, "--move", "0"], 2, &["above 0"]);
    files.fails(&["q.csv", "--at", at, "--move", "nan"], 2, &["above 0"]);
    files.fails(&["absent.csv", "--at", at], 2, &["absent.csv"]);
    files.fails(&["pyth.toml", "--at", at], 2, &[".parquet, .csv or .arrow"]);
    files.fails(&[".", "--at", at], 3, &["assets"]);
}

#[test]
fn bad_tables_are_refused_whole_and_by_check_too() {
    let book = Files::book(&[
        (
            "quotes.csv",
            "source,asset,underlying,price,timestamp,weight,status,confidence\n\
             a,BTC,BTC,nan,2026-01-01T00:00:00Z,0,trdaing,-1\n,,BTC,1,,1e10,,\n\
             b,,Btc,1,2026-01-01T00:00:00Z,,,\nc,,BTC,1,2026-01-01T00:00:00Z,,,\nc,,BTC,2,2026-01-01T00:00:00Z,,,\n",
        ),
        ("marks.csv", "underlying,instrument,bid,ask\nBTC,,2,1\n,BTC-PRP,1,2\nETH,,,\nETH,,,\n,,1,1\n"),
        (
            "price_history.csv",
            "subject,timestamp,price\nBTC,2026-01-01T00:00:00Z,0\nBTC,2026-01-01T00:00:00Z,1\n\
             BTC,2026-01-01T00:00:00Z,2\nBTC,,1\n",
        ),
    ]);
    let expected = [
        "marks row 1 column ask value \"1\": an ask is not below the bid, 2",
        "marks row 2 column instrument value \"BTC-PRP\": no such name in instruments (did you mean \"BTC-PERP\"?)",
        "marks row 4 column underlying value \"ETH\": names are unique; row 3 has the same",
        "marks row 5 column subject: exactly one of subject, asset, underlying, instrument",
        "price_history row 1 column price value \"0\": the number is positive",
        "price_history row 3 column timestamp value \"2026-01-01T00:00:00Z\": a subject has one price at a moment",
        "price_history row 4 column timestamp: a required value is missing",
        "quotes row 1 column confidence value \"-1\"",
        "quotes row 1 column price value \"nan\": a number is finite",
        "quotes row 1 column status value \"trdaing\": one of trading, halted, auction, unknown",
        "quotes row 1 column underlying value \"BTC\": exactly one of subject, asset, underlying",
        "quotes row 1 column weight value \"0\": a weight is between 1e-9 and 1e9",
        "quotes row 2 column source: a required value is missing",
        "quotes row 2 column timestamp: a required value is missing",
        "quotes row 2 column weight value \"1e10\": a weight is between 1e-9 and 1e9",
        "quotes row 3 column underlying value \"Btc\": no such name in underlyings (did you mean \"BTC\"?)",
        "quotes row 5 column source value \"c\": a source quotes a subject once; row 4 has the same",
    ];
    book.fails(&["."], 3, &[&["17 fault(s)"][..], &expected].concat());
    let check = book.run(&["check", "."]);
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    assert_eq!(check.status.code(), Some(3), "{said}");
    expected.iter().for_each(|part| assert!(said.contains(part), "{part:?} in\n{said}"));
    assert!(!said.contains("was not read"), "{said}");
    Files::book(&[]).fails(&["."], 2, &["no quotes.parquet"]);
    // Names are not held against a book that could not be read in full.
    book.write("underlyings.csv", "underlying,index_price\nBTC,0\nETH,3000\n");
    let said = String::from_utf8_lossy(&book.run(&["check", "."]).stderr).into_owned();
    assert!(!said.contains("quotes row 4") && said.contains("quotes row 1 column price"), "{said}");
    let good = Files::book(&[("quotes.csv", QUOTES)]);
    assert!(good.run(&["check", "."]).status.success());
}

#[test]
fn policies_are_read_written_and_refused() {
    let policy = OraclePolicy {
        aggregation: Aggregation::ThreeVote,
        ties: Ties::Upper,
        price_tick: 0.01,
        non_positive: NonPositive::Keep,
        max_age_seconds: None,
        heartbeat_seconds: Some(3600.0),
        deviation_mads: None,
        deviation_confidences: 4.0,
        deviation_floor: 0.002,
        minimum_sources: 3,
        quorum: 0.5,
        max_confidence: Some(0.1),
        confidence_multiple: 1.96,
        confidence_cap: 0.04,
        volatility_ratio: 3.0,
        margin_age_seconds: 90.0,
        market_making_age_seconds: 4.0,
        mark_divergence: 0.2,
        tolerance: Tolerance { margin: Validity::Valid, settle: Validity::NonPositive, ..Tolerance::default() },
        stable: StablePolicy { growth_per_second: 0.001, delay_growth_per_hour: 0.1 },
        impact_factor: 0.8,
        daily_volatility: Some(0.06),
    };
    let of = [("BTC 1".to_string(), OraclePolicy::default()), ("wBETH".to_string(), policy.clone())].into();
    let rulebook = Rulebook { oracle: Some(OraclePolicies { general: policy.clone(), of }), ..Rulebook::default() };
    let mut expected = rulebook.oracle.clone();
    // What a policy may lack, an override cannot take away.
    expected.as_mut().expect("policies").of.get_mut("BTC 1").expect("a policy").heartbeat_seconds = Some(3600.0);
    expected.as_mut().expect("policies").of.get_mut("BTC 1").expect("a policy").daily_volatility = Some(0.06);
    let text = rulebook.to_toml();
    assert_eq!(Rulebook::parse(&text, "written").expect("valid").oracle, expected, "{text}");
    let table: toml::Table = text.parse().expect("TOML");
    let found = schema::against(&rulebook_schema::schema(), &serde_json::to_value(table).expect("JSON"), "");
    assert!(found.is_empty(), "{found:?}");

    let short = "version = 1\n[oracle]\nquorum = 0.5\n[oracle.subject.ETH]\nmax_age_seconds = 7\n";
    let policies = Rulebook::parse(short, "short").expect("valid").oracle.expect("policies");
    assert_eq!(policies.general, OraclePolicy { quorum: 0.5, ..OraclePolicy::default() });
    assert_eq!(*policies.get("ETH"), OraclePolicy { max_age_seconds: Some(7.0), ..policies.general.clone() });
    assert_eq!(policies.get("BTC"), &policies.general);

    let bad = "version = 1\n[oracle]\naggregation = \"mean\"\nquorum = 2\nmax_age_seconds = \"never\"\nmedian = 1\n\
               [oracle.subject.ETH]\nminimum_sources = 0\nsubject = {}\n[oracle.tolerates]\nmargin = \"fresh\"\n";
    let faults = Rulebook::parse(bad, "bad.toml").expect_err("faults").to_string();
    for part in [
        "bad.toml:3 key oracle.aggregation value \"mean\"",
        "bad.toml:4 key oracle.quorum value \"2\"",
        "bad.toml:5 key oracle.max_age_seconds value \"never\": a number, or unlimited",
        "bad.toml:6 key oracle.median: no such key here",
        "bad.toml:8 key oracle.subject.ETH.minimum_sources value \"0\"",
        "bad.toml:9 key oracle.subject.ETH.subject: no such key here",
        "bad.toml:11 key oracle.tolerates.margin value \"fresh\"",
        "7 fault(s)",
    ] {
        assert!(faults.contains(part), "{part:?} in\n{faults}");
    }
}

#[test]
fn what_a_policy_or_a_factor_needs_is_said() {
    let rulebook =
        "version = 1\n[oracle]\nquorum = 0.5\n[oracle.subject.zz]\nquorum = 0.6\n[oracle.subject.BTC]\nquorum = 0.6\n";
    let book = Files::book(&[("quotes.csv", QUOTES), ("rulebook.toml", rulebook)]);
    let warning = "[oracle.subject.zz] names no asset or underlying: it has no effect";
    for command in [["oracle", "."], ["check", "."]] {
        let output = book.run(&command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(warning) && !said.contains("subject.BTC"), "{command:?}: {said}");
    }
    let set = "scenario,source:binance,confidence:BTC\none,0.5,0\n";
    let classes = "version = 1\n[margin.BTC-PERP]\nmaintenance = { form = \"flat\", rate = 0.05 }\n";
    let without = Files::book(&[("set.csv", set), ("rulebook.toml", classes)]);
    let refused = |book: &Files| {
        let output = book.run(&["check", ".", "--scenarios", "set.csv"]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = refused(&without);
    assert!(
        said.contains("no quotes.parquet") && said.contains("needed by the columns source:binance, confidence:BTC"),
        "{said}"
    );
    without.write("quotes.csv", QUOTES);
    without.write("snapshot.toml", "");
    let said = refused(&without);
    assert!(said.contains("as_of") && said.contains("needed by the columns source:binance, confidence:BTC"), "{said}");
    without.write("set.csv", "scenario,oracle:BTC\none,-2\n");
    let output = without.run(&["check", ".", "--scenarios", "set.csv"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("an oracle shock is finite and at least -1"), "{said}");
}

#[test]
fn a_capture_is_never_silently_given_up() {
    let mut quotes = String::from("source,subject,price,timestamp,weight,capture_cost\n");
    let mut state = 7_u64;
    for source in 0..60 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let weight = 500.0 + (state >> 40) as f64 / 1e6;
        quotes += &format!("s{source},x,100,2026-01-01T00:00:00Z,{weight:.6},{:.6}\n", weight + 100.0);
    }
    let files = Files::new(&[("quotes.csv", &quotes)]);
    let arguments = ["quotes.csv", "--at", "2026-01-01T00:00:01Z"];
    let all = files.json(&arguments);
    let capture = &subject(&all, "x")["capture"];
    assert_eq!(capture["weight_needed_exact"], true);
    let needed = capture["weight_needed"].as_f64().expect("a weight");
    for way in ["up", "down"] {
        assert_eq!(capture[way]["exact"], false, "{capture}");
        assert!(capture[way]["weight"].as_f64().expect("a weight") >= needed, "{capture}");
    }
    assert!(capture["cost"].as_f64().expect("a cost") > needed);
    let output = files.run(&[&["oracle"][..], &arguments].concat());
    assert!(String::from_utf8_lossy(&output.stdout).contains("at most "));
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/oracles.md");
    std::fs::read_to_string(path).expect("the page")
}

#[test]
fn the_page_names_every_key_and_its_examples_run() {
    fn check(page: &str, prefix: &str, keys: &[Key]) {
        for key in keys {
            let name = format!("{prefix}{}", key.name);
            assert!(page.contains(&format!("`{name}`")), "{name}");
            match key.kind {
                KeyKind::Table(Shape::Keys(inner)) => check(page, &format!("{name}."), inner),
                KeyKind::Word(words) if name == "aggregation" || name == "ties" => {
                    words.iter().for_each(|word| assert!(page.contains(&format!("`{word}`")), "{word}"));
                }
                _ => {}
            }
        }
    }
    let page = page();
    check(&page, "", ORACLE);
    let files = Files::new(&[]);
    let blocks: Vec<&str> = page.split("\n```").collect();
    for block in blocks.iter().skip(1).step_by(2) {
        match block.split_once('\n') {
            Some(("csv quotes", text)) => files.write("quotes.csv", text),
            Some(("toml pyth", text)) => files.write("pyth.toml", text),
            _ => {}
        }
    }
    let all = files.json(&["quotes.csv", "--at", "2026-01-01T00:00:25Z", "--rulebook", "pyth.toml"]);
    let vector = subject(&all, "vector");
    assert_eq!((&vector["price"], &vector["confidence"]), (&10020.0.into(), &970.0.into()));
    assert_eq!(vector["dropped"][0]["reason"], "not_trading");
    assert!(page.contains("\"price\": 10020.0") && page.contains("\"confidence\": 970.0"));
}
