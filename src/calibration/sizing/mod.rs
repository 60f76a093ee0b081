//! How large the funds behind a calibrated rulebook should be, and who pays into them.
//!
//! Insurance is sized from what the exchange loses in each scenario ([`Measured::shortfall`]); a default fund from what each
//! account loses beyond its requirement ([`AccountExcess`]), which the caller gathers by account: its name, its requirement and
//! the scenarios in which it loses more.

mod allocation;
mod cover;
mod fund;

use super::landscape::Measured;

pub use allocation::{AllocationKey, KEY_PARTS, allocation};
pub use cover::{CoverNeed, CoverNeeds, cover_needs};
pub use fund::{FundLevel, fund_levels, static_fund};

/// What an account adds to the sizing of a default fund. The caller sums over an account's pools.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountExcess {
    /// Name of the account.
    pub name: String,
    /// Its calibrated requirement in the unshocked market, quote units, ≥ 0.
    pub requirement: f64,
    /// Scenarios in which it loses more than it had to have, and what it loses beyond that (quote units, > 0): its stress loss
    /// over initial margin. Each scenario at most once.
    pub excess: Vec<(u32, f64)>,
}

impl AccountExcess {
    /// Mean excess over scenarios of these weights, quote units; 0 without weights.
    pub fn mean(&self, weights: &[f64]) -> f64 {
        let total: f64 = weights.iter().sum();
        let weighted = |(scenario, excess): &(u32, f64)| excess * weights.get(*scenario as usize).unwrap_or(&0.0);
        if total > 0.0 { self.excess.iter().map(weighted).sum::<f64>() / total } else { 0.0 }
    }
}

/// How funds are sized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizingOptions {
    /// Cost of a unit of insurance held over the horizon of the scenarios, and of a unit that is missing; `None` leaves the
    /// cheapest fund out.
    pub costs: Option<(f64, f64)>,
    /// What a default fund holds on top of its need: 0.1 = a tenth.
    pub buffer: f64,
    /// What contributions are in proportion to.
    pub by: AllocationKey,
    /// Smallest contribution, as a share of the fund.
    pub floor: f64,
}

impl Default for SizingOptions {
    fn default() -> Self {
        Self { costs: None, buffer: 0.1, by: AllocationKey::Both, floor: 0.0 }
    }
}

/// What one account pays into a default fund.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// Account.
    pub name: String,
    /// Its requirement, quote units.
    pub requirement: f64,
    /// Its mean excess, quote units.
    pub mean_excess: f64,
    /// Its part of [`KEY_PARTS`].
    pub key: i128,
}

impl Contribution {
    /// Its share of the fund, in \[0, 1\].
    pub fn share(&self) -> f64 {
        self.key as f64 / KEY_PARTS as f64
    }
}

/// Funds behind a rulebook.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sizing {
    /// Insurance fund by level.
    pub levels: Vec<FundLevel>,
    /// The cheapest insurance fund; `None` where no costs say which that is.
    pub cheapest_fund: Option<f64>,
    /// Needs of a default fund.
    pub needs: CoverNeeds,
    /// Keys of the accounts, in their order; they sum to [`KEY_PARTS`].
    pub contributions: Vec<Contribution>,
}

impl Sizing {
    /// Sizes funds for what was measured, under `weights` of the scenarios.
    pub fn of(measured: &Measured, weights: &[f64], accounts: &[AccountExcess], options: &SizingOptions) -> Self {
        let keys = allocation(accounts, weights, options.by, options.floor);
        let contribution = |(account, key): (&AccountExcess, i128)| Contribution {
            name: account.name.clone(),
            requirement: account.requirement,
            mean_excess: account.mean(weights),
            key,
        };
        Self {
            levels: fund_levels(&measured.shortfall, weights),
            cheapest_fund: options.costs.and_then(|costs| static_fund(&measured.shortfall, weights, costs)),
            needs: cover_needs(accounts, weights.len(), options.buffer),
            contributions: accounts.iter().zip(keys).map(contribution).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn account(name: &str, requirement: f64, excess: &[(u32, f64)]) -> AccountExcess {
        AccountExcess { name: name.into(), requirement, excess: excess.to_vec() }
    }

    pub(super) fn book() -> Vec<AccountExcess> {
        vec![
            account("a", 100.0, &[(0, 50.0), (1, 10.0)]),
            account("b", 300.0, &[(1, 40.0), (2, 30.0)]),
            account("c", 0.0, &[(1, 35.0), (2, 30.0), (7, 99.0)]),
            account("d", 600.0, &[]),
        ]
    }

    #[test]
    fn every_part_is_of_the_same_scenarios() {
        let measured = Measured { shortfall: vec![50.0, 85.0, 60.0], ..Measured::default() };
        let options = SizingOptions { costs: Some((1.0, 2.5)), ..SizingOptions::default() };
        let sizing = Sizing::of(&measured, &[1.0; 3], &book(), &options);
        assert_eq!((sizing.levels[0].value_at_risk, sizing.cheapest_fund), (85.0, Some(60.0)));
        assert_eq!(sizing.needs.cover_2.amount, 75.0 * 1.1);
        assert_eq!(sizing.contributions.iter().map(|paid| paid.key).sum::<i128>(), KEY_PARTS);
        assert_eq!(sizing.contributions[0].mean_excess, 20.0);
        assert!((sizing.contributions.iter().map(Contribution::share).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
