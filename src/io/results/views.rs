//! The table of an oracle stress.

use std::sync::Arc;

use arrow_array::{Float64Array, StringArray};

use super::{ResultsWriter, counts, numbers};
use crate::engine::{Outcome, ViewOutcome};
use crate::error::Result;
use crate::scenario::ScenarioSet;

impl ResultsWriter {
    /// Writes `views`: one row per scenario, in input order. `paired` holds each scenario as seen, then as it is.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_views(&self, set: &ScenarioSet, paired: &Outcome, views: &[ViewOutcome]) -> Result<()> {
        let seen = || paired.scenarios.iter().step_by(2);
        let real = || paired.scenarios.iter().skip(1).step_by(2);
        let pools = |figure: fn(&ViewOutcome) -> u64| counts(views.iter().map(figure));
        let amounts = |figure: fn(&ViewOutcome) -> f64| numbers(views.iter().map(|view| Some(figure(view))));
        self.write_table(
            "views",
            vec![
                ("scenario", Arc::new(StringArray::from_iter_values(&set.ids))),
                ("weight", Arc::new(Float64Array::from(set.weights.clone()))),
                ("label", Arc::new(StringArray::from_iter_values(&set.labels))),
                ("seen_liquidatable_pools", counts(seen().map(|row| row.liquidatable_pools))),
                ("true_liquidatable_pools", counts(real().map(|row| row.liquidatable_pools))),
                ("true_bankrupt_pools", counts(real().map(|row| row.bankrupt_pools))),
                ("wrongful_pools", pools(|view| view.wrongful_pools)),
                ("missed_pools", pools(|view| view.missed_pools)),
                ("late_pools", pools(|view| view.late_pools)),
                ("wrongful_notional", amounts(|view| view.wrongful_notional)),
                ("missed_notional", amounts(|view| view.missed_notional)),
                ("late_shortfall", amounts(|view| view.late_shortfall)),
                ("extractable", amounts(|view| view.extractable)),
            ],
        )
    }
}
