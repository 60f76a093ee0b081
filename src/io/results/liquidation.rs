//! The tables of a liquidation: scenarios, rounds, what forced trades did to prices, and policies side by side.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray, UInt32Array, UInt64Array};

use super::{ResultsWriter, counts, numbers};
use crate::domain::Snapshot;
use crate::error::Result;
use crate::liquidation::{BookFigures, Figure, Ladder, Outcome, RoundFigures, Summary};

/// Columns of a table.
type Columns = Vec<(&'static str, ArrayRef)>;

/// Names of a ladder's columns before and after.
const BEFORE: [&str; 7] = [
    "before_healthy",
    "before_restricted",
    "before_liquidatable",
    "before_partially_liquidated",
    "before_bankrupt",
    "before_closed",
    "before_unknown",
];
const AFTER: [&str; 7] = [
    "after_healthy",
    "after_restricted",
    "after_liquidatable",
    "after_partially_liquidated",
    "after_bankrupt",
    "after_closed",
    "after_unknown",
];

impl ResultsWriter {
    /// Writes `liquidations`: one row per scenario, in the order in which they were sequenced.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_liquidations(&self, outcome: &Outcome) -> Result<()> {
        let rows = &outcome.scenarios;
        let mut columns = scenario_columns(rows.iter());
        columns.push(("ending", text(rows.iter().map(|row| row.ending.name()))));
        columns.extend(figure_columns(rows));
        columns.extend(ladder_columns(BEFORE, rows.iter().map(|row| &row.before)));
        columns.extend(ladder_columns(AFTER, rows.iter().map(|row| &row.after)));
        columns.push(("digest", text(rows.iter().map(|row| row.digest.as_str()))));
        self.write_table("liquidations", columns)
    }

    /// Writes `rounds`: one row per scenario, step and round.
    ///
    /// # Errors
    /// As [`ResultsWriter::write_liquidations`].
    pub fn write_rounds(&self, outcome: &Outcome) -> Result<()> {
        let rows: Vec<(&Summary, &RoundFigures)> =
            outcome.scenarios.iter().flat_map(|of| of.rounds.iter().map(move |round| (of, round))).collect();
        let rounds = || rows.iter().map(|(_, round)| *round);
        let amounts = |value: fn(&RoundFigures) -> f64| numbers(rounds().map(move |round| Some(value(round))));
        let mut columns = scenario_columns(rows.iter().map(|(of, _)| *of));
        columns.extend([
            ("step", Arc::new(UInt32Array::from_iter_values(rounds().map(|round| round.step))) as ArrayRef),
            ("round", Arc::new(UInt32Array::from_iter_values(rounds().map(|round| round.round)))),
            ("events", counts(rounds().map(|round| round.events))),
            ("pools", counts(rounds().map(|round| round.pools))),
            ("liquidated_notional", amounts(|round| round.liquidated_notional)),
            ("cost", amounts(|round| round.cost)),
            ("fund_draw", amounts(|round| round.fund_draw)),
            ("adl_notional", amounts(|round| round.deleveraged_notional)),
            ("impact", amounts(|round| round.impact)),
        ]);
        self.write_table("rounds", columns)
    }

    /// Writes `impacts`: one row per scenario and underlying of which a contract is held.
    ///
    /// # Errors
    /// As [`ResultsWriter::write_liquidations`].
    pub fn write_impacts(&self, outcome: &Outcome, snapshot: &Snapshot) -> Result<()> {
        let rows: Vec<(&Summary, &BookFigures)> =
            outcome.scenarios.iter().flat_map(|of| of.books.iter().map(move |book| (of, book))).collect();
        let books = || rows.iter().map(|(_, book)| *book);
        let amounts = |value: fn(&BookFigures) -> f64| numbers(books().map(move |book| Some(value(book))));
        let mut columns = scenario_columns(rows.iter().map(|(of, _)| *of));
        let name = |book: &BookFigures| snapshot.underlyings[book.underlying as usize].name.as_str();
        columns.extend([
            ("underlying", text(books().map(name))),
            ("shock", amounts(|book| book.shock)),
            ("impact", amounts(|book| book.impact)),
            ("flow", amounts(|book| book.flow_quote)),
        ]);
        self.write_table("impacts", columns)
    }

    /// Writes `traded`: one row per scenario and instrument that was cut in the market.
    ///
    /// # Errors
    /// As [`ResultsWriter::write_liquidations`].
    pub fn write_traded(&self, outcome: &Outcome, snapshot: &Snapshot) -> Result<()> {
        let of_scenario =
            |of| -> Vec<(&Summary, u32, (f64, f64))> { traded(of).map(|(index, sides)| (of, index, sides)).collect() };
        let rows: Vec<_> = outcome.scenarios.iter().flat_map(of_scenario).collect();
        let mut columns = scenario_columns(rows.iter().map(|(of, ..)| *of));
        columns.extend([
            ("instrument", text(rows.iter().map(|(_, index, _)| snapshot.instruments[*index as usize].name.as_str()))),
            ("bought_notional", numbers(rows.iter().map(|(.., (bought, _))| Some(*bought)))),
            ("sold_notional", numbers(rows.iter().map(|(.., (_, sold))| Some(*sold)))),
        ]);
        self.write_table("traded", columns)
    }

    /// Writes `policies`: one row per policy, its sums over the same scenarios. `policies` are names and outcomes.
    ///
    /// # Errors
    /// As [`ResultsWriter::write_liquidations`].
    pub fn write_policies(&self, policies: &[(String, &Outcome)]) -> Result<()> {
        let totals: Vec<_> = policies.iter().map(|(_, outcome)| outcome.totals()).collect();
        let mut columns: Columns = vec![("policy", text(policies.iter().map(|(name, _)| name.as_str())))];
        columns.extend(columns_of(&totals.iter().map(|totals| totals.figures()).collect::<Vec<_>>()));
        columns.push(("digest", text(policies.iter().map(|(_, outcome)| outcome.digest.as_str()))));
        self.write_table("policies", columns)
    }
}

