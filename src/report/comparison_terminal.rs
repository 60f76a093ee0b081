use super::comparison::{ComparisonInput, share};
use super::format::{count, money, plain, ratio};
use super::terminal::{name, table};
use crate::compare::{Arrangement, ComparisonRow};

/// Assets shown.
const SHOWN: usize = 6;

/// A comparison for a terminal of 100 columns. Names come without control characters; no colour codes.
pub fn comparison_summary(input: &ComparisonInput<'_>) -> String {
    let comparison = input.comparison;
    let mut text = format!(
        "{} positions × {} scenarios, {} rulebook(s), on the {} engine\n\n{}\n\n{}\n",
        count(input.snapshot.book.position_count() as u64),
        count(input.scenarios.len() as u64),
        comparison.rulebooks.len(),
        plain(&comparison.engine),
        margin(input),
        scenarios(input),
    );
    if comparison.rulebooks.len() == 1 {
        text.push_str(&format!("\n{}\n", utilisation(input)));
    }
    for row in &comparison.rows {
        let Some(contagion) = row.metrics.contagion.filter(|found| found.examined_pools < found.affected_pools) else {
            continue;
        };
        let (examined, affected) = (count(contagion.examined_pools), count(contagion.affected_pools));
        let label = name(&input.label(row));
        text.push_str(&format!("\n{label}: contagion of a sample, {examined} of {affected} affected pools"));
    }
    for warning in &comparison.warnings {
        text.push_str(&format!("\nwarning: {}", plain(warning)));
    }
    text
}

fn margin(input: &ComparisonInput<'_>) -> String {
    let header =
        ["at base", "pools", "initial", "maintenance", "diversif.", "efficiency", "utilis.", "health", "broken"];
    let mut table = table(&header, 1);
    for row in &input.comparison.rows {
        let metrics = &row.metrics;
        let beside = |mode| input.beside(row, mode);
        table.add_row([
            name(&input.label(row)),
            count(metrics.pools),
            money(metrics.totals.initial_margin),
            money(metrics.totals.maintenance_margin),
            share(beside(Arrangement::Isolated).and_then(|isolated| metrics.diversification_index(isolated))),
            ratio(beside(Arrangement::AsIs).and_then(|as_is| metrics.capital_efficiency(as_is.totals.gross_notional))),
            share(metrics.utilisation()),
            ratio(metrics.median_health),
            count(metrics.states_at_base[2] + metrics.states_at_base[3]),
        ]);
    }
    table.trim_fmt()
}

fn scenarios(input: &ComparisonInput<'_>) -> String {
    let header = ["over the scenarios", "liquidatable", "bankrupt", "shortfall", "LGD", "contagion", "worst scenario"];
    let mut table = table(&header, 1);
    for row in &input.comparison.rows {
        let metrics = &row.metrics;
        let id = metrics.worst.and_then(|worst| input.scenarios.ids.get(worst.scenario as usize));
        table.add_row([
            name(&input.label(row)),
            count(metrics.liquidatable),
            count(metrics.bankrupt),
            money(metrics.expected_shortfall),
            metrics.loss_given_default().map_or_else(|| "–".into(), money),
            share(metrics.contagion.and_then(|contagion| contagion.leg_share())),
            id.map_or_else(|| "–".into(), |id| name(id)),
        ]);
    }
    table.trim_fmt()
}

/// Utilisation of the largest assets, one column for each arrangement.
fn utilisation(input: &ComparisonInput<'_>) -> String {
    let rows = &input.comparison.rows;
    let labels: Vec<String> = rows.iter().map(|row| name(&input.label(row))).collect();
    let header: Vec<&str> =
        ["collateral", "as it is, value"].into_iter().chain(labels.iter().map(String::as_str)).collect();
    let mut table = table(&header, 1);
    let Some(first) = rows.first() else { return table.trim_fmt() };
    let mut assets: Vec<_> = first.metrics.assets.iter().filter(|of| of.asset.is_some()).collect();
    assets.sort_by(|a, b| b.collateral.total_cmp(&a.collateral));
    for of in assets.into_iter().take(SHOWN) {
        let in_row = |row: &ComparisonRow| share(row.metrics.of_asset(of.asset).and_then(|of| of.utilisation()));
        let asset = of.asset.map_or("", |asset| input.snapshot.assets[asset as usize].name.as_str());
        table.add_row([name(asset), money(of.collateral)].into_iter().chain(rows.iter().map(in_row)));
    }
    table.trim_fmt()
}
