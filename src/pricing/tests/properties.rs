//! What must hold of every option in every market.

use proptest::prelude::*;
use pulp::{Arch, Simd, WithSimd};

use super::super::{European, Greeks, Numeraire, OptionMarket, OptionMarkets, Priced, price_block};
use crate::domain::Right;

/// Roundings of a few ulp, relative to the largest of the amounts compared.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

fn rights() -> impl Strategy<Value = Right> {
    prop_oneof![Just(Right::Call), Just(Right::Put)]
}

fn numeraires() -> impl Strategy<Value = Numeraire> {
    prop_oneof![Just(Numeraire::Quote), Just(Numeraire::Coin)]
}

prop_compose! {
    /// σ√T from 1e-4 to 10, strikes up to ten deviations away.
    fn priced_market()(
        log_deviation in -4.0..1.0f64, distance in -10.0..10.0f64, log_years in -4.0..1.0f64, log_index in -5.0..5.0f64,
        rate in -0.1..0.3f64, carry in -0.3..0.3f64,
    ) -> (OptionMarket, f64) {
        let (deviation, years, index) = (10f64.powf(log_deviation), 10f64.powf(log_years), 10f64.powf(log_index));
        let forward = index * (carry * years).exp();
        let market = OptionMarket { index, forward, volatility: deviation / years.sqrt(), years, rate };
        (market, forward * (distance * deviation).clamp(-30.0, 30.0).exp())
    }
}

prop_compose! {
    /// A market that a book may hold: derivatives by differences keep their digits.
    fn ordinary_market()(
        deviation in 0.05..1.5f64, distance in -3.0..3.0f64, years in 0.02..3.0f64, index in 0.5..2.0f64, rate in -0.1..0.3f64,
        carry in -0.3..0.3f64,
    ) -> (OptionMarket, f64) {
        let forward = index * (carry * years).exp();
        let market = OptionMarket { index, forward, volatility: deviation / years.sqrt(), years, rate };
        (market, forward * (distance * deviation).exp())
    }
}

/// Zero, tiny, huge and ordinary numbers.
fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(1.0),
        Just(1e-30),
        Just(1e30),
        (-30.0..30.0f64).prop_map(|x| 10f64.powf(x)),
        0.5..2.0f64
    ]
}

/// W markets compiled for the widest vectors of this machine.
struct Wide<'a, const W: usize>(&'a European, OptionMarkets<W>);

impl<const W: usize> WithSimd for Wide<'_, W> {
    type Output = [[f64; W]; 9];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        price_block::<9, W>(self.0, &self.1)
    }
}

fn bits(priced: Priced) -> [u64; 9] {
    let greeks = priced.greeks.to_array();
    std::array::from_fn(|k| if k == 0 { priced.value } else { greeks[k - 1] }.to_bits())
}

