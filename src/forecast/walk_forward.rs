use std::collections::HashMap;

use rayon::prelude::*;

use super::calendar::month;
use super::fits::{Fits, training};
use super::logistic::Logistic;
use super::model_kind::ModelKind;
use super::outlook::Outlook;
use super::recalibrate::Recalibration;
use super::sample::{Sample, Samples};
use crate::error::{Error, Fault, Result};

/// Hours with a threshold that the first test month needs before it: a year.
const TRAINING_HOURS: i64 = 8_760;

/// What came of one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The moment, hours since 1970-01-01 00:00 UTC.
    pub hour: i64,
    /// Realised variance of the 24 hours after it, at least 24 · 1e−10.
    pub realised_variance: f64,
    /// Variance above which that is a spike: the 90th percentile of the trailing 180 days.
    pub threshold: f64,
}

impl Observation {
    /// Whether a spike came.
    pub fn spike(&self) -> bool {
        self.realised_variance > self.threshold
    }
}

/// What one model said, moment by moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// The model.
    pub model: ModelKind,
    /// In order of time; at every observation, or at those of midnight (UTC) only.
    pub outlooks: Vec<Outlook>,
}

/// Forecasts as they would have been made: every model is fitted anew at the start of each month to what was known then.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkForward {
    /// The asset.
    pub asset: String,
    /// Assets whose bars help.
    pub companions: Vec<String>,
    /// What came, every four hours.
    pub observations: Vec<Observation>,
    /// What was said, model by model.
    pub courses: Vec<Course>,
}

impl WalkForward {
    /// The course of a model; `None` where it could not be fitted.
    pub fn course(&self, model: ModelKind) -> Option<&Course> {
        self.courses.iter().find(|course| course.model == model)
    }

    /// Probabilities of the ridge model, as it gives them, whose outcome was known at `now`, with that outcome.
    pub(super) fn past(&self, samples: &Samples, now: i64) -> Vec<(f64, bool)> {
        let known: HashMap<i64, bool> =
            training(samples, now).iter().filter_map(|row| Some((row.hour, row.spike()?))).collect();
        let outlooks = self.course(ModelKind::HarX).map_or(&[][..], |course| &course.outlooks);
        outlooks.iter().filter_map(|outlook| Some((outlook.spike_probability?, *known.get(&outlook.hour)?))).collect()
    }
}

/// Walks forward through the calendar months (UTC) from `from` on (hours since 1970-01-01 00:00 UTC; `None`: the first month with a
/// year of thresholds before it). At the start of each month every model is fitted to the moments whose outcome was known then, an
/// hour before at the latest, and says what it expects at each moment of the month. Recalibrations learn from the forecasts of
/// earlier months.
///
/// # Errors
/// [`Error::Refused`] where the history is too short: a threshold needs 181 days, the first month a year of those before it.
/// [`Error::Usage`] where `from` is earlier than that, or the history ends before it.
pub fn walk_forward(samples: &Samples, from: Option<i64>) -> Result<WalkForward> {
    let from = start(samples, from)?;
    let rows: Vec<&Sample> = samples.rows.iter().filter(|row| row.hour >= from && row.spike().is_some()).collect();
    let months: Vec<&[&Sample]> = rows.chunk_by(|first, second| month(first.hour) == month(second.hour)).collect();
    let fitted: Vec<Fits> =
        months.par_iter().map(|rows| Fits::at(samples, rows[0].hour)).collect::<Result<Vec<_>>>()?;
    let observations = rows.iter().filter_map(|row| observation(row)).collect();
    let mut walk = WalkForward {
        asset: samples.asset.clone(),
        companions: samples.companions.clone(),
        observations,
        courses: Vec::new(),
    };
    for model in ModelKind::ALL {
        let mut outlooks = Vec::new();
        for (rows, fits) in months.iter().zip(&fitted) {
            match (model, model.curve()) {
                (ModelKind::GarchT, _) => outlooks.extend(garch_outlooks(samples, rows, fits)),
                (_, Some(curve)) => {
                    let recalibration = Recalibration::learn(curve, &walk.past(samples, rows[0].hour));
                    outlooks.extend(rows.iter().map(|row| fits.har_x.outlook(row, &row.features, &recalibration)));
                }
                _ => outlooks.extend(rows.iter().map(|row| fits.outlook(model, row))),
            }
        }
        if !outlooks.is_empty() {
            walk.courses.push(Course { model, outlooks });
        }
    }
    Ok(walk)
}

fn observation(row: &Sample) -> Option<Observation> {
    Some(Observation { hour: row.hour, realised_variance: row.realised?, threshold: row.threshold? })
}

/// The first moment of the walk.
fn start(samples: &Samples, from: Option<i64>) -> Result<i64> {
    let labelled = samples.rows.iter().filter(|row| row.spike().is_some());
    let too_short = || {
        let (first, last) = samples.span;
        let rule = format!(
            "a walk forward needs 181 days before the first threshold, a year of thresholds and a month after it; the history \
             has {} days",
            (last - first) / 24
        );
        Error::Refused(vec![Fault::of_table("history", rule, "supply a longer history")])
    };
    let (Some(first), Some(last)) = (labelled.clone().next(), labelled.clone().next_back()) else {
        return Err(too_short());
    };
    let earliest = first.hour + TRAINING_HOURS;
    // A month starts where the row before is of another one.
    let mut pairs = samples.rows.windows(2).filter(|pair| month(pair[0].hour) != month(pair[1].hour));
    let opening = pairs.find(|pair| pair[1].hour >= earliest).map(|pair| pair[1].hour);
    let opening = opening.filter(|opening| *opening <= last.hour).ok_or_else(too_short)?;
    match from {
        Some(from) if from < earliest => {
            let rule = format!("hour {from} is too early: the first with a year of thresholds before it is {earliest}");
            Err(Error::Usage(rule))
        }
        Some(from) if from > last.hour => {
            Err(Error::Usage(format!("hour {from} is too late: the last with a known outcome is {}", last.hour)))
        }
        from => Ok(from.unwrap_or(opening)),
    }
}

/// Outlooks at the midnights among the rows.
fn garch_outlooks(samples: &Samples, rows: &[&Sample], fits: &Fits) -> Vec<Outlook> {
    let Some(garch) = fits.garch else { return Vec::new() };
    let returns: Vec<f64> = samples.days.iter().map(|day| day.1).collect();
    let midnights: HashMap<i64, f64> = samples.days.iter().map(|day| day.0).zip(garch.variances(&returns)).collect();
    let outlook = |row: &&Sample| {
        let variance = *midnights.get(&row.hour)?;
        Some(Outlook { hour: row.hour, variance, long_run_variance: row.long_run, spike_probability: None })
    };
    rows.iter().filter_map(outlook).collect()
}

impl Fits {
    /// What a model that needs no more than one row says of it.
    fn outlook(&self, model: ModelKind, row: &Sample) -> Outlook {
        let by = |curve: &Logistic, variance: f64| {
            (variance, row.threshold.map(|threshold| curve.at(libm::log(variance / threshold))))
        };
        let (variance, spike_probability) = match model {
            ModelKind::LogHar => return self.log_har.outlook(row, &row.har, &Recalibration::None),
            ModelKind::Yesterday => by(&self.yesterday, row.yesterday),
            ModelKind::Ewma => by(&self.ewma, row.weighted),
            _ => (self.climatology.0, Some(self.climatology.1)),
        };
        Outlook { hour: row.hour, variance, long_run_variance: row.long_run, spike_probability }
    }
}
