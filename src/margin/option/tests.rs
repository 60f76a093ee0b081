use super::*;
use crate::domain::{Instrument, Kind};

/// An option on an index whose instrument data other than its terms do not matter here.
fn option(right: Right, strike: f64, payoff: Payoff) -> Instrument {
    let terms = Instrument::perpetual("option", 0, 0, 1.0);
    Instrument { kind: Kind::Option, right: Some(right), strike: Some(strike), payoff, ..terms }
}

/// A market a month before expiry, settled in something worth 1.
fn market(index: f64, forward: f64, mark: f64) -> ShortMarket {
    let option = OptionMarket { index, forward, volatility: 0.5, years: 1.0 / 12.0, rate: 0.0 };
    ShortMarket { option, settlement_price: 1.0, mark }
}

fn requirement(rate: f64, floor: f64) -> OptionRequirement {
    OptionRequirement { rate, floor, ..OptionRequirement::default() }
}

/// Initial max(15 % − OTM/U, 10 %), maintenance 7.5 %, of a put at least 7.5 % of its mark and initial ≥ maintenance.
fn coin_class() -> OptionClass {
    OptionClass {
        reference: OptionReference::Forward,
        mark: MarkIn::Equity,
        maintenance: OptionRequirement { put_floor_of_mark: 0.075, ..requirement(0.0, 0.075) },
        initial: requirement(0.15, 0.1),
        call_initial_over_maintenance: 0.0,
        put_initial_over_maintenance: 1.0,
        long_credit: 1.0,
    }
}

fn assert_required(found: [ShortRequirement; 2], expected: [(f64, Branch); 2]) {
    for (found, (value, branch)) in found.iter().zip(expected) {
        assert!((found.value - value).abs() <= 1e-12 * value.max(1.0), "{found:?}, expected {value}");
        assert_eq!(found.branch, branch);
    }
}

#[test]
fn a_coin_settled_call_requires_shares_of_a_coin() {
    // Coins at 50,000 beside a forward of 60,000: the share is of the forward, the coin is paid at its own price.
    let settled = |strike: f64, size: f64| {
        let instrument = Instrument { contract_size: size, ..option(Right::Call, strike, Payoff::Inverse) };
        let market = ShortMarket { settlement_price: 50_000.0, ..market(59_000.0, 60_000.0, 1_000.0) };
        coin_class().short_requirements(&instrument, &market)
    };
    // 15 % − 1,500/60,000 = 12.5 % of a coin.
    assert_required(settled(61_500.0, 1.0), [(6_250.0, Branch::Rate), (3_750.0, Branch::Floor)]);
    // 15 % − 10 % is below the floor; a tenth of a coin per contract.
    assert_required(settled(66_000.0, 0.1), [(500.0, Branch::Floor), (375.0, Branch::Floor)]);
    // In the money nothing is taken off.
    assert_required(settled(40_000.0, 1.0), [(7_500.0, Branch::Rate), (3_750.0, Branch::Floor)]);
}

#[test]
fn a_deep_put_requires_a_share_of_its_mark_and_initial_never_less() {
    let put = option(Right::Put, 180_000.0, Payoff::Inverse);
    // Worth 2.2 coins at 60,000 each: 7.5 % of that is 0.165 coins, above 0.15.
    let market = ShortMarket { settlement_price: 60_000.0, ..market(60_000.0, 60_000.0, 132_000.0) };
    let maintenance = 0.165 * 60_000.0;
    let expected = [(maintenance, Branch::InitialOverMaintenance), (maintenance, Branch::PutFloor)];
    assert_required(coin_class().short_requirements(&put, &market), expected);
    // γ = 1.05 is of requirement and mark together: 1.05 · (9,900 + 132,000) − 132,000.
    let class = OptionClass { put_initial_over_maintenance: 1.05, ..coin_class() };
    let initial = 1.05 * (maintenance + 132_000.0) - 132_000.0;
    let expected = [(initial, Branch::InitialOverMaintenance), (maintenance, Branch::PutFloor)];
    assert_required(class.short_requirements(&put, &market), expected);
}

#[test]
fn a_put_is_capped_by_its_strike() {
    let class = OptionClass {
        reference: OptionReference::Index,
        maintenance: OptionRequirement { put_cap_of_strike: Some(0.25), ..requirement(0.075, 0.05) },
        initial: OptionRequirement { put_cap_of_strike: Some(0.5), ..requirement(0.15, 0.1) },
        put_initial_over_maintenance: 0.0,
        ..coin_class()
    };
    // 10 % of 100 is more than half of a strike of 16; a call has no cap.
    let market = market(100.0, 100.0, 0.01);
    let expected = [(8.0, Branch::PutCap), (4.0, Branch::PutCap)];
    assert_required(class.short_requirements(&option(Right::Put, 16.0, Payoff::Linear), &market), expected);
    let expected = [(15.0, Branch::Rate), (7.5, Branch::Rate)];
    assert_required(class.short_requirements(&option(Right::Call, 16.0, Payoff::Linear), &market), expected);
}

#[test]
fn the_reference_is_the_index_the_forward_or_the_strike() {
    let call = option(Right::Call, 110.0, Payoff::Linear);
    let required = |reference: OptionReference| {
        let class = OptionClass { reference, initial: requirement(0.3, 0.1), ..coin_class() };
        class.short_requirements(&call, &market(100.0, 120.0, 1.0))[0].value
    };
    // 30 % of 100 less 10; 30 % of 120, in the money; 30 % of 110 less 10 (against the index).
    assert!((required(OptionReference::Index) - 20.0).abs() < 1e-12);
    assert!((required(OptionReference::Forward) - 36.0).abs() < 1e-12);
    assert!((required(OptionReference::Strike) - 23.0).abs() < 1e-12);
}

#[test]
fn a_quanto_option_requires_its_fixed_rate_and_an_expired_or_worthless_one_nothing() {
    let quanto = Instrument { fixed_rate: 0.5, contract_size: 10.0, ..option(Right::Call, 90.0, Payoff::Quanto) };
    let alive = market(100.0, 100.0, 50.0);
    let expected = [(0.15 * 100.0 * 5.0, Branch::Rate), (0.075 * 100.0 * 5.0, Branch::Floor)];
    assert_required(coin_class().short_requirements(&quanto, &alive), expected);
    let expired = ShortMarket { option: OptionMarket { years: 0.0, ..alive.option }, ..alive };
    assert_required(coin_class().short_requirements(&quanto, &expired), [(0.0, Branch::Expired); 2]);
    let inverse = option(Right::Call, 90.0, Payoff::Inverse);
    let worthless = coin_class().short_requirements(&inverse, &market(0.0, 0.0, 0.0));
    assert!(worthless.iter().all(|required| required.value == 0.0), "{worthless:?}");
}

#[test]
fn coefficients_out_of_range_are_told() {
    assert!(coin_class().is_well_formed() && !coin_class().initial_below_maintenance());
    for change in [
        |class: &mut OptionClass| class.initial.rate = 1.5,
        |class: &mut OptionClass| class.maintenance.floor = -0.1,
        |class: &mut OptionClass| class.maintenance.put_cap_of_strike = Some(f64::NAN),
        |class: &mut OptionClass| class.put_initial_over_maintenance = 0.5,
        |class: &mut OptionClass| class.long_credit = 1.1,
    ] {
        let mut class = coin_class();
        change(&mut class);
        assert!(!class.is_well_formed(), "{class:?}");
    }
    let upside_down = OptionClass { initial: requirement(0.0, 0.05), ..coin_class() };
    assert!(upside_down.initial_below_maintenance());
}
