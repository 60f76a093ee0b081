//! Snapshots survive being written and read back, in every format; half-written ones never appear.

use plimsoll::domain::{
    Asset, Balance, BookBuilder, Instrument, Kind, Mode, Order, Payoff, Pool, PoolSettings, Position, Premium, Right,
    Side, Snapshot, Underlying, VolatilityShock,
};
use plimsoll::io::snapshot_write::{self, SnapshotWriter};
use plimsoll::io::{TableFormat, snapshot};
use proptest::prelude::*;

fn asset(name: &str, price: f64) -> Asset {
    Asset { name: name.into(), price, underlying: name.into(), haircut_class: None, network: None, custody: None }
}

fn perpetual(name: &str, payoff: Payoff, settlement_asset: u32, mark_price: f64) -> Instrument {
    Instrument {
        name: name.into(),
        kind: Kind::Perpetual,
        underlying: 0,
        payoff,
        settlement_asset,
        contract_size: 0.001,
        mark_price,
        strike: None,
        expiry: None,
        right: None,
        implied_volatility: None,
        forward_price: None,
        rate: 0.0,
        price_asset: if payoff == Payoff::Linear { settlement_asset } else { 1 },
        premium: Premium::Paid,
        fixed_rate: if payoff == Payoff::Quanto { 0.0001 } else { 1.0 },
        margin_class: "class, \"quoted\"".into(),
        confidence: 0.875,
    }
}

/// A market with one instrument of every kind and payoff, and no book.
fn market() -> Snapshot {
    let expiry = Some("2026-12-25T08:00:00.5Z".parse().expect("a moment"));
    let future = Instrument { kind: Kind::Future, expiry, ..perpetual("BTC-DEC", Payoff::Linear, 2, 51_234.5) };
    let option = Instrument {
        kind: Kind::Option,
        expiry,
        strike: Some(60_000.0),
        right: Some(Right::Put),
        implied_volatility: Some(0.65),
        forward_price: Some(51_300.25),
        rate: -0.01,
        premium: Premium::Paid,
        ..perpetual("BTC-DEC-60000-P", Payoff::Inverse, 0, 0.2)
    };
    Snapshot {
        as_of: Some("2026-06-26T08:00:00Z".parse().expect("a moment")),
        quote: "USD".into(),
        assets: vec![
            Asset { haircut_class: Some("coin".into()), network: Some("bitcoin".into()), ..asset("BTC", 50_000.125) },
            asset("USD", 1.0),
            asset("USDT", 0.1 + 0.2),
        ],
        underlyings: vec![Underlying {
            name: "BTC".into(),
            index_price: 50_000.0,
            factor: "BTC".into(),
            beta: 1.25,
            volatility_index: Some(0.6),
            depth_quote: None,
            adv_quote: Some(1e9),
            open_interest_quote: None,
            confidence: 0.625,
            volatility_shock: VolatilityShock {
                power_up: 0.3,
                power_down: 0.13,
                minimum: 0.05,
                ..VolatilityShock::default()
            },
        }],
        instruments: vec![
            future,
            option,
            perpetual("BTCQUANTO", Payoff::Quanto, 2, 50_010.0),
            perpetual("BTCUSD", Payoff::Inverse, 0, 50_020.0),
            perpetual("BTCUSDT", Payoff::Linear, 2, 1.0 / 3.0),
        ],
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: Default::default(),
    }
}

fn amount() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), -1e6..1e6f64, -1e29..1e29f64, (1u64..1 << 50).prop_map(|bits| bits as f64 * 2f64.powi(-60))]
}

prop_compose! {
    fn position(instrument: u32)(
        size in amount(),
        entry_price in 1e-9..1e9f64,
        leverage in proptest::option::of(1.0..125.0f64),
        accrued_funding in amount(),
        hedged in any::<bool>(),
    ) -> Vec<Position> {
        let one = Position { instrument, quantity: size, entry_price, leverage, accrued_funding, side: Side::Net };
        if hedged {
            let long = Position { quantity: size.abs(), side: Side::Long, ..one };
            vec![long, Position { quantity: 0.0 - size.abs(), side: Side::Short, ..one }]
        } else {
            vec![one]
        }
    }
}

