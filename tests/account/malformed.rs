//! Files that are refused, each for its reason.

use plimsoll::portable::Document;

use super::example::{assert_refused, document};

/// Replaces the first `from` of the example's JSON by `to`.
fn edited(from: &str, to: &str) -> Vec<u8> {
    let text = document().to_json();
    assert!(text.contains(from), "the example has no {from}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn what_breaks_a_rule_of_the_format_is_refused_with_the_rule() {
    let quantity = r#""quantity":"2.5""#;
    let number = |to: &str| format!(r#""quantity":"{to}""#);
    let deep = format!(r#"{{"extensions":{}""{},"#, r#"{"x":"#.repeat(40), "}".repeat(40));
    let lock = r#""lock":"L1","quantity":"2.5""#;
    let cases: &[(&str, &str, &str, &str)] = &[
        ("unknown major", r#""version":"1.0""#, r#""version":"2.0""#, "major version 2 is not known"),
        ("no minor", r#""version":"1.0""#, r#""version":"1""#, "a version is major.minor"),
        ("zeros in the version", r#""version":"1.0""#, r#""version":"01.0""#, "a version is major.minor"),
        ("another schema", "plimsoll.margin-account", "plimsoll.margin-acc", "one of plimsoll.margin-account"),
        ("JSON number", quantity, r#""quantity":2.5"#, "a number is written as a text"),
        ("JSON integer", r#""nonce":"7""#, r#""nonce":7"#, "a number is written as a text"),
        ("JSON number out of range", quantity, r#""quantity":1e999"#, "number out of range"),
        ("null", quantity, r#""quantity":null"#, "invalid type: null"),
        ("exponent", quantity, &number("25e-1"), "in plain form"),
        ("leading zero", quantity, &number("02.5"), "no leading zeros"),
        ("trailing zero", quantity, &number("2.50"), "does not end in 0"),
        ("plus", quantity, &number("+2.5"), "in plain form"),
        ("NaN", quantity, &number("NaN"), "in plain form"),
        ("infinity", quantity, &number("inf"), "in plain form"),
        ("minus zero", quantity, &number("-0"), "no minus zero"),
        ("no digits", quantity, &number(""), "in plain form"),
        ("grouped digits", quantity, &number("2,500"), "in plain form"),
        ("negative collateral", quantity, &number("-2.5"), "between 0 and 1e30"),
        ("too large a number", quantity, &number(&"9".repeat(40)), "between 0 and 1e30"),
        ("too long a number", quantity, &number(&"9".repeat(401)), "at most 400 characters"),
        ("haircut above 1", r#""haircut":"0.05""#, r#""haircut":"5""#, "between 0 and 1"),
        ("leverage below 1", r#""leverage":"10""#, r#""leverage":"0.5""#, "between 1 and 1000"),
        ("duplicate name", r#""venue":"north""#, r#""venue":"x","venue":"north""#, "venue stands twice"),
        ("too deep", "{", &deep, "nested deeper than 16"),
        ("wrong hash", r#""content_hash":"0x"#, r#""content_hash":"0x0"#, "a hash is 0x and 64"),
        ("changed owner", r#""account":"alice""#, r#""account":"mallory""#, "the content has another hash"),
        ("changed position", r#""quantity":"-20""#, r#""quantity":"-21""#, "the content has another hash"),
        ("changed risk", r#""equity":"270000.5""#, r#""equity":"280000.5""#, "the content has another hash"),
        ("changed order", r#""price":"65000""#, r#""price":"66000""#, "the content has another hash"),
        ("changed validity", "2026-03-09", "2027-03-09", "the content has another hash"),
        ("unknown field", quantity, r#""quantity":"2.5","qty":"1""#, "version 1.0 has no such field"),
        ("missing field", r#""venue":"north""#, r#""extra":"north""#, "account.venue: a required field is missing"),
        ("unknown word", r#""status":"settled""#, r#""status":"there""#, "one of settled, in_transit, attested"),
        ("nonce with zeros", r#""nonce":"7""#, r#""nonce":"007""#, "a whole number"),
        ("negative nonce", r#""nonce":"7""#, r#""nonce":"-7""#, "a whole number"),
        ("nonce too large", r#""nonce":"7""#, r#""nonce":"18446744073709551616""#, "a whole number"),
        ("moment with an offset", "2026-03-09T00:00:00Z", "2026-03-09T00:00:00+00:00", "RFC 3339 in UTC"),
        ("moment without a zone", "2026-03-09T00:00:00Z", "2026-03-09T00:00:00", "RFC 3339 in UTC"),
        ("expires first", "2026-03-09T00:00:00Z", "2026-02-09T00:00:00Z", "expires is after not_before"),
        ("before 1970", r#""not_before":"2026"#, r#""not_before":"1926"#, "1970 or later"),
        ("asset", "eip155:1/slip44:60", "ETH", "an asset is CAIP-19"),
        ("private asset", "plimsoll:asset/USD", "plimsoll:asset/%55SD", "an asset is CAIP-19"),
        ("network", r#""network":"eip155:1""#, r#""network":"ethereum""#, "a network is CAIP-2"),
        ("under way without a route", r#""status":"settled""#, r#""status":"in_transit""#, "names its custody.route"),
        ("strike of a perpetual", r#""kind":"perpetual""#, r#""kind":"perpetual","strike":"1""#, "has no strike"),
        ("option without strike", r#""strike":"3200","#, "", "needs strike"),
        ("quanto without rate", r#""fixed_rate":"0.01","#, "", "needs fixed_rate"),
        ("negative long leg", r#""quantity":"3""#, r#""quantity":"-3""#, "of a long leg is ≥ 0"),
        ("isolated", r#""mode":"portfolio""#, r#""mode":"isolated""#, "an isolated pool holds one instrument, not 5"),
        ("two terms", r#""contract_size":"1""#, r#""contract_size":"2""#, "the same terms wherever it stands"),
        ("text for a list", r#""open":["#, r#""open":"x","o":["#, "a text where a list belongs"),
        ("flag for a text", r#""nonce":"7""#, r#""nonce":true"#, "a flag where a text belongs"),
        ("text for a flag", r#""reduces_only":true"#, r#""reduces_only":"true""#, "a text where a flag belongs"),
        ("empty text", r#""venue":"north""#, r#""venue":"""#, "a name is not empty"),
        ("line break in a name", r#""pool":"main""#, r#""pool":"ma\nin""#, "no control characters"),
        ("space after a name", r#""account":"alice""#, r#""account":"alice ""#, "no space at either end"),
        (
            "no-break space before a name",
            r#""account":"alice""#,
            "\"account\":\"\u{a0}alice\"",
            "no space at either end",
        ),
        ("order of nothing", r#""quantity":"-2""#, r#""quantity":"0""#, "buys or sells something"),
        ("attested without a route", r#""status":"settled""#, r#""status":"attested""#, "names its custody.route"),
        (
            "loan under way",
            r#""quantity":"10.25","status":"settled""#,
            r#""quantity":"10.25","status":"in_transit""#,
            "a loan is always settled",
        ),
        ("name with a space", r#""venue":"north""#, r#""ve nue":"north""#, "printable ASCII"),
        ("BLAKE3", &"ab".repeat(32), &"AB".repeat(32), "64 lower-case hexadecimal digits"),
        ("key with capitals", r#""key":"0x"#, r#""key":"0xAB"#, "lower-case hexadecimal"),
        ("lone surrogate", r#""venue":"north""#, r#""venue":"\ud800""#, "JSON"),
        ("locked lot twice", r#""quantity":"0.1""#, r#""lock":"L1","quantity":"0.1""#, "the content has another hash"),
    ];
    for (what, from, to, reason) in cases {
        assert_refused(what, Document::parse(&edited(from, to)), reason);
    }
    let twice = edited(r#""quantity":"0.1""#, r#""lock":"L1","quantity":"0.1""#);
    let twice = String::from_utf8(twice).expect("text").replacen(quantity, lock, 1);
    assert_refused("locked lot listed twice", Document::parse(twice.as_bytes()), "a locked lot stands once");
}

#[test]
fn what_is_no_single_json_document_is_refused() {
    let json = document().to_json();
    let long = " ".repeat((4 << 20) + 1 - json.len()) + &json;
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("trailing text", format!("{json}{{}}").into_bytes(), "trailing characters"),
        ("truncated", json.as_bytes()[..json.len() - 1].to_vec(), "EOF while parsing"),
        ("too large", long.into_bytes(), "at most 4194304 bytes"),
        ("another venue", json.replace("north", "n").into_bytes(), "the content has another hash"),
        ("byte order mark", format!("\u{feff}{json}").into_bytes(), "JSON"),
        ("nothing", Vec::new(), "CBOR, byte 0: end of input"),
    ];
    for (what, bytes, reason) in cases {
        assert_refused(what, Document::parse(&bytes), reason);
    }
    let mut bytes = json.clone().into_bytes();
    let at = json.find("north").expect("the venue");
    bytes[at] = 0xff;
    assert_refused("no UTF-8", Document::parse(&bytes), "JSON: invalid utf-8");
    let spread = json.replace(",\"", " ,\n\t\"");
    assert_eq!(Document::parse(spread.as_bytes()).expect("white space is free").to_json(), json);
}

/// Small maps in CBOR, written by hand.
#[test]
fn cbor_that_is_not_canonical_is_refused() {
    let nested = |byte: u8| [vec![0xa1, 0x61, b'a'], vec![byte; 20], vec![0x60]].concat();
    let cases: [(&str, Vec<u8>, &str); 22] = [
        ("names out of order", vec![0xa2, 0x61, b'b', 0xf4, 0x61, b'a', 0xf4], "a stands after b"),
        ("longer name first", vec![0xa2, 0x62, b'a', b'a', 0xf4, 0x61, b'b', 0xf4], "b stands after aa"),
        ("name twice", vec![0xa2, 0x61, b'a', 0xf4, 0x61, b'a', 0xf4], "a stands twice"),
        ("half-precision number", vec![0xa1, 0x61, b'a', 0xf9, 0x3c, 0x00], "no floating-point numbers"),
        ("NaN", vec![0xa1, 0x61, b'a', 0xf9, 0x7e, 0x00], "no floating-point numbers"),
        ("double", [vec![0xa1, 0x61, b'a', 0xfb], vec![0; 8]].concat(), "no floating-point numbers"),
        ("integer", vec![0xa1, 0x61, b'a', 0x01], "only texts, flags, lists and maps"),
        ("null", vec![0xa1, 0x61, b'a', 0xf6], "only texts, flags, lists and maps"),
        ("bytes", vec![0xa1, 0x61, b'a', 0x41, 0x00], "only texts, flags, lists and maps"),
        ("tag", vec![0xa1, 0x61, b'a', 0xc0, 0x60], "only texts, flags, lists and maps"),
        ("long flag", vec![0xa1, 0x61, b'a', 0xf8, 0x14], "only texts, flags, lists and maps"),
        ("long length of a text", vec![0xa1, 0x61, b'a', 0x78, 0x01, b'x'], "no more bytes than it needs"),
        ("long length of a name", vec![0xa1, 0x78, 0x01, b'a', 0xf4], "no more bytes than it needs"),
        ("long length of a list", vec![0xa1, 0x61, b'a', 0x98, 0x00], "no more bytes than it needs"),
        ("long length of a map", vec![0xb8, 0x01, 0x61, b'a', 0xf4], "no more bytes than it needs"),
        ("indefinite map", vec![0xbf, 0x61, b'a', 0xf4, 0xff], "lengths are definite"),
        ("indefinite list", vec![0xa1, 0x61, b'a', 0x9f, 0xff], "lengths are definite"),
        ("indefinite text", vec![0xa1, 0x61, b'a', 0x7f, 0x61, b'x', 0xff], "lengths are definite"),
        ("name that is no text", vec![0xa1, 0x01, 0xf4], "the name of a field is a text"),
        ("text that is no UTF-8", vec![0xa1, 0x61, b'a', 0x61, 0xff], "CBOR, byte 3"),
        ("deep lists", nested(0x81), "nested deeper than 16"),
        ("a list of 2^64 - 1", [vec![0xa1, 0x61, b'a', 0x9b], vec![0xff; 8]].concat(), "end of input"),
    ];
    for (what, bytes, reason) in cases {
        assert_refused(what, Document::parse(&bytes), reason);
    }
    let whole = document().to_cbor().expect("CBOR");
    assert_refused("trailing", Document::parse(&[&whole[..], &[0]].concat()), "1 byte(s) follow the document");
    for length in 0..whole.len() {
        assert!(Document::parse(&whole[..length]).is_err(), "truncated to {length}");
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let whole = document().to_cbor().expect("CBOR");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let read = Document::parse(&bytes).and_then(|document| document.check_signatures().map(<[_]>::len));
        let error = read.expect_err(&format!("byte {at}"));
        assert_eq!(error.exit_code(), 3, "byte {at}: {error}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_do_more_than_be_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        proptest::prop_assert!(Document::parse(&bytes).is_err());
        let json = [b"{", &bytes[..]].concat();
        proptest::prop_assert!(Document::parse(&json).is_err());
        let map = [&[0xa3], &bytes[..]].concat();
        proptest::prop_assert!(Document::parse(&map).is_err());
    }
}
