use std::path::Path;

use ndarray::Array2;

use super::super::scenarios::{CorrelationSource, USUAL_CORRELATION};
use super::Args;
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::io::{panel, scenario_file};
use crate::reverse::{Ellipsoid, Spread};
use crate::scenario::history::{keep_held, replay};
use crate::scenario::monte_carlo::price_volatilities;
use crate::scenario::{Factor, ScenarioSet};

/// Days of a year: crypto trades every day.
const YEAR_DAYS: f64 = 365.0;

/// How plausible moves are, and the history that says so, where one does.
pub struct Plausibility {
    pub ellipsoid: Ellipsoid,
    pub history: Option<ScenarioSet>,
    /// √ of the time asked for over the time a row of the history spans.
    pub scale: f64,
}

impl Plausibility {
    /// As the options ask.
    pub fn of(args: &Args, snapshot: &Snapshot) -> Result<Self> {
        if let Some(days) = args.horizon_days.filter(|days| !(days.is_finite() && *days > 0.0)) {
            return Err(Error::Usage(format!("a horizon of {days} days: give a finite number above 0")));
        }
        let Some(path) = &args.covariance else {
            let ellipsoid = Ellipsoid::new(of_volatilities(args, snapshot)?, args.moves(), &snapshot.underlyings)?;
            return Ok(Self { ellipsoid, history: None, scale: 1.0 });
        };
        let (history, step_days) = read_history(path, snapshot)?;
        let scale = match (args.horizon_days, step_days) {
            (None, _) => 1.0,
            (Some(days), Some(step)) => libm::sqrt(days / step),
            (Some(_), None) => {
                let rule = "--horizon-days stretches a panel: nothing says what time a scenario set spans";
                return Err(Error::Usage(rule.into()));
            }
        };
        let fallback = match &args.correlation {
            None => None,
            Some(CorrelationSource::Number(value)) if (-1.0..=1.0).contains(value) => Some(*value),
            Some(CorrelationSource::Number(value)) => {
                return Err(Error::Usage(format!("correlation {value}: a correlation lies between -1 and 1")));
            }
            Some(CorrelationSource::File(_)) => {
                return Err(Error::Usage(
                    "--covariance and --correlation FILE both give correlations: leave one out".into(),
                ));
            }
        };
        let spread = Spread::of_history(&history, args.moves(), scale, fallback)?;
        let ellipsoid = Ellipsoid::new(spread, args.moves(), &snapshot.underlyings)?;
        Ok(Self { ellipsoid, history: Some(history), scale })
    }
}

/// The joint moves of a panel, narrowed to what the snapshot holds, and the days of its step; or those of a scenario set.
fn read_history(path: &Path, snapshot: &Snapshot) -> Result<(ScenarioSet, Option<f64>)> {
    if !is_panel(path)? {
        return Ok((scenario_file::read(path)?, None));
    }
    let (set, report) = replay(&panel::read(path)?)?;
    let (held, _) = keep_held(&set, &snapshot.underlyings, &snapshot.assets)?;
    Ok((held, Some(report.step_hours as f64 / 24.0)))
}

/// A panel is CSV whose first column is `hour`.
fn is_panel(path: &Path) -> Result<bool> {
    use std::io::{BufRead, BufReader, Read};
    const LONGEST_NAME: u64 = 16;
    let file = std::fs::File::open(path).map_err(|source| Error::io(path, source))?;
    let mut start = Vec::new();
    let mut reader = BufReader::new(file.take(LONGEST_NAME));
    reader.read_until(b',', &mut start).map_err(|source| Error::io(path, source))?;
    let start = String::from_utf8_lossy(&start);
    Ok(start.trim_start_matches('\u{feff}').trim_end_matches(',').trim() == "hour")
}

/// The spread of drawn scenarios.
fn of_volatilities(args: &Args, snapshot: &Snapshot) -> Result<Spread> {
    let choice = args.volatility.clone().unwrap_or_default();
    let (names, volatilities) = price_volatilities(&snapshot.underlyings, &choice)?;
    let horizon = libm::sqrt(args.horizon_days.unwrap_or(1.0) / YEAR_DAYS);
    let common = |value: f64| {
        let count = names.len();
        Array2::from_shape_fn((count, count), |(row, column)| if row == column { 1.0 } else { value })
    };
    let correlation = match &args.correlation {
        Some(CorrelationSource::File(path)) => panel::read_correlation(path)?.select(&names, None)?,
        Some(CorrelationSource::Number(value)) if !(0.0..=1.0).contains(value) => {
            let rule = format!("correlation {value}: one number for all pairs lies between 0 and 1");
            return Err(Error::Usage(rule));
        }
        Some(CorrelationSource::Number(value)) => common(*value),
        None => common(USUAL_CORRELATION),
    };
    Ok(Spread {
        factors: names.iter().map(Factor::price).collect(),
        deviations: volatilities.iter().map(|volatility| volatility * horizon).collect(),
        correlation,
    })
}
