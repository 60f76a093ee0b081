//! What a calibration has found, for reading and as JSON.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::calibration::{
    Answer, ConstraintAnswer, CoverNeed, Division, FrontPoint, Interval, ParameterAnswer, PoolChange, Reading, Segment,
    Sensitivity, Sizing, inversions,
};

/// What was found.
pub(super) struct Found {
    pub(super) answer: Answer,
    /// Pools that segments were made of.
    pub(super) pools: Vec<PoolChange>,
    /// Ids of the scenarios that were searched over.
    pub(super) scenario_ids: Vec<String>,
    /// The rulebook file.
    pub(super) text: String,
    pub(super) digest: String,
    /// Rulebooks that were measured, each once.
    pub(super) candidates: u64,
    pub(super) warnings: Vec<String>,
}

/// What the answer rests on and cannot show.
pub(super) const LIMITS: [&str; 4] = [
    "Losses are those of the scenarios given, at once and without liquidations on the way, unless a constraint runs them.",
    "Books do not react: nobody trades less, or more, because margin changes.",
    "An interval is of one parameter, the others at the answer; it knows of other draws of these scenarios, not of other markets.",
    "What is searched over is met by construction; only what was held out says how it does elsewhere.",
];

impl Found {
    /// With warnings of the front, and of what was held out.
    pub(super) fn warned(mut self) -> Self {
        let front = &self.answer.front;
        self.warnings.extend(inversions(front).into_iter().map(|place| {
            let (stricter, looser) = (front[place].relaxed, front[place + 1].relaxed);
            format!(
                "front: a tolerance of {stricter} asks for less than one of {looser}: a search ended early, raise search.evaluations"
            )
        }));
        let held_out =
            self.answer.constraints.iter().filter_map(|constraint| Some((&constraint.name, constraint.hold_out?)));
        self.warnings.extend(held_out.filter(|(_, reading)| !reading.is_met()).map(|(name, reading)| {
            format!(
                "held out, {name} is {} where {} is asked: what was searched over does not show enough",
                reading.value, reading.limit
            )
        }));
        self
    }

    pub(super) fn json(&self) -> Value {
        let answer = &self.answer;
        let names = answer.constraint_names();
        let list = |values: Vec<Value>| Value::Array(values);
        json!({
            "met": answer.is_met,
            "parameters": list(answer.parameters.iter().map(|parameter| parameter_json(parameter, &names)).collect()),
            "constraints": list(answer.constraints.iter().map(constraint_json).collect()),
            "confidence": answer.confidence,
            "margin": { "old": answer.margin[0], "new": answer.margin[1] },
            "objective": { "old": answer.objective[0], "new": answer.objective[1] },
            "coverage": list(answer.coverage.iter().map(|row| json!({
                "name": row.name,
                "in_sample": row.in_sample.share,
                "hold_out": row.hold_out.and_then(|covered| covered.share),
            })).collect()),
            "front": list(answer.front.iter().map(front_json).collect()),
            "sensitivity": list(answer.sensitivities.iter().map(|row| self.sensitivity_json(row)).collect()),
            "segments": list(answer.segments.iter().map(segment_json).collect()),
            "sizing": self.sizing_json(&answer.sizing),
            "sweeps": answer.sweeps,
            "evaluations": answer.evaluations,
            "candidates": self.candidates,
            "digest": self.digest,
            "limits": LIMITS,
            "warnings": self.warnings,
        })
    }

    fn sensitivity_json(&self, row: &Sensitivity) -> Value {
        let broken = row.broken().map(|constraint| self.answer.constraints[constraint].name.as_str());
        json!({
            "parameter": self.answer.parameters[row.axis].axis.name,
            "moved": row.moved,
            "value": row.value,
            "margin_change": row.margin_change,
            "objective_change": row.objective_change,
            "breaks": broken.collect::<Vec<_>>(),
        })
    }

    fn sizing_json(&self, sizing: &Sizing) -> Value {
        let need = |need: &CoverNeed| {
            json!({
                "amount": need.amount,
                "scenario": need.scenario.map(|scenario| self.scenario_ids[scenario as usize].as_str()),
                "accounts": need.accounts.iter().map(|account| sizing.contributions[*account].name.as_str()).collect::<Vec<_>>(),
            })
        };
        json!({
            "insurance_fund": sizing.levels.iter().map(|level| json!({
                "level": level.level,
                "value_at_risk": level.value_at_risk,
                "expected_shortfall": level.expected_shortfall,
            })).collect::<Vec<_>>(),
            "cheapest_fund": sizing.cheapest_fund,
            "default_fund": {
                "cover_1": need(&sizing.needs.cover_1),
                "cover_2": need(&sizing.needs.cover_2),
                "largest_or_next_two": need(&sizing.needs.largest_or_next_two),
            },
        })
    }

