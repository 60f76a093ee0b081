use super::AccountExcess;

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
        let largest_or_next_two = if amount(first) >= next_two { vec![first] } else { vec![second, third] };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::sizing::tests::{account, book};

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
}
