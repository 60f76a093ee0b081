//! The option chains of a synthetic market.

use jiff::{SignedDuration, Timestamp};

use super::market::CARRY_PER_YEAR;
use super::random::round_significant;
use crate::domain::{Asset, Instrument, Kind, Payoff, Right, Underlying};
use crate::pricing::{European, Numeraire, OptionMarket, YEAR_SECONDS};

/// Underlyings with options, and the asset a linear chain settles in; without one the chain settles in coin.
const CHAINS: [(&str, Option<&str>); 3] = [("BTC", None), ("ETH", None), ("SOL", Some("USDC"))];
/// Days from the moment of the market to 08:00 UTC of each expiry.
const EXPIRY_DAYS: [i64; 4] = [7, 35, 126, 308];
/// Strikes over the index price.
const STRIKES: [f64; 15] = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5, 1.8];

/// Margin class of the options on an underlying.
pub(super) fn option_class(underlying: &str) -> String {
    format!("{underlying}-option")
}

/// The options listed on those underlyings of the market that have chains and whose class `has_class`; sorted by name.
pub(super) fn chains(
    (assets, underlyings): (&[Asset], &[Underlying]),
    as_of: Timestamp,
    has_class: &dyn Fn(&str) -> bool,
) -> Vec<Instrument> {
    let asset = |name: &str| assets.binary_search_by(|asset| asset.name.as_str().cmp(name)).ok();
    let mut options = Vec::new();
    for (name, linear_in) in CHAINS {
        let underlying = underlyings.binary_search_by(|underlying| underlying.name.as_str().cmp(name));
        let settlement = asset(linear_in.unwrap_or(name));
        let price_asset = asset(linear_in.unwrap_or("USD"));
        let (Ok(at), Some(settlement), Some(price_asset)) = (underlying, settlement, price_asset) else { continue };
        if !has_class(&option_class(name)) {
            continue;
        }
        let payoff = if linear_in.is_some() { Payoff::Linear } else { Payoff::Inverse };
        let template = Instrument {
            kind: Kind::Option,
            payoff,
            price_asset: price_asset as u32,
            margin_class: option_class(name),
            ..Instrument::perpetual("", at as u32, settlement as u32, 0.0)
        };
        for days in EXPIRY_DAYS {
            let expiry = as_of + SignedDuration::from_hours(24 * days + 8);
            chain_of_expiry(&template, &underlyings[at], (as_of, expiry), assets[price_asset].price, &mut options);
        }
    }
    options.sort_by(|a, b| a.name.cmp(&b.name));
    options
}

fn chain_of_expiry(
    template: &Instrument,
    underlying: &Underlying,
    (as_of, expiry): (Timestamp, Timestamp),
    unit: f64,
    options: &mut Vec<Instrument>,
) {
    let years = expiry.duration_since(as_of).as_secs_f64() / YEAR_SECONDS;
    let forward = round_significant(underlying.index_price * libm::exp(CARRY_PER_YEAR * years), 7);
    let level = underlying.volatility_index.unwrap_or(0.8);
    let mut strikes: Vec<f64> =
        STRIKES.iter().map(|ratio| round_significant(underlying.index_price * ratio, 2)).collect();
    strikes.dedup();
    for strike in strikes {
        // A smile with a tilt towards low strikes, flatter for long expiries.
        let moneyness = libm::log(strike / forward) / libm::sqrt(years.max(0.1));
        let smile = 1.0 + 0.08 * moneyness * moneyness - 0.05 * moneyness;
        let volatility = round_significant((level * smile).clamp(0.1, 3.0), 4);
        let state = OptionMarket {
            index: underlying.index_price / unit,
            forward: forward / unit,
            volatility,
            years,
            rate: 0.0,
        };
        for (right, letter) in [(Right::Call, 'C'), (Right::Put, 'P')] {
            let numeraire = if template.payoff == Payoff::Inverse { Numeraire::Coin } else { Numeraire::Quote };
            let value = European { right, strike, numeraire }.value(&state);
            options.push(Instrument {
                name: format!("{}-{}-{strike}-{letter}", underlying.name, date(expiry)),
                strike: Some(strike),
                expiry: Some(expiry),
                right: Some(right),
                implied_volatility: Some(volatility),
                forward_price: Some(forward),
                // A value too small to be quoted is quoted as nothing.
                mark_price: if value < 1e-9 { 0.0 } else { round_significant(value, 6) },
                ..template.clone()
            });
        }
    }
}

/// A date as venues write it: `25DEC26`.
fn date(moment: Timestamp) -> String {
    moment.strftime("%d%b%y").to_string().to_uppercase()
}
