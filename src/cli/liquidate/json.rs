//! A liquidation as one JSON object: what scripts rely on.

use serde_json::{Map, Value, json};

use super::Found;
use crate::domain::Snapshot;
use crate::liquidation::critical::Critical;
use crate::liquidation::{BookFigures, Figure, Ladder, RoundFigures, Summary};
use crate::report::{CriticalRow, LiquidationInput};

/// The run.
pub(super) fn object(input: &LiquidationInput<'_>, found: &Found) -> Value {
    let outcome = input.outcome;
    let scenarios: Vec<Value> = outcome.scenarios.iter().map(|summary| scenario(summary, input.snapshot)).collect();
    let policies = input.policies.iter().map(|(name, outcome)| {
        let mut object = Map::from_iter([("policy".to_string(), Value::from(name.as_str()))]);
        object.extend(figures(&outcome.totals().figures()));
        object.insert("digest".into(), outcome.digest.as_str().into());
        Value::from(object)
    });
    json!({
        "digest": outcome.digest,
        "engine": outcome.engine,
        "adapter": outcome.adapter,
        "policy": input.policy_name,
        "selection": input.selection,
        "scenarios_of_the_set": found.choice.set_size(),
        "pools": input.snapshot.book.len(),
        "positions": input.snapshot.book.position_count(),
        "scenarios": scenarios,
        "totals": figures(&outcome.totals().figures()),
        "policies": policies.collect::<Vec<_>>(),
        "runaway": input.runaway,
        "critical_depth": input.critical.iter().map(critical).collect::<Vec<_>>(),
        "sweeps": outcome.sweeps,
        "cells": outcome.cells,
        "audited_verdicts": outcome.audited_verdicts,
        "unknown_pools": outcome.unknown_pools,
        "rows_refused": found.inputs.rows_refused,
        "seconds": {"read": found.seconds.read, "rank": found.seconds.rank, "screen": outcome.seconds.screen,
            "sequence": outcome.seconds.sequence, "against": found.seconds.against,
            "critical_depth": found.seconds.critical},
        "warnings": outcome.warnings,
    })
}

fn scenario(summary: &Summary, snapshot: &Snapshot) -> Value {
    let mut object = Map::from_iter([
        ("scenario".to_string(), Value::from(summary.scenario.as_str())),
        ("ending".into(), summary.ending.name().into()),
    ]);
    object.extend(figures(&summary.figures()));
    let book = |book: &BookFigures| {
        let name = &snapshot.underlyings[book.underlying as usize].name;
        json!({"underlying": name, "shock": book.shock, "impact": book.impact, "flow": book.flow_quote})
    };
    let traded = summary.tally.traded.iter().map(|(index, (bought, sold))| {
        let name = &snapshot.instruments[*index as usize].name;
        json!({"instrument": name, "bought_notional": bought, "sold_notional": sold})
    });
    let actions = summary.tally.actions.iter().map(|(action, count)| (action.name().to_string(), (*count).into()));
    object.extend([
        ("ladder".to_string(), json!({"before": ladder(&summary.before), "after": ladder(&summary.after)})),
        ("actions".into(), Map::from_iter(actions).into()),
        ("by_round".into(), summary.rounds.iter().map(round).collect()),
        ("books".into(), summary.books.iter().map(book).collect()),
        ("traded".into(), traded.collect()),
        ("digest".into(), summary.digest.as_str().into()),
    ]);
    object.into()
}

fn figures(figures: &[(&'static str, Figure)]) -> Map<String, Value> {
    let value = |figure: Figure| match figure {
        Figure::Count(count) => count.into(),
        Figure::Difference(difference) => difference.into(),
        Figure::Number(number) => number.into(),
    };
    figures.iter().map(|(name, figure)| (name.to_string(), value(*figure))).collect()
}

fn ladder(ladder: &Ladder) -> Map<String, Value> {
    Ladder::NAMES.into_iter().zip(ladder.counts()).map(|(name, count)| (name.to_string(), count.into())).collect()
}

fn round(round: &RoundFigures) -> Value {
    json!({"step": round.step, "round": round.round, "events": round.events, "pools": round.pools,
        "liquidated_notional": round.liquidated_notional, "cost": round.cost, "fund_draw": round.fund_draw,
        "adl_notional": round.deleveraged_notional, "impact": round.impact})
}

fn critical(row: &CriticalRow) -> Value {
    let (answer, below, above) = match row.critical {
        Critical::Unmoved => ("unmoved", None, None),
        Critical::Never => ("never", None, None),
        Critical::Always => ("always", None, None),
        Critical::Between { below, above } => ("between", Some(below), Some(above)),
    };
    json!({"scenario": row.scenario, "scope": row.scope, "runs_away": answer, "runs_away_at": below, "stable_at": above})
}
