//! Collateral on other networks, from tables to a sweep, by the library and by the real binary.

use std::path::Path;
use std::process::Command;

use ndarray::Array2;
use plimsoll::collateral::network::{credit_routes, resolve};
use plimsoll::domain::{Balance, BookBuilder, CustodyStatus, LotTerms, Pool, Snapshot};
use plimsoll::engine::{EngineChoice, Outcome, SweepOptions, sweep};
use plimsoll::io::{TableFormat, snapshot, snapshot_write};
use plimsoll::margin::Rulebook;
use plimsoll::pricing::Unshocked;
use plimsoll::scenario::{Factor, ScenarioSet};
use plimsoll::synth::{Market, MarketOptions, Options, add_route_classes, rulebook};

const BALANCES: &str = "account,asset,amount,route,status,lock\n\
    x,ETH,1,,,\n\
    x,ETH,2,arbitrum,attested,k1\n\
    x,ETH,3,arbitrum,attested,k2\n\
    y,ETH,4,arbitrum,in_transit,k3\n\
    y,USDC,5,base,attested,\n\
    y,ETH,6,base,settled,k4\n";

const TABLES: [(&str, &str); 7] = [
    ("assets.csv", "asset,price,haircut_class\nETH,3000,major\nUSDC,1,stable\n"),
    ("underlyings.csv", "underlying,index_price\nETH,3000\n"),
    ("instruments.csv", "instrument,kind,underlying,settlement_asset,mark_price\nETHUSDC,perpetual,ETH,USDC,3000\n"),
    ("balances.csv", BALANCES),
    ("positions.csv", "account,instrument,quantity\nx,ETHUSDC,1\ny,ETHUSDC,-2\n"),
    (
        "routes.csv",
        "route,from_network,finality_seconds,message_seconds,cap_quote\narbitrum,arbitrum-one,1020,60,10000\nbase,,1080,60,\n",
    ),
    (
        "rulebook.toml",
        "version = 1\n[margin.ETHUSDC]\nmaintenance = { form = \"flat\", rate = 0.05 }\n\
         [haircut.major]\nflat = 0.05\n[haircut.stable]\nflat = 0.01\n",
    ),
];

fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    TABLES.iter().for_each(|(name, text)| std::fs::write(dir.path().join(name), text).expect("written"));
    dir
}

fn rules(dir: &Path) -> Rulebook {
    plimsoll::io::read_rulebook(&dir.join("rulebook.toml")).expect("a rulebook")
}

fn swept(snapshot: &Snapshot, rulebook: &Rulebook, set: &ScenarioSet) -> Outcome {
    let options = SweepOptions { engine: EngineChoice::Cpu, unshocked: Unshocked::Hold, ..SweepOptions::default() };
    sweep(snapshot, rulebook, set, &options, &()).expect("swept")
}

fn one_scenario(columns: &[(&str, f64)]) -> ScenarioSet {
    let shocks = columns.iter().map(|(_, shock)| *shock).collect();
    ScenarioSet {
        ids: vec!["s".into()],
        weights: vec![1.0],
        labels: vec![String::new()],
        factors: columns.iter().map(|(factor, _)| Factor::parse(factor).expect("a factor")).collect(),
        shocks: Array2::from_shape_vec((1, columns.len()), shocks).expect("one row"),
    }
}

/// The book without the lots that `is_dropped` names by their asset.
fn without(snapshot: &Snapshot, is_dropped: impl Fn(u32) -> bool) -> Snapshot {
    let mut builder = BookBuilder::default();
    for pool in snapshot.book.pools() {
        let id = builder.pool(pool.account, pool.pool);
        let kept = pool.balances.iter().filter(|balance| !is_dropped(balance.asset));
        kept.for_each(|balance| builder.add_balance(id, *balance));
        pool.positions.iter().for_each(|position| builder.add_position(id, *position));
        *builder.settings(id) = pool.settings.clone();
    }
    snapshot.with_book(builder.build())
}

