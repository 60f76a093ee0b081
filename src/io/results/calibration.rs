//! The tables of a calibration.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, StringArray};

use super::{ResultsWriter, counts, numbers};
use crate::calibration::{Answer, CoverNeed, Covered, Interval, PoolChange, Reading, Segment, Sensitivity};
use crate::error::Result;

type Columns = Vec<(&'static str, ArrayRef)>;

impl ResultsWriter {
    /// Writes `parameters`, `constraints`, `coverage`, `front` and `front_parameters`, `sensitivity` and
    /// `sensitivity_constraints`, `segments`, `funds` and `contributions`. `pools` are those that the segments were made of,
    /// `scenario_ids` those of the scenarios that were searched over.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_calibration(&self, answer: &Answer, pools: &[PoolChange], scenario_ids: &[String]) -> Result<()> {
        self.write_table("parameters", parameters(answer))?;
        self.write_table("constraints", constraints(answer))?;
        self.write_table("coverage", coverage(answer))?;
        self.write_table("front", front(answer))?;
        self.write_table("front_parameters", front_parameters(answer))?;
        self.write_table("sensitivity", sensitivity(answer))?;
        self.write_table("sensitivity_constraints", sensitivity_constraints(answer))?;
        self.write_table("segments", segments(&answer.segments, pools))?;
        self.write_table("funds", funds(answer, scenario_ids))?;
        self.write_table("contributions", contributions(answer))
    }
}

fn text<S: AsRef<str>>(values: impl Iterator<Item = S>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn flags(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(BooleanArray::from_iter(values))
}

/// A number that is one; null elsewhere.
fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

fn parameters(answer: &Answer) -> Columns {
    let rows = || answer.parameters.iter();
    let names = answer.constraint_names();
    let interval = |figure: fn(&Interval) -> f64| numbers(rows().map(move |row| row.interval.as_ref().map(figure)));
    let open = |end: fn(&Interval) -> bool| flags(rows().map(move |row| row.interval.as_ref().map(end)));
    vec![
        ("parameter", text(rows().map(|row| &row.axis.name))),
        ("old", numbers(rows().map(|row| Some(row.axis.old)))),
        ("new", numbers(rows().map(|row| Some(row.new)))),
        ("interval_low", interval(|interval| interval.low)),
        ("interval_high", interval(|interval| interval.high)),
        ("is_open_below", open(|interval| interval.is_open_below)),
        ("is_open_above", open(|interval| interval.is_open_above)),
        ("standard_error", interval(|interval| interval.standard_error)),
        ("range_low", numbers(rows().map(|row| Some(row.axis.low)))),
        ("range_high", numbers(rows().map(|row| Some(row.axis.high)))),
        ("tolerance", numbers(rows().map(|row| Some(row.axis.tolerance)))),
        ("why", text(rows().map(|row| row.why.text(&names)))),
    ]
}

fn constraints(answer: &Answer) -> Columns {
    let rows = || answer.constraints.iter();
    let new = |figure: fn(&Reading) -> f64| numbers(rows().map(move |row| finite(figure(&row.new))));
    vec![
        ("constraint", text(rows().map(|row| &row.name))),
        ("old", numbers(rows().map(|row| finite(row.old.value)))),
        ("new", new(|reading| reading.value)),
        ("limit", new(|reading| reading.limit)),
        ("slack", new(|reading| reading.slack)),
        ("is_met", flags(rows().map(|row| row.new.is_measured().then(|| row.new.is_met())))),
        ("is_reachable", flags(rows().map(|row| Some(row.is_reachable)))),
        ("hold_out", numbers(rows().map(|row| row.hold_out.and_then(|reading| finite(reading.value))))),
        ("hold_out_is_met", flags(rows().map(|row| row.hold_out.map(|reading| reading.is_met())))),
        ("stops", text(rows().map(|row| row.stops.join("; ")))),
    ]
}

fn coverage(answer: &Answer) -> Columns {
    let rows = || answer.coverage.iter();
    let held = |figure: fn(Covered) -> f64| numbers(rows().map(move |row| row.hold_out.map(figure)));
    vec![
        ("name", text(rows().map(|row| &row.name))),
        ("observed", counts(rows().map(|row| row.in_sample.observed))),
        ("exceeded", counts(rows().map(|row| row.in_sample.exceeded))),
        ("coverage", numbers(rows().map(|row| row.in_sample.share))),
        ("hold_out_observed", held(|covered| covered.observed as f64)),
        ("hold_out_exceeded", held(|covered| covered.exceeded as f64)),
        ("hold_out_coverage", numbers(rows().map(|row| row.hold_out.and_then(|covered| covered.share)))),
    ]
}

fn front(answer: &Answer) -> Columns {
    let rows = || answer.front.iter();
    vec![
        ("tolerance", numbers(rows().map(|row| Some(row.relaxed)))),
        ("is_met", flags(rows().map(|row| Some(row.is_met)))),
        ("objective", numbers(rows().map(|row| finite(row.objective)))),
        ("margin", numbers(rows().map(|row| finite(row.margin)))),
        ("mean_shortfall", numbers(rows().map(|row| Some(row.mean_shortfall)))),
        ("expected_shortfall", numbers(rows().map(|row| Some(row.expected_shortfall)))),
        ("coverage", numbers(rows().map(|row| row.coverage))),
    ]
}

fn front_parameters(answer: &Answer) -> Columns {
    let cells = || {
        answer.front.iter().flat_map(|point| {
            let names = answer.parameters.iter().map(|parameter| &parameter.axis.name);
            names.zip(&point.point).map(|(name, value)| (point.relaxed, name, *value))
        })
    };
    vec![
        ("tolerance", numbers(cells().map(|cell| Some(cell.0)))),
        ("parameter", text(cells().map(|cell| cell.1))),
        ("value", numbers(cells().map(|cell| Some(cell.2)))),
    ]
}

fn parameter_name<'a>(answer: &'a Answer, moved: &Sensitivity) -> &'a str {
    answer.parameters.get(moved.axis).map_or("", |parameter| parameter.axis.name.as_str())
}

