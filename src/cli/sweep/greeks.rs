//! The tables of Greeks that a sweep writes, and what is said about them.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::Inputs;
use crate::domain::Snapshot;
use crate::engine::greeks::{Attribution, GreekSheet, GreekSummary, GreeksDigest, GrossGreeks, Parts, UnderlyingTotal};
use crate::engine::{Outcome, PoolOutcome};
use crate::error::Result;
use crate::io::results::{GreekTable, ResultsWriter};
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
    let mut pools = GreeksOfPools::new(writer);
    pools.add(&sheet, (snapshot, 0), &outcome.pools)?;
    clock.seconds += pools.clock.seconds;
    let (mut digest, gross) = pools.finish()?;
    write_scenarios(writer, (snapshot, scenarios), &sheet, &mut digest, &mut clock)?;
    let summary = clock.time(|| GreekSummary::new(&sheet, &gross));
    Ok(Findings { summary, digest: digest.finish(), seconds: clock.seconds })
}

/// The table `greeks` under construction, and what is summed up and hashed of it.
pub(super) struct GreeksOfPools<'w> {
    table: GreekTable<'w>,
    digest: GreeksDigest,
    gross: GrossGreeks,
    clock: Stopwatch,
}

impl<'w> GreeksOfPools<'w> {
    pub(super) fn new(writer: &'w ResultsWriter) -> Self {
        let (digest, gross, clock) = (GreeksDigest::default(), GrossGreeks::default(), Stopwatch::default());
        Self { table: writer.greek_table(), digest, gross, clock }
    }

    /// Adds the pools of a book, or of the next part of one whose first pool stands at `first` in the whole.
    pub(super) fn add(
        &mut self,
        sheet: &GreekSheet<'_>,
        (snapshot, first): (&Snapshot, usize),
        outcomes: &[PoolOutcome],
    ) -> Result<()> {
        let n_pools = outcomes.len();
        for start in (0..n_pools.max(1)).step_by(BATCH_POOLS) {
            let rows = self.clock.time(|| {
                let range = start..(start + BATCH_POOLS).min(n_pools);
                let rows = sheet.of_part((&snapshot.book, first), outcomes, range);
                self.gross.add(&rows);
                self.digest.add_pools(&rows);
                rows
            });
            self.table.write_pools((snapshot, first), &rows)?;
        }
        Ok(())
    }

    /// Completes the table.
    pub(super) fn finish(self) -> Result<(GreeksDigest, GrossGreeks)> {
        self.table.finish()?;
        Ok((self.digest, self.gross))
    }
}

/// Writes `scenario_greeks`.
pub(super) fn write_scenarios(
    writer: &ResultsWriter,
    (snapshot, scenarios): (&Snapshot, &ScenarioSet),
    sheet: &GreekSheet<'_>,
    digest: &mut GreeksDigest,
    clock: &mut Stopwatch,
) -> Result<()> {
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
    table.finish()
}

/// Adds up the time of pieces.
#[derive(Default)]
pub(super) struct Stopwatch {
    pub(super) seconds: f64,
}

impl Stopwatch {
    pub(super) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
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
