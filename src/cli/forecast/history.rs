use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::error::Result;
use crate::forecast::{BarHistory, Evaluation, Samples, WalkForward, walk_forward};
use crate::io::bar_csv;

/// What is forecast, from what.
#[derive(Debug, clap::Args)]
pub(super) struct HistoryArgs {
    /// Hourly bars: CSV with a column hour (Unix time / 3600 at which the bar opens) and columns X_open, X_high, X_low, X_close and,
    /// where known, X_vol of each asset X.
    pub(super) history: PathBuf,
    /// The asset whose volatility is forecast [default: the first].
    #[arg(long, value_name = "X")]
    asset: Option<String>,
    /// Assets whose bars may help [default: all others].
    #[arg(long, value_name = "X,…", value_delimiter = ',')]
    with: Option<Vec<String>>,
    /// Look at no other asset.
    #[arg(long, conflicts_with = "with")]
    alone: bool,
    /// First moment that is forecast: a date, an RFC 3339 time or Unix time / 3600 [default: the first month with a year of
    /// thresholds before it].
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    from: Option<i64>,
}

/// A history that was walked through.
pub(super) struct Walked {
    pub(super) history: BarHistory,
    pub(super) samples: Samples,
    pub(super) walk: WalkForward,
    pub(super) evaluation: Evaluation,
}

impl HistoryArgs {
    /// Reads the history and walks through it.
    pub(super) fn walked(&self) -> Result<Walked> {
        let history = bar_csv::read(&self.history)?;
        let (asset, companions) = self.assets(&history);
        let samples = Samples::new(&history, &asset, &companions)?;
        let walk = walk_forward(&samples, self.from)?;
        let evaluation = Evaluation::of(&walk);
        Ok(Walked { history, samples, walk, evaluation })
    }

    fn assets(&self, history: &BarHistory) -> (String, Vec<String>) {
        let names: Vec<String> = history.assets().iter().map(|bars| bars.name.clone()).collect();
        let asset = self.asset.clone().or_else(|| names.first().cloned()).unwrap_or_default();
        let companions = match &self.with {
            _ if self.alone => Vec::new(),
            Some(companions) => companions.clone(),
            None => names.into_iter().filter(|name| !name.eq_ignore_ascii_case(&asset)).collect(),
        };
        (asset, companions)
    }
}

/// Hours since 1970-01-01 00:00 UTC from a number of them, a date (midnight UTC) or an RFC 3339 time on the hour.
pub(super) fn moment(text: &str) -> Result<i64, String> {
    if let Ok(hour) = text.parse::<i64>() {
        return Ok(hour);
    }
    let midnight = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let second = text.parse::<Timestamp>().ok().or_else(midnight).map(Timestamp::as_second);
    match second {
        Some(second) if second.rem_euclid(3_600) == 0 => Ok(second.div_euclid(3_600)),
        Some(_) => Err("a moment is on the hour".into()),
        None => Err("a moment is a date, an RFC 3339 time or Unix time / 3600".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn moments_are_hours_dates_and_times() {
        for text in ["451416", "2021-07-01", "2021-07-01T00:00:00Z", "2021-07-01T02:00:00+02:00"] {
            assert_eq!(moment(text), Ok(451_416), "{text}");
        }
        assert!(moment("2021-07-01T00:30:00Z").is_err() && moment("July").is_err());
    }
}
