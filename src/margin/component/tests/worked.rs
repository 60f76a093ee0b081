//! Charges on books whose figures are worked out by hand.

use super::super::{
    Across, Calendar, Concentration, Confidence, Contingency, Counted, Delta, Depeg, Depth, Form as Charge, Kind,
    Measure, ShareOf, SlopeUnit, Unwind, Vega,
};
use super::lowering::{pair, schedule};
use super::*;
use crate::margin::Form;
use crate::pricing::TermScale;

fn quoted(name: &str, settlement_asset: u32) -> Instrument {
    Instrument { settlement_asset, price_asset: settlement_asset, ..perpetual(name, BTC) }
}

fn contingency(of: Counted, rate: f64, amount: f64) -> Kind {
    let confidence = Some(Confidence { threshold: 0.6, rate: both(0.5) });
    Kind::Contingency(Contingency { of, rate: both(rate), amount: both(amount), confidence })
}

#[test]
fn a_roll_shock_pays_the_minimum_or_by_the_year_for_each_expiry() {
    let bench = Bench::new(vec![future("F120", BTC, 120), future("F30", BTC, 30), perpetual("P", BTC)]);
    let bench = bench.holding("F120", 2.0).holding("F30", -1.0).holding("P", 1.0);
    let calendar = |of| Kind::Calendar(Calendar { minimum: both(0.01), annual: both(0.075), of });
    let far = 100_000.0 * 0.075 * 120.0 / 365.0;
    close(bench.at_base(calendar(Across::Each)), far + 500.0 + 500.0);
    close(bench.at_base(calendar(Across::Offset)), 500.0);
    let (values, groups) = bench.values(everything(calendar(Across::Each)));
    // 60 days later the near future has expired, and 60 days of the far one are left, at a price 5 % up.
    close(values[4].maintenance, 1.05 * (100_000.0 * 0.075 * 60.0 / 365.0 + 500.0));
    assert_eq!(groups[0].binding.as_deref(), Some("expiry 2026-05-01T08:00:00Z: +2465.75"));
}

#[test]
fn vega_moves_with_the_root_of_time() {
    let bench = Bench::new(vec![
        option("FAR", BTC, (120, 50_000.0, Right::Call)),
        option("NEAR", BTC, (3, 50_000.0, Right::Put)),
    ]);
    let bench = bench.holding("FAR", 2.0).holding("NEAR", -10.0);
    let term = TermScale { floor_days: 5.0, power_short: 0.5, power_long: 0.5, ..TermScale::default() };
    let vega = |of| Kind::Vega(Vega { points: both(0.05), term, of });
    let far = 2.0 * bench.contract("FAR", Column::Base).greeks.vega * 0.05 * 0.5;
    let near = 10.0 * bench.contract("NEAR", Column::Base).greeks.vega * 0.05 * 6f64.sqrt();
    close(bench.at_base(vega(Across::Each)), far + near);
    close(bench.at_base(vega(Across::Offset)), far.min(near));
}

#[test]
fn a_hedged_delta_still_pays() {
    let bench = Bench::new(vec![future("F", BTC, 30), perpetual("P", BTC)]);
    let bench = bench.holding("P", 3.0).holding("F", -2.0);
    let delta = || Kind::Delta(Delta { net_rate: both(0.02), hedged_rate: both(0.01) });
    close(bench.at_base(delta()), 0.02 * 50_000.0 + 0.01 * 100_000.0);
    // Covered collateral is a long delta, and a loan of it a short one.
    close(bench.with_balance(BTC, -1.0, 0.0).at_base(delta()), 0.01 * 150_000.0);
}

