//! The page of an oracle stress: decisions on what the exchange sees, losses at what prices are.

use std::collections::BTreeMap;

use super::chart::{Ranked, nothing};
use super::comparison_chart::Amounts;
use super::figures::audit_sentence;
use super::format::{count, escaped, money, shortened};
use super::html::capitalised;
use super::page::{Column, cards, facts, figure, list, page, section, table};
use super::products::failure;
#[cfg(feature = "cli")]
use super::terminal;
use crate::engine::{Outcome, ViewOutcome};
use crate::scenario::ScenarioSet;

/// Rows of each table of the page, and of the terminal.
const SHOWN: usize = 25;
#[cfg(feature = "cli")]
const SHOWN_TERMINAL: usize = 10;
/// Labels drawn.
const MOST_BARS: usize = 8;
/// Characters of an id or label.
const NAME_WIDTH: usize = 44;
/// Most warnings and run facts listed.
const MOST_LISTED: usize = 100;

/// What the page is made of. The same input gives the same text.
#[derive(Debug, Clone, Copy)]
pub struct OracleStressInput<'a> {
    /// Outcome of the paired set: scenarios as seen on even places, in truth on odd ones.
    pub outcome: &'a Outcome,
    /// One for each scenario.
    pub views: &'a [ViewOutcome],
    /// The scenarios.
    pub scenarios: &'a ScenarioSet,
    /// Facts of the run to list (name, value).
    pub facts: &'a [(String, String)],
    /// Digest of the results.
    pub digest: &'a str,
}

/// Sums and extremes of scenarios that share a failure (of a product), or a label.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    scenarios: u64,
    wrongful_pools: u64,
    late_pools: u64,
    missed_pools: u64,
    worst: ViewOutcome,
}

impl Group {
    fn add(&mut self, view: &ViewOutcome) {
        self.scenarios += 1;
        self.wrongful_pools += view.wrongful_pools;
        self.late_pools += view.late_pools;
        self.missed_pools += view.missed_pools;
        let worst = &mut self.worst;
        worst.wrongful_notional = worst.wrongful_notional.max(view.wrongful_notional);
        worst.late_shortfall = worst.late_shortfall.max(view.late_shortfall);
        worst.extractable = worst.extractable.max(view.extractable);
    }
}

impl OracleStressInput<'_> {
    /// Liquidatable pools of a scenario as seen, and in truth.
    fn liquidatable(&self, scenario: usize) -> [u64; 2] {
        [2 * scenario, 2 * scenario + 1].map(|place| self.outcome.scenarios[place].liquidatable_pools)
    }

    /// Scenarios in which the views decide differently or value can be taken out, the costliest first; ties in their order.
    fn ranked(&self) -> Vec<usize> {
        let harm = |view: &ViewOutcome| view.wrongful_notional + view.late_shortfall + view.extractable;
        let differs = |view: &ViewOutcome| view.wrongful_pools + view.missed_pools > 0 || view.extractable > 0.0;
        let mut ranked: Vec<usize> = (0..self.views.len()).filter(|&at| differs(&self.views[at])).collect();
        ranked.sort_by(|&a, &b| harm(&self.views[b]).total_cmp(&harm(&self.views[a])).then(a.cmp(&b)));
        ranked
    }

    fn groups(&self) -> BTreeMap<&str, Group> {
        let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
        for ((id, label), view) in self.scenarios.ids.iter().zip(&self.scenarios.labels).zip(self.views) {
            groups.entry(failure(id).unwrap_or(label)).or_default().add(view);
        }
        groups
    }

    fn row(&self, scenario: usize) -> Vec<String> {
        let view = &self.views[scenario];
        let [seen, real] = self.liquidatable(scenario);
        let mut row = vec![self.scenarios.ids[scenario].clone()];
        row.extend([seen, real, view.wrongful_pools, view.missed_pools, view.late_pools].map(count));
        row.extend([view.wrongful_notional, view.late_shortfall, view.extractable].map(money));
        row
    }
}

