//! Every row of the tables of a book, read side by side and put together pool by pool.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::held::Held;
use super::source::{Cursor, Sink, Step, channel};
use super::{BookRead, Paths, first, join};
use crate::domain::{Balance, Book, Mode, Order, PoolSettings, Position, SortedBook};
use crate::error::Fault;
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

/// Where rows go, and a flag that a refused one raises: no segment is worth anything from then on.
type Way<'f, T> = (Sink<T>, &'f AtomicBool);

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
    let has_faults = AtomicBool::new(false);
    let has_faults = &has_faults;
    std::thread::scope(|scope| {
        let (balances_sink, balances) = channel();
        let (positions_sink, positions) = channel();
        let (settings_sink, settings) = channel();
        let (orders_sink, orders) = channel();
        let threads = [
            scope.spawn(move || read_balances(paths, tables, (balances_sink, has_faults))),
            scope.spawn(move || read_positions(paths, tables, (positions_sink, has_faults))),
            scope.spawn(move || read_settings(paths, (settings_sink, has_faults))),
            scope.spawn(move || read_orders(paths, tables, (orders_sink, has_faults))),
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
            has_faults,
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

/// Reads a table into its sink; `each` makes something of a row, told how its pool follows that of the row before.
fn read_table<T>(
    path: &std::path::Path,
    layout: &'static Layout,
    (account, pool): (usize, usize),
    (mut sink, has_faults): (Sink<T>, &AtomicBool),
    mut each: impl FnMut(&mut Row<'_>, Option<Step>) -> Option<T>,
) -> TableOutcome {
    let (mut log, mut is_unsorted) = (FaultLog::default(), false);
    let outcome = read_file(path, layout, &mut log, |row| {
        let step = pool_names(row, account, pool).map(|names| sink.pool(names));
        is_unsorted |= step == Some(Step::Back);
        let item = each(row, step);
        match item {
            _ if row.is_refused() => has_faults.store(true, Relaxed),
            Some(item) => sink.push(item),
            None => {}
        }
    });
    sink.finish();
    TableOutcome { table: layout.table, log, counts: outcome.counts, is_unsorted }
}

fn read_balances(paths: &Paths, tables: &MarketTables, sink: Way<'_, BalanceRow>) -> TableOutcome {
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

fn read_positions(paths: &Paths, tables: &MarketTables, sink: Way<'_, PositionRow>) -> TableOutcome {
    use positions::{ACCOUNT, LAYOUT, POOL, read_position};
    read_table(&paths.positions, &LAYOUT, (ACCOUNT, POOL), sink, |row, _| {
        let position = read_position(row, &tables.instruments, &tables.instrument_names)?;
        Some(PositionRow { position, row: row.number() as u32 })
    })
}

fn read_settings(paths: &Paths, sink: Way<'_, SettingsRow>) -> TableOutcome {
    use pools::{ACCOUNT, LAYOUT, POOL, refuse_repeated};
    let Some(path) = &paths.pools else { return absent(LAYOUT.table, sink) };
    // Of the pools of one account.
    let mut first_rows: HashMap<String, u64> = HashMap::new();
    read_table(path, &LAYOUT, (ACCOUNT, POOL), sink, |row, step| {
        let settings = pools::read_settings(row);
        let step = step?;
        let (_, pool) = pool_names(row, ACCOUNT, POOL)?;
        if step == Step::Account {
            first_rows.clear();
        }
        match first_rows.get(pool) {
            Some(first) => refuse_repeated(row, *first),
            None => drop(first_rows.insert(pool.into(), row.number())),
        }
        Some(SettingsRow { settings, row: row.number() })
    })
}

fn read_orders(paths: &Paths, tables: &MarketTables, sink: Way<'_, Order>) -> TableOutcome {
    use orders::{ACCOUNT, LAYOUT, POOL, read_order};
    let Some(path) = &paths.orders else { return absent(LAYOUT.table, sink) };
    read_table(path, &LAYOUT, (ACCOUNT, POOL), sink, |row, _| read_order(row, &tables.instrument_names))
}

/// An optional table that is not there.
fn absent<T>(table: &'static str, (sink, _): Way<'_, T>) -> TableOutcome {
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
    has_faults: &'t AtomicBool,
}

impl Assembly<'_> {
    /// Whether `each` took every segment. Once a row is refused it gets no more of them, but reading goes on.
    fn run(&mut self, segment_pools: usize, mut each: impl FnMut(Book) -> bool) -> bool {
        let (mut segment, mut account) = (SortedBook::default(), String::new());
        self.balances.advance();
        self.positions.advance();
        self.settings.advance();
        self.orders.advance();
        loop {
            let accounts =
                [self.balances.account(), self.positions.account(), self.settings.account(), self.orders.account()];
            if !first(accounts, &mut account) {
                return segment.is_empty() || self.hand_out(segment, &mut each);
            }
            let here = accounts.map(|at| at == Some(account.as_str()));
            for pool in self.take(here) {
                segment.push((&account, &pool.name), pool.balances, pool.positions, pool.settings);
                if segment.len() == segment_pools && !self.hand_out(std::mem::take(&mut segment), &mut each) {
                    return false;
                }
            }
        }
    }

    fn hand_out(&self, segment: SortedBook, each: &mut impl FnMut(Book) -> bool) -> bool {
        self.has_faults.load(Relaxed) || each(segment.build())
    }

    /// The pools of the account that the tables that are `here` stand at, sorted; those tables go on.
    fn take(&mut self, here: [bool; 4]) -> Vec<PoolRead> {
        let [at_balances, at_positions, at_settings, at_orders] = here;
        let mut names: Vec<&str> = Vec::new();
        let is_new = |names: &[&str], name: &str| names.last().is_none_or(|last| *last != name);
        let mut note = |name| {
            if is_new(&names, name) {
                names.push(name)
            }
        };
        self.balances.runs().filter(|_| at_balances).for_each(|(name, _)| note(name));
        self.positions.runs().filter(|_| at_positions).for_each(|(name, _)| note(name));
        self.settings.runs().filter(|_| at_settings).for_each(|(name, _)| note(name));
        self.orders.runs().filter(|_| at_orders).for_each(|(name, _)| note(name));
        names.sort_unstable();
        names.dedup();
        let names: Vec<String> = names.into_iter().map(String::from).collect();
        let pools = names.into_iter().map(|name| self.pool(name, here)).collect();
        if at_balances {
            self.balances.advance();
        }
        if at_positions {
            self.positions.advance();
        }
        if at_settings {
            self.settings.advance();
        }
        if at_orders {
            self.orders.advance();
        }
        pools
    }

    /// One pool of the account that the tables stand at, its rules over several rows checked.
    fn pool(&mut self, name: String, [at_balances, at_positions, at_settings, at_orders]: [bool; 4]) -> PoolRead {
        let of_balances = self.balances.rows_of(&name).filter(|_| at_balances);
        let (balances, keys): (Vec<Balance>, Vec<Key>) =
            of_balances.map(|row| (row.balance, (row.balance.asset, row.network, row.row))).unzip();
        let of_positions = self.positions.rows_of(&name).filter(|_| at_positions);
        let (positions, position_keys): (Vec<Position>, Vec<Key>) = of_positions
            .map(|PositionRow { position, row }| (*position, (position.instrument, position.side as u32, *row)))
            .unzip();
        let settings = self.settings.rows_of(&name).find(|_| at_settings);
        let orders: Vec<Order> = self.orders.rows_of(&name).filter(|_| at_orders).cloned().collect();
        let isolated = settings.filter(|row| row.settings.mode == Mode::Isolated).map(|row| row.row);
        let settings = (settings.is_some() || !orders.is_empty())
            .then(|| PoolSettings { orders, ..settings.map(|row| row.settings.clone()).unwrap_or_default() });
        let tables = self.tables;
        let faults = repeated(keys, &balances::UNIQUENESS, |asset| &tables.assets[asset as usize].name);
        self.refuse_later(balances::LAYOUT.table, faults);
        let name_of = |instrument: u32| &tables.instruments[instrument as usize].name;
        self.refuse_later(positions::LAYOUT.table, repeated(position_keys, &positions::UNIQUENESS, name_of));
        if let Some(row) = isolated {
            let instruments: BTreeSet<u32> = positions.iter().map(|position| position.instrument).collect();
            let is_broken = instruments.len() > 1;
            let fault = is_broken.then(|| pools::not_isolated(row, instruments.len()));
            self.refuse_later(pools::LAYOUT.table, fault.into_iter().collect());
        }
        balances.iter().for_each(|balance| self.held.asset(balance.asset));
        positions.iter().for_each(|position| self.held.position(position.instrument, position.quantity));
        settings.iter().flat_map(|of| &of.orders).for_each(|order| self.held.order(order.instrument));
        self.held.has_portfolio_pools |= settings.as_ref().is_some_and(|of| of.mode == Mode::Portfolio);
        PoolRead { name, balances, positions, settings }
    }

    fn refuse_later(&mut self, table: &'static str, faults: Vec<Fault>) {
        if !faults.is_empty() {
            self.has_faults.store(true, Relaxed);
            *self.refused_later.entry(table).or_default() += faults.len() as u64;
            faults.into_iter().for_each(|fault| self.log.push(fault));
        }
    }
}

/// A pool as the tables have it.
struct PoolRead {
    name: String,
    balances: Vec<Balance>,
    positions: Vec<Position>,
    settings: Option<PoolSettings>,
}

/// Item, what else must be unique with it, row.
type Key = (u32, u32, u32);

/// The faults of rows of a pool that repeat the item and tag of an earlier one.
fn repeated<'n>(mut keys: Vec<Key>, uniqueness: &Uniqueness, name_of: impl Fn(u32) -> &'n String) -> Vec<Fault> {
    let what = |key: &Key| (key.0, key.1);
    if keys.is_sorted_by(|a, b| what(a) < what(b)) {
        return Vec::new();
    }
    keys.sort_unstable();
    let same = keys.chunk_by(|a, b| what(a) == what(b));
    same.flat_map(|same| same[1..].iter().map(|key| uniqueness.fault(name_of(key.0), key.2, same[0].2))).collect()
}
