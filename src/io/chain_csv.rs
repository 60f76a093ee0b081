//! A published option chain as CSV (the columns of Deribit's book summaries), read into a snapshot without a book.
//!
//! Prices are in coin per coin of notional (inverse options); each row carries its own forward, volatility and index.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;

use super::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Row};
use crate::domain::{Asset, BookBuilder, Instrument, Kind, Payoff, Right, Snapshot, Underlying};
use crate::error::{Error, Fault, Result};
use crate::pricing::{European, Numeraire, OptionMarket, YEAR_SECONDS};

static LAYOUT: Layout = Layout {
    table: "chain",
    columns: &[
        Column::required("timestamp", CellKind::Time),
        Column::required("instrument_name", CellKind::Text),
        Column::required("option_type", CellKind::Text),
        Column::required("strike", CellKind::Number),
        Column::required("expiry_datetime", CellKind::Time),
        Column::required("currency", CellKind::Text),
        Column::required("index_price", CellKind::Number),
        Column::required("futures_price", CellKind::Number),
        Column::optional("implied_volatility", CellKind::Number),
        Column::required("mark_price", CellKind::Number),
        Column::optional("bid_price", CellKind::Number),
        Column::optional("ask_price", CellKind::Number),
        Column::optional("delta", CellKind::Number),
        Column::optional("open_interest", CellKind::Number),
        Column::optional("exercise_style", CellKind::Text),
        // Known, and not needed.
        Column::optional("snapshot_file", CellKind::Text),
        Column::optional("time_to_maturity", CellKind::Text),
        Column::optional("mid_price", CellKind::Text),
        Column::optional("futures_instrument_name", CellKind::Text),
        Column::optional("vega", CellKind::Text),
        Column::optional("volume", CellKind::Text),
        Column::optional("volume_usd", CellKind::Text),
        Column::optional("bid_ask_spread", CellKind::Text),
        Column::optional("underlying", CellKind::Text),
        Column::optional("underlying_name", CellKind::Text),
    ],
};
const TIMESTAMP: usize = 0;
const INSTRUMENT_NAME: usize = 1;
const OPTION_TYPE: usize = 2;
const STRIKE: usize = 3;
const EXPIRY: usize = 4;
const CURRENCY: usize = 5;
const INDEX_PRICE: usize = 6;
const FUTURES_PRICE: usize = 7;
const IMPLIED_VOLATILITY: usize = 8;
const MARK_PRICE: usize = 9;
const BID_PRICE: usize = 10;
const ASK_PRICE: usize = 11;
const DELTA: usize = 12;
const OPEN_INTEREST: usize = 13;
const EXERCISE_STYLE: usize = 14;

const RIGHTS: [(&str, Right); 2] = [("call", Right::Call), ("put", Right::Put)];
const QUOTE: &str = "USD";
/// Volatilities that a mark may stand for.
const VOLATILITY_MIN: f64 = 1e-3;
const VOLATILITY_MAX: f64 = 100.0;

/// What the file says of one option beside its terms. Prices are in coin.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// Data row of the file, from 1.
    pub row: u64,
    /// Best bid, where there is one.
    pub bid_coin: Option<f64>,
    /// Best ask, where there is one.
    pub ask_coin: Option<f64>,
    /// Published mark.
    pub mark_coin: f64,
    /// Published delta with respect to the forward, premium not netted.
    pub delta: Option<f64>,
    /// Published open interest, coins.
    pub open_interest_coin: Option<f64>,
}

/// One moment of a chain file.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The options as a snapshot: instruments, forwards, volatilities; no pools.
    pub snapshot: Snapshot,
    /// The file's word on each instrument, in the snapshot's order.
    pub quotes: Vec<Quote>,
    /// The moments the file holds, ascending.
    pub moments: Vec<Timestamp>,
    /// Rows read, those of other moments included.
    pub rows_read: u64,
}

