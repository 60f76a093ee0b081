use rayon::prelude::*;

use super::ewma;
use super::features::{self, HasVolume, LOOK_BACK};
use super::history::{BarHistory, Bars};
use super::label::{self, spike_threshold};
use super::realised::{HORIZON, Moves, mean_square};
use crate::error::{Error, Result};

/// Hours between forecasts.
pub const STEP_HOURS: i64 = 4;
/// Hours of the trailing year.
const YEAR: usize = 8_760;

/// One moment: what was known by then, and what came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// The moment, hours since 1970-01-01 00:00 UTC.
    pub(super) hour: i64,
    /// Terms of log-HAR.
    pub(super) har: Vec<f64>,
    /// Every feature.
    pub(super) features: Vec<f64>,
    /// Realised variance above which a day is a spike; `None` until the history is long enough.
    pub(super) threshold: Option<f64>,
    /// Realised variance of the last 24 hours.
    pub(super) yesterday: f64,
    /// Exponentially weighted variance of 24 hours.
    pub(super) weighted: f64,
    /// Mean variance of 24 hours over the trailing year.
    pub(super) long_run: f64,
    /// Realised variance of the next 24 hours; `None` where the history ends before them.
    pub(super) realised: Option<f64>,
}

impl Sample {
    /// ½ ln of the mean squared hourly return to come: what log models forecast.
    pub(super) fn target(&self) -> Option<f64> {
        self.realised.map(|variance| 0.5 * libm::log(variance / HORIZON as f64))
    }

    /// Whether a spike came; `None` where the threshold or the outcome is not known.
    pub(super) fn spike(&self) -> Option<bool> {
        Some(self.realised? > self.threshold?)
    }
}

/// The moments of a history at which forecasts are made, every four hours, and what is known of each.
#[derive(Debug, Clone)]
pub struct Samples {
    pub(super) asset: String,
    pub(super) companions: Vec<String>,
    pub(super) har_names: Vec<String>,
    pub(super) feature_names: Vec<String>,
    pub(super) rows: Vec<Sample>,
    /// Midnights and the log return of the 24 hours before each.
    pub(super) days: Vec<(i64, f64)>,
    /// The moment at which the first bar opens, and the one at which the last closes.
    pub(super) span: (i64, i64),
}

impl Samples {
    /// Samples of `asset`, whose forecasts may also look at `companions`; names in any case.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that the history does not hold, or a companion that is the asset or stands twice.
    pub fn new(history: &BarHistory, asset: &str, companions: &[String]) -> Result<Self> {
        let source = Source::new(history, asset, companions)?;
        let first = history.moment(LOOK_BACK);
        let first = first + (-first).rem_euclid(STEP_HOURS);
        let last = history.moment(history.len());
        let hours: Vec<i64> = (first..=last).step_by(STEP_HOURS as usize).collect();
        let rows = hours.into_par_iter().filter_map(|hour| source.sample(hour)).collect();
        Ok(Self {
            asset: source.asset.name.clone(),
            companions: source.companions.iter().map(|bars| bars.name.clone()).collect(),
            har_names: features::har_names(),
            feature_names: source.feature_names(),
            rows,
            days: source.days(),
            span: (history.moment(0), last),
        })
    }

    /// Name of the asset.
    pub fn asset(&self) -> &str {
        &self.asset
    }

    /// Names of the assets whose bars help.
    pub fn companions(&self) -> &[String] {
        &self.companions
    }
}

/// A history prepared for features.
pub(super) struct Source<'h> {
    history: &'h BarHistory,
    asset: &'h Bars,
    companions: Vec<&'h Bars>,
    moves: Moves,
    companion_moves: Vec<Moves>,
    weighted: Vec<f64>,
}

impl<'h> Source<'h> {
    /// Errors as [`Samples::new`].
    pub(super) fn new(history: &'h BarHistory, asset: &str, companions: &[String]) -> Result<Self> {
        let asset = find(history, asset)?;
        let mut others: Vec<&Bars> = Vec::new();
        for name in companions {
            let other = find(history, name)?;
            if other.name == asset.name || others.iter().any(|bars| bars.name == other.name) {
                return Err(Error::Usage(format!("{name} stands twice among the assets of a forecast")));
            }
            others.push(other);
        }
        let moves = Moves::of(asset);
        let weighted = ewma::day_variances(&moves.returns);
        let companion_moves = others.iter().map(|bars| Moves::of(bars)).collect();
        Ok(Self { history, asset, companions: others, moves, companion_moves, weighted })
    }

    pub(super) fn feature_names(&self) -> Vec<String> {
        let companions: Vec<&str> = self.companions.iter().map(|bars| bars.name.as_str()).collect();
        let has_volume = if self.asset.volume.is_some() { HasVolume::Yes } else { HasVolume::No };
        features::names(&self.asset.name, &companions, has_volume)
    }

    /// The sample of a moment, of any hour; `None` where the history does not reach it or is too short before it.
    pub(super) fn sample(&self, hour: i64) -> Option<Sample> {
        let known = self.history.known_at(hour).filter(|&known| known >= LOOK_BACK)?;
        let year = known.saturating_sub(YEAR).max(1)..known;
        Some(Sample {
            hour,
            har: features::har_terms(&self.moves, known),
            features: features::features(&self.moves, &self.companion_moves, known, hour),
            threshold: spike_threshold(&self.moves.day_variances, known),
            yesterday: self.moves.day_variances[known - 1],
            weighted: self.weighted[known - 1],
            long_run: HORIZON as f64 * mean_square(&self.moves.returns[year]),
            realised: label::realised_next(&self.moves.day_variances, known),
        })
    }

    fn days(&self) -> Vec<(i64, f64)> {
        let log_close = &self.moves.log_close;
        let ends = (HORIZON + 1..=log_close.len()).map(|known| (self.history.moment(known), known));
        let midnights = ends.filter(|(hour, _)| hour.rem_euclid(24) == 0);
        midnights.map(|(hour, known)| (hour, log_close[known - 1] - log_close[known - 1 - HORIZON])).collect()
    }
}

fn find<'h>(history: &'h BarHistory, name: &str) -> Result<&'h Bars> {
    history.asset(name).ok_or_else(|| {
        let names: Vec<&str> = history.assets().iter().map(|bars| bars.name.as_str()).collect();
        Error::Usage(format!("the history holds no {name}; it holds {}", names.join(" ")))
    })
}
