use std::fs;

use super::*;
use crate::domain::{Payoff, Side};

/// A snapshot directory with one file per `(name, content)`.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, content) in files {
        fs::write(dir.path().join(name), content).expect("a writable file");
    }
    dir
}

const ASSETS: (&str, &str) = ("assets.csv", "asset,price\nBTC,50000\nUSDT,0.999\n");
const UNDERLYINGS: (&str, &str) = ("underlyings.csv", "underlying,index_price\nBTC,50000\n");
const INSTRUMENTS: (&str, &str) = (
    "instruments.csv",
    "instrument,kind,underlying,payoff,settlement_asset,mark_price\nBTCUSDT,perpetual,BTC,,USDT,50010\nBTCUSD,perpetual,BTC,inverse,,50020\n",
);

#[test]
fn defaults_are_those_of_the_format() {
    let dir = directory(&[
        ASSETS,
        UNDERLYINGS,
        INSTRUMENTS,
        ("balances.csv", "account,asset,amount\n7,USDT,10\n"),
        ("positions.csv", "account,pool,instrument,quantity,side\nb,hedge,BTCUSDT,-1,short\nb,hedge,BTCUSDT,2,long\n"),
    ]);
    let snapshot = read(dir.path()).expect("a valid snapshot");
    assert_eq!(snapshot.quote, "USD");
    assert_eq!(snapshot.assets.iter().map(|asset| asset.name.as_str()).collect::<Vec<_>>(), ["BTC", "USD", "USDT"]);
    let [inverse, linear] = snapshot.instruments.as_slice() else { panic!("two instruments") };
    assert_eq!((inverse.payoff, inverse.settlement_asset, inverse.price_asset), (Payoff::Inverse, 0, 1));
    assert_eq!((linear.payoff, linear.settlement_asset, linear.price_asset), (Payoff::Linear, 2, 2));
    assert_eq!((linear.margin_class.as_str(), linear.contract_size, linear.rate), ("BTCUSDT", 1.0, 0.0));
    let pools: Vec<_> = snapshot.book.pools().map(|pool| (pool.account, pool.pool)).collect();
    assert_eq!(pools, [("7", "main"), ("b", "hedge")]);
    let legs = snapshot.book.pool(1).positions;
    assert_eq!((legs[0].side, legs[0].entry_price, legs[1].side), (Side::Long, 50010.0, Side::Short));
}

#[test]
fn all_faults_of_all_tables_come_at_once_and_rows_add_up() {
    let dir = directory(&[
        ASSETS,
        UNDERLYINGS,
        INSTRUMENTS,
        ("balances.csv", "account,asset,amount,locked\na,USDT,10,11\na,USTD,10,\nb,BTC,NaN,\n,BTC,1,\nc,BTC,1\n"),
        ("positions.csv", "account,instrument,quantity\nd,BTCUSDT,1\ne,BTCUSDT,1\nd,BTCUSDT,3\n"),
        ("pools.csv", "account,mode\nd,portfoilo\nf,cross\n"),
    ]);
    let loaded = read_with_faults(dir.path()).expect("a readable directory");
    let lines: Vec<String> = loaded.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "balances row 1 column locked value \"11\": locked is at most the amount, 10 (correct one of them)",
            "balances row 2 column asset value \"USTD\": no such name in assets (did you mean \"USDT\"?)",
            "balances row 3 column amount value \"NaN\": a number is finite (correct it, or leave the cell empty if it is optional)",
            "balances row 4 column account: a required value is missing (fill the cell in)",
            "balances row 5: a row has as many fields as the header: 4, not 3 (check separators, quotes and decimal commas)",
            "pools row 1 column mode value \"portfoilo\": one of cross, isolated, portfolio (did you mean \"portfolio\"?)",
            "positions row 3 column instrument value \"BTCUSDT\": one row for each instrument and side of a pool; row 1 is the first (net the rows, or tell hedge-mode legs apart by side)",
        ]
    );
    for counts in loaded.counts.values() {
        assert_eq!(counts.read, counts.used + counts.refused);
    }
    assert_eq!(loaded.counts["balances"], RowCounts { read: 5, used: 0, refused: 5 });
    assert_eq!(loaded.counts["positions"], RowCounts { read: 3, used: 2, refused: 1 });
    assert_eq!(loaded.warnings.len(), 1, "two rows name no pool");
    let snapshot = loaded.into_quarantined().expect("only rows are at fault");
    let unknown: Vec<_> = snapshot.book.pools().map(|pool| (pool.account, pool.unknown)).collect();
    assert_eq!(unknown, [("a", true), ("b", true), ("d", true), ("e", false), ("f", false)]);
    assert_eq!(snapshot.book.pool(2).positions[0].quantity, 1.0, "the first of repeated rows stays");
}