const COLUMNS: [&str; 9] =
    ["scenario", "seen", "true", "wrongful", "missed", "late", "wrongful notional", "late shortfall", "extractable"];

/// An oracle stress as one HTML file: no script, no network. Every id and label is escaped.
pub fn oracle_stress_html(input: &OracleStressInput<'_>) -> String {
    let body = [
        header(input),
        section("What a wrong price does", &format!("<div class=\"charts\">\n{}</div>\n", charts(input))),
        section("By kind of failure", &groups(input)),
        section("Costliest scenarios", &scenarios(input)),
        section("How to read this", &list(&definitions(), MOST_LISTED)),
        section("Warnings", &list(&input.outcome.warnings, MOST_LISTED)),
        section("Run", &facts(input.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())))),
    ];
    page("Plimsoll oracle stress", &body.concat())
}

fn header(input: &OracleStressInput<'_>) -> String {
    let most = |figure: fn(&ViewOutcome) -> u64| count(input.views.iter().map(figure).max().unwrap_or(0));
    let largest = |figure: fn(&ViewOutcome) -> f64| money(input.views.iter().map(figure).fold(0.0, f64::max));
    let cards = cards(&[
        (count(input.outcome.pools.len() as u64), "pools"),
        (count(input.views.len() as u64), "scenarios, each as seen and as it is"),
        (most(|view| view.wrongful_pools), "most wrongful liquidations in one scenario"),
        (most(|view| view.late_pools), "most late liquidations in one scenario"),
        (largest(|view| view.wrongful_notional), "largest notional liquidated wrongfully, quote units"),
        (largest(|view| view.late_shortfall), "largest shortfall of late pools, quote units"),
        (largest(|view| view.extractable), "largest extractable value, quote units"),
    ]);
    format!(
        "<header><h1>Plimsoll oracle stress</h1>\n<p class=\"soft\">Decisions on the price that is seen, losses at the true \
         one.</p>\n{cards}<p>{}.</p><p class=\"soft\">Digest {}</p>\n</header>\n",
        escaped(&capitalised(&audit_sentence(input.outcome, input.outcome.pools.len()))),
        escaped(input.digest),
    )
}

fn charts(input: &OracleStressInput<'_>) -> String {
    let values = |figure: fn(&ViewOutcome) -> f64| {
        let ids = input.scenarios.ids.iter().map(String::as_str);
        input.views.iter().map(figure).zip(ids).collect::<Vec<_>>()
    };
    let ranked = |name, nothing, figure| Ranked { name, axis: "quote units", nothing, values: values(figure) }.draw();
    [
        figure(
            "Liquidated wrongfully",
            "Gross notional of pools that the seen prices liquidate and the true ones do not.",
            &ranked("Wrongful notional", "No liquidation is wrongful.", |view| view.wrongful_notional),
        ),
        figure(
            "Found too late",
            "What pools lack that are bankrupt before the seen prices show a breach.",
            &ranked("Late shortfall", "No pool is bankrupt before its breach is seen.", |view| view.late_shortfall),
        ),
        figure(
            "Extractable value",
            "What withdrawals that the seen prices allow take beyond what the pools have.",
            &ranked("Extractable value", "Nothing can be withdrawn beyond equity.", |view| view.extractable),
        ),
        figure(
            "Wrongful and late, by kind of failure",
            "Pools summed over the scenarios of a label: the larger groups.",
            &by_label(input),
        ),
    ]
    .concat()
}

/// Wrongful and late pools of the labels that have most.
fn by_label(input: &OracleStressInput<'_>) -> String {
    let mut groups: Vec<_> = input.groups().into_iter().collect();
    groups.retain(|(_, group)| group.wrongful_pools + group.late_pools > 0);
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.wrongful_pools + group.late_pools));
    groups.truncate(MOST_BARS);
    if groups.is_empty() {
        return nothing("No liquidation is wrongful or late.");
    }
    let amounts = |group: Group| [group.wrongful_pools as f64, group.late_pools as f64];
    let rows = groups.into_iter().map(|(label, group)| (shortened(named(label), NAME_WIDTH), amounts(group)));
    let series = ["wrongful", "late"];
    Amounts { name: "Wrongful and late pools by label", axis: "pools, Σ over scenarios", series, rows: rows.collect() }
        .draw()
}

