//! The sections on Greeks: what the exchange holds, how it changes with the index, and what moved the pools that fail.

use super::ReportInput;
use super::figures::scenario_id;
use super::format::{count, money, percent, relative_move, shortened};
use super::greek_chart::{Bar, Panel, ladder, stacked};
use super::page::{Column, figure, subsection, table};
use crate::engine::greeks::{Attribution, Ladder, Parts};
use crate::pricing::Greeks;

/// Underlyings of the table.
const SHOWN: usize = 12;
/// Pools listed under the attribution.
const LOSERS: usize = 10;
/// Characters of an id.
const NAME_WIDTH: usize = 40;
/// Names of the parts of a profit or loss, in the order of [`parts`].
const PARTS: [&str; 5] = ["delta", "gamma", "vega", "theta", "rest"];

/// Delta, gamma, vega and theta as a desk reads them, quote units: delta · index; its change when the index rises by 1 %;
/// value of one point (0.01) of volatility; value of a day passing.
fn cash(greeks: Greeks, index_price: f64) -> [f64; 4] {
    let Greeks { delta, gamma, vega, theta, .. } = greeks;
    [delta * index_price, gamma * index_price * index_price / 100.0, vega / 100.0, theta / 365.0]
}

/// What the exchange holds, by underlying, and its ladders.
pub(super) fn holdings(input: &ReportInput<'_>) -> String {
    use Column::{Name, Number};
    let columns = [
        ("underlying", Name),
        ("pools", Number),
        ("net delta", Number),
        ("gross delta", Number),
        ("net gamma", Number),
        ("gross gamma", Number),
        ("net vega", Number),
        ("gross vega", Number),
        ("net theta", Number),
        ("gross theta", Number),
    ];
    let underlyings = &input.greeks.underlyings;
    let rows: Vec<Vec<String>> = underlyings
        .iter()
        .take(SHOWN)
        .map(|total| {
            let underlying = &input.snapshot.underlyings[total.underlying as usize];
            let mut row = vec![shortened(&underlying.name, NAME_WIDTH), count(total.pools)];
            row.extend(pairs(total.net, total.gross, underlying.index_price));
            row
        })
        .collect();
    let more = match underlyings.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" The {SHOWN} largest by gross delta are shown, {} are left out.", count(more as u64)),
    };
    let reading = format!(
        "<p class=\"soft\">At base, positions only, quote units. Delta: delta · index. Gamma: what a rise of 1 % adds to that. \
         Vega: one point of volatility. Theta: one day. Net: the sum over pools, 0 where every long has its short. Gross: the \
         sum of the pools' absolute values, long side plus short side.{more} The files hold all eight Greeks per pool and \
         per scenario.</p>\n"
    );
    let ladders: String = input.greeks.ladders.iter().map(|ladder| of_ladder(input, ladder)).collect();
    let (columns, rows) = without_zeros(columns.to_vec(), rows);
    format!("{reading}{}{ladders}", table(&columns, &rows, "No pool has a position."))
}

