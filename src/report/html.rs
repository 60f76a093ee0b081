use super::ReportInput;
use super::chart::{Paired, Ranked, exceedance};
use super::figures::{
    HEALTH_BOUNDS, STATES, audit_sentence, health_classes, largest_shocks, losses, ran_on, scenario_id,
};
use super::format::{count, escaped, money, number, ratio, shortened};
use super::greeks;
use super::page::{Column, cards, facts, figure, list, page, section, table};
use super::products::failures;
use crate::engine::{ScenarioOutcome, Totals, worst_scenarios};

/// Rows of each table.
const SHOWN: usize = 20;
/// Characters of an id or label.
const NAME_WIDTH: usize = 40;
/// Most warnings and run facts listed.
const MOST_LISTED: usize = 100;

/// The report as one HTML file: no script, no network, a few hundred kilobytes at most whatever the size of the book. Every id
/// and label is escaped. Wall-clock times are left out, so that equal results give equal bytes.
pub fn html(input: &ReportInput<'_>) -> String {
    let body = [
        header(input),
        section("Losses and states", &format!("<div class=\"charts\">\n{}</div>\n", charts(input))),
        failures(input.scenarios, &input.outcome.scenarios)
            .map_or_else(String::new, |failures| section("By failure", &failures)),
        section("Worst scenarios", &scenario_table(input)),
        section("Most deeply breached pools", &pool_table(input)),
        section("Losses by Greek", &greeks::attribution(input)),
        section("Greeks", &greeks::holdings(input)),
        section("Totals", &totals(input)),
        section("Inputs and caveats", &caveats(input)),
        section("Run", &run_facts(input)),
    ];
    page("Plimsoll stress report", &body.concat())
}

fn header(input: &ReportInput<'_>) -> String {
    let outcome = input.outcome;
    let largest = |figure: fn(&ScenarioOutcome) -> u64| outcome.scenarios.iter().map(figure).max().unwrap_or(0);
    let base = input.pools.states;
    let shortfall = worst_scenarios(&outcome.scenarios, 1).first().map_or(0.0, |(_, scenario)| scenario.shortfall);
    let cards = cards(&[
        (count(input.pools.count as u64), "pools"),
        (count(input.pools.positions), "positions"),
        (count(outcome.scenarios.len() as u64), "scenarios"),
        (count(base[2] + base[3]), "pools liquidatable or bankrupt at base"),
        (count(largest(|scenario| scenario.liquidatable_pools)), "most liquidatable pools in one scenario"),
        (count(largest(|scenario| scenario.bankrupt_pools)), "most bankrupt pools in one scenario"),
        (money(shortfall), "largest shortfall of one scenario, quote units"),
        (money(losses(input).mean), "mean shortfall over the scenario weights, quote units"),
    ]);
    let differ = if outcome.audit.decisions_differ > 0 { " class=\"bad\"" } else { "" };
    let unknown = match outcome.unknown_pools {
        0 => String::new(),
        pools => format!("<p class=\"bad\">{} pools are unknown: a refused row touches them.</p>\n", count(pools)),
    };
    format!(
        "<header><h1>Plimsoll stress report</h1>\n<p class=\"soft\">Every pool under every scenario, on {}.</p>\n\
         {cards}<p{differ}>{}.</p>\n{unknown}</header>\n",
        escaped(&ran_on(outcome)),
        escaped(&capitalised(&audit_sentence(outcome, input.pools.count))),
    )
}

