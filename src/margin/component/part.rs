use jiff::Timestamp;

use super::{Component, ComponentRows, Per};
use crate::domain::{AssetIndex, Balance, Instrument, Pool, Position, Snapshot, UnderlyingIndex};
use crate::margin::pool::Setting;

/// The holdings that a formula is asked about: a whole pool's, or one group of them.
#[derive(Clone)]
pub(in crate::margin) struct Scope<'p, 's> {
    setting: Setting<'s>,
    positions: Vec<&'p Position>,
    balances: Vec<&'p Balance>,
}

/// What the holdings of a part have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupKey {
    Underlying(UnderlyingIndex),
    Expiry(UnderlyingIndex, Option<Timestamp>),
    /// Balances of an asset that no held underlying is named after.
    Asset(AssetIndex),
    Settlement(AssetIndex),
    Pool,
}

/// One group of what a component covers.
pub(in crate::margin) struct Part<'p, 's> {
    scope: Scope<'p, 's>,
    key: GroupKey,
    component: usize,
}

impl<'p, 's> Scope<'p, 's> {
    /// All holdings of a pool.
    pub(in crate::margin) fn of_pool(setting: Setting<'s>, pool: &Pool<'p>) -> Self {
        let positions = pool.positions.iter().filter(|position| position.quantity != 0.0).collect();
        Self { setting, positions, balances: pool.balances.iter().collect() }
    }

    /// Its positions, none of size 0, in stored order.
    pub(in crate::margin) fn positions(&self) -> impl Iterator<Item = &'p Position> + Clone + use<'p, '_, 's> {
        self.positions.iter().copied()
    }

    /// Its balances.
    pub(in crate::margin) fn balances(&self) -> impl Iterator<Item = &'p Balance> + Clone + use<'p, '_, 's> {
        self.balances.iter().copied()
    }

    /// The groups of what a component covers, in the order in which they are met: positions first.
    pub(in crate::margin) fn parts(&self, at: usize, component: &Component) -> Vec<Part<'p, 's>> {
        let snapshot = self.setting.snapshot;
        let mut parts: Vec<Part<'p, 's>> = Vec::new();
        let mut part_of = |key: GroupKey| {
            let found = parts.iter().position(|part| part.key == key).unwrap_or_else(|| {
                let scope = Scope { setting: self.setting, positions: Vec::new(), balances: Vec::new() };
                parts.push(Part { scope, key, component: at });
                parts.len() - 1
            });
            found
        };
        let mut of_positions = Vec::with_capacity(self.positions.len());
        for position in &self.positions {
            let instrument = &snapshot.instruments[position.instrument as usize];
            if component.cover.instrument(instrument, snapshot) {
                of_positions.push((part_of(GroupKey::of_instrument(component.per, instrument)), *position));
            }
        }
        let mut of_balances = Vec::new();
        for balance in &self.balances {
            if component.cover.asset(&snapshot.assets[balance.asset as usize]) {
                of_balances.push((part_of(GroupKey::of_asset(component.per, balance.asset, snapshot)), *balance));
            }
        }
        of_positions.into_iter().for_each(|(part, position)| parts[part].scope.positions.push(position));
        of_balances.into_iter().for_each(|(part, balance)| parts[part].scope.balances.push(balance));
        parts
    }
}

impl GroupKey {
    fn of_instrument(per: Per, instrument: &Instrument) -> Self {
        match per {
            Per::Underlying => Self::Underlying(instrument.underlying),
            Per::Expiry => Self::Expiry(instrument.underlying, instrument.expiry),
            Per::Settlement => Self::Settlement(instrument.settlement_asset),
            Per::Pool => Self::Pool,
        }
    }

    fn of_asset(per: Per, asset: AssetIndex, snapshot: &Snapshot) -> Self {
        match per {
            Per::Underlying | Per::Expiry => match (snapshot.underlying_of_asset(asset), per) {
                (Some(underlying), Per::Expiry) => Self::Expiry(underlying, None),
                (Some(underlying), _) => Self::Underlying(underlying),
                (None, _) => Self::Asset(asset),
            },
            Per::Settlement => Self::Settlement(asset),
            Per::Pool => Self::Pool,
        }
    }
}

impl<'p, 's> Part<'p, 's> {
    /// What the formulas read.
    pub(in crate::margin) fn setting(&self) -> Setting<'s> {
        self.scope.setting
    }

    /// Rows of the component.
    pub(in crate::margin) fn rows(&self) -> &'s ComponentRows {
        self.scope.setting.rows.of_component(self.component)
    }

    /// Positions of the group, none of size 0, in stored order.
    pub(in crate::margin) fn positions(&self) -> impl Iterator<Item = &'p Position> + use<'p, '_, 's> {
        self.scope.positions()
    }

    /// Balances of the group.
    pub(in crate::margin) fn balances(&self) -> impl Iterator<Item = &'p Balance> + use<'p, '_, 's> {
        self.scope.balances()
    }

    /// What a position is in.
    pub(in crate::margin) fn instrument(&self, position: &Position) -> &'s Instrument {
        &self.scope.setting.snapshot.instruments[position.instrument as usize]
    }

    /// Position of the component in the rulebook.
    pub(in crate::margin) fn component(&self) -> usize {
        self.component
    }

    /// Its holdings alone, for components that are evaluated within it.
    pub(in crate::margin) fn scope(&self) -> &Scope<'p, 's> {
        &self.scope
    }

    /// Name of what its holdings have in common.
    pub(in crate::margin) fn group_name(&self) -> String {
        let snapshot = self.scope.setting.snapshot;
        match self.key {
            GroupKey::Underlying(underlying) => snapshot.underlyings[underlying as usize].name.clone(),
            GroupKey::Expiry(underlying, None) => snapshot.underlyings[underlying as usize].name.clone(),
            GroupKey::Expiry(underlying, Some(expiry)) => {
                format!("{} {expiry}", snapshot.underlyings[underlying as usize].name)
            }
            GroupKey::Asset(asset) | GroupKey::Settlement(asset) => snapshot.assets[asset as usize].name.clone(),
            GroupKey::Pool => "pool".into(),
        }
    }
}