#[test]
fn a_delta_shock_grows_with_the_square_up_to_its_maximum() {
    let depth = |relieve_long_options| Depth {
        threshold: 20e6,
        slope: both(5e-5),
        slope_unit: SlopeUnit::Underlying,
        maximum: both(0.10),
        relieve_long_options,
    };
    for (coins, charged) in [(200.0, 0.0), (1_000.0, 30.0), (-1_000.0, 30.0), (10_000.0, 1_000.0)] {
        let bench = Bench::new(vec![perpetual("P", BTC)]).holding("P", coins);
        close(bench.at_base(Kind::Depth(depth(false))), charged * 50_000.0);
        let in_quote = Depth { slope: both(5e-5 / 50_000.0), slope_unit: SlopeUnit::Quote, ..depth(false) };
        close(bench.at_base(Kind::Depth(in_quote)), charged * 50_000.0);
    }
    // Long puts take off a long delta, never below nothing; long calls do not add to it.
    let listed = vec![
        option("CALL", BTC, (30, 50_000.0, Right::Call)),
        option("PUT", BTC, (30, 50_000.0, Right::Put)),
        perpetual("P", BTC),
    ];
    let charged = |option: &str, quantity: f64, coins: f64| {
        let bench = Bench::new(listed.clone()).holding("P", coins).holding(option, quantity);
        (bench.at_base(Kind::Depth(depth(true))), bench.contract(option, Column::Base).greeks.delta)
    };
    let of_coins = |coins: f64| coins * (5e-5 * (coins - 400.0)).clamp(0.0, 0.1) * 50_000.0;
    let (put, delta) = charged("PUT", 500.0, 1_000.0);
    close(put, of_coins(1_000.0 + 500.0 * delta));
    close(charged("PUT", 50_000.0, 1_000.0).0, 0.0);
    close(charged("CALL", 500.0, 1_000.0).0, of_coins(1_000.0));
    let (short, delta) = charged("CALL", -500.0, 1_000.0);
    close(short, of_coins(1_000.0 - 500.0 * delta));
    close(charged("CALL", 50_000.0, -1_000.0).0, 0.0);
}

#[test]
fn a_contingency_counts_what_it_says() {
    let bench = Bench::new(vec![
        option("C50", BTC, (30, 50_000.0, Right::Call)),
        option("C60", BTC, (30, 60_000.0, Right::Call)),
        option("P50", BTC, (30, 50_000.0, Right::Put)),
        perpetual("PERP", BTC),
    ]);
    let bench = bench.holding("C50", -3.0).holding("P50", 2.0).holding("C60", 5.0).holding("PERP", -2.0);
    let of = |counted| bench.at_base(contingency(counted, 0.01, 0.0));
    close(of(Counted::Gross), 12.0 * 500.0);
    close(of(Counted::ShortOptions), 3.0 * 500.0);
    close(of(Counted::NetShortOptions), 3.0 * 500.0);
    close(of(Counted::NetShortStrikes), 1.0 * 500.0);
    close(bench.at_base(contingency(Counted::ShortOptions, 0.0, 0.375)), 3.0 * 0.375);
    let perpetuals = Cover { kinds: [Contract::Perpetual].into(), ..Cover::default() };
    let component = Component::of(perpetuals, Per::Pool, contingency(Counted::Gross, 0.02, 0.0));
    close(bench.values(component).0[0].maintenance, 2.0 * 1_000.0);
    let coins = Bench::new(vec![]).with_balance(BTC, -2.0, 0.5);
    close(coins.at_base(contingency(Counted::NetShortStrikes, 0.02, 9.0)), 1.5 * 1_000.0);
}

#[test]
fn little_confidence_costs_what_is_missing() {
    let charged = |of_instrument: f64, of_underlying: f64| {
        let instrument = Instrument { confidence: of_instrument, ..perpetual("P", BTC) };
        let mut bench = Bench::new(vec![instrument]).holding("P", -2.0);
        bench.snapshot.underlyings[BTC as usize].confidence = of_underlying;
        bench.at_base(contingency(Counted::Gross, 0.0, 0.0))
    };
    close(charged(0.5, 1.0), 0.5 * 0.5 * 100_000.0);
    close(charged(0.5, 0.25), 0.5 * 0.75 * 100_000.0);
    close(charged(0.6, 1.0), 0.0);
}