fn sensitivity(answer: &Answer) -> Columns {
    let rows = || answer.sensitivities.iter();
    let names = answer.constraint_names();
    let broken = |moved: &Sensitivity| {
        let broken: Vec<&str> = moved.broken().filter_map(|at| names.get(at)).map(String::as_str).collect();
        broken.join("; ")
    };
    vec![
        ("parameter", text(rows().map(|row| parameter_name(answer, row)))),
        ("moved", numbers(rows().map(|row| Some(row.moved)))),
        ("value", numbers(rows().map(|row| Some(row.value)))),
        ("margin_change", numbers(rows().map(|row| finite(row.margin_change)))),
        ("objective_change", numbers(rows().map(|row| finite(row.objective_change)))),
        ("breaks", text(rows().map(broken))),
    ]
}

fn sensitivity_constraints(answer: &Answer) -> Columns {
    let names = answer.constraint_names();
    let cells: Vec<(&Sensitivity, &String, &Reading)> = answer
        .sensitivities
        .iter()
        .flat_map(|moved| names.iter().zip(&moved.readings).map(move |(name, reading)| (moved, name, reading)))
        .collect();
    let reading = |figure: fn(&Reading) -> f64| numbers(cells.iter().map(move |cell| finite(figure(cell.2))));
    vec![
        ("parameter", text(cells.iter().map(|cell| parameter_name(answer, cell.0)))),
        ("moved", numbers(cells.iter().map(|cell| Some(cell.0.moved)))),
        ("constraint", text(cells.iter().map(|cell| cell.1))),
        ("value", reading(|reading| reading.value)),
        ("limit", reading(|reading| reading.limit)),
        ("slack", reading(|reading| reading.slack)),
        ("is_met", flags(cells.iter().map(|cell| Some(cell.2.is_met())))),
    ]
}

fn segments(segments: &[Segment], pools: &[PoolChange]) -> Columns {
    let rows = || segments.iter();
    let pool = |row: &Segment| row.largest_rise.and_then(|(_, place)| pools.get(place)).map(|pool| pool.name.as_str());
    vec![
        ("division", text(rows().map(|row| row.division.name()))),
        ("segment", text(rows().map(|row| &row.name))),
        ("pools", counts(rows().map(|row| row.pools))),
        ("old", numbers(rows().map(|row| finite(row.old)))),
        ("new", numbers(rows().map(|row| finite(row.new)))),
        ("change", numbers(rows().map(Segment::change))),
        ("share_paying_more", numbers(rows().map(|row| Some(row.share_paying_more())))),
        ("largest_rise", numbers(rows().map(|row| row.largest_rise.map(|(rise, _)| rise)))),
        ("largest_rise_pool", Arc::new(StringArray::from_iter(rows().map(pool)))),
    ]
}

