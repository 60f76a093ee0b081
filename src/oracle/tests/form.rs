use super::*;

fn reasons(formed: &Formed) -> Vec<(usize, &'static str)> {
    formed.dropped.iter().map(|dropped| (dropped.quote, dropped.reason.word())).collect()
}

#[test]
fn a_weighted_median_takes_the_price_at_half_of_the_weight() {
    // Weights 3, 2, 2, 1, 1, 1, 1 in ascending order of price: half of 11 is reached in the third.
    let said: Vec<_> =
        [3.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0].iter().zip(100..).map(|(w, p)| (f64::from(p), 0.0, *w)).collect();
    assert_eq!(form(&quotes(&said), &plain(), now()).price, Some(102.0));
    let formed = form(&quotes(&[(100.0, 0.0, 1.0), (101.0, 0.0, 5.0), (200.0, 0.0, 3.0)]), &plain(), now());
    assert_eq!((formed.price, formed.weight, formed.weight_used), (Some(101.0), 9.0, 9.0));
}

#[test]
fn an_exactly_split_weight_takes_what_the_policy_says() {
    // 0.1 + 0.2 is 0.3 in parts of 1e-9, as it is not in f64.
    let said = quotes(&[(10.0, 0.0, 0.1), (10.0, 0.0, 0.2), (20.0, 0.0, 0.3)]);
    for (ties, price) in [(Ties::Lower, 10.0), (Ties::Mean, 15.0), (Ties::Upper, 20.0)] {
        assert_eq!(form(&said, &OraclePolicy { ties, ..plain() }, now()).price, Some(price));
    }
    let said = quotes(&[(10.0, 0.0, 1.0), (21.0, 0.0, 1.0)]);
    let in_ticks = OraclePolicy { ties: Ties::Mean, price_tick: 2.0, ..plain() };
    assert_eq!(form(&said, &in_ticks, now()).price, Some(16.0), "ticks 5 and 11 (10.5 to the even one above)");
    assert_eq!(
        form(&said, &OraclePolicy { price_tick: 1.0, ..in_ticks }, now()).price,
        Some(15.0),
        "15.5 rounded down"
    );
}

#[test]
fn a_median_ignores_weights() {
    let said = quotes(&[(10.0, 0.0, 100.0), (11.0, 0.0, 1.0), (12.0, 0.0, 1.0)]);
    assert_eq!(form(&said, &OraclePolicy { aggregation: Aggregation::Median, ..plain() }, now()).price, Some(11.0));
}

#[test]
fn confidence_is_the_larger_distance_to_the_quartiles_of_all_votes() {
    // Votes 99 100 101 | 101 102 103 | 108 110 112: indices 2 and 6 of nine.
    let said = quotes(&[(100.0, 1.0, 1.0), (102.0, 1.0, 1.0), (110.0, 2.0, 1.0)]);
    let formed = form(&said, &plain(), now());
    assert_eq!((formed.price, formed.confidence), (Some(102.0), Some(6.0)));
    let alone = form(&said[..1], &plain(), now());
    assert_eq!((alone.price, alone.confidence), (Some(100.0), Some(1.0)));
}

#[test]
fn every_dropped_quote_has_the_first_reason_that_holds() {
    let mut said = quotes(&[(100.0, 1.0, 1.0); 15]);
    said[0].status = SourceStatus::Halted;
    said[0].price = f64::NAN;
    said[1].price = f64::NAN;
    said[2].price = f64::NEG_INFINITY;
    said[3].price = 0.0;
    said[4].price = -1.0;
    said[5].confidence = -1.0;
    said[6].confidence = f64::INFINITY;
    said[7].weight = 1e-12;
    said[8].weight = f64::NAN;
    said[9].published_at = now() + jiff::SignedDuration::from_nanos(1);
    said[10].published_at = now() - jiff::SignedDuration::from_nanos(120_000_000_001);
    said[11].published_at = now() - jiff::SignedDuration::from_secs(31);
    said[11].heartbeat_seconds = Some(30.0);
    said[12].price = 104.0;
    let policy = OraclePolicy { deviation_mads: Some(5.0), ..plain() };
    let formed = form(&said, &policy, now());
    let expected = [
        "not_trading",
        "not_finite",
        "not_finite",
        "non_positive",
        "non_positive",
        "no_confidence",
        "no_confidence",
        "no_weight",
        "no_weight",
        "future",
        "stale",
        "heartbeat_missed",
        "deviation",
    ];
    assert_eq!(reasons(&formed), expected.into_iter().enumerate().collect::<Vec<_>>());
    assert_eq!((formed.price, formed.used, formed.weight, formed.weight_used), (Some(100.0), vec![13, 14], 13.0, 2.0));
}

