/// One forecast of an event: its probability, and whether it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Call {
    pub(super) probability: f64,
    pub(super) came: bool,
}

/// Calls from the highest probability down; equal probabilities are one step, so that their order cannot matter.
pub(super) struct Ranking {
    ranked: Vec<Ranked>,
}

struct Ranked {
    came: bool,
    /// Whether the next call has a lower probability.
    ends_step: bool,
    block: usize,
}

impl Ranking {
    /// Ranks calls, each of the block at its position, so that blocks can be counted several times.
    pub(super) fn of(calls: &[Call], blocks: &[usize]) -> Self {
        let mut sorted: Vec<(&Call, usize)> = calls.iter().zip(blocks.iter().copied()).collect();
        sorted.sort_by(|first, second| second.0.probability.total_cmp(&first.0.probability));
        let next = |at: usize| sorted.get(at + 1).map(|(call, _)| call.probability);
        let ranked = |(at, (call, block)): (usize, &(&Call, usize))| Ranked {
            came: call.came,
            ends_step: next(at) != Some(call.probability),
            block: *block,
        };
        Self { ranked: sorted.iter().enumerate().map(ranked).collect() }
    }

    /// Average precision where each call counts as often as `times` says of its block: Σ (recall gained) · precision, step by step.
    /// `None` where nothing came.
    pub(super) fn pr_auc(&self, times: &[f64]) -> Option<f64> {
        let (mut taken, mut hits, mut gained, mut area) = (0.0, 0.0, 0.0, 0.0);
        for call in &self.ranked {
            let weight = times[call.block];
            taken += weight;
            gained += if call.came { weight } else { 0.0 };
            if call.ends_step {
                hits += gained;
                if gained > 0.0 {
                    area += gained * hits / taken;
                }
                gained = 0.0;
            }
        }
        (hits > 0.0).then(|| area / hits)
    }
}

/// Average precision of calls that count once each; `None` where nothing came.
pub(super) fn pr_auc(calls: &[Call]) -> Option<f64> {
    Ranking::of(calls, &vec![0; calls.len()]).pr_auc(&[1.0])
}

/// Probability that an event was given more than a non-event was, ties counting half. `None` where either is missing.
pub(super) fn roc_auc(calls: &[Call]) -> Option<f64> {
    let (mut hits, mut misses, mut area) = (0.0, 0.0, 0.0);
    let (mut gained, mut false_alarms) = (0.0, 0.0);
    for call in Ranking::of(calls, &vec![0; calls.len()]).ranked {
        *(if call.came { &mut gained } else { &mut false_alarms }) += 1.0;
        if call.ends_step {
            area += false_alarms * (hits + 0.5 * gained);
            hits += std::mem::take(&mut gained);
            misses += std::mem::take(&mut false_alarms);
        }
    }
    (hits > 0.0 && misses > 0.0).then(|| area / (hits * misses))
}

/// Mean of (probability − outcome)²; NaN of nothing.
pub(super) fn brier(calls: &[Call]) -> f64 {
    mean_loss(calls, |call| (call.probability - f64::from(call.came)).powi(2))
}

/// Mean of −ln of the probability given to what came; NaN of nothing, infinite where something came that was ruled out.
pub(super) fn log_loss(calls: &[Call]) -> f64 {
    mean_loss(calls, |call| -libm::log(if call.came { call.probability } else { 1.0 - call.probability }))
}

fn mean_loss(calls: &[Call], loss: impl Fn(&Call) -> f64) -> f64 {
    calls.iter().map(loss).sum::<f64>() / calls.len() as f64
}

/// QLIKE of one forecast of a variance: x − ln x − 1 with x = realised over forecast, ≥ 0, 0 where they are equal (A. Patton, J. of
/// Econometrics 160 (2011) 246–256). Both are above 0.
pub(super) fn qlike(realised: f64, forecast: f64) -> f64 {
    let ratio = realised / forecast;
    ratio - libm::log(ratio) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(pairs: &[(f64, bool)]) -> Vec<Call> {
        pairs.iter().map(|&(probability, came)| Call { probability, came }).collect()
    }

    #[test]
    fn areas_of_small_cases_are_those_of_a_hand() {
        let four = calls(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]);
        // Precision 1 at recall ½, 2/3 at recall 1.
        assert!((pr_auc(&four).expect("events") - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-15);
        assert!((roc_auc(&four).expect("both") - 0.75).abs() < 1e-15);
        let tied = calls(&[(0.5, true), (0.5, false), (0.5, false), (0.5, true)]);
        assert_eq!((pr_auc(&tied), roc_auc(&tied)), (Some(0.5), Some(0.5)));
        let reversed: Vec<Call> = tied.iter().rev().copied().collect();
        assert_eq!(pr_auc(&tied), pr_auc(&reversed), "the order of ties does not matter");
        assert_eq!((pr_auc(&calls(&[(0.5, false)])), roc_auc(&calls(&[(0.5, true)]))), (None, None));
    }

    #[test]
    fn blocks_that_count_several_times_are_repetitions() {
        let four = calls(&[(0.9, true), (0.7, false), (0.6, true), (0.2, false)]);
        let mut repeated = four.clone();
        repeated.extend([four[1]; 2]);
        repeated.remove(3);
        let weighted = Ranking::of(&four, &[0, 1, 0, 2]).pr_auc(&[1.0, 3.0, 0.0]);
        assert_eq!(weighted, pr_auc(&repeated));
        assert_eq!(Ranking::of(&four, &[0, 1, 0, 2]).pr_auc(&[0.0, 1.0, 1.0]), None, "no event is counted");
    }

    #[test]
    fn losses_are_those_of_a_hand() {
        let pair = calls(&[(0.8, true), (0.4, false)]);
        assert!((brier(&pair) - (0.04 + 0.16) / 2.0).abs() < 1e-15);
        assert!((log_loss(&pair) + (0.8_f64.ln() + 0.6_f64.ln()) / 2.0).abs() < 1e-15);
        assert_eq!(qlike(2.0, 2.0), 0.0);
        assert!((qlike(1.0, 2.0) - (0.5 - 0.5_f64.ln() - 1.0)).abs() < 1e-15);
        assert!(qlike(2.0, 1.0) > qlike(1.0, 2.0), "too low a forecast costs more");
    }
}
