use super::recalibrate::Curve;

/// A way to forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// The mean variance and the share of spikes so far.
    Climatology,
    /// The last day's variance again.
    Yesterday,
    /// Exponentially weighted squares, 0.94 a day.
    Ewma,
    /// GARCH(1,1) with Student's t of daily returns, at midnight (UTC) only; gives no probability.
    GarchT,
    /// Linear in the log volatilities of a day, a week and a month; normal residuals. What others must beat.
    LogHar,
    /// Ridge regression on every feature; residuals as they were.
    HarX,
    /// The same, its probabilities recalibrated by a logistic curve.
    HarXLogistic,
    /// The same, its probabilities recalibrated by steps.
    HarXIsotonic,
}

impl ModelKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Climatology,
        Self::Yesterday,
        Self::Ewma,
        Self::GarchT,
        Self::LogHar,
        Self::HarX,
        Self::HarXLogistic,
        Self::HarXIsotonic,
    ];

    /// Its name in reports and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Climatology => "climatology",
            Self::Yesterday => "yesterday",
            Self::Ewma => "ewma",
            Self::GarchT => "garch_t",
            Self::LogHar => "log_har",
            Self::HarX => "har_x",
            Self::HarXLogistic => "har_x_logistic",
            Self::HarXIsotonic => "har_x_isotonic",
        }
    }

    /// How probabilities of the ridge model are recalibrated; `None` of every other kind.
    pub(super) fn curve(self) -> Option<Curve> {
        match self {
            Self::HarX => Some(Curve::None),
            Self::HarXLogistic => Some(Curve::Logistic),
            Self::HarXIsotonic => Some(Curve::Isotonic),
            _ => None,
        }
    }
}
