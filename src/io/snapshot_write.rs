//! Writing a snapshot as a directory of tables, pool by pool, so that a book need not be in memory.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::directory::{PendingDirectory, Replace, check_replaceable};
use super::table_write::{TableFormat, TableWriter};
use crate::domain::{
    Asset, Balance, Book, Instrument, Kind, LotTerms, Lots, Payoff, Pool, PoolSettings, Position, Premium, Right, Side,
    Snapshot,
};
use crate::error::{Error, Result};
use crate::synth::SynthQuote;

const BATCH_ROWS: usize = 65_536;

/// Writes a snapshot directory. Nothing appears at its place before [`SnapshotWriter::finish`].
pub struct SnapshotWriter {
    directory: PendingDirectory,
    market: Names,
    balances: Sheet,
    positions: Sheet,
    pools: Sheet,
    orders: Sheet,
}

/// What indices stand for.
struct Names {
    assets: Vec<Asset>,
    routes: Vec<String>,
    instruments: Vec<String>,
    lots: Lots,
}

impl SnapshotWriter {
    /// Starts a snapshot in `dir` (absent or empty) and writes the market data of `market`; of its book, only what its lots say
    /// of themselves is read.
    ///
    /// # Errors
    /// [`Error::Usage`] where `dir` is not empty; [`Error::Io`] or [`Error::Temporary`] where writing fails.
    pub fn create(dir: &Path, format: TableFormat, market: &Snapshot) -> Result<Self> {
        let directory = PendingDirectory::create(dir, Replace::Never)?;
        let mut header = String::new();
        if let Some(as_of) = market.as_of {
            header.push_str(&format!("as_of = \"{as_of}\"\n"));
        }
        header.push_str(&format!("quote = {}\n", toml::Value::String(market.quote.clone())));
        header.push_str(&super::snapshot::volatility::to_toml(&market.underlyings));
        directory.write("snapshot.toml", header.as_bytes())?;
        write_assets(&directory, format, market)?;
        write_underlyings(&directory, format, market)?;
        write_instruments(&directory, format, market)?;
        write_routes(&directory, format, market)?;
        let sheet = |table, columns| Sheet::create(&directory, format, table, columns);
        let lots = market.book.lots();
        // A book that says nothing of its lots has a table as narrow as it was before there were any.
        let mut of_balances =
            vec![T("account"), T("pool"), T("asset"), T("network"), N("amount"), N("accrued_interest")];
        if lots.iter().any(|terms| terms.locked > 0.0) {
            of_balances.push(N("locked"));
        }
        if !market.routes.is_empty() || lots.iter().any(|terms| terms.lock.is_some()) {
            of_balances.extend([T("route"), T("status"), T("lock")]);
        }
        Ok(Self {
            balances: sheet("balances", &of_balances)?,
            positions: sheet(
                "positions",
                &[
                    T("account"),
                    T("pool"),
                    T("instrument"),
                    N("quantity"),
                    N("entry_price"),
                    N("leverage"),
                    N("accrued_funding"),
                    T("side"),
                ],
            )?,
            pools: sheet(
                "pools",
                &[T("account"), T("pool"), T("mode"), N("im_multiplier"), N("mm_multiplier"), N("open_order_margin")],
            )?,
            orders: sheet(
                "orders",
                &[T("account"), T("pool"), T("instrument"), T("side"), N("quantity"), N("price"), T("reduce_only")],
            )?,
            market: Names {
                assets: market.assets.clone(),
                routes: market.routes.iter().map(|route| route.name.clone()).collect(),
                instruments: market.instruments.iter().map(|instrument| instrument.name.clone()).collect(),
                lots: lots.clone(),
            },
            directory,
        })
    }

