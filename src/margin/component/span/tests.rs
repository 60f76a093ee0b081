use super::*;
use crate::domain::{Asset, Instrument, Right, Underlying};
use crate::margin::Rulebook;
use crate::margin::component::fixture::{Bench, Holdings, moves, under};
use crate::margin::component::{Component, Kind};
use crate::scenario::FactorKind;

const DAY: i64 = 86_400;

fn span(range: f64) -> Span {
    Span {
        range: ByName { default: range, ..ByName::default() },
        range_unit: RangeUnit::Relative,
        volatility: VolatilityRange { up: 0.35, down: 0.35, ..VolatilityRange::default() },
        extreme_multiple: 3.0,
        extreme_cover: 0.33,
        look_ahead_days: 1.0,
        delta_weights: [0.27, 0.217, 0.11, 0.037],
        charge_unit: ChargeUnit::Quote,
        tiers: vec![45.0],
        spreads: Vec::new(),
        delivery: None,
        short_options: None,
        inter: Vec::new(),
    }
}

fn bench(holdings: Holdings, span: &Span) -> Bench {
    Bench::of(holdings, Component::of(Cover::default(), Per::Pool, Kind::Span(span.clone())))
}

fn value(holdings: Holdings, span: &Span) -> f64 {
    bench(holdings, span).agreed(Column::Base)
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
}

/// Worked by hand: a long future at 100, R 12 %: thirds of 12, extremes of 36 counted by 0.33.
#[test]
fn the_array_of_a_future_is_thirds_of_the_range() {
    let mut holdings = Holdings::of("U", 100.0);
    holdings.hold(holdings.future(100.0, 30 * DAY), 1.0);
    let span = span(0.12);
    let bench = bench(holdings, &span);
    let losses =
        bench.of_parts(|part| span.grid().losses::<f64>(part, &(part.setting().rows, Column::Base))).swap_remove(0);
    let expected =
        [0.0, 0.0, -4.0, -4.0, 4.0, 4.0, -8.0, -8.0, 8.0, 8.0, -12.0, -12.0, 12.0, 12.0, -0.33 * 36.0, 0.33 * 36.0];
    assert_eq!(losses.len(), expected.len());
    losses.iter().zip(expected).for_each(|(loss, expected)| assert_near(*loss, expected));
    assert_near(bench.agreed(Column::Base), 12.0);
}

/// R = 120 points is 30,000 USD on a future of 250 USD a point.
#[test]
fn a_range_in_points_is_as_published() {
    let mut holdings = Holdings::of("SP", 1_350.0);
    holdings.hold(Instrument { contract_size: 250.0, ..holdings.future(1_350.0, 30 * DAY) }, -1.0);
    assert_near(value(holdings, &Span { range_unit: RangeUnit::Quote, ..span(120.0) }), 30_000.0);
}

/// Worked by hand: a call that expires with the look-ahead is worth its payoff, so a covered write loses 12 − V at −R, and
/// 0.35·(24 − V) at −2R.
#[test]
fn a_covered_write_loses_the_range_less_the_premium() {
    for (multiple, cover) in [(2.0, 0.35), (3.0, 0.33)] {
        let mut holdings = Holdings::of("U", 100.0);
        holdings.hold(holdings.future(100.0, 30 * DAY), 1.0);
        holdings.hold(holdings.option(Right::Call, 100.0, DAY, (100.0, 0.5)), -1.0);
        let premium =
            crate::pricing::European { right: Right::Call, strike: 100.0, numeraire: crate::pricing::Numeraire::Quote };
        let market = crate::pricing::OptionMarket {
            index: 100.0,
            forward: 100.0,
            volatility: 0.5,
            years: 1.0 / 365.0,
            rate: 0.0,
        };
        let premium = premium.price(&market).value;
        let risk = (12.0 - premium).max(cover * (12.0 * multiple - premium));
        let span = Span { extreme_multiple: multiple, extreme_cover: cover, ..span(0.12) };
        assert_near(value(holdings, &span), risk);
    }
}

