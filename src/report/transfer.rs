//! The page of a transfer.

use super::format::{count, escaped, money, number, ratio, shortened};
use super::page::{Column, cards, facts, list, page, section, table};
use crate::transfer::{Outcome, SideOutcome, StepOutcome};

/// Characters of a name.
const NAME_WIDTH: usize = 40;
/// Most warnings listed.
const MOST_LISTED: usize = 100;

/// What a transfer's report is made of. The same input gives the same text.
#[derive(Debug, Clone, Copy)]
pub struct TransferInput<'a> {
    /// What was found.
    pub outcome: &'a Outcome,
    /// Account and pool of the source, then of the destination.
    pub pools: [(&'a str, &'a str); 2],
    /// What is to be kept, in a sentence.
    pub target: &'a str,
    /// What the plan rests on and cannot show: sentences.
    pub limits: &'a [String],
    /// Facts of the run to list (name, value).
    pub facts: &'a [(String, String)],
}

/// The report as one HTML file: no script, no network. Every name is escaped; wall-clock times are left out.
pub fn transfer_html(input: &TransferInput<'_>) -> String {
    let run = facts(input.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let body = [
        header(input),
        section("What moves", &items(input)),
        section("States", &states(input)),
        section("Steps", &steps(input)),
        section("What this rests on", &list(input.limits, MOST_LISTED)),
        section("Warnings", &list(&input.outcome.warnings, MOST_LISTED)),
        section("Run", &run),
    ];
    page("Plimsoll transfer report", &body.concat())
}

fn header(input: &TransferInput<'_>) -> String {
    let outcome = input.outcome;
    let name = |(account, pool): (&str, &str)| escaped(&shortened(&format!("{account} / {pool}"), NAME_WIDTH));
    let [source, destination] = input.pools.map(name);
    let verdict = match &outcome.breach {
        None => "<p>Every state keeps every target.</p>\n".to_string(),
        Some(breach) => format!("<p class=\"bad\">Not to be started: {}.</p>\n", escaped(&breach.to_string())),
    };
    let next = outcome.next_breach.as_ref().map_or_else(String::new, |breach| {
        format!("<p>One quantum more would miss a target: {}.</p>\n", escaped(&breach.to_string()))
    });
    let committed = |side: fn(&StepOutcome) -> &SideOutcome| {
        let of = |state| outcome.steps.iter().find(|step| step.state == state).map(side);
        let ratio = |state| ratio(of(state).and_then(SideOutcome::ratio));
        format!("{} → {}", ratio(crate::transfer::State::Idle), ratio(crate::transfer::State::Committed))
    };
    let cards = cards(&[
        (committed(|step| &step.source), "adjusted equity over requirement, source"),
        (committed(|step| &step.destination), "adjusted equity over requirement, destination"),
        (count(outcome.items.len() as u64), "holdings that move"),
        (outcome.conservation_error.to_string(), "units made or lost"),
    ]);
    format!("<h1>{source} → {destination}</h1>\n<p>{}</p>\n{verdict}{next}{cards}", escaped(input.target))
}

fn items(input: &TransferInput<'_>) -> String {
    let columns = [
        ("holding", Column::Name),
        ("source before", Column::Number),
        ("leaves", Column::Number),
        ("fee", Column::Number),
        ("realised", Column::Number),
        ("cost", Column::Number),
        ("arrives", Column::Number),
        ("destination after", Column::Number),
    ];
    let rows = input.outcome.items.iter().map(|item| {
        let amounts = [
            item.source_before,
            item.leaving,
            item.fee,
            item.realised,
            item.cost,
            item.arriving,
            item.destination_after(),
        ];
        let amounts = amounts.map(|amount| amount.to_string());
        std::iter::once(shortened(&item.name, NAME_WIDTH)).chain(amounts).collect()
    });
    table(&columns, &rows.collect::<Vec<Vec<String>>>(), "Nothing moves.")
}

fn states(input: &TransferInput<'_>) -> String {
    let columns = [
        ("state", Column::Name),
        ("side", Column::Name),
        ("equity", Column::Number),
        ("adjusted", Column::Number),
        ("initial", Column::Number),
        ("maintenance", Column::Number),
        ("health", Column::Number),
        ("ratio", Column::Number),
        ("target", Column::Name),
        ("markets missed", Column::Number),
        ("worst scenario", Column::Name),
        ("excess there", Column::Number),
    ];
    let rows = input.outcome.steps.iter().flat_map(|step| step.sides().map(|(name, side)| (step, name, side)));
    let rows = rows.map(|(step, name, side)| {
        let base = &side.pool.base;
        vec![
            step.state.name().into(),
            name.name().into(),
            money(base.equity),
            money(base.adjusted_equity),
            money(base.initial_margin),
            money(base.maintenance_margin),
            ratio(base.health_ratio()),
            ratio(side.ratio()),
            side.verdict().into(),
            count(side.check.breached),
            shortened(&side.check.scenario, NAME_WIDTH),
            money(side.check.excess),
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>(), "No state.")
}

fn steps(input: &TransferInput<'_>) -> String {
    let columns = [
        ("state", Column::Name),
        ("hours", Column::Number),
        ("source counts", Column::Text),
        ("destination counts", Column::Text),
        ("joint requirement", Column::Number),
        ("digests", Column::Text),
    ];
    let counted = |side: &SideOutcome| {
        let each = input.outcome.items.iter().zip(&side.counts);
        let each: Vec<String> = each.map(|(item, count)| format!("{} {count}", item.name)).collect();
        each.join("; ")
    };
    let rows = input.outcome.steps.iter().map(|step| {
        vec![
            step.state.name().into(),
            number(step.at_hours, 4),
            counted(&step.source),
            counted(&step.destination),
            money(step.joint_requirement),
            format!("{} {}", shortened(&step.source.digest, 13), shortened(&step.destination.digest, 13)),
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>(), "No step.")
}