/// A synthetic exchange on four networks, and its rulebook.
fn exchange() -> (Snapshot, Rulebook) {
    let market = Market::built_in(&MarketOptions { networks: 4, ..MarketOptions::default() }).expect("a market");
    let rulebook = add_route_classes(rulebook(&market), &market).expect("a rulebook");
    let options = Options { accounts: 300, seed: 5, near_threshold_share: 0.1 };
    (plimsoll::synth::snapshot(&market, &rulebook, options).expect("a snapshot"), rulebook)
}

#[test]
fn lots_on_routes_are_read_as_assets_of_their_own() {
    let dir = directory();
    let loaded = snapshot::read_with_faults(dir.path()).expect("readable");
    assert!(loaded.faults.is_empty(), "{:?}", loaded.faults);
    assert_eq!(loaded.warnings, ["1 lot(s) on routes have no lock: nothing shows that they are credited once"]);
    let snapshot = loaded.into_snapshot().expect("no faults");
    let names: Vec<&str> = snapshot.assets.iter().map(|asset| asset.name.as_str()).collect();
    assert_eq!(names, ["ETH", "ETH@arbitrum", "ETH@arbitrum:transit", "USD", "USDC", "USDC@base"]);
    let attested = &snapshot.assets[1];
    assert_eq!((attested.price, attested.underlying.as_str()), (3000.0, "ETH"));
    assert_eq!(attested.haircut_class.as_deref(), Some("major@arbitrum"));
    assert_eq!(attested.network.as_deref(), Some("arbitrum-one"));
    assert_eq!(attested.custody.as_ref().map(|custody| custody.status), Some(CustodyStatus::Attested));
    assert_eq!(snapshot.instruments[0].settlement_asset, 4, "instruments follow their assets");
    let held = |pool: usize| -> Vec<(u32, f64)> {
        snapshot.book.pool(pool).balances.iter().map(|balance| (balance.asset, balance.amount)).collect()
    };
    assert_eq!(held(0), [(0, 1.0), (1, 2.0), (1, 3.0)]);
    assert_eq!(held(1), [(0, 6.0), (2, 4.0), (5, 5.0)], "what arrived over a route is settled");
    assert_eq!(snapshot.routes[0].cap_quote, Some(10_000.0));
    assert_eq!(snapshot.routes[0].finality.p99_seconds, 1.25 * 1020.0);
}

#[test]
fn nothing_counts_of_a_route_that_the_rulebook_does_not_know() {
    let dir = directory();
    let (snapshot, rulebook) = (snapshot::read(dir.path()).expect("a snapshot"), rules(dir.path()));
    let (faults, warnings) = plimsoll::margin::check_book(&snapshot, &rulebook);
    assert!(faults.is_empty(), "{faults:?}");
    let said = "no haircut class for the route in the rulebook, so nothing counts: ETH@arbitrum, USDC@base";
    assert!(warnings.iter().any(|warning| warning == said), "{warnings:?}");
    let still = one_scenario(&[("price:ETH", 0.0)]);
    let figures = swept(&snapshot, &rulebook, &still).pools;
    assert_eq!(figures[0].base.equity, 18_000.0, "raw equity counts what is owned");
    assert_eq!(figures[0].base.adjusted_equity, 2_850.0);
    let credit = credit_routes(&snapshot, &rulebook, None).expect("routes");
    assert!(plimsoll::margin::check_book(&snapshot, &credit.rulebook).1.iter().all(|warning| warning != said));
    let credited = swept(&snapshot, &credit.rulebook, &still).pools;
    assert_eq!(credited[0].base.equity, 18_000.0);
    let counts = credited[0].base.adjusted_equity - 2_850.0;
    assert!((9_999.0..=10_000.0).contains(&counts), "{counts} of a cap of 10,000");
    assert!(
        (credited[1].base.adjusted_equity - figures[1].base.adjusted_equity - 5.0).abs() < 0.2,
        "transit counts nothing"
    );
}

