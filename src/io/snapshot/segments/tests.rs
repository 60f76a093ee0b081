use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};

use super::*;
use crate::domain::{Mode, Order, Pool, PoolSettings};
use crate::io::snapshot::read_with_faults;
use crate::io::snapshot_write::SnapshotWriter;
use crate::io::table_write::{TableFormat, write_file};
use crate::synth::{Accounts, Market, MarketOptions, Options, rulebook};

/// A directory with one Parquet file of text per `(table, CSV)`.
fn directory(tables: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (table, csv) in tables {
        let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().expect("a header");
        let rows: Vec<Vec<&str>> = lines.collect();
        let cell = |row: &Vec<&str>, at: usize| Some(row[at].to_string()).filter(|text| !text.is_empty());
        let column = |at: usize| Arc::new(StringArray::from_iter(rows.iter().map(|row| cell(row, at)))) as ArrayRef;
        let columns = header.iter().enumerate().map(|(at, name)| (*name, column(at), true)).collect();
        write_file(&dir.path().join(format!("{table}.parquet")), columns).expect("written");
    }
    dir
}

const MARKET: [(&str, &str); 3] = [
    ("assets", "asset,price\nBTC,50000\nUSDT,0.999"),
    ("underlyings", "underlying,index_price\nBTC,50000"),
    (
        "instruments",
        "instrument,kind,underlying,payoff,settlement_asset,mark_price\nBTCUSDT,perpetual,BTC,,USDT,50010\n\
         BTCUSD,perpetual,BTC,inverse,,50020",
    ),
];

fn open(dir: &Path) -> SegmentedSnapshot {
    SegmentedSnapshot::open(dir).expect("a directory").unwrap_or_else(|reason| panic!("{reason}"))
}

fn reason(tables: &[(&str, &str)]) -> String {
    let dir = directory(&[&MARKET, tables].concat());
    SegmentedSnapshot::open(dir.path()).expect("a directory").err().expect("no segments")
}

/// The parts of a pool that a sweep reads.
fn parts(pool: Pool<'_>) -> String {
    let Pool { account, pool, balances, positions, settings, unknown } = pool;
    format!("{account}/{pool} {balances:?} {positions:?} {settings:?} {unknown}")
}

#[test]
fn segments_are_the_book_in_any_size() {
    let market = Market::built_in(&MarketOptions::default()).expect("a market");
    let rules = rulebook(&market);
    let options = Options { accounts: 300, seed: 5, near_threshold_share: 0.0 };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let dir = dir.path().join("snapshot");
    let mut writer =
        SnapshotWriter::create(&dir, TableFormat::Parquet, &market.snapshot(Book::default())).expect("a writer");
    for (at, pool) in Accounts::new(&market, &rules, options).expect("accounts").iter().enumerate() {
        writer.write_pool(&pool.account, &pool.pool, &pool.balances, &pool.positions).expect("written");
        if at % 7 == 0 {
            let order = Order { instrument: at as u32 % 3, quantity: -1.0, price: 5.0, reduces_only: at % 2 == 0 };
            let orders = vec![order.clone(), Order { price: 4.0, ..order }];
            let settings = PoolSettings { im_multiplier: 1.5, mode: Mode::Portfolio, orders, ..Default::default() };
            writer.write_settings(&pool.account, &pool.pool, &settings).expect("written");
        }
    }
    // A pool without holdings at the very end.
    writer.write_settings("z", "empty", &PoolSettings::default()).expect("written");
    writer.finish().expect("published");

    let whole = read_with_faults(&dir).expect("read");
    let book = &whole.snapshot.book;
    let expected: Vec<String> = book.pools().map(parts).collect();
    let segmented = open(&dir);
    assert_eq!(segmented.pool_count(), book.len());
    assert_eq!(segmented.position_count(), book.position_count() as u64);
    assert_eq!(segmented.balance_count(), book.balance_count() as u64);
    assert!(segmented.has_portfolio_pools() && !segmented.has_faults());
    for pools in [1, 7, 100, 10_000] {
        let (mut found, mut sizes) = (Vec::new(), Vec::new());
        let loaded = segmented.read(pools, |book| {
            found.extend(book.pools().map(parts));
            sizes.push(book.len());
            true
        });
        let loaded = loaded.expect("read");
        assert_eq!((loaded.fault_count, &loaded.counts), (0, &whole.counts));
        assert_eq!(found, expected, "segments of {pools}");
        let (_, others) = sizes.split_last().expect("a segment");
        assert!(others.iter().all(|size| *size == pools));
    }
    let held = |book: &Book| {
        let mut sides: Vec<_> = book.positions().iter().map(|p| (p.instrument, p.quantity < 0.0)).collect();
        let mut assets: Vec<_> = book.balances().iter().map(|balance| balance.asset).collect();
        let mut orders: Vec<_> = book.settings().flat_map(|of| &of.orders).map(|order| order.instrument).collect();
        sides.sort_unstable();
        sides.dedup();
        assets.sort_unstable();
        assets.dedup();
        orders.sort_unstable();
        (sides, assets, orders)
    };
    assert_eq!(held(&segmented.sketch().book), held(book));

    let mut taken = 0;
    let stopped = segmented.read(10, |_| {
        taken += 1;
        taken < 3
    });
    assert!(stopped.is_ok() && taken == 3, "a reader that has enough gets no more");
}

