//! Lots that stand on routes: as documents say them, as a book takes them in, and what it refuses.

use plimsoll::domain::{Asset, Balance, BookBuilder, CustodyStatus, Latency, Position, Route, Snapshot};
use plimsoll::portable::{Custody, Document, MarginAccount, Register, Status, export, import};

use super::example::{account_of, assert_refused, assessment, assets, issue, market};

/// The example's market with routes `canal` and `river`; ETH is of a haircut class.
fn with_routes() -> Snapshot {
    let mut market = market();
    let latency = Latency::typical(60.0);
    let route =
        |name: &str, from: &str| Route { from_network: Some(from.into()), ..Route::new(name, latency, latency) };
    market.routes = vec![route("canal", "eip155:10"), route("river", "eip155:42161")];
    market.assets[1].haircut_class = Some("major".into());
    market
}

/// One of its assets on a route.
fn standing(market: &Snapshot, asset: usize, route: usize, status: CustodyStatus) -> Asset {
    let route = &market.routes[route];
    market.assets[asset].on_route(&route.name, status, route.from_network.as_deref())
}

/// Inserts assets between ETH and USD.
fn insert(market: &mut Snapshot, made: Vec<Asset>) {
    let quote = 2 + made.len() as u32;
    market.assets.splice(2..2, made);
    for instrument in &mut market.instruments {
        for asset in [&mut instrument.settlement_asset, &mut instrument.price_asset] {
            *asset = if *asset == 2 { quote } else { *asset };
        }
    }
}

/// Assets BTC 0, ETH 1, ETH@canal 2, ETH@river 3, ETH@river:transit 4, USD 5; the pool holds ETH settled and on every one of them.
fn routed() -> Snapshot {
    let mut market = with_routes();
    let made = [
        standing(&market, 1, 0, CustodyStatus::Attested),
        standing(&market, 1, 1, CustodyStatus::Attested),
        standing(&market, 1, 1, CustodyStatus::InTransit),
    ];
    insert(&mut market, made.to_vec());
    let mut builder = BookBuilder::default();
    let id = builder.pool("alice", "main");
    for (asset, amount) in [(1, 0.5), (2, 1.0 / 3.0), (3, 7.25), (3, 2.0), (4, 1e-7), (5, -20.0)] {
        builder.add_balance(id, Balance { accrued_interest: amount / 8.0, ..Balance::new(asset, amount) });
    }
    builder.add_position(id, Position::new(4, -500.0, 2_990.5));
    market.with_book(builder.build())
}

fn document(change: impl Fn(&mut MarginAccount)) -> MarginAccount {
    let mut account = account_of(&routed(), 7, &assets());
    change(&mut account);
    Document::new(&account).expect("a document").account().clone()
}

#[test]
fn a_lot_on_a_route_is_a_lot_of_the_settled_asset() {
    let account = document(|_| ());
    let said: Vec<_> = account
        .collateral
        .iter()
        .map(|lot| {
            let custody = lot.custody.as_ref().map(|custody| (custody.network.as_str(), custody.route.as_deref()));
            (lot.asset.as_str(), lot.quantity.as_str(), lot.status, custody, lot.lock.as_deref())
        })
        .collect();
    let ether = "eip155:1/slip44:60";
    let river = Some(("eip155:42161", Some("river")));
    assert_eq!(
        said,
        [
            (ether, "0.5", Status::Settled, None, None),
            (ether, "0.3333333333333333", Status::Attested, Some(("eip155:10", Some("canal"))), None),
            (ether, "2", Status::Attested, river, None),
            (ether, "7.25", Status::Attested, river, None),
            (ether, "0.0000001", Status::InTransit, river, None),
        ]
    );
}

#[test]
fn lots_on_routes_return_bit_for_bit_to_a_book_with_all_some_or_none_of_their_assets() {
    let sent = routed();
    let mut some = with_routes();
    let known = standing(&some, 1, 1, CustodyStatus::Attested);
    insert(&mut some, vec![known]);
    let all = sent.with_book(BookBuilder::default().build());
    for into in [with_routes(), some, all] {
        assert_eq!(import(&document(|_| ()), &into, &assets()).expect("taken in"), sent);
    }
}

