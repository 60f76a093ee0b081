use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::market::Market;
use super::random::{Random, round_significant};

/// Standard deviation of a source's error, relative to the price, and what it says of itself.
const ERROR: f64 = 2e-4;
/// Oldest quote, seconds.
const OLDEST_SECONDS: f64 = 30.0;

/// What one source says of one price.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthQuote {
    /// Name of the source.
    pub source: String,
    /// Asset or underlying.
    pub subject: String,
    /// Price, quote units.
    pub price: f64,
    /// Half-width of the interval that the source is sure of, quote units.
    pub confidence: f64,
    /// When the source said so; at most 30 seconds before the snapshot.
    pub timestamp: Timestamp,
    /// Weight of the source.
    pub weight: f64,
}

/// Quotes of `sources` sources for every settled asset but the quote currency and every underlying, by subject, then source.
pub fn quotes(market: &Market, sources: u32, seed: u64) -> Vec<SynthQuote> {
    let assets = market.assets.iter().filter(|asset| asset.custody.is_none() && asset.name != market.quote);
    let underlyings = market.underlyings.iter().map(|underlying| (underlying.name.as_str(), underlying.index_price));
    let subjects: BTreeMap<&str, f64> =
        underlyings.chain(assets.map(|asset| (asset.name.as_str(), asset.price))).collect();
    let mut quotes = Vec::with_capacity(subjects.len() * sources as usize);
    for (subject, price) in subjects {
        for number in 1..=sources {
            let source = format!("source-{number:02}");
            let mut random = Random::named(seed, &format!("{source} on {subject}"));
            let quoted = round_significant(price * libm::exp(ERROR * random.normal()), 8);
            let age = SignedDuration::from_millis((1e3 * OLDEST_SECONDS * random.uniform()) as i64);
            quotes.push(SynthQuote {
                source,
                subject: subject.into(),
                price: quoted,
                confidence: round_significant(ERROR * quoted, 4),
                timestamp: market.as_of - age,
                weight: 1.0,
            });
        }
    }
    quotes
}
