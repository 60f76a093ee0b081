//! How much of the collateral the requirements use, asset by asset.

use std::collections::BTreeMap;

use crate::domain::AssetIndex;
use crate::engine::{PoolOutcome, State};
use crate::margin::Setting;
use crate::pricing::Column;

/// One asset as collateral of the whole exchange at base, quote units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AssetUtilisation {
    /// The asset; `None` collects the requirements of pools without collateral.
    pub asset: Option<AssetIndex>,
    /// Σ over pools of its adjusted value where that is positive; a loan is no collateral.
    pub collateral: f64,
    /// Σ over pools of the initial margin, each pool's divided among its assets in proportion to their positive adjusted
    /// values.
    pub requirement: f64,
}

impl AssetUtilisation {
    /// Requirement / collateral; `None` where there is no collateral.
    pub fn utilisation(&self) -> Option<f64> {
        (self.collateral > 0.0).then(|| self.requirement / self.collateral)
    }
}

/// Utilisation of every asset that is collateral, by asset; requirements that nothing backs come first.
pub fn utilisation(setting: &Setting<'_>, outcomes: &[PoolOutcome]) -> Vec<AssetUtilisation> {
    let mut assets: BTreeMap<Option<AssetIndex>, [f64; 2]> = BTreeMap::new();
    let mut add = |asset, collateral: f64, requirement: f64| {
        let sums = assets.entry(asset).or_insert([0.0; 2]);
        *sums = [sums[0] + collateral, sums[1] + requirement];
    };
    let market = (setting.rows, Column::Base);
    for (pool, outcome) in setting.snapshot.book.pools().zip(outcomes) {
        if outcome.state == State::Unknown {
            continue;
        }
        let mut backing = setting.collateral_by_asset::<f64>(&pool, &market);
        backing.retain(|(_, value)| *value > 0.0);
        let total: f64 = backing.iter().map(|(_, value)| value).sum();
        let required = outcome.base.initial_margin;
        if total <= 0.0 && required > 0.0 {
            add(None, 0.0, required);
        }
        for (asset, value) in backing {
            add(Some(asset), value, required * (value / total));
        }
    }
    let rows = assets.into_iter();
    rows.map(|(asset, [collateral, requirement])| AssetUtilisation { asset, collateral, requirement }).collect()
}
