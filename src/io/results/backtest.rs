//! The table of a back-test.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, StringArray, UInt64Array};

use super::{BATCH_POOLS, ResultsWriter, counts, numbers};
use crate::backtest::{LikelihoodRatio, Statistics, Tested, TrafficLight};
use crate::error::Result;
use crate::io::table_write::TableWriter;

/// One row of the table: what one requirement covered of one portfolio's losses.
#[derive(Debug, Clone)]
pub struct BacktestRow<'a> {
    /// `pool` of the book, `book` for all of them pooled, else the shape of a synthetic portfolio.
    pub kind: &'static str,
    /// Account, or underlying of a synthetic portfolio; empty for the book.
    pub portfolio: &'a str,
    /// Pool of the account; `None` where there is none.
    pub pool: Option<&'a str>,
    /// Requirement and coverage.
    pub tested: &'a Tested,
    /// The tests of the coverage.
    pub statistics: Statistics,
    /// Observations overlap or share their market: the tests reject too easily.
    pub dependent: bool,
}

impl BacktestRow<'_> {
    /// Names of the columns of [`BacktestRow::figures`].
    pub const FIGURES: [&'static str; 17] = [
        "requirement",
        "coverage",
        "mean_shortfall",
        "max_shortfall",
        "kupiec",
        "kupiec_p",
        "christoffersen",
        "christoffersen_p",
        "conditional",
        "conditional_p",
        "probability",
        "type_one_error",
        "peak_to_trough",
        "rise_1_day",
        "rise_5_days",
        "rise_30_days",
        "change_deviation",
    ];

    /// Every figure, in the order of [`BacktestRow::FIGURES`]; `None` where there is none.
    pub fn figures(&self) -> [Option<f64>; 17] {
        let Self { tested, statistics, .. } = self;
        let Tested { coverage, procyclicality: moved, .. } = tested;
        let statistic = |test: Option<LikelihoodRatio>| test.map(|test| test.statistic);
        let p_value = |test: Option<LikelihoodRatio>| test.map(|test| test.p_value);
        let rise = |at: usize| moved.and_then(|moved| moved.largest_rise[at]);
        [
            Some(tested.requirement),
            coverage.share(),
            coverage.mean_shortfall(),
            coverage.max_shortfall(),
            statistic(statistics.proportion),
            p_value(statistics.proportion),
            statistic(statistics.independence),
            p_value(statistics.independence),
            statistic(statistics.conditional),
            p_value(statistics.conditional),
            statistics.light.map(|light| light.probability),
            statistics.light.map(|light| light.type_one_error),
            moved.and_then(|moved| moved.peak_to_trough),
            rise(0),
            rise(1),
            rise(2),
            moved.and_then(|moved| moved.change_deviation),
        ]
    }

    /// Name of the zone; `None` without observations.
    pub fn zone(&self) -> Option<&'static str> {
        self.statistics.light.map(|light| light.zone.name())
    }
}

impl ResultsWriter {
    /// Writes `backtest`: one row per portfolio and requirement, in this order.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_backtest(&self, rows: &[BacktestRow<'_>]) -> Result<()> {
        let mut writer = None;
        for start in (0..rows.len().max(1)).step_by(BATCH_POOLS) {
            let end = rows.len().min(start + BATCH_POOLS);
            self.append(&mut writer, "backtest", columns(&rows[start..end]))?;
        }
        writer.map_or(Ok(()), TableWriter::finish)
    }
}

fn columns(rows: &[BacktestRow<'_>]) -> Vec<(&'static str, ArrayRef)> {
    let text = |of: fn(&BacktestRow<'_>) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let limit = |of: fn(&TrafficLight) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter(rows.iter().map(|row| row.statistics.light.as_ref().map(of))))
    };
    let figures: Vec<_> = rows.iter().map(BacktestRow::figures).collect();
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("kind", text(|row| row.kind)),
        ("portfolio", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.portfolio)))),
        ("pool", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.pool)))),
        ("model", text(|row| row.tested.model.name())),
        ("observations", counts(rows.iter().map(|row| row.tested.coverage.observations))),
        ("exceedances", counts(rows.iter().map(|row| row.tested.coverage.exceedances))),
        ("first_yellow", limit(|light| light.first_yellow)),
        ("first_red", limit(|light| light.first_red)),
        ("zone", Arc::new(StringArray::from_iter(rows.iter().map(BacktestRow::zone)))),
        ("dependent", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.dependent))))),
    ];
    let figure = |at: usize| numbers(figures.iter().map(|figures| figures[at]));
    columns.extend(BacktestRow::FIGURES.into_iter().zip((0..).map(figure)));
    columns
}
