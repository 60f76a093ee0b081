//! What is exported is what is taken in, bit for bit; both forms hold the same; the golden file stays as it is.

use std::path::{Path, PathBuf};

use plimsoll::domain::{Balance, BookBuilder, Order, Pool, Position, Side, Snapshot};
use plimsoll::portable::{AssetMap, Document, Role, import, json_schema};
use proptest::prelude::*;

use super::example::{account, account_of, assert_refused, assets, document, key, market, snapshot};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/portable").join(name)
}

/// Keccak-256 of the canonical CBOR of the example without hash and signatures; `fixtures/portable/check.py` computes it
/// from the JSON with an encoder and a hash function of its own. `PLIMSOLL_WRITE_GOLDEN=1` writes both files anew.
const GOLDEN_HASH: &str = "0x206297475603a5f1817c86b3ac6d5352e4c45a9588ac0eb11d67024546299749";

#[test]
fn the_golden_file_stays_as_it_is() {
    let document = document();
    if std::env::var_os("PLIMSOLL_WRITE_GOLDEN").is_some() {
        std::fs::write(golden("account.json"), document.to_json()).expect("written");
        std::fs::write(golden("account.cbor"), document.to_cbor().expect("CBOR")).expect("written");
    }
    assert_eq!(document.account().content_hash, GOLDEN_HASH);
    let read = |name: &str| std::fs::read(golden(name)).expect("the golden file");
    assert_eq!(String::from_utf8(read("account.json")).expect("text"), document.to_json());
    assert_eq!(read("account.cbor"), document.to_cbor().expect("CBOR"));
    for name in ["account.json", "account.cbor"] {
        assert_eq!(Document::read(&golden(name)).expect(name), document);
    }
}

/// Everything of a pool that a reader of tables could tell apart.
fn bits(pool: &Pool<'_>) -> Vec<Vec<u64>> {
    let balances = pool.balances.iter().map(|b| vec![b.asset.into(), b.amount.to_bits(), b.accrued_interest.to_bits()]);
    let positions = pool.positions.iter().map(|p| {
        let leverage = p.leverage.map_or(u64::MAX, f64::to_bits);
        let [quantity, entry, funding] = [p.quantity, p.entry_price, p.accrued_funding].map(f64::to_bits);
        vec![p.instrument.into(), quantity, entry, leverage, funding, p.side as u64]
    });
    let orders = pool
        .settings
        .orders
        .iter()
        .map(|o| vec![o.instrument.into(), o.quantity.to_bits(), o.price.to_bits(), o.reduces_only.into()]);
    let settings = pool.settings;
    let factors = [settings.im_multiplier, settings.mm_multiplier, settings.open_order_margin].map(f64::to_bits);
    balances.chain(positions).chain(orders).chain([factors.to_vec(), vec![settings.mode as u64]]).collect()
}

/// Export, CBOR, JSON, CBOR, import: the same pool.
fn assert_round_trip(snapshot: &Snapshot, assets: &AssetMap) {
    let document = Document::new(&account_of(snapshot, 1, assets)).expect("a document");
    let cbor = document.to_cbor().expect("CBOR");
    let from_cbor = Document::parse(&cbor).expect("canonical CBOR");
    let json = from_cbor.to_json();
    let from_json = Document::parse(json.as_bytes()).expect("canonical JSON");
    assert_eq!(from_json, document);
    assert_eq!(from_json.to_cbor().expect("CBOR"), cbor);
    assert_eq!(from_json.to_json(), json);
    let taken_in = import(from_json.account(), &market(), assets).expect("taken in");
    assert_eq!(bits(&taken_in.book.pool(0)), bits(&snapshot.book.pool(0)));
}

#[test]
fn the_example_returns_bit_for_bit_with_and_without_a_map() {
    assert_round_trip(&snapshot(), &assets());
    assert_round_trip(&snapshot(), &AssetMap::default());
    let mut builder = BookBuilder::default();
    builder.pool("nobody", "empty");
    assert_round_trip(&market().with_book(builder.build()), &assets());
}

fn amount() -> impl Strategy<Value = f64> {
    let any = any::<u64>().prop_map(f64::from_bits).prop_filter("an amount", |x| x.abs() <= 1e30);
    prop_oneof![any, -1e6..1e6, (-1000i32..1000).prop_map(|cents| f64::from(cents) / 100.0)].prop_map(|x| x + 0.0)
}

fn price() -> impl Strategy<Value = f64> {
    prop_oneof![1e-30..1e30f64, 0.01..1e5f64]
}

