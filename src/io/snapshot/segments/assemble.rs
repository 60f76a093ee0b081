//! Every row of the tables of a book, read side by side and put together pool by pool.

use std::collections::{BTreeMap, HashMap};

use super::held::Held;
use super::source::{Cursor, Sink, Step, channel};
use super::{BookRead, Paths, first_name, join};
use crate::domain::{Balance, Book, Mode, Order, PoolSettings, Position, SortedBook};
use crate::io::snapshot::holders::{Uniqueness, pool_names};
use crate::io::snapshot::{MarketTables, balances, orders, pools, positions};
use crate::io::table::{FaultLog, Layout, Row, RowCounts, read_file};

/// A balance, and what must be unique about it.
struct BalanceRow {
    balance: Balance,
    network: u32,
    row: u32,
}

/// A position and its row.
struct PositionRow {
    position: Position,
    row: u32,
}

/// Settings and their row.
struct SettingsRow {
    settings: PoolSettings,
    row: u64,
}

/// What became of one table.
struct TableOutcome {
    table: &'static str,
    log: FaultLog,
    counts: RowCounts,
    is_unsorted: bool,
}

/// Reads all of it; segments go to `each` until it answers `false`.
pub(super) fn read(
    paths: &Paths,
    tables: &MarketTables,
    segment_pools: usize,
    each: impl FnMut(Book) -> bool,
) -> BookRead {
    std::thread::scope(|scope| {
        let (balances_sink, balances) = channel();
        let (positions_sink, positions) = channel();
        let (settings_sink, settings) = channel();
        let (orders_sink, orders) = channel();
        let threads = [
            scope.spawn(move || read_balances(paths, tables, balances_sink)),
            scope.spawn(move || read_positions(paths, tables, positions_sink)),
            scope.spawn(move || read_settings(paths, settings_sink)),
            scope.spawn(move || read_orders(paths, tables, orders_sink)),
        ];
        let mut assembly = Assembly {
            tables,
            balances,
            positions,
            settings,
            orders,
            held: Held::new(tables.assets.len(), tables.instruments.len()),
            log: FaultLog::default(),
            refused_later: BTreeMap::new(),
        };
        let is_complete = assembly.run(segment_pools, each);
        let Assembly { balances, positions, settings, orders, held, log: repeated, refused_later, .. } = assembly;
        // Readers that wait for somebody to take their blocks must not wait for ever.
        drop((balances, positions, settings, orders));
        let (mut log, mut counts, mut is_unsorted) = (FaultLog::default(), BTreeMap::new(), false);
        for outcome in threads.map(join) {
            log.absorb(outcome.log);
            is_unsorted |= outcome.is_unsorted;
            let mut of_table = outcome.counts;
            (0..refused_later.get(outcome.table).copied().unwrap_or(0)).for_each(|_| of_table.refuse_later());
            counts.insert(outcome.table, of_table);
        }
        log.absorb(repeated);
        BookRead { log, counts, held, is_unsorted, is_complete }
    })
}

