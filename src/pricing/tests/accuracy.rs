//! Both pricers against values computed in a hundred digits, and against printed ones.

use super::super::{European, Greeks, Numeraire, OptionMarket, Priced};
use crate::domain::Right;

/// Claimed error (`NUMERICS.md` §11), relative or of the natural scale.
const CLAIMED: f64 = 1e-12;
/// Error that both pricers stay below on these cases: a fifth of the claim.
const SEEN: f64 = 2e-13;

/// What `fixtures/black76/make.py` wrote.
struct Case {
    option: European,
    market: OptionMarket,
    /// Value, then Greeks in the order of `Greeks::NAMES`.
    expected: [f64; 9],
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../../fixtures/black76/cases.csv");
    let cases = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |k: usize| cells[k].parse::<f64>().expect("a number");
        let right = if cells[0] == "call" { Right::Call } else { Right::Put };
        let numeraire = if cells[1] == "quote" { Numeraire::Quote } else { Numeraire::Coin };
        let [index, forward, strike, volatility, years, rate] = std::array::from_fn(|k| number(k + 2));
        Case {
            option: European { right, strike, numeraire },
            market: OptionMarket { index, forward, volatility, years, rate },
            expected: std::array::from_fn(|k| number(k + 8)),
        }
    });
    cases.collect()
}

fn outputs(priced: Priced) -> [f64; 9] {
    let greeks = priced.greeks.to_array();
    std::array::from_fn(|k| if k == 0 { priced.value } else { greeks[k - 1] })
}

/// The size each output is measured in: what it is at its largest over all strikes, or its largest summand.
fn scales(case: &Case) -> [f64; 9] {
    let OptionMarket { index, forward, volatility, years, rate } = case.market;
    let carry = (forward / index).ln() / years;
    let (rate, discount) = match case.option.numeraire {
        Numeraire::Quote => (rate, (-rate * years).exp()),
        Numeraire::Coin => (rate + carry, (-rate * years).exp() * index / forward),
    };
    let deviation = volatility * years.sqrt();
    let growth = discount * forward / index;
    let wide = deviation.max(1.0);
    let value = case.expected[0].abs();
    let vega = 0.4 * discount * forward * years.sqrt();
    let decay = rate.abs() * value + carry.abs() * discount * forward + vega * volatility / (2.0 * years);
    [
        value,
        growth,
        0.4 * growth / (index * deviation),
        vega,
        decay,
        years * value,
        0.4 * growth * wide / volatility,
        vega * wide * wide / volatility,
        growth * ((rate - carry).abs() + 0.4 * (carry.abs() / deviation + wide / (2.0 * years))),
    ]
}

/// Largest error of each output: value, gamma, vega and rho relative, the others of their scale; where the price is above
/// 1e-12 of the forward, and gamma and vega above 1e-12 of their scale.
fn largest_errors(price: impl Fn(&European, &OptionMarket) -> Priced) -> [f64; 9] {
    let mut largest = [0.0f64; 9];
    let mut relative = 0;
    for case in cases() {
        let scales = scales(&case);
        let priced = outputs(price(&case.option, &case.market));
        let priced_at_all = case.expected[0] > 1e-12 * case.market.forward;
        relative += usize::from(priced_at_all);
        for output in 0..9 {
            let error = (priced[output] - case.expected[output]).abs();
            let size = match output {
                0 | 5 if !priced_at_all => 1e-12 * case.market.forward * case.market.years.max(1.0),
                2 | 3 => case.expected[output].abs().max(1e-12 * scales[output]),
                _ => scales[output],
            };
            let ratio = error / size;
            assert!(ratio <= CLAIMED, "{:?} {:?}: output {output} off by {ratio:e}", case.option, case.market);
            largest[output] = largest[output].max(ratio);
        }
    }
    assert!(relative > 500, "only {relative} cases are above the edge of the claim");
    largest
}

#[test]
fn both_pricers_are_as_exact_as_claimed() {
    for (name, errors) in
        [("reference", largest_errors(European::reference)), ("revaluer", largest_errors(European::price))]
    {
        let worst = errors.into_iter().fold(0.0, f64::max);
        assert!(worst > 0.0 && worst < SEEN, "{name}: {errors:?}");
    }
}

/// An option of Haug's generalised formula: S, K, T, r, b, σ.
fn generalised(right: Right, [index, strike, years, rate, carry, volatility]: [f64; 6]) -> [Priced; 2] {
    let option = European { right, strike, numeraire: Numeraire::Quote };
    let market = OptionMarket { index, forward: index * (carry * years).exp(), volatility, years, rate };
    [option.reference(&market), option.price(&market)]
}

/// Hull, *Options, Futures, and Other Derivatives*: example of the Black–Scholes–Merton formula. Haug, *The Complete Guide to
/// Option Pricing Formulas*, 2nd ed., ch. 2. Printed to four digits behind the point.
#[test]
fn printed_values() {
    let hull = [42.0, 40.0, 0.5, 0.1, 0.1, 0.2];
    for (right, expected) in [(Right::Call, 4.76), (Right::Put, 0.81)] {
        for priced in generalised(right, hull) {
            assert!((priced.value - expected).abs() < 0.005, "Hull {right:?}: {}", priced.value);
        }
    }
    // py_vollib's test of its own formula, nine digits.
    for (right, expected) in [(Right::Call, 12.111_581_435), (Right::Put, 1.662_704_562_31)] {
        for priced in generalised(right, [100.0, 90.0, 0.5, 0.01, 0.01, 0.2]) {
            assert!((priced.value - expected).abs() < 1e-9, "vollib {right:?}: {}", priced.value);
        }
    }
    type Greek = fn(&Greeks) -> f64;
    let haug: [(&str, Right, [f64; 6], Greek, f64); 5] = [
        ("delta", Right::Call, [105.0, 100.0, 0.5, 0.1, 0.0, 0.36], |g| g.delta, 0.5946),
        ("delta", Right::Put, [105.0, 100.0, 0.5, 0.1, 0.0, 0.36], |g| g.delta, -0.3566),
        ("theta", Right::Put, [430.0, 405.0, 1.0 / 12.0, 0.07, 0.02, 0.2], |g| g.theta, -31.1924),
        ("volga", Right::Call, [90.0, 130.0, 0.75, 0.05, 0.0, 0.28], |g| g.volga, 92.3444),
        ("charm", Right::Put, [105.0, 90.0, 0.25, 0.14, 0.0, 0.24], |g| g.charm, 0.3700),
    ];
    for (name, right, terms, greek, expected) in haug {
        for priced in generalised(right, terms) {
            let value = greek(&priced.greeks);
            assert!((value - expected).abs() < 6e-5, "Haug's {name} of a {right:?}: {value}, not {expected}");
        }
    }
}

/// Haug prints speed, the change of gamma with the index, of a put; here it is gamma's central difference.
#[test]
fn printed_speed_is_the_slope_of_gamma() {
    const STEP: f64 = 1e-3;
    let gammas = |index: f64| {
        generalised(Right::Put, [index, 48.0, 1.0 / 12.0, 0.06, 0.01, 0.2]).map(|priced| priced.greeks.gamma)
    };
    let (below, above) = (gammas(50.0 - STEP), gammas(50.0 + STEP));
    for (below, above) in below.into_iter().zip(above) {
        let speed = (above - below) / (2.0 * STEP);
        assert!((speed - -0.0291).abs() < 6e-5, "{speed}");
    }
}