pub(super) fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn charts(input: &ReportInput<'_>) -> String {
    let ids = || input.scenarios.ids.iter().map(String::as_str).chain(std::iter::repeat(""));
    let by_scenario =
        |value: fn(&ScenarioOutcome) -> f64| input.outcome.scenarios.iter().map(value).zip(ids()).collect::<Vec<_>>();
    let loss = Ranked {
        name: "Shortfall by scenario",
        axis: "shortfall, quote units",
        nothing: "No scenario has a shortfall.",
        values: by_scenario(|scenario| scenario.shortfall),
    };
    let breaches = Ranked {
        name: "Liquidatable pools by scenario",
        axis: "liquidatable pools",
        nothing: "No pool is liquidatable in any scenario.",
        values: by_scenario(|scenario| scenario.liquidatable_pools as f64),
    };
    let bars = "One bar per scenario; above 200 scenarios, a bar shows the largest of neighbours in rank.";
    [
        figure(
            "Loss by scenario",
            &format!("Shortfall: the sum of negative equity over all pools, what the exchange would lose. {bars}"),
            &loss.draw(),
        ),
        figure(
            "Exceedance curve",
            "How much of the scenario weight has at least a given shortfall, scenario by scenario. A weight is a \
             probability only where the scenario set says so.",
            &exceedance("Exceedance curve of the shortfall", &losses(input).exceedance),
        ),
        figure("Liquidatable pools by scenario", bars, &breaches.draw()),
        state_chart(input),
        health_chart(input),
    ]
    .concat()
}

fn state_chart(input: &ReportInput<'_>) -> String {
    let (base, worst) = (input.pools.states, input.pools.worst_states);
    let chart = Paired {
        name: "Pools by state",
        labels: STATES.iter().map(|state| state.name()).collect(),
        series: ["at base", "worst in any scenario"],
        counts: base.into_iter().zip(worst).map(|(base, worst)| [base, worst]).collect(),
        divider: None,
        label_width: 86.0,
    };
    let reading = "Each pool once, at base and by the worst state it has in any scenario. Restricted: below initial margin. \
                   Liquidatable: below maintenance margin. Bankrupt: equity below zero.";
    figure("States before and after", reading, &chart.draw())
}

fn health_chart(input: &ReportInput<'_>) -> String {
    let classes = health_classes(input.pools);
    let first_safe = HEALTH_BOUNDS.iter().position(|&bound| bound == 1.0).unwrap_or(0);
    let chart = Paired {
        name: "Pools by health ratio",
        labels: classes.labels.iter().map(String::as_str).collect(),
        series: ["at base", "at its worst scenario"],
        counts: classes.base.iter().zip(&classes.worst).map(|(&base, &worst)| [base, worst]).collect(),
        divider: Some((first_safe, "liquidatable above this line")),
        label_width: 100.0,
    };
    let reading = "At base: adjusted equity / maintenance margin. At the worst scenario of each pool: 1 + (adjusted equity − \
                   maintenance margin there) / maintenance margin at base, so the margin moves with the scenario but the \
                   yardstick does not; below 1 it is liquidatable there, exactly.";
    figure("Health before and after", reading, &chart.draw())
}

fn name(text: &str) -> String {
    shortened(text, NAME_WIDTH)
}

fn scenario_table(input: &ReportInput<'_>) -> String {
    use Column::{Name, Number, Text};
    // The figures come before the long texts: they are what a narrow screen shows first.
    let columns = [
        ("scenario", Name),
        ("shortfall", Number),
        ("liquidatable", Number),
        ("bankrupt", Number),
        ("restricted", Number),
        ("liquidatable notional", Number),
        ("weight", Number),
        ("label", Text),
        ("largest shocks", Text),
    ];
    let rows: Vec<Vec<String>> = worst_scenarios(&input.outcome.scenarios, SHOWN)
        .into_iter()
        .map(|(at, scenario)| {
            vec![
                name(scenario_id(input, at as u32)),
                money(scenario.shortfall),
                count(scenario.liquidatable_pools),
                count(scenario.bankrupt_pools),
                count(scenario.restricted_pools),
                money(scenario.liquidatable_notional),
                input.scenarios.weights.get(at).map_or_else(String::new, |&weight| number(weight, 6)),
                name(input.scenarios.labels.get(at).map_or("", String::as_str)),
                largest_shocks(input, at, 3),
            ]
        })
        .collect();
    let order = "<p class=\"soft\">By shortfall, then by liquidatable pools. Pools are counted, amounts are in quote units.</p>\n";
    format!("{order}{}", table(&columns, &rows, "There are no scenarios."))
}

