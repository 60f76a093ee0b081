//! The largest haircut as small as whole units allow.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use num_bigint::BigUint;

use super::level::{Claim, Level, compare_ratios};
use super::shares::Quotas;
use super::winner::{Winner, divide, quanta};

/// Takes `budget` so that the largest fraction that anyone loses of its capacity is the smallest possible in integers. A
/// budget beyond all capacities takes them whole, one below 0 nothing.
pub fn allocate(winners: &[Winner], budget: i128) -> Vec<i128> {
    allocate_lots(winners, 1, budget)
}

/// As [`allocate`], in whole lots of `lot` quanta (below 1 counts as 1): takes the fewest lots that reach `budget`, so less
/// than one lot beyond it, or all whole lots of the capacities where those do not reach it.
pub fn allocate_lots(winners: &[Winner], lot: i128, budget: i128) -> Vec<i128> {
    let lot = quanta(lot).max(1);
    let claim = |index: usize| {
        let capacity = quanta(winners[index].capacity);
        Claim { weight: capacity, cap: capacity / lot }
    };
    let lots = quanta(budget).div_ceil(lot).into();
    divide(winners, claim, |claims| lowest_peak(claims, &lots).into_iter().map(|lots| lots * lot).collect())
}

/// Amounts within caps that sum to `total` (or to all caps) and whose largest amount/weight is the smallest possible: unit by
/// unit to the claim that stands lowest after it, ties to the lower index. These are the divisors of d'Hondt, known to
/// minimise that maximum (M. Balinski and H. Young, "Fair Representation", 1982).
///
/// The floors of proportional shares come before every unit that exceeds its share, so only the rest is given one by one.
pub(super) fn lowest_peak(claims: &[Claim], total: &BigUint) -> Vec<u128> {
    let Level { at_cap, weights, rest } = Level::of(claims, total);
    let Quotas { floors, left, .. } = Quotas::of(&weights, &rest);
    let candidate = |index: usize, amount: u128| Candidate { amount: amount + 1, weight: weights[index], index };
    let mut amounts: Vec<u128> = at_cap.into_iter().zip(floors).map(|(cap, floor)| cap + floor).collect();
    let below_cap = (0..claims.len()).filter(|index| weights[*index] > 0 && amounts[*index] < claims[*index].cap);
    let mut heap: BinaryHeap<_> = below_cap.map(|index| Reverse(candidate(index, amounts[index]))).collect();
    for _ in 0..left {
        let Some(Reverse(Candidate { amount, index, .. })) = heap.pop() else { break };
        amounts[index] = amount;
        if amount < claims[index].cap {
            heap.push(Reverse(candidate(index, amount)));
        }
    }
    amounts
}

/// What a claim would have with one unit more; ordered by that over its weight, then by index.
#[derive(Debug, PartialEq, Eq)]
struct Candidate {
    amount: u128,
    weight: u128,
    index: usize,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_ratios((self.amount, self.weight), (other.amount, other.weight)).then(self.index.cmp(&other.index))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
