//! Reading a snapshot: a directory of tables, checked row by row; one file per table.

mod assets;
mod balances;
mod haircut_curves;
mod holders;
mod instruments;
mod lots;
mod names;
mod orders;
mod pools;
mod positions;
mod routes;
pub mod segments;
mod toml;
mod underlyings;
pub(super) mod volatility;

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::{Asset, Book, HaircutCurve, Instrument, Route, Snapshot, Underlying, renumber_assets, sort_in};
use crate::error::{Error, Fault, Result};
use crate::io::table::{EXTENSIONS, FaultLog, RowCounts};
use names::Names;

/// A snapshot together with everything that was wrong with its files.
#[derive(Debug)]
pub struct Loaded {
    /// What the used rows amount to. Every pool that a refused row touches is marked unknown.
    pub snapshot: Snapshot,
    /// Broken rules, sorted by table and row; past
    /// [`crate::io::table::FAULTS_KEPT`] of a table they are only counted.
    pub faults: Vec<Fault>,
    /// Broken rules, listed or not.
    pub fault_count: u64,
    /// Rows read, used and refused, by table; optional tables that are absent have zero rows.
    pub counts: BTreeMap<&'static str, RowCounts>,
    /// Things a reader should know that refuse nothing.
    pub warnings: Vec<String>,
    /// Faults of whole tables (missing, unreadable, wrong columns): what they touch is not known.
    pub table_faults: u64,
}

impl Loaded {
    /// The snapshot, if no rule was broken; otherwise every fault as [`Error::Refused`].
    pub fn into_snapshot(self) -> Result<Snapshot> {
        if self.fault_count == 0 { Ok(self.snapshot) } else { Err(self.refusal()) }
    }

    /// The snapshot with the touched pools unknown. A fault of a whole table is still [`Error::Refused`], because it may
    /// touch every pool.
    pub fn into_quarantined(self) -> Result<Snapshot> {
        if self.table_faults == 0 { Ok(self.snapshot) } else { Err(self.refusal()) }
    }

    /// Adds faults and warnings of later checks, which concern no single row.
    pub fn add(&mut self, faults: Vec<Fault>, warnings: Vec<String>) {
        self.fault_count += faults.len() as u64;
        self.table_faults += faults.len() as u64;
        self.faults.extend(faults);
        self.warnings.extend(warnings);
    }

    /// Rows refused, over all tables.
    pub fn rows_refused(&self) -> u64 {
        self.counts.values().map(|counts| counts.refused).sum()
    }

    fn refusal(self) -> Error {
        let mut faults = self.faults;
        let unlisted = self.fault_count - faults.len() as u64;
        if unlisted > 0 {
            faults.push(Fault::of_table("snapshot", format!("{unlisted} more faults are not listed"), ""));
        }
        Error::Refused(faults)
    }
}

/// Market data that rows refer to.
#[derive(Debug)]
struct Market {
    as_of: Option<jiff::Timestamp>,
    quote: String,
    asset_names: Names,
    asset_prices: Vec<f64>,
    underlyings: Vec<Underlying>,
    underlying_names: Names,
}

/// Every table of a snapshot but those of its book.
struct MarketTables {
    market: Market,
    assets: Vec<Asset>,
    instruments: Vec<Instrument>,
    instrument_names: Names,
    routes: Vec<Route>,
    route_names: Names,
    haircut_curves: Vec<HaircutCurve>,
}

impl MarketTables {
    fn read(dir: &Path, log: &mut FaultLog, counts: &mut BTreeMap<&'static str, RowCounts>) -> Self {
        let header = toml::read(dir, log);
        let (assets, asset_names, outcome) = assets::read(dir, &header.quote, log);
        counts.insert("assets", outcome.counts);
        let (mut underlyings, underlying_names, outcome) = underlyings::read(dir, log);
        header.volatility_shocks.apply(&mut underlyings, log);
        counts.insert("underlyings", outcome.counts);
        let asset_prices = assets.iter().map(|asset| asset.price).collect();
        let (as_of, quote) = (header.as_of, header.quote);
        let market = Market { as_of, quote, asset_names, asset_prices, underlyings, underlying_names };
        let (instruments, instrument_names, outcome) = instruments::read(dir, &market, log);
        counts.insert("instruments", outcome.counts);
        let (routes, route_names, outcome) = routes::read(dir, log);
        counts.insert("routes", outcome.counts);
        let (haircut_curves, outcome) = haircut_curves::read(dir, log);
        counts.insert("haircut_curves", outcome.counts);
        Self { market, assets, instruments, instrument_names, routes, route_names, haircut_curves }
    }

    /// The market with a book; what stands on routes is in no balance of it.
    fn snapshot(&self, book: Book) -> Snapshot {
        Snapshot {
            as_of: self.market.as_of,
            quote: self.market.quote.clone(),
            assets: self.assets.clone(),
            underlyings: self.market.underlyings.clone(),
            instruments: self.instruments.clone(),
            routes: self.routes.clone(),
            haircut_curves: self.haircut_curves.clone(),
            book,
        }
    }
}

