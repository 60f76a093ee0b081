use ndarray::{Array2, array};
use proptest::prelude::*;

use super::haircut::{bridge, credit_share, delayed, horizon_seconds, market, measured, on_route};
use super::*;
use crate::domain::{
    Asset, Balance, BookBuilder, Custody, CustodyStatus, HaircutCurve, Latency, Route, Snapshot, Underlying,
};
use crate::margin::{HaircutSchedule, Rulebook, SizeUnit};
use crate::scenario::{Factor, ScenarioSet};

/// Final after 17 minutes, at worst 21:15; messages take a minute, at worst ten; an hour to sell.
fn arbitrum() -> Route {
    let message = Latency { typical_seconds: 60.0, p99_seconds: 600.0 };
    Route::new("arbitrum", Latency::typical(1_020.0), message)
}

fn curve(points: &[(f64, f64)]) -> HaircutCurve {
    HaircutCurve { class: "major".into(), points: points.into() }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

#[test]
fn the_worked_example_comes_out_by_hand() {
    let route = arbitrum();
    let seconds = horizon_seconds(&route, 0.0);
    assert_eq!(seconds, 1_275.0 + 600.0 + 3_600.0);
    let fall = market(0.05, None, 3_600.0, seconds);
    assert!(close(fall, 0.05 * (5_475.0f64 / 3_600.0).sqrt()), "{fall}");
    assert!((fall - 0.061_661).abs() < 5e-7, "{fall}");
    assert!(close(bridge(&route), 0.05 * 30.0 / 365.0));
    let share = credit_share(0.05, fall, bridge(&route));
    // 1 − 0.938339 · 0.995890 = 0.065517, rounded up.
    let haircut = on_route(0.05, share);
    assert!(close(haircut, 0.065_518), "{haircut}");
    // The next tier keeps what it takes for size: 1 − 0.925 · share.
    assert!((on_route(0.075, share) - (1.0 - 0.925 * share)).abs() < 1e-6);
    assert_eq!(on_route(1.0, share), 1.0);
}

#[test]
fn a_route_says_its_own_haircut_or_expects_a_loss() {
    let route = Route { failure_per_year: 0.1, loss_given_failure: 0.5, review_days: 73.0, ..arbitrum() };
    assert!(close(bridge(&route), 0.01));
    assert!(close(bridge(&Route { capital_multiple: 4.0, ..route.clone() }), 0.05));
    assert_eq!(bridge(&Route { failure_per_year: 1e30, ..route.clone() }), 1.0);
    assert_eq!(bridge(&Route { haircut: Some(0.2), ..route }), 0.2);
}

#[test]
fn a_curve_is_read_at_its_points_and_between_by_the_root_of_time() {
    let curve = curve(&[(3_600.0, 0.084), (14_400.0, 0.15)]);
    assert_eq!(measured(&curve, 60.0), 0.084, "never below the first point");
    assert_eq!(measured(&curve, 3_600.0), 0.084);
    assert!(close(measured(&curve, 8_100.0), 0.117), "halfway in √time: 60, 90, 120");
    assert_eq!(measured(&curve, 14_400.0), 0.15);
    assert!(close(measured(&curve, 57_600.0), 0.3));
    assert_eq!(measured(&curve, 1e30), 1.0);
    assert_eq!(market(0.1, Some(&curve), 3_600.0, 3_600.0), 0.1, "never below the settled haircut");
}

#[test]
fn a_delay_costs_what_the_longer_horizon_costs() {
    let route = arbitrum();
    let change = delayed(0.05, None, &route, 6.0 * 3_600.0);
    let (before, after) = (0.05 * (5_475.0f64 / 3_600.0).sqrt(), 0.05 * (27_075.0f64 / 3_600.0).sqrt());
    assert!(close(change, (1.0 - after) / (1.0 - before) - 1.0), "{change}");
    assert_eq!(delayed(0.05, None, &route, 0.0), 0.0);
    assert_eq!(delayed(1.0, None, &route, 1.0), -1.0);
    assert_eq!(delayed(0.0, None, &route, 1e9), 0.0);
}

/// Two routes; ETH and USDC settled, ETH attested on `a` (40 in two pools) and in transit on it (5), USDC attested on `b`.
fn snapshot() -> Snapshot {
    let mut ether = Asset::new("ETH", 100.0);
    ether.haircut_class = Some("major".into());
    let dollar = Asset::new("USDC", 1.0);
    let on = |asset: &Asset, route: &str, status| asset.on_route(route, status, None);
    let assets = vec![
        ether.clone(),
        on(&ether, "a", CustodyStatus::Attested),
        on(&ether, "a", CustodyStatus::InTransit),
        Asset::new("USD", 1.0),
        dollar.clone(),
        on(&dollar, "b", CustodyStatus::Attested),
    ];
    assert!(assets.is_sorted_by(|a, b| a.name < b.name));
    let mut builder = BookBuilder::default();
    for (account, balances) in [("x", [(0, 1.0), (1, 30.0)].as_slice()), ("y", &[(1, 10.0), (2, 5.0), (5, 700.0)])] {
        let pool = builder.pool(account, "main");
        balances.iter().for_each(|&(asset, amount)| builder.add_balance(pool, Balance::new(asset, amount)));
    }
    Snapshot {
        as_of: None,
        quote: "USD".into(),
        assets,
        underlyings: vec![Underlying::new("ETH", 100.0)],
        instruments: Vec::new(),
        routes: ["a", "b"].map(|name| Route { name: name.into(), ..arbitrum() }).into(),
        haircut_curves: Vec::new(),
        book: builder.build(),
    }
}

fn rulebook() -> Rulebook {
    let major = HaircutSchedule {
        unit: SizeUnit::Quote,
        bounds: vec![1_000.0],
        haircuts: vec![0.05, 0.1],
        initial: Some(vec![0.1, 0.2]),
    };
    Rulebook { haircut: [("major".into(), major)].into(), ..Rulebook::default() }
}

#[test]
fn every_class_gets_a_class_on_every_route() {
    let credit = credit_routes(&snapshot(), &rulebook(), None).expect("routes");
    let names: Vec<&str> = credit.rulebook.haircut.keys().map(String::as_str).collect();
    assert_eq!(names, ["USDC@a", "USDC@b", "major", "major@a", "major@b"]);
    let share = credit_share(0.05, 0.05 * (5_475.0f64 / 3_600.0).sqrt(), 0.05 * 30.0 / 365.0);
    let on_a = &credit.rulebook.haircut["major@a"];
    assert_eq!(on_a.haircuts, [on_route(0.05, share), on_route(0.1, share)]);
    assert_eq!(on_a.initial, Some(vec![on_route(0.1, share), on_route(0.2, share)]));
    assert_eq!(on_a.bounds, [1_000.0]);
    let totals = &credit.routes[0];
    assert_eq!((totals.attested_quote, totals.in_transit_quote, totals.limit_quote), (4_000.0, 500.0, None));
    let [low, high] = on_a.haircuts[..] else { panic!("two tiers") };
    let counts = 3_000.0 - 1_000.0 * low - 2_000.0 * high + 1_000.0 * (1.0 - low);
    assert!((totals.credited_quote - counts).abs() < 1e-9, "{totals:?}");
    assert_eq!(totals.share_of_fund, None);
    let again = credit_routes(&snapshot(), &credit.rulebook, None).expect("routes");
    assert_eq!(again.rulebook, credit.rulebook, "a second run makes no routes of routes");
}

#[test]
fn a_limit_scales_what_the_whole_book_is_credited() {
    let mut snapshot = snapshot();
    snapshot.routes[0].cap_quote = Some(1_000.0);
    let fund = Some(FundLimit { fund_quote: 700.0, multiple: 0.5 });
    let credit = credit_routes(&snapshot, &rulebook(), fund).expect("routes");
    for (totals, limit) in credit.routes.iter().zip([350.0, 350.0]) {
        assert_eq!(totals.limit_quote, Some(limit));
        assert!(totals.credited_quote <= limit && totals.credited_quote > limit - 0.01, "{totals:?}");
        assert!((totals.share_of_fund.expect("a fund") - 0.5).abs() < 1e-4);
    }
    let capped = credit_routes(&snapshot, &rulebook(), None).expect("routes");
    assert_eq!((capped.routes[0].limit_quote, capped.routes[1].limit_quote), (Some(1_000.0), None));
    assert_eq!(capped.routes[1].scale, 1.0);
    snapshot.routes[0].cap_quote = Some(0.0);
    let nothing = credit_routes(&snapshot, &rulebook(), None).expect("routes");
    assert_eq!((nothing.routes[0].credited_quote, nothing.rulebook.haircut["major@a"].haircuts[0]), (0.0, 1.0));
}

#[test]
fn a_class_for_what_is_in_transit_uses_up_the_limit_first() {
    let mut rulebook = rulebook();
    rulebook.haircut.insert("major@a:transit".into(), HaircutSchedule::flat(0.5));
    let mut snapshot = snapshot();
    snapshot.routes[0].cap_quote = Some(300.0);
    let credit = credit_routes(&snapshot, &rulebook, None).expect("routes");
    assert_eq!(credit.rulebook.haircut["major@a:transit"].haircuts, [0.5], "kept, and no class of its own made of it");
    assert!((credit.routes[0].credited_quote - 300.0).abs() < 0.01 && credit.routes[0].credited_quote <= 300.0);
    assert!(!credit.rulebook.haircut.keys().any(|class| class.matches('@').count() > 1));
}

#[test]
fn what_is_in_transit_stays_within_the_limit_alone() {
    let mut rulebook = rulebook();
    rulebook.haircut.insert("major@a:transit".into(), HaircutSchedule::flat(0.3));
    let mut snapshot = snapshot();
    snapshot.routes[0].cap_quote = Some(100.0);
    let credit = credit_routes(&snapshot, &rulebook, None).expect("routes");
    let on_a = &credit.routes[0];
    assert!((on_a.in_transit_scale - 100.0 / 350.0).abs() < 1e-9 && on_a.scale == 0.0, "{on_a:?}");
    assert!(on_a.credited_quote <= 100.0 && on_a.credited_quote > 99.99, "{on_a:?}");
    let again = credit_routes(&snapshot, &credit.rulebook, None).expect("routes");
    assert_eq!(again.rulebook, credit.rulebook, "what fits is kept");
}

fn set(columns: &[&str], shocks: Array2<f64>) -> ScenarioSet {
    let count = shocks.nrows();
    ScenarioSet {
        ids: (0..count).map(|k| k.to_string()).collect(),
        weights: vec![1.0; count],
        labels: vec![String::new(); count],
        factors: columns.iter().map(|column| Factor::parse(column).expect("a factor")).collect(),
        shocks,
    }
}

/// The shock of a factor in the first scenario.
fn shock(set: &ScenarioSet, factor: &str) -> f64 {
    let column = set.column(&Factor::parse(factor).expect("a factor"));
    set.shock(0, column.unwrap_or_else(|| panic!("no {factor} in {:?}", set.factors)))
}

fn names(set: &ScenarioSet) -> Vec<String> {
    set.factors.iter().map(Factor::to_string).collect()
}

#[test]
fn a_route_moves_every_asset_on_it_on_top_of_the_settled_one() {
    let moved = set(&["price:ETH", "asset:ETH", "route:a", "reorg:a"], array![[-0.1, -0.2, -0.3, 0.5]]);
    let resolved = resolve(moved, &snapshot(), &rulebook());
    assert_eq!(names(&resolved), ["price:ETH", "asset:ETH", "asset:ETH@a", "asset:ETH@a:transit"]);
    assert!(close(shock(&resolved, "asset:ETH@a"), 0.8 * 0.7 - 1.0));
    assert!(close(shock(&resolved, "asset:ETH@a:transit"), 0.8 * 0.7 * 0.5 - 1.0));
    assert_eq!(shock(&resolved, "asset:ETH"), -0.2);
    let own = set(&["asset:ETH@a", "asset:ETH", "route:a"], array![[-0.5, -0.2, 0.0]]);
    let resolved = resolve(own, &snapshot(), &rulebook());
    assert_eq!(shock(&resolved, "asset:ETH@a"), -0.5, "what is said of the asset itself counts alone");
    assert_eq!(shock(&resolved, "asset:ETH@a:transit"), -0.2, "to the last bit");
}

#[test]
fn censorship_and_delay_take_credit_and_staleness_hides_moves() {
    let moved = set(&["censor:a", "delay:a", "stale:a", "lag:ETH"], array![[0.25, 6.0, 0.5, 0.5]]);
    let resolved = resolve(moved, &snapshot(), &rulebook());
    assert_eq!(
        names(&resolved),
        ["lag:ETH", "lag:ETH@a", "lag:ETH@a:transit", "credit:ETH@a", "credit:ETH@a:transit"],
        "prices stay, so raw equity stays"
    );
    let late = delayed(0.05, None, &snapshot().routes[0], 6.0 * 3_600.0);
    assert!(late < -0.05 && close(shock(&resolved, "credit:ETH@a"), 0.75 * (1.0 + late) - 1.0));
    assert_eq!(shock(&resolved, "lag:ETH@a"), 0.75);
}

#[test]
fn what_reaches_nothing_stays_to_be_reported() {
    let moved = set(&["route:b", "reorg:b", "route:nowhere"], array![[-1.0, 1.0, -1.0]]);
    let resolved = resolve(moved, &snapshot(), &rulebook());
    assert_eq!(names(&resolved), ["reorg:b", "route:nowhere", "asset:USDC@b"]);
    assert_eq!(shock(&resolved, "asset:USDC@b"), -1.0);
    let plain = set(&["price:ETH"], array![[f64::NAN]]);
    assert!(resolve(plain, &snapshot(), &rulebook()).shocks[[0, 0]].is_nan());
}

#[test]
fn a_curve_decides_what_a_delay_costs() {
    let mut snapshot = snapshot();
    snapshot.haircut_curves = vec![curve(&[(3_600.0, 0.084), (43_200.0, 0.252)])];
    let resolved = resolve(set(&["delay:a"], array![[6.0]]), &snapshot, &rulebook());
    let expected = delayed(0.05, snapshot.haircut_curves.first(), &snapshot.routes[0], 6.0 * 3_600.0);
    assert_eq!(shock(&resolved, "credit:ETH@a"), expected);
    assert!(expected < delayed(0.05, None, &snapshot.routes[0], 6.0 * 3_600.0));
}

#[test]
fn a_path_is_resolved_step_by_step() {
    let path = crate::liquidation::Path::of_scenario(&set(&["route:a"], array![[-0.3]]), 0, 1);
    let resolved = path.clone().with_markets(&resolve(path.scenarios(), &snapshot(), &rulebook()));
    let shocked: Vec<String> = resolved.steps[0].shocks.iter().map(|(factor, _)| factor.to_string()).collect();
    assert_eq!(shocked, ["asset:ETH@a", "asset:ETH@a:transit"]);
    let mut elsewhere = snapshot();
    elsewhere.assets.iter_mut().for_each(|asset| asset.custody = None);
    assert_eq!(path.clone().with_markets(&resolve(path.scenarios(), &elsewhere, &rulebook())), path);
}

#[test]
fn names_say_where_a_lot_stands() {
    let custody = |status| Custody { asset: "USDC".into(), route: "arbitrum".into(), status };
    assert_eq!(custody(CustodyStatus::Attested).asset_name(), "USDC@arbitrum");
    assert_eq!(custody(CustodyStatus::InTransit).asset_name(), "USDC@arbitrum:transit");
    assert_eq!(custody(CustodyStatus::InTransit).haircut_class(Some("stable")), "stable@arbitrum:transit");
    assert_eq!(custody(CustodyStatus::Attested).haircut_class(None), "USDC@arbitrum");
}

proptest! {
    /// In exact numbers: haircuts as they are written, lots and prices as they are read.
    #[test]
    fn what_counts_is_at_most_the_limit(
        amounts in prop::array::uniform4(0.001..1e6f64),
        (price, part) in (1e-3..1e5f64, 0.0..1.2f64),
        (low, step) in (0.0..0.5f64, 0.0..0.5f64),
        in_transit in prop::option::of(0.0..1.0f64),
    ) {
        use crate::number::{Exact, Number};

        let mut snapshot = snapshot();
        snapshot.assets[..3].iter_mut().for_each(|asset| asset.price = price);
        let cap = part * price * amounts.iter().sum::<f64>();
        snapshot.routes[0].cap_quote = Some(cap);
        let mut builder = BookBuilder::default();
        for (account, amount) in ["w", "x", "y"].into_iter().zip(amounts) {
            let pool = builder.pool(account, "main");
            builder.add_balance(pool, Balance::new(1, amount));
        }
        let pool = builder.pool("z", "main");
        builder.add_balance(pool, Balance::new(2, amounts[3]));
        snapshot.book = builder.build();
        let mut rulebook = rulebook();
        let major = rulebook.haircut.get_mut("major").expect("a class");
        (major.haircuts, major.initial) = (vec![low, low + step], None);
        rulebook.haircut.extend(in_transit.map(|cut| ("major@a:transit".to_string(), HaircutSchedule::flat(cut))));
        let credit = credit_routes(&snapshot, &rulebook, None).expect("routes");
        let kept = |class: &str, amount: f64| {
            let value = Exact::of(amount).times(&Exact::of(price));
            credit.rulebook.haircut.get(class).map_or(Exact::of(0.0), |cut| cut.kept(&value, &Exact::of(price)))
        };
        let attested = amounts[..3].iter().map(|amount| kept("major@a", *amount));
        let counts = attested.fold(kept("major@a:transit", amounts[3]), |sum, kept| sum.plus(&kept));
        prop_assert!(counts.minus(&Exact::of(cap)).sign() != Some(std::cmp::Ordering::Greater), "{:?}", credit.routes[0]);
        prop_assert!(credit.routes[0].credited_quote <= cap);
    }

    #[test]
    fn more_delay_never_raises_credit(
        settled in 0.0..1.0f64,
        falls in prop::collection::vec(0.0..1.0f64, 1..5),
        is_measured in any::<bool>(),
        mut delays in prop::array::uniform2(0.0..1e6f64),
    ) {
        delays.sort_by(f64::total_cmp);
        let mut falls = falls;
        falls.sort_by(f64::total_cmp);
        let points: Vec<(f64, f64)> = falls.iter().enumerate().map(|(k, fall)| (1_000.0 * 4f64.powi(k as i32), *fall)).collect();
        let curve = curve(&points);
        let curve = is_measured.then_some(&curve);
        let [less, more] = delays.map(|delay| delayed(settled, curve, &arbitrum(), delay));
        prop_assert!(more <= less + 1e-15, "{more} {less}");
        prop_assert!((-1.0..=0.0).contains(&more));
    }

    #[test]
    fn a_route_never_counts_more_than_what_is_settled(
        settled in 0.0..=1.0f64,
        seconds in 0.0..1e6f64,
        haircut in 0.0..=1.0f64,
        scale in 0.0..=1.0f64,
    ) {
        let fall = market(settled, None, 3_600.0, 3_600.0 + seconds);
        let share = credit_share(settled, fall, 0.01) * scale;
        prop_assert!((0.0..=1.0).contains(&share));
        let cut = on_route(haircut, share);
        prop_assert!(cut >= haircut && cut <= 1.0);
    }
}
