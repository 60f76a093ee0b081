use std::collections::BTreeMap;

use super::market::MarketFall;
use crate::domain::{Asset, Snapshot};

/// What each stable or wrapped asset should be worth.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pegs {
    /// Reference asset by asset.
    pub of: BTreeMap<String, String>,
    /// Names that follow the quote currency unless `of` says otherwise, in any case.
    pub stable: Vec<String>,
}

/// How far an asset may leave its peg within the horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct PegBreak {
    /// What it should be worth.
    pub reference: String,
    /// Worst falls of the ratio of the two prices; `None` where the history does not have both.
    pub fall: Option<MarketFall>,
    /// The larger of that and the floor, in [0, 1].
    pub haircut: f64,
}

impl Pegs {
    /// The reference of an asset: as stated; else the underlying it follows; else, of a stable one, the quote currency.
    pub fn reference<'p>(&'p self, asset: &'p Asset, snapshot: &'p Snapshot) -> Option<&'p str> {
        let is_stable = || self.stable.iter().any(|name| name.eq_ignore_ascii_case(&asset.name));
        match self.of.get(&asset.name) {
            Some(reference) => Some(reference),
            None if asset.underlying != asset.name => Some(&asset.underlying),
            None => is_stable().then_some(snapshot.quote.as_str()),
        }
    }
}
