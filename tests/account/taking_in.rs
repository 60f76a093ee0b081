//! What a venue takes in, and what it refuses: by its book, and by its register.

use plimsoll::domain::{Book, BookBuilder};
use plimsoll::portable::{Document, MarginAccount, Register, import};

use super::example::{account, account_of, assert_refused, assets, market, snapshot};

/// The example's document after a change, with a hash of its own.
fn changed(change: impl Fn(&mut MarginAccount)) -> MarginAccount {
    let mut account = account();
    change(&mut account);
    Document::new(&account).expect("a document").account().clone()
}

fn decimal(text: &str) -> plimsoll::portable::Decimal {
    serde_json::from_value(text.into()).expect("a decimal")
}

#[test]
fn what_does_not_fit_the_book_is_refused_by_name() {
    let cases: [(&str, MarginAccount, &str); 6] = [
        ("instrument", changed(|a| a.positions[2].instrument.name = "B-SWAP".into()), "no instrument of this book"),
        (
            "terms",
            changed(|a| a.positions[3].instrument.strike = Some(decimal("3300"))),
            "other terms here: strike \"3300\" is \"3200\" here",
        ),
        ("asset", changed(|a| a.collateral[2].asset = "eip155:10/slip44:60".into()), "no asset of this book has this"),
        ("private", changed(|a| a.collateral[0].asset = "plimsoll:asset/BTC".into()), "no asset of this book has this"),
        (
            "more digits than an f64 holds",
            changed(|a| a.collateral[0].quantity = decimal("1.000000000000000001")),
            "taking it in would round it",
        ),
        ("quote", changed(|a| a.account.quote = "plimsoll:asset/EUR".into()), "in another currency than this book's"),
    ];
    for (what, account, reason) in cases {
        assert_refused(what, import(&account, &market(), &assets()), reason);
    }
    assert_refused("clash", import(&account(), &snapshot(), &assets()), "the book has a pool of this name");
}

#[test]
fn other_pools_stay_as_they_are() {
    let mut builder = BookBuilder::default();
    let id = builder.pool("bob", "main");
    builder.add_position(id, plimsoll::domain::Position::new(2, 1.5, 200.0));
    builder.settings(id).mm_multiplier = 2.0;
    let before = market().with_book(builder.build());
    let after = import(&account(), &before, &assets()).expect("taken in");
    let pools = |book: &Book| book.pools().map(|pool| pool.account.to_string()).collect::<Vec<_>>();
    assert_eq!(pools(&after.book), ["alice", "bob"]);
    let (old, new) = (before.book.pool(0), after.book.pool(1));
    assert_eq!((old.positions, old.settings), (new.positions, new.settings));
}

#[test]
fn a_nonce_is_taken_in_once_and_gaps_are_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("register.json");
    let with_nonce = |nonce| account_of(&snapshot(), nonce, &assets());
    let mut register = Register::open(&path).expect("a register");
    let first = register.admit(&with_nonce(7)).expect("the first");
    assert_eq!((first.last, first.skipped), (None, 0));
    register.save().expect("written");
    let held = Register::open(&path).expect_err("it is held");
    assert!(held.to_string().contains("another import holds it"), "{held}");
    drop(register);

    let mut register = Register::open(&path).expect("a register");
    assert_refused("replayed", register.admit(&with_nonce(7)), "a nonce rises: 7 was taken in before");
    assert_refused("older", register.admit(&with_nonce(6)), "a nonce rises: 7 was taken in before");
    let next = register.admit(&with_nonce(10)).expect("a later one");
    assert_eq!((next.last, next.skipped), (Some(7), 2));
    let mut elsewhere = with_nonce(1);
    elsewhere.account.pool = "other".into();
    register.admit(&elsewhere).expect("nonces are of a pool");
    let last = register.admit(&with_nonce(u64::MAX)).expect("the last");
    assert_eq!(last.skipped, u64::MAX - 11);
}

#[test]
fn a_locked_lot_is_credited_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("register.json");
    let locked = |nonce: u64| {
        changed(|account| {
            account.account.nonce = nonce.to_string();
            account.collateral[0].lock = Some("L1".into());
        })
    };
    let mut register = Register::open(&path).expect("a register");
    register.admit(&locked(1)).expect("the first");
    register.save().expect("written");
    drop(register);
    let mut register = Register::open(&path).expect("a register");
    assert_refused("again", register.admit(&locked(2)), "a locked lot is credited once");
}

#[test]
fn a_file_that_is_no_register_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("register.json");
    let entry = r#"{"venue":"a","account":"b","pool":"c","nonce":"1"}"#;
    let texts = [
        "".to_string(),
        "[]".into(),
        r#"{"name":"x","version":"1","nonces":[],"locks":[]}"#.into(),
        r#"{"name":"plimsoll.nonce-register","version":"2","nonces":[],"locks":[]}"#.into(),
        format!(r#"{{"name":"plimsoll.nonce-register","version":"1","nonces":[{entry},{entry}],"locks":[]}}"#),
        format!(
            r#"{{"name":"plimsoll.nonce-register","version":"1","nonces":[{}],"locks":[]}}"#,
            entry.replace("1", "x")
        ),
    ];
    for text in texts {
        std::fs::write(&path, &text).expect("written");
        let error = Register::open(&path).expect_err(&text);
        assert_eq!(error.exit_code(), 2, "{error}");
    }
}