/// A row that broke no rule.
struct Listed {
    moment: Timestamp,
    currency: String,
    index_price: f64,
    forward_price: f64,
    name: String,
    right: Right,
    strike: f64,
    expiry: Timestamp,
    implied_volatility: f64,
    quote: Quote,
}

/// Reads the options of the moment nearest to `at` (default: the file's last).
///
/// The index price of a currency is the median over its rows, which were not read at the same instant.
///
/// # Errors
/// [`Error::Io`] where the file does not exist; [`Error::Refused`] with every broken rule of every row: a strike or forward that
/// is missing or not positive, a volatility that is not positive or, where it is missing, that no mark can have, an expired option, an unknown right, another style than European, a name
/// that stands twice.
pub fn read(path: &Path, at: Option<Timestamp>) -> Result<Chain> {
    std::fs::metadata(path).map_err(|source| Error::io(path, source))?;
    let mut log = FaultLog::default();
    let mut listed = Vec::new();
    let mut names = BTreeMap::new();
    let outcome = table::read_file(path, &LAYOUT, &mut log, |row| {
        if let Some(option) = read_row(row) {
            if let Some(first) = names.insert((option.moment, option.name.clone()), row.number()) {
                let rule = format!("a name stands once for each timestamp; row {first} has the same");
                row.refuse_cell(INSTRUMENT_NAME, rule, "remove one of them");
            }
            listed.push(option);
        }
    });
    if log.total() == 0 && listed.is_empty() {
        log.push(Fault::of_table(LAYOUT.table, "the file lists no options", "add at least one row"));
    }
    if log.total() > 0 {
        return Err(Error::Refused(log.into_faults()));
    }
    let moments: BTreeSet<Timestamp> = listed.iter().map(|option| option.moment).collect();
    let moments: Vec<Timestamp> = moments.into_iter().collect();
    let last = moments.last().copied().unwrap_or_default();
    let distance = |moment: &Timestamp| at.map_or(0, |at| moment.duration_since(at).unsigned_abs().as_nanos());
    let chosen = if at.is_some() { moments.iter().copied().min_by_key(distance).unwrap_or(last) } else { last };
    listed.retain(|option| option.moment == chosen);
    listed.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    Ok(Chain {
        snapshot: snapshot(chosen, &listed),
        rows_read: outcome.counts.read,
        moments,
        quotes: listed.into_iter().map(|option| option.quote).collect(),
    })
}

fn read_row(row: &mut Row<'_>) -> Option<Listed> {
    let moment = required_time(row, TIMESTAMP);
    let name = row.required_text(INSTRUMENT_NAME);
    let right = row.required_word(OPTION_TYPE, &RIGHTS);
    let strike = row.required_number(STRIKE, NumberRule::Positive);
    let expiry = required_time(row, EXPIRY);
    let currency = row.required_text(CURRENCY);
    let index_price = row.required_number(INDEX_PRICE, NumberRule::Positive);
    let forward_price = row.required_number(FUTURES_PRICE, NumberRule::Positive);
    let given_volatility = row.number_at(IMPLIED_VOLATILITY, NumberRule::Volatility);
    let mark_coin = row.required_number(MARK_PRICE, NumberRule::NonNegative);
    let quote = Quote {
        row: row.number(),
        bid_coin: row.number_at(BID_PRICE, NumberRule::NonNegative),
        ask_coin: row.number_at(ASK_PRICE, NumberRule::NonNegative),
        mark_coin: mark_coin.unwrap_or_default(),
        delta: row.number_at(DELTA, NumberRule::Amount),
        open_interest_coin: row.number_at(OPEN_INTEREST, NumberRule::NonNegative),
    };
    if row.text(EXERCISE_STYLE).is_some_and(|style| !style.eq_ignore_ascii_case("european")) {
        row.refuse_cell(EXERCISE_STYLE, "only European options are priced", "leave the row out");
    }
    if let (Some(moment), Some(expiry)) = (moment, expiry)
        && expiry <= moment
    {
        row.refuse_cell(EXPIRY, format!("expiry is after the timestamp {moment}"), "remove the row");
    }
    if row.is_refused() {
        return None;
    }
    let years = expiry?.duration_since(moment?).as_secs_f64() / YEAR_SECONDS;
    let state = OptionMarket { index: index_price?, forward: forward_price?, volatility: 0.0, years, rate: 0.0 };
    let option = European { right: right?, strike: strike?, numeraire: Numeraire::Coin };
    let implied_volatility = given_volatility.or_else(|| volatility_of_mark(row, &option, &state, mark_coin?));
    Some(Listed {
        moment: moment?,
        currency: currency?.into(),
        index_price: index_price?,
        forward_price: forward_price?,
        name: name?.into(),
        right: right?,
        strike: strike?,
        expiry: expiry?,
        implied_volatility: implied_volatility?,
        quote,
    })
}