/// Two months: one long at 100, one short at 102; the ranges differ by 0.2, one spread is charged 1.5.
#[test]
fn a_calendar_pays_the_difference_of_the_scans_and_a_charge() {
    let calendar = |far: f64| {
        let mut holdings = Holdings::of("U", 100.0);
        holdings.hold(holdings.future(100.0, 30 * DAY), 1.0);
        holdings.hold(holdings.future(102.0, 60 * DAY), far);
        holdings
    };
    let between = Span { spreads: vec![CalendarSpread { tiers: [0, 1], rate: 1.5 }], ..span(0.1) };
    assert_near(value(calendar(-1.0), &between), 0.2 + 1.5);
    assert_near(value(calendar(1.0), &between), 20.2);
    // Both months in one tier: only a spread within it forms.
    let within =
        Span { tiers: vec![90.0], spreads: vec![CalendarSpread { tiers: [0, 0], rate: 2.5 }], ..between.clone() };
    assert_near(value(calendar(-1.0), &within), 0.2 + 2.5);
    assert_near(value(calendar(-1.0), &Span { tiers: vec![90.0], ..between.clone() }), 0.2);
    // As a share of the index, and with a charge near delivery on what the first month holds.
    let delivery = Some(Delivery { days: 30.0, rate: 0.02 });
    let of_index = Span { charge_unit: ChargeUnit::Index, delivery, ..between };
    assert_near(value(calendar(-1.0), &of_index), 0.2 + 150.0 + 2.0);
}

/// Deltas 3 long in the first tier, 2 short in the second, 4 short in the third: 2 spreads 1–2, then the 1 that is left 1–3.
#[test]
fn spreads_are_formed_in_order_from_what_is_left() {
    let hold = || {
        let mut holdings = Holdings::of("U", 100.0);
        holdings.hold(holdings.future(100.0, 30 * DAY), 3.0);
        holdings.hold(holdings.future(100.0, 60 * DAY), -2.0);
        holdings.hold(holdings.future(100.0, 120 * DAY), -4.0);
        holdings
    };
    let spread = |a: usize, b: usize, rate: f64| CalendarSpread { tiers: [a, b], rate };
    let in_order = |spreads: Vec<CalendarSpread>| Span { tiers: vec![45.0, 90.0], spreads, ..span(0.1) };
    let (near, far) = (spread(0, 1, 1.0), spread(0, 2, 10.0));
    assert_near(value(hold(), &in_order(vec![near, far])), 30.0 + 2.0 + 10.0);
    assert_near(value(hold(), &in_order(vec![far, near])), 30.0 + 30.0);
    let three = in_order(vec![near, far, spread(1, 2, 5.0)]);
    assert_near(value(hold(), &three), 30.0 + 2.0 + 10.0);
    assert!(bench(hold(), &three).lowered(Column::Base).is_none(), "three spreads are left to the direct formula");
}

#[test]
fn short_options_have_a_least_risk() {
    let hold = || {
        let mut holdings = Holdings::of("U", 100.0);
        holdings.hold(holdings.option(Right::Call, 400.0, 10 * DAY, (100.0, 0.3)), -5.0);
        holdings.hold(holdings.option(Right::Put, 20.0, 10 * DAY, (100.0, 0.3)), -3.0);
        holdings.hold(holdings.option(Right::Call, 380.0, 10 * DAY, (100.0, 0.3)), 50.0);
        holdings
    };
    let least = |count, charge_unit| {
        let rate = if charge_unit == ChargeUnit::Quote { 0.375 } else { 0.03 };
        Span { charge_unit, short_options: Some(ShortOptionMinimum { rate, count }), ..span(0.1) }
    };
    assert_near(value(hold(), &least(ShortOptionCount::Sum, ChargeUnit::Quote)), 8.0 * 0.375);
    assert_near(value(hold(), &least(ShortOptionCount::LargerRight, ChargeUnit::Quote)), 5.0 * 0.375);
    assert_near(value(hold(), &least(ShortOptionCount::Sum, ChargeUnit::Index)), 8.0 * 3.0);
}