prop_compose! {
    fn pool()(
        account in "[^\\pC\\pZ]([^\\pC]{0,18}[^\\pC\\pZ])?", pool in "[!-~]([ -~]{0,10}[!-~])?",
        balances in prop::collection::vec((0u32..3, amount(), amount()), 0..6),
        positions in prop::collection::btree_map((0u32..5, 0usize..3), (amount(), price(), prop::option::of(1.0..1000.0f64), amount()), 0..8),
        orders in prop::collection::vec((0u32..5, amount(), price(), any::<bool>()), 0..4),
        factors in (price(), price(), 0.0..1e9f64),
    ) -> Snapshot {
        let mut builder = BookBuilder::default();
        let id = builder.pool(&account, &pool);
        for (asset, amount, accrued_interest) in balances {
            builder.add_balance(id, Balance { accrued_interest, ..Balance::new(asset, amount) });
        }
        for ((instrument, side), (quantity, entry_price, leverage, accrued_funding)) in positions {
            let side = [Side::Net, Side::Long, Side::Short][side];
            let quantity = match side {
                Side::Net => quantity,
                Side::Long => quantity.abs(),
                Side::Short => 0.0 - quantity.abs(),
            };
            builder.add_position(id, Position { instrument, quantity, entry_price, leverage, accrued_funding, side });
        }
        let settings = builder.settings(id);
        (settings.im_multiplier, settings.mm_multiplier, settings.open_order_margin) = factors;
        let orders = orders.into_iter().filter(|order| order.1 != 0.0);
        settings.orders.extend(orders.map(|(instrument, quantity, price, reduces_only)| Order {
            instrument, quantity, price, reduces_only,
        }));
        market().with_book(builder.build())
    }
}

proptest! {
    #[test]
    fn any_pool_returns_bit_for_bit(snapshot in pool()) {
        assert_round_trip(&snapshot, &assets());
    }
}

/// The example as version 1.4 with fields that version 1.0 does not have.
fn later_minor() -> serde_json::Value {
    let mut value: serde_json::Value = serde_json::from_str(&document().to_json()).expect("JSON");
    value["schema"]["version"] = "1.4".into();
    value["zeta"] = serde_json::json!({"b": ["x", true, {}], "a": ""});
    value["collateral"][0]["insured_by"] = "somebody".into();
    value["positions"][0]["instrument"]["tick"] = "0.5".into();
    value
}

#[test]
fn unknown_fields_of_a_later_minor_version_are_kept_and_signed() {
    let mut value = later_minor();
    let stale = Document::parse(value.to_string().as_bytes());
    let message = stale.expect_err("its hash is that of other content").to_string();
    assert!(!message.contains("no such field"), "{message}");
    let hash = message.split("another hash, ").nth(1).and_then(|rest| rest.get(..66)).expect("the hash");
    value["content_hash"] = hash.into();
    value["signatures"] = serde_json::json!([]);

    let read = Document::parse(value.to_string().as_bytes()).expect("a later minor version");
    let signed = read.signed(Role::Attestor, &key(plimsoll::portable::Algorithm::Ed25519)).expect("signed");
    let again = Document::parse(&signed.to_cbor().expect("CBOR")).expect("canonical");
    assert_eq!(again.to_json(), signed.to_json());
    let mut kept: serde_json::Value = serde_json::from_str(&again.to_json()).expect("JSON");
    kept["signatures"] = serde_json::json!([]);
    assert_eq!(kept, value, "every field is there");
    again.check_signatures().expect("it holds");

    let mut tampered: serde_json::Value = serde_json::from_str(&again.to_json()).expect("JSON");
    tampered["collateral"][0]["insured_by"] = "nobody".into();
    assert_refused("unknown field", Document::parse(tampered.to_string().as_bytes()), "the content has another hash");
}

#[test]
fn extensions_are_kept() {
    let mut value: serde_json::Value = serde_json::from_str(&document().to_json()).expect("JSON");
    value["extensions"] = serde_json::json!({"org.example": {"desk": "7", "flags": [true, false]}});
    let message = Document::parse(value.to_string().as_bytes()).expect_err("another hash").to_string();
    let hash = message.split("another hash, ").nth(1).and_then(|rest| rest.get(..66)).expect("the hash");
    value["content_hash"] = hash.into();
    let read = Document::parse(value.to_string().as_bytes()).expect("extensions are free");
    assert!(read.root().get("extensions").and_then(|map| map.get("org.example")).is_some());
    assert!(read.check_signatures().is_err(), "they are signed");
}

#[path = "../schema/mod.rs"]
mod schema;

#[test]
fn the_schema_accepts_the_example_and_refuses_what_it_lacks() {
    let schema = json_schema();
    let value: serde_json::Value = serde_json::from_str(&document().to_json()).expect("JSON");
    assert_eq!(schema::against(&schema, &value, "account"), Vec::<String>::new());
    let mut wrong = value.clone();
    wrong["collateral"][0]["qty"] = "1".into();
    wrong["account"]["mode"] = "crossed".into();
    wrong["orders"]["reserved"] = serde_json::json!(1);
    assert_eq!(schema::against(&schema, &wrong, "account").len(), 3);
}

/// Every field of the schema, and the hash of the example, are on the page of the format.
#[test]
fn the_page_of_the_format_names_every_field() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/portable-account.md"));
    let page = page.expect("the page");
    fn names(schema: &serde_json::Value, found: &mut Vec<String>) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            found.push(name.clone());
            names(field, found);
            names(&field["items"], found);
        }
    }
    let mut found = Vec::new();
    names(&json_schema(), &mut found);
    assert!(found.len() > 80, "{}", found.len());
    for name in found {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
    assert!(page.contains(GOLDEN_HASH));
}

#[test]
fn numbers_of_a_document_are_never_json_numbers() {
    let value = serde_json::to_value(account()).expect("JSON");
    fn no_number(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Number(_) | serde_json::Value::Null => false,
            serde_json::Value::Array(items) => items.iter().all(no_number),
            serde_json::Value::Object(fields) => fields.values().all(no_number),
            _ => true,
        }
    }
    assert!(no_number(&value));
}
