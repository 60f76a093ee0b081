//! Largest-remainder division of an integer total.

use std::cmp::Reverse;

use num_bigint::BigUint;

use super::winner::quanta;

/// Divides `total` in proportion to `weights` and in integers: each gets the floor of its share, and what is left goes, one
/// quantum each, to the largest remainders (Hamilton's method); ties go to the lower index. Nobody gets more than its share
/// rounded up, so with weights as caps and a total within their sum, nobody exceeds its cap.
///
/// Exact for any weights and totals: products are formed in as many bits as they need. A weight or total below 0 counts as
/// 0. The shares sum to `total` unless no weight is above 0: then all are 0.
pub fn shares(weights: &[i128], total: i128) -> Vec<i128> {
    let weights: Vec<u128> = weights.iter().copied().map(quanta).collect();
    let shares = Quotas::of(&weights, &quanta(total).into()).largest_remainder();
    // A share is at most the total, which is an i128.
    shares.into_iter().map(|share| share as i128).collect()
}

/// Shares in proportion to weights, each split into its floor and what the floor leaves.
pub(super) struct Quotas {
    /// ⌊total · weight / sum of weights⌋ of each.
    pub floors: Vec<u128>,
    /// (total · weight) mod the sum of weights, of each.
    remainders: Vec<BigUint>,
    /// The total less all floors, fewer than there are weights; 0 where no weight is above 0.
    pub left: usize,
}

impl Quotas {
    /// The quotas of a total of which every share is a u128.
    pub(super) fn of(weights: &[u128], total: &BigUint) -> Self {
        let sum: BigUint = weights.iter().sum();
        if sum == BigUint::ZERO {
            return Self { floors: vec![0; weights.len()], remainders: vec![BigUint::ZERO; weights.len()], left: 0 };
        }
        let split = |weight: &u128| {
            let product = total * weight;
            let floor = &product / &sum;
            let remainder = product - &floor * &sum;
            (u128::try_from(floor).expect("a share is a u128"), remainder)
        };
        let (floors, remainders): (Vec<u128>, Vec<BigUint>) = weights.iter().map(split).unzip();
        let left = total - floors.iter().sum::<BigUint>();
        Self { floors, remainders, left: usize::try_from(left).expect("less than one quantum per weight") }
    }

    /// One quantum of what is left to each of the largest remainders.
    pub(super) fn largest_remainder(self) -> Vec<u128> {
        let Self { mut floors, remainders, left } = self;
        let mut order: Vec<usize> = (0..floors.len()).collect();
        order.sort_by_key(|index| Reverse(&remainders[*index]));
        for index in order.into_iter().take(left) {
            floors[index] += 1;
        }
        floors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_left_goes_to_the_largest_remainders() {
        assert_eq!(shares(&[47_000, 16_000, 15_800, 12_000, 6_100, 3_100], 10), [5, 2, 1, 1, 1, 0]);
        assert_eq!(shares(&[1, 1, 1], 2), [1, 1, 0], "ties go to the lower index");
        assert_eq!(shares(&[3, -5, 3], 5), [3, 0, 2]);
    }

    #[test]
    fn nothing_to_share_and_nobody_to_share_it() {
        assert_eq!(shares(&[], 5), [0i128; 0]);
        assert_eq!(shares(&[0, -1], 5), [0, 0]);
        assert_eq!(shares(&[2, 3], 0), [0, 0]);
        assert_eq!(shares(&[2, 3], -4), [0, 0]);
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        assert_eq!(
            shares(&[i128::MAX; 4], i128::MAX),
            [i128::MAX / 4 + 1, i128::MAX / 4 + 1, i128::MAX / 4 + 1, i128::MAX / 4]
        );
        assert_eq!(shares(&[i128::MAX, 1], i128::MAX), [i128::MAX - 1, 1]);
        assert_eq!(shares(&[i128::MIN, i128::MAX], i128::MAX), [0, i128::MAX]);
    }

    proptest! {
        #[test]
        fn shares_sum_and_lie_within_one_of_the_quota(
            weights in prop::collection::vec(0..10i128.pow(36), 1..8), total in 0..10i128.pow(36),
        ) {
            let shares = shares(&weights, total);
            let sum: BigUint = weights.iter().map(|weight| weight.unsigned_abs()).sum();
            prop_assume!(sum > BigUint::ZERO);
            prop_assert_eq!(shares.iter().sum::<i128>(), total);
            for (share, weight) in shares.iter().zip(&weights) {
                let product = BigUint::from(total.unsigned_abs()) * weight.unsigned_abs();
                let floor = i128::try_from(&product / &sum).unwrap();
                prop_assert!((floor..=floor + 1).contains(share));
                prop_assert!(*share == floor || &product % &sum != BigUint::ZERO);
            }
        }
    }
}
