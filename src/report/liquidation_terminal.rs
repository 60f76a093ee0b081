use std::fmt::Write;

use super::format::{count, money, plain, ratio, relative_move, seconds};
use super::liquidation::{LiquidationInput, figure_text};
use super::terminal::{name, table};
use crate::liquidation::{Ladder, Outcome, Summary};

/// Scenarios of a table.
const SHOWN: usize = 32;

/// A liquidation for a terminal of 100 columns. Names come without control characters; no colour codes.
pub fn liquidation_summary(input: &LiquidationInput<'_>) -> String {
    let outcome = input.outcome;
    let mut text = format!("{}; policy: {}\n", plain(input.selection), plain(input.policy_name));
    for part in [course(outcome), payers(outcome), ladder(input), policies(input), critical(input)] {
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&part);
            text.push('\n');
        }
    }
    text.push('\n');
    closing(outcome, &mut text);
    text
}

fn course(outcome: &Outcome) -> String {
    let header =
        ["scenario", "move", "amplif.", "rounds", "ending", "breached", "liquidated", "notional", "taken over", "cost"];
    let mut table = table(&header, 1);
    for of in outcome.scenarios.iter().take(SHOWN) {
        table.add_row([
            name(&of.scenario),
            relative_move(of.shock),
            ratio(of.amplification),
            count(of.rounds.len() as u64),
            of.ending.name().replace('_', " "),
            count(of.breached_pools),
            count(of.liquidated_pools),
            money(of.tally.liquidated_notional),
            count(of.taken_over_pools),
            money(of.tally.cost),
        ]);
    }
    if outcome.scenarios.len() > 1 {
        let totals = outcome.totals();
        let sum = |of: fn(&Summary) -> u64| count(outcome.scenarios.iter().map(of).sum());
        table.add_row([
            "all".into(),
            String::new(),
            ratio(totals.mean_amplification),
            sum(|of| of.rounds.len() as u64),
            String::new(),
            sum(|of| of.breached_pools),
            count(totals.liquidated_pools),
            money(totals.liquidated_notional),
            sum(|of| of.taken_over_pools),
            money(totals.cost),
        ]);
    }
    let more = match outcome.scenarios.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!("\n… and {} more, in the table liquidations", count(n as u64)),
    };
    table.trim_fmt() + &more
}

fn payers(outcome: &Outcome) -> String {
    let header = [
        "who pays",
        "fees",
        "fund draw",
        "fund left",
        "ADL pools",
        "ADL notional",
        "haircut",
        "socialised",
        "uncovered",
    ];
    let mut table = table(&header, 1);
    for of in outcome.scenarios.iter().take(SHOWN) {
        let tally = &of.tally;
        table.add_row([
            name(&of.scenario),
            money((tally.trading_fees + tally.fund_fees).units()),
            money(tally.fund_draw.units()),
            of.fund_left.map_or_else(|| "unlimited".into(), money),
            count(of.deleveraged_pools),
            money(tally.deleveraged_notional),
            money(tally.haircut.units()),
            money(tally.socialised.units()),
            money(tally.uncovered.units()),
        ]);
    }
    if outcome.scenarios.len() > 1 {
        let totals = outcome.totals();
        table.add_row([
            "all".into(),
            money(totals.trading_fees + totals.fund_fees),
            money(totals.fund_draw),
            String::new(),
            count(totals.adl_pools),
            money(totals.adl_notional),
            money(totals.adl_haircut),
            money(totals.socialised_loss),
            money(totals.uncovered),
        ]);
    }
    table.trim_fmt()
}

/// Where pools stand before and after in the scenario that costs others most.
fn ladder(input: &LiquidationInput<'_>) -> String {
    let worst = input.worst_first();
    let Some(worst) = worst.first() else { return String::new() };
    let title = format!("pools in {}", name(&worst.scenario));
    let mut table = table(&[&title, "at the first prices", "at the last"], 1);
    for ((stage, before), after) in Ladder::NAMES.into_iter().zip(worst.before.counts()).zip(worst.after.counts()) {
        table.add_row([stage.replace('_', " "), count(before), count(after)]);
    }
    table.trim_fmt()
}

fn policies(input: &LiquidationInput<'_>) -> String {
    if input.policies.len() < 2 {
        return String::new();
    }
    const SHOWN: [(&str, &str); 9] = [
        ("cost", "cost"),
        ("fund_fees", "liq. fees"),
        ("liquidated_notional", "notional"),
        ("liquidated_pools", "pools"),
        ("fund_draw", "fund draw"),
        ("adl_notional", "ADL notional"),
        ("adl_haircut", "haircut"),
        ("socialised_loss", "socialised"),
        ("mean_amplification", "amplif."),
    ];
    let header: Vec<&str> = std::iter::once("policy").chain(SHOWN.map(|(_, label)| label)).collect();
    let mut table = table(&header, 1);
    for (policy, outcome) in input.policies {
        let figures = outcome.totals().figures();
        let cell = |(key, _): (&str, &str)| {
            let found = figures.iter().find(|(name, _)| *name == key);
            found.map_or_else(String::new, |(_, figure)| figure_text(*figure))
        };
        table.add_row(std::iter::once(name(policy)).chain(SHOWN.map(cell)));
    }
    table.trim_fmt()
}

fn critical(input: &LiquidationInput<'_>) -> String {
    if input.critical.is_empty() {
        return String::new();
    }
    let mut table = table(&["critical depth", "of", "amplification"], 3);
    for row in input.critical {
        table.add_row([name(&row.scenario), name(&row.scope), input.critical_text(row.critical)]);
    }
    table.trim_fmt()
}

fn closing(outcome: &Outcome, text: &mut String) {
    let adapter = if outcome.adapter.is_empty() { String::new() } else { format!(", {}", plain(&outcome.adapter)) };
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} screening sweeps, {} cells on the {} engine{adapter}; {} audited verdicts, all agree",
        count(outcome.sweeps),
        count(outcome.cells),
        plain(&outcome.engine),
        count(outcome.audited_verdicts),
    );
    let _ = writeln!(
        text,
        "screening {}, sequencing {}; conservation error 0",
        seconds(outcome.seconds.screen),
        seconds(outcome.seconds.sequence)
    );
    if outcome.unknown_pools > 0 {
        let _ = writeln!(text, "{} pools are unknown and never liquidated", count(outcome.unknown_pools));
    }
    let _ = writeln!(text, "digest {}", plain(&outcome.digest));
    for warning in &outcome.warnings {
        let _ = writeln!(text, "warning: {}", plain(warning));
    }
}
