//! Hand-worked examples of every rule, published vectors, properties.

use jiff::Timestamp;

use super::*;

mod capture;
mod form;
mod properties;
mod published;
mod stable;
mod use_of_prices;

/// The moment of every test.
fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a moment")
}

/// Quotes of one subject, named a, b, c …: price, confidence, weight; published at that moment.
fn quotes(said: &[(f64, f64, f64)]) -> Vec<Quote> {
    let quote = |(index, &(price, confidence, weight)): (usize, &(f64, f64, f64))| {
        let source = char::from(b'a' + u8::try_from(index).expect("few sources")).to_string();
        Quote { weight, ..Quote::new(source, "X", price, confidence, now()) }
    };
    said.iter().enumerate().map(quote).collect()
}

/// A policy without a deviation rule, a quorum, or a limit of confidence.
fn plain() -> OraclePolicy {
    OraclePolicy { deviation_mads: None, quorum: 0.0, max_confidence: None, ..OraclePolicy::default() }
}
