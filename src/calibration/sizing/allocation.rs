use super::AccountExcess;
use crate::liquidation::deleverage::shares;

/// Parts of one that an allocation key counts in.
pub const KEY_PARTS: i128 = 1_000_000_000_000;

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
    let requirements = keys(accounts.iter().map(|account| account.requirement));
    let excesses = keys(accounts.iter().map(|account| account.mean(weights)));
    let keys = match by {
        AllocationKey::Requirement => requirements,
        AllocationKey::MeanExcess => excesses,
        AllocationKey::Both => {
            shares(&requirements.iter().zip(&excesses).map(|(a, b)| a + b).collect::<Vec<_>>(), KEY_PARTS)
        }
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
    use crate::calibration::sizing::tests::{account, book};

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
