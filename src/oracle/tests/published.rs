use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/oracle/three_vote.json"));

/// The rules of Pyth's on-chain program: quotes of any sign, fresh within 25 slots (here seconds), in whole numbers.
fn on_chain() -> OraclePolicy {
    OraclePolicy {
        aggregation: Aggregation::ThreeVote,
        price_tick: 1.0,
        non_positive: NonPositive::Keep,
        max_age_seconds: Some(25.0),
        ..plain()
    }
}

#[test]
fn the_published_aggregates_are_reproduced() {
    let all: Value = serde_json::from_str(VECTORS).expect("JSON");
    let vectors = all["vectors"].as_array().expect("a list");
    assert!(vectors.len() > 20, "{}", vectors.len());
    for vector in vectors {
        let number = |value: &Value| value.as_f64().expect("a number");
        let pairs = vector["quotes"].as_array().expect("a list").iter();
        let said: Vec<_> = pairs.map(|pair| (number(&pair[0]), number(&pair[1]), 1.0)).collect();
        let formed = form(&quotes(&said), &on_chain(), now());
        let expected = &vector["expected"];
        if expected.is_null() {
            assert_eq!((formed.price, formed.verdict), (None, Verdict::TooFewSources), "{}", vector["id"]);
        } else {
            let expected = (Some(number(&expected["price"])), Some(number(&expected["confidence"])));
            assert_eq!((formed.price, formed.confidence), expected, "{}", vector["id"]);
        }
    }
}

#[test]
fn only_trading_fresh_certain_quotes_count_and_too_few_make_no_price() {
    let mut said =
        quotes(&[(100.0, 1.0, 1.0), (110.0, 2.0, 1.0), (120.0, 0.0, 1.0), (130.0, 3.0, 1.0), (140.0, 3.0, 1.0)]);
    said[3].status = SourceStatus::Unknown;
    said[1].published_at = now() - jiff::SignedDuration::from_secs(25);
    said[4].published_at = now() - jiff::SignedDuration::from_secs(26);
    // Votes 99 100 101 108 110 112: the median is ⌊(101 + 108)/2⌋, the quartiles are votes 1 and 4.
    let formed = form(&said, &on_chain(), now());
    assert_eq!((formed.price, formed.confidence, formed.used.len()), (Some(104.0), Some(6.0), 2));
    let three = OraclePolicy { minimum_sources: 3, ..on_chain() };
    assert_eq!(form(&said, &three, now()).verdict, Verdict::TooFewSources);
    // ⌊−104.5⌋ is −105.
    said.iter_mut().for_each(|quote| quote.price = -quote.price);
    assert_eq!(form(&said, &on_chain(), now()).price, Some(-105.0));
}

#[test]
fn a_prices_last_bit_is_kept() {
    // Half of the votes is 2^52 apart from the other: means in ticks are exact.
    let said = quotes(&[(4_503_599_627_370_497.0, 1.0, 1.0), (4_503_599_627_370_500.0, 1.0, 1.0)]);
    assert_eq!(form(&said, &on_chain(), now()).price, Some(4_503_599_627_370_498.0));
}
