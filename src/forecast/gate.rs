use super::block_bootstrap::{Interval, interval};
use super::calendar::month;
use super::outlook::Outlook;
use super::scores::{Call, Ranking, qlike};
use super::walk_forward::{Course, Observation, WalkForward};

/// A model beside log-HAR at the same moments: positive where the model is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// PR-AUC of the model less that of log-HAR; `None` where the model gives no probability, or no spike came.
    pub pr_auc: Option<Interval>,
    /// Mean QLIKE of log-HAR less that of the model.
    pub qlike: Option<Interval>,
}

impl Gain {
    /// Whether the model may be used: one interval lies above zero, and none below it.
    pub fn passes(&self) -> bool {
        let intervals = [self.pr_auc, self.qlike];
        let better = intervals.iter().flatten().any(|interval| interval.low > 0.0);
        let worse = intervals.iter().flatten().any(|interval| interval.high < 0.0);
        better && !worse
    }

    /// Compares two courses of a walk at the moments that both have.
    pub(super) fn of(walk: &WalkForward, model: &Course, baseline: &Course) -> Self {
        let joint = Joint::of(walk, model, baseline);
        let calls = |probability: fn(&Moment) -> Option<f64>| -> Option<Ranking> {
            let call = |at: &Moment| Some(Call { probability: probability(at)?, came: at.seen.spike() });
            let calls: Vec<Call> = joint.moments.iter().map(call).collect::<Option<_>>()?;
            Some(Ranking::of(&calls, &joint.blocks))
        };
        let rankings = calls(|at| at.model.spike_probability).zip(calls(|at| at.baseline.spike_probability));
        let area_gain = |times: &[f64]| {
            let (model, baseline) = rankings.as_ref()?;
            Some(model.pr_auc(times)? - baseline.pr_auc(times)?)
        };
        let (gained, counts) = joint.qlike_gains();
        let loss_gain = |times: &[f64]| {
            let sum = |per_block: &[f64]| per_block.iter().zip(times).map(|(value, times)| value * times).sum::<f64>();
            (sum(&counts) > 0.0).then(|| sum(&gained) / sum(&counts))
        };
        Self { pr_auc: interval(counts.len(), area_gain), qlike: interval(counts.len(), loss_gain) }
    }
}

/// What came of a moment, and what two courses said.
struct Moment<'w> {
    seen: &'w Observation,
    model: &'w Outlook,
    baseline: &'w Outlook,
}

/// Two courses at the moments that both have.
struct Joint<'w> {
    moments: Vec<Moment<'w>>,
    /// The month of each moment, counted from the first.
    blocks: Vec<usize>,
}

impl<'w> Joint<'w> {
    fn of(walk: &'w WalkForward, model: &'w Course, baseline: &'w Course) -> Self {
        let moment = |(seen, model): (&'w Observation, &'w Outlook)| {
            let at = baseline.outlooks.binary_search_by_key(&seen.hour, |other| other.hour).ok()?;
            Some(Moment { seen, model, baseline: &baseline.outlooks[at] })
        };
        let moments: Vec<Moment> = walk.seen(model).filter_map(moment).collect();
        let first = moments.first().map_or(0, |at| month(at.seen.hour));
        let blocks = moments.iter().map(|at| (month(at.seen.hour) - first) as usize).collect();
        Self { moments, blocks }
    }

    /// What the model gained in QLIKE, summed by month, and the moments of each.
    fn qlike_gains(&self) -> (Vec<f64>, Vec<f64>) {
        let months = self.blocks.last().map_or(0, |last| last + 1);
        let (mut gained, mut counts) = (vec![0.0; months], vec![0.0; months]);
        for (at, &block) in self.moments.iter().zip(&self.blocks) {
            let realised = at.seen.realised_variance;
            gained[block] += qlike(realised, at.baseline.variance) - qlike(realised, at.model.variance);
            counts[block] += 1.0;
        }
        (gained, counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(low: f64, high: f64) -> Option<Interval> {
        Some(Interval { estimate: (low + high) / 2.0, low, high })
    }

    #[test]
    fn one_interval_above_zero_passes_unless_the_other_is_below() {
        for (pr_auc, qlike, passes) in [
            (between(0.01, 0.1), between(-0.1, 0.1), true),
            (between(-0.1, 0.1), between(0.01, 0.1), true),
            (None, between(0.01, 0.1), true),
            (between(-0.1, 0.1), between(-0.1, 0.1), false),
            (between(0.01, 0.1), between(-0.2, -0.1), false),
            (between(0.0, 0.1), None, false),
            (None, None, false),
        ] {
            assert_eq!(Gain { pr_auc, qlike }.passes(), passes, "{pr_auc:?} {qlike:?}");
        }
    }
}
