use std::fmt::Write;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};

use super::ReportInput;
use super::figures::{STATES, audit_sentence, ran_on, scenario_id};
use super::format::{count, money, plain, ratio, seconds, shortened};
use super::greeks::net_and_gross;
use crate::engine::{Totals, worst_scenarios};

/// Rows of each table.
const SHOWN: usize = 8;
/// Characters of an id or label.
const NAME_WIDTH: usize = 28;

/// The summary of a sweep for a terminal of 100 columns: what it ran on, states, the worst pools and scenarios, the audit,
/// speed and warnings. Names come without control characters; no colour codes.
pub fn summary(input: &ReportInput<'_>) -> String {
    let outcome = input.outcome;
    let mut text = format!(
        "{} pools, {} positions × {} scenarios on {}\n",
        count(input.pools.count as u64),
        count(input.pools.positions),
        count(outcome.scenarios.len() as u64),
        plain(&ran_on(outcome)),
    );
    if outcome.revaluation.option_rows > 0 {
        text.push_str(&format!("{}\n", plain(&outcome.revaluation.to_string())));
    }
    for part in [states(input), scenarios(input), pools(input), totals(input)] {
        text.push('\n');
        text.push_str(&part);
        text.push('\n');
    }
    greeks(input, &mut text);
    text.push('\n');
    closing(input, &mut text);
    text
}

pub(super) fn table(header: &[&str], left_columns: usize) -> Table {
    let mut table = Table::new();
    let mut style = UTF8_HORIZONTAL_ONLY;
    style = style.row_separator(comfy_table::LineStyle::none());
    table.load_style(style).set_header(header.to_vec());
    for (at, column) in table.column_iter_mut().enumerate() {
        let alignment = if at < left_columns { CellAlignment::Left } else { CellAlignment::Right };
        column.set_cell_alignment(alignment);
    }
    table
}

pub(super) fn name(text: &str) -> String {
    shortened(&plain(text), NAME_WIDTH)
}

fn states(input: &ReportInput<'_>) -> String {
    let mut table = table(&["state", "pools at base", "worst state in any scenario"], 1);
    let (base, worst) = (input.pools.states, input.pools.worst_states);
    for (at, state) in STATES.iter().enumerate() {
        table.add_row([state.name().to_string(), count(base[at]), count(worst[at])]);
    }
    table.trim_fmt()
}

fn scenarios(input: &ReportInput<'_>) -> String {
    let worst = worst_scenarios(&input.outcome.scenarios, SHOWN);
    if worst.is_empty() {
        return "no scenarios".into();
    }
    let mut table = table(&["worst scenario", "label", "liquidatable", "bankrupt", "shortfall", "liq. notional"], 2);
    for (at, scenario) in worst {
        table.add_row([
            name(scenario_id(input, at as u32)),
            name(input.scenarios.labels.get(at).map_or("", String::as_str)),
            count(scenario.liquidatable_pools),
            count(scenario.bankrupt_pools),
            money(scenario.shortfall),
            money(scenario.liquidatable_notional),
        ]);
    }
    table.trim_fmt()
}

fn pools(input: &ReportInput<'_>) -> String {
    if input.pools.breached.is_empty() {
        return "no pool is liquidatable in any scenario".into();
    }
    let header = ["account", "pool", "at base", "health", "worst scenario", "excess there", "equity there"];
    let mut table = table(&header, 3);
    for (at, outcome) in input.pools.breached.iter().take(SHOWN) {
        let (account, pool) = input.pools.names_of(*at);
        table.add_row([
            name(account),
            name(pool),
            outcome.state.name().into(),
            ratio(outcome.base.health_ratio()),
            name(scenario_id(input, outcome.worst_scenario)),
            money(outcome.worst_excess),
            money(outcome.worst_equity),
        ]);
    }
    table.trim_fmt()
}

fn totals(input: &ReportInput<'_>) -> String {
    let outcome = input.outcome;
    let base = &input.pools.base;
    let losses = super::figures::losses(input);
    let how = match outcome.totals {
        Totals::Exact => "exact",
        Totals::Bounded => "within their bounds",
    };
    format!(
        "at base: equity {}, maintenance margin {}, gross notional {} (quote units)\n\
         shortfall: mean {}, 99 % quantile {}, mean of the worst 1 % {} (totals {how})",
        money(base.equity),
        money(base.maintenance_margin),
        money(base.gross_notional),
        money(losses.mean),
        money(losses.var_99),
        money(losses.es_99),
    )
}

/// Delta, and vega where there is any, of the largest underlyings.
fn greeks(input: &ReportInput<'_>, text: &mut String) {
    const UNDERLYINGS: usize = 3;
    let figures = |greek: usize| {
        let mut largest: Vec<(&str, f64, f64)> = Vec::new();
        for total in &input.greeks.underlyings {
            let underlying = &input.snapshot.underlyings[total.underlying as usize];
            let (net, gross) = net_and_gross(total.net, total.gross, underlying.index_price);
            largest.push((&underlying.name, net[greek], gross[greek]));
        }
        largest.retain(|(_, _, gross)| *gross > 0.0);
        largest.sort_by(|a, b| b.2.total_cmp(&a.2));
        let shown = largest.iter().take(UNDERLYINGS);
        let shown = shown.map(|(name, net, gross)| format!("{} {} ({})", self::name(name), money(*net), money(*gross)));
        shown.collect::<Vec<_>>().join(", ")
    };
    for (greek, what) in [(0, "delta · index"), (2, "vega per point of volatility")] {
        let figures = figures(greek);
        if !figures.is_empty() {
            text.push_str(&format!("{what} at base, net (gross): {figures}\n"));
        }
    }
}

fn closing(input: &ReportInput<'_>, text: &mut String) {
    let outcome = input.outcome;
    let stages = &outcome.seconds;
    let work = stages.revalue + stages.sweep;
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", audit_sentence(outcome, input.pools.count));
    if outcome.unknown_pools > 0 {
        let _ = writeln!(text, "{} pools are unknown: a refused row touches them", count(outcome.unknown_pools));
    }
    let speed = if work > 0.0 { money(outcome.cells as f64 / work) } else { "–".into() };
    let _ = writeln!(
        text,
        "{} cells, {speed} cells/s; read {}, revalue {}, sweep {}, audit {}, greeks {}, write {}",
        count(outcome.cells),
        seconds(stages.read),
        seconds(stages.revalue),
        seconds(stages.sweep),
        seconds(stages.audit),
        seconds(stages.greeks),
        seconds(stages.write),
    );
    let _ = writeln!(text, "digest {}", plain(input.digest));
    for warning in &outcome.warnings {
        let _ = writeln!(text, "warning: {}", plain(warning));
    }
}