    /// Appends a pool with default settings. Balances are sorted by asset. What a lot says of itself is written as it is, though no
    /// more is locked than is held. Lots that say nothing are told apart by made-up networks, those of them on routes by made-up
    /// locks too; neither is in use. Indices are those of the snapshot given to [`SnapshotWriter::create`].
    ///
    /// # Errors
    /// [`Error::Bug`] where an index is out of range or an asset stands on a route that the market lacks; [`Error::Io`] or [`Error::Temporary`] where writing fails.
    pub fn write_pool(
        &mut self,
        account: &str,
        pool: &str,
        balances: &[Balance],
        positions: &[Position],
    ) -> Result<()> {
        for lots in balances.chunk_by(|a, b| a.asset == b.asset) {
            self.write_lots((account, pool), lots)?;
        }
        for position in positions {
            let side = match position.side {
                Side::Net => None,
                Side::Long => Some("long"),
                Side::Short => Some("short"),
            };
            let instrument = named(&self.market.instruments, position.instrument)?;
            self.positions.texts(&[Some(account), Some(pool), Some(instrument), side]);
            self.positions.numbers(&[
                Some(position.quantity),
                Some(position.entry_price),
                position.leverage,
                Some(position.accrued_funding),
            ]);
            self.positions.end_row()?;
        }
        Ok(())
    }

    /// Appends all that a pool holds in one asset.
    fn write_lots(&mut self, (account, pool): (&str, &str), lots: &[Balance]) -> Result<()> {
        let mut names = MadeUp::default();
        for balance in lots {
            let lot = self.market.lot(balance.asset)?;
            let made_up;
            let terms = match self.market.lots.get(balance.lot) {
                Some(stated) => stated,
                None => {
                    made_up = names.next(&self.market.lots, lots, (account, pool), &lot);
                    &made_up
                }
            };
            let (network, lock) = (terms.network.as_deref(), terms.lock.as_deref());
            let texts = [Some(account), Some(pool), Some(lot.asset), network, lot.route, lot.status, lock];
            self.balances.texts(&texts[..self.balances.texts.len()]);
            let locked = terms.locked.min(balance.amount.max(0.0));
            let numbers = [Some(balance.amount), Some(balance.accrued_interest), (locked > 0.0).then_some(locked)];
            self.balances.numbers(&numbers[..self.balances.numbers.len()]);
            self.balances.end_row()?;
        }
        Ok(())
    }

    /// Appends the settings and open orders of a pool; a pool that holds nothing exists by this call alone.
    ///
    /// # Errors
    /// As [`SnapshotWriter::write_pool`].
    pub fn write_settings(&mut self, account: &str, pool: &str, settings: &PoolSettings) -> Result<()> {
        self.pools.texts(&[Some(account), Some(pool), Some(settings.mode.name())]);
        self.pools.numbers(&[
            Some(settings.im_multiplier),
            Some(settings.mm_multiplier),
            Some(settings.open_order_margin),
        ]);
        self.pools.end_row()?;
        for order in &settings.orders {
            let side = if order.quantity < 0.0 { "sell" } else { "buy" };
            let instrument = named(&self.market.instruments, order.instrument)?;
            let reduces_only = if order.reduces_only { "true" } else { "false" };
            self.orders.texts(&[Some(account), Some(pool), Some(instrument), Some(side), Some(reduces_only)]);
            self.orders.numbers(&[Some(order.quantity.abs()), Some(order.price)]);
            self.orders.end_row()?;
        }
        Ok(())
    }

    /// Writes the table `quotes`: what sources say of prices.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Temporary`] where writing fails.
    pub fn write_quotes(&mut self, format: TableFormat, quotes: &[SynthQuote]) -> Result<()> {
        let columns = [T("source"), T("subject"), N("price"), N("confidence"), T("timestamp"), N("weight")];
        let mut sheet = Sheet::create(&self.directory, format, "quotes", &columns)?;
        for quote in quotes {
            let timestamp = quote.timestamp.to_string();
            sheet.texts(&[Some(&quote.source), Some(&quote.subject), Some(&timestamp)]);
            sheet.numbers(&[Some(quote.price), Some(quote.confidence), Some(quote.weight)]);
            sheet.end_row()?;
        }
        sheet.finish()
    }

    /// Adds a text file beside the tables, for example `rulebook.toml`.
    ///
    /// # Errors
    /// [`Error::Io`] where writing fails or the file exists.
    pub fn write_text(&mut self, name: &str, contents: &str) -> Result<()> {
        self.directory.write(name, contents.as_bytes())
    }

