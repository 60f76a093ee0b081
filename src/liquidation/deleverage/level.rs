use std::cmp::Ordering;

use num_bigint::BigUint;

/// What one party weighs in a division, and the most it can get.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub weight: u128,
    pub cap: u128,
}

/// A total divided as min(cap, λ · weight), λ such that the amounts sum to it: who is at its cap, and what the others share
/// in proportion to their weights. In real numbers none of the others reaches its cap.
///
/// Those without weight get something once all others are at their caps; they then share in proportion to their caps.
pub(super) struct Level {
    /// The cap of each claim that is at it, 0 of the others.
    pub at_cap: Vec<u128>,
    /// The weight with which each claim shares the rest, 0 of those at their cap.
    pub weights: Vec<u128>,
    /// What is shared in proportion to `weights`.
    pub rest: BigUint,
}

impl Level {
    /// Divides `total`, or all caps where it exceeds their sum.
    pub(super) fn of(claims: &[Claim], total: &BigUint) -> Self {
        let caps: BigUint = claims.iter().map(|claim| claim.cap).sum();
        let weighed: BigUint = claims.iter().filter(|claim| claim.weight > 0).map(|claim| claim.cap).sum();
        let total = total.min(&caps);
        if *total > weighed {
            return Self {
                at_cap: claims.iter().map(|claim| if claim.weight > 0 { claim.cap } else { 0 }).collect(),
                weights: claims.iter().map(|claim| if claim.weight > 0 { 0 } else { claim.cap }).collect(),
                rest: total - weighed,
            };
        }
        Self::filled(claims, total.clone())
    }

    /// Fills caps in the order of cap/weight, for as long as the next is not above what its weight would get of the rest.
    fn filled(claims: &[Claim], mut rest: BigUint) -> Self {
        let mut weights: Vec<u128> = claims.iter().map(|claim| claim.weight).collect();
        let mut order: Vec<usize> = (0..claims.len()).filter(|index| weights[*index] > 0).collect();
        order.sort_by(|a, b| compare_ratios((claims[*a].cap, weights[*a]), (claims[*b].cap, weights[*b])));
        let mut at_cap = vec![0; claims.len()];
        let mut sharing: BigUint = weights.iter().sum();
        for index in order {
            let Claim { weight, cap } = claims[index];
            if &sharing * cap > &rest * weight {
                break;
            }
            at_cap[index] = cap;
            weights[index] = 0;
            rest -= cap;
            sharing -= weight;
        }
        Self { at_cap, weights, rest }
    }
}

/// Compares a/b with c/d; b and d are above 0.
pub(super) fn compare_ratios((a, b): (u128, u128), (c, d): (u128, u128)) -> Ordering {
    product(a, d).cmp(&product(c, b))
}

/// The product in 256 bits: the high half, the low half.
fn product(a: u128, b: u128) -> (u128, u128) {
    const HALF: u128 = u64::MAX as u128;
    let (a_high, a_low, b_high, b_low) = (a >> 64, a & HALF, b >> 64, b & HALF);
    let low = a_low * b_low;
    // At most (2⁶⁴ − 1)² + 2 · (2⁶⁴ − 1) = 2¹²⁸ − 1.
    let middle = a_high * b_low + (low >> 64);
    let other = a_low * b_high + (middle & HALF);
    (a_high * b_high + (middle >> 64) + (other >> 64), other << 64 | low & HALF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn products_are_exact(a: u128, b: u128) {
            let (high, low) = product(a, b);
            prop_assert_eq!((BigUint::from(high) << 128) + low, BigUint::from(a) * b);
        }
    }

    #[test]
    fn products_of_the_largest_numbers_are_exact() {
        assert_eq!(product(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
        assert_eq!(compare_ratios((u128::MAX, 2), (u128::MAX - 1, 2)), Ordering::Greater);
        assert_eq!(compare_ratios((2, 4), (1, 2)), Ordering::Equal);
    }

    #[test]
    fn those_without_weight_come_last() {
        let claims = [(0, 10), (5, 4), (1, 6), (0, 30)].map(|(weight, cap)| Claim { weight, cap });
        let level = |total: u32| Level::of(&claims, &total.into());
        let part = level(6);
        assert_eq!((part.at_cap, part.weights, part.rest), (vec![0, 4, 0, 0], vec![0, 0, 1, 0], 2u32.into()));
        let exhausted = level(10);
        assert_eq!((exhausted.at_cap, exhausted.rest), (vec![0, 4, 6, 0], BigUint::ZERO));
        let beyond = level(30);
        assert_eq!((beyond.at_cap, beyond.weights), (vec![0, 4, 6, 0], vec![10, 0, 0, 30]));
        assert_eq!(beyond.rest, 20u32.into());
        assert_eq!(level(1000).rest, 40u32.into(), "no more than all caps");
    }
}
