//! How much an account posts, and in what: chosen so that the book is an ordinary leveraged one.

use super::accounts::Accounts;
use super::random::{Random, round_significant};
use crate::domain::{AssetIndex, Balance, Position};

/// Half-width, relative to the maintenance margin or the initial margin, of the band around a threshold.
const NEAR: f64 = 1e-7;
/// Median and standard deviation of the logarithm of health ratios: 95 % lie between 1.25 and 29.
const HEALTH: (f64, f64) = (6.0, 0.8);
const HEALTH_RANGE: (f64, f64) = (1.05, 30.0);
/// Share of pools that are short of initial or maintenance margin from the start.
const SHORT_SHARE: f64 = 0.015;

/// What a pool's cash balance is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// A health ratio like others'.
    Ordinary,
    /// Within 1e-7 of a threshold.
    NearThreshold,
}

#[derive(Debug, Clone, Copy)]
enum Threshold {
    Liquidation,
    Initial,
    Bankruptcy,
}

impl Accounts<'_> {
    /// Balances for a main pool: other assets and loans first, then the cash that brings it to its target. Entries are set
    /// to the mark where profits alone would exceed the target.
    pub(super) fn collateral(
        &self,
        account: &str,
        random: &mut Random,
        positions: &mut [Position],
        aim: Aim,
    ) -> Vec<Balance> {
        let requirement = self.estimator().estimate(&[], positions);
        let target = target(random, requirement.maintenance_margin, requirement.initial_margin);
        let cash = self.draw_cash(random);
        let mut balances = self.other_assets(random, target);
        self.stand_on_routes(account, &mut balances, target);
        let mut amount = self.estimator().cash_for_adjusted_equity(cash, (&balances, positions), target);
        if amount < 0.0 {
            // The premium of an option has been paid: its entry moves nothing.
            for position in positions.iter_mut() {
                position.entry_price = self.market().instruments[position.instrument as usize].mark_price;
            }
            amount = self.estimator().cash_for_adjusted_equity(cash, (&balances, positions), target);
        }
        // These draws are made for every pool, so that the option moves nothing but the cash.
        let offset = NEAR * (2.0 * random.uniform() - 1.0);
        let threshold =
            random.weighted(&[(Threshold::Liquidation, 0.5), (Threshold::Initial, 0.3), (Threshold::Bankruptcy, 0.2)]);
        amount = match aim {
            Aim::Ordinary => round_significant(amount, 8),
            Aim::NearThreshold => self.cash_near(cash, (&balances, positions), (threshold, offset)),
        };
        balances.push(Balance::new(cash, amount));
        balances.sort_by_key(|balance| balance.asset);
        balances
    }

    /// The settlement balance of an isolated pool.
    pub(super) fn isolated_collateral(&self, random: &mut Random, position: &Position) -> Vec<Balance> {
        let positions = std::slice::from_ref(position);
        let requirement = self.estimator().estimate(&[], positions);
        let target = target(random, requirement.maintenance_margin, requirement.initial_margin);
        let asset = self.market().instruments[position.instrument as usize].settlement_asset;
        let amount = self.estimator().cash_for_adjusted_equity(asset, (&[], positions), target);
        vec![Balance::new(asset, round_significant(amount, 8))]
    }

    /// Balances of an account without positions, worth about `value` quote units.
    pub(super) fn deposit(&self, account: &str, random: &mut Random, value: f64) -> Vec<Balance> {
        let asset = self.draw_cash(random);
        let mut balances = self.other_assets(random, value);
        self.stand_on_routes(account, &mut balances, value);
        // A loan without cash to repay it would be a bankrupt deposit.
        let amount = round_significant(value / self.market().assets[asset as usize].price, 6);
        balances.push(Balance::new(asset, amount));
        balances.sort_by_key(|balance| balance.asset);
        balances
    }

    fn cash_near(
        &self,
        cash: AssetIndex,
        (balances, positions): (&[Balance], &[Position]),
        (threshold, offset): (Threshold, f64),
    ) -> f64 {
        let others = self.estimator().estimate(balances, positions);
        let target = match threshold {
            Threshold::Liquidation => others.maintenance_margin * (1.0 + offset),
            Threshold::Initial => others.initial_margin * (1.0 + offset),
            Threshold::Bankruptcy => {
                let price = self.market().assets[cash as usize].price;
                return (others.maintenance_margin * offset - others.equity) / price;
            }
        };
        self.estimator().cash_for_adjusted_equity(cash, (balances, positions), target)
    }

    fn draw_cash(&self, random: &mut Random) -> AssetIndex {
        let cash = &self.market().cash;
        cash[usize::from(cash.len() > 1 && random.chance(0.28))]
    }

    /// Up to three assets other than cash, together worth 10 to 90 % of `target` before haircuts, and now and then a loan of 10
    /// to 40 % of it.
    fn other_assets(&self, random: &mut Random, target: f64) -> Vec<Balance> {
        let collateral = &self.market().collateral;
        let count = random.weighted(&[(0usize, 0.55), (1, 0.25), (2, 0.13), (3, 0.07)]).min(collateral.len());
        let borrows = random.chance(0.05) && count < collateral.len();
        let mut assets: Vec<AssetIndex> = Vec::with_capacity(4);
        let mut rank = 0;
        while assets.len() < count + usize::from(borrows) {
            let drawn = self.draw_collateral_rank(random);
            // A collision takes the next rank, so that the loop ends whatever the draws.
            rank = if assets.contains(&collateral[drawn]) { (rank + 1) % collateral.len() } else { drawn };
            if !assets.contains(&collateral[rank]) {
                assets.push(collateral[rank]);
            }
        }
        let each = target * (0.1 + 0.8 * random.uniform()) / count.max(1) as f64;
        let mut balances = Vec::with_capacity(assets.len() + 1);
        for (at, asset) in assets.into_iter().enumerate() {
            let price = self.market().assets[asset as usize].price;
            if at < count {
                let amount = round_significant(each / price, 6);
                balances.push(Balance::new(asset, amount));
            } else {
                let amount = -round_significant(target * (0.1 + 0.3 * random.uniform()) / price, 6);
                let accrued_interest = round_significant(amount * 1e-3 * random.uniform(), 4);
                balances.push(Balance { accrued_interest, ..Balance::new(asset, amount) });
            }
        }
        balances
    }
}

/// Adjusted equity to aim for, quote units: a health ratio drawn from [`HEALTH`], but above initial margin; a small share of
/// pools lands between slightly below maintenance margin and initial margin instead.
fn target(random: &mut Random, maintenance: f64, initial: f64) -> f64 {
    let health = random.log_normal(HEALTH.0, HEALTH.1).clamp(HEALTH_RANGE.0, HEALTH_RANGE.1);
    let spare = 1.01 + 0.5 * random.uniform();
    let (is_short, place) = (random.chance(SHORT_SHARE), random.uniform());
    if is_short {
        let lowest = 0.97 * maintenance;
        return lowest + place * (initial - lowest);
    }
    (health * maintenance).max(spare * initial)
}