    /// Adds a copy of a file beside the tables.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, writing fails or a file of that name exists.
    pub fn copy(&mut self, name: &str, from: &Path) -> Result<()> {
        let contents = std::fs::read(from).map_err(|source| Error::io(from, source))?;
        self.directory.write(name, &contents)
    }

    /// Appends every pool of a book.
    ///
    /// # Errors
    /// As [`SnapshotWriter::write_pool`].
    pub fn write_book(&mut self, book: &Book) -> Result<()> {
        for Pool { account, pool, balances, positions, settings, .. } in book.pools() {
            self.write_pool(account, pool, balances, positions)?;
            if *settings != PoolSettings::default() || (balances.is_empty() && positions.is_empty()) {
                self.write_settings(account, pool, settings)?;
            }
        }
        Ok(())
    }

    /// Completes every table and moves the directory to its place.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Temporary`] where writing fails; nothing is left behind then.
    pub fn finish(self) -> Result<()> {
        for sheet in [self.balances, self.positions, self.pools, self.orders] {
            sheet.finish()?;
        }
        self.directory.publish(Replace::Never)
    }
}

/// Writes a whole snapshot to `dir` (absent or empty).
///
/// # Errors
/// As [`SnapshotWriter`].
pub fn write(dir: &Path, format: TableFormat, snapshot: &Snapshot) -> Result<()> {
    let mut writer = SnapshotWriter::create(dir, format, snapshot)?;
    writer.write_book(&snapshot.book)?;
    writer.finish()
}

/// Checks that a snapshot could be written to `dir`, or below it: it is absent or empty.
///
/// # Errors
/// [`Error::Usage`] where it is not; [`Error::Io`] where that cannot be told.
pub fn check_vacant(dir: &Path) -> Result<()> {
    check_replaceable(dir, Replace::Never)
}

/// An asset in the words of the balances table.
struct Lot<'a> {
    asset: &'a str,
    route: Option<&'a str>,
    status: Option<&'static str>,
}

/// Numbers lots of one pool and asset that say nothing of themselves.
#[derive(Default)]
struct MadeUp {
    last: usize,
}

impl MadeUp {
    /// Terms for the next one of `lots` that makes a row of its own; the first one needs no network.
    fn next(&mut self, known: &Lots, lots: &[Balance], (account, pool): (&str, &str), lot: &Lot<'_>) -> LotTerms {
        loop {
            self.last += 1;
            let network = (self.last > 1).then(|| format!("lot {}", self.last));
            let lock = lot.route.map(|route| {
                let status = lot.status.unwrap_or_default();
                format!("{account}/{pool}/{}@{route}/{status}/{}", lot.asset, self.last)
            });
            let is_row = |terms: &LotTerms| terms.lock.is_none() && terms.network == network;
            let is_taken = lots.iter().filter_map(|lot| known.get(lot.lot)).any(is_row)
                || lock.as_ref().is_some_and(|lock| known.has_lock(lock));
            if !is_taken {
                return LotTerms { network, lock, locked: 0.0 };
            }
        }
    }
}

impl Names {
    fn lot(&self, index: u32) -> Result<Lot<'_>> {
        let asset = self.assets.get(index as usize);
        let asset = asset.ok_or_else(|| Error::Bug(format!("index {index} names no asset")))?;
        match &asset.custody {
            None => Ok(Lot { asset: &asset.name, route: None, status: None }),
            Some(custody) if self.routes.contains(&custody.route) => {
                Ok(Lot { asset: &custody.asset, route: Some(&custody.route), status: Some(custody.status.name()) })
            }
            Some(custody) => Err(Error::Bug(format!("{} stands on no route of the market", custody.asset_name()))),
        }
    }
}

fn named(names: &[String], index: u32) -> Result<&str> {
    names.get(index as usize).map(String::as_str).ok_or_else(|| Error::Bug(format!("index {index} names nothing")))
}