/// Reads the snapshot in directory `dir`.
///
/// # Errors
/// [`Error::Refused`] with every fault of every table, [`Error::Io`] where `dir` does not exist, [`Error::Usage`] where
/// it is not a directory.
pub fn read(dir: &Path) -> Result<Snapshot> {
    read_with_faults(dir)?.into_snapshot()
}

/// Reads the snapshot in directory `dir` as far as it can be read; broken rules are in [`Loaded::faults`].
///
/// # Errors
/// [`Error::Io`] where `dir` does not exist, [`Error::Usage`] where it is not a directory.
pub fn read_with_faults(dir: &Path) -> Result<Loaded> {
    check_directory(dir)?;
    let mut log = FaultLog::default();
    let mut counts = BTreeMap::new();
    let MarketTables { market, assets, mut instruments, instrument_names, routes, route_names, haircut_curves } =
        MarketTables::read(dir, &mut log, &mut counts);
    let mut holders = holders::Holders::default();
    let mut lots = lots::Lots::new((&assets, &market.asset_names), (&routes, &route_names));
    let outcome = balances::read(dir, &market.asset_names, &mut lots, &mut holders, &mut log);
    counts.insert("balances", outcome.counts);
    let (on_routes, unlocked) = lots.finish();
    let (mut pools, isolated) = pools::read(dir, &mut holders, &mut log);
    let (outcome, keys) = positions::read(dir, &instruments, &instrument_names, &mut holders, &mut log);
    counts.insert("positions", outcome.counts);
    pools::check_isolated(&isolated, &keys, &mut pools, &mut holders, &mut log);
    drop(keys);
    counts.insert("pools", pools.counts);
    counts.insert("orders", orders::read(dir, &instrument_names, &mut holders, &mut log).counts);

    let mut warnings = unread_files(dir)?;
    if holders.lost_rows > 0 {
        warnings.push(format!(
            "{} refused row(s) name no readable account or pool: the pools they belong to are not marked unknown",
            holders.lost_rows
        ));
    }
    if unlocked > 0 {
        warnings.push(format!("{unlocked} lot(s) on routes have no lock: nothing shows that they are credited once"));
    }
    let (assets, places) = sort_in(assets, on_routes);
    renumber_assets(&mut instruments, &places);
    holders.book.renumber_assets(&places);
    let snapshot = Snapshot {
        as_of: market.as_of,
        quote: market.quote,
        assets,
        underlyings: market.underlyings,
        instruments,
        routes,
        haircut_curves,
        book: holders.book.build(),
    };
    let (fault_count, table_faults) = (log.total(), log.of_tables());
    Ok(Loaded { snapshot, faults: log.into_faults(), fault_count, counts, warnings, table_faults })
}

/// Reads the market of the snapshot in directory `dir`, with an empty book. No table of the book is opened, so it does not matter
/// how large they are; what stands on routes is not among the assets.
///
/// # Errors
/// As [`read`], of the market's tables alone.
pub fn read_market(dir: &Path) -> Result<Snapshot> {
    check_directory(dir)?;
    let mut log = FaultLog::default();
    let tables = MarketTables::read(dir, &mut log, &mut BTreeMap::new());
    if log.total() == 0 { Ok(tables.snapshot(Book::default())) } else { Err(Error::Refused(log.into_faults())) }
}

fn check_directory(dir: &Path) -> Result<()> {
    let metadata = std::fs::metadata(dir).map_err(|source| Error::io(dir, source))?;
    if metadata.is_dir() {
        return Ok(());
    }
    Err(Error::Usage(format!("{}: a snapshot is a directory of tables", dir.display())))
}

/// Warnings about table files in `dir` that no table of a snapshot is called after: they may be misspelled.
fn unread_files(dir: &Path) -> Result<Vec<String>> {
    const OWN: [&str; 9] = [
        "assets",
        "underlyings",
        "instruments",
        "balances",
        "positions",
        "pools",
        "orders",
        "routes",
        "haircut_curves",
    ];
    let tables = || OWN.into_iter().chain(crate::io::oracle_tables::TABLES);
    let mut unread = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|source| Error::io(dir, source))? {
        let path = entry.map_err(|source| Error::io(dir, source))?.path();
        let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let is_table = EXTENSIONS.iter().any(|extension| path.extension().is_some_and(|found| found == *extension));
        if is_table && !tables().any(|table| table == stem) {
            let remedy = crate::suggest::remedy(&stem, tables(), "a snapshot has no such table");
            unread.push(format!("{:?} was not read: {remedy}", path.file_name().unwrap_or_default()));
        }
    }
    unread.sort();
    Ok(unread)
}

#[cfg(test)]
mod tests;
