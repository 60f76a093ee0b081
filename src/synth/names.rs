//! Names with plausible prices of no particular day. Only ratios matter to a stress test.

use super::random::Random;
use super::random::round_significant;

/// What is known about a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Facts {
    /// Price, quote units.
    pub(super) price: f64,
    /// Volatility index, per √year.
    pub(super) volatility: f64,
    /// Average daily volume, quote units per day.
    pub(super) adv_quote: f64,
    /// Place in the order of popularity, 0 first.
    pub(super) rank: usize,
}

/// Stablecoins that serve as cash, best first.
pub(super) const CASH: [&str; 2] = ["USDT", "USDC"];

/// Names whose price follows a currency.
pub(super) const STABLE: [&str; 6] = ["USDT", "USDC", "FDUSD", "BUSD", "DAI", "UST"];

/// (name, price, volatility index, average daily volume in millions of quote units), most popular first.
const NAMES: [(&str, f64, f64, f64); 58] = [
    ("BTC", 86_420.0, 0.48, 24_000.0),
    ("ETH", 3_120.0, 0.62, 13_500.0),
    ("SOL", 148.6, 0.78, 4_200.0),
    ("XRP", 1.94, 0.81, 2_600.0),
    ("DOGE", 0.1835, 0.92, 1_900.0),
    ("BNB", 742.0, 0.55, 1_500.0),
    ("ADA", 0.4912, 0.83, 760.0),
    ("AVAX", 24.35, 0.88, 540.0),
    ("LINK", 16.82, 0.82, 520.0),
    ("LTC", 92.4, 0.72, 430.0),
    ("DOT", 4.215, 0.84, 340.0),
    ("LUNA", 78.4, 1.02, 900.0),
    ("TRX", 0.2874, 0.52, 310.0),
    ("BCH", 486.0, 0.76, 300.0),
    ("UNI", 7.93, 0.91, 260.0),
    ("MATIC", 0.5241, 0.89, 250.0),
    ("NEAR", 3.118, 0.95, 240.0),
    ("ATOM", 4.87, 0.86, 170.0),
    ("FTM", 0.7146, 1.04, 165.0),
    ("FIL", 2.654, 0.93, 150.0),
    ("ETC", 18.92, 0.85, 145.0),
    ("AAVE", 192.3, 0.94, 140.0),
    ("ICP", 5.96, 0.97, 110.0),
    ("XLM", 0.2713, 0.87, 105.0),
    ("CRV", 0.6021, 1.12, 100.0),
    ("SAND", 0.3342, 1.01, 95.0),
    ("ALGO", 0.2048, 0.92, 90.0),
    ("RUNE", 2.341, 1.08, 88.0),
    ("EOS", 0.6513, 0.86, 84.0),
    ("AXS", 3.442, 1.03, 76.0),
    ("MANA", 0.3275, 1.0, 74.0),
    ("MKR", 1_684.0, 0.9, 70.0),
    ("GRT", 0.1192, 1.02, 64.0),
    ("SUSHI", 0.8317, 1.1, 58.0),
    ("SNX", 1.286, 1.09, 52.0),
    ("THETA", 0.9173, 1.0, 50.0),
    ("VET", 0.02946, 0.95, 48.0),
    ("COMP", 47.85, 1.02, 44.0),
    ("1INCH", 0.2764, 1.01, 40.0),
    ("XTZ", 0.7852, 0.88, 36.0),
    ("YFI", 5_934.0, 1.04, 30.0),
    ("FTT", 28.7, 0.98, 120.0),
    ("SRM", 2.31, 1.22, 60.0),
    ("APT", 5.74, 0.99, 150.0),
    ("ARB", 0.4216, 1.03, 180.0),
    ("OP", 0.7518, 1.06, 160.0),
    ("SUI", 2.084, 1.05, 620.0),
    ("INJ", 11.62, 1.08, 110.0),
    ("SEI", 0.2187, 1.14, 120.0),
    ("TIA", 1.623, 1.24, 115.0),
    ("LDO", 0.9046, 1.11, 105.0),
    ("BONK", 0.00001427, 1.36, 210.0),
    ("PEPE", 0.000006853, 1.42, 560.0),
    ("SHIB", 0.00001084, 1.08, 230.0),
    ("WIF", 0.4952, 1.5, 240.0),
    ("UST", 0.9996, 0.4, 800.0),
    ("USDC", 0.9999, 0.4, 5_000.0),
    ("USDT", 1.0002, 0.4, 60_000.0),
];

/// The names of the built-in list, most popular first.
pub(super) fn built_in() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, ..)| *name)
}

/// What is known about `name`; a name that is not in the list gets plausible numbers drawn from `seed` and the name alone.
pub(super) fn facts(name: &str, seed: u64) -> Facts {
    if let Some(rank) = NAMES.iter().position(|(known, ..)| *known == name) {
        let (_, price, volatility, millions) = NAMES[rank];
        return Facts { price, volatility, adv_quote: millions * 1e6, rank };
    }
    if STABLE.contains(&name) {
        return Facts { price: 1.0, volatility: 0.4, adv_quote: 1e8, rank: NAMES.len() };
    }
    let mut random = Random::named(seed, name);
    Facts {
        price: round_significant(random.log_normal(0.4, 2.0), 4),
        volatility: round_significant(0.8 + 0.7 * random.uniform(), 3),
        adv_quote: round_significant(random.log_normal(2.5e7, 1.0), 3),
        rank: NAMES.len(),
    }
}
