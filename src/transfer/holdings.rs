use crate::domain::{AssetIndex, Balance, BookBuilder, Pool, PoolSettings, Position};
use crate::liquidation::Quanta;

/// What a pool holds, and its settings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Holdings {
    /// Balances, by asset.
    pub balances: Vec<Balance>,
    /// Positions, by instrument and side.
    pub positions: Vec<Position>,
    /// Multipliers and order margin.
    pub settings: PoolSettings,
}

impl Holdings {
    /// Those of a pool.
    pub fn of(pool: &Pool<'_>) -> Self {
        Self { balances: pool.balances.to_vec(), positions: pool.positions.to_vec(), settings: pool.settings.clone() }
    }

    /// As a pool of this name.
    pub fn pool<'p>(&'p self, account: &'p str, pool: &'p str) -> Pool<'p> {
        Pool {
            account,
            pool,
            balances: &self.balances,
            positions: &self.positions,
            settings: &self.settings,
            unknown: false,
        }
    }

    /// Adds them to a book as a pool of this name.
    pub fn add_to(&self, builder: &mut BookBuilder, account: &str, pool: &str) {
        let id = builder.pool(account, pool);
        self.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
        self.positions.iter().for_each(|position| builder.add_position(id, *position));
        if self.settings != PoolSettings::default() {
            *builder.settings(id) = self.settings.clone();
        }
    }

    /// Units of an asset, over all its lots, without what has accrued.
    pub(super) fn amount(&self, asset: AssetIndex) -> f64 {
        self.of_asset(asset).map(|balance| balance.amount).sum()
    }

    /// Units of an asset that have accrued, over all its lots.
    pub(super) fn accrued(&self, asset: AssetIndex) -> f64 {
        self.of_asset(asset).map(|balance| balance.accrued_interest).sum()
    }

    fn of_asset(&self, asset: AssetIndex) -> impl Iterator<Item = &Balance> {
        self.balances.iter().filter(move |balance| balance.asset == asset)
    }

    /// Sets the amount of an asset; its first lot holds all of it then. What has accrued stays.
    pub(super) fn set_amount(&mut self, asset: AssetIndex, amount: Quanta) {
        let mut units = amount.units();
        let mut is_held = false;
        for balance in self.balances.iter_mut().filter(|balance| balance.asset == asset) {
            balance.amount = std::mem::take(&mut units);
            is_held = true;
        }
        if !is_held && units != 0.0 {
            self.balances.push(Balance::new(asset, units));
            self.balances.sort_by_key(|balance| balance.asset);
        }
    }

    /// Takes out everything in an asset, accrued interest included.
    pub(super) fn remove_asset(&mut self, asset: AssetIndex) {
        self.balances.retain(|balance| balance.asset != asset);
    }

    /// Replaces the position of this instrument and side, if any, by another, if any.
    pub(super) fn set_position(&mut self, key: &Position, position: Option<Position>) {
        self.positions.retain(|held| (held.instrument, held.side) != (key.instrument, key.side));
        self.positions.extend(position);
        self.positions.sort_by_key(|held| (held.instrument, held.side));
    }

    /// The position of this instrument and side.
    pub(super) fn position(&self, key: &Position) -> Option<&Position> {
        self.positions.iter().find(|held| (held.instrument, held.side) == (key.instrument, key.side))
    }
}