/// One row per figure: what it is of, at which level, how large, which scenario sets it.
fn funds(answer: &Answer, scenario_ids: &[String]) -> Columns {
    let sizing = &answer.sizing;
    let mut rows: Vec<(&str, Option<f64>, f64, Option<&String>)> = Vec::new();
    for level in &sizing.levels {
        rows.push(("value_at_risk", Some(level.level), level.value_at_risk, None));
        rows.push(("expected_shortfall", Some(level.level), level.expected_shortfall, None));
    }
    rows.extend(sizing.cheapest_fund.map(|fund| ("cheapest_fund", None, fund, None)));
    let scenario = |need: &CoverNeed| need.scenario.and_then(|scenario| scenario_ids.get(scenario as usize));
    let needs = &sizing.needs;
    for (rule, need) in
        [("cover_1", &needs.cover_1), ("cover_2", &needs.cover_2), ("largest_or_next_two", &needs.largest_or_next_two)]
    {
        rows.push((rule, None, need.amount, scenario(need)));
    }
    vec![
        ("figure", text(rows.iter().map(|row| row.0))),
        ("level", numbers(rows.iter().map(|row| row.1))),
        ("amount", numbers(rows.iter().map(|row| finite(row.2)))),
        ("scenario", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.3)))),
    ]
}

fn contributions(answer: &Answer) -> Columns {
    let rows = || answer.sizing.contributions.iter();
    vec![
        ("account", text(rows().map(|row| &row.name))),
        ("requirement", numbers(rows().map(|row| finite(row.requirement)))),
        ("mean_excess", numbers(rows().map(|row| finite(row.mean_excess)))),
        ("key", numbers(rows().map(|row| Some(row.share())))),
        ("key_parts", text(rows().map(|row| row.key.to_string()))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::{Axis, ParameterAnswer, Sizing, Strict, Why};
    use crate::io::TableFormat;

    #[test]
    fn every_table_is_written_also_of_an_empty_answer() {
        let axis = Axis { name: "rate".into(), old: 0.05, low: 0.0, high: 0.2, tolerance: 0.001, strict: Strict::High };
        let interval =
            Interval { low: 0.04, high: 0.07, standard_error: 0.01, is_open_below: false, is_open_above: false };
        let answer = Answer {
            is_met: true,
            confidence: 0.99,
            margin: [1.0, 2.0],
            objective: [1.0, 2.0],
            parameters: vec![
                ParameterAnswer { axis: axis.clone(), new: 0.06, interval: Some(interval), why: Why::Range },
                ParameterAnswer { axis, new: 0.05, interval: None, why: Why::Untested },
            ],
            constraints: vec![],
            coverage: vec![],
            front: vec![],
            sensitivities: vec![],
            segments: vec![],
            sizing: Sizing::default(),
            evaluations: 1,
            sweeps: 1,
        };
        let dir = tempfile::tempdir().expect("a temporary directory");
        let target = dir.path().join("run");
        let writer = ResultsWriter::create(&target, TableFormat::Csv).expect("a new directory");
        writer.write_calibration(&answer, &[], &[]).expect("written tables");
        writer.finish(serde_json::json!({})).expect("a manifest");
        let read = |name: &str| std::fs::read_to_string(target.join(name)).expect("a table");
        assert_eq!(
            read("parameters.csv"),
            "parameter,old,new,interval_low,interval_high,is_open_below,is_open_above,standard_error,range_low,range_high,\
             tolerance,why\nrate,0.05,0.06,0.04,0.07,false,false,0.01,0.0,0.2,0.001,end of its range\n\
             rate,0.05,0.05,,,,,,0.0,0.2,0.001,nothing tests it\n"
        );
        assert_eq!(
            read("funds.csv"),
            "figure,level,amount,scenario\ncover_1,,0.0,\ncover_2,,0.0,\nlargest_or_next_two,,0.0,\n"
        );
        assert_eq!(std::fs::read_dir(&target).expect("a directory").count(), 11, "ten tables and the manifest");
    }
}
