use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a moment")
}

fn start(price: f64) -> StablePrice {
    StablePrice::new(StablePolicy::default(), at(0), price).expect("a price")
}

#[test]
fn a_tenfold_price_is_followed_as_published() {
    // Mango v4's own example asserts 1.8, 2.3 and 7.4 ± 0.1; the digits are those of its rule recomputed independently.
    let mut stable = start(1.0);
    let mut time = 0;
    for (interval, updates, expected) in [(60, 60, 1.7806), (10, 360, 2.3089), (300, 12 * 23, 7.4452)] {
        for _ in 0..updates {
            time += interval;
            stable.update(at(time), 10.0);
        }
        assert!((stable.price() - expected).abs() < 5e-5, "{} is not {expected}", stable.price());
    }
    assert!(
        (stable.delayed() - 1.06f64.powi(2)).abs() < 1e-9,
        "hour 25 holds the mean of hour 1: {}",
        stable.delayed()
    );
}

#[test]
fn the_hourly_mean_weighs_by_time() {
    let policy = StablePolicy { delay_growth_per_hour: 1.0, ..StablePolicy::default() };
    let mut stable = StablePrice::new(policy, at(0), 1.0).expect("a price");
    for minute in 1..=60 {
        stable.update(at(60 * minute), if minute > 30 { 2.0 } else { 1.0 });
    }
    (61..=60 * 24).for_each(|minute| stable.update(at(60 * minute), 2.0));
    assert!((stable.delayed() - 1.5).abs() < 1e-12, "a day later: {}", stable.delayed());
}

#[test]
fn a_stalled_feed_drags_nothing() {
    let mut stable = start(100.0);
    // Silent for an hour, again and again, over three days.
    (1..=72).for_each(|hour| stable.update(at(3_600 * hour), 100.0));
    assert_eq!((stable.price(), stable.delayed()), (100.0, 100.0));
    // Mango's quotient would be 600/3600 of the price, limited to −6 % an hour: 100 · 0.94^24 ≈ 22.7 by now.
    stable.update(at(3_600 * 200), 100.0);
    assert_eq!((stable.price(), stable.delayed()), (100.0, 100.0), "silent for more than a day");
}

#[test]
fn a_feed_that_returns_moves_by_ten_minutes_at_most() {
    let mut stable = start(100.0);
    stable.update(at(86_400), 200.0);
    // The delayed price of the skipped hours is 106: growth 0.0003 · (100/106)² · 600.
    let expected = 100.0 * (1.0 + 0.0003 * (100.0f64 / 106.0).powi(2) * 600.0);
    assert!((stable.price() - expected).abs() < 1e-9, "{}", stable.price());
}

#[test]
fn what_is_no_observation_changes_nothing() {
    let mut stable = start(100.0);
    let before = stable.clone();
    for (time, price) in [(9, 200.0), (-60, 200.0), (60, 0.0), (60, -1.0), (60, f64::NAN), (60, f64::INFINITY)] {
        stable.update(at(time), price);
        assert_eq!(stable, before, "{time} {price}");
    }
    assert!(StablePrice::new(StablePolicy::default(), at(0), 0.0).is_none());
    assert!(StablePrice::new(StablePolicy::default(), at(0), f64::NAN).is_none());
}

#[test]
fn a_price_that_falls_to_nothing_never_takes_the_stable_price_to_zero() {
    let policy = StablePolicy { growth_per_second: 1.0, delay_growth_per_hour: 1.0 };
    let mut stable = StablePrice::new(policy, at(0), 1.0).expect("a price");
    (1..2_000).for_each(|step| stable.update(at(600 * step), 1e-12));
    assert!(stable.price() > 0.0 && stable.delayed() > 0.0);
    (2_000..4_000).for_each(|step| stable.update(at(600 * step), 1.0));
    assert!(stable.price() > 0.5, "and it comes back: {}", stable.price());
}
