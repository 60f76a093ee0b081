//! Implied volatility: round trips over the whole range, and what has none.

use proptest::prelude::*;

use super::super::{European, ImpliedError, Numeraire, OptionMarket};
use crate::domain::Right;

const MARKET: OptionMarket =
    OptionMarket { index: 60_000.0, forward: 60_500.0, volatility: f64::NAN, years: 0.25, rate: 0.03 };

fn option(right: Right, strike: f64) -> European {
    European { right, strike, numeraire: Numeraire::Quote }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// The price comes back, as exactly as the rounding of the price lets the part above intrinsic value be known; and so does
    /// the volatility, by what that leaves of vega.
    #[test]
    fn round_trip(
        call in any::<bool>(), coin in any::<bool>(), log_deviation in -4.0..1.0f64, distance in -7.0..7.0f64,
        years in 0.001..5.0f64, rate in -0.1..0.2f64, carry in -0.2..0.2f64,
    ) {
        let deviation = 10f64.powf(log_deviation);
        let forward = 100.0 * (carry * years).exp();
        let numeraire = if coin { Numeraire::Coin } else { Numeraire::Quote };
        let right = if call { Right::Call } else { Right::Put };
        let option = European { right, strike: forward * (distance * deviation).exp(), numeraire };
        let market = OptionMarket { index: 100.0, forward, volatility: deviation / years.sqrt(), years, rate };
        let priced = option.price(&market);
        let intrinsic = option.value(&OptionMarket { volatility: 0.0, ..market });
        let implied = match option.implied_volatility(priced.value, &market) {
            Ok(implied) => implied,
            Err(error) => {
                // Only a price that has rounded into a bound may be refused.
                let bound = if call { forward } else { option.strike };
                prop_assert!(priced.greeks.vega < 1e-13 * bound, "{error}: {option:?} {market:?}");
                return Ok(());
            }
        };
        let again = option.value(&OptionMarket { volatility: implied, ..market });
        let tolerance = 1e-12 * (priced.value - intrinsic) + 8.0 * f64::EPSILON * priced.value;
        prop_assert!((again - priced.value).abs() <= tolerance, "{again:e} {:e} {implied}", priced.value);
        let conditioned = 2.0 * tolerance / priced.greeks.vega;
        if conditioned < 1e-3 * implied {
            let error = (implied - market.volatility).abs();
            prop_assert!(error <= conditioned + 4.0 * f64::EPSILON * implied, "σ off by {error:e}, {conditioned:e} allowed");
        }
    }

    #[test]
    fn no_input_breaks_it(price in any::<f64>(), index in any::<f64>(), forward in any::<f64>(), strike in any::<f64>(),
        years in any::<f64>(), rate in any::<f64>(), call in any::<bool>()) {
        let market = OptionMarket { index, forward, volatility: 0.0, years, rate };
        let right = if call { Right::Call } else { Right::Put };
        if let Ok(implied) = option(right, strike).implied_volatility(price, &market) {
            prop_assert!(implied >= 0.0);
        }
    }
}

#[test]
fn prices_outside_the_bounds_are_refused_by_name() {
    let call = option(Right::Call, 50_000.0);
    let discount = (-0.03f64 * 0.25).exp();
    let low = call.implied_volatility(discount * 10_499.0, &MARKET);
    assert!(matches!(low, Err(ImpliedError::BelowIntrinsic { .. })), "{low:?}");
    let high = call.implied_volatility(discount * 60_501.0, &MARKET);
    assert!(matches!(high, Err(ImpliedError::NotBelowBound { .. })), "{high:?}");
    let put = option(Right::Put, 50_000.0).implied_volatility(discount * 50_000.0, &MARKET);
    assert!(matches!(put, Err(ImpliedError::NotBelowBound { .. })), "{put:?}");
    let negative = option(Right::Put, 50_000.0).implied_volatility(-1.0, &MARKET);
    assert!(matches!(negative, Err(ImpliedError::BelowIntrinsic { .. })), "{negative:?}");
    let expired = call.implied_volatility(11_000.0, &OptionMarket { years: 0.0, ..MARKET });
    assert_eq!(expired, Err(ImpliedError::Expired { years: 0.0 }));
    let none = call.implied_volatility(f64::NAN, &MARKET);
    assert!(matches!(none, Err(ImpliedError::Input { name: "price", .. })), "{none:?}");
    let forward = call.implied_volatility(1.0, &OptionMarket { forward: 0.0, ..MARKET });
    assert!(matches!(forward, Err(ImpliedError::Input { name: "forward", value: 0.0, .. })), "{forward:?}");
    let text = low.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(text.contains("below the discounted intrinsic value"), "{text}");
}

#[test]
fn intrinsic_value_is_no_volatility() {
    let call = option(Right::Call, 50_000.0);
    let intrinsic = call.value(&OptionMarket { volatility: 0.0, ..MARKET });
    assert_eq!(call.implied_volatility(intrinsic, &MARKET), Ok(0.0));
    assert_eq!(option(Right::Put, 50_000.0).implied_volatility(0.0, &MARKET), Ok(0.0));
}