#[test]
fn the_total_loss_of_a_route_is_the_loss_of_its_lots() {
    let (snapshot, rulebook) = exchange();
    let prices = [("price:BTC", -0.2), ("price:ETH", -0.3), ("asset:USDT", -0.01)];
    for route in &snapshot.routes {
        let factor = format!("route:{}", route.name);
        let lost = resolve(one_scenario(&[&prices[..], &[(&factor, -1.0)]].concat()), &snapshot, &rulebook);
        let stands = |asset: u32| {
            snapshot.assets[asset as usize].custody.as_ref().is_some_and(|custody| custody.route == route.name)
        };
        let deleted = without(&snapshot, stands);
        assert!(deleted.book.balance_count() < snapshot.book.balance_count(), "something stands on {}", route.name);
        let (lost, gone) = (swept(&snapshot, &rulebook, &lost), swept(&deleted, &rulebook, &one_scenario(&prices)));
        let counts = |outcome: &Outcome| {
            let scenario = &outcome.scenarios[0];
            (scenario.restricted_pools, scenario.liquidatable_pools, scenario.bankrupt_pools, scenario.shortfall)
        };
        assert_eq!(counts(&lost), counts(&gone), "{}", route.name);
        let worst = |outcome: &Outcome| -> Vec<_> {
            outcome.pools.iter().map(|pool| (pool.worst_equity, pool.worst_excess)).collect()
        };
        assert_eq!(worst(&lost), worst(&gone), "{}", route.name);
    }
}

#[test]
fn censorship_leaves_raw_equity() {
    let (snapshot, rulebook) = exchange();
    let censored: Vec<(String, f64)> =
        snapshot.routes.iter().map(|route| (format!("censor:{}", route.name), 1.0)).collect();
    let censored: Vec<(&str, f64)> = censored.iter().map(|(factor, shock)| (factor.as_str(), *shock)).collect();
    let still = one_scenario(&[("price:BTC", 0.0)]);
    let moved = resolve(one_scenario(&[&[("price:BTC", 0.0)], &censored[..]].concat()), &snapshot, &rulebook);
    assert!(moved.factors.iter().all(|factor| factor.to_string().starts_with("credit:") || factor.name == "BTC"));
    let (before, after) = (swept(&snapshot, &rulebook, &still), swept(&snapshot, &rulebook, &moved));
    for (at, (before, after)) in before.pools.iter().zip(&after.pools).enumerate() {
        assert_eq!(before.worst_equity, after.worst_equity, "pool {at}");
        assert!(after.worst_excess <= before.worst_excess, "pool {at}");
    }
}

#[test]
fn settled_and_routed_assets_move_together() {
    let dir = directory();
    let (snapshot, rulebook) = (snapshot::read(dir.path()).expect("a snapshot"), rules(dir.path()));
    let outcome = swept(&snapshot, &rulebook, &one_scenario(&[("price:ETH", 0.0), ("asset:ETH", -0.5)]));
    // Ten ETH, settled and in transit, at half their price, and five USDC; a short at its mark is worth nothing.
    assert_eq!((outcome.pools[1].base.equity, outcome.pools[1].worst_equity), (30_005.0, 15_005.0));
}

