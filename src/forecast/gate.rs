use super::block_bootstrap::{Interval, interval};
use super::calendar::month;
use super::outlook::Outlook;
use super::scores::{Call, Ranking, log_loss, qlike};
use super::walk_forward::{Course, Observation, WalkForward};

/// A model beside log-HAR at the same moments: positive where the model is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// PR-AUC of the model less that of log-HAR; `None` where the model gives no probability, or no spike came.
    pub pr_auc: Option<Interval>,
    /// Mean QLIKE of log-HAR less that of the model.
    pub qlike: Option<Interval>,
    /// Mean log loss of log-HAR less that of the model, probabilities counting as at least 1e−15 away from 0 and 1; `None` where the
    /// model gives no probability.
    pub log_loss: Option<Interval>,
    /// Calendar months (UTC) that the comparison spans.
    pub months: usize,
    /// Spikes among its moments.
    pub spikes: usize,
}

/// What a comparison must rest on before the gate can judge by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateRule {
    /// Calendar months.
    pub months: usize,
    /// Spikes.
    pub spikes: usize,
}

/// What the gate says of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is log-HAR, which needs no proof.
    Baseline,
    /// It is better than log-HAR, and worse in nothing.
    Passed,
    /// It is not.
    Failed,
    /// Too few months or spikes to tell; it may not be used.
    TooShort,
}

impl Default for GateRule {
    /// A year of months, so that resampling them means something, and 30 spikes.
    fn default() -> Self {
        Self { months: 12, spikes: 30 }
    }
}

impl GateRule {
    /// Judges a model by its comparison with log-HAR; `None` = it is log-HAR.
    pub fn verdict(&self, gain: Option<&Gain>) -> Verdict {
        match gain {
            None => Verdict::Baseline,
            Some(gain) if gain.months < self.months || gain.spikes < self.spikes => Verdict::TooShort,
            Some(gain) if gain.is_better() => Verdict::Passed,
            Some(_) => Verdict::Failed,
        }
    }
}

impl Verdict {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TooShort => "too_short",
        }
    }

    /// Whether the model may be used.
    pub fn allows(self) -> bool {
        matches!(self, Self::Baseline | Self::Passed)
    }
}

impl Gain {
    /// Whether the interval of PR-AUC or of QLIKE lies above zero, and neither they nor that of log loss below it.
    fn is_better(&self) -> bool {
        let is_above = [self.pr_auc, self.qlike].iter().flatten().any(|interval| interval.low > 0.0);
        let is_below = [self.pr_auc, self.qlike, self.log_loss].iter().flatten().any(|interval| interval.high < 0.0);
        is_above && !is_below
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
        let qlike = joint.mean_gain(|seen, outlook| Some(qlike(seen.realised_variance, outlook.variance)));
        let log_loss = joint.mean_gain(|seen, outlook| {
            let probability = outlook.spike_probability?.clamp(CERTAINTY, 1.0 - CERTAINTY);
            Some(log_loss(&[Call { probability, came: seen.spike() }]))
        });
        let months = joint.months();
        let spikes = joint.moments.iter().filter(|at| at.seen.spike()).count();
        Self { pr_auc: interval(months, area_gain), qlike, log_loss, months, spikes }
    }
}

/// Least distance of a probability from 0 and 1 in a comparison, so that one moment cannot cost infinitely much.
const CERTAINTY: f64 = 1e-15;

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

    /// Calendar months from the first moment to the last.
    fn months(&self) -> usize {
        self.blocks.last().map_or(0, |last| last + 1)
    }

    /// The mean by which a loss of the baseline exceeds that of the model; `None` where one of them has none.
    fn mean_gain(&self, loss: impl Fn(&Observation, &Outlook) -> Option<f64>) -> Option<Interval> {
        let (mut gained, mut counts) = (vec![0.0; self.months()], vec![0.0; self.months()]);
        for (at, &block) in self.moments.iter().zip(&self.blocks) {
            gained[block] += loss(at.seen, at.baseline)? - loss(at.seen, at.model)?;
            counts[block] += 1.0;
        }
        let mean = |times: &[f64]| {
            let sum = |per_block: &[f64]| per_block.iter().zip(times).map(|(value, times)| value * times).sum::<f64>();
            (sum(&counts) > 0.0).then(|| sum(&gained) / sum(&counts))
        };
        interval(counts.len(), mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(low: f64, high: f64) -> Option<Interval> {
        Some(Interval { estimate: (low + high) / 2.0, low, high })
    }

    fn gain(pr_auc: Option<Interval>, qlike: Option<Interval>, log_loss: Option<Interval>) -> Gain {
        Gain { pr_auc, qlike, log_loss, months: 12, spikes: 30 }
    }

    #[test]
    fn one_interval_above_zero_passes_unless_another_is_below() {
        for (pr_auc, qlike, log_loss, passes) in [
            (between(0.01, 0.1), between(-0.1, 0.1), between(-0.1, 0.1), true),
            (between(-0.1, 0.1), between(0.01, 0.1), None, true),
            (None, between(0.01, 0.1), None, true),
            (between(-0.1, 0.1), between(-0.1, 0.1), between(0.01, 0.1), false),
            (between(0.01, 0.1), between(-0.2, -0.1), between(0.01, 0.1), false),
            (between(0.01, 0.1), between(0.01, 0.1), between(-0.2, -0.1), false),
            (between(0.0, 0.1), None, None, false),
            (None, None, None, false),
        ] {
            let verdict = GateRule::default().verdict(Some(&gain(pr_auc, qlike, log_loss)));
            let expected = if passes { Verdict::Passed } else { Verdict::Failed };
            assert_eq!(verdict, expected, "{pr_auc:?} {qlike:?} {log_loss:?}");
        }
    }

    #[test]
    fn few_months_or_spikes_cannot_be_judged() {
        let better = gain(between(0.01, 0.1), None, None);
        let rule = GateRule::default();
        assert_eq!(rule.verdict(Some(&Gain { months: 11, ..better })), Verdict::TooShort);
        assert_eq!(rule.verdict(Some(&Gain { spikes: 29, ..better })), Verdict::TooShort);
        assert_eq!(GateRule { months: 1, spikes: 0 }.verdict(Some(&Gain { months: 1, ..better })), Verdict::Passed);
        assert_eq!(rule.verdict(None), Verdict::Baseline);
        assert!(!Verdict::TooShort.allows() && Verdict::Baseline.allows());
    }
}
