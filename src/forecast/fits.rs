use super::garch::Garch;
use super::log_model::{LogModel, Tail};
use super::logistic::Logistic;
use super::realised::mean;
use super::sample::{Sample, Samples};
use crate::error::{Error, Fault, Result};

/// Hours before a moment at which no training row may lie: the 24 that its outcome takes, and one.
const EMBARGO_HOURS: i64 = 25;
/// Ridge penalty per training row, in units of a standardised feature's variance.
const PENALTY: f64 = 0.01;

/// Every model, fitted to what was known at one moment.
#[derive(Debug, Clone)]
pub(super) struct Fits {
    /// Mean variance of a day, and share of spikes.
    pub(super) climatology: (f64, f64),
    /// Spike probability from ln(yesterday's variance / threshold).
    pub(super) yesterday: Logistic,
    /// The same of the exponentially weighted variance.
    pub(super) ewma: Logistic,
    /// `None` where it cannot be fitted.
    pub(super) garch: Option<Garch>,
    pub(super) log_har: LogModel,
    pub(super) har_x: LogModel,
}

/// The rows whose outcome was known at `now`, an hour before at the latest.
pub(super) fn training(samples: &Samples, now: i64) -> Vec<&Sample> {
    samples.rows.iter().filter(|row| row.hour <= now - EMBARGO_HOURS && row.realised.is_some()).collect()
}

impl Fits {
    /// Fits every model to what was known at `now`.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is too little to fit to: no rows with a threshold, or terms that depend on each other.
    pub(super) fn at(samples: &Samples, now: i64) -> Result<Self> {
        let rows = training(samples, now);
        let targets: Vec<f64> = rows.iter().filter_map(|row| row.target()).collect();
        let labelled: Vec<(&Sample, f64, bool)> =
            rows.iter().filter_map(|row| Some((*row, row.threshold?, row.spike()?))).collect();
        let har: Vec<&[f64]> = rows.iter().map(|row| row.har.as_slice()).collect();
        let all: Vec<&[f64]> = rows.iter().map(|row| row.features.as_slice()).collect();
        let days: Vec<f64> = samples.days.iter().filter(|day| day.0 <= now - EMBARGO_HOURS).map(|day| day.1).collect();
        let log_har = LogModel::fit(&har, &targets, 0.0, Tail::Normal);
        let har_x = LogModel::fit(&all, &targets, PENALTY, Tail::Empirical);
        let (Some(log_har), Some(har_x), false) = (log_har, har_x, labelled.is_empty()) else {
            let rule = format!(
                "the {} moments before hour {now} are enough to fit log-HAR to: volatilities of a day, a week and a month differ",
                rows.len()
            );
            return Err(Error::Refused(vec![Fault::of_table("history", rule, "supply a longer history that moves")]));
        };
        let spikes = labelled.iter().filter(|(_, _, came)| *came).count() as f64;
        Ok(Self {
            climatology: (
                mean(rows.iter().filter_map(|row| row.realised), rows.len()),
                (spikes + 0.5) / (labelled.len() as f64 + 1.0),
            ),
            yesterday: curve(&labelled, |row| row.yesterday),
            ewma: curve(&labelled, |row| row.weighted),
            garch: Garch::fit(&days),
            log_har,
            har_x,
        })
    }
}

/// The logistic curve over ln(variance / threshold).
fn curve(labelled: &[(&Sample, f64, bool)], variance: fn(&Sample) -> f64) -> Logistic {
    let score = |(row, threshold, came): &(&Sample, f64, bool)| (libm::log(variance(row) / threshold), *came);
    let start = Logistic { intercept: -2.0, slope: 1.0 };
    Logistic::fit(start, &labelled.iter().map(score).collect::<Vec<_>>())
}
