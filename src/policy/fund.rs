use std::collections::BTreeMap;

/// Money set aside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Purse {
    /// An amount, quote units, ≥ 0.
    Quote(f64),
    /// As much as it takes.
    Unlimited,
}

/// Whom a fund pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FundScope {
    /// One fund for the exchange.
    #[default]
    Global,
    /// One fund for each underlying; a pool's debt is shared out by the notional it had in each when its liquidation began.
    Underlying,
}

impl FundScope {
    /// The words of a policy file.
    pub const WORDS: [(&'static str, Self); 2] = [("global", Self::Global), ("underlying", Self::Underlying)];
}

/// Insurance against pools that end below zero.
#[derive(Debug, Clone, PartialEq)]
pub struct FundPolicy {
    /// Whom a fund pays for.
    pub scope: FundScope,
    /// Opening balance of the fund, or of the fund of each underlying.
    pub balance: Purse,
    /// Opening balances of the funds of single underlyings, by name.
    pub balances: BTreeMap<String, Purse>,
}

impl Default for FundPolicy {
    fn default() -> Self {
        Self { scope: FundScope::default(), balance: Purse::Quote(0.0), balances: BTreeMap::new() }
    }
}
