use super::*;

const NONE: MarkInputs = MarkInputs { basis_average: None, bid: None, ask: None, last: None, perpetual_median: None };

#[test]
fn a_mark_is_the_median_of_three() {
    let inputs = MarkInputs {
        basis_average: Some(0.5),
        bid: Some(101.0),
        ask: Some(103.0),
        last: Some(102.5),
        perpetual_median: Some(99.0),
    };
    assert_eq!(mark(Some(100.0), &inputs), Some(100.5), "of 100.5, 102.5 and 99");
    assert_eq!(mark(Some(100.0), &MarkInputs { basis_average: Some(3.0), ..inputs }), Some(102.5));
}

#[test]
fn with_fewer_inputs_a_mark_is_defined() {
    let book = MarkInputs { bid: Some(110.0), ask: Some(112.0), ..NONE };
    assert_eq!(mark(None, &NONE), None);
    assert_eq!(mark(Some(100.0), &NONE), Some(100.0));
    assert_eq!(mark(Some(100.0), &MarkInputs { basis_average: Some(1.0), ..NONE }), Some(100.0));
    assert_eq!(mark(None, &book), Some(111.0), "the mid price");
    assert_eq!(mark(None, &MarkInputs { perpetual_median: Some(109.0), ..book }), Some(110.0), "the mean");
    assert_eq!(mark(Some(100.0), &book), Some(100.0), "a book alone does not move it");
    assert_eq!(mark(Some(100.0), &MarkInputs { basis_average: Some(1.0), ..book }), Some(101.0));
    assert_eq!(mark(Some(100.0), &MarkInputs { basis_average: Some(-1.0), ..book }), Some(100.0));
    assert_eq!(mark(None, &MarkInputs { last: Some(7.0), ..NONE }), Some(7.0));
}

#[test]
fn conservative_prices_take_the_worse_side_and_allow_for_confidence() {
    let policy = OraclePolicy::default();
    let close = |side: BySide, asset: f64, liability: f64| {
        assert!((side.asset - asset).abs() < 1e-9 && (side.liability - liability).abs() < 1e-9, "{side:?}");
    };
    // 1 % of confidence counts 2.12 times, and is cut off at 5 %.
    close(conservative(110.0, Some(100.0), 0.01, &policy), 97.88, 110.0 * 1.0212);
    close(conservative(110.0, Some(100.0), 0.2, &policy), 95.0, 115.5);
    close(conservative(100.0, None, 0.0, &policy), 100.0, 100.0);
    close(conservative(100.0, None, f64::NAN, &policy), 95.0, 105.0);
    assert_eq!(BySide::both(3.0), BySide { asset: 3.0, liability: 3.0 });
}

/// A formed price of one quote: price, confidence, age in seconds.
fn formed(price: f64, confidence: f64, age: i64, policy: &OraclePolicy) -> Formed {
    let mut said = quotes(&[(price, confidence, 1.0)]);
    said[0].published_at = now() - jiff::SignedDuration::from_secs(age);
    form(&said, policy, now())
}

#[test]
fn a_price_is_of_the_worst_class_that_fits() {
    let policy = OraclePolicy::default();
    let class = |formed: &Formed, stable: Option<f64>| classify(formed, stable, &policy);
    assert_eq!(class(&form(&[], &policy, now()), Some(1.0)), Validity::NonPositive);
    let keep = OraclePolicy { non_positive: NonPositive::Keep, ..plain() };
    assert_eq!(class(&formed(0.0, 1.0, 0, &keep), None), Validity::NonPositive);
    let wild = formed(100.0, 50.0, 100, &policy);
    assert_eq!(class(&wild, Some(19.0)), Validity::TooVolatile);
    assert_eq!(class(&wild, Some(501.0)), Validity::TooVolatile);
    assert_eq!(class(&wild, Some(20.0)), Validity::TooUncertain, "five times is not more than five times");
    assert_eq!(class(&wild, None), Validity::TooUncertain);
    assert_eq!(class(&formed(100.0, 2.0, 61, &policy), None), Validity::StaleForMargin);
    let few = OraclePolicy { minimum_sources: 2, ..OraclePolicy::default() };
    assert_eq!(class(&formed(100.0, 2.0, 60, &few), None), Validity::TooFewPoints);
    assert_eq!(class(&formed(100.0, 2.0, 61, &few), None), Validity::StaleForMargin);
    assert_eq!(class(&formed(100.0, 2.0, 6, &policy), None), Validity::StaleForMarketMaking);
    assert_eq!(class(&formed(100.0, 2.0, 5, &policy), None), Validity::Valid);
}

#[test]
fn each_action_tolerates_its_classes_and_better_ones() {
    let tolerance = Tolerance::default();
    let allowed = |class: Validity| Action::WORDS.map(|(_, action)| tolerance.allows(action, class));
    // margin, liquidate, open, withdraw, settle
    assert_eq!(allowed(Validity::NonPositive), [false; 5]);
    assert_eq!(allowed(Validity::TooVolatile), [false; 5]);
    assert_eq!(allowed(Validity::TooUncertain), [false, true, false, false, true]);
    assert_eq!(allowed(Validity::StaleForMargin), [false, true, false, false, true]);
    assert_eq!(allowed(Validity::TooFewPoints), [true, true, false, false, true]);
    assert_eq!(allowed(Validity::StaleForMarketMaking), [true; 5]);
    assert_eq!(allowed(Validity::Valid), [true; 5]);
    for (place, (word, class)) in Validity::WORDS.iter().enumerate() {
        assert_eq!((class.word(), *class as usize), (*word, place), "the words are in order");
    }
}

#[test]
fn mark_and_price_diverge_beyond_the_limit() {
    let policy = OraclePolicy { mark_divergence: 0.125, ..OraclePolicy::default() };
    assert!(!diverges(112.5, 100.0, &policy) && !diverges(87.5, 100.0, &policy));
    assert!(diverges(112.6, 100.0, &policy) && diverges(87.4, 100.0, &policy));
}
