//! Findings as tables and sentences.

use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};

use super::Findings;
use super::rewrite::Written;
use crate::oracle::{Action, Assessment, Quote, capture};

/// Everything.
pub(super) fn text(findings: &Findings, out: Option<&Path>, written: Option<&Written>) -> String {
    let mut parts = vec![
        format!("prices formed at {}", findings.inputs.as_of),
        prices(findings).to_string(),
        uses(findings).to_string(),
        costs(findings).to_string(),
    ];
    if !findings.instruments.is_empty() {
        parts.push(instruments(findings).to_string());
    }
    let sentences = sentences(findings, out, written);
    if !sentences.is_empty() {
        parts.push(sentences.join("\n"));
    }
    parts.join("\n\n")
}

fn prices(findings: &Findings) -> Table {
    let header = [
        "subject",
        "price",
        "confidence",
        "mark",
        "stable",
        "initial: asset",
        "liability",
        "sources",
        "weight",
        "verdict",
    ];
    let mut table = start(&header);
    for (name, found) in &findings.subjects {
        let formed = &found.formed;
        table.add_row([
            name.clone(),
            figure(formed.price),
            figure(formed.confidence),
            figure(found.mark),
            figure(found.stable),
            figure(found.conservative.map(|prices| prices.asset)),
            figure(found.conservative.map(|prices| prices.liability)),
            format!("{} of {}", formed.used.len(), formed.used.len() + formed.dropped.len()),
            format!("{} of {}", formed.weight_used, formed.weight),
            formed.verdict.word().into(),
        ]);
    }
    right(table)
}

/// What each price may be used for.
fn uses(findings: &Findings) -> Table {
    let actions = Action::WORDS.map(|(word, _)| word);
    let mut table = start(&["subject", "validity"].into_iter().chain(actions).collect::<Vec<_>>());
    for (name, found) in &findings.subjects {
        let may = found.actions.map(|(action, may)| match (may, action) {
            (true, _) => "yes",
            (false, Action::Liquidate) if found.diverges => "no: mark diverges",
            (false, _) => "no",
        });
        table.add_row([name.as_str(), found.validity.word()].into_iter().chain(may));
    }
    table
}

/// What capturing each price costs.
fn costs(findings: &Findings) -> Table {
    let up = format!("up {}: sources", percent(findings.movement));
    let down = format!("down {}: sources", percent(findings.movement));
    let header =
        ["subject", "weight needed", "fewest sources", &up, "cost", &down, "cost", "one source moves it within"];
    let mut table = start(&header);
    for (name, found) in &findings.subjects {
        let quotes = &findings.evidence(name).quotes;
        let policy = findings.inputs.policies.get(name);
        let [up, down] = found.captures.each_ref().map(|capture| {
            let capture = capture.as_ref();
            let sources = capture.map_or_else(|| "–".into(), |capture| sources(quotes, &capture.quotes));
            let cost = capture.map(|capture| at_most(figure(Some(capture.cost)), capture.is_exact));
            (sources, cost.unwrap_or_else(|| "–".into()))
        });
        let needed = capture::majority(quotes, &found.formed, policy);
        table.add_row([
            name.clone(),
            needed.map_or_else(|| "–".into(), |needed| at_most(needed.weight.to_string(), needed.is_exact)),
            capture::fewest_sources(quotes, &found.formed, policy).to_string(),
            up.0,
            up.1,
            down.0,
            down.1,
            reach(found),
        ]);
    }
    right(table)
}

/// A figure that a search may have left too high says so.
fn at_most(figure: String, is_exact: bool) -> String {
    if is_exact { figure } else { format!("at most {figure}") }
}

/// The widest range that any single source can move the price in.
fn reach(found: &Assessment) -> String {
    let Some(price) = found.formed.median else { return "–".into() };
    let ends = |of: fn(&capture::Reach) -> Option<f64>, worst: fn(f64, f64) -> f64| {
        found.reach.iter().map(of).try_fold(price, |end, next| next.map(|next| worst(end, next)))
    };
    let text = |end: Option<f64>| end.map_or_else(|| "any price".into(), |end| figure(Some(end)));
    format!("{} … {}", text(ends(|reach| reach.lowest, f64::min)), text(ends(|reach| reach.highest, f64::max)))
}

fn instruments(findings: &Findings) -> Table {
    let mut table = start(&["instrument", "underlying", "mark", "diverges"]);
    for found in &findings.instruments {
        let diverges = if found.diverges { "yes" } else { "no" };
        table.add_row([found.instrument.clone(), found.underlying.clone(), figure(found.mark), diverges.into()]);
    }
    table
}

/// What was dropped and why, what has no price, what was written.
fn sentences(findings: &Findings, out: Option<&Path>, written: Option<&Written>) -> Vec<String> {
    let mut sentences = Vec::new();
    for (name, found) in &findings.subjects {
        let quotes = &findings.evidence(name).quotes;
        for dropped in &found.formed.dropped {
            let source = &quotes[dropped.quote].source;
            sentences.push(format!("{name}: {source} dropped: {}", dropped.reason.word()));
        }
        if found.formed.price.is_none() {
            sentences.push(format!("{name}: no usable price: {}", found.formed.verdict.word()));
        }
        if !found.without_cost.is_empty() {
            let sources = sources(quotes, &found.without_cost);
            sentences.push(format!("{name}: no cost of capture known, taken as impossible to capture: {sources}"));
        }
    }
    if let Some(out) = out {
        sentences.push(format!("written to {}", out.display()));
    }
    if let Some(written) = written {
        let Written { assets, underlyings, instruments, kept } = written;
        let counts = (assets.len(), underlyings.len(), instruments.len());
        sentences.push(format!("{} assets, {} underlyings, {} marks replaced", counts.0, counts.1, counts.2));
        if !kept.is_empty() {
            sentences.push(format!("old prices kept: {}", kept.join(", ")));
        }
    }
    sentences
}

fn sources(quotes: &[Quote], places: &[usize]) -> String {
    if places.is_empty() {
        return "none".into();
    }
    places.iter().map(|&place| quotes[place].source.as_str()).collect::<Vec<_>>().join(", ")
}

fn start(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header.iter().copied());
    table
}

fn right(mut table: Table) -> Table {
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn percent(fraction: f64) -> String {
    format!("{} %", (fraction * 1e6).round() / 1e4)
}

/// A figure to seven digits.
fn figure(value: Option<f64>) -> String {
    match value {
        None => "–".into(),
        Some(0.0) => "0".into(),
        Some(value) if !(1e-4..1e12).contains(&value.abs()) => format!("{value:.6e}"),
        Some(value) => {
            let digits = (6 - value.abs().log10().floor() as i32).max(0) as usize;
            let text = format!("{value:.digits$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').into(),
                false => text,
            }
        }
    }
}
