//! The page of a calibration: what was free, what was found, what binds, who pays.

use super::calibration_chart;
use super::format::{count, escaped, money, number, percent, relative_move, shortened};
use super::page::{Column, cards, facts, figure, list, page, section, subsection, table};
use crate::calibration::{
    Answer, ConstraintAnswer, CoverNeed, Covered, Interval, ParameterAnswer, PoolChange, Reading, Sensitivity,
};

/// Characters of a name.
const NAME_WIDTH: usize = 44;
/// Rows of a table that has one per portfolio or account.
const MOST_ROWS: usize = 60;
/// Most warnings and run facts listed.
const MOST_LISTED: usize = 100;

/// What the page is made of. The same input gives the same text.
#[derive(Debug, Clone, Copy)]
pub struct CalibrationInput<'a> {
    /// What was found.
    pub answer: &'a Answer,
    /// The pools that the segments were made of; empty leaves the names of those that rise most out.
    pub pools: &'a [PoolChange],
    /// Ids of the scenarios that were searched over.
    pub scenario_ids: &'a [String],
    /// What the answer rests on and cannot show: sentences.
    pub limits: &'a [String],
    /// Warnings of the run.
    pub warnings: &'a [String],
    /// Facts of the run to list (name, value).
    pub facts: &'a [(String, String)],
    /// Digest of the results.
    pub digest: &'a str,
}

/// A calibration as one HTML file: no script, no network. Every name is escaped.
pub fn calibration_html(input: &CalibrationInput<'_>) -> String {
    let answer = input.answer;
    let body = [
        header(input),
        section("Parameters", &parameters(answer)),
        section("What binds", &constraints(answer)),
        section("What it costs", &format!("<div class=\"charts\">\n{}</div>\n", charts(answer))),
        section("Capital against loss", &front(answer)),
        section("Coverage", &coverage(answer)),
        section("Small changes", &sensitivities(answer)),
        section("Who pays more", &segments(input)),
        section("Funds", &sizing(input)),
        section("How to read this", &list(&definitions(answer.confidence), MOST_LISTED)),
        section("What this rests on", &list(input.limits, MOST_LISTED)),
        section("Warnings", &list(input.warnings, MOST_LISTED)),
        section("Run", &facts(input.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())))),
    ];
    page("Plimsoll calibration", &body.concat())
}

fn header(input: &CalibrationInput<'_>) -> String {
    let answer = input.answer;
    let verdict = match answer.is_met {
        true => "<p>Every constraint is met.</p>\n".to_string(),
        false => {
            let unmet: String = answer.unmet().iter().map(|unmet| format!("<li>{}</li>\n", escaped(unmet))).collect();
            format!(
                "<p class=\"bad\">Constraints cannot all be met. The values are those of the least broken candidate.</p>\n<ul>{unmet}</ul>\n"
            )
        }
    };
    let [old, new] = answer.margin;
    let binding = answer.constraints.iter().filter(|constraint| !constraint.stops.is_empty()).count();
    let cards = cards(&[
        (money(new), "margin required, quote units"),
        (change(old, new), "against the old rulebook"),
        (count(answer.parameters.len() as u64), "free parameters"),
        (format!("{} of {}", count(binding as u64), count(answer.constraints.len() as u64)), "constraints that bind"),
        (count(answer.evaluations as u64), "candidates evaluated"),
        (count(answer.sweeps), "sweeps"),
    ]);
    let digest = escaped(input.digest);
    format!("<header><h1>Plimsoll calibration</h1>\n{verdict}{cards}<p class=\"soft\">Digest {digest}</p>\n</header>\n")
}

/// A relative change; `–` where there was nothing.
fn change(old: f64, new: f64) -> String {
    if old > 0.0 && new.is_finite() { relative_move(new / old - 1.0) } else { "–".into() }
}

/// A threshold: six significant digits or so.
fn value(value: f64) -> String {
    let places = if value.abs() >= 100.0 { 2 } else { 6 };
    number(value, places)
}

fn parameters(answer: &Answer) -> String {
    let columns = [
        ("parameter", Column::Name),
        ("old", Column::Number),
        ("new", Column::Number),
        ("change", Column::Number),
        ("interval", Column::Number),
        ("standard error", Column::Number),
        ("range", Column::Number),
        ("why it stands there", Column::Text),
    ];
    let names = answer.constraint_names();
    let row = |parameter: &ParameterAnswer| {
        let axis = &parameter.axis;
        vec![
            shortened(&axis.name, NAME_WIDTH),
            value(axis.old),
            value(parameter.new),
            change(axis.old, parameter.new),
            parameter.interval.as_ref().map_or_else(|| "–".into(), interval),
            parameter.interval.map_or_else(|| "–".into(), |interval| value(interval.standard_error)),
            format!("{} to {}", value(axis.low), value(axis.high)),
            parameter.why.text(&names),
        ]
    };
    table(&columns, &answer.parameters.iter().map(row).collect::<Vec<_>>(), "No parameter was free.")
}