/// Reads a table into its sink; `each` makes something of a row, told whether its pool is another than that of the row before.
fn read_table<T>(
    path: &std::path::Path,
    layout: &'static Layout,
    (account, pool): (usize, usize),
    mut sink: Sink<T>,
    mut each: impl FnMut(&mut Row<'_>, Option<Step>) -> Option<T>,
) -> TableOutcome {
    let (mut log, mut is_unsorted) = (FaultLog::default(), false);
    let outcome = read_file(path, layout, &mut log, |row| {
        let step = pool_names(row, account, pool).map(|names| sink.pool(names));
        is_unsorted |= step == Some(Step::Back);
        let item = each(row, step);
        if let (Some(item), false) = (item, row.is_refused()) {
            sink.push(item);
        }
    });
    sink.finish();
    TableOutcome { table: layout.table, log, counts: outcome.counts, is_unsorted }
}

fn read_balances(paths: &Paths, tables: &MarketTables, sink: Sink<BalanceRow>) -> TableOutcome {
    use balances::{ACCOUNT, Holding, LAYOUT, POOL, read_holding};
    let mut networks: HashMap<String, u32> = HashMap::new();
    read_table(&paths.balances, &LAYOUT, (ACCOUNT, POOL), sink, |row, _| {
        let Holding { asset, network, amount, accrued_interest, .. } = read_holding(row, &tables.market.asset_names);
        let network = network.map_or(0, |network| {
            networks.get(network).copied().unwrap_or_else(|| {
                let next = networks.len() as u32 + 1;
                networks.insert(network.into(), next);
                next
            })
        });
        let balance = Balance { accrued_interest, ..Balance::new(asset?, amount?) };
        Some(BalanceRow { balance, network, row: row.number() as u32 })
    })
}

fn read_positions(paths: &Paths, tables: &MarketTables, sink: Sink<PositionRow>) -> TableOutcome {
    use positions::{ACCOUNT, LAYOUT, POOL, read_position};
    read_table(&paths.positions, &LAYOUT, (ACCOUNT, POOL), sink, |row, _| {
        let position = read_position(row, &tables.instruments, &tables.instrument_names)?;
        Some(PositionRow { position, row: row.number() as u32 })
    })
}

fn read_settings(paths: &Paths, sink: Sink<SettingsRow>) -> TableOutcome {
    use pools::{ACCOUNT, LAYOUT, POOL, refuse_repeated};
    let Some(path) = &paths.pools else { return absent(LAYOUT.table, sink) };
    let mut first = 0;
    read_table(path, &LAYOUT, (ACCOUNT, POOL), sink, |row, step| {
        let settings = pools::read_settings(row);
        match step {
            Some(Step::Same) => refuse_repeated(row, first),
            Some(_) => first = row.number(),
            None => {}
        }
        Some(SettingsRow { settings, row: row.number() })
    })
}

fn read_orders(paths: &Paths, tables: &MarketTables, sink: Sink<Order>) -> TableOutcome {
    use orders::{ACCOUNT, LAYOUT, POOL, read_order};
    let Some(path) = &paths.orders else { return absent(LAYOUT.table, sink) };
    read_table(path, &LAYOUT, (ACCOUNT, POOL), sink, |row, _| read_order(row, &tables.instrument_names))
}

/// An optional table that is not there.
fn absent<T>(table: &'static str, sink: Sink<T>) -> TableOutcome {
    sink.finish();
    TableOutcome { table, log: FaultLog::default(), counts: RowCounts::default(), is_unsorted: false }
}

/// The tables at the pools that come next.
struct Assembly<'t> {
    tables: &'t MarketTables,
    balances: Cursor<BalanceRow>,
    positions: Cursor<PositionRow>,
    settings: Cursor<SettingsRow>,
    orders: Cursor<Order>,
    held: Held,
    /// Faults of rules over several rows.
    log: FaultLog,
    refused_later: BTreeMap<&'static str, u64>,
}