#[test]
fn limits_of_age_are_reached_but_not_passed() {
    let mut said = quotes(&[(100.0, 0.0, 1.0); 2]);
    said[0].published_at = now() - jiff::SignedDuration::from_secs(120);
    said[1].published_at = now() - jiff::SignedDuration::from_secs(30);
    said[1].heartbeat_seconds = Some(30.0);
    let formed = form(&said, &plain(), now());
    assert_eq!((formed.used.len(), formed.age_seconds), (2, Some(120.0)), "the older where the weight splits");
    let policy = OraclePolicy { heartbeat_seconds: Some(60.0), ..plain() };
    assert_eq!(reasons(&form(&said, &policy, now())), [(0, "heartbeat_missed")]);
}

#[test]
fn the_deviation_limit_is_the_largest_of_three() {
    // Median 100, distances 0 1 1 2 20: their median 1, so that 5 of it are 5.
    let said = |confidence: f64| {
        quotes(&[(98.0, 0.0, 1.0), (99.0, 0.0, 1.0), (100.0, 0.0, 1.0), (101.0, 0.0, 1.0), (120.0, confidence, 1.0)])
    };
    let policy = OraclePolicy { deviation_mads: Some(5.0), ..plain() };
    assert_eq!(reasons(&form(&said(6.0), &policy, now())), [(4, "deviation")]);
    assert!(reasons(&form(&said(7.0), &policy, now())).is_empty(), "three confidences reach 121");
    assert!(reasons(&form(&said(0.0), &OraclePolicy { deviation_floor: 0.2, ..policy.clone() }, now())).is_empty());
    assert!(reasons(&form(&said(0.0), &OraclePolicy { deviation_mads: Some(20.0), ..policy }, now())).is_empty());
}

#[test]
fn no_price_has_a_reason() {
    let verdict = |said: &[Quote], policy: OraclePolicy| {
        let formed = form(said, &policy, now());
        assert_eq!(formed.price.is_some(), formed.verdict == Verdict::Usable);
        formed.verdict
    };
    let said = quotes(&[(100.0, 1.0, 2.0), (100.0, 3.0, 1.0), (-1.0, 0.0, 2.0)]);
    assert_eq!(verdict(&[], plain()), Verdict::TooFewSources);
    assert_eq!(verdict(&said[2..], plain()), Verdict::TooFewSources);
    assert_eq!(verdict(&said, OraclePolicy { minimum_sources: 3, ..plain() }), Verdict::TooFewSources);
    assert_eq!(verdict(&said, OraclePolicy { quorum: 0.6, ..plain() }), Verdict::Usable, "3 of 5");
    assert_eq!(verdict(&said, OraclePolicy { quorum: 0.61, ..plain() }), Verdict::NoQuorum);
    assert_eq!(verdict(&said, OraclePolicy { max_confidence: Some(0.01), ..plain() }), Verdict::Usable);
    assert_eq!(verdict(&said, OraclePolicy { max_confidence: Some(0.009), ..plain() }), Verdict::TooUncertain);
    let two_of_three = quotes(&[(100.0, 1.0, 1.0), (100.0, 1.0, 1.0), (-1.0, 0.0, 1.0)]);
    assert_eq!(verdict(&two_of_three, OraclePolicy { quorum: 2.0 / 3.0, ..plain() }), Verdict::Usable, "two thirds");
}

#[test]
fn a_price_that_is_too_uncertain_keeps_its_median() {
    let formed = form(&quotes(&[(100.0, 5.0, 1.0)]), &OraclePolicy::default(), now());
    assert_eq!((formed.price, formed.median, formed.confidence), (None, Some(100.0), Some(5.0)));
}

#[test]
fn three_votes_in_ticks_refuse_what_no_vote_can_hold() {
    let policy = OraclePolicy { aggregation: Aggregation::ThreeVote, price_tick: 1e-8, ..plain() };
    let formed = form(&quotes(&[(1e30, 1.0, 1.0), (1.0, 1e-9, 1.0), (1.0, 0.1, 1.0)]), &policy, now());
    assert_eq!(reasons(&formed), [(0, "too_many_ticks"), (1, "zero_confidence")]);
    assert_eq!((formed.price, formed.confidence), (Some(1.0), Some(0.1)));
}

#[test]
fn the_deviation_rule_sees_whole_ticks() {
    // 0.99997 and 1.00002 are one tick of 0.01: agreement, so a floor of 0 drops neither.
    let said = quotes(&[(1.0, 0.0, 1.0), (1.0, 0.0, 1.0), (1.0, 0.0, 1.0), (0.99997, 0.0, 1.0), (1.00002, 0.0, 1.0)]);
    let rule = OraclePolicy { deviation_mads: Some(5.0), deviation_floor: 0.0, ..plain() };
    assert_eq!(form(&said, &rule, now()).dropped.len(), 2, "without a tick they deviate");
    let formed = form(&said, &OraclePolicy { price_tick: 0.01, ..rule.clone() }, now());
    assert_eq!((formed.dropped.len(), formed.price), (0, Some(1.0)));
    // Half a tick apart and yet in another one.
    let said = quotes(&[(1.0, 0.0, 1.0), (1.0, 0.0, 1.0), (1.0051, 0.0, 1.0)]);
    assert_eq!(form(&said, &OraclePolicy { price_tick: 0.01, ..rule }, now()).dropped.len(), 1);
}