fn traded(of: &Summary) -> impl Iterator<Item = (u32, (f64, f64))> + '_ {
    of.tally.traded.iter().map(|(instrument, sides)| (*instrument, *sides))
}

fn text<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn scenario_columns<'a>(rows: impl Iterator<Item = &'a Summary>) -> Columns {
    vec![("scenario", text(rows.map(|row| row.scenario.as_str())))]
}

/// One column for each published figure.
fn figure_columns(rows: &[Summary]) -> Columns {
    columns_of(&rows.iter().map(Summary::figures).collect::<Vec<_>>())
}

fn columns_of(rows: &[Vec<(&'static str, Figure)>]) -> Columns {
    let Some(first) = rows.first() else { return Vec::new() };
    let column = |at: usize| -> ArrayRef {
        let cells = rows.iter().map(|row| row[at].1);
        match first[at].1 {
            Figure::Count(_) => Arc::new(UInt64Array::from_iter(cells.map(|cell| match cell {
                Figure::Count(count) => Some(count),
                _ => None,
            }))),
            Figure::Difference(_) => Arc::new(Int64Array::from_iter(cells.map(|cell| match cell {
                Figure::Difference(difference) => Some(difference),
                _ => None,
            }))),
            Figure::Number(_) => numbers(cells.map(|cell| match cell {
                Figure::Number(number) => number,
                _ => None,
            })),
        }
    };
    first.iter().enumerate().map(|(at, (name, _))| (*name, column(at))).collect()
}

fn ladder_columns<'a>(names: [&'static str; 7], ladders: impl Iterator<Item = &'a Ladder>) -> Columns {
    let ladders: Vec<[u64; 7]> = ladders.map(Ladder::counts).collect();
    let column = |(at, name)| (name, counts(ladders.iter().map(|counts| counts[at])));
    names.into_iter().enumerate().map(column).collect()
}