impl Assembly<'_> {
    /// Whether `each` took every segment.
    fn run(&mut self, segment_pools: usize, mut each: impl FnMut(Book) -> bool) -> bool {
        let mut segment = SortedBook::default();
        let (mut account, mut pool) = (String::new(), String::new());
        loop {
            self.balances.fill();
            self.positions.fill();
            self.settings.fill();
            self.orders.fill();
            let names =
                [self.balances.names(), self.positions.names(), self.settings.names(), self.orders.names()];
            if !first_name(names, (&mut account, &mut pool)) {
                return segment.is_empty() || each(segment.build());
            }
            self.push((&account, &pool), &mut segment);
            if segment.len() == segment_pools && !each(std::mem::take(&mut segment).build()) {
                return false;
            }
        }
    }

    /// Adds the pool of these names to the segment.
    fn push(&mut self, names: (&str, &str), segment: &mut SortedBook) {
        let [at_balances, at_positions, at_settings, at_orders] =
            [self.balances.names(), self.positions.names(), self.settings.names(), self.orders.names()]
                .map(|at| at == Some(names));
        self.check(at_balances, at_positions, at_settings);
        let balances: &[BalanceRow] = if at_balances { self.balances.rows() } else { &[] };
        let positions: &[PositionRow] = if at_positions { self.positions.rows() } else { &[] };
        let settings = if at_settings { self.settings.rows().first().map(|row| &row.settings) } else { None };
        let orders: &[Order] = if at_orders { self.orders.rows() } else { &[] };
        let settings = (settings.is_some() || !orders.is_empty()).then(|| PoolSettings {
            orders: orders.to_vec(),
            ..settings.cloned().unwrap_or_default()
        });
        balances.iter().for_each(|row| self.held.asset(row.balance.asset));
        positions.iter().for_each(|row| self.held.position(row.position.instrument, row.position.quantity));
        orders.iter().for_each(|order| self.held.order(order.instrument));
        self.held.has_portfolio_pools |= settings.as_ref().is_some_and(|of| of.mode == Mode::Portfolio);
        let balances = balances.iter().map(|row| row.balance);
        segment.push(names, balances, positions.iter().map(|row| row.position), settings);
        for (is_here, advance) in [
            (at_balances, &mut self.balances as &mut dyn Advance),
            (at_positions, &mut self.positions),
            (at_settings, &mut self.settings),
            (at_orders, &mut self.orders),
        ] {
            if is_here {
                advance.advance();
            }
        }
    }

    /// Checks the rules over several rows of a pool.
    fn check(&mut self, at_balances: bool, at_positions: bool, at_settings: bool) {
        if at_balances {
            let tables = self.tables;
            let keys = self.balances.rows().iter().map(|row| (row.balance.asset, row.network, row.row));
            let faults = repeated(keys, &balances::UNIQUENESS, |asset| &tables.assets[asset as usize].name);
            self.refuse_later(balances::LAYOUT.table, faults);
        }
        if !at_positions {
            return;
        }
        let tables = self.tables;
        let key = |row: &PositionRow| (row.position.instrument, row.position.side as u32, row.row);
        let keys = self.positions.rows().iter().map(key);
        let faults = repeated(keys, &positions::UNIQUENESS, |at| &tables.instruments[at as usize].name);
        self.refuse_later(positions::LAYOUT.table, faults);
        let isolated = if at_settings { self.settings.rows().first() } else { None };
        let Some(row) = isolated.filter(|row| row.settings.mode == Mode::Isolated).map(|row| row.row) else { return };
        let mut instruments: Vec<u32> =
            self.positions.rows().iter().map(|row| row.position.instrument).collect();
        instruments.sort_unstable();
        instruments.dedup();
        if instruments.len() > 1 {
            self.refuse_later(pools::LAYOUT.table, vec![pools::not_isolated(row, instruments.len())]);
        }
    }

    fn refuse_later(&mut self, table: &'static str, faults: Vec<crate::error::Fault>) {
        if !faults.is_empty() {
            *self.refused_later.entry(table).or_default() += faults.len() as u64;
            faults.into_iter().for_each(|fault| self.log.push(fault));
        }
    }
}

/// A cursor, whatever its rows.
trait Advance {
    fn advance(&mut self);
}

impl<T> Advance for Cursor<T> {
    fn advance(&mut self) {
        Cursor::advance(self);
    }
}

/// The faults of rows of a pool, as (item, tag, row), that repeat the item and tag of an earlier one.
fn repeated<'n>(
    keys: impl Iterator<Item = (u32, u32, u32)> + Clone,
    uniqueness: &Uniqueness,
    name_of: impl Fn(u32) -> &'n String,
) -> Vec<crate::error::Fault> {
    let what = |key: (u32, u32, u32)| (key.0, key.1);
    if keys.clone().zip(keys.clone().skip(1)).all(|(a, b)| what(a) < what(b)) {
        return Vec::new();
    }
    let mut keys: Vec<(u32, u32, u32)> = keys.collect();
    keys.sort_unstable();
    let same = keys.chunk_by(|a, b| what(*a) == what(*b));
    same.flat_map(|same| same[1..].iter().map(|key| uniqueness.fault(name_of(key.0), key.2, same[0].2))).collect()
}
