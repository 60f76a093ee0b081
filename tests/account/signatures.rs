//! Signatures that do not hold, and moments at which a document is not valid.

use plimsoll::portable::{Algorithm, Document, Role, SecretKey};
use serde_json::Value;

use super::example::{account, assert_refused, document, key, moment, noon};

/// The example with one field of its signature by `place` changed.
fn with_signature(place: usize, field: &str, change: impl Fn(&str) -> String) -> Document {
    let mut value: Value = serde_json::from_str(&document().to_json()).expect("JSON");
    let text = &mut value["signatures"][place][field];
    *text = change(text.as_str().expect("a text")).into();
    Document::parse(value.to_string().as_bytes()).expect("of the right form")
}

#[test]
fn both_signatures_hold_and_name_their_keys() {
    let document = document();
    let signatures = document.check_signatures().expect("both hold");
    let keys: Vec<_> = signatures.iter().map(|entry| (entry.role, entry.algorithm, entry.key.len())).collect();
    assert_eq!(keys, [(Role::Owner, Algorithm::Eip712, 42), (Role::SourceVenue, Algorithm::Ed25519, 66)]);
    let again = document.signed(Role::Owner, &key(Algorithm::Eip712)).expect("signed");
    assert_eq!(again.account().signatures.len(), 2, "a second signature of a key takes the place of its first");
    assert_eq!(again.account().content_hash, document.account().content_hash);
}

#[test]
fn a_signature_holds_for_one_content_one_role_and_one_key() {
    let mut changed = account();
    changed.account.account = "mallory".into();
    changed.signatures = document().account().signatures.clone();
    let changed = Document::new(&changed).expect("a document with a hash of its own");
    assert_refused("content", changed.check_signatures().map(<[_]>::len), "signatures[0]");
    assert_refused("content", changed.check_signatures().map(<[_]>::len), "signatures[1]");

    for (place, role) in [(0, "attestor"), (1, "destination_venue")] {
        let other = with_signature(place, "role", |_| role.into());
        assert_refused(role, other.check_signatures().map(<[_]>::len), "role");
    }
    for (place, algorithm) in [(0, Algorithm::Eip712), (1, Algorithm::Ed25519)] {
        let other = SecretKey::new([0x43; 32], algorithm).and_then(|key| key.public()).expect("a key");
        let wrong = with_signature(place, "key", |_| other.clone());
        assert_refused("signer", wrong.check_signatures().map(<[_]>::len), &format!("signatures[{place}]"));
    }
}

#[test]
fn malleable_and_malformed_signatures_are_refused() {
    /// Order of secp256k1.
    const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    /// Order of the base point of Ed25519, little-endian.
    const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let decode = |text: &str| const_hex::decode(text).expect("hexadecimal");
    let high_s = |text: &str| {
        let mut bytes = decode(text);
        let order = decode(ORDER);
        let mut borrow = 0i32;
        for place in (0..32).rev() {
            let difference = i32::from(order[place]) - i32::from(bytes[32 + place]) - borrow;
            borrow = i32::from(difference < 0);
            bytes[32 + place] = difference.rem_euclid(256) as u8;
        }
        bytes[64] = 55 - bytes[64];
        const_hex::encode_prefixed(bytes)
    };
    let s_plus_order = |text: &str| {
        let mut bytes = decode(text);
        let mut carry = 0u32;
        for (byte, more) in bytes[32..].iter_mut().zip(decode(L)) {
            let sum = u32::from(*byte) + u32::from(more) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        const_hex::encode_prefixed(bytes)
    };
    let with_v = |v: u8| move |text: &str| format!("{}{v:02x}", &text[..text.len() - 2]);
    let cases: [(&str, Document, &str); 10] = [
        ("high s", with_signature(0, "signature", high_s), "s lies in the lower half"),
        ("v = 0", with_signature(0, "signature", with_v(0)), "v is 27 or 28"),
        ("v = 29", with_signature(0, "signature", with_v(29)), "v is 27 or 28"),
        ("r = s = 0", with_signature(0, "signature", |_| format!("0x{}1b", "0".repeat(128))), "within the order"),
        ("65 bytes", with_signature(0, "signature", |text| text[..130].into()), "130 lower-case"),
        ("address", with_signature(0, "key", |text| format!("{text}00")), "an address is 0x and 40"),
        ("s + L", with_signature(1, "signature", s_plus_order), "did not sign this content"),
        ("64 bytes", with_signature(1, "signature", |text| format!("{text}00")), "128 lower-case"),
        ("no point", with_signature(1, "key", |_| format!("0x02{}", "00".repeat(31))), "no point of the curve"),
        ("small order", with_signature(1, "key", |_| format!("0x01{}", "00".repeat(31))), "did not sign this content"),
    ];
    for (what, document, reason) in cases {
        assert_refused(what, document.check_signatures().map(<[_]>::len), reason);
    }
    let mut twice: Value = serde_json::from_str(&document().to_json()).expect("JSON");
    twice["signatures"][1] = twice["signatures"][0].clone();
    assert_refused("twice", Document::parse(twice.to_string().as_bytes()), "one signature for each role and key");
}

#[test]
fn a_document_is_valid_from_its_first_moment_to_before_its_last() {
    let document = document();
    for valid in [noon(), moment("2026-03-01T00:00:00Z"), moment("2026-03-08T23:59:59.999999999Z")] {
        document.check_validity(valid).expect("valid");
    }
    assert_refused("early", document.check_validity(moment("2026-02-28T23:59:59Z")), "not yet valid at");
    assert_refused("late", document.check_validity(moment("2026-03-09T00:00:00Z")), "expired at");
}
