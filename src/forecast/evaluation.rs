use super::gate::{Gain, GateRule, Verdict};
use super::model_kind::ModelKind;
use super::outlook::Outlook;
use super::reliability::{Bin, reliability};
use super::scores::{Call, brier, log_loss, pr_auc, qlike, roc_auc};
use super::walk_forward::{Course, Observation, WalkForward};

/// How good the forecasts of one model were.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The model.
    pub model: ModelKind,
    /// Forecasts; fewer than there are observations where a model speaks at midnight only.
    pub forecasts: usize,
    /// What its probabilities were worth; `None` of a model that gives none.
    pub spikes: Option<SpikeScore>,
    /// Mean QLIKE of its variances: lower is better.
    pub qlike: f64,
    /// Beside log-HAR; `None` of log-HAR itself.
    pub gain: Option<Gain>,
    /// What the gate says of it.
    pub verdict: Verdict,
}

/// How good probabilities of a spike were.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeScore {
    /// Average precision, in [0, 1]: higher is better, the base rate is chance; `None` where no spike came.
    pub pr_auc: Option<f64>,
    /// In [0, 1]: higher is better, ½ is chance; `None` where all or none were spikes.
    pub roc_auc: Option<f64>,
    /// Mean squared error: lower is better.
    pub brier: f64,
    /// Mean −ln of what was given to what came: lower is better.
    pub log_loss: f64,
    /// Forecast and observed frequencies.
    pub reliability: Vec<Bin>,
}

/// A walk forward, scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Moments whose outcome is known.
    pub observations: usize,
    /// Share of those that were spikes.
    pub base_rate: f64,
    /// Model by model, as the walk has them.
    pub scores: Vec<Score>,
    /// What the gate asked of the comparisons.
    pub rule: GateRule,
    /// BLAKE3 of every forecast and outcome, 64 hexadecimal digits: the same data give the same on every machine.
    pub digest: String,
}

impl Score {
    /// Whether the model may be used: log-HAR always, any other where it passes the gate.
    pub fn used(&self) -> bool {
        self.verdict.allows()
    }
}

impl Evaluation {
    /// Scores every course of a walk that has observations, and judges each under a rule.
    pub fn of(walk: &WalkForward, rule: GateRule) -> Self {
        let spikes = walk.observations.iter().filter(|seen| seen.spike()).count();
        let baseline = walk.course(ModelKind::LogHar);
        let score = |course: &Course| {
            let gain = baseline.filter(|baseline| baseline.model != course.model);
            let gain = gain.map(|baseline| Gain::of(walk, course, baseline));
            Score {
                model: course.model,
                forecasts: course.outlooks.len(),
                spikes: SpikeScore::of(walk, course),
                qlike: mean_qlike(walk, course),
                gain,
                verdict: rule.verdict(gain.as_ref()),
            }
        };
        Self {
            observations: walk.observations.len(),
            base_rate: spikes as f64 / walk.observations.len().max(1) as f64,
            scores: walk.courses.iter().map(score).collect(),
            rule,
            digest: digest(walk),
        }
    }

    /// The score of a model; `None` where it took no part.
    pub fn score(&self, model: ModelKind) -> Option<&Score> {
        self.scores.iter().find(|score| score.model == model)
    }

    /// The model to use: of the ridge models that pass the gate the one of least log loss, else log-HAR.
    pub fn choice(&self) -> ModelKind {
        self.best_ridge(Score::used).map_or(ModelKind::LogHar, |score| score.model)
    }

    /// The score of the ridge model of least log loss among those that `may` be taken.
    pub(super) fn best_ridge(&self, may: impl Fn(&Score) -> bool) -> Option<&Score> {
        let loss = |score: &Score| score.spikes.as_ref().map_or(f64::INFINITY, |spikes| spikes.log_loss);
        let ridge = self.scores.iter().filter(|score| score.model.curve().is_some() && may(score));
        ridge.min_by(|first, second| loss(first).total_cmp(&loss(second)))
    }
}

impl WalkForward {
    /// What came and what a course said, at its moments.
    pub(super) fn seen<'w>(&'w self, course: &'w Course) -> impl Iterator<Item = (&'w Observation, &'w Outlook)> {
        course.outlooks.iter().filter_map(|outlook| {
            let at = self.observations.binary_search_by_key(&outlook.hour, |seen| seen.hour).ok()?;
            Some((&self.observations[at], outlook))
        })
    }
}

impl SpikeScore {
    fn of(walk: &WalkForward, course: &Course) -> Option<Self> {
        let call = |(seen, outlook): (&Observation, &Outlook)| {
            Some(Call { probability: outlook.spike_probability?, came: seen.spike() })
        };
        let calls: Vec<Call> = walk.seen(course).map(call).collect::<Option<_>>()?;
        Some(Self {
            pr_auc: pr_auc(&calls),
            roc_auc: roc_auc(&calls),
            brier: brier(&calls),
            log_loss: log_loss(&calls),
            reliability: reliability(&calls),
        })
    }
}

fn mean_qlike(walk: &WalkForward, course: &Course) -> f64 {
    let losses = walk.seen(course).map(|(seen, outlook)| qlike(seen.realised_variance, outlook.variance));
    losses.sum::<f64>() / course.outlooks.len().max(1) as f64
}

fn digest(walk: &WalkForward) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut number = |value: f64| {
        hasher.update(&value.to_bits().to_le_bytes());
    };
    for seen in &walk.observations {
        [seen.hour as f64, seen.realised_variance, seen.threshold].into_iter().for_each(&mut number);
    }
    for outlook in walk.courses.iter().flat_map(|course| &course.outlooks) {
        let probability = outlook.spike_probability.unwrap_or(-1.0);
        [outlook.hour as f64, outlook.variance, outlook.long_run_variance, probability]
            .into_iter()
            .for_each(&mut number);
    }
    hasher.finalize().to_hex().to_string()
}
