use crate::margin::MarginSide;

/// Why a multiplier is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The target, moved more by the forecast than by the long run since the step before.
    Forecast,
    /// The target, moved more by the long-run variance.
    LongRun,
    /// The largest multiplier allowed.
    Cap,
    /// The smallest multiplier allowed.
    Floor,
    /// The largest rise within 24 hours.
    RateLimit,
    /// A rise of the initial multiplier whose notice has run out.
    Notice,
    /// A fall on its way to the target.
    Decay,
}

impl Reason {
    /// The word used in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forecast => "forecast",
            Self::LongRun => "long_run",
            Self::Cap => "cap",
            Self::Floor => "floor",
            Self::RateLimit => "rate_limit",
            Self::Notice => "notice",
            Self::Decay => "decay",
        }
    }
}

/// One change of a multiplier in force: a line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When: hours since 1970-01-01 00:00 UTC.
    pub hour: i64,
    /// The underlying whose requirements are multiplied.
    pub underlying: String,
    /// Which requirement.
    pub side: MarginSide,
    /// The multiplier before.
    pub from: f64,
    /// The multiplier from then on.
    pub to: f64,
    /// Why.
    pub reason: Reason,
    /// Hash of the model whose forecast it follows; `None` = a forecast without a saved model.
    pub model: Option<String>,
}
