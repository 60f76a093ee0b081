//! A small exchange, an account of it, and the document of that.

use plimsoll::domain::{
    Asset, Balance, BookBuilder, Instrument, Kind, Mode, Order, Payoff, Position, Premium, Right, Side, Snapshot,
    Underlying,
};
use plimsoll::portable::{
    Algorithm, Assessment, AssetMap, Decimal, Document, FileDigest, Finality, Greeks, Issue, MarginAccount, Risk, Role,
    SecretKey, Worst, export,
};

/// A moment at which the example is valid.
pub fn noon() -> jiff::Timestamp {
    moment("2026-03-02T12:00:00Z")
}

pub fn moment(text: &str) -> jiff::Timestamp {
    text.parse().expect("a moment")
}

/// Assets BTC 0, ETH 1, USD 2; instruments B-PERP 0, B-QUANTO 1, E-CALL 2, E-FUTURE 3, E-INVERSE 4.
pub fn market() -> Snapshot {
    let expiry = Some(moment("2026-06-26T08:00:00Z"));
    let instrument = |name: &str, underlying, mark| Instrument::perpetual(name, underlying, 2, mark);
    Snapshot {
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        as_of: Some(moment("2026-03-01T00:00:00Z")),
        quote: "USD".into(),
        assets: vec![
            Asset { network: Some("bip122:000000000019d6689c085ae165831e93".into()), ..Asset::new("BTC", 60_000.0) },
            Asset::new("ETH", 3_000.0),
            Asset::new("USD", 1.0),
        ],
        underlyings: vec![Underlying::new("BTC", 60_000.0), Underlying::new("ETH", 3_000.0)],
        instruments: vec![
            instrument("B-PERP", 0, 60_010.5),
            Instrument { payoff: Payoff::Quanto, fixed_rate: 0.01, ..instrument("B-QUANTO", 0, 60_020.0) },
            Instrument {
                kind: Kind::Option,
                strike: Some(3_200.0),
                right: Some(Right::Call),
                implied_volatility: Some(0.65),
                premium: Premium::Margined,
                expiry,
                ..instrument("E-CALL", 1, 210.25)
            },
            Instrument { kind: Kind::Future, expiry, contract_size: 0.1, ..instrument("E-FUTURE", 1, 3_050.0) },
            Instrument {
                payoff: Payoff::Inverse,
                settlement_asset: 1,
                contract_size: 10.0,
                ..instrument("E-INVERSE", 1, 3_001.0)
            },
        ],
        book: BookBuilder::default().build(),
    }
}

/// The market with one pool: lots, a loan, positions of every kind, an order, settings.
pub fn snapshot() -> Snapshot {
    let mut builder = BookBuilder::default();
    let id = builder.pool("alice", "main");
    for balance in [
        Balance::new(0, 2.5),
        Balance::new(0, 0.1),
        Balance { accrued_interest: -0.001, ..Balance::new(1, -10.25) },
        Balance::new(2, 150_000.01),
    ] {
        builder.add_balance(id, balance);
    }
    for position in [
        Position { leverage: Some(10.0), side: Side::Long, ..Position::new(0, 3.0, 58_000.1) },
        Position { accrued_funding: -0.3, side: Side::Short, ..Position::new(0, -1.0 / 3.0, 61_000.0) },
        Position::new(1, 7.0, 59_999.0),
        Position::new(2, -20.0, 0.0),
        Position::new(3, 100.0, 3_040.0),
        Position { accrued_funding: 1e-8, ..Position::new(4, -500.0, 2_990.5) },
    ] {
        builder.add_position(id, position);
    }
    let settings = builder.settings(id);
    settings.mode = Mode::Portfolio;
    settings.im_multiplier = 1.25;
    settings.open_order_margin = 12.5;
    settings.orders.push(Order { instrument: 0, quantity: -2.0, price: 65_000.0, reduces_only: true });
    market().with_book(builder.build())
}

pub fn decimal(value: f64) -> Decimal {
    Decimal::of("example", value).expect("finite")
}

/// Figures of no engine, so that the golden file depends on none.
pub fn assessment() -> Assessment {
    let names = ["charm", "delta", "gamma", "rho", "theta", "vanna", "vega", "volga"];
    let values = names.into_iter().zip(1..).map(|(name, at)| (name.to_string(), decimal(f64::from(at) / 8.0)));
    Assessment {
        risk: Risk {
            rulebook: vec![FileDigest { file: "rulebook.toml".into(), blake3: "ab".repeat(32) }],
            scenarios: Some(FileDigest { file: "set.csv".into(), blake3: "cd".repeat(32) }),
            state: "healthy".into(),
            equity: decimal(270_000.5),
            adjusted_equity: decimal(255_000.5),
            initial_margin: decimal(40_000.0),
            maintenance_margin: decimal(20_000.0),
            worst: Some(Worst {
                scenario: "crash".into(),
                state: "liquidatable".into(),
                equity: decimal(15_000.0),
                adjusted_equity: decimal(-1.5),
                initial_margin: decimal(30_000.0),
                maintenance_margin: decimal(15_000.25),
            }),
            greeks: vec![Greeks { underlying: "ETH".into(), values: values.collect() }],
        },
        haircuts: [("BTC".to_string(), decimal(0.05))].into(),
    }
}

pub fn assets() -> AssetMap {
    let map = [("BTC", "bip122:000000000019d6689c085ae165831e93/slip44:0"), ("ETH", "eip155:1/slip44:60")];
    AssetMap::new(map.map(|(name, id)| (name.to_string(), id.to_string())).into()).expect("a map")
}

pub fn issue(nonce: u64, assets: &AssetMap) -> Issue<'_> {
    Issue {
        venue: "north",
        network: Some("eip155:1"),
        block: Some(19_000_000),
        finality: Finality::Finalized,
        nonce,
        not_before: moment("2026-03-01T00:00:00Z"),
        expires: moment("2026-03-09T00:00:00Z"),
        assets,
    }
}

pub fn account_of(snapshot: &Snapshot, nonce: u64, assets: &AssetMap) -> MarginAccount {
    export(snapshot, 0, &issue(nonce, assets), assessment()).expect("an account")
}

/// The account of the example.
pub fn account() -> MarginAccount {
    account_of(&snapshot(), 7, &assets())
}

/// A key of an algorithm, the same each time.
pub fn key(algorithm: Algorithm) -> SecretKey {
    SecretKey::new([0x42; 32], algorithm).expect("a key")
}

/// The example, signed by its owner (EIP-712) and its venue (Ed25519).
pub fn document() -> Document {
    let document = Document::new(&account()).expect("a document");
    let document = document.signed(Role::Owner, &key(Algorithm::Eip712)).expect("signed");
    document.signed(Role::SourceVenue, &key(Algorithm::Ed25519)).expect("signed")
}

/// That a result is a refusal that says `reason`.
#[track_caller]
pub fn assert_refused<T>(what: &str, result: Result<T, plimsoll::Error>, reason: &str) {
    let error = result.err().unwrap_or_else(|| panic!("{what}: accepted"));
    assert_eq!(error.exit_code(), 3, "{what}: {error}");
    assert!(error.to_string().contains(reason), "{what}: {reason:?} is not in {error}");
}