#[test]
fn what_is_written_reads_back() {
    let (snapshot, rulebook) = exchange();
    let dir = tempfile::tempdir().expect("a directory");
    for format in [TableFormat::Csv, TableFormat::Parquet] {
        let place = dir.path().join(format.extension());
        snapshot_write::write(&place, format, &snapshot).expect("written");
        let loaded = snapshot::read_with_faults(&place).expect("readable");
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        let read = loaded.into_snapshot().expect("no faults");
        assert_eq!(read.routes, snapshot.routes);
        let lots = |snapshot: &Snapshot| -> Vec<(String, String, f64)> {
            let pools = snapshot.book.pools();
            let of_pool = |pool: plimsoll::domain::Pool<'_>| {
                let name = |asset: u32| snapshot.assets[asset as usize].name.clone();
                let lot =
                    |balance: &plimsoll::domain::Balance| (pool.account.into(), name(balance.asset), balance.amount);
                pool.balances.iter().map(lot).collect::<Vec<_>>()
            };
            pools.flat_map(of_pool).collect()
        };
        assert_eq!(lots(&read), lots(&snapshot));
        assert!(plimsoll::margin::check_book(&read, &rulebook).0.is_empty());
    }
}

/// Lots with every combination of terms; the plain ones of `w` cannot be told from one another by anything that is stated.
const STATED: &str = "account,asset,network,amount,locked,route,status,lock\n\
    w,ETH,lot 2,1,0.5,,,\n\
    w,ETH,,2,,,,\n\
    x,ETH,,1,,,,\n\
    x,ETH,,1,,,,deposit-9\n\
    x,ETH,optimism,1,1,,,\n\
    x,ETH,,2,,arbitrum,attested,x/main/ETH@arbitrum/attested/1\n\
    x,ETH,n,3,2.5,arbitrum,attested,k2\n\
    y,ETH,,4,,arbitrum,in_transit,k3\n\
    y,USDC,,5,,base,attested,\n\
    y,ETH,,6,,base,settled,k4\n";

fn stated() -> tempfile::TempDir {
    let dir = directory();
    std::fs::write(dir.path().join("balances.csv"), STATED).expect("written");
    dir
}

/// Every lot of a book: account, asset, units and terms.
fn lots(snapshot: &Snapshot) -> Vec<(String, String, f64, LotTerms)> {
    let of_pool = |pool: Pool<'_>| -> Vec<(String, String, f64, LotTerms)> {
        let name = |asset: u32| snapshot.assets[asset as usize].name.clone();
        let terms = |lot: &Balance| snapshot.book.lot(lot.lot).cloned().unwrap_or_default();
        pool.balances.iter().map(|lot| (pool.account.into(), name(lot.asset), lot.amount, terms(lot))).collect()
    };
    snapshot.book.pools().flat_map(of_pool).collect()
}

#[test]
fn networks_locks_and_locked_amounts_are_written_as_they_are() {
    let dir = stated();
    let loaded = snapshot::read_with_faults(dir.path()).expect("readable");
    assert!(loaded.faults.is_empty(), "{:?}", loaded.faults);
    let (warnings, first) = (loaded.warnings.clone(), loaded.into_snapshot().expect("no faults"));
    assert_eq!(warnings.len(), 1, "a lot on a route has no lock");
    let held = lots(&first);
    let of_lock = |lock: &str| held.iter().find(|lot| lot.3.lock.as_deref() == Some(lock)).expect("a lot");
    assert_eq!(of_lock("k2").3, LotTerms { network: Some("n".into()), lock: Some("k2".into()), locked: 2.5 });
    assert_eq!(held.iter().filter(|lot| lot.3.lock.is_some()).count(), 5);
    for format in TableFormat::ALL {
        let place = dir.path().join("again").join(format.extension());
        std::fs::create_dir_all(place.parent().expect("a parent")).expect("a directory");
        snapshot_write::write(&place, format, &first).expect("written");
        let again = snapshot::read_with_faults(&place).expect("readable");
        assert_eq!(again.warnings, warnings, "no lock is made up for what says that it has none");
        assert_eq!(again.into_snapshot().expect("no faults").book, first.book, "{format:?}");
    }
}