fn named(label: &str) -> &str {
    if label.is_empty() { "no label" } else { label }
}

fn groups(input: &OracleStressInput<'_>) -> String {
    use Column::{Name, Number};
    let columns = [
        ("failure", Name),
        ("scenarios", Number),
        ("wrongful, Σ", Number),
        ("missed, Σ", Number),
        ("late, Σ", Number),
        ("wrongful notional", Number),
        ("late shortfall", Number),
        ("extractable", Number),
    ];
    let mut groups: Vec<_> = input.groups().into_iter().collect();
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.wrongful_pools + group.late_pools + group.missed_pools));
    let row = |(label, group): &(&str, Group)| {
        let mut row = vec![shortened(named(label), NAME_WIDTH)];
        row.extend([group.scenarios, group.wrongful_pools, group.missed_pools, group.late_pools].map(count));
        row.extend([group.worst.wrongful_notional, group.worst.late_shortfall, group.worst.extractable].map(money));
        row
    };
    let rows: Vec<_> = groups.iter().take(SHOWN).map(row).collect();
    table(&columns, &rows, "There is no scenario.")
}

fn scenarios(input: &OracleStressInput<'_>) -> String {
    use Column::{Name, Number};
    let columns: Vec<_> =
        COLUMNS.iter().enumerate().map(|(at, name)| (*name, if at == 0 { Name } else { Number })).collect();
    let rows: Vec<_> = input
        .ranked()
        .into_iter()
        .take(SHOWN)
        .map(|scenario| {
            let mut row = input.row(scenario);
            row[0] = shortened(&row[0], NAME_WIDTH);
            row
        })
        .collect();
    table(&columns, &rows, "Both views decide alike in every scenario.")
}

fn definitions() -> Vec<String> {
    [
        "Seen: pools liquidatable at the prices that the exchange sees. True: at the prices as they are.",
        "Wrongful: liquidatable as seen, not in truth. Missed: liquidatable in truth, not as seen.",
        "Late: bankrupt in truth while not seen as liquidatable; the shortfall is what they lack.",
        "Extractable: Σ max(0, F − max(0, equity)), F what the seen prices let a pool withdraw (adjusted equity less initial margin), \
         equity the true one.",
        "By kind of failure: pools are summed over the scenarios of a failure, amounts are those of its worst scenario.",
        "Notional, shortfall and equity are at true prices, quote units. A seen price is (1 + move)^(1 − lag) · (1 + divergence).",
    ]
    .map(String::from)
    .into()
}

/// An oracle stress for a terminal of 120 columns.
#[cfg(feature = "cli")]
pub fn oracle_stress_summary(input: &OracleStressInput<'_>) -> String {
    let sum = |figure: fn(&ViewOutcome) -> u64| count(input.views.iter().map(figure).sum());
    let mut table = terminal::table(&COLUMNS, 1);
    let ranked = input.ranked();
    for &scenario in ranked.iter().take(SHOWN_TERMINAL) {
        let mut row = input.row(scenario);
        row[0] = terminal::name(&row[0]);
        table.add_row(row);
    }
    let mut text = format!(
        "{} pools × {} scenarios, as seen and as they are\nwrongful {}, missed {}, late {} (pool × scenario); {} scenarios differ\n\n{}\n\n{}\n\
         digest {}",
        count(input.outcome.pools.len() as u64),
        count(input.views.len() as u64),
        sum(|view| view.wrongful_pools),
        sum(|view| view.missed_pools),
        sum(|view| view.late_pools),
        count(ranked.len() as u64),
        table.trim_fmt(),
        audit_sentence(input.outcome, input.outcome.pools.len()),
        input.digest,
    );
    for warning in &input.outcome.warnings {
        text.push_str(&format!("\nwarning: {}", super::format::plain(warning)));
    }
    text
}
