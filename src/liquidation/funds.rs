//! The insurance funds of one scenario: what is left of them.

use std::collections::BTreeMap;

use crate::domain::{Snapshot, UnderlyingIndex};
use crate::policy::{FundPolicy, FundScope, Purse};

use super::money::Quanta;

/// What is left of each fund; `None` = unlimited.
#[derive(Debug, Clone, PartialEq)]
pub struct Funds {
    scope: FundScope,
    left: BTreeMap<Option<UnderlyingIndex>, Option<Quanta>>,
}

/// Money set aside, in quanta; `None` = unlimited.
pub fn quanta_of(purse: Purse) -> Option<Quanta> {
    match purse {
        Purse::Quote(amount) => Some(Quanta::floor(amount)),
        Purse::Unlimited => None,
    }
}

impl Funds {
    /// Opens the funds of a policy.
    pub fn open(snapshot: &Snapshot, policy: &FundPolicy) -> Self {
        let left = match policy.scope {
            FundScope::Global => BTreeMap::from([(None, quanta_of(policy.balance))]),
            FundScope::Underlying => {
                let own = |name: &String| policy.balances.get(name).copied().unwrap_or(policy.balance);
                let funds = (0u32..).zip(&snapshot.underlyings);
                funds.map(|(index, underlying)| (Some(index), quanta_of(own(&underlying.name)))).collect()
            }
        };
        Self { scope: policy.scope, left }
    }

    /// The fund that a trade in an underlying pays into and draws from.
    pub fn of_underlying(&self, underlying: UnderlyingIndex) -> Option<UnderlyingIndex> {
        match self.scope {
            FundScope::Global => None,
            FundScope::Underlying => Some(underlying),
        }
    }

    /// Pays in.
    pub fn pay(&mut self, fund: Option<UnderlyingIndex>, amount: Quanta) {
        if let Some(Some(left)) = self.left.get_mut(&fund) {
            *left += amount;
        }
    }

    /// Draws as much of `wanted` as there is.
    pub fn draw(&mut self, fund: Option<UnderlyingIndex>, wanted: Quanta) -> Quanta {
        match self.left.get_mut(&fund) {
            None => Quanta::ZERO,
            Some(None) => wanted,
            Some(Some(left)) => {
                let drawn = wanted.min(*left).max(Quanta::ZERO);
                *left -= drawn;
                drawn
            }
        }
    }

    /// What is left of all of them; `None` where one is unlimited.
    pub fn left(&self) -> Option<Quanta> {
        self.left.values().copied().sum::<Option<Quanta>>()
    }

    /// How a debt is shared among funds: all of it to the one fund, or by what the pool had in each underlying. The parts add up
    /// to the debt.
    pub fn parts(
        &self,
        debt: Quanta,
        exposure: &[(UnderlyingIndex, Quanta)],
    ) -> Vec<(Option<UnderlyingIndex>, Quanta)> {
        match self.scope {
            FundScope::Global => vec![(None, debt)],
            FundScope::Underlying => {
                let weights: Vec<i128> = exposure.iter().map(|(_, notional)| notional.0).collect();
                let parts = super::deleverage::shares(&weights, debt.0);
                exposure.iter().zip(parts).map(|((index, _), part)| (Some(*index), Quanta(part))).collect()
            }
        }
    }
}
