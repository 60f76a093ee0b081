//! What a replay of thresholds found, as JSON and as text.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::show::moment;
use crate::backtest::LikelihoodRatio;
use crate::forecast::overlay::{AccountFigures, Direction, Measured, Replay, Terms};

/// One JSON object: what scripts rely on.
pub(super) fn json(terms: &Terms, replay: &Replay) -> Value {
    let coefficients = &terms.coefficients;
    json!({
        "asset": terms.underlying,
        "from": moment(replay.hours[0]),
        "to": moment(replay.hours[1]),
        "steps": replay.steps,
        "confidence": terms.confidence,
        "followed": terms.chosen,
        "overlay": {
            "blend": coefficients.blend, "floor": coefficients.floor, "cap": coefficients.cap,
            "rise_per_day": coefficients.rise_per_day, "half_life_days": coefficients.half_life_days,
            "notice_hours": coefficients.notice_hours,
        },
        "in_sample": replay.in_sample.iter().map(measured_json).collect::<Vec<_>>(),
        "walk_forward": replay.walk_forward.iter().map(measured_json).collect::<Vec<_>>(),
        "accounts": replay.accounts.iter().map(accounts_json).collect::<Vec<_>>(),
        "population": { "accounts": terms.population.accounts, "seed": terms.population.seed },
        "changes": replay.changes.len(),
    })
}

fn measured_json(measured: &Measured) -> Value {
    let test =
        |test: Option<LikelihoodRatio>| test.map(|test| json!({ "statistic": test.statistic, "p": test.p_value }));
    let Measured { overlapping, days, procyclicality, .. } = measured;
    json!({
        "rule": measured.rule,
        "direction": measured.direction.name(),
        "mean_margin": measured.mean_margin,
        "coverage": overlapping.share(),
        "observations": overlapping.observations,
        "observations_overlap": true,
        "exceedances": overlapping.exceedances,
        "shortfall_sum": overlapping.shortfall_sum,
        "shortfall_max": overlapping.max_shortfall(),
        "days": {
            "observations": days.coverage.observations, "exceedances": days.coverage.exceedances,
            "coverage": days.coverage.share(), "kupiec": test(days.proportion),
            "christoffersen": test(days.independence), "conditional": test(days.conditional),
        },
        "peak_to_trough": procyclicality.peak_to_trough,
        "rise_1_day": procyclicality.largest_rise[0],
        "rise_5_days": procyclicality.largest_rise[1],
        "rise_30_days": procyclicality.largest_rise[2],
    })
}

fn accounts_json(figures: &AccountFigures) -> Value {
    let against = figures
        .against
        .iter()
        .map(|against| json!({ "rule": against.rule, "avoided": against.avoided, "caused": against.caused }));
    json!({
        "rule": figures.rule, "liquidations": figures.liquidations, "bankruptcies": figures.bankruptcies,
        "shortfall": figures.shortfall, "mean_posted": figures.mean_posted, "against": against.collect::<Vec<_>>(),
    })
}

/// The same for reading.
pub(super) fn text(terms: &Terms, replay: &Replay) -> String {
    let [from, to] = replay.hours.map(moment);
    let mut text = format!(
        "{}: {} steps, {from} to {to}; worst loss within {} h, margins scaled to cover {} %; the overlay follows {}",
        terms.underlying,
        replay.steps,
        terms.horizon_hours,
        100.0 * terms.confidence,
        terms.chosen,
    );
    let ways = [
        ("scaled in sample: only shapes are compared", &replay.in_sample),
        ("scaled by the past alone", &replay.walk_forward),
    ];
    for (way, measured) in ways.into_iter().filter(|(_, measured)| !measured.is_empty()) {
        for direction in Direction::ALL {
            let rows = measured.iter().filter(|measured| measured.direction == direction);
            text.push_str(&format!("\n\n{}, {way}\n{}", direction.name(), rule_table(rows)));
        }
    }
    text.push_str("\nsteps overlap; the days and the p-value of their coverage and independence together do not\n");
    let Terms { population, maintenance_share, .. } = terms;
    text.push_str(&format!(
        "\n{} accounts (seed {}), maintenance {} % of initial margin, at equal coverage in sample of both directions\n{}",
        population.accounts,
        population.seed,
        100.0 * maintenance_share,
        account_table(&replay.accounts),
    ));
    text.push_str(&format!("\n{} changes of multipliers", replay.changes.len()));
    text
}

fn rule_table<'a>(rows: impl Iterator<Item = &'a Measured>) -> Table {
    let header =
        ["rule", "mean margin", "coverage", "Σ shortfall", "peak/trough", "1 d", "5 d", "30 d", "days beyond", "p"];
    let ratio = |value: Option<f64>| value.map_or_else(|| "–".into(), |value| format!("{value:.2}"));
    let rows = rows.map(|measured| {
        let Measured { overlapping, days, procyclicality, .. } = measured;
        let rise = |at: usize| ratio(procyclicality.largest_rise[at].map(|rise| 1.0 + rise));
        vec![
            measured.rule.clone(),
            percent(measured.mean_margin),
            overlapping.share().map_or_else(|| "–".into(), percent),
            format!("{:.2}", overlapping.shortfall_sum),
            ratio(procyclicality.peak_to_trough),
            rise(0),
            rise(1),
            rise(2),
            format!("{} of {}", days.coverage.exceedances, days.coverage.observations),
            days.conditional.map_or_else(|| "–".into(), |test| format!("{:.3}", test.p_value)),
        ]
    });
    table(&header, rows)
}

fn account_table(accounts: &[AccountFigures]) -> Table {
    let others = accounts.first().map_or(&[][..], |figures| &figures.against);
    let columns =
        others.iter().flat_map(|against| ["avoided", "caused"].map(|what| format!("{what} v. {}", against.rule)));
    let header = ["rule", "posted", "liquidations", "bankruptcies", "shortfall"].map(str::to_owned);
    let header: Vec<String> = header.into_iter().chain(columns).collect();
    let rows = accounts.iter().map(|figures| {
        let counts = [figures.liquidations, figures.bankruptcies].map(|count| count.to_string());
        let against = figures.against.iter().flat_map(|against| [against.avoided, against.caused]);
        let first = [figures.rule.clone(), percent(figures.mean_posted)];
        let shortfall = format!("{:.2}", figures.shortfall);
        let against = against.map(|count| count.to_string());
        first.into_iter().chain(counts).chain([shortfall]).chain(against).collect()
    });
    table(&header, rows)
}

fn table(header: &[impl AsRef<str>], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header.iter().map(AsRef::as_ref));
    rows.for_each(|row| {
        table.add_row(row);
    });
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}