#[test]
fn what_is_made_up_is_not_in_use() {
    let dir = stated();
    let first = snapshot::read(dir.path()).expect("a snapshot");
    let mut builder = BookBuilder::with_lots_of(&first.book);
    for pool in first.book.pools() {
        let id = builder.pool(pool.account, pool.pool);
        for balance in pool.balances {
            builder.add_balance(id, *balance);
            builder.add_balance(id, Balance::new(balance.asset, 0.25));
        }
    }
    let more = first.with_book(builder.build());
    let place = dir.path().join("more");
    snapshot_write::write(&place, TableFormat::Csv, &more).expect("written");
    let read = snapshot::read(&place).expect("no row is like another, and no lock stands twice");
    let kept: Vec<_> = lots(&read).into_iter().filter(|lot| lot.2 != 0.25).collect();
    let amounts = |lots: &[(String, String, f64, LotTerms)]| lots.iter().map(|lot| lot.2).collect::<Vec<_>>();
    assert_eq!(amounts(&kept), amounts(&lots(&first)));
    let is_stated = |lot: &&(String, String, f64, LotTerms)| lot.3 != LotTerms::default();
    assert!(lots(&first).iter().filter(is_stated).all(|lot| kept.contains(lot)));
}

#[test]
fn a_transfer_leaves_the_lots_of_others_and_what_does_not_move() {
    let dir = stated();
    let at = dir.path();
    let plan = "[source]\nsnapshot = \".\"\nscenarios = \"set.csv\"\naccount = \"x\"\n\
        [destination]\nsnapshot = \".\"\nscenarios = \"set.csv\"\naccount = \"y\"\n\
        [[lots]]\nasset = \"ETH\"\namount = 1.25\n[target]\nsource = 1.0\ndestination = 1.0\n";
    std::fs::write(at.join("set.csv"), "scenario,price:ETH\ncalm,0\n").expect("written");
    std::fs::write(at.join("plan.toml"), plan).expect("written");
    let line = ["transfer", "plan.toml", "--out", "out", "--apply", "applied", "--tables", "csv", "--engine", "cpu"];
    json(at, &line);
    let venue = at.join("applied/venue");
    let [before, after] = [at, &venue].map(|place| lots(&snapshot::read(place).expect("a snapshot")));
    let named = |lots: &[(String, String, f64, LotTerms)], name: &str| -> Vec<(String, f64, LotTerms)> {
        let own = lots.iter().filter(|lot| lot.0 == name);
        own.map(|(_, asset, amount, terms)| (asset.clone(), *amount, terms.clone())).collect()
    };
    assert_eq!(named(&after, "w"), named(&before, "w"));
    let on_routes = |lots: &[(String, f64, LotTerms)]| -> Vec<(String, f64, LotTerms)> {
        lots.iter().filter(|lot| lot.0.contains('@')).cloned().collect()
    };
    assert_eq!(on_routes(&named(&after, "x")), on_routes(&named(&before, "x")));
    assert_eq!(on_routes(&named(&after, "y")), on_routes(&named(&before, "y")));
    let settled = |name: &str, amount: f64, terms: LotTerms| (name.to_string(), amount, terms);
    let optimism = LotTerms { network: Some("optimism".into()), lock: None, locked: 0.75 };
    let deposit = LotTerms { lock: Some("deposit-9".into()), ..LotTerms::default() };
    let k4 = LotTerms { lock: Some("k4".into()), ..LotTerms::default() };
    let source = named(&after, "x");
    for lot in [settled("ETH", 0.0, LotTerms::default()), settled("ETH", 1.0, deposit), settled("ETH", 0.75, optimism)]
    {
        assert!(source.contains(&lot), "{lot:?} in {source:?}");
    }
    let destination = named(&after, "y");
    for lot in [settled("ETH", 1.25, LotTerms::default()), settled("ETH", 6.0, k4)] {
        assert!(destination.contains(&lot), "{lot:?} in {destination:?}");
    }
}

#[test]
fn the_order_of_rows_leaves_no_trace() {
    let dir = directory();
    let first = snapshot::read(dir.path()).expect("a snapshot");
    let mut rows: Vec<&str> = BALANCES.lines().collect();
    rows[1..].reverse();
    std::fs::write(dir.path().join("balances.csv"), rows.join("\n")).expect("written");
    assert_eq!(snapshot::read(dir.path()).expect("a snapshot"), first);
}