/// A table without the Greeks, net and gross, that are zero in all of it: a book without options has only deltas.
fn without_zeros(
    mut columns: Vec<(&'static str, Column)>,
    mut rows: Vec<Vec<String>>,
) -> (Vec<(&'static str, Column)>, Vec<Vec<String>>) {
    for gross in (3..columns.len()).rev().step_by(2) {
        if rows.iter().all(|row| row[gross] == "0") {
            columns.drain(gross - 1..=gross);
            rows.iter_mut().for_each(|row| drop(row.drain(gross - 1..=gross)));
        }
    }
    (columns, rows)
}

/// Net and gross figures side by side.
fn pairs(net: Greeks, gross: Greeks, index_price: f64) -> impl Iterator<Item = String> {
    let (net, gross) = net_and_gross(net, gross, index_price);
    net.into_iter().zip(gross).flat_map(|(net, gross)| [money(net), money(gross)])
}

/// Both as a desk reads them. What is left of a closed book is rounding: beside the gross it is nothing.
pub(super) fn net_and_gross(net: Greeks, gross: Greeks, index_price: f64) -> ([f64; 4], [f64; 4]) {
    let (mut net, gross) = (cash(net, index_price), cash(gross, index_price));
    for (net, gross) in net.iter_mut().zip(gross) {
        if net.abs() <= 1e-12 * gross {
            *net = 0.0;
        }
    }
    (net, gross)
}

fn of_ladder(input: &ReportInput<'_>, of: &Ladder) -> String {
    use Column::Number;
    let name = shortened(&input.snapshot.underlyings[of.underlying as usize].name, NAME_WIDTH);
    let columns = [
        ("move", Number),
        ("index", Number),
        ("net delta", Number),
        ("gross delta", Number),
        ("net gamma", Number),
        ("gross gamma", Number),
        ("net vega", Number),
        ("gross vega", Number),
        ("net theta", Number),
        ("gross theta", Number),
    ];
    let index = |index_move: f64| of.index_price * (1.0 + index_move);
    let row = |rung: &crate::engine::greeks::Rung| {
        let mut row = vec![relative_move(rung.index_move), money(index(rung.index_move))];
        row.extend(pairs(rung.net, rung.gross, index(rung.index_move)));
        row
    };
    let rows: Vec<Vec<String>> = of.rungs.iter().map(row).collect();
    let moves: Vec<f64> = of.rungs.iter().map(|rung| rung.index_move).collect();
    let figures: Vec<_> =
        of.rungs.iter().map(|rung| net_and_gross(rung.net, rung.gross, index(rung.index_move))).collect();
    let titles = ["delta · index", "gamma, per 1 %", "vega, per point", "theta, per day"];
    let panels = [0, 1, 2, 3].map(|greek| Panel {
        title: titles[greek],
        net: figures.iter().map(|(net, _)| net[greek]).collect(),
        gross: figures.iter().map(|(_, gross)| gross[greek]).collect(),
    });
    let reading = "The index of this underlying, the marks and forwards on it and its coin move; volatilities, time and every \
                   other price stand still. Where the gross peaks, hedges have to be traded most.";
    let chart = ladder(&format!("Greeks of {name} by move of the index"), &moves, &panels);
    let chart = figure("Greeks by move of the index", reading, &chart);
    subsection(
        &format!("{name}: ladder"),
        &format!("<div class=\"charts\">\n{chart}</div>\n{}", table(&columns, &rows, "")),
    )
}

/// Why the pools that fail in the worst scenarios lose.
pub(super) fn attribution(input: &ReportInput<'_>) -> String {
    let attributions = &input.outcome.attributions;
    let bars: Vec<Bar> = attributions
        .iter()
        .map(|of| Bar {
            label: format!("{}, {} pools", scenario_id(input, of.scenario), count(of.pools)),
            parts: parts(&of.total),
            sum: of.total.actual,
        })
        .collect();
    let empty = "No pool is liquidatable in any scenario.";
    let chart = stacked("Profit and loss of the liquidatable pools by Greek", PARTS, &bars, empty);
    let reading = "Each bar: the positions of all pools that are liquidatable in the scenario. The dot is the exact revaluation, \
                   which the parts add up to.";
    let chart = figure("Profit and loss by Greek", reading, &chart);
    let explained = "<p class=\"soft\">The worst scenarios by shortfall, then by liquidatable pools. Actual: value of the positions \
                     there − value at base, exactly revalued. Delta · ΔS, ½ · gamma · ΔS², vega · Δσ and theta · Δt with the Greeks \
                     at base; rest: what these leave (higher orders, vanna, volga, rates, basis, coin prices on earlier profit). A \
                     large rest says that Greeks at base are no guide to this scenario. Quote units.</p>\n";
    format!(
        "{explained}<div class=\"charts\">\n{chart}</div>\n{}{}",
        scenario_table(input, attributions, empty),
        loser_table(input, attributions)
    )
}

fn parts(of: &Parts) -> [f64; 5] {
    [of.delta, of.gamma, of.vega, of.theta, of.rest()]
}

fn part_columns(first: &[&'static str]) -> Vec<(&'static str, Column)> {
    let names = first.iter().map(|name| (*name, Column::Name));
    names.chain(["actual"].into_iter().chain(PARTS).map(|name| (name, Column::Number))).collect()
}

fn scenario_table(input: &ReportInput<'_>, attributions: &[Attribution], empty: &str) -> String {
    let mut columns = part_columns(&["scenario"]);
    columns.insert(1, ("pools", Column::Number));
    columns.push(("rest / actual", Column::Number));
    let row = |of: &Attribution| {
        let id = shortened(scenario_id(input, of.scenario), NAME_WIDTH);
        let mut row = vec![id, count(of.pools), money(of.total.actual)];
        row.extend(parts(&of.total).map(money));
        let share = of.total.rest() / of.total.actual;
        row.push(if share.is_finite() { percent(share) } else { "–".into() });
        row
    };
    table(&columns, &attributions.iter().map(row).collect::<Vec<_>>(), empty)
}

/// The pools that lose most, each in the scenario in which it loses most.
fn loser_table(input: &ReportInput<'_>, attributions: &[Attribution]) -> String {
    let mut losers: Vec<_> =
        attributions.iter().flat_map(|of| of.losers.iter().map(move |loser| (of.scenario, loser))).collect();
    losers.sort_by(|(s, a), (t, b)| a.parts.actual.total_cmp(&b.parts.actual).then((a.pool, s).cmp(&(b.pool, t))));
    let mut seen = std::collections::HashSet::new();
    losers.retain(|(_, loser)| seen.insert(loser.pool));
    losers.truncate(LOSERS);
    if losers.is_empty() {
        return String::new();
    }
    let row = |(scenario, loser): &(u32, &crate::engine::greeks::Loser)| {
        let (account, pool) = input.pools.names_of(loser.pool as usize);
        let names = [account, pool, scenario_id(input, *scenario)];
        let mut row: Vec<String> = names.iter().map(|name| shortened(name, NAME_WIDTH)).collect();
        row.push(money(loser.parts.actual));
        row.extend(parts(&loser.parts).map(money));
        row
    };
    let rows: Vec<Vec<String>> = losers.iter().map(row).collect();
    let columns = part_columns(&["account", "pool", "scenario"]);
    subsection("Largest losers among them", &table(&columns, &rows, ""))
}