fn pool_table(input: &ReportInput<'_>) -> String {
    use Column::{Name, Number};
    let columns = [
        ("account", Name),
        ("pool", Name),
        ("worst excess", Number),
        ("equity there", Number),
        ("worst scenario", Name),
        ("at base", Name),
        ("health at base", Number),
        ("liquidatable in", Number),
        ("expected shortfall", Number),
    ];
    let rows: Vec<Vec<String>> = input
        .pools
        .breached
        .iter()
        .take(SHOWN)
        .map(|(at, outcome)| {
            let (account, pool) = input.pools.names_of(*at);
            vec![
                name(account),
                name(pool),
                money(outcome.worst_excess),
                money(outcome.worst_equity),
                name(scenario_id(input, outcome.worst_scenario)),
                outcome.state.name().into(),
                ratio(outcome.base.health_ratio()),
                count(outcome.liquidatable_scenarios.into()),
                money(outcome.expected_shortfall),
            ]
        })
        .collect();
    let order = "<p class=\"soft\">By adjusted equity − maintenance margin in each pool's worst scenario, lowest first; quote units. \
                 “Liquidatable in” counts scenarios.</p>\n";
    format!("{order}{}", table(&columns, &rows, "No pool is liquidatable in any scenario."))
}

fn totals(input: &ReportInput<'_>) -> String {
    let outcome = input.outcome;
    let base = &input.pools.base;
    let losses = losses(input);
    let bound = outcome.scenarios.iter().map(|scenario| scenario.shortfall_bound).fold(0.0, f64::max);
    let rows = [
        ("equity at base", money(base.equity)),
        ("adjusted equity at base", money(base.adjusted_equity)),
        ("initial margin at base", money(base.initial_margin)),
        ("maintenance margin at base", money(base.maintenance_margin)),
        ("gross notional at base", money(base.gross_notional)),
        ("mean shortfall over the weights", money(losses.mean)),
        ("99 % quantile of the shortfall", money(losses.var_99)),
        ("mean shortfall of the worst 1 % of the weight", money(losses.es_99)),
        ("largest certified error of a scenario's shortfall", money(bound)),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_string(), value]);
    table(&[("total", Column::Text), ("quote units", Column::Number)], &rows, "")
}

fn caveats(input: &ReportInput<'_>) -> String {
    let mut sentences = vec![
        "A scenario is an instantaneous shock to the book as it stands: nobody trades, tops up or is liquidated in it, and \
         prices do not react to breaches."
            .to_string(),
        match input.outcome.totals {
            Totals::Exact => "Decisions and counts are exact; totals are summed exactly from rounded figures.".to_string(),
            Totals::Bounded => "Decisions and counts are exact; totals are device sums within their certified bounds.".into(),
        },
    ];
    let unquoted: u64 = input.scenarios.unquoted().iter().sum();
    if unquoted > 0 {
        let cells = count(unquoted);
        sentences.push(format!("{cells} shocks of the scenario set are empty (not quoted) and count as no move."));
    }
    sentences.extend(input.outcome.warnings.iter().cloned());
    list(&sentences, MOST_LISTED)
}

fn run_facts(input: &ReportInput<'_>) -> String {
    let outcome = input.outcome;
    let adapter = if outcome.adapter.is_empty() { "none" } else { &outcome.adapter };
    let (cells, exact) = (count(outcome.cells), count(outcome.exact_verdicts));
    let own = [
        ("digest of the results", input.digest),
        ("engine", outcome.engine.as_str()),
        ("adapter", adapter),
        ("cells (positions × scenarios)", cells.as_str()),
        ("verdicts that needed exact arithmetic", exact.as_str()),
    ];
    let given = input.facts.iter().take(MOST_LISTED).map(|(name, value)| (name.as_str(), value.as_str()));
    facts(own.into_iter().chain(given))
}