#[test]
fn faults_are_those_of_the_whole_book() {
    let tables = [
        (
            "balances",
            "account,pool,asset,network,amount\na,,USDT,,1000\na,,USDT,,1\na,,USDT,n,1\nb,,XYZ,,5\n,,USDT,,1\nc,x,USDT,,abc",
        ),
        (
            "positions",
            "account,pool,instrument,quantity,side\na,,BTCUSDT,1,\na,iso,BTCUSDT,1,\na,,BTCUSDT,2,\na,iso,BTCUSD,1,\n\
             b,,BTCUSDT,-1,long\nb,,BTCUSDT,-1,short\nb,,BTCUSDT,-2,short\nd,,BTCUSD,nan,\nd,\u{1},BTCUSD,1,",
        ),
        ("pools", "account,pool,mode\na,iso,isolated\na,,\na,iso,cross\nb,,sideways\nd, d,cross\ne,,"),
        ("orders", "account,instrument,side,quantity,price\na,BTCUSDT,buy,1,2\na,BTCUSDT,hold,1,2\nb,NOPE,buy,0,2"),
    ];
    let market = [
        MARKET[0],
        MARKET[1],
        (
            "instruments",
            "instrument,kind,underlying,payoff,settlement_asset,mark_price\nBTCUSDT,perpetual,BTC,,USDT,50010\nBTCUSD,perpetual,BTC,inverse,,-1",
        ),
    ];
    for market in [MARKET, market] {
        let dir = directory(&[&market[..], &tables].concat());
        let whole = read_with_faults(dir.path()).expect("read");
        assert!(whole.fault_count > 10, "{:?}", whole.faults);
        for pools in [1, 3, 100] {
            let mut segments = 0;
            let loaded = open(dir.path()).read(pools, |_| {
                segments += 1;
                true
            });
            let loaded = loaded.expect("read");
            assert_eq!(loaded.faults, whole.faults);
            assert_eq!((loaded.fault_count, loaded.table_faults), (whole.fault_count, whole.table_faults));
            assert_eq!(loaded.counts, whole.counts);
            assert!(segments <= 3, "none follows a refused row");
        }
    }
}

#[test]
fn a_book_that_cannot_be_cut_says_why() {
    let balances = ("balances", "account,asset,amount\na,USDT,1\nb,USDT,1");
    let positions = ("positions", "account,instrument,quantity\na,BTCUSDT,1\nb,BTCUSDT,1");
    assert!(
        SegmentedSnapshot::open(directory(&[&MARKET[..], &[balances, positions]].concat()).path())
            .is_ok_and(|read| read.is_ok())
    );
    let unsorted = ("positions", "account,instrument,quantity\nb,BTCUSDT,1\na,BTCUSDT,1");
    assert_eq!(reason(&[balances, unsorted]), "positions is not sorted by account");
    assert_eq!(reason(&[balances]), "positions is missing");
    let locked = ("balances", "account,asset,amount,lock\na,USDT,1,x");
    assert_eq!(reason(&[locked, positions]), "balances has the column lock");
    let route = ("routes", "route,finality_seconds,message_seconds\nr,1,1");
    assert_eq!(reason(&[balances, positions, route]), "the snapshot has routes");
    let dir = directory(&[&MARKET[..], &[balances]].concat());
    fs::write(dir.path().join("positions.csv"), "account,instrument,quantity\na,BTCUSDT,1\n").expect("a file");
    let read = SegmentedSnapshot::open(dir.path()).expect("a directory");
    assert_eq!(read.err().expect("no segments"), "positions is no Parquet file");
    assert!(SegmentedSnapshot::open(Path::new("/does/not/exist")).is_err());
}
