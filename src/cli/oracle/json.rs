//! Findings as one JSON object.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Findings;
use super::instrument_mark::InstrumentMark;
use super::rewrite::Written;
use crate::oracle::capture::{self, Capture};
use crate::oracle::{Action, Assessment, BySide, OraclePolicy, Quote};

/// Everything.
pub(super) fn of(findings: &Findings, out: Option<&Path>, written: Option<&Written>) -> Value {
    let inputs = &findings.inputs;
    let subjects = findings.subjects.iter().map(|(name, assessment)| {
        let policy = inputs.policies.get(name);
        subject(name, assessment, &findings.evidence(name).quotes, policy)
    });
    let without_price = findings.subjects.iter().filter(|(_, found)| found.formed.price.is_none());
    json!({
        "as_of": inputs.as_of.to_string(),
        "move": findings.movement,
        "subjects": subjects.collect::<Vec<_>>(),
        "instruments": findings.instruments.iter().map(instrument).collect::<Vec<_>>(),
        "without_price": without_price.map(|(name, _)| name).collect::<Vec<_>>(),
        "out": out.map(|out| out.display().to_string()),
        "written": written.map(|written| json!({
            "assets": written.assets,
            "underlyings": written.underlyings,
            "instruments": written.instruments,
            "kept": written.kept,
        })),
    })
}

fn subject(name: &str, assessment: &Assessment, quotes: &[Quote], policy: &OraclePolicy) -> Value {
    let formed = &assessment.formed;
    let source = |place: usize| quotes[place].source.as_str();
    let relative = formed.confidence.zip(formed.median).map(|(confidence, median)| confidence / median.abs());
    let dropped = formed
        .dropped
        .iter()
        .map(|dropped| json!({ "source": source(dropped.quote), "reason": dropped.reason.word() }));
    let initial = assessment.conservative.map(sides);
    json!({
        "subject": name,
        "price": formed.price,
        "median": formed.median,
        "confidence": formed.confidence,
        "relative_confidence": relative.filter(|relative| relative.is_finite()),
        "verdict": formed.verdict.word(),
        "age_seconds": formed.age_seconds,
        "weight_used": formed.weight_used,
        "weight": formed.weight,
        "used": formed.used.iter().map(|&place| source(place)).collect::<Vec<_>>(),
        "dropped": dropped.collect::<Vec<_>>(),
        "stable": assessment.stable,
        "mark": assessment.mark,
        "diverges": assessment.diverges,
        "prices": {
            "initial": initial,
            "withdraw": initial,
            "liquidation": assessment.mark.map(|mark| sides(BySide::both(mark))),
        },
        "validity": assessment.validity.word(),
        "actions": actions(assessment),
        "capture": captures(assessment, quotes, policy),
    })
}

fn sides(prices: BySide) -> Value {
    json!({ "asset": prices.asset, "liability": prices.liability })
}

fn actions(assessment: &Assessment) -> Map<String, Value> {
    let word = |action: Action| Action::WORDS.iter().find(|(_, known)| *known == action).map_or("", |(word, _)| word);
    assessment.actions.iter().map(|(action, may)| (word(*action).into(), (*may).into())).collect()
}

fn captures(assessment: &Assessment, quotes: &[Quote], policy: &OraclePolicy) -> Value {
    let formed = &assessment.formed;
    let source = |place: usize| quotes[place].source.as_str();
    let capture = |found: &Option<Capture>| {
        found.as_ref().map(|found| {
            let sources: Vec<&str> = found.quotes.iter().map(|&place| source(place)).collect();
            json!({ "sources": sources, "weight": found.weight, "cost": found.cost, "exact": found.is_exact })
        })
    };
    let [up, down] = &assessment.captures;
    let reach = assessment
        .reach
        .iter()
        .map(|reach| json!({ "source": source(reach.quote), "lowest": reach.lowest, "highest": reach.highest }));
    let majority = capture::majority(quotes, formed, policy);
    json!({
        "weight_needed": majority.map(|majority| majority.weight),
        "weight_needed_exact": majority.map(|majority| majority.is_exact),
        "fewest_sources": capture::fewest_sources(quotes, formed, policy),
        "up": capture(up),
        "down": capture(down),
        "cost": up.iter().chain(down).map(|found| found.cost).reduce(f64::min),
        "without_cost": assessment.without_cost.iter().map(|&place| source(place)).collect::<Vec<_>>(),
        "reach": reach.collect::<Vec<_>>(),
    })
}

fn instrument(found: &InstrumentMark) -> Value {
    json!({
        "instrument": found.instrument,
        "underlying": found.underlying,
        "mark": found.mark,
        "diverges": found.diverges,
    })
}
