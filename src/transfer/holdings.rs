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

    /// Sets the amount of an asset; what has accrued stays.
    ///
    /// What arrives is a lot without terms. What leaves is taken from lots without terms, as far as they are more than loans,
    /// then from the others in stored order; one that is emptied goes, and the rest keep their terms.
    pub(super) fn set_amount(&mut self, asset: AssetIndex, amount: Quanta) {
        let sum_of = |with_terms| -> Quanta {
            let lots = self.of_asset(asset).filter(|balance| (balance.lot != 0) == with_terms);
            lots.map(|balance| Quanta::nearest(balance.amount)).sum()
        };
        let (plain, mut kept) = (sum_of(false), sum_of(true));
        let mut leaving = (kept + plain.min(Quanta::ZERO) - amount).max(Quanta::ZERO);
        self.balances.retain_mut(|balance| {
            if balance.asset != asset || balance.lot == 0 {
                return true;
            }
            let held = Quanta::nearest(balance.amount);
            let taken = leaving.min(held).max(Quanta::ZERO);
            leaving -= taken;
            kept -= taken;
            balance.amount = (held - taken).units();
            taken == Quanta::ZERO || taken < held || balance.accrued_interest != 0.0
        });
        self.set_plain(asset, (amount - kept).units());
    }

    /// Sets the units of an asset in lots without terms; the first of them holds all of it then.
    fn set_plain(&mut self, asset: AssetIndex, mut units: f64) {
        let mut is_held = false;
        for balance in self.balances.iter_mut().filter(|balance| balance.asset == asset && balance.lot == 0) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Lots of one asset: index of the terms, units.
    fn holding(lots: &[(u32, f64)]) -> Holdings {
        let balances = lots.iter().map(|&(lot, amount)| Balance { lot, ..Balance::new(0, amount) });
        Holdings { balances: balances.collect(), ..Holdings::default() }
    }

    fn after(lots: &[(u32, f64)], units: f64) -> Vec<(u32, f64)> {
        let mut held = holding(lots);
        held.set_amount(0, Quanta::nearest(units));
        assert_eq!(held.amount(0), units);
        held.balances.iter().map(|balance| (balance.lot, balance.amount)).collect()
    }

    #[test]
    fn lots_that_do_not_move_keep_their_terms() {
        let lots = [(0, 1.0), (7, 2.0), (8, 4.0)];
        assert_eq!(after(&lots, 6.5), [(0, 0.5), (7, 2.0), (8, 4.0)], "what has no terms moves first");
        assert_eq!(after(&lots, 5.0), [(0, 0.0), (7, 1.0), (8, 4.0)]);
        assert_eq!(after(&lots, 4.0), [(0, 0.0), (8, 4.0)], "an emptied lot goes");
        assert_eq!(after(&lots, 0.0), [(0, 0.0)]);
        assert_eq!(after(&lots, 9.0), [(0, 3.0), (7, 2.0), (8, 4.0)]);
        assert_eq!(after(&[(7, 2.0)], 3.0), [(7, 2.0), (0, 1.0)], "what arrives is no part of a lot with terms");
    }

    #[test]
    fn a_loan_stays_a_loan_and_is_paid_back_by_what_arrives() {
        assert_eq!(after(&[(7, 5.0), (0, -2.0)], 2.0), [(7, 4.0), (0, -2.0)]);
        assert_eq!(after(&[(7, 5.0), (0, -2.0)], 4.0), [(7, 5.0), (0, -1.0)]);
        assert_eq!(after(&[(7, -5.0), (8, 6.0)], 0.5), [(7, -5.0), (8, 5.5)]);
        assert_eq!(after(&[(0, -5.0)], -2.0), [(0, -2.0)]);
    }

    #[test]
    fn an_emptied_lot_that_has_accrued_something_stays() {
        let mut held = holding(&[(7, 2.0)]);
        held.balances[0].accrued_interest = 0.5;
        held.set_amount(0, Quanta::ZERO);
        assert_eq!((held.amount(0), held.accrued(0), held.balances[0].lot), (0.0, 0.5, 7));
    }
}