/// cme-inter-spread: two corn against one soy, 2,000 each, credited 55 %: 6,000 becomes 2,700.
#[test]
fn a_spread_between_underlyings_is_credited_as_published() {
    let hold = |soy: f64| {
        let mut holdings = Holdings::of("CORN", 400.0);
        holdings.assets.push(Asset::new("SOY", 1_000.0));
        holdings.underlyings.push(Underlying::new("SOY", 1_000.0));
        holdings.hold(Instrument { contract_size: 50.0, ..holdings.future(400.0, 30 * DAY) }, 2.0);
        let contract = Instrument { contract_size: 20.0, underlying: 1, ..holdings.future(1_000.0, 30 * DAY) };
        holdings.hold(Instrument { settlement_asset: 2, price_asset: 2, ..contract }, soy);
        holdings
    };
    let leg = |underlying: &str, ratio: f64, side: LegSide| InterLeg { underlying: underlying.into(), ratio, side };
    let legs = vec![leg("CORN", 100.0, LegSide::A), leg("SOY", 20.0, LegSide::B)];
    let mut inter = span(0.1);
    inter.inter = vec![InterSpread { legs, rate: 0.55 }];
    assert_near(value(hold(-1.0), &inter), 2_700.0);
    assert_near(value(hold(1.0), &inter), 6_000.0);
    // Half a spread is credited half of the corn, and all of the soy.
    assert_near(value(hold(-0.5), &inter), 5_000.0 - 0.55 * 3_000.0);
    assert!(bench(hold(-1.0), &inter).lowered(Column::Base).is_none(), "a quotient is left to the direct formula");
}

/// Worked by hand: a call struck at 102 that expires with the look-ahead has a delta of 1 at 104, 108 and 112, else 0.
#[test]
fn composite_delta_is_the_weighted_mean_over_the_prices() {
    let mut holdings = Holdings::of("U", 100.0);
    holdings.hold(Instrument { contract_size: 10.0, ..holdings.option(Right::Call, 102.0, DAY, (100.0, 0.5)) }, -3.0);
    let span = span(0.12);
    let deltas =
        bench(holdings, &span).of_parts(|part| span.net_delta::<f64>(part, &(part.setting().rows, Column::Base)));
    assert_near(deltas[0], -30.0 * (0.217 + 0.11 + 0.037) / (0.27 + 2.0 * (0.217 + 0.11 + 0.037)));
}

/// Of short straddles the volatility is part of the scan but not of the price risk that is credited.
#[test]
fn only_price_risk_is_credited() {
    let mut holdings = Holdings::of("A", 100.0);
    holdings.assets.push(Asset::new("B", 50.0));
    holdings.underlyings.push(Underlying::new("B", 50.0));
    holdings.hold(holdings.option(Right::Call, 100.0, 30 * DAY, (100.0, 0.4)), -10.0);
    holdings.hold(holdings.option(Right::Put, 90.0, 30 * DAY, (100.0, 0.4)), -4.0);
    let contract = Instrument { underlying: 1, ..holdings.future(50.0, 30 * DAY) };
    holdings.hold(Instrument { settlement_asset: 2, price_asset: 2, ..contract }, 20.0);
    let leg = |underlying: &str, side: LegSide| InterLeg { underlying: underlying.into(), ratio: 1.0, side };
    // The extremes count for so little that the range is the worst.
    let mut inter = Span { extreme_cover: 0.1, ..span(0.1) };
    inter.inter = vec![InterSpread { legs: vec![leg("A", LegSide::B), leg("B", LegSide::A)], rate: 0.8 }];
    let bench = bench(holdings, &inter);
    let (grid, column) = (inter.grid(), Column::Base);
    let parts = bench.of_parts(|part| {
        let of = |part: &Part<'_, '_>| {
            let market = (part.setting().rows, column);
            (grid.losses::<f64>(part, &market), inter.net_delta::<f64>(part, &market))
        };
        inter.commodities(part).iter().map(of).collect::<Vec<_>>()
    });
    let [(options, delta), (_, future_delta)] = &parts[0][..] else { panic!("two underlyings") };
    assert!(*delta < -1.0 && -delta < *future_delta, "the options are the scarcer leg: {delta}");
    // A rise with volatility up is the worst for them.
    let scan = options.iter().copied().fold(0.0, f64::max);
    assert_near(options[10], scan);
    let price_risk = (options[10] + options[11] - options[0] - options[1]) / 2.0;
    assert!(price_risk < 0.9 * scan, "{price_risk} of {scan}");
    assert_near(bench.agreed(column), scan + 100.0 - 0.8 * (price_risk - delta * 5.0));
}

