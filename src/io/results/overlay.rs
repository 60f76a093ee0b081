//! The tables of a replay of thresholds.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, StringArray};

use super::{ResultsWriter, counts, numbers};
use crate::backtest::LikelihoodRatio;
use crate::error::Result;
use crate::forecast::overlay::{AccountFigures, Against, Change, Measured, Replay};

impl ResultsWriter {
    /// Writes `rules`, one row per way of scaling, direction and rule; `accounts`, one per rule and rule that it is set against;
    /// and `changes`, the log of the overlay.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_replay(&self, replay: &Replay) -> Result<()> {
        let in_sample = replay.in_sample.iter().map(|measured| (true, measured));
        let walk_forward = replay.walk_forward.iter().map(|measured| (false, measured));
        self.write_table("rules", rule_columns(&in_sample.chain(walk_forward).collect::<Vec<_>>()))?;
        let pairs = replay.accounts.iter().flat_map(|own| own.against.iter().map(move |against| (own, against)));
        self.write_table("accounts", account_columns(&pairs.collect::<Vec<_>>()))?;
        self.write_table("changes", change_columns(&replay.changes))
    }
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

fn rule_columns(rows: &[(bool, &Measured)]) -> Vec<(&'static str, ArrayRef)> {
    let number = |of: &dyn Fn(&Measured) -> Option<f64>| numbers(rows.iter().map(|(_, measured)| of(measured)));
    let count = |of: &dyn Fn(&Measured) -> u64| counts(rows.iter().map(|(_, measured)| of(measured)));
    let p_value = |test: Option<LikelihoodRatio>| test.map(|test| test.p_value);
    vec![
        ("in_sample", Arc::new(BooleanArray::from_iter(rows.iter().map(|(in_sample, _)| Some(*in_sample))))),
        ("direction", texts(rows.iter().map(|(_, measured)| measured.direction.name()))),
        ("rule", texts(rows.iter().map(|(_, measured)| measured.rule.as_str()))),
        ("mean_margin", number(&|measured| Some(measured.mean_margin))),
        ("observations", count(&|measured| measured.overlapping.observations)),
        ("exceedances", count(&|measured| measured.overlapping.exceedances)),
        ("coverage", number(&|measured| measured.overlapping.share())),
        ("shortfall_sum", number(&|measured| Some(measured.overlapping.shortfall_sum))),
        ("shortfall_max", number(&|measured| measured.overlapping.max_shortfall())),
        ("days", count(&|measured| measured.days.coverage.observations)),
        ("day_exceedances", count(&|measured| measured.days.coverage.exceedances)),
        ("kupiec_p", number(&|measured| p_value(measured.days.proportion))),
        ("christoffersen_p", number(&|measured| p_value(measured.days.independence))),
        ("conditional_p", number(&|measured| p_value(measured.days.conditional))),
        ("peak_to_trough", number(&|measured| measured.procyclicality.peak_to_trough)),
        ("rise_1_day", number(&|measured| measured.procyclicality.largest_rise[0])),
        ("rise_5_days", number(&|measured| measured.procyclicality.largest_rise[1])),
        ("rise_30_days", number(&|measured| measured.procyclicality.largest_rise[2])),
    ]
}

fn account_columns(rows: &[(&AccountFigures, &Against)]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("rule", texts(rows.iter().map(|(own, _)| own.rule.as_str()))),
        ("liquidations", counts(rows.iter().map(|(own, _)| own.liquidations))),
        ("bankruptcies", counts(rows.iter().map(|(own, _)| own.bankruptcies))),
        ("shortfall", numbers(rows.iter().map(|(own, _)| Some(own.shortfall)))),
        ("mean_posted", numbers(rows.iter().map(|(own, _)| Some(own.mean_posted)))),
        ("against", texts(rows.iter().map(|(_, against)| against.rule.as_str()))),
        ("avoided", counts(rows.iter().map(|(_, against)| against.avoided))),
        ("caused", counts(rows.iter().map(|(_, against)| against.caused))),
    ]
}

fn change_columns(changes: &[Change]) -> Vec<(&'static str, ArrayRef)> {
    let model = StringArray::from_iter(changes.iter().map(|change| change.model.as_deref()));
    vec![
        ("hour", Arc::new(Int64Array::from_iter_values(changes.iter().map(|change| change.hour)))),
        ("underlying", texts(changes.iter().map(|change| change.underlying.as_str()))),
        ("requirement", texts(changes.iter().map(|change| change.side.name()))),
        ("from", numbers(changes.iter().map(|change| Some(change.from)))),
        ("to", numbers(changes.iter().map(|change| Some(change.to)))),
        ("reason", texts(changes.iter().map(|change| change.reason.name()))),
        ("model", Arc::new(model)),
    ]
}