/// The volatility that gives the mark, where the row has none of its own.
fn volatility_of_mark(row: &mut Row<'_>, option: &European, state: &OptionMarket, mark_coin: f64) -> Option<f64> {
    match option.implied_volatility(mark_coin * state.index, state) {
        Ok(volatility) if (VOLATILITY_MIN..=VOLATILITY_MAX).contains(&volatility) => Some(volatility),
        Ok(volatility) => {
            let rule = format!("the mark gives a volatility of {volatility}: nothing is left of it to be read off");
            row.refuse_cell(MARK_PRICE, rule, "give implied_volatility, or leave the row out");
            None
        }
        Err(error) => {
            let rule = format!("without implied_volatility the mark gives it: {error}");
            row.refuse_cell(MARK_PRICE, rule, "give implied_volatility, or correct the mark");
            None
        }
    }
}

fn required_time(row: &mut Row<'_>, column: usize) -> Option<Timestamp> {
    if row.is_blank(column) {
        row.refuse_cell(column, "a required value is missing", "fill the cell in");
        return None;
    }
    row.time(column)
}

/// The options of one moment, sorted by name, as a market without a book.
fn snapshot(as_of: Timestamp, listed: &[Listed]) -> Snapshot {
    let mut indices: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for option in listed {
        indices.entry(&option.currency).or_default().push(option.index_price);
    }
    let indices: BTreeMap<&str, f64> = indices.into_iter().map(|(name, prices)| (name, median(prices))).collect();
    let mut assets: Vec<Asset> = indices.iter().map(|(name, price)| Asset::new(*name, *price)).collect();
    if !indices.contains_key(QUOTE) {
        assets.push(Asset::new(QUOTE, 1.0));
    }
    assets.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    let asset = |name: &str| assets.iter().position(|asset| asset.name == name).unwrap_or_default() as u32;
    let quote = asset(QUOTE);
    let instruments = listed.iter().map(|option| {
        let underlying = indices.keys().position(|name| *name == option.currency).unwrap_or_default() as u32;
        let mark_price = option.quote.mark_coin * indices[option.currency.as_str()];
        Instrument {
            kind: Kind::Option,
            payoff: Payoff::Inverse,
            strike: Some(option.strike),
            expiry: Some(option.expiry),
            right: Some(option.right),
            implied_volatility: Some(option.implied_volatility),
            forward_price: Some(option.forward_price),
            price_asset: quote,
            margin_class: format!("{}-option", option.currency),
            ..Instrument::perpetual(&option.name, underlying, asset(&option.currency), mark_price)
        }
    });
    Snapshot {
        as_of: Some(as_of),
        quote: QUOTE.into(),
        underlyings: indices.iter().map(|(name, price)| Underlying::new(*name, *price)).collect(),
        instruments: instruments.collect(),
        assets,
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: BookBuilder::default().build(),
    }
}

/// The middle value (of an even number, the mean of the two in the middle); 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => 0.5 * (values[n / 2 - 1] + values[n / 2]),
    }
}
