//! Figures worked out by hand, properties, and that the future changes no past haircut.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::past::Past;
use super::*;
use crate::domain::{Asset, Balance, BookBuilder, Instrument, Snapshot, Underlying};
use crate::margin::{HaircutSchedule, Rulebook, SizeUnit};

/// A history of closes, one every `step` hours from hour 0.
fn history(step: i64, courses: &[(&str, &[f64])]) -> History {
    let count = courses.first().map_or(0, |(_, closes)| closes.len()) as i64;
    let course = |(name, closes): &(&str, &[f64])| Course {
        name: (*name).into(),
        closes: closes.to_vec(),
        lows: closes.to_vec(),
    };
    History { hours: (0..count).map(|row| row * step).collect(), courses: courses.iter().map(course).collect() }
}

fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{value} is not {expected}");
}

/// A price that swings by a few percent, different at every seed.
fn swinging(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut price = 100.0;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        price *= 1.0 + ((state >> 11) as f64 / (1u64 << 53) as f64 - 0.5) * 0.06;
        price
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn the_worst_fall_is_the_lowest_price_of_the_window() {
    let history = history(4, &[("A", &[100.0, 90.0, 95.0, 80.0, 100.0, 100.0])]);
    let losses = |span: i64| -> Vec<(usize, f64)> {
        worst_falls(&history, &history.courses[0], span).iter().map(|fall| (fall.entry, fall.loss)).collect()
    };
    let rows = losses(4);
    assert_eq!(rows.len(), 5);
    close(rows[0].1, 0.1);
    assert_eq!(rows[1].1, 0.0);
    close(rows[2].1, 15.0 / 95.0);
    let rows = losses(12);
    assert_eq!(
        rows.iter().map(|row| row.0).collect::<Vec<_>>(),
        [0, 1, 2],
        "windows that the end cuts off do not count"
    );
    close(rows[0].1, 0.2);
    close(rows[1].1, 10.0 / 90.0);
    assert_eq!([1, 4, 5, 12].map(|hours| history.span(hours)), [4, 4, 8, 12]);
}

#[test]
fn holes_and_ends_are_not_invented() {
    let none = f64::NAN;
    let history = history(1, &[("A", &[none, 100.0, none, 50.0, none, none]), ("B", &[1.0; 6])]);
    let falls = worst_falls(&history, &history.courses[0], 2);
    assert_eq!(falls, [Fall { entry: 1, loss: 0.5 }], "quoted at entry and at the end");
    assert!(worst_falls(&history, &history.courses[0], 1).is_empty(), "nothing within");
    assert_eq!(history.course("b").map(|course| course.name.as_str()), Some("B"));
}

#[test]
fn quantiles_and_shortfalls_are_those_of_a_hand() {
    let sample = Sample::of([0.3, 0.0, 0.1, 0.2, 0.4]);
    close(sample.quantile(0.5).unwrap(), 0.2);
    close(sample.quantile(0.9).unwrap(), 0.36);
    assert_eq!(sample.quantile(1.0), Some(0.4));
    close(sample.mean_from(0.3).unwrap(), 0.35);
    assert_eq!(Sample::default().quantile(0.5), None);
    let mut changed = sample.clone();
    changed.insert(0.25);
    assert_eq!(changed.len(), 6);
    changed.remove(0.25);
    changed.remove(0.9);
    assert_eq!(changed, sample);
}

/// Ten independent losses: the median lies between the second and the ninth with 97.9 % (binomial ½: P(N ≤ 1) = 1.07 %).
#[test]
fn the_interval_is_that_of_order_statistics() {
    let sample = Sample::of((1..=10).map(|loss| f64::from(loss) / 10.0));
    let tail = Tail::of(&sample, 10.0, 0.5).unwrap();
    close(tail.quantile, 0.55);
    // Rank 9 of 10 is the quantile at 0.1, rank 2 that at 0.8.
    close(tail.low, 0.19);
    close(tail.high.unwrap(), 0.82);
    let tail = Tail::of(&sample, 10.0, 0.9).unwrap();
    assert_eq!(tail.high, None, "the quantile may lie above every loss");
}

#[test]
fn a_sample_too_short_is_continued_or_said() {
    let sample = Sample::of((0..1_000).map(|loss| f64::from(loss) / 10_000.0));
    let at = |independent: f64, level: f64| Tail::of(&sample, independent, level).unwrap().estimate();
    assert_eq!(at(1_000.0, 0.999).unwrap().evidence, Evidence::Quantile);
    let short = at(125.0, 0.999).unwrap();
    assert!(matches!(short.evidence, Evidence::Extrapolated(factor) if (factor - 2.0).abs() < 1e-9));
    close(short.loss, 0.0999 * 2.0);
    assert_eq!(at(29.0, 0.999), None);
    let wiped = Tail::of(&Sample::of(vec![0.9; 40]), 40.0, 0.999).unwrap();
    assert_eq!(wiped.estimate().unwrap().loss, 1.0, "never more than everything");
}

/// Alternating ±1 %: σ per step is ln 1.01, z at 99.9 % 3.0902.
#[test]
fn the_normal_beside_it_knows_volatility_alone() {
    let closes: Vec<f64> = (0..400).map(|row| if row % 2 == 0 { 100.0 } else { 101.0 }).collect();
    let history = history(1, &[("A", &closes)]);
    let fall = MarketFall::of(&history, &history.courses[0], 4, 0.999, (None, Floor::None)).unwrap();
    let deviation = libm::log(1.01);
    close(fall.gaussian, crate::scenario::inverse_normal(0.999) * deviation * 2.0);
    close(fall.daily_volatility, deviation * libm::sqrt(24.0));
    close(fall.recent.quantile, 1.0 / 101.0);
    close(fall.ratio_to_gaussian().unwrap(), fall.estimate.loss / fall.gaussian);
}

#[test]
fn terms_combine_caps_bind_and_steps_hold() {
    close(combined(&[0.1, 0.2, 0.5]), 1.0 - 0.9 * 0.8 * 0.5);
    assert_eq!(combined(&[0.01]), 0.01);
    close(under_total_cap(0.2, 50.0, 100.0), 1.0 - 0.8 * 0.5);
    assert_eq!(under_total_cap(0.2, 100.0, 0.0), 0.2);
    let limit = StepLimit { relative: 0.25, absolute: 0.01 };
    close(limit.apply(0.5, [0.2]), 0.25);
    close(limit.apply(0.0, [0.2]), 0.15);
    close(limit.apply(0.5, [0.0]), 0.01);
    assert_eq!(limit.apply(0.21, [0.2]), 0.21);
    assert_eq!(limit.apply(1.0, [0.2]), 1.0, "a cap applies at once");
    close(limit.apply(0.5, [0.2, 0.22]), 0.25);
    close(limit.apply(0.0, [0.2, 0.22]), 0.165);
    close(limit.apply(0.5, [0.2, 0.8]), 0.25);
    let full = Tail::of(&Sample::of([0.0, 0.4]), 2.0, 0.5).unwrap();
    assert_eq!(Floor::None.apply(0.1, 0.2, &full), 0.1);
    assert_eq!(Floor::Long.apply(0.1, 0.2, &full), 0.2);
    close(Floor::Stress(0.25).apply(0.1, 0.2, &full), 0.75 * 0.1 + 0.25 * 0.4);
}

#[test]
fn slippage_grows_with_the_root_of_size_or_with_the_depth() {
    let liquidity = |volume| Liquidity { volume, impact: 1.0, daily_volatility: 0.04 };
    close(liquidity(Volume::Daily(1e9)).slippage(1e7), 0.04 * 0.1);
    close(liquidity(Volume::Depth(1e6)).slippage(5e5), 0.005);
    assert_eq!(liquidity(Volume::Nothing).slippage(1.0), 1.0);
    assert_eq!(liquidity(Volume::Daily(1.0)).slippage(1e9), 1.0);
}

#[test]
fn steps_are_tiers_in_quote_units() {
    let asset = HaircutSchedule {
        unit: SizeUnit::Asset,
        bounds: vec![10.0],
        haircuts: vec![0.1, 0.3],
        initial: Some(vec![0.2, 0.3]),
    };
    let steps = Steps::of_schedule(&asset, 50.0);
    assert_eq!((steps.at(0.0), steps.at(499.0), steps.at(500.0)), (0.1, 0.1, 0.3));
    let other = Steps { bounds: vec![100.0, 600.0], haircuts: vec![0.05, 0.2, 1.0] };
    let worst = Steps::worst(&[steps, other]);
    assert_eq!(worst, Steps { bounds: vec![100.0, 500.0, 600.0], haircuts: vec![0.1, 0.2, 0.3, 1.0] });
    let schedule = worst.to_schedule(Steps::of_initial(&asset, 50.0).as_ref());
    assert_eq!(schedule.initial, Some(vec![0.2, 0.2, 0.3, 1.0]));
    assert_eq!(Steps::of_schedule(&asset, 0.0).at(0.0), 0.3, "a worthless asset is beyond every bound");
}

/// BTC with 100 a day, USDC, WBTC that follows BTC, NEW without history; USD is the quote currency.
fn snapshot() -> Snapshot {
    let mut assets: Vec<Asset> = ["BTC", "NEW", "USD", "USDC", "WBTC"].map(|name| Asset::new(name, 1.0)).into();
    for (at, class) in [(0, "coin"), (1, "new"), (3, "stable"), (4, "coin")] {
        assets[at].haircut_class = Some(class.into());
    }
    assets[4].underlying = "BTC".into();
    let underlying = Underlying { adv_quote: Some(100.0), ..Underlying::new("BTC", 1.0) };
    let mut builder = BookBuilder::default();
    let pool = builder.pool("a", "main");
    (0..5).for_each(|asset| builder.add_balance(pool, Balance::new(asset, 200.0)));
    Snapshot {
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        as_of: None,
        quote: "USD".into(),
        assets,
        underlyings: vec![underlying],
        instruments: vec![Instrument::perpetual("BTC-PERP", 0, 2, 1.0)],
        book: builder.build(),
    }
}

fn settings() -> Settings {
    Settings {
        horizon_hours: 8,
        level: 0.99,
        look_back_days: None,
        impact: 1.0,
        sizes: vec![0.01, 0.1],
        total_cap: None,
        pegs: Pegs { of: BTreeMap::new(), stable: vec!["usdc".into()] },
        peg_floor: 0.01,
        bridge: BTreeMap::from([("WBTC".to_string(), 0.05)]),
        floor: Floor::None,
        step: None,
    }
}

#[test]
fn every_term_of_an_asset_is_said() {
    let (btc, peg) = (swinging(800, 1), vec![1.0; 800]);
    let history = history(4, &[("BTC", &btc), ("USDC", &peg)]);
    let proposed = propose(&snapshot(), &history, &settings()).unwrap();
    let [coin, new, quote, stable, wrapped] = &proposed[..] else { panic!("five assets are held") };
    let market = coin.market.as_ref().unwrap();
    assert_eq!((coin.binding(), coin.tiers.len()), (Some("market"), 2));
    assert_eq!(coin.tiers[0].upper, Some(1.0));
    close(coin.tiers[1].liquidity, market.daily_volatility * libm::sqrt(0.1));
    close(coin.tiers[1].haircut, combined(&[market.haircut, coin.tiers[1].liquidity]));
    assert_eq!(coin.steps().unwrap().at(10.0), 1.0, "beyond the last size nothing counts");
    assert!(new.tiers.is_empty() && new.notes[0].contains("no history"));
    assert_eq!(quote.tiers[0].haircut, 0.0);
    assert_eq!((stable.tiers[0].haircut, stable.binding()), (0.01, Some("peg")));
    assert_eq!(wrapped.market.as_ref().map(|market| market.source.as_str()), Some("BTC"));
    close(wrapped.tiers[0].haircut, combined(&[market.haircut, 0.01, 0.05, wrapped.tiers[0].liquidity]));
    let capped = propose(&snapshot(), &history, &Settings { total_cap: Some(0.5), ..settings() }).unwrap();
    assert_eq!(capped[0].total_cap, Some(TotalCap { deposits: 200.0, cap: 50.0 }));
    close(capped[0].tiers[0].haircut, under_total_cap(coin.tiers[0].haircut, 50.0, 200.0));
    assert_eq!(capped[0].binding(), Some("total cap"));
}

#[test]
fn a_class_takes_its_worst_asset_and_what_is_unknown_stays() {
    let btc = swinging(800, 2);
    let history = history(4, &[("BTC", &btc)]);
    let snapshot = snapshot();
    let flat = HaircutSchedule::flat(0.02);
    let rulebook = Rulebook {
        haircut: BTreeMap::from([("coin".to_string(), flat.clone()), ("new".into(), HaircutSchedule::flat(0.4))]),
        ..Rulebook::default()
    };
    let proposed = propose(&snapshot, &history, &settings()).unwrap();
    let (changes, without) = classes(&snapshot, &rulebook, &proposed, None);
    assert_eq!(without, ["USD"]);
    let [coin, new, stable] = &changes[..] else { panic!("three classes are held") };
    assert_eq!((coin.worst.as_str(), coin.assets.len()), ("WBTC", 2));
    assert_eq!(coin.new.at(0.0), proposed[4].tiers[0].haircut);
    assert_eq!(new.new, Steps::flat(0.4));
    assert_eq!((stable.old.clone(), stable.new.at(0.0)), (None, 0.01));
    let step = StepLimit { relative: 0.5, absolute: 0.01 };
    let (changes, _) = classes(&snapshot, &rulebook, &proposed, Some(step));
    close(changes[0].new.at(0.0), 0.03);
    assert_eq!(changes[0].new.at(10.0), 1.0);
    assert!(changes[0].notes.iter().any(|note| note.contains("step limit")), "{:?}", changes[0].notes);
}

#[test]
fn correlated_collateral_makes_a_component() {
    let btc = swinging(800, 3);
    let snapshot = snapshot();
    let history = history(4, &[("BTC", &btc)]);
    let proposed = propose(&snapshot, &history, &settings()).unwrap();
    let pairs = wrong_way_pairs(&snapshot, &history, &proposed, 0.9);
    let names: Vec<_> = pairs.iter().map(|pair| (pair.collateral.as_str(), pair.underlying.as_str())).collect();
    assert_eq!(names, [("BTC", "BTC"), ("WBTC", "BTC")]);
    close(pairs[0].rate, proposed[0].market.as_ref().unwrap().haircut);
    let component = wrong_way_component(&pairs).unwrap().unwrap();
    assert_eq!(component.cover.collateral.len(), 2);
    assert!(wrong_way_component(&[]).unwrap().is_none());
}

#[test]
fn settings_out_of_range_are_refused() {
    let wrong = [
        Settings { level: 1.0, ..settings() },
        Settings { level: f64::NAN, ..settings() },
        Settings { impact: -1.0, ..settings() },
        Settings { sizes: vec![0.1, 0.1], ..settings() },
        Settings { sizes: vec![0.0], ..settings() },
        Settings { total_cap: Some(0.0), ..settings() },
        Settings { peg_floor: 1.1, ..settings() },
        Settings { bridge: BTreeMap::from([("A".into(), -0.1)]), ..settings() },
        Settings { floor: Floor::Stress(2.0), ..settings() },
        Settings { step: Some(StepLimit { relative: 0.1, absolute: f64::NAN }), ..settings() },
    ];
    assert!(settings().check().is_ok());
    wrong.iter().for_each(|settings| assert!(settings.check().is_err(), "{settings:?}"));
}

fn replayed(closes: &[f64]) -> Replay {
    let settings = ReplaySettings {
        horizon_hours: 24,
        level: 0.99,
        flat: 0.1,
        look_back_days: 60,
        stress_weight: 0.25,
        impact: 1.0,
        size: 0.1,
        days: 3_000,
    };
    replay(&history(24, &[("A", closes)]), "A", &settings).unwrap()
}

/// One price a day; from day 200 on everything is different, and no haircut of the days before moves.
#[test]
fn the_future_changes_no_past_haircut() {
    const CUT: usize = 200;
    let calm = swinging(300, 4);
    let mut crashing = calm.clone();
    crashing[CUT + 1..].iter_mut().enumerate().for_each(|(day, price)| *price *= 0.5 / (day + 1) as f64);
    let (calm, crashing) = (replayed(&calm), replayed(&crashing));
    let before = |replay: &Replay| -> Vec<[Option<f64>; 6]> {
        let days = replay.days.iter().filter(|day| day.hour <= CUT as i64 * 24);
        days.map(|day| day.haircuts).collect()
    };
    assert_eq!(before(&calm).len(), CUT + 1);
    assert_eq!(before(&calm), before(&crashing));
    assert_ne!(calm.days[CUT + 5].haircuts, crashing.days[CUT + 5].haircuts, "the crash is seen afterwards");
    assert_eq!(calm.days[29].haircuts[3], None, "too short a past says nothing");
}

#[test]
fn a_replay_counts_what_each_rule_covered() {
    let mut closes: Vec<f64> = (0..100).map(|day| if day % 2 == 0 { 100.0 } else { 98.0 }).collect();
    closes.extend([49.0, 49.0, 49.0]);
    let replay = replayed(&closes);
    assert_eq!(replay.collapse, (99 * 24, 0.5), "within one day from 98 to 49");
    let flat = replay.held[0];
    assert_eq!((flat.days, flat.covered, flat.first_breach), (102, 101, Some(99 * 24)));
    close(flat.largest_shortfall, 0.4);
    close(flat.mean, 0.1);
}

#[test]
fn a_walk_forward_compares_windows_that_do_not_overlap() {
    let closes = swinging(2_000, 5);
    let history = history(1, &[("A", &closes)]);
    let walk = walk_forward(&history, &history.courses[0], 10, 0.9, (None, Floor::None));
    // 300 windows of step 1 are 30 independent ones of span 10; the last of them ends ten hours after it began.
    assert_eq!(walk.first_hour, Some(309));
    assert_eq!(walk.empirical.observations, (1_999 - 309) / 10);
    let share = walk.empirical.exceedances as f64 / walk.empirical.observations as f64;
    assert!((0.03..0.2).contains(&share), "{share}");
    assert_eq!(walk.empirical.observations, walk.gaussian.observations);
}

/// Calm, wild, calm: each rule is held to what it says itself, anew before each window.
#[test]
fn a_walk_forward_tests_the_rule_asked_for() {
    let mut closes = swinging(1_600, 6);
    let start = closes[500];
    (1..=200).for_each(|row| closes[500 + row] = start * if row % 2 == 0 { 1.0 } else { 0.9 });
    let history = history(24, &[("A", &closes)]);
    let course = &history.courses[0];
    let falls = worst_falls(&history, course, 48);
    for rule @ (look_back, floor) in [
        (None, Floor::None),
        (Some(90), Floor::None),
        (Some(90), Floor::Long),
        (Some(90), Floor::Stress(0.3)),
        (Some(400), Floor::Stress(1.0)),
    ] {
        let walk = walk_forward(&history, course, 48, 0.95, rule);
        let (mut next, mut count, mut exceeded) = (0, 0, 0);
        for fall in &falls {
            // Everything anew: the history cut off at the entry.
            let until = fall.entry + 1;
            let cut = Course { name: "A".into(), closes: closes[..until].to_vec(), lows: closes[..until].to_vec() };
            let past = History { hours: history.hours[..until].to_vec(), courses: vec![cut] };
            if fall.entry < next {
                continue;
            }
            let Ok(said) = MarketFall::of(&past, &past.courses[0], 48, 0.95, (look_back, floor)) else { continue };
            next = fall.entry + 2;
            count += 1;
            exceeded += u64::from(fall.loss > said.haircut);
        }
        assert_eq!((walk.empirical.observations, walk.empirical.exceedances), (count, exceeded), "{rule:?}");
        assert!(count > 700, "{rule:?}: {count}");
    }
    let of = |rule| walk_forward(&history, course, 48, 0.95, rule).empirical.exceedances;
    assert!(of((Some(90), Floor::None)) > of((Some(90), Floor::Long)));
    assert_eq!(walk_forward(&history, course, 48, 0.95, (Some(50), Floor::Long)).empirical.observations, 0);
}

/// Ten days of four hours are 59 windows of eight, 29.5 independent ones.
#[test]
fn a_look_back_too_short_says_nothing() {
    let btc = swinging(800, 1);
    let history = history(4, &[("BTC", &btc), ("USDC", &btc)]);
    let proposed = propose(&snapshot(), &history, &Settings { look_back_days: Some(10), ..settings() }).unwrap();
    let [coin, _, _, stable, wrapped] = &proposed[..] else { panic!("five assets are held") };
    for haircut in [coin, stable, wrapped] {
        assert_eq!((haircut.market.is_none(), haircut.tiers.len()), (true, 0), "{:?}", haircut.notes);
        assert_eq!(haircut.too_short, Some(TooShort { windows: 59, independent: 29.5 }));
        assert!(haircut.notes.iter().any(|note| note.contains("29.5 independent windows of history within 10 days")));
    }
    let enough = propose(&snapshot(), &history, &Settings { look_back_days: Some(11), ..settings() }).unwrap();
    assert_eq!(enough[0].market.as_ref().map(|market| market.recent.windows), Some(65));
}

/// Tiers in units of the asset are of other sizes for each asset; none is raised by more than the limit at its own.
#[test]
fn the_step_limit_holds_for_every_asset_of_a_class() {
    let btc = swinging(800, 2);
    let history = history(4, &[("BTC", &btc)]);
    let mut snapshot = snapshot();
    snapshot.assets[0].price = 100.0;
    snapshot.assets[4].price = 0.5;
    let settings = Settings { bridge: BTreeMap::from([("BTC".into(), 0.7)]), ..settings() };
    let proposed = propose(&snapshot, &history, &settings).unwrap();
    let limit = StepLimit { relative: 0.0, absolute: 0.03 };
    let change = |haircuts: [f64; 2]| {
        let old =
            HaircutSchedule { unit: SizeUnit::Asset, bounds: vec![10.0], haircuts: haircuts.into(), initial: None };
        let rulebook = Rulebook { haircut: BTreeMap::from([("coin".to_string(), old)]), ..Rulebook::default() };
        classes(&snapshot, &rulebook, &proposed, Some(limit)).0.remove(0)
    };
    // The second tier begins at 5 of the wrapped coin and at 1,000 of the other; nothing counts from 10 on.
    let near = change([0.3, 0.33]);
    assert!(near.wanted.at(0.0) > 0.7);
    [0.0, 4.0, 5.0, 9.0].iter().for_each(|size| close(near.new.at(*size), 0.33));
    assert_eq!(near.new.at(10.0), 1.0);
    assert!(!near.notes.iter().any(|note| note.contains("beyond the step limit")), "{:?}", near.notes);
    // In force too far apart for both: none is raised further, and what falls further is said.
    let apart = change([0.3, 0.9]);
    close(apart.new.at(5.0), 0.33);
    assert!(apart.notes.iter().any(|note| note.contains("WBTC falls from 90.00 to 33.00 % at 5")), "{:?}", apart.notes);
}

#[test]
fn pegs_of_nothing_known_are_refused() {
    let btc = swinging(100, 1);
    let history = history(4, &[("BTC", &btc), ("EUR", &btc)]);
    let check = |pairs: &[(&str, &str)]| {
        let of = pairs.iter().map(|(name, reference)| (name.to_string(), reference.to_string())).collect();
        Pegs { of, stable: Vec::new() }.check(&snapshot(), &history).map_err(|error| error.to_string())
    };
    for known in [&[("WBTC", "BTC")][..], &[("USDC", "USD")], &[("USDC", "EUR")], &[("NEW", "WBTC"), ("WBTC", "BTC")]] {
        assert_eq!(check(known), Ok(()));
    }
    for (wrong, words) in [
        (&[("WBTC", "XYZ")][..], "\"XYZ\""),
        (&[("WBTC", "WBTC")], "WBTC follows itself"),
        (&[("BTC", "btc")], "BTC follows itself"),
        (&[("NEW", "USDC"), ("USDC", "NEW")], "NEW=USDC=NEW"),
        // WBTC follows BTC by its underlying.
        (&[("BTC", "WBTC")], "BTC=WBTC=BTC"),
        (&[("USD", "BTC")], "quote currency"),
    ] {
        assert!(check(wrong).is_err_and(|error| error.contains(words)), "{wrong:?}: {:?}", check(wrong));
    }
}

#[test]
fn totals_are_courses_that_end_near_nothing() {
    let none = f64::NAN;
    let history = history(1, &[("GONE", &[10.0, 0.1, none]), ("LEFT", &[10.0, 9.0, none]), ("LOW", &[10.0, 0.1, 0.1])]);
    let names: Vec<_> = total_losses(&history, 0.1).iter().map(|course| course.name.as_str()).collect();
    assert_eq!(names, ["GONE"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn longer_horizons_and_larger_sizes_never_lower_a_haircut(seed in 1u64..10_000, short in 1i64..12, more in 0i64..12) {
        let mut closes = swinging(400, seed);
        // A quiet end: the windows that a longer horizon loses there hold no fall.
        let last = closes[399];
        closes.extend(vec![last; 30]);
        let history = history(1, &[("A", &closes)]);
        let course = &history.courses[0];
        let quantile = |span: i64| Sample::of(worst_falls(&history, course, span).iter().map(|fall| fall.loss)).quantile(0.9);
        prop_assert!(quantile(short + more) >= quantile(short));
        let scaled: Vec<f64> = closes.iter().map(|price| price * 1024.0).collect();
        let other = History { hours: history.hours.clone(), courses: vec![Course { name: "A".into(), closes: scaled.clone(), lows: scaled }] };
        prop_assert_eq!(worst_falls(&other, &other.courses[0], short), worst_falls(&history, course, short));
        let mut past = Past::new(&history, course, &[], short, None);
        past.move_to(400);
        let liquidity = Liquidity { volume: Volume::Daily(1e6), impact: 1.0, daily_volatility: past.volatility(24.0).unwrap() };
        let slippage = [0.0, 1.0, 1e3, 1e6, 1e30].map(|size| liquidity.slippage(size));
        prop_assert!(slippage.windows(2).all(|pair| pair[0] <= pair[1]));
        prop_assert!(slippage.iter().all(|share| (0.0..=1.0).contains(share)));
    }

    #[test]
    fn every_class_is_well_formed(seed in 1u64..10_000, floor in 0.0f64..1.0, impact in 0.0f64..5.0, look_back in 1u32..90) {
        let (btc, wrapped) = (swinging(500, seed), swinging(500, seed + 1));
        let history = history(4, &[("BTC", &btc), ("WBTC", &wrapped)]);
        let settings = Settings { impact, floor: Floor::Stress(floor), look_back_days: Some(look_back), ..settings() };
        let snapshot = snapshot();
        let proposed = propose(&snapshot, &history, &settings).unwrap();
        let limit = StepLimit { relative: floor, absolute: 0.02 };
        let old = HaircutSchedule { unit: SizeUnit::Quote, bounds: vec![5.0], haircuts: vec![0.1, 0.6], initial: Some(vec![0.2, 0.7]) };
        let rulebook = Rulebook { haircut: BTreeMap::from([("coin".to_string(), old)]), ..Rulebook::default() };
        let (changes, _) = classes(&snapshot, &rulebook, &proposed, Some(limit));
        let rulebook = Rulebook { haircut: changes.into_iter().map(|change| (change.class, change.schedule)).collect(), ..rulebook };
        let read = Rulebook::parse(&rulebook.to_toml(), "r");
        prop_assert!(read.is_ok(), "{:?}", read);
        prop_assert_eq!(read.unwrap(), rulebook);
    }
}
