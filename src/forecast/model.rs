use super::evaluation::{Evaluation, Score};
use super::features::har_names;
use super::fits::{Fits, training};
use super::history::BarHistory;
use super::log_model::LogModel;
use super::model_kind::ModelKind;
use super::outlook::Outlook;
use super::recalibrate::Recalibration;
use super::sample::{Sample, Samples, Source};
use super::walk_forward::WalkForward;
use crate::error::{Error, Fault, Result};

/// The version that is written and read.
pub const MODEL_VERSION: u32 = 1;

/// A fitted model as plain data: everything that a forecast needs, and what it was learnt from.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// [`MODEL_VERSION`].
    pub version: u32,
    /// Its kind: log-HAR or one of the ridge models.
    pub kind: ModelKind,
    /// The asset.
    pub asset: String,
    /// Assets whose bars it looks at as well.
    pub companions: Vec<String>,
    /// Names of the features, in the order of the coefficients.
    pub features: Vec<String>,
    /// Whether it stood the comparison with log-HAR.
    pub gate: Gate,
    /// What it was learnt from.
    pub training: Training,
    /// What becomes of its probabilities.
    pub recalibration: Recalibration,
    /// The function.
    pub function: LogModel,
}

/// Why a model is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// It is log-HAR, which needs no proof.
    Baseline,
    /// It beat log-HAR in a walk forward up to its training.
    Passed,
    /// It did not, or there was too little to tell, and was asked for all the same.
    Failed,
}

/// What a model was learnt from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The first moment, hours since 1970-01-01 00:00 UTC.
    pub first_hour: i64,
    /// The last moment; its outcome was known 24 hours later.
    pub last_hour: i64,
    /// Moments.
    pub rows: u64,
    /// BLAKE3 of what it looked at and what came, moment by moment, 64 hexadecimal digits.
    pub hash: String,
}

impl Model {
    /// Fits the model that passed the gate ([`Evaluation::choice`]) to all that is known at the end of the history.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is too little to fit to.
    pub fn gated(samples: &Samples, walk: &WalkForward, evaluation: &Evaluation) -> Result<Self> {
        let kind = evaluation.choice();
        Self::fit(samples, walk, kind, if kind == ModelKind::LogHar { Gate::Baseline } else { Gate::Passed })
    }

    /// Fits the ridge model of least log loss, whatever the gate says of it.
    ///
    /// # Errors
    /// As [`Model::gated`].
    pub fn ungated(samples: &Samples, walk: &WalkForward, evaluation: &Evaluation) -> Result<Self> {
        let best = evaluation.best_ridge(|_| true);
        let gate = if best.is_some_and(Score::used) { Gate::Passed } else { Gate::Failed };
        Self::fit(samples, walk, best.map_or(ModelKind::HarX, |score| score.model), gate)
    }

    /// Fits a model of one kind to all that is known at the end of the history.
    pub(super) fn fit(samples: &Samples, walk: &WalkForward, kind: ModelKind, gate: Gate) -> Result<Self> {
        let now = samples.span.1;
        let fits = Fits::at(samples, now)?;
        let rows = training(samples, now);
        let (function, features, row): (_, _, fn(&Sample) -> &[f64]) = match kind.curve() {
            Some(_) => (fits.har_x, &samples.feature_names, |row| &row.features),
            None => (fits.log_har, &samples.har_names, |row| &row.har),
        };
        let recalibration = match kind.curve() {
            Some(curve) => Recalibration::learn(curve, &walk.past(samples, now)),
            None => Recalibration::None,
        };
        Ok(Self {
            version: MODEL_VERSION,
            kind,
            asset: samples.asset.clone(),
            companions: samples.companions.clone(),
            features: features.clone(),
            gate,
            training: Training::of(&rows, row),
            recalibration,
            function,
        })
    }

    /// What the model expects at the moment `hour` (hours since 1970-01-01 00:00 UTC), looking only at bars that closed by then.
    ///
    /// # Errors
    /// [`Error::Usage`] where the history holds not all that the model looks at; [`Error::Refused`] where it does not reach that
    /// moment, or is shorter than 181 days before it.
    pub fn outlook(&self, history: &BarHistory, hour: i64) -> Result<Outlook> {
        let source = Source::new(history, &self.asset, &self.companions)?;
        let is_ridge = self.kind.curve().is_some();
        if self.features != if is_ridge { source.feature_names() } else { har_names() } {
            let rule = "the history gives the features that the model was fitted to: the same assets, volumes where it had some";
            return Err(Error::Usage(rule.into()));
        }
        let sample = source.sample(hour).filter(|sample| sample.threshold.is_some()).ok_or_else(|| {
            let rule = format!("the history reaches from 181 days before hour {hour} to that hour");
            Error::Refused(vec![Fault::of_table("history", rule, "supply the bars, or name another hour")])
        })?;
        let row = if is_ridge { &sample.features } else { &sample.har };
        Ok(self.function.outlook(&sample, row, &self.recalibration))
    }

    /// What is wrong with a model that was read: its kind, lists of other lengths, numbers that are none.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let fault = |rule: String| Fault::of_table("model", rule, "fit the model again");
        let mut faults = Vec::new();
        if self.kind != ModelKind::LogHar && self.kind.curve().is_none() {
            faults.push(fault(format!(
                "a model that can be applied is log_har or a ridge model, not {}",
                self.kind.name()
            )));
        }
        let regression = &self.function.regression;
        let lists = [&regression.means, &regression.scales, &regression.coefficients];
        if lists.iter().any(|list| list.len() != self.features.len()) {
            faults.push(fault("means, scales and coefficients have one entry per feature".into()));
        }
        let residuals = &self.function.residuals;
        let numbers = lists.into_iter().flatten().chain(&residuals.quantiles);
        if numbers.chain([&regression.intercept, &residuals.deviation]).any(|value| !value.is_finite()) {
            faults.push(fault("every number is finite".into()));
        }
        let positive = regression.scales.iter().chain([&residuals.smearing]);
        if positive.into_iter().any(|value| !(*value > 0.0 && value.is_finite())) {
            faults.push(fault("scales and the smearing factor are above 0".into()));
        }
        if residuals.quantiles.is_empty() || !residuals.quantiles.is_sorted() {
            faults.push(fault("quantiles of the residuals ascend, and there are some".into()));
        }
        faults
    }
}

impl Training {
    fn of(rows: &[&Sample], features: fn(&Sample) -> &[f64]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for row in rows {
            hasher.update(&row.hour.to_le_bytes());
            for value in features(row).iter().chain(&row.threshold).chain(&row.realised) {
                hasher.update(&value.to_bits().to_le_bytes());
            }
        }
        Self {
            first_hour: rows.first().map_or(0, |row| row.hour),
            last_hour: rows.last().map_or(0, |row| row.hour),
            rows: rows.len() as u64,
            hash: hasher.finalize().to_hex().to_string(),
        }
    }
}