/// A column to be written.
#[derive(Clone, Copy)]
enum Heading {
    /// Text.
    T(&'static str),
    /// Numbers.
    N(&'static str),
}
use Heading::{N, T};

/// A table under construction: the rows of a batch, column by column, and the file of the batches before.
struct Sheet {
    schema: SchemaRef,
    texts: Vec<StringBuilder>,
    numbers: Vec<Float64Builder>,
    rows: usize,
    writer: TableWriter,
}

impl Sheet {
    fn create(directory: &PendingDirectory, format: TableFormat, table: &str, columns: &[Heading]) -> Result<Self> {
        let fields: Vec<Field> = columns
            .iter()
            .map(|column| match column {
                T(name) => Field::new(*name, DataType::Utf8, true),
                N(name) => Field::new(*name, DataType::Float64, true),
            })
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let texts = columns.iter().filter(|column| matches!(column, T(_))).map(|_| StringBuilder::new()).collect();
        let numbers = columns.iter().filter(|column| matches!(column, N(_))).map(|_| Float64Builder::new()).collect();
        let path = directory.file(&format!("{table}.{}", format.extension()));
        let writer = TableWriter::create(&path, &schema, format)?;
        Ok(Self { schema, texts, numbers, rows: 0, writer })
    }

    /// The text cells of a row, in column order; an empty text is an absent value.
    fn texts(&mut self, values: &[Option<&str>]) {
        debug_assert_eq!(values.len(), self.texts.len());
        for (builder, value) in self.texts.iter_mut().zip(values) {
            builder.append_option(*value);
        }
    }

    /// The number cells of a row, in column order.
    fn numbers(&mut self, values: &[Option<f64>]) {
        debug_assert_eq!(values.len(), self.numbers.len());
        for (builder, value) in self.numbers.iter_mut().zip(values) {
            builder.append_option(*value);
        }
    }

    fn end_row(&mut self) -> Result<()> {
        self.rows += 1;
        if self.rows == BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.rows = 0;
        let mut texts = self.texts.iter_mut();
        let mut numbers = self.numbers.iter_mut();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for field in self.schema.fields() {
            let column: Option<ArrayRef> = match field.data_type() {
                DataType::Utf8 => texts.next().map(|builder| Arc::new(builder.finish()) as ArrayRef),
                _ => numbers.next().map(|builder| Arc::new(builder.finish()) as ArrayRef),
            };
            columns.extend(column);
        }
        let batch =
            RecordBatch::try_new(self.schema.clone(), columns).map_err(|error| Error::Bug(error.to_string()))?;
        self.writer.write(&batch)
    }

    fn finish(mut self) -> Result<()> {
        if self.rows > 0 {
            self.flush()?;
        }
        self.writer.finish()
    }
}

fn write_assets(directory: &PendingDirectory, format: TableFormat, market: &Snapshot) -> Result<()> {
    let columns = [T("asset"), N("price"), T("underlying"), T("haircut_class"), T("network")];
    let mut sheet = Sheet::create(directory, format, "assets", &columns)?;
    for asset in market.assets.iter().filter(|asset| asset.custody.is_none()) {
        let (class, network) = (asset.haircut_class.as_deref(), asset.network.as_deref());
        sheet.texts(&[Some(&asset.name), Some(&asset.underlying), class, network]);
        sheet.numbers(&[Some(asset.price)]);
        sheet.end_row()?;
    }
    sheet.finish()
}

/// Writes the routes and the haircut curves, each table only where there are any.
fn write_routes(directory: &PendingDirectory, format: TableFormat, market: &Snapshot) -> Result<()> {
    if !market.routes.is_empty() {
        let columns = [
            T("route"),
            T("from_network"),
            T("to_network"),
            N("finality_seconds"),
            N("finality_p99_seconds"),
            N("message_seconds"),
            N("message_p99_seconds"),
            N("liquidation_seconds"),
            N("failure_per_year"),
            N("loss_given_failure"),
            N("review_days"),
            N("capital_multiple"),
            N("haircut"),
            N("cap_quote"),
        ];
        let mut sheet = Sheet::create(directory, format, "routes", &columns)?;
        for route in &market.routes {
            sheet.texts(&[Some(&route.name), route.from_network.as_deref(), route.to_network.as_deref()]);
            sheet.numbers(&[
                Some(route.finality.typical_seconds),
                Some(route.finality.p99_seconds),
                Some(route.message.typical_seconds),
                Some(route.message.p99_seconds),
                Some(route.liquidation_seconds),
                Some(route.failure_per_year),
                Some(route.loss_given_failure),
                Some(route.review_days),
                Some(route.capital_multiple),
                route.haircut,
                route.cap_quote,
            ]);
            sheet.end_row()?;
        }
        sheet.finish()?;
    }
    if market.haircut_curves.is_empty() {
        return Ok(());
    }
    let mut sheet =
        Sheet::create(directory, format, "haircut_curves", &[T("class"), N("horizon_seconds"), N("haircut")])?;
    for curve in &market.haircut_curves {
        for &(seconds, haircut) in &curve.points {
            sheet.texts(&[Some(&curve.class)]);
            sheet.numbers(&[Some(seconds), Some(haircut)]);
            sheet.end_row()?;
        }
    }
    sheet.finish()
}

fn write_underlyings(directory: &PendingDirectory, format: TableFormat, market: &Snapshot) -> Result<()> {
    let columns = [
        T("underlying"),
        N("index_price"),
        T("factor"),
        N("beta"),
        N("volatility_index"),
        N("depth"),
        N("adv"),
        N("open_interest"),
        N("confidence"),
    ];
    let mut sheet = Sheet::create(directory, format, "underlyings", &columns)?;
    for underlying in &market.underlyings {
        sheet.texts(&[Some(&underlying.name), Some(&underlying.factor)]);
        sheet.numbers(&[
            Some(underlying.index_price),
            Some(underlying.beta),
            underlying.volatility_index,
            underlying.depth_quote,
            underlying.adv_quote,
            underlying.open_interest_quote,
            Some(underlying.confidence),
        ]);
        sheet.end_row()?;
    }
    sheet.finish()
}

fn write_instruments(directory: &PendingDirectory, format: TableFormat, market: &Snapshot) -> Result<()> {
    let columns = [
        T("instrument"),
        T("kind"),
        T("underlying"),
        T("payoff"),
        T("settlement_asset"),
        N("contract_size"),
        N("mark_price"),
        N("strike"),
        T("expiry"),
        T("right"),
        N("implied_volatility"),
        N("forward_price"),
        N("rate"),
        T("price_asset"),
        T("premium"),
        N("fixed_rate"),
        T("margin_class"),
        N("confidence"),
    ];
    let mut sheet = Sheet::create(directory, format, "instruments", &columns)?;
    for instrument in &market.instruments {
        write_instrument(&mut sheet, instrument, market)?;
    }
    sheet.finish()
}

fn write_instrument(sheet: &mut Sheet, instrument: &Instrument, market: &Snapshot) -> Result<()> {
    let asset = |index: u32| market.assets.get(index as usize).map(|asset| asset.name.as_str());
    let underlying = market.underlyings.get(instrument.underlying as usize).map(|underlying| underlying.name.as_str());
    let kind = match instrument.kind {
        Kind::Spot => "spot",
        Kind::Perpetual => "perpetual",
        Kind::Future => "future",
        Kind::Option => "option",
    };
    let payoff = match instrument.payoff {
        Payoff::Linear => "linear",
        Payoff::Inverse => "inverse",
        Payoff::Quanto => "quanto",
    };
    let right = instrument.right.map(|right| match right {
        Right::Call => "call",
        Right::Put => "put",
    });
    let premium = match instrument.premium {
        Premium::Paid => "paid",
        Premium::Margined => "margined",
    };
    let expiry = instrument.expiry.map(|expiry| expiry.to_string());
    sheet.texts(&[
        Some(&instrument.name),
        Some(kind),
        underlying,
        Some(payoff),
        asset(instrument.settlement_asset),
        expiry.as_deref(),
        right,
        asset(instrument.price_asset),
        Some(premium),
        Some(&instrument.margin_class),
    ]);
    sheet.numbers(&[
        Some(instrument.contract_size),
        Some(instrument.mark_price),
        instrument.strike,
        instrument.implied_volatility,
        instrument.forward_price,
        Some(instrument.rate),
        (instrument.payoff == Payoff::Quanto).then_some(instrument.fixed_rate),
        Some(instrument.confidence),
    ]);
    sheet.end_row()
}
