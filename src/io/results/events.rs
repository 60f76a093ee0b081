//! The table of events, row by row while a liquidation runs.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, StringArray, UInt32Array, UInt64Array};

use super::{ResultsWriter, numbers};
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::io::table_write::TableWriter;
use crate::liquidation::{Event, Health, Party, Quanta, Recorder};

/// Events per batch: what is kept in memory before it is encoded.
const BATCH_EVENTS: usize = 65_536;

/// The table `events` under construction. It takes events as they happen; events of several scenarios may interleave.
pub struct EventTable<'w> {
    results: &'w ResultsWriter,
    snapshot: &'w Snapshot,
    /// Id of each scenario, or name of each path.
    scenarios: Vec<&'w str>,
    writer: Option<TableWriter>,
    waiting: Vec<Numbered>,
}

/// An event with its scenario and its number there.
struct Numbered {
    scenario: usize,
    number: u64,
    event: Event,
}

impl ResultsWriter {
    /// Starts the table of events of these scenarios.
    pub fn event_table<'w>(&'w self, snapshot: &'w Snapshot, scenarios: Vec<&'w str>) -> EventTable<'w> {
        EventTable { results: self, snapshot, scenarios, writer: None, waiting: Vec::new() }
    }
}

impl Recorder for EventTable<'_> {
    fn record(&mut self, scenario: usize, first: u64, events: &[Event]) -> Result<()> {
        for (number, event) in (first..).zip(events) {
            self.waiting.push(Numbered { scenario, number, event: *event });
            if self.waiting.len() == BATCH_EVENTS {
                self.flush()?;
            }
        }
        Ok(())
    }
}

impl EventTable<'_> {
    /// Completes the table.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Temporary`] where writing fails.
    pub fn finish(mut self) -> Result<()> {
        if !self.waiting.is_empty() || self.writer.is_none() {
            self.flush()?;
        }
        self.writer.map_or(Ok(()), TableWriter::finish)
    }

    fn flush(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        let columns = self.columns(&rows)?;
        self.results.append(&mut self.writer, "events", columns)
    }

    fn columns(&self, rows: &[Numbered]) -> Result<Vec<(&'static str, ArrayRef)>> {
        let events = || rows.iter().map(|row| &row.event);
        let snapshot = self.snapshot;
        let pool = |event: &Event| snapshot.book.pool(event.pool as usize);
        let instrument =
            |event: &Event| event.instrument.map(|index| snapshot.instruments[index as usize].name.as_str());
        let whole =
            |value: fn(&Event) -> u32| -> ArrayRef { Arc::new(UInt32Array::from_iter_values(events().map(value))) };
        let texts = |values: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from_iter_values(values)) };
        let figure = |value: fn(&Event) -> f64| numbers(events().map(move |event| Some(value(event))));
        let exact = |value: fn(&Event) -> Quanta| decimals(events().map(value));
        let of_trade = |event: &Event| (event.price != 0.0).then_some(event.price);
        let ratio = |health: fn(&Event) -> Health| numbers(events().map(move |event| health(event).ratio()));
        Ok(vec![
            ("scenario", texts(rows.iter().map(|row| self.scenarios[row.scenario]).collect())),
            ("event", Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.number)))),
            ("step", whole(|event| event.step)),
            ("round", whole(|event| event.round)),
            ("account", texts(events().map(|event| pool(event).account).collect())),
            ("pool", texts(events().map(|event| pool(event).pool).collect())),
            ("action", texts(events().map(|event| event.action.name()).collect())),
            ("cause", texts(events().map(|event| event.cause.name()).collect())),
            (
                "counterparty",
                Arc::new(StringArray::from_iter_values(events().map(|event| party_name(snapshot, event.party)))),
            ),
            ("instrument", Arc::new(StringArray::from_iter(events().map(instrument)))),
            ("quantity", exact(|event| event.quantity)?),
            ("price", numbers(events().map(of_trade))),
            ("asset", texts(events().map(|event| snapshot.assets[event.asset as usize].name.as_str()).collect())),
            ("amount", exact(|event| event.amount)?),
            ("quote_amount", exact(|event| event.quote_amount)?),
            ("carry", exact(|event| event.carry)?),
            ("trading_fee", exact(|event| event.trading_fee)?),
            ("fund_fee", exact(|event| event.fund_fee)?),
            ("cost", figure(|event| event.cost_quote)),
            ("equity_before", figure(|event| event.before.equity)),
            ("adjusted_equity_before", figure(|event| event.before.adjusted_equity)),
            ("maintenance_margin_before", figure(|event| event.before.maintenance_margin)),
            ("health_before", ratio(|event| event.before)),
            ("equity_after", figure(|event| event.after.equity)),
            ("adjusted_equity_after", figure(|event| event.after.adjusted_equity)),
            ("maintenance_margin_after", figure(|event| event.after.maintenance_margin)),
            ("health_after", ratio(|event| event.after)),
        ])
    }
}

/// Who stands on the other side, as text.
fn party_name(snapshot: &Snapshot, party: Party) -> String {
    match party {
        Party::Pool(pool) => {
            let pool = snapshot.book.pool(pool as usize);
            format!("{}/{}", pool.account, pool.pool)
        }
        Party::Market => "market".into(),
        Party::Exchange => "exchange".into(),
        Party::Fund(None) => "fund".into(),
        Party::Fund(Some(underlying)) => format!("fund:{}", snapshot.underlyings[underlying as usize].name),
        Party::Backstop => "backstop".into(),
        Party::Members => "members".into(),
    }
}

/// Exact amounts with eight decimals.
fn decimals(values: impl Iterator<Item = Quanta>) -> Result<ArrayRef> {
    let array = Decimal128Array::from_iter_values(values.map(|value| value.0)).with_precision_and_scale(38, 8);
    Ok(Arc::new(array.map_err(|error| Error::Bug(error.to_string()))?))
}
