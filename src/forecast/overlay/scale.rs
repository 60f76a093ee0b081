//! Scales: what a rule's shape is multiplied by so that it covers as much as every other rule.

/// A scale lies a hair above the loss that decides it, so that the product with its own shape covers that loss.
const HAIR: f64 = 1.0 + 1e-12;

/// The smallest scale at which scale · shape covers a share of at least `confidence` of the losses; `None` without losses.
/// `ratios` are losses over shapes, in any order.
pub(super) fn covering(mut ratios: Vec<f64>, confidence: f64) -> Option<f64> {
    let allowed = ((1.0 - confidence) * ratios.len() as f64 + 1e-9) as usize;
    ratios.sort_unstable_by(|a, b| b.total_cmp(a));
    ratios.get(allowed.min(ratios.len().checked_sub(1)?)).map(|ratio| ratio * HAIR)
}

/// When scales are learnt from the past alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Learning {
    /// Share of the losses to cover.
    pub(super) confidence: f64,
    /// Steps before the first scale.
    pub(super) warm_up: usize,
    /// Steps between one scale and the next.
    pub(super) every: usize,
    /// Steps until a loss is known.
    pub(super) delay: usize,
}

impl Learning {
    /// The scale at each step from the warm-up on, each from the losses known by then.
    pub(super) fn scales(&self, ratios: &[f64]) -> Vec<f64> {
        let mut scale = 0.0;
        let mut scales = Vec::with_capacity(ratios.len().saturating_sub(self.warm_up));
        for at in self.warm_up..ratios.len() {
            if (at - self.warm_up).is_multiple_of(self.every.max(1)) {
                let known = ratios[..at.saturating_sub(self.delay)].to_vec();
                scale = covering(known, self.confidence).unwrap_or(scale);
            }
            scales.push(scale);
        }
        scales
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_leaves_out_exactly_what_may_be_exceeded() {
        let ratios: Vec<f64> = (1..=200).map(f64::from).rev().collect();
        let scale = covering(ratios.clone(), 0.99).expect("a scale");
        assert_eq!(ratios.iter().filter(|ratio| **ratio > scale).count(), 2);
        assert!((scale - 198.0).abs() < 1e-9);
        assert_eq!(covering(vec![2.0], 0.99), Some(2.0 * HAIR));
        assert_eq!(covering(Vec::new(), 0.99), None);
        assert_eq!(covering(ratios, 0.0), Some(HAIR));
    }

    /// Losses that are not yet known do not move a scale.
    #[test]
    fn scales_are_learnt_from_the_past_alone() {
        let learning = Learning { confidence: 0.9, warm_up: 40, every: 10, delay: 6 };
        let ratios: Vec<f64> = (0..100).map(|k| f64::from(k * 37 % 101)).collect();
        let scales = learning.scales(&ratios);
        assert_eq!(scales.len(), 60);
        let mut changed = ratios.clone();
        changed[54..].iter_mut().for_each(|ratio| *ratio += 1_000.0);
        let after = learning.scales(&changed);
        assert_eq!(scales[..30], after[..30], "those up to step 69 know losses up to step 53");
        assert_ne!(scales[30], after[30]);
    }
}