fn plimsoll(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll")).current_dir(dir).args(arguments).output().expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn json(dir: &Path, arguments: &[&str]) -> serde_json::Value {
    let (code, stdout, stderr) = plimsoll(dir, &[&["--format", "json"], arguments].concat());
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
    serde_json::from_str(&stdout).expect("one JSON object")
}

#[test]
fn the_commands_work_hand_in_hand() {
    let dir = directory();
    let at = dir.path();
    let credit = json(at, &["collateral", "routes", ".", "--insurance-fund", "20000", "--out", "routed.toml"]);
    assert_eq!(credit["classes"].as_array().map(Vec::len), Some(4));
    assert_eq!(credit["routes"][0]["limit"], 10_000.0);
    assert_eq!(credit["routes"][1]["limit"], 20_000.0);
    let made = json(at, &["scenarios", "routes", ".", "--out", "routes.set.csv"]);
    assert_eq!(made["scenarios"], 2 * 9 + 1);
    std::fs::write(at.join("prices.csv"), "scenario,weight,price:ETH\ncalm,2,0\ncrash,1,-0.3\n").expect("written");
    let crossed = json(at, &["scenarios", "routes", ".", "--cross", "prices.csv", "--out", "crossed.csv"]);
    assert_eq!(crossed["scenarios"], 2 * 19);
    assert!(std::fs::read_to_string(at.join("crossed.csv")).expect("a set").contains("crash|arbitrum+base lost"));
    let sweep =
        ["sweep", ".", "--rulebook", "routed.toml", "--scenarios", "crossed.csv", "--engine", "cpu", "--out", "result"];
    let swept = json(at, &sweep);
    assert_eq!(swept["scenarios"], 38);
    let explained = json(
        at,
        &[
            "explain",
            ".",
            "x",
            "--rulebook",
            "routed.toml",
            "--scenarios",
            "crossed.csv",
            "--scenario",
            "calm|arbitrum lost",
        ],
    );
    assert_eq!(explained["equity"], 3_000.0, "one ETH is settled, a long at its mark is worth nothing");
    let (code, table, _) = plimsoll(at, &["collateral", "routes", ".", "--out", "routed.toml"]);
    assert!(code == 0 && table.contains("major@arbitrum") && table.contains("no insurance fund is known"), "{table}");
}

#[test]
fn a_synthetic_exchange_stands_on_as_many_networks_as_asked() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = dir.path();
    let line =
        ["synth", "s", "--accounts", "200", "--seed", "3", "--networks", "3", "--quotes", "2", "--tables", "csv"];
    let made = json(at, &line);
    assert_eq!(made["networks"], 3);
    let quotes = std::fs::read_to_string(at.join("s/quotes.csv")).expect("quotes");
    assert!(quotes.starts_with("source,subject,price,confidence,timestamp,weight\nsource-01,"), "{quotes}");
    let checked = json(at, &["check", "s"]);
    assert_eq!(checked["fault_count"], 0, "{checked}");
    assert!(checked["counts"]["routes"]["used"] == 3);
    json(
        at,
        &["synth", "again", "--accounts", "200", "--seed", "3", "--networks", "3", "--quotes", "2", "--tables", "csv"],
    );
    for table in ["balances.csv", "routes.csv", "quotes.csv", "rulebook.toml"] {
        let text = |folder: &str| std::fs::read(at.join(folder).join(table)).expect("a table");
        assert_eq!(text("s"), text("again"), "{table}");
    }
    let (code, _, stderr) = plimsoll(at, &["synth", "t", "--accounts", "1", "--seed", "1", "--networks", "99"]);
    assert!(code == 2 && stderr.contains("99 networks asked for, the generator knows 23"), "{stderr}");
}
