//! The tables of Greeks that a sweep writes, and what is said about them.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::Inputs;
use crate::domain::Snapshot;
use crate::engine::Outcome;
use crate::engine::greeks::{Attribution, GreekSheet, GreekSummary, GreeksDigest, GrossGreeks, Parts, UnderlyingTotal};
use crate::error::Result;
use crate::io::results::ResultsWriter;
use crate::pricing::Greeks;
use crate::scenario::ScenarioSet;

/// Pools valued and written at once: enough of them share a worst scenario, and their rows stay within some 30 MB.
const BATCH_POOLS: usize = 32_768;
/// Rows of `scenario_greeks` computed and written at once.
const BATCH_ROWS: usize = 65_536;

/// What is known of the Greeks once their tables are written.
pub(super) struct Findings {
    pub(super) summary: GreekSummary,
    pub(super) digest: String,
    /// Computing them, without writing.
    pub(super) seconds: f64,
}

/// Writes `greeks` and `scenario_greeks`, computing them batch by batch.
pub(super) fn write(writer: &ResultsWriter, inputs: &Inputs, outcome: &Outcome) -> Result<Findings> {
    let (snapshot, scenarios) = (&inputs.snapshot, &inputs.scenarios);
    let mut clock = Stopwatch::default();
    let sheet = clock.time(|| GreekSheet::new(snapshot, scenarios));
    let (mut digest, mut gross) = (GreeksDigest::default(), GrossGreeks::default());

    let n_pools = snapshot.book.len();
    let mut table = writer.greek_table();
    for start in (0..n_pools.max(1)).step_by(BATCH_POOLS) {
        let rows = clock.time(|| {
            let rows = sheet.of_pools(&outcome.pools, start..(start + BATCH_POOLS).min(n_pools));
            gross.add(&rows);
            digest.add_pools(&rows);
            rows
        });
        table.write_pools(snapshot, &rows)?;
    }
    table.finish()?;

    let mut table = writer.greek_table();
    let n_scenarios = sheet.scenario_count();
    let batch = (BATCH_ROWS / sheet.underlyings().len().max(1)).max(1);
    for start in (0..n_scenarios.max(1)).step_by(batch) {
        let rows = clock.time(|| {
            let rows = sheet.of_scenarios(start..(start + batch).min(n_scenarios));
            digest.add_scenarios(&rows);
            rows
        });
        table.write_scenarios(snapshot, scenarios, &rows)?;
    }
    table.finish()?;

    let summary = clock.time(|| GreekSummary::new(&sheet, &gross));
    Ok(Findings { summary, digest: digest.finish(), seconds: clock.seconds })
}

/// Adds up the time of pieces.
#[derive(Default)]
struct Stopwatch {
    seconds: f64,
}

impl Stopwatch {
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.seconds += start.elapsed().as_secs_f64();
        result
    }
}

/// The exchange's Greeks in the unshocked market as JSON, by underlying.
pub(super) fn json(snapshot: &Snapshot, summary: &GreekSummary) -> Value {
    let name = |underlying: u32| snapshot.underlyings[underlying as usize].name.as_str();
    let total = |total: &UnderlyingTotal| json!({"underlying": name(total.underlying), "pools": total.pools, "net": object(total.net), "gross": object(total.gross)});
    Value::Array(summary.underlyings.iter().map(total).collect())
}

/// The worst scenarios taken apart, as JSON.
pub(super) fn attribution_json(scenarios: &ScenarioSet, attributions: &[Attribution]) -> Value {
    let of = |of: &Attribution| {
        let Parts { actual, delta, gamma, vega, theta } = of.total;
        json!({"scenario": scenarios.ids[of.scenario as usize], "pools": of.pools, "actual": actual, "delta": delta,
            "gamma": gamma, "vega": vega, "theta": theta, "rest": of.total.rest()})
    };
    Value::Array(attributions.iter().map(of).collect())
}

/// Greeks by name; null where one is not a number.
pub(in crate::cli) fn object(greeks: Greeks) -> Value {
    let pairs = Greeks::NAMES.into_iter().zip(greeks.to_array());
    Value::Object(Map::from_iter(pairs.map(|(name, figure)| (name.to_string(), (figure + 0.0).into()))))
}