fn interval(interval: &Interval) -> String {
    let low = if interval.is_open_below { "≤ " } else { "" };
    let high = if interval.is_open_above { "≥ " } else { "" };
    format!("{low}{} to {high}{}", value(interval.low), value(interval.high))
}

fn constraints(answer: &Answer) -> String {
    let columns = [
        ("constraint", Column::Name),
        ("old", Column::Number),
        ("new", Column::Number),
        ("limit", Column::Number),
        ("slack", Column::Number),
        ("met", Column::Name),
        ("hold-out", Column::Number),
        ("met there", Column::Name),
        ("stops", Column::Text),
    ];
    let met = |reading: &Reading| match (reading.is_measured(), reading.is_met()) {
        (_, false) => "no",
        (true, true) => "yes",
        (false, true) => "not measured",
    };
    let row = |constraint: &ConstraintAnswer| {
        let ConstraintAnswer { name, old, new, hold_out, stops, .. } = constraint;
        vec![
            shortened(name, NAME_WIDTH),
            value(old.value),
            value(new.value),
            value(new.limit),
            if new.slack.is_finite() { percent(new.slack) } else { "–".into() },
            met(new).into(),
            hold_out.as_ref().map_or_else(|| "–".into(), |reading| value(reading.value)),
            hold_out.as_ref().map_or("–", met).into(),
            shortened(&stops.join(", "), 4 * NAME_WIDTH),
        ]
    };
    table(&columns, &answer.constraints.iter().map(row).collect::<Vec<_>>(), "Nothing had to hold.")
}

fn charts(answer: &Answer) -> String {
    let names: Vec<&str> = answer.parameters.iter().map(|parameter| parameter.axis.name.as_str()).collect();
    let front = figure(
        "Capital against loss",
        "Each point is a calibration of its own: tolerated shares and losses times the number beside it.",
        &calibration_chart::front(&answer.front),
    );
    let small_changes = figure(
        "A tenth less, a tenth more",
        "Change of the margin when one parameter moves and the others stay.",
        &calibration_chart::sensitivities(&names, &answer.sensitivities),
    );
    front + &small_changes
}

/// A share near one, to a thousandth of a percent: 99.9 % and 99.99 % are far apart.
fn covered_share(share: Option<f64>) -> String {
    share.map_or_else(|| "–".into(), |share| format!("{} %", number(100.0 * share, 3)))
}

