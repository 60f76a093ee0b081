//! How much of the collateral the requirements use: by asset, by network, by account.

use std::collections::BTreeMap;

use crate::domain::AssetIndex;
use crate::engine::{PoolOutcome, State};
use crate::margin::Setting;
use crate::pricing::Column;

/// Whose collateral it is, or what, or where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// Everybody's, of everything.
    Exchange,
    /// Of one asset.
    Asset(AssetIndex),
    /// On one network or route; empty: held by the exchange itself, or not said.
    Network(String),
    /// Of one account, over all its pools.
    Account(String),
}

/// Collateral and what it backs at base, quote units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Utilisation {
    /// Σ positive balances at market, before haircuts; also of what counts for nothing.
    pub value: f64,
    /// Σ over pools of what they count after haircuts, where that is positive; a loan is no collateral.
    pub collateral: f64,
    /// Σ over pools of the initial margin, each pool's divided among its assets in proportion to what they count.
    pub requirement: f64,
    /// Initial margin of pools without any collateral, in no other figure but those of accounts and of the exchange.
    pub unbacked: f64,
}

impl Utilisation {
    /// Requirement / collateral; `None` where there is no collateral.
    pub fn ratio(&self) -> Option<f64> {
        (self.collateral > 0.0).then(|| self.requirement / self.collateral)
    }

    /// Share of the value that haircuts take; `None` where there is no value.
    pub fn haircut(&self) -> Option<f64> {
        (self.value > 0.0).then(|| 1.0 - self.collateral / self.value)
    }

    fn add(&mut self, part: &Self) {
        self.value += part.value;
        self.collateral += part.collateral;
        self.requirement += part.requirement;
        self.unbacked += part.unbacked;
    }
}

/// Utilisation of the exchange, of every asset that is collateral, of every network and of every account with a known pool; in
/// that order, each by name.
pub fn utilisation(setting: &Setting<'_>, outcomes: &[PoolOutcome]) -> BTreeMap<Holder, Utilisation> {
    let mut sums: BTreeMap<Holder, Utilisation> = BTreeMap::new();
    let market = (setting.rows, Column::Base);
    for (pool, outcome) in setting.snapshot.book.pools().zip(outcomes) {
        if outcome.state == State::Unknown {
            continue;
        }
        let mut counted = setting.collateral_by_asset::<f64>(&pool, &market);
        counted.iter_mut().for_each(|(_, counted)| *counted = counted.max(0.0));
        let total: f64 = counted.iter().map(|(_, counted)| counted).sum();
        let required = outcome.base.initial_margin;
        let mut whole = Utilisation { unbacked: if total > 0.0 { 0.0 } else { required }, ..Utilisation::default() };
        for (asset, counted) in counted {
            let price = setting.rows.of_asset(asset).map_or(0.0, |row| setting.rows.value(row, Column::Base));
            let lots = pool.balances.iter().filter(|balance| balance.asset == asset);
            let units: f64 = lots.map(|balance| balance.amount + balance.accrued_interest).sum();
            if units <= 0.0 {
                continue;
            }
            let requirement = if total > 0.0 { required * (counted / total) } else { 0.0 };
            let part = Utilisation { value: units * price, collateral: counted, requirement, unbacked: 0.0 };
            let network = network_of(setting, asset);
            sums.entry(Holder::Asset(asset)).or_default().add(&part);
            sums.entry(Holder::Network(network)).or_default().add(&part);
            whole.add(&part);
        }
        sums.entry(Holder::Account(pool.account.to_string())).or_default().add(&whole);
        sums.entry(Holder::Exchange).or_default().add(&whole);
    }
    sums
}

fn network_of(setting: &Setting<'_>, asset: AssetIndex) -> String {
    setting.snapshot.assets[asset as usize].network.clone().unwrap_or_default()
}