#[test]
fn a_refused_market_row_makes_its_holders_unknown() {
    let dir = directory(&[
        ("assets.csv", "asset,price\nBTC,inf\n"),
        UNDERLYINGS,
        ("instruments.csv", "instrument,kind,underlying,mark_price\nX,perpetual,BTC,1\n"),
        ("balances.csv", "account,asset,amount\na,BTC,1\nb,USD,1\n"),
        ("positions.csv", "account,instrument,quantity\n"),
    ]);
    let loaded = read_with_faults(dir.path()).expect("a readable directory");
    assert!(loaded.faults[1].rule.contains("refers to a row of assets that was refused"), "{:?}", loaded.faults);
    let snapshot = loaded.into_quarantined().expect("only rows are at fault");
    assert!(snapshot.book.pool(0).unknown && !snapshot.book.pool(1).unknown);
}

#[test]
fn a_fault_of_a_whole_table_cannot_be_quarantined() {
    let dir = directory(&[ASSETS, UNDERLYINGS, INSTRUMENTS, ("balances.csv", "account,asset,amount\n")]);
    let loaded = read_with_faults(dir.path()).expect("a readable directory");
    assert_eq!(loaded.table_faults, 1);
    assert!(matches!(loaded.into_quarantined(), Err(Error::Refused(_))));
}

#[test]
fn isolated_pools_hold_one_instrument() {
    let dir = directory(&[
        ASSETS,
        UNDERLYINGS,
        INSTRUMENTS,
        ("balances.csv", "account,asset,amount\n"),
        ("positions.csv", "account,pool,instrument,quantity\na,1,BTCUSDT,1\na,1,BTCUSD,1\na,2,BTCUSD,1\n"),
        ("pools.csv", "account,pool,mode\na,1,isolated\na,2,isolated\na,3,isolated\n"),
    ]);
    let loaded = read_with_faults(dir.path()).expect("a readable directory");
    assert_eq!(loaded.faults.len(), 1, "{:?}", loaded.faults);
    assert_eq!((loaded.faults[0].row, loaded.counts["pools"].refused), (Some(1), 1));
}

#[test]
fn a_misspelled_table_name_is_a_warning() {
    let dir = directory(&[
        ASSETS,
        UNDERLYINGS,
        INSTRUMENTS,
        ("balances.csv", "account,asset,amount\n"),
        ("positions.csv", "account,instrument,quantity\n"),
        ("Orders.csv", ""),
        ("notes.txt", ""),
    ]);
    let loaded = read_with_faults(dir.path()).expect("a readable directory");
    assert_eq!(loaded.warnings, ["\"Orders.csv\" was not read: did you mean \"orders\"?"]);
    assert_eq!(loaded.fault_count, 0);
}

#[test]
fn a_market_is_read_without_its_book() {
    let dir = directory(&[ASSETS, UNDERLYINGS, INSTRUMENTS, ("positions.csv", "account,nonsense\n")]);
    let market = read_market(dir.path()).expect("a valid market");
    assert_eq!((market.book.len(), market.instruments.len(), market.underlyings.len()), (0, 2, 1));
    assert!(read(dir.path()).is_err());
    let dir = directory(&[ASSETS, UNDERLYINGS, ("instruments.csv", "instrument\nX\n")]);
    assert!(matches!(read_market(dir.path()), Err(Error::Refused(_))));
    assert!(matches!(read_market(&dir.path().join("assets.csv")), Err(Error::Usage(_))));
}