#[test]
fn pools_and_instruments_of_the_book_keep_their_assets() {
    let mut before = with_routes();
    let mut builder = BookBuilder::default();
    let id = builder.pool("bob", "main");
    builder.add_balance(id, Balance::new(2, 9.0));
    before = before.with_book(builder.build());
    let after = import(&document(|_| ()), &before, &assets()).expect("taken in");
    let bob = after.book.pools().find(|pool| pool.account == "bob").expect("bob");
    assert_eq!(after.assets[bob.balances[0].asset as usize].name, "USD");
    let settled_in = |snapshot: &Snapshot| -> Vec<String> {
        let assets = snapshot.instruments.iter().flat_map(|i| [i.settlement_asset, i.price_asset]);
        assets.map(|asset| snapshot.assets[asset as usize].name.clone()).collect()
    };
    assert_eq!(settled_in(&after), settled_in(&before));
    assert!(after.assets.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn a_route_that_the_book_lacks_or_knows_otherwise_is_refused_by_name() {
    let custody = |a: &mut MarginAccount, route: Option<&str>, network: &str| {
        a.collateral[1].custody = Some(Custody { network: network.into(), route: route.map(Into::into) });
    };
    let cases = [
        (document(|a| custody(a, Some("rivers"), "eip155:10")), "\"rivers\": no route of this book has this name"),
        (document(|a| custody(a, Some("canal"), "eip155:1")), "the route canal of this book comes from eip155:10"),
    ];
    let mut nameless = account_of(&routed(), 7, &assets());
    custody(&mut nameless, None, "eip155:10");
    assert_refused("no route", Document::new(&nameless), "names its custody.route");
    for (account, reason) in cases {
        assert_refused(reason, import(&account, &with_routes(), &assets()), reason);
    }
    let every = import(&document(|_| ()), &market(), &assets()).expect_err("no routes").to_string();
    assert!(every.contains("canal") && every.contains("river"), "{every}");
    let mut named_alike = with_routes();
    insert(&mut named_alike, vec![Asset::new("ETH@canal", 1.0)]);
    assert_refused("a name", import(&document(|_| ()), &named_alike, &assets()), "another asset of that name");
    let said_settled = document(|a| a.collateral[1].asset = "plimsoll:asset/ETH%40canal".into());
    assert_refused("its own name", import(&said_settled, &routed(), &assets()), "no asset of this book");
}

#[test]
fn a_lot_on_a_route_whose_network_nobody_knows_is_not_exported() {
    let mut market = routed();
    market.assets[2].network = None;
    let issued = export(&market, 0, &issue(1, &assets()), assessment());
    assert_refused("no network", issued, "fill in from_network of the route canal");
}

#[test]
fn a_lock_on_a_route_is_credited_once() {
    let locked = |nonce: u64| {
        document(|a| {
            a.account.nonce = nonce.to_string();
            a.collateral[2].lock = Some("river/0x01".into());
        })
    };
    let dir = tempfile::tempdir().expect("a directory");
    let mut register = Register::open(&dir.path().join("register.json")).expect("a register");
    register.admit(&locked(1)).expect("the first");
    let taken = import(&locked(1), &with_routes(), &assets()).expect("taken in");
    let locks = taken.book.balances().iter().filter_map(|balance| taken.book.lot(balance.lot)?.lock.as_deref());
    assert_eq!(locks.collect::<Vec<_>>(), ["river/0x01"]);
    let mut other = locked(1);
    other.account.pool = "other".into();
    assert_refused("in the book", import(&other, &taken, &assets()), "a lot of this book has this lock");
    assert_refused("again", register.admit(&locked(2)), "a locked lot is credited once");
    let mut twice = locked(1);
    twice.collateral[3].lock = Some("river/0x01".into());
    assert_refused("two lots", Document::new(&twice), "a locked lot stands once");
}