    pub(super) fn report(&self) -> String {
        let answer = &self.answer;
        let mut lines: Vec<String> = self.warnings.iter().map(|warning| format!("warning: {warning}")).collect();
        lines.push(self.parameter_table());
        lines.push(self.constraint_table());
        let [old, new] = answer.margin;
        lines.push(format!(
            "requirement of all pools: {new:.6e} quote units (was {old:.6e}, {:+.1} %)",
            100.0 * (new / old - 1.0)
        ));
        lines.push(self.front_table());
        let paying = |segment: &&Segment| segment.division == Division::Side;
        let sides = answer.segments.iter().filter(paying).map(|segment| {
            let change = segment.change().map_or("–".into(), |change| format!("{:+.1} %", 100.0 * change));
            format!("{} {change}", segment.name)
        });
        lines.push(format!("who pays more: {}", sides.collect::<Vec<_>>().join(", ")));
        let funds = answer.sizing.levels.iter().map(|level| {
            format!("{} % {:.4e} (ES {:.4e})", 100.0 * level.level, level.value_at_risk, level.expected_shortfall)
        });
        lines.push(format!("insurance fund: {}", funds.collect::<Vec<_>>().join(", ")));
        lines.push(format!("default fund: Cover-2 {:.4e} with its buffer", answer.sizing.needs.cover_2.amount));
        lines.push(format!(
            "{} candidates measured, {} sweep(s); digest {}",
            self.candidates, answer.sweeps, self.digest
        ));
        lines.join("\n")
    }

    fn parameter_table(&self) -> String {
        let names = self.answer.constraint_names();
        let mut table = table(&["parameter", "old", "new", "interval", "why"]);
        for parameter in &self.answer.parameters {
            let interval = parameter.interval.as_ref().map_or("–".into(), shown_interval);
            table.add_row([
                parameter.axis.name.clone(),
                format!("{:.6}", parameter.axis.old),
                format!("{:.6}", parameter.new),
                interval,
                parameter.why.text(&names),
            ]);
        }
        align(&mut table, 1..4);
        format!(
            "{table}\nintervals at {} % by block bootstrap, each with the others at the answer",
            100.0 * self.answer.confidence
        )
    }

    fn constraint_table(&self) -> String {
        let mut table = table(&["constraint", "was", "is", "limit", "held out", "met", "stops"]);
        for constraint in &self.answer.constraints {
            let value = |value: f64| if value.is_finite() { format!("{value:.6}") } else { "–".into() };
            let held_out = constraint.hold_out.map_or("–".into(), |reading| value(reading.value));
            table.add_row([
                constraint.name.clone(),
                value(constraint.old.value),
                value(constraint.new.value),
                value(constraint.new.limit),
                held_out,
                met(&constraint.new).into(),
                shown_stops(&constraint.stops),
            ]);
        }
        align(&mut table, 1..5);
        table.to_string()
    }

    fn front_table(&self) -> String {
        let mut table = table(&["tolerance", "requirement", "mean shortfall", "ES 99 %", "covered", "met"]);
        for point in &self.answer.front {
            table.add_row([
                format!("× {}", point.relaxed),
                format!("{:.4e}", point.margin),
                format!("{:.4e}", point.mean_shortfall),
                format!("{:.4e}", point.expected_shortfall),
                point.coverage.map_or("–".into(), |share| format!("{:.3} %", 100.0 * share)),
                if point.is_met { "yes".into() } else { "NO".to_string() },
            ]);
        }
        align(&mut table, 0..5);
        format!("capital against loss: what constraints tolerate, multiplied\n{table}")
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header.iter().copied());
    table
}

fn align(table: &mut Table, columns: std::ops::Range<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Whether a constraint holds, in a word.
fn met(reading: &Reading) -> &'static str {
    match (reading.is_measured(), reading.is_met()) {
        (_, false) => "NO",
        (true, true) => "yes",
        (false, true) => "not measured",
    }
}

/// The first few names.
fn shown_stops(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let first = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// An end that is the end of the range is open.
fn shown_interval(interval: &Interval) -> String {
    let below = if interval.is_open_below { "≤ " } else { "" };
    let above = if interval.is_open_above { "≥ " } else { "" };
    format!("{below}{:.6} to {above}{:.6}", interval.low, interval.high)
}

fn parameter_json(parameter: &ParameterAnswer, constraints: &[String]) -> Value {
    let interval = parameter.interval;
    json!({
        "name": parameter.axis.name,
        "old": parameter.axis.old,
        "new": parameter.new,
        "low": interval.map(|interval| interval.low),
        "high": interval.map(|interval| interval.high),
        "standard_error": interval.map(|interval| interval.standard_error),
        "open_below": interval.map(|interval| interval.is_open_below),
        "open_above": interval.map(|interval| interval.is_open_above),
        "range": [parameter.axis.low, parameter.axis.high],
        "why": parameter.why.text(constraints),
    })
}

/// A value that was not measured is null.
fn constraint_json(constraint: &ConstraintAnswer) -> Value {
    json!({
        "name": constraint.name,
        "value": constraint.new.value,
        "limit": constraint.new.limit,
        "met": constraint.new.is_measured().then(|| constraint.new.is_met()),
        "old": constraint.old.value,
        "hold_out": constraint.hold_out.map(|reading| reading.value),
        "hold_out_limit": constraint.hold_out.map(|reading| reading.limit),
        "hold_out_met": constraint.hold_out.map(|reading| reading.is_met()),
        "stops": constraint.stops,
    })
}

fn front_json(point: &FrontPoint) -> Value {
    json!({
        "relaxed": point.relaxed,
        "met": point.is_met,
        "margin": point.margin,
        "objective": point.objective,
        "mean_shortfall": point.mean_shortfall,
        "expected_shortfall": point.expected_shortfall,
        "coverage": point.coverage,
        "values": point.point,
    })
}

fn segment_json(segment: &Segment) -> Value {
    json!({
        "division": segment.division.name(),
        "name": segment.name,
        "pools": segment.pools,
        "old": segment.old,
        "new": segment.new,
        "change": segment.change(),
        "paying_more": segment.paying_more,
    })
}
