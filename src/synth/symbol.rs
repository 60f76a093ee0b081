use jiff::Timestamp;

/// What the name of a contract says, in the notation `BASE/QUOTE:SETTLEMENT-YYMMDD`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Symbol {
    /// The underlying, without a multiplier.
    pub(super) base: String,
    /// Units of the underlying that the name's price is for: 1000 for `1000BONK`, otherwise 1.
    pub(super) multiplier: f64,
    /// Asset in which prices are quoted.
    pub(super) quote: String,
    /// Asset in which the contract pays; `None` for spot.
    pub(super) settlement: Option<String>,
    /// Expiry of a dated contract, 08:00 UTC of the day in the name.
    pub(super) expiry: Option<Timestamp>,
}

impl Symbol {
    /// Reads `BTC/USDT:USDT`, `BTC/USD:BTC-261225`, `BTC/USDT` (spot), or a plain `BTCUSDT` (perpetual settled in its quote).
    /// `None` for anything else, options included.
    pub(super) fn parse(key: &str) -> Option<Self> {
        let Some((name, rest)) = key.split_once('/') else { return Self::parse_plain(key) };
        let (quote, settlement) = match rest.split_once(':') {
            Some((quote, settlement)) => (quote, Some(settlement)),
            None => (rest, None),
        };
        let (settlement, expiry) = match settlement.and_then(|text| text.split_once('-')) {
            Some((asset, date)) => (Some(asset), Some(expiry(date)?)),
            None => (settlement, None),
        };
        if name.is_empty() || quote.is_empty() || settlement.is_some_and(str::is_empty) {
            return None;
        }
        let (base, multiplier) = split_multiplier(name);
        let settlement = settlement.map(str::to_string);
        Some(Self { base: base.into(), multiplier, quote: quote.into(), settlement, expiry })
    }

    fn parse_plain(key: &str) -> Option<Self> {
        let quote = ["USDT", "USDC", "FDUSD", "BUSD"].into_iter().find(|quote| key.ends_with(quote))?;
        let name = key[..key.len() - quote.len()].trim_end_matches(['-', '_']);
        if name.is_empty() {
            return None;
        }
        let (base, multiplier) = split_multiplier(name);
        Some(Self { base: base.into(), multiplier, quote: quote.into(), settlement: Some(quote.into()), expiry: None })
    }
}

/// `1000BONK` is 1000 × `BONK`, `1MBABYDOGE` is a million × `BABYDOGE`; `1INCH` is a name. A multiplier is 1 followed by at
/// least three zeros, or `1M`, and at least two more characters.
fn split_multiplier(name: &str) -> (&str, f64) {
    let Some(rest) = name.strip_prefix('1') else { return (name, 1.0) };
    let base = rest.trim_start_matches('0');
    let zeros = rest.len() - base.len();
    if let (3..=9, true) = (zeros, base.len() >= 2) {
        return (base, [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9][zeros - 3]);
    }
    match rest.strip_prefix('M') {
        Some(base) if base.len() >= 4 => (base, 1e6),
        _ => (name, 1.0),
    }
}

/// `261225` is 2026-12-25T08:00:00Z.
fn expiry(date: &str) -> Option<Timestamp> {
    if date.len() != 6 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("20{}-{}-{}T08:00:00Z", &date[..2], &date[2..4], &date[4..]).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipliers_are_stripped_and_names_are_not() {
        assert_eq!(split_multiplier("1000BONK"), ("BONK", 1e3));
        assert_eq!(split_multiplier("1000000MOG"), ("MOG", 1e6));
        assert_eq!(split_multiplier("1MBABYDOGE"), ("BABYDOGE", 1e6));
        assert_eq!(split_multiplier("1INCH"), ("1INCH", 1.0));
        assert_eq!(split_multiplier("BTC"), ("BTC", 1.0));
    }

    #[test]
    fn names_say_kind_settlement_and_expiry() {
        let dated = Symbol::parse("BTC/USDT:USDT-241227").expect("a dated contract");
        assert_eq!(dated.settlement.as_deref(), Some("USDT"));
        assert_eq!(dated.expiry.map(|at| at.to_string()).as_deref(), Some("2024-12-27T08:00:00Z"));
        assert_eq!(Symbol::parse("BTC/USDT").and_then(|symbol| symbol.settlement), None);
        assert_eq!(Symbol::parse("ETHUSDT").map(|symbol| symbol.base).as_deref(), Some("ETH"));
        for unreadable in ["", "/", "BTC/", "BTC/USD:BTC-261225-60000-C", "BTC/USD:BTC-261399", "default"] {
            assert_eq!(Symbol::parse(unreadable), None, "{unreadable}");
        }
    }
}
