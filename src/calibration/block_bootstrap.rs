use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A block bootstrap over scenarios in their order: blocks of neighbours are drawn with replacement, the first scenario
/// following the last, until there are as many as before (D. N. Politis, J. P. Romano, "A circular block-resampling procedure
/// for stationary data", 1992). Blocks keep what neighbours in time share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockBootstrap {
    /// Replicates, ≥ 1.
    pub replicates: usize,
    /// Scenarios of a block; `None` = the cube root of their number, rounded.
    pub block: Option<usize>,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for BlockBootstrap {
    fn default() -> Self {
        Self { replicates: 200, block: None, seed: 0 }
    }
}

impl BlockBootstrap {
    /// The weights of the scenarios in each replicate: how often each was drawn, times its own weight. Replicates differ in
    /// their stream, so the first hundred are the same whatever their number.
    pub(super) fn weights(&self, weights: &[f64]) -> Vec<Vec<f64>> {
        (0..self.replicates.max(1) as u64).map(|replicate| self.replicate(weights, replicate)).collect()
    }

    fn replicate(&self, weights: &[f64], replicate: u64) -> Vec<f64> {
        let scenarios = weights.len();
        let mut drawn = vec![0u32; scenarios];
        let block = self.block.unwrap_or_else(|| libm::round(libm::cbrt(scenarios as f64)) as usize);
        let block = block.clamp(1, scenarios.max(1));
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(replicate);
        let mut left = scenarios;
        while left > 0 {
            let first = random.random_range(0..scenarios as u64) as usize;
            let length = block.min(left);
            for offset in 0..length {
                drawn[(first + offset) % scenarios] += 1;
            }
            left -= length;
        }
        weights.iter().zip(drawn).map(|(weight, drawn)| weight * f64::from(drawn)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicates_draw_as_many_scenarios_in_blocks() {
        let bootstrap = BlockBootstrap { replicates: 50, block: Some(4), seed: 3 };
        let all = bootstrap.weights(&[1.0; 22]);
        assert_eq!(all.len(), 50);
        for weights in &all {
            assert_eq!(weights.iter().sum::<f64>(), 22.0);
        }
        assert_eq!(all, bootstrap.weights(&[1.0; 22]));
        assert_ne!(all[0], all[1]);
        assert_ne!(all, BlockBootstrap { seed: 4, ..bootstrap }.weights(&[1.0; 22]));
        assert_eq!(all[..7], BlockBootstrap { replicates: 7, ..bootstrap }.weights(&[1.0; 22])[..]);
    }

    #[test]
    fn a_block_as_long_as_the_set_changes_nothing_and_sizes_are_borne() {
        let weights = [0.5, 0.0, 2.0];
        let whole = BlockBootstrap { block: Some(99), ..BlockBootstrap::default() };
        assert!(whole.weights(&weights).iter().all(|replicate| replicate == &weights));
        let plain = BlockBootstrap { replicates: 0, block: Some(0), seed: 1 };
        assert_eq!(plain.weights(&[]), [Vec::<f64>::new()]);
        assert_eq!(plain.weights(&[3.0]), [[3.0]]);
    }

    /// The mean of a replicate has variance σ²/n for independent draws, more in blocks where neighbours are alike.
    #[test]
    fn blocks_keep_what_neighbours_share() {
        let value = |at: usize| if (at / 25).is_multiple_of(2) { 1.0 } else { -1.0 };
        let spread = |block: usize| {
            let bootstrap = BlockBootstrap { replicates: 400, block: Some(block), seed: 9 };
            let means = bootstrap
                .weights(&[1.0; 1000])
                .into_iter()
                .map(|weights| weights.iter().enumerate().map(|(at, weight)| weight * value(at)).sum::<f64>() / 1000.0);
            means.map(|mean| mean * mean).sum::<f64>() / 400.0
        };
        let independent = spread(1);
        assert!((independent * 1000.0 - 1.0).abs() < 0.25, "{independent}");
        assert!(spread(10) > 5.0 * independent);
    }
}
