//! How large the funds behind a calibrated rulebook should be, and who pays into them.

use super::weighted::Weighted;
use crate::liquidation::deleverage::shares;

/// Levels at which an insurance fund is sized.
const LEVELS: [f64; 3] = [0.99, 0.995, 0.999];
/// Parts of one that an allocation key counts in.
pub const KEY_PARTS: i128 = 1_000_000_000_000;

/// Size of an insurance fund at one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FundLevel {
    /// Level, in (0, 1).
    pub level: f64,
    /// Loss of the exchange that is exceeded in at most 1 − level of the scenarios, quote units.
    pub value_at_risk: f64,
    /// Mean of the worst 1 − level, quote units.
    pub expected_shortfall: f64,
}

/// Value at risk and expected shortfall of the exchange's loss at 99, 99.5 and 99.9 %: `shortfall` by scenario, quote units,
/// with `weights` ≥ 0. No loss without scenarios.
pub fn fund_levels(shortfall: &[f64], weights: &[f64]) -> Vec<FundLevel> {
    let losses = Weighted::of(shortfall.iter().copied().zip(weights.iter().copied()));
    let at = |level: f64| FundLevel {
        level,
        value_at_risk: losses.value_at_risk(level),
        expected_shortfall: losses.expected_shortfall(level),
    };
    LEVELS.map(at).into()
}

/// The static fund F of least r·F + κ·E\[(D − F)₊\], D the exchange's loss: F = VaR at level 1 − r/κ (the newsvendor's
/// quantile; T. Chitra et al. give it for perpetual exchanges). `carry` is r, the cost of a unit held over the horizon of the
/// scenarios; `penalty` is κ, the cost of a unit that is missing. 0 where holding costs at least as much as missing; `None`
/// where either is negative or no number, or missing costs nothing.
pub fn static_fund(shortfall: &[f64], weights: &[f64], (carry, penalty): (f64, f64)) -> Option<f64> {
    let level = 1.0 - carry / penalty;
    if !(carry >= 0.0 && penalty > 0.0 && level.is_finite()) {
        return None;
    }
    let losses = Weighted::of(shortfall.iter().copied().zip(weights.iter().copied()));
    Some(if level <= 0.0 { 0.0 } else { losses.value_at_risk(level) })
}

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

/// Need of a default fund by one rule: the scenario that sets it and the accounts that fail there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CoverNeed {
    /// Largest over the scenarios, buffer included, quote units.
    pub amount: f64,
    /// The scenario that sets it, the first of several; `None` where nothing is lost.
    pub scenario: Option<u32>,
    /// Places of the accounts that are counted there, largest excess first.
    pub accounts: Vec<usize>,
}

/// Needs of a default fund.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CoverNeeds {
    /// The largest account: Cover-1.
    pub cover_1: CoverNeed,
    /// The two largest together: Cover-2 (CPMI-IOSCO Principle 4).
    pub cover_2: CoverNeed,
    /// The larger of the largest, and the second and third together (EMIR, Article 42).
    pub largest_or_next_two: CoverNeed,
}

/// The needs over `scenarios` scenarios. The accounts that count are chosen in each scenario, and the largest need over the
/// scenarios is taken after that; `buffer` (0.1 = a tenth) is put on top.
pub fn cover_needs(accounts: &[AccountExcess], scenarios: usize, buffer: f64) -> CoverNeeds {
    let mut needs = CoverNeeds::default();
    for (scenario, top) in largest_three(accounts, scenarios).into_iter().enumerate() {
        let [first, second, third] = [0, 1, 2].map(|rank: usize| top.get(rank).copied());
        let amount = |account: Option<(f64, usize)>| account.map_or(0.0, |(excess, _)| excess);
        let next_two = amount(second) + amount(third);
        let largest_or_next_two =
            if amount(first) >= next_two { vec![first] } else { vec![second, third] };
        needs.cover_1.raise(scenario, &[first]);
        needs.cover_2.raise(scenario, &[first, second]);
        needs.largest_or_next_two.raise(scenario, &largest_or_next_two);
    }
    for need in [&mut needs.cover_1, &mut needs.cover_2, &mut needs.largest_or_next_two] {
        need.amount *= 1.0 + buffer;
    }
    needs
}

impl CoverNeed {
    fn raise(&mut self, scenario: usize, accounts: &[Option<(f64, usize)>]) {
        let amount: f64 = accounts.iter().flatten().map(|(excess, _)| excess).sum();
        if amount > self.amount {
            let accounts = accounts.iter().flatten().map(|(_, account)| *account).collect();
            *self = Self { amount, scenario: Some(scenario as u32), accounts };
        }
    }
}