fn assert_lanes<const W: usize>(option: &European, markets: &[OptionMarket]) {
    let field = |field: fn(&OptionMarket) -> f64| std::array::from_fn(|lane| field(&markets[lane % markets.len()]));
    let block = OptionMarkets::<W> {
        index: field(|m| m.index),
        forward: field(|m| m.forward),
        volatility: field(|m| m.volatility),
        years: field(|m| m.years),
        rate: field(|m| m.rate),
    };
    let wide = Arch::new().dispatch(Wide(option, block));
    let values = price_block::<1, W>(option, &block);
    let narrow = price_block::<5, W>(option, &block);
    for lane in 0..W {
        let market = &markets[lane % markets.len()];
        let single = bits(option.price(market));
        assert_eq!(wide.map(|output| output[lane].to_bits()), single, "{W} lanes: {option:?} {market:?}");
        assert_eq!(option.value(market).to_bits(), single[0]);
        assert_eq!(values[0][lane].to_bits(), single[0]);
        assert_eq!(narrow.map(|output| output[lane].to_bits()), single[..5]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_lane_is_a_single_value_bit_for_bit(
        right in rights(), numeraire in numeraires(), strike in wild(),
        markets in prop::collection::vec((wild(), wild(), wild(), wild(), -1.0..1.0f64), 1..16),
    ) {
        let option = European { right, strike: strike.max(1e-30), numeraire };
        let markets: Vec<OptionMarket> = markets.into_iter().map(|(index, forward, volatility, years, rate)| OptionMarket {
            index, forward, volatility, years: years.min(300.0) - 1e-3, rate,
        }).collect();
        assert_lanes::<4>(&option, &markets);
        assert_lanes::<8>(&option, &markets);
        assert_lanes::<16>(&option, &markets);
    }

    #[test]
    fn never_nan(
        right in rights(), numeraire in numeraires(), strike in wild(), index in wild(), forward in wild(), volatility in wild(),
        years in prop_oneof![Just(0.0), Just(-1.0), Just(1e-12), (-12.0..3.0f64).prop_map(|x| 10f64.powf(x))],
        exponent in -500.0..500.0f64,
    ) {
        let option = European { right, strike: strike.max(1e-30), numeraire };
        let market = OptionMarket { index, forward, volatility, years, rate: exponent / years.abs().max(1.0) };
        for priced in [option.price(&market), option.reference(&market)] {
            prop_assert!(priced.value.is_finite() && priced.value >= 0.0, "{option:?} {market:?}: {priced:?}");
            prop_assert!(priced.greeks.to_array().iter().all(|greek| greek.is_finite()), "{option:?} {market:?}: {priced:?}");
        }
    }

    #[test]
    fn the_revaluer_is_the_reference((market, strike) in priced_market(), right in rights(), numeraire in numeraires()) {
        let option = European { right, strike, numeraire };
        let (value, expected) = (option.value(&market), option.reference(&market).value);
        let error = (value - expected).abs();
        prop_assert!(error <= option.tolerance(&market, expected), "{option:?} {market:?}: {value:e}, not {expected:e}");
    }

    #[test]
    fn parity_and_bounds((market, strike) in priced_market(), numeraire in numeraires()) {
        let call = European { right: Right::Call, strike, numeraire };
        let put = European { right: Right::Put, strike, numeraire };
        let (call_value, put_value) = (call.value(&market), put.value(&market));
        let discount = call.discount(&market);
        let largest = discount * market.forward.max(strike);
        let difference = call_value - put_value - discount * (market.forward - strike);
        prop_assert!(difference.abs() <= ROUNDING * largest, "parity off by {difference:e}");
        for (option, value) in [(call, call_value), (put, put_value)] {
            let (lowest, highest) = option.bounds(&market);
            prop_assert!(lowest <= value && value <= highest * (1.0 + ROUNDING), "{lowest} {value} {highest}");
        }
    }

    /// Another unit of account changes the numbers only by the unit; a power of two not even in the last bit.
    #[test]
    fn homogeneity((market, strike) in priced_market(), right in rights(), numeraire in numeraires(), power in -20i32..20) {
        let unit = 2f64.powi(power);
        let scaled = OptionMarket { index: market.index * unit, forward: market.forward * unit, ..market };
        let value = European { right, strike, numeraire }.value(&market);
        let scaled = European { right, strike: strike * unit, numeraire }.value(&scaled);
        prop_assert_eq!(value * unit, scaled);
    }

    #[test]
    fn shape((market, strike) in priced_market(), numeraire in numeraires(), right in rights(), step in 1e-3..0.5f64) {
        let option = European { right, strike, numeraire };
        let value = |strike: f64, market: &OptionMarket| European { strike, ..option }.value(market);
        let here = value(strike, &market);
        let slack = ROUNDING * option.discount(&market) * market.forward.max(strike);
        let up = OptionMarket { index: market.index * (1.0 + step), forward: market.forward * (1.0 + step), ..market };
        // In coin the discount S/F stays, so a call rises with the market in either numeraire.
        match right {
            Right::Call => prop_assert!(value(strike, &up) >= here - slack),
            Right::Put => prop_assert!(value(strike, &up) <= here + slack),
        }
        let wilder = OptionMarket { volatility: market.volatility * (1.0 + step), ..market };
        prop_assert!(value(strike, &wilder) >= here * (1.0 - ROUNDING) - 1e-300);
        let width = step * strike;
        let around = value(strike - width, &market) + value(strike + width, &market);
        prop_assert!(around >= 2.0 * here - 4.0 * slack, "convex in the strike");
    }

    /// Fourth-order central differences of the value, or of a Greek, agree with the next Greek.
    #[test]
    fn greeks_are_derivatives((market, strike) in ordinary_market(), right in rights(), numeraire in numeraires()) {
        let option = European { right, strike, numeraire };
        let carry = (market.forward / market.index).ln() / market.years;
        let at = |index: f64, volatility: f64, years: f64, rate: f64| {
            option.price(&OptionMarket { index, forward: index * (carry * years).exp(), volatility, years, rate })
        };
        let OptionMarket { index, volatility, years, rate, .. } = market;
        let deviation = volatility * years.sqrt();
        let spot = |h: f64| at(index * (1.0 + h * deviation), volatility, years, rate);
        let sigma = |h: f64| at(index, volatility * (1.0 + h), years, rate);
        let time = |h: f64| at(index, volatility, years * (1.0 + h), rate);
        let greeks = at(index, volatility, years, rate).greeks;
        let per_spot = 1.0 / (index * deviation);
        let value = |priced: Priced| priced.value;
        for (name, greek, difference) in [
            ("delta", greeks.delta, per_spot * difference(spot, value)),
            ("gamma", greeks.gamma, per_spot * difference(spot, |p| p.greeks.delta)),
            ("vega", greeks.vega, difference(sigma, value) / volatility),
            ("theta", greeks.theta, -difference(time, value) / years),
            ("vanna", greeks.vanna, difference(sigma, |p| p.greeks.delta) / volatility),
            ("vanna", greeks.vanna, per_spot * difference(spot, |p| p.greeks.vega)),
            ("volga", greeks.volga, difference(sigma, |p| p.greeks.vega) / volatility),
            ("charm", greeks.charm, -difference(time, |p| p.greeks.delta) / years),
            ("charm", greeks.charm, per_spot * difference(spot, |p| p.greeks.theta)),
        ] {
            let size = scale(name, &market);
            prop_assert!((greek - difference).abs() <= 1e-8 * size, "{name}: {greek}, by differences {difference}");
        }
        let held = |h: f64| option.value(&OptionMarket { rate: rate + h, ..market });
        let rho = (8.0 * (held(1e-3) - held(-1e-3)) - (held(2e-3) - held(-2e-3))) / 0.012;
        prop_assert!((greeks.rho - rho).abs() <= 1e-8 * years * index * 4.0, "rho: {}, by differences {rho}", greeks.rho);
    }

    /// Volatility enters value/S, gamma·S and so on the same way whatever the numeraire: coin Greeks by the quotient rule.
    #[test]
    fn coin_greeks_are_derivatives_of_the_coin_value((market, strike) in ordinary_market(), right in rights()) {
        let option = European { right, strike, numeraire: Numeraire::Coin };
        let ratio = market.forward / market.index;
        let at = |index: f64| option.price(&OptionMarket { index, forward: index * ratio, ..market });
        let here = at(market.index);
        let coin: Greeks = here.greeks.in_coin(here.value, market.index);
        let deviation = market.volatility * market.years.sqrt();
        let moved = |h: f64| at(market.index * (1.0 + h * deviation));
        let spot = |h: f64| market.index * (1.0 + h * deviation);
        let in_coin = |h: f64| Priced { value: moved(h).value / spot(h), ..moved(h) };
        let delta = difference(in_coin, |p| p.value) / (market.index * deviation);
        let size = (1.0 + 1.0 / market.index) / (market.index * deviation);
        prop_assert!((coin.delta - delta).abs() <= 1e-8 * size * 8.0, "{} {delta}", coin.delta);
    }
}

/// Derivative at 0 by central differences of fourth order: off by about h⁴ and by rounding / h.
fn difference(at: impl Fn(f64) -> Priced, output: impl Fn(Priced) -> f64) -> f64 {
    let h = 1.0 / 512.0;
    let [near, far] = [1.0, 2.0].map(|k| output(at(k * h)) - output(at(-k * h)));
    (8.0 * near - far) / (12.0 * h)
}

/// A size to compare a Greek with: generous sums of its summands at their largest, with rounding of the index's order.
fn scale(name: &str, market: &OptionMarket) -> f64 {
    let OptionMarket { index, volatility, years, .. } = *market;
    let deviation = volatility * years.sqrt();
    let wide = 8.0 * (1.0 + deviation) * (1.0 + deviation) / deviation.min(1.0);
    wide * match name {
        "delta" => 1.0,
        "gamma" => 1.0 / (index * deviation),
        "vega" => index * years.sqrt(),
        "theta" => index / years,
        "vanna" => 1.0 / volatility,
        "volga" => index * years.sqrt() / volatility,
        _ => 1.0 / (years * deviation.min(1.0)),
    }
}

#[test]
fn limits() {
    let call = European { right: Right::Call, strike: 100.0, numeraire: Numeraire::Quote };
    let put = European { right: Right::Put, ..call };
    let market = |index: f64, volatility: f64, years: f64| OptionMarket {
        index,
        forward: index * 1.02,
        volatility,
        years,
        rate: 0.05,
    };
    for price in [European::price, European::reference] {
        // Expired: the index decides, not the forward; no Greek but delta.
        let expired = price(&call, &market(99.0, 0.5, 0.0));
        assert_eq!((expired.value, expired.greeks), (0.0, Greeks::default()));
        let expired = price(&put, &market(99.0, 0.5, -1.0));
        assert_eq!((expired.value, expired.greeks), (1.0, Greeks { delta: -1.0, ..Greeks::default() }));
        assert_eq!(price(&call, &market(100.0, 0.5, 0.0)).greeks.delta, 0.5);
        assert_eq!(price(&put, &market(100.0, 0.5, 0.0)).greeks.delta, -0.5);
        // No volatility: the discounted intrinsic value of the forward.
        let still = price(&call, &market(100.0, 0.0, 1.0));
        assert!((still.value - 2.0 * (-0.05f64).exp()).abs() < 1e-13);
        assert_eq!(
            (still.greeks.gamma, still.greeks.vega, still.greeks.vanna, still.greeks.volga),
            (0.0, 0.0, 0.0, 0.0)
        );
        // All volatility: the forward, the strike.
        assert!((price(&call, &market(100.0, 1e6, 1.0)).value - 102.0 * (-0.05f64).exp()).abs() < 1e-12);
        assert!((price(&put, &market(100.0, 1e6, 1.0)).value - 100.0 * (-0.05f64).exp()).abs() < 1e-12);
        // Nothing left of the market.
        assert_eq!(price(&call, &market(0.0, 0.5, 1.0)).value, 0.0);
        let ruin = price(&put, &market(0.0, 0.5, 1.0));
        assert!((ruin.value - 100.0 * (-0.05f64).exp()).abs() < 1e-12);
        // No number in, no number out.
        for wrong in [f64::NAN, f64::INFINITY] {
            assert!(price(&put, &OptionMarket { forward: wrong, ..market(100.0, 0.5, 1.0) }).value.is_nan());
            assert!(price(&put, &OptionMarket { volatility: wrong, ..market(100.0, 0.5, 1.0) }).greeks.delta.is_nan());
        }
    }
}