#[test]
fn unwinding_pays_the_multiplier_of_its_tier_on_the_whole() {
    let charged = |coins: f64| {
        let bounds = [0.25e6, 0.5e6, 1e6, 2e6, 3e6, 4e6];
        let multiplier = schedule(Form::Whole, &bounds, &[1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        let bench = Bench::new(vec![perpetual("P", BTC)]).holding("P", coins);
        bench.values(everything(Kind::Unwind(Unwind { rate: both(0.001), multiplier }))).0[0]
    };
    close(charged(-4_800.0).maintenance, 240_000.0);
    close(charged(5_000.0).maintenance, 2.0 * 250_000.0);
    close(charged(100_000.0).maintenance, 12.0 * 5e6);
    close(charged(5_000.0).initial, 3.0 * 250_000.0);
}

#[test]
fn concentration_is_measured_against_the_market() {
    let rates = schedule(Form::Marginal, &[0.5, 1.0], &[0.0, 0.01, 0.05]);
    let form = Charge::Tiers { measure: Measure::NetDelta, rates };
    let kind = Kind::Concentration(Concentration { share_of: ShareOf::Depth, form });
    let mut bench = Bench::new(vec![perpetual("P", BTC)]).holding("P", -24.0);
    let faults = bench.with(everything(kind.clone()), |_, _| ()).expect_err("no depth");
    assert_eq!((faults[0].table.as_str(), faults[0].column.as_str(), faults.len()), ("underlyings", "depth", 1));
    bench.snapshot.underlyings[BTC as usize].depth_quote = Some(1e6);
    let (values, groups) = bench.values(everything(kind));
    close(values[0].maintenance, 5_000.0 + 10_000.0);
    // 20 % up in a market half as deep.
    close(values[2].maintenance, 2_500.0 + 0.05 * (1.44e6 - 0.5e6));
    assert_eq!(groups[0].binding.as_deref(), Some("size 1200000.00: tier 3 of 3, rate 0.05"));
}

#[test]
fn a_square_root_doubles_at_four_times_the_threshold() {
    let form = |threshold| Charge::SquareRoot { threshold, factor: both(0.02) };
    let kind = |share_of, threshold| Kind::Concentration(Concentration { share_of, form: form(threshold) });
    let listed = vec![option("C", BTC, (30, 50_000.0, Right::Call)), inverse("I", BTC), perpetual("P", BTC)];
    let bench = Bench::new(listed.clone()).holding("P", 4.0).holding("C", 7.0);
    close(bench.at_base(kind(ShareOf::Quote, 50_000.0)), 0.02 * 2.0 * 200_000.0);
    // 1,000 contracts of 100 USD are two coins at 50,000.
    let bench = Bench::new(listed).holding("P", 4.0).holding("I", -1_000.0);
    close(bench.at_base(kind(ShareOf::Quote, 100_000.0)), 0.02 * 100_000.0);
    let mut bench = bench.clone();
    bench.snapshot.underlyings[BTC as usize].adv_quote = Some(0.0);
    assert_eq!(bench.with(everything(kind(ShareOf::Adv, 1.0)), |_, _| ()).expect_err("no volume")[0].value, "0");
}

#[test]
fn pairs_of_quote_assets_offset_in_their_order() {
    let bench = Bench::new(vec![quoted("T", USDT), quoted("C", USDC), inverse("I", BTC)]);
    let bench = bench.holding("T", 6.0).holding("C", -2.0).holding("I", -1_500.0);
    let pairs = vec![pair("USDT", "USD"), pair("USDT", "USDC"), pair("USDC", "USD"), pair("USDT", "NONE")];
    let kind = Kind::Depeg(Depeg { pairs, rates: schedule(Form::Marginal, &[5e4, 2e5], &[0.01, 0.02, 0.05]) });
    let (values, groups) = bench.values(everything(kind));
    close(values[0].maintenance, (500.0 + 2_000.0) + (500.0 + 1_000.0));
    assert_eq!(groups[0].binding.as_deref(), Some("USDT against USD: 150000.00 offset"));
}