fn front(answer: &Answer) -> String {
    let columns = [
        ("tolerance", Column::Number),
        ("met", Column::Name),
        ("margin", Column::Number),
        ("against the answer", Column::Number),
        ("mean shortfall", Column::Number),
        ("expected shortfall 99 %", Column::Number),
        ("coverage", Column::Number),
    ];
    let rows = answer.front.iter().map(|point| {
        vec![
            format!("× {}", number(point.relaxed, 4)),
            if point.is_met { "yes" } else { "no" }.into(),
            money(point.margin),
            change(answer.margin[1], point.margin),
            money(point.mean_shortfall),
            money(point.expected_shortfall),
            covered_share(point.coverage),
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>(), "No other tolerance was tried.")
}

fn coverage(answer: &Answer) -> String {
    let columns = [
        ("class or portfolio", Column::Name),
        ("observed", Column::Number),
        ("exceeded", Column::Number),
        ("coverage", Column::Number),
        ("hold-out observed", Column::Number),
        ("hold-out exceeded", Column::Number),
        ("hold-out coverage", Column::Number),
    ];
    let figures = |covered: Option<Covered>| match covered {
        Some(covered) => [count(covered.observed), count(covered.exceeded), covered_share(covered.share)],
        None => ["–", "–", "–"].map(String::from),
    };
    let rows = answer.coverage.iter().take(MOST_ROWS).map(|row| {
        let name = std::iter::once(shortened(&row.name, NAME_WIDTH));
        name.chain(figures(Some(row.in_sample))).chain(figures(row.hold_out)).collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    table(&columns, &rows, "No loss was observed.") + &others(answer.coverage.len())
}

/// Says how many rows a table leaves out.
fn others(rows: usize) -> String {
    match rows.checked_sub(MOST_ROWS).filter(|left| *left > 0) {
        Some(left) => {
            format!("<p class=\"soft\">… and {} more in the tables beside this page.</p>\n", count(left as u64))
        }
        None => String::new(),
    }
}

fn sensitivities(answer: &Answer) -> String {
    let columns = [
        ("parameter", Column::Name),
        ("moved", Column::Number),
        ("to", Column::Number),
        ("margin", Column::Number),
        ("objective", Column::Number),
        ("breaks", Column::Text),
    ];
    let names: Vec<&str> = answer.parameters.iter().map(|parameter| parameter.axis.name.as_str()).collect();
    let constraints = answer.constraint_names();
    let row = |moved: &Sensitivity| {
        let broken: Vec<&str> = moved.broken().filter_map(|at| constraints.get(at)).map(String::as_str).collect();
        vec![
            shortened(names.get(moved.axis).copied().unwrap_or_default(), NAME_WIDTH),
            relative_move(moved.moved),
            value(moved.value),
            money(moved.margin_change),
            money(moved.objective_change),
            broken.join(", "),
        ]
    };
    let rows: Vec<Vec<String>> = answer.sensitivities.iter().take(MOST_ROWS).map(row).collect();
    table(&columns, &rows, "No parameter can move.") + &others(answer.sensitivities.len())
}

fn segments(input: &CalibrationInput<'_>) -> String {
    let columns = [
        ("by", Column::Name),
        ("segment", Column::Name),
        ("pools", Column::Number),
        ("old", Column::Number),
        ("new", Column::Number),
        ("change", Column::Number),
        ("pools that pay more", Column::Number),
        ("largest rise", Column::Number),
        ("pool", Column::Name),
    ];
    let rows = input.answer.segments.iter().map(|segment| {
        let pool = segment.largest_rise.and_then(|(_, place)| input.pools.get(place));
        vec![
            segment.division.name().into(),
            if segment.name.is_empty() { "none".into() } else { shortened(&segment.name, NAME_WIDTH) },
            count(segment.pools),
            money(segment.old),
            money(segment.new),
            change(segment.old, segment.new),
            percent(segment.share_paying_more()),
            segment.largest_rise.map_or_else(|| "–".into(), |(rise, _)| relative_move(rise)),
            pool.map_or_else(String::new, |pool| shortened(&pool.name, NAME_WIDTH)),
        ]
    });
    table(&columns, &rows.collect::<Vec<_>>(), "The book has no pools.")
}

fn sizing(input: &CalibrationInput<'_>) -> String {
    let sizing = &input.answer.sizing;
    let columns =
        [("level", Column::Number), ("value at risk", Column::Number), ("expected shortfall", Column::Number)];
    let rows = sizing
        .levels
        .iter()
        .map(|level| vec![percent(level.level), money(level.value_at_risk), money(level.expected_shortfall)]);
    let mut insurance = table(&columns, &rows.collect::<Vec<_>>(), "Nothing was measured.");
    if let Some(fund) = sizing.cheapest_fund {
        insurance.push_str(&format!("<p>The fund of least cost holds {}.</p>\n", money(fund)));
    }
    let insurance = subsection("Insurance fund", &insurance);
    insurance + &subsection("Default fund", &needs(input)) + &subsection("Who pays into it", &contributions(input))
}

fn needs(input: &CalibrationInput<'_>) -> String {
    let columns = [
        ("rule", Column::Name),
        ("fund", Column::Number),
        ("set by scenario", Column::Name),
        ("accounts", Column::Text),
    ];
    let sizing = &input.answer.sizing;
    let row = |(rule, need): (&str, &CoverNeed)| {
        let scenario = need.scenario.and_then(|scenario| input.scenario_ids.get(scenario as usize));
        let accounts = need.accounts.iter().filter_map(|account| sizing.contributions.get(*account));
        let accounts: Vec<String> = accounts.map(|account| shortened(&account.name, NAME_WIDTH)).collect();
        let scenario = scenario.map_or_else(|| "–".into(), |id| shortened(id, NAME_WIDTH));
        vec![rule.into(), money(need.amount), scenario, accounts.join(", ")]
    };
    let rules = ["largest account", "two largest accounts", "largest, or second and third"];
    let needs = [&sizing.needs.cover_1, &sizing.needs.cover_2, &sizing.needs.largest_or_next_two];
    table(&columns, &rules.into_iter().zip(needs).map(row).collect::<Vec<_>>(), "Nothing is lost.")
}

fn contributions(input: &CalibrationInput<'_>) -> String {
    let columns = [
        ("account", Column::Name),
        ("key", Column::Number),
        ("requirement", Column::Number),
        ("mean excess", Column::Number),
    ];
    let mut ranked: Vec<_> = input.answer.sizing.contributions.iter().collect();
    ranked.sort_by_key(|contribution| std::cmp::Reverse(contribution.key));
    let row = |paid: &&crate::calibration::Contribution| {
        let name = shortened(&paid.name, NAME_WIDTH);
        vec![name, percent(paid.share()), money(paid.requirement), money(paid.mean_excess)]
    };
    let rows: Vec<Vec<String>> = ranked.iter().take(MOST_ROWS).map(row).collect();
    table(&columns, &rows, "There is no account.") + &others(ranked.len())
}

fn definitions(confidence: f64) -> Vec<String> {
    vec![
        format!(
            "Interval: percentiles, at a confidence of {}, of where the parameter would have ended had other scenarios come \
             (block bootstrap), the other parameters as found. ≤ and ≥ mark ends of the range.",
            percent(confidence)
        ),
        "Why it stands there: the constraint that breaks one tolerance looser, or else what ended the search on it."
            .into(),
        "Slack: how far a constraint is from being broken, relative to what it tolerates.".into(),
        "Shortfall: what all pools together lose beyond what they had to have, by scenario, quote units.".into(),
        "Size: tenths of the pools by gross notional, 1 the smallest. Hedged: net below a fifth of gross.".into(),
        "Default fund: chosen scenario by scenario, the largest over all scenarios, buffer included. Keys sum to one."
            .into(),
    ]
}
