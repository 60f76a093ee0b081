//! The tables of a transfer: what moves, its states, each side in each of them.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};

use super::{ResultsWriter, counts, numbers};
use crate::error::Result;
use crate::liquidation::Quanta;
use crate::transfer::{Item, Outcome, SideName, SideOutcome, StepOutcome};

impl ResultsWriter {
    /// Writes `items`, one row per holding that moves, `steps`, one row per state, and `states`, one row per state and side.
    /// Amounts that move are exact decimals, hence text.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_transfer(&self, outcome: &Outcome) -> Result<()> {
        self.write_table("items", item_columns(&outcome.items))?;
        self.write_table("steps", step_columns(outcome))?;
        self.write_table("states", state_columns(outcome))
    }
}

fn text<S: AsRef<str>>(values: impl Iterator<Item = S>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn item_columns(items: &[Item]) -> Vec<(&'static str, ArrayRef)> {
    let amounts = |amount: fn(&Item) -> Quanta| text(items.iter().map(move |item| amount(item).to_string()));
    vec![
        ("kind", text(items.iter().map(|item| item.kind.name()))),
        ("name", text(items.iter().map(|item| item.name.as_str()))),
        ("source_before", amounts(|item| item.source_before)),
        ("destination_before", amounts(|item| item.destination_before)),
        ("leaving", amounts(|item| item.leaving)),
        ("fee", amounts(|item| item.fee)),
        ("realised", amounts(|item| item.realised)),
        ("cost", amounts(|item| item.cost)),
        ("arriving", amounts(|item| item.arriving)),
        ("source_after", amounts(Item::source_after)),
        ("destination_after", amounts(Item::destination_after)),
    ]
}

fn step_columns(outcome: &Outcome) -> Vec<(&'static str, ArrayRef)> {
    let steps = || outcome.steps.iter();
    let figures = |figure: fn(&StepOutcome) -> f64| numbers(steps().map(move |step| Some(figure(step))));
    let counted = |side: fn(&StepOutcome) -> &SideOutcome| {
        text(steps().map(move |step| counted_text(&outcome.items, &side(step).counts)))
    };
    vec![
        ("state", text(steps().map(|step| step.state.name()))),
        ("at_hours", figures(|step| step.at_hours)),
        ("source_counts", counted(|step| &step.source)),
        ("destination_counts", counted(|step| &step.destination)),
        ("source_requirement", figures(|step| step.source.requirement)),
        ("destination_requirement", figures(|step| step.destination.requirement)),
        ("joint_requirement", figures(|step| step.joint_requirement)),
        ("source_digest", text(steps().map(|step| step.source.digest.as_str()))),
        ("destination_digest", text(steps().map(|step| step.destination.digest.as_str()))),
    ]
}

/// What a side counts of each item: `USDT 1500.00000000; BTC 0.25000000`.
fn counted_text(items: &[Item], counts: &[Quanta]) -> String {
    let each: Vec<String> = items.iter().zip(counts).map(|(item, count)| format!("{} {count}", item.name)).collect();
    each.join("; ")
}

fn state_columns(outcome: &Outcome) -> Vec<(&'static str, ArrayRef)> {
    let rows: Vec<(&StepOutcome, SideName, &SideOutcome)> =
        outcome.steps.iter().flat_map(|step| step.sides().map(|(name, side)| (step, name, side))).collect();
    let figures = |figure: fn(&SideOutcome) -> Option<f64>| numbers(rows.iter().map(move |(.., side)| figure(side)));
    let scenarios = |count: fn(&SideOutcome) -> u64| counts(rows.iter().map(move |(.., side)| count(side)));
    vec![
        ("state", text(rows.iter().map(|(step, ..)| step.state.name()))),
        ("side", text(rows.iter().map(|(_, name, _)| name.name()))),
        ("equity", figures(|side| Some(side.pool.base.equity))),
        ("adjusted_equity", figures(|side| Some(side.pool.base.adjusted_equity))),
        ("initial_margin", figures(|side| Some(side.pool.base.initial_margin))),
        ("maintenance_margin", figures(|side| Some(side.pool.base.maintenance_margin))),
        ("health_ratio", figures(|side| side.pool.base.health_ratio())),
        ("ratio", figures(SideOutcome::ratio)),
        ("status", text(rows.iter().map(|(.., side)| side.pool.state.name()))),
        ("verdict", text(rows.iter().map(|(.., side)| side.verdict()))),
        ("breached_markets", scenarios(|side| side.check.breached)),
        ("worst_scenario", text(rows.iter().map(|(.., side)| side.check.scenario.as_str()))),
        ("worst_excess", figures(|side| Some(side.check.excess))),
        ("restricted_scenarios", scenarios(|side| side.pool.restricted_scenarios.into())),
        ("liquidatable_scenarios", scenarios(|side| side.pool.liquidatable_scenarios.into())),
        ("bankrupt_scenarios", scenarios(|side| side.pool.bankrupt_scenarios.into())),
        ("digest", text(rows.iter().map(|(.., side)| side.digest.as_str()))),
    ]
}