#[test]
fn options_spreads_and_minima_mean_the_same_in_every_number_and_lowered() {
    let mut all = Span {
        short_options: Some(ShortOptionMinimum { rate: 0.01, count: ShortOptionCount::LargerRight }),
        ..span(0.15)
    };
    all.charge_unit = ChargeUnit::Index;
    all.spreads = vec![CalendarSpread { tiers: [0, 0], rate: 0.002 }, CalendarSpread { tiers: [0, 1], rate: 0.004 }];
    all.delivery = Some(Delivery { days: 25.0, rate: 0.01 });
    let mut holdings = Holdings::of("BTC", 50_000.0);
    holdings.hold(holdings.perpetual(50_000.0), 0.4);
    holdings.hold(holdings.future(50_900.0, 100 * DAY), -2.0);
    holdings.hold(holdings.option(Right::Call, 52_000.0, 20 * DAY, (50_200.0, 0.6)), -1.5);
    holdings.hold(holdings.option(Right::Put, 45_000.0, 60 * DAY, (50_500.0, 0.7)), -2.5);
    let factors = [(FactorKind::Price, "BTC"), (FactorKind::Volatility, "BTC"), (FactorKind::Time, "")];
    let scenarios = moves(&factors, &[&[-0.3, 0.4, 0.0], &[0.2, -0.2, 0.02], &[0.0, 0.0, 0.1]]);
    let component = Component::of(Cover::default(), Per::Pool, Kind::Span(all));
    let bench = Bench::new(holdings, under(component), &scenarios).expect("finite values");
    for column in [Column::Base, Column::Scenario(0), Column::Scenario(1), Column::Scenario(2)] {
        assert!(bench.agreed(column) > 0.0);
        assert!(bench.lowered(column).is_some());
    }
}

#[test]
fn a_file_says_all_of_it() {
    let text = "version = 1\n[component.span]\nkind = \"span\"\nper = \"pool\"\nrange = { default = 0.1, CORN = 0.2 }\n\
                volatility = { up = 0.35, down = 0.35 }\nextreme_multiple = 2\nextreme_cover = 0.35\n\
                charge_unit = \"index\"\ntiers = [45]\nspreads = [{ tiers = [1, 2], rate = 0.01 }]\n\
                delivery = { days = 5, rate = 0.02 }\nshort_options = { rate = 0.03, count = \"larger_right\" }\n\
                inter = [{ legs = [{ underlying = \"CORN\", ratio = 2, side = \"a\" }, { underlying = \"SOY\", side = \"b\" }], rate = 0.55 }]\n";
    let rulebook = Rulebook::parse(text, "rulebook.toml").expect("a valid rulebook");
    let Kind::Span(span) = &rulebook.component["span"].kind else { panic!("a span") };
    assert_eq!((span.range.get("CORN"), span.extreme_multiple, span.look_ahead_days), (0.2, 2.0, 1.0));
    assert_eq!(span.spreads, [CalendarSpread { tiers: [0, 1], rate: 0.01 }]);
    assert_eq!(span.short_options.map(|minimum| minimum.count), Some(ShortOptionCount::LargerRight));
    assert_eq!((span.inter[0].rate, span.inter[0].legs[0].ratio, span.inter[0].legs[1].ratio), (0.55, 2.0, 1.0));
    assert_eq!(Rulebook::parse(&rulebook.to_toml(), "again").expect("its own output"), rulebook);
    for (from, to, rule) in [
        ("tiers = [1, 2]", "tiers = [1, 3]", "two tiers, each from 1 to 2"),
        ("side = \"b\"", "side = \"a\"", "legs on both sides"),
        ("tiers = [45]", "tiers = [45, 40]", "days ascend"),
    ] {
        let fault = format!("{:?}", Rulebook::parse(&text.replace(from, to), "rulebook.toml"));
        assert!(fault.contains(rule), "{fault}");
    }
}
