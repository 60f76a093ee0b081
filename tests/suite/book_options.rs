//! The options of the random books, and classes that take every way through the option rules.

use std::collections::BTreeMap;

use plimsoll::domain::{Instrument, Kind, Payoff, Position, Premium, Right, Snapshot};
use plimsoll::margin::{MarkIn, OptionClass, OptionReference, OptionRequirement};

/// Coins with options on them.
pub const OPTION_COINS: [&str; 4] = ["BTC", "ETH", "SOL", "YFI"];

/// Option classes; each takes another way through the rule.
const OPTION_CLASSES: [&str; 6] = ["by_index", "by_forward", "by_strike", "grouped", "grouped", "alt"];

/// A chain of options on a coin: two expiries (a time step may cross the first), four strikes, calls and puts, settled in
/// USDT or in the coin, quanto, of margined premium; every class.
pub fn options(perpetual: &Instrument, price: f64, [tether, coin, dollar]: [u32; 3]) -> Vec<Instrument> {
    let mut chain = Vec::new();
    for (day, carry) in [("2026-12-04", 1.001), ("2027-03-26", 1.02)] {
        for (k, moneyness) in [0.7, 0.95, 1.1, 1.6].into_iter().enumerate() {
            for (right, letter) in [(Right::Call, 'C'), (Right::Put, 'P')] {
                for (c, class) in OPTION_CLASSES.into_iter().enumerate() {
                    // Linear ones of every class; of the ungrouped ones some are inverse, quanto or margined.
                    let variant = (k + c) % 4;
                    let (payoff, settlement_asset, price_asset, premium) = match (class, variant) {
                        ("grouped", 3) => (Payoff::Linear, tether, tether, Premium::Margined),
                        ("grouped", _) | (_, 0) => (Payoff::Linear, tether, tether, Premium::Paid),
                        (_, 1) => (Payoff::Inverse, coin, dollar, Premium::Paid),
                        (_, 2) => (Payoff::Quanto, tether, dollar, Premium::Paid),
                        _ => (Payoff::Linear, tether, tether, Premium::Margined),
                    };
                    let strike = (price * moneyness * (1.0 + 0.01 * c as f64) * 1e4).round() / 1e4;
                    chain.push(Instrument {
                        name: format!("{}-{day}-{c}-{k}-{letter}", perpetual.name),
                        kind: Kind::Option,
                        payoff,
                        settlement_asset,
                        price_asset,
                        premium,
                        contract_size: [1.0, 0.1][c % 2],
                        mark_price: 0.05 * price,
                        strike: Some(strike),
                        expiry: Some(format!("{day}T08:00:00Z").parse().unwrap()),
                        right: Some(right),
                        implied_volatility: Some(0.5 + 0.1 * k as f64),
                        forward_price: Some(price * carry),
                        rate: 0.03,
                        fixed_rate: if payoff == Payoff::Quanto { 0.5 } else { 1.0 },
                        margin_class: class.into(),
                        ..perpetual.clone()
                    });
                }
            }
        }
    }
    chain
}

/// Option classes of every reference, mark, cap, floor and credit.
pub fn option_classes() -> BTreeMap<String, OptionClass> {
    let requirement = |rate: f64, floor: f64| OptionRequirement { rate, floor, ..OptionRequirement::default() };
    let plain = OptionClass {
        reference: OptionReference::Index,
        mark: MarkIn::Equity,
        maintenance: OptionRequirement { put_floor_of_mark: 0.075, ..requirement(0.0, 0.075) },
        initial: requirement(0.15, 0.1),
        call_initial_over_maintenance: 0.0,
        put_initial_over_maintenance: 1.05,
        long_credit: 1.0,
    };
    let by_forward = OptionClass {
        reference: OptionReference::Forward,
        maintenance: OptionRequirement { put_cap_of_strike: Some(0.1), ..requirement(0.1, 0.05) },
        initial: OptionRequirement { put_cap_of_strike: Some(0.2), long_of_mark: 0.1, ..requirement(0.2, 0.1) },
        call_initial_over_maintenance: 1.1,
        long_credit: 0.0,
        ..plain
    };
    let by_strike = OptionClass {
        reference: OptionReference::Strike,
        mark: MarkIn::Requirement,
        maintenance: OptionRequirement { long_of_mark: 0.5, ..requirement(0.12, 0.06) },
        initial: OptionRequirement { long_of_mark: 0.75, ..requirement(0.15, 0.08) },
        put_initial_over_maintenance: 0.0,
        long_credit: 0.35,
        ..plain
    };
    [("by_index", plain), ("by_forward", by_forward), ("by_strike", by_strike), ("grouped", plain)]
        .map(|(key, class)| (key.to_string(), class))
        .into()
}

/// Options that together pay the same at every price, and so cannot lose.
pub fn long_box(market: &Snapshot) -> Vec<Position> {
    let leg = |(strike, letter, quantity): (u32, char, f64)| {
        let name = format!("ETH-USDT-2027-03-26-3-{strike}-{letter}");
        let instrument = market.instruments.iter().position(|instrument| instrument.name == name).expect("an option");
        Position::new(instrument as u32, quantity, market.instruments[instrument].mark_price)
    };
    [(0, 'C', 20.0), (0, 'P', -20.0), (2, 'C', -20.0), (2, 'P', 20.0)].map(leg).into()
}
