use jiff::Timestamp;

use super::{Component, ComponentRows, Per};
use crate::domain::{AssetIndex, Balance, Instrument, Pool, Position, Snapshot, Underlying, UnderlyingIndex};
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
        let is_covered = |position: &&Position| {
            component.cover.instrument(&snapshot.instruments[position.instrument as usize], snapshot)
        };
        let positions = self.positions.iter().copied().filter(is_covered).collect();
        let counts = |balance: &&Balance| component.cover.asset(&snapshot.assets[balance.asset as usize]);
        let balances = self.balances.iter().copied().filter(counts).collect();
        Scope { setting: self.setting, positions, balances }.groups(at, component.per)
    }

    fn groups(&self, component: usize, per: Per) -> Vec<Part<'p, 's>> {
        let snapshot = self.setting.snapshot;
        let mut parts: Vec<Part<'p, 's>> = Vec::new();
        let mut part_of = |key: GroupKey| {
            parts.iter().position(|part| part.key == key).unwrap_or_else(|| {
                let scope = Scope { setting: self.setting, positions: Vec::new(), balances: Vec::new() };
                parts.push(Part { scope, key, component });
                parts.len() - 1
            })
        };
        let of_position =
            |position: &Position| GroupKey::of_instrument(per, &snapshot.instruments[position.instrument as usize]);
        let of_positions: Vec<_> = self.positions.iter().map(|position| part_of(of_position(position))).collect();
        let of_balance = |balance: &Balance| GroupKey::of_asset(per, balance.asset, snapshot);
        let of_balances: Vec<_> = self.balances.iter().map(|balance| part_of(of_balance(balance))).collect();
        of_positions.iter().zip(&self.positions).for_each(|(part, held)| parts[*part].scope.positions.push(*held));
        of_balances.iter().zip(&self.balances).for_each(|(part, held)| parts[*part].scope.balances.push(*held));
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

    /// Underlying of its first holding, positions first; `None` where nothing held has one.
    pub(in crate::margin) fn underlying(&self) -> Option<&'s Underlying> {
        let snapshot = self.scope.setting.snapshot;
        let of_position = self.positions().next().map(|position| self.instrument(position).underlying);
        let index = of_position.or_else(|| self.balances().find_map(|lot| snapshot.underlying_of_asset(lot.asset)));
        index.map(|index| &snapshot.underlyings[index as usize])
    }

    /// Groups within the group.
    pub(in crate::margin) fn split(&self, per: Per) -> Vec<Part<'p, 's>> {
        self.scope.groups(self.component, per)
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
