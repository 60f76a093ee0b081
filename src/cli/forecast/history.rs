use std::path::PathBuf;

use crate::error::Result;
use crate::forecast::{BarHistory, Evaluation, GateRule, Samples, WalkForward, walk_forward};
use crate::io::{bar_csv, moment};

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
    #[arg(long, value_name = "MOMENT", value_parser = moment::hour)]
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
        let evaluation = Evaluation::of(&walk, GateRule::default());
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