type Holdings = (String, String, Vec<Balance>, Vec<Position>, Option<PoolSettings>);

fn pool() -> impl Strategy<Value = Holdings> {
    let balance = (0u32..3, amount(), amount())
        .prop_map(|(asset, amount, accrued_interest)| Balance { accrued_interest, ..Balance::new(asset, amount) });
    let positions = proptest::sample::subsequence(vec![0u32, 2, 3, 4], 0..=4)
        .prop_flat_map(|instruments| instruments.into_iter().map(position).collect::<Vec<_>>())
        .prop_map(|legs| legs.into_iter().flatten().collect());
    let order = (0u32..5, prop_oneof![-9.0..-1.0f64, 1.0..9.0f64], 1.0..9.0f64, any::<bool>())
        .prop_map(|(instrument, quantity, price, reduces_only)| Order { instrument, quantity, price, reduces_only });
    let mode = prop::sample::select(vec![Mode::Cross, Mode::Portfolio]);
    let settings = (mode, 0.5..2.0f64, 0.5..2.0f64, 0.0..9.0f64, prop::collection::vec(order, 0..3)).prop_map(
        |(mode, im_multiplier, mm_multiplier, open_order_margin, orders)| PoolSettings {
            mode,
            im_multiplier,
            mm_multiplier,
            open_order_margin,
            orders,
        },
    );
    let name = "[a-zA-Z0-9éß,\"' -]{0,6}[a-z]";
    (name, name, prop::collection::vec(balance, 0..4), positions, proptest::option::of(settings)).prop_map(
        |(account, pool, balances, positions, settings)| {
            (account.trim().into(), pool.trim().into(), balances, positions, settings)
        },
    )
}

fn snapshot_of(pools: Vec<Holdings>) -> Snapshot {
    let mut builder = BookBuilder::default();
    let mut seen = std::collections::HashSet::new();
    for (account, pool, balances, positions, settings) in pools {
        if !seen.insert((account.clone(), pool.clone())) {
            continue;
        }
        let id = builder.pool(&account, &pool);
        balances.into_iter().for_each(|balance| builder.add_balance(id, balance));
        positions.into_iter().for_each(|position| builder.add_position(id, position));
        if let Some(settings) = settings {
            *builder.settings(id) = settings;
        }
    }
    Snapshot { book: builder.build(), ..market() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn every_format_reads_back_equal(pools in prop::collection::vec(pool(), 0..12)) {
        let written = snapshot_of(pools);
        let dir = tempfile::tempdir().expect("a temporary directory");
        for format in TableFormat::ALL {
            let target = dir.path().join(format.extension());
            snapshot_write::write(&target, format, &written).expect("a written snapshot");
            let read = snapshot::read(&target).expect("its own output");
            prop_assert_eq!(&read.instruments, &written.instruments);
            // Networks that tell lots apart are made up where there are none.
            let pools = |snapshot: &Snapshot| -> Vec<String> {
                let untold = |pool: Pool<'_>| -> Vec<Balance> {
                    pool.balances.iter().map(|balance| Balance { lot: 0, ..*balance }).collect()
                };
                let shown = |pool: Pool<'_>| format!("{:?}", Pool { balances: &untold(pool), ..pool });
                snapshot.book.pools().map(shown).collect()
            };
            prop_assert_eq!(pools(&read), pools(&written));
            prop_assert_eq!((&read.assets, &read.underlyings), (&written.assets, &written.underlyings));
            prop_assert_eq!((read.as_of, &read.quote), (written.as_of, &written.quote));
        }
    }
}

#[test]
fn an_unfinished_snapshot_never_appears() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let target = dir.path().join("book");
    let mut writer = SnapshotWriter::create(&target, TableFormat::Parquet, &market()).expect("a writer");
    let balance = Balance::new(1, 1.0);
    writer.write_pool("a", "main", &[balance], &[]).expect("a written pool");
    drop(writer);
    assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 0, "nothing is left behind");
}

#[test]
fn a_directory_in_use_is_left_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("mine"), "x").expect("a file");
    let refused = snapshot_write::write(dir.path(), TableFormat::Csv, &market()).expect_err("not empty");
    assert_eq!(refused.exit_code(), 2);
    assert!(dir.path().join("mine").exists());
}
