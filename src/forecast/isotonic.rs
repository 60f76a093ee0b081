/// Probability from a score by steps that never fall.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isotonic {
    /// Lowest score of each step, ascending.
    pub lows: Vec<f64>,
    /// Probability of each step, ascending.
    pub probabilities: Vec<f64>,
}

/// Neighbouring scores that share a probability.
struct Block {
    low: f64,
    hits: f64,
    count: f64,
}

impl Isotonic {
    /// The steps of least squared error for scores and whether what they speak of came, by pooling adjacent violators (M. Ayer and
    /// others, Annals of Mathematical Statistics 26 (1955) 641–647). Each step counts half a hit in one case more than it has seen
    /// (R. Krichevsky, V. Trofimov, IEEE Transactions on Information Theory 27 (1981) 199–207), so that none is 0 or 1. `None` of
    /// nothing.
    pub(super) fn fit(observed: &[(f64, bool)]) -> Option<Self> {
        let mut sorted = observed.to_vec();
        sorted.sort_by(|first, second| first.0.total_cmp(&second.0));
        let mut blocks: Vec<Block> = Vec::new();
        for group in sorted.chunk_by(|first, second| first.0 == second.0) {
            let hits = group.iter().filter(|(_, came)| *came).count() as f64;
            let mut block = Block { low: group[0].0, hits, count: group.len() as f64 };
            while let Some(before) = blocks.pop_if(|before| before.hits * block.count >= block.hits * before.count) {
                block = Block { low: before.low, hits: before.hits + block.hits, count: before.count + block.count };
            }
            blocks.push(block);
        }
        let mut probabilities: Vec<f64> = blocks.iter().map(|block| (block.hits + 0.5) / (block.count + 1.0)).collect();
        // The half hits may raise a short step above a long one that follows it.
        for at in 1..probabilities.len() {
            probabilities[at] = probabilities[at].max(probabilities[at - 1]);
        }
        let lows = blocks.iter().map(|block| block.low).collect();
        (!probabilities.is_empty()).then_some(Self { lows, probabilities })
    }

    /// The probability of the step that holds a score; scores below the first step are in it.
    pub(super) fn at(&self, score: f64) -> f64 {
        let step = self.lows.partition_point(|low| *low <= score).saturating_sub(1);
        self.probabilities.get(step).copied().unwrap_or(0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violators_are_pooled() {
        let outcomes = [(0.1, false), (0.2, true), (0.3, false), (0.4, true), (0.4, true), (0.5, true)];
        let steps = Isotonic::fit(&outcomes).expect("observations");
        // {0.1}: 0 of 1; {0.2, 0.3}: 1 of 2; {0.4, 0.4, 0.5}: 3 of 3.
        assert_eq!(steps.lows, [0.1, 0.2, 0.4]);
        assert_eq!(steps.probabilities, [0.25, 0.5, 0.875]);
        assert_eq!([-1.0, 0.1, 0.35, 9.0].map(|score| steps.at(score)), [0.25, 0.25, 0.5, 0.875]);
        assert_eq!(Isotonic::fit(&[]), None);
    }

    #[test]
    fn steps_never_fall() {
        let outcomes: Vec<(f64, bool)> = (0..500).map(|at| (f64::from(at * 7 % 501), at * 13 % 17 < at % 5)).collect();
        let steps = Isotonic::fit(&outcomes).expect("observations");
        assert!(steps.probabilities.is_sorted() && steps.lows.is_sorted(), "{steps:?}");
    }
}