/// The three largest excesses of each scenario with their accounts, largest first; ties in the order of accounts.
fn largest_three(accounts: &[AccountExcess], scenarios: usize) -> Vec<Vec<(f64, usize)>> {
    let mut largest: Vec<Vec<(f64, usize)>> = vec![Vec::new(); scenarios];
    for (account, AccountExcess { excess, .. }) in accounts.iter().enumerate() {
        for (scenario, excess) in excess {
            let Some(top) = largest.get_mut(*scenario as usize).filter(|_| *excess > 0.0) else { continue };
            let rank = top.partition_point(|(other, _)| other >= excess);
            top.insert(rank, (*excess, account));
            top.truncate(3);
        }
    }
    largest
}

/// What an account's contribution to a default fund is in proportion to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllocationKey {
    /// Its requirement.
    Requirement,
    /// Its mean excess over the scenarios.
    MeanExcess,
    /// Half by each.
    Both,
}

/// Keys of the accounts in parts of [`KEY_PARTS`], which they sum to exactly: in proportion to `by`, none below `floor` (a share
/// of the fund; at most an equal share), remainders to the largest of them. Everything in equal parts where nothing tells the
/// accounts apart; empty without accounts. `weights` are those of the scenarios.
pub fn allocation(accounts: &[AccountExcess], weights: &[f64], by: AllocationKey, floor: f64) -> Vec<i128> {
    let total: f64 = weights.iter().sum();
    let mean = |account: &AccountExcess| {
        let weighted = |(scenario, excess): &(u32, f64)| excess * weights.get(*scenario as usize).unwrap_or(&0.0);
        account.excess.iter().map(weighted).sum::<f64>() / total
    };
    let requirements = keys(accounts.iter().map(|account| account.requirement));
    let excesses = keys(accounts.iter().map(mean));
    let keys = match by {
        AllocationKey::Requirement => requirements,
        AllocationKey::MeanExcess => excesses,
        AllocationKey::Both => shares(&requirements.iter().zip(&excesses).map(|(a, b)| a + b).collect::<Vec<_>>(), KEY_PARTS),
    };
    floored(keys, floor)
}

/// Amounts ≥ 0 as parts of [`KEY_PARTS`]; equal parts where none is above 0.
fn keys(amounts: impl Iterator<Item = f64>) -> Vec<i128> {
    let amounts: Vec<f64> = amounts.map(|amount| if amount.is_finite() { amount.max(0.0) } else { 0.0 }).collect();
    let largest = amounts.iter().copied().fold(0.0, f64::max);
    // The largest amount becomes 2^80 parts: integers that differ where amounts do, sums that an i128 holds.
    let weight = |amount: &f64| libm::ldexp(amount / largest, 80) as i128;
    let weights: Vec<i128> = if largest > 0.0 { amounts.iter().map(weight).collect() } else { vec![1; amounts.len()] };
    shares(&weights, KEY_PARTS)
}

