//! A population of leveraged positions opened throughout a history: whom a rule liquidates, and whom another would have.

use super::excursion::{Direction, Prices};
use crate::scenario::philox::Stream;

/// Synthetic accounts, each with one position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Population {
    /// How many.
    pub accounts: u64,
    /// What their random numbers start from.
    pub seed: u64,
}

/// What became of the accounts under a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountFigures {
    /// The rule.
    pub rule: String,
    /// Accounts liquidated.
    pub liquidations: u64,
    /// Accounts whose equity was negative at the worst price of the hour of their liquidation.
    pub bankruptcies: u64,
    /// What those lacked, in units of the notional at entry.
    pub shortfall: f64,
    /// Mean margin posted at entry, a fraction of the notional.
    pub mean_posted: f64,
    /// Against other rules.
    pub against: Vec<Against>,
}

/// Liquidations of one rule against those of another, of the same accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Against {
    /// The other rule.
    pub rule: String,
    /// Accounts liquidated there and not here.
    pub avoided: u64,
    /// Accounts liquidated here and not there.
    pub caused: u64,
}

/// A rule as accounts meet it: margin rates from each step on, fractions of the notional.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rates {
    pub(super) rule: String,
    pub(super) initial: Vec<f64>,
    pub(super) maintenance: Vec<f64>,
}

/// What the accounts live through.
#[derive(Debug, Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) prices: Prices<'a>,
    /// Hours of the steps from which rates hold.
    pub(super) hours: &'a [i64],
}

/// One account: its position is opened at a step, with the leverage it wants or the largest that the rule allows, and closed
/// after some hours.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Account {
    direction: Direction,
    opened: usize,
    wanted_leverage: f64,
    held_hours: usize,
}

/// How an account ended.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Fate {
    /// Margin posted at entry, a fraction of the notional.
    posted: f64,
    is_liquidated: bool,
    /// Equity below 0 at liquidation, in units of the notional at entry.
    shortfall: f64,
}

impl Population {
    /// Leverage wanted: log-uniform between these.
    const LEVERAGE: [f64; 2] = [2.0, 50.0];
    /// Hours held: log-uniform between these.
    const HELD_HOURS: [f64; 2] = [4.0, 720.0];

    /// The account numbered `index`, opened at one of `steps` (≥ 1).
    fn account(&self, index: u64, steps: usize) -> Account {
        let stream = Stream::new(self.seed, "overlay account");
        let ([when, side], [leverage, held]) = (stream.uniforms(index, 0), stream.uniforms(index, 1));
        let between = |[low, high]: [f64; 2], share: f64| low * libm::pow(high / low, share);
        Account {
            direction: if side < 0.5 { Direction::Long } else { Direction::Short },
            opened: ((when * steps as f64) as usize).min(steps - 1),
            wanted_leverage: between(Self::LEVERAGE, leverage),
            held_hours: between(Self::HELD_HOURS, held) as usize,
        }
    }

    /// What becomes of every account under every rule; each is set against the first `others` rules.
    pub(super) fn live(&self, world: &World<'_>, rules: &[Rates], others: usize) -> Vec<AccountFigures> {
        let steps = world.hours.len();
        let accounts = if steps == 0 { 0 } else { self.accounts };
        let accounts: Vec<Account> = (0..accounts).map(|index| self.account(index, steps)).collect();
        let fates_of = |rule: &Rates| accounts.iter().map(|account| world.fate(account, rule)).collect::<Vec<Fate>>();
        let fates: Vec<Vec<Fate>> = rules.iter().map(fates_of).collect();
        let against = |own: &[Fate], other: usize| {
            let pairs = || own.iter().zip(&fates[other]);
            Against {
                rule: rules[other].rule.clone(),
                avoided: pairs().filter(|(own, other)| !own.is_liquidated && other.is_liquidated).count() as u64,
                caused: pairs().filter(|(own, other)| own.is_liquidated && !other.is_liquidated).count() as u64,
            }
        };
        let of = |(rule, own): (&Rates, &Vec<Fate>)| AccountFigures {
            rule: rule.rule.clone(),
            liquidations: own.iter().filter(|fate| fate.is_liquidated).count() as u64,
            bankruptcies: own.iter().filter(|fate| fate.shortfall > 0.0).count() as u64,
            shortfall: own.iter().map(|fate| fate.shortfall).sum(),
            mean_posted: own.iter().map(|fate| fate.posted).sum::<f64>() / own.len().max(1) as f64,
            against: (0..others.min(rules.len())).map(|other| against(own, other)).collect(),
        };
        rules.iter().zip(&fates).map(of).collect()
    }
}

impl World<'_> {
    /// An account is liquidated in the first hour whose worst price leaves less than maintenance, by the rate in force then, and
    /// closed at that price.
    fn fate(&self, account: &Account, rates: &Rates) -> Fate {
        let mut step = account.opened;
        let posted = (1.0 / account.wanted_leverage).max(rates.initial[step]);
        let mut fate = Fate { posted, ..Fate::default() };
        let Some(first) = self.prices.bar(self.hours[step]).filter(|first| *first > 0) else { return fate };
        let entry = self.prices.close[first - 1];
        for bar in first..(first + account.held_hours).min(self.prices.len()) {
            let hour = self.prices.first_hour + bar as i64;
            while self.hours.get(step + 1).is_some_and(|next| *next <= hour) {
                step += 1;
            }
            let notional = self.prices.worst(account.direction, bar) / entry;
            let equity = posted + account.direction.sign() * (notional - 1.0);
            if equity < rates.maintenance[step] * notional {
                (fate.is_liquidated, fate.shortfall) = (true, (-equity).max(0.0));
                break;
            }
        }
        fate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(direction: Direction, maintenance: [f64; 2], low: [f64; 3]) -> Fate {
        let prices = Prices { first_hour: 0, high: &[100.0, 103.0, 104.0], low: &low, close: &[100.0; 3] };
        let world = World { prices, hours: &[1, 2] };
        let rates = Rates { rule: "rule".into(), initial: vec![0.1; 2], maintenance: maintenance.to_vec() };
        world.fate(&Account { direction, opened: 0, wanted_leverage: 50.0, held_hours: 9 }, &rates)
    }

    /// Posted 10 % of 100: at 94 a long has 4 left, 4.26 % of the notional; a short at 104 has 6 left, 5.77 %.
    #[test]
    fn an_account_by_hand() {
        let low = [99.0, 97.0, 94.0];
        assert!(!fate(Direction::Long, [0.04; 2], low).is_liquidated);
        assert!(fate(Direction::Long, [0.043; 2], low).is_liquidated);
        assert!(fate(Direction::Long, [0.04, 0.043], low).is_liquidated, "the rate of the second step");
        assert!(!fate(Direction::Long, [0.043, 0.04], low).is_liquidated);
        assert!(!fate(Direction::Short, [0.057; 2], low).is_liquidated);
        assert!(fate(Direction::Short, [0.058; 2], low).is_liquidated);
        let crashed = fate(Direction::Long, [0.05; 2], [99.0, 87.0, 80.0]);
        assert!((crashed.shortfall - 0.03).abs() < 1e-12 && crashed.posted == 0.1, "{crashed:?}");
    }
}
