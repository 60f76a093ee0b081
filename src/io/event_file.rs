//! Reads the table of events that a liquidation wrote.

use std::path::Path;

use super::table::{CellKind, Column, FaultLog, Layout, NumberRule, Presence, Row, read};
use crate::error::{Error, Result};
use crate::liquidation::{Action, Cause};

/// The table.
static LAYOUT: Layout = Layout {
    table: "events",
    columns: &[
        Column::required("scenario", CellKind::Text),
        Column::required("event", CellKind::Number),
        Column::required("step", CellKind::Number),
        Column::required("round", CellKind::Number),
        Column::required("account", CellKind::Text),
        Column::required("pool", CellKind::Text),
        Column::required("action", CellKind::Text),
        Column::required("cause", CellKind::Text),
        Column::required("counterparty", CellKind::Text),
        Column::required("instrument", CellKind::Text),
        Column::required("quantity", CellKind::Number),
        Column::required("price", CellKind::Number),
        Column::required("asset", CellKind::Text),
        Column::required("amount", CellKind::Number),
        Column::required("quote_amount", CellKind::Number),
        Column::required("carry", CellKind::Number),
        Column::required("trading_fee", CellKind::Number),
        Column::required("fund_fee", CellKind::Number),
        Column::required("cost", CellKind::Number),
        Column::required("equity_before", CellKind::Number),
        Column::required("adjusted_equity_before", CellKind::Number),
        Column::required("maintenance_margin_before", CellKind::Number),
        Column::required("health_before", CellKind::Number),
        Column::required("equity_after", CellKind::Number),
        Column::required("adjusted_equity_after", CellKind::Number),
        Column::required("maintenance_margin_after", CellKind::Number),
        Column::required("health_after", CellKind::Number),
    ],
};

/// A pool's figures, quote units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordedHealth {
    /// Raw equity.
    pub equity: f64,
    /// Adjusted equity.
    pub adjusted_equity: f64,
    /// Maintenance margin.
    pub maintenance_margin: f64,
    /// Their ratio; `None` where the margin is 0.
    pub ratio: Option<f64>,
}

/// An event as the table has it; amounts are the f64 nearest to what stands there. Units and signs as in
/// [`crate::liquidation::Event`].
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Id of the scenario, or name of the path.
    pub scenario: String,
    /// Number in its scenario, from 0.
    pub number: u64,
    /// Step of the path.
    pub step: u64,
    /// Round of the step.
    pub round: u64,
    /// Whose pool.
    pub account: String,
    /// The pool.
    pub pool: String,
    /// What happened.
    pub action: Action,
    /// Why.
    pub cause: Cause,
    /// Who stood on the other side.
    pub counterparty: String,
    /// The instrument whose position changed.
    pub instrument: Option<String>,
    /// Change of the position, contracts.
    pub quantity: f64,
    /// Price of the trade; `None` where nothing was traded.
    pub price: Option<f64>,
    /// The asset of `amount`.
    pub asset: String,
    /// Change of the balance of that asset.
    pub amount: f64,
    /// Change of the quote balance beside it.
    pub quote_amount: f64,
    /// Change of what the position was entered at, less its accrued funding.
    pub carry: f64,
    /// Received by the exchange, quote units.
    pub trading_fee: f64,
    /// Received by the insurance fund, quote units.
    pub fund_fee: f64,
    /// What the trade cost against the mark, quote units.
    pub cost: f64,
    /// The pool before its round.
    pub before: RecordedHealth,
    /// The pool after its round.
    pub after: RecordedHealth,
}

/// The events of an account in a run's directory, of every scenario, by scenario and number. The table is streamed.
///
/// # Errors
/// [`Error::Usage`] where the directory has no table of events, [`Error::Refused`] where the table cannot be read.
pub fn read_account(dir: &Path, account: &str) -> Result<Vec<RecordedEvent>> {
    if !super::table::EXTENSIONS.iter().any(|extension| dir.join(format!("events.{extension}")).exists()) {
        let message = "no table of events: name a directory that `liquidate` wrote";
        return Err(Error::Usage(format!("{}: {message}", dir.display())));
    }
    let (mut log, mut events) = (FaultLog::default(), Vec::new());
    read(dir, &LAYOUT, Presence::Required, &mut log, |row| {
        if row.required_text(4) == Some(account) {
            events.extend(event_of(row));
        }
    });
    let faults = log.into_faults();
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    events.sort_by(|a, b| (&a.scenario, a.number).cmp(&(&b.scenario, b.number)));
    Ok(events)
}

fn event_of(row: &mut Row<'_>) -> Option<RecordedEvent> {
    let instrument = row.text(9).map(str::to_owned);
    let price = row.number_at(11, NumberRule::Amount);
    Some(RecordedEvent {
        scenario: row.required_text(0)?.into(),
        number: whole(row, 1)?,
        step: whole(row, 2)?,
        round: whole(row, 3)?,
        account: row.required_text(4)?.into(),
        pool: row.required_text(5)?.into(),
        action: row.required_word(6, &Action::WORDS)?,
        cause: row.required_word(7, &Cause::WORDS)?,
        counterparty: row.required_text(8)?.into(),
        instrument,
        quantity: amount(row, 10)?,
        price,
        asset: row.required_text(12)?.into(),
        amount: amount(row, 13)?,
        quote_amount: amount(row, 14)?,
        carry: amount(row, 15)?,
        trading_fee: amount(row, 16)?,
        fund_fee: amount(row, 17)?,
        cost: amount(row, 18)?,
        before: health(row, 19)?,
        after: health(row, 23)?,
    })
}

fn amount(row: &mut Row<'_>, column: usize) -> Option<f64> {
    row.required_number(column, NumberRule::Amount)
}

/// A whole number ≥ 0.
fn whole(row: &mut Row<'_>, column: usize) -> Option<u64> {
    Some(row.required_number(column, NumberRule::NonNegative)? as u64)
}

/// Four columns from `first` on.
fn health(row: &mut Row<'_>, first: usize) -> Option<RecordedHealth> {
    Some(RecordedHealth {
        equity: amount(row, first)?,
        adjusted_equity: amount(row, first + 1)?,
        maintenance_margin: amount(row, first + 2)?,
        ratio: row.number_at(first + 3, NumberRule::Amount),
    })
}
