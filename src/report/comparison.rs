//! The page of a comparison.

use super::comparison_chart::Amounts;
use super::figures::STATES;
use super::format::{count, money, percent, ratio, shortened};
use super::page::{Column, cards, facts, figure, list, page, section, subsection, table};
use crate::compare::{Arrangement, AssetUtilisation, Comparison, ComparisonRow, Metrics, Transition};
use crate::domain::Snapshot;
use crate::scenario::ScenarioSet;

/// Characters of a rulebook's name.
const NAME_WIDTH: usize = 32;
/// Assets listed.
const MOST_ASSETS: usize = 12;
/// Most warnings and run facts listed.
const MOST_LISTED: usize = 100;

/// What the page of a comparison is made of. The same input gives the same text.
#[derive(Debug, Clone, Copy)]
pub struct ComparisonInput<'a> {
    /// What was found.
    pub comparison: &'a Comparison,
    /// The book as it stands.
    pub snapshot: &'a Snapshot,
    /// The scenarios.
    pub scenarios: &'a ScenarioSet,
    /// Facts of the run to list (name, value).
    pub facts: &'a [(String, String)],
}

impl ComparisonInput<'_> {
    /// Mode and, where several are compared, rulebook of a row.
    pub(super) fn label(&self, row: &ComparisonRow) -> String {
        let mode = mode_name(row.mode);
        match &self.comparison.rulebooks[..] {
            [_] => mode.into(),
            rulebooks => format!("{mode}, {}", shortened(&rulebooks[row.rulebook], NAME_WIDTH)),
        }
    }

    /// Figures of the same rulebook's row of this mode.
    pub(super) fn beside(&self, row: &'_ ComparisonRow, mode: Arrangement) -> Option<&Metrics> {
        self.comparison.row(row.rulebook, mode).map(|row| &row.metrics)
    }
}

fn mode_name(mode: Arrangement) -> &'static str {
    match mode {
        Arrangement::AsIs => "as it is",
        other => other.name(),
    }
}

/// A share as a percentage; `–` where there is none.
pub(super) fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), percent)
}

/// The comparison as one HTML file: no script, no network. Every name is escaped.
pub fn comparison_html(input: &ComparisonInput<'_>) -> String {
    let body = [
        header(input),
        section("Margin and risk", &format!("<div class=\"charts\">\n{}</div>\n", charts(input))),
        section("Margin at base", &margin_table(input)),
        section("Over the scenarios", &scenario_table(input)),
        section("Accounts that change state", &transitions(input)),
        section("Collateral utilisation", &utilisation(input)),
        section("How to read this", &list(&definitions(), MOST_LISTED)),
        section("Warnings", &list(&input.comparison.warnings, MOST_LISTED)),
        section("Run", &run_facts(input)),
    ];
    page("Plimsoll comparison", &body.concat())
}

fn header(input: &ComparisonInput<'_>) -> String {
    let first = |mode| input.comparison.row(0, mode).map(|row| &row.metrics);
    let (cross, isolated) = (first(Arrangement::Cross), first(Arrangement::Isolated));
    let of = |metrics: Option<&Metrics>, figure: fn(&Metrics) -> u64| metrics.map_or(0, figure);
    let accounts = of(cross, |metrics| metrics.pools);
    let saved = cross.zip(isolated).and_then(|(cross, isolated)| cross.diversification_index(isolated));
    let contagion = cross.and_then(|cross| cross.contagion).and_then(|contagion| contagion.leg_share());
    let cards = cards(&[
        (count(accounts), "accounts"),
        (count(input.snapshot.book.position_count() as u64), "positions"),
        (count(input.scenarios.len() as u64), "scenarios"),
        (share(saved), "of isolated initial margin saved by cross"),
        (count(of(cross, |metrics| metrics.liquidatable)), "cross pools liquidatable in some scenario"),
        (count(of(isolated, |metrics| metrics.liquidatable)), "isolated pools liquidatable in some scenario"),
        (share(contagion), "of the legs closed under cross would stand alone"),
        (count(input.comparison.rulebooks.len() as u64), "rulebooks"),
    ]);
    format!(
        "<header><h1>Plimsoll comparison</h1>\n<p class=\"soft\">The same book under different margin modes and rulebooks. \
         The figures above are those of the first rulebook.</p>\n{cards}</header>\n"
    )
}