/// Raises keys below the floor to it and takes what that needs from the others, in proportion.
fn floored(keys: Vec<i128>, floor: f64) -> Vec<i128> {
    let equal = KEY_PARTS / keys.len().max(1) as i128;
    let floor = ((floor.clamp(0.0, 1.0) * KEY_PARTS as f64) as i128).min(equal);
    let mut at_floor: Vec<bool> = vec![false; keys.len()];
    loop {
        let count = at_floor.iter().filter(|raised| **raised).count() as i128;
        let free: Vec<i128> = keys.iter().zip(&at_floor).map(|(key, raised)| if *raised { 0 } else { *key }).collect();
        let rest = shares(&free, KEY_PARTS - count * floor);
        let mut is_settled = true;
        for (raised, share) in at_floor.iter_mut().zip(&rest) {
            if !*raised && *share < floor {
                *raised = true;
                is_settled = false;
            }
        }
        if is_settled {
            return at_floor.iter().zip(rest).map(|(raised, share)| if *raised { floor } else { share }).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, requirement: f64, excess: &[(u32, f64)]) -> AccountExcess {
        AccountExcess { name: name.into(), requirement, excess: excess.to_vec() }
    }

    fn book() -> Vec<AccountExcess> {
        vec![
            account("a", 100.0, &[(0, 50.0), (1, 10.0)]),
            account("b", 300.0, &[(1, 40.0), (2, 30.0)]),
            account("c", 0.0, &[(1, 35.0), (2, 30.0), (7, 99.0)]),
            account("d", 600.0, &[]),
        ]
    }

    #[test]
    fn the_scenario_is_chosen_after_its_largest_accounts() {
        let needs = cover_needs(&book(), 3, 0.1);
        // Scenario 0: 50. Scenario 1: 40, 35, 10. Scenario 2: 30, 30. Scenario 7 is none of the three.
        let amounts = [&needs.cover_1, &needs.cover_2, &needs.largest_or_next_two].map(|need| need.amount);
        assert_eq!(amounts, [50.0 * 1.1, 75.0 * 1.1, 50.0 * 1.1]);
        assert_eq!((needs.cover_1.scenario, needs.cover_1.accounts), (Some(0), vec![0]));
        assert_eq!((needs.cover_2.scenario, needs.cover_2.accounts), (Some(1), vec![1, 2]));
        assert_eq!(needs.largest_or_next_two.scenario, Some(0));
        let equal = [account("a", 1.0, &[(0, 30.0)]), account("b", 1.0, &[(0, 20.0)]), account("c", 1.0, &[(0, 15.0)])];
        let next_two = cover_needs(&equal, 1, 0.0).largest_or_next_two;
        assert_eq!((next_two.amount, next_two.accounts), (35.0, vec![1, 2]));
        assert_eq!(cover_needs(&[], 3, 0.1), CoverNeeds::default());
    }

    #[test]
    fn funds_are_quantiles_of_the_loss() {
        let losses: Vec<f64> = (1..=1000).map(f64::from).collect();
        let weights = vec![1.0; 1000];
        let levels = fund_levels(&losses, &weights);
        let at_risk: Vec<f64> = levels.iter().map(|level| level.value_at_risk).collect();
        assert_eq!(at_risk, [990.0, 995.0, 999.0]);
        assert!((levels[0].expected_shortfall - 995.5).abs() < 1e-9);
        assert!((levels[2].expected_shortfall - 1000.0).abs() < 1e-9);
        // A tenth of the penalty to hold: what is exceeded in a tenth of the scenarios.
        assert_eq!(static_fund(&losses, &weights, (0.5, 5.0)), Some(900.0));
        assert_eq!(static_fund(&losses, &weights, (5.0, 5.0)), Some(0.0));
        assert_eq!(static_fund(&losses, &weights, (0.0, 5.0)), Some(1000.0));
        for costs in [(1.0, 0.0), (-1.0, 2.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0)] {
            assert_eq!(static_fund(&losses, &weights, costs), None, "{costs:?}");
        }
    }

    /// No other fund costs less: r·F + κ·E[(D − F)₊] over every loss.
    #[test]
    fn the_static_fund_is_the_cheapest() {
        let losses: Vec<f64> = (0..400).map(|at| f64::from(at * at % 1009)).collect();
        let weights: Vec<f64> = (0..400).map(|at| f64::from(1 + at % 3)).collect();
        let total: f64 = weights.iter().sum();
        let cost = |fund: f64| {
            let missing: f64 = losses.iter().zip(&weights).map(|(loss, weight)| weight * (loss - fund).max(0.0)).sum();
            0.3 * fund + 7.0 * missing / total
        };
        let fund = static_fund(&losses, &weights, (0.3, 7.0)).unwrap();
        assert!(losses.iter().all(|other| cost(fund) <= cost(*other) + 1e-9));
    }

    #[test]
    fn keys_sum_to_one_and_follow_what_they_are_by() {
        let weights = [1.0, 1.0, 1.0, 1.0];
        let by = |key, floor| allocation(&book(), &weights, key, floor);
        assert_eq!(by(AllocationKey::Requirement, 0.0), [1, 3, 0, 6].map(|tenth| tenth * KEY_PARTS / 10));
        // Mean excesses 60, 70 and 65 quarters; scenario 7 has no weight.
        let excess = by(AllocationKey::MeanExcess, 0.0);
        assert_eq!(excess, [307_692_307_692, 358_974_358_975, 333_333_333_333, 0]);
        let both = by(AllocationKey::Both, 0.0);
        assert!((both[0] - (KEY_PARTS / 10 + excess[0]) / 2).abs() <= 1);
        let floored = by(AllocationKey::Requirement, 0.2);
        // a and c are raised to a fifth each, b and d share three fifths 3 : 6, and b stands at the floor just so.
        assert_eq!(floored, [1, 1, 1, 2].map(|fifth| fifth * KEY_PARTS / 5));
        for keys in [excess, both, floored, by(AllocationKey::Both, 0.07), by(AllocationKey::Requirement, 9.0)] {
            assert_eq!(keys.iter().sum::<i128>(), KEY_PARTS);
        }
    }

    #[test]
    fn accounts_that_nothing_tells_apart_pay_alike() {
        let alike: Vec<AccountExcess> = ["a", "b", "c"].map(|name| account(name, 0.0, &[])).into();
        let keys = allocation(&alike, &[], AllocationKey::Both, 0.0);
        assert_eq!(keys.iter().sum::<i128>(), KEY_PARTS);
        assert!(keys.iter().all(|key| (key - KEY_PARTS / 3).abs() <= 1));
        assert_eq!(allocation(&alike, &[], AllocationKey::Requirement, 1.0), keys);
        assert!(allocation(&[], &[1.0], AllocationKey::Both, 0.5).is_empty());
    }
}