fn charts(input: &ComparisonInput<'_>) -> String {
    let rows = |figures: fn(&Metrics) -> [f64; 2]| {
        let rows = input.comparison.rows.iter();
        rows.map(|row| (input.label(row), figures(&row.metrics))).collect::<Vec<_>>()
    };
    let margin = Amounts {
        name: "Margin by arrangement",
        axis: "quote units",
        series: ["initial margin", "maintenance margin"],
        rows: rows(|metrics| [metrics.totals.initial_margin, metrics.totals.maintenance_margin]),
    };
    let breaches = Amounts {
        name: "Pools that break",
        axis: "pools",
        series: ["liquidatable", "bankrupt"],
        rows: rows(|metrics| [metrics.liquidatable as f64, metrics.bankrupt as f64]),
    };
    [
        figure("Margin by arrangement", "Sums over all pools in the unshocked market.", &margin.draw()),
        figure(
            "Pools that break",
            "Pools that are liquidatable, or bankrupt, in at least one scenario. Isolated books have more and smaller pools.",
            &breaches.draw(),
        ),
    ]
    .concat()
}

fn margin_table(input: &ComparisonInput<'_>) -> String {
    use Column::{Name, Number};
    let columns = [
        ("arrangement", Name),
        ("pools", Number),
        ("initial", Number),
        ("maintenance", Number),
        ("diversification", Number),
        ("margin ratio", Number),
        ("efficiency", Number),
        ("utilisation", Number),
        ("mean health", Number),
        ("median health", Number),
        ("liquidatable now", Number),
        ("bankrupt now", Number),
    ];
    let rows = input.comparison.rows.iter().map(|row| {
        let metrics = &row.metrics;
        let (as_is, isolated) = (input.beside(row, Arrangement::AsIs), input.beside(row, Arrangement::Isolated));
        vec![
            input.label(row),
            count(metrics.pools),
            money(metrics.totals.initial_margin),
            money(metrics.totals.maintenance_margin),
            share(isolated.and_then(|isolated| metrics.diversification_index(isolated))),
            share(isolated.and_then(|isolated| metrics.margin_ratio(isolated))),
            ratio(as_is.and_then(|as_is| metrics.capital_efficiency(as_is.totals.gross_notional))),
            share(metrics.utilisation()),
            ratio(metrics.mean_health),
            ratio(metrics.median_health),
            count(metrics.states_at_base[2]),
            count(metrics.states_at_base[3]),
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>(), "")
}

fn scenario_table(input: &ComparisonInput<'_>) -> String {
    use Column::{Name, Number};
    let columns = [
        ("arrangement", Name),
        ("liquidatable", Number),
        ("bankrupt", Number),
        ("liq. verdicts", Number),
        ("bankr. verdicts", Number),
        ("shortfall", Number),
        ("LGD", Number),
        ("contagion, legs", Number),
        ("notional", Number),
        ("examined", Number),
        ("worst scenario", Name),
        ("liquidatable there", Number),
        ("shortfall there", Number),
    ];
    let rows = input.comparison.rows.iter().map(|row| {
        let metrics = &row.metrics;
        let contagion = metrics.contagion;
        let examined = contagion
            .map(|contagion| format!("{} of {}", count(contagion.examined_pools), count(contagion.affected_pools)));
        let id = metrics.worst.and_then(|worst| input.scenarios.ids.get(worst.scenario as usize));
        vec![
            input.label(row),
            count(metrics.liquidatable),
            count(metrics.bankrupt),
            count(metrics.liquidatable_verdicts),
            count(metrics.bankrupt_verdicts),
            money(metrics.expected_shortfall),
            metrics.loss_given_default().map_or_else(|| "–".into(), money),
            share(contagion.and_then(|contagion| contagion.leg_share())),
            share(contagion.and_then(|contagion| contagion.notional_share())),
            examined.unwrap_or_else(|| "–".into()),
            id.map_or_else(|| "–".into(), |id| shortened(id, NAME_WIDTH)),
            metrics.worst.map_or_else(|| "–".into(), |worst| count(worst.liquidatable_pools)),
            metrics.worst.map_or_else(|| "–".into(), |worst| money(worst.shortfall)),
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>(), "")
}

fn transitions(input: &ComparisonInput<'_>) -> String {
    let matrices = input.comparison.transitions.iter().map(|transition| transition_table(input, transition));
    let reading = "<p class=\"soft\">Accounts by the worst state that any of their pools has at base or in any scenario: rows \
                   before, columns after.</p>\n";
    format!("{reading}{}", matrices.collect::<String>())
}

fn transition_table(input: &ComparisonInput<'_>, transition: &Transition) -> String {
    let label = |row: usize| input.label(&input.comparison.rows[row]);
    let corner = format!("{} ↓ to {} →", label(transition.from), label(transition.to));
    let mut columns = vec![(corner.as_str(), Column::Name)];
    columns.extend(STATES.map(|state| (state.name(), Column::Number)));
    let rows: Vec<Vec<String>> = STATES
        .iter()
        .zip(&transition.accounts)
        .map(|(state, counts)| std::iter::once(state.name().to_string()).chain(counts.map(count)).collect())
        .collect();
    let title = format!("From {} to {}", label(transition.from), label(transition.to));
    subsection(&title, &table(&columns, &rows, ""))
}

fn utilisation(input: &ComparisonInput<'_>) -> String {
    let rows = &input.comparison.rows;
    let Some(first) = rows.first() else { return String::new() };
    let labels: Vec<String> = rows.iter().map(|row| input.label(row)).collect();
    let mut columns = vec![("asset", Column::Name), ("adjusted collateral, as it is", Column::Number)];
    columns.extend(labels.iter().map(|label| (label.as_str(), Column::Number)));
    let mut assets: Vec<&AssetUtilisation> = first.metrics.assets.iter().filter(|of| of.asset.is_some()).collect();
    assets.sort_by(|a, b| b.collateral.total_cmp(&a.collateral));
    let of_asset = |of: &&AssetUtilisation| {
        let asset = of.asset.map_or("", |asset| &input.snapshot.assets[asset as usize].name);
        let in_row =
            |row: &ComparisonRow| share(row.metrics.of_asset(of.asset).and_then(AssetUtilisation::utilisation));
        let names = [shortened(asset, NAME_WIDTH), money(of.collateral)];
        names.into_iter().chain(rows.iter().map(in_row)).collect()
    };
    let mut lines: Vec<Vec<String>> = assets.iter().take(MOST_ASSETS).map(of_asset).collect();
    let total = ["all collateral".to_string(), money(first.metrics.totals.adjusted_collateral)];
    lines.push(total.into_iter().chain(rows.iter().map(|row| share(row.metrics.utilisation()))).collect());
    let unbacked = |row: &ComparisonRow| money(row.metrics.of_asset(None).map_or(0.0, |of| of.requirement));
    let required = ["required without collateral".to_string(), String::new()];
    lines.push(required.into_iter().chain(rows.iter().map(unbacked)).collect());
    let more = match assets.len().saturating_sub(MOST_ASSETS) {
        0 => String::new(),
        unlisted => {
            format!("<p class=\"soft\">The largest; {unlisted} more assets are in the table utilisation.</p>\n")
        }
    };
    table(&columns, &lines, "") + &more
}

fn definitions() -> Vec<String> {
    [
        "As it is: the pools of the snapshot. Cross: one pool for each account; opposite positions in one instrument close \
         each other and pay their profit out. Isolated: every position a pool of its own with a share of its pool's \
         collateral; pools that were isolated or hold one position keep their own.",
        "Diversification index: 1 − initial margin / initial margin of the isolated legs; the margin ratio is the rest. \
         Capital efficiency: gross notional of the book as it is / initial margin.",
        "Utilisation: initial margin / adjusted collateral. By asset, each pool's initial margin is divided among its \
         assets in proportion to their positive adjusted values.",
        "Liquidatable, bankrupt: pools in at least one scenario; verdicts: (pool, scenario). Shortfall: expected, over the \
         scenario weights. LGD, loss given default: expected shortfall / expected number of bankrupt pools.",
        "Contagion: legs of a liquidatable merged pool that, as isolated pools, are neither liquidatable nor bankrupt in \
         the same scenario, as a share of all its legs, and of their notional.",
        "Every decision is exact; a scenario is an instantaneous shock to the book as it stands.",
    ]
    .map(String::from)
    .to_vec()
}

fn run_facts(input: &ComparisonInput<'_>) -> String {
    let adapter = if input.comparison.adapter.is_empty() { "none" } else { &input.comparison.adapter };
    let own = [("engine", input.comparison.engine.as_str()), ("adapter", adapter)];
    let given = input.facts.iter().take(MOST_LISTED).map(|(name, value)| (name.as_str(), value.as_str()));
    facts(own.into_iter().chain(given))
}
