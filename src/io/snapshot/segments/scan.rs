//! A first look at the tables of a book: whether their accounts ascend, how many there are, what is held.

use std::ops::ControlFlow;
use std::path::Path;

use super::held::Held;
use super::source::{Cursor, Sink, Step, channel};
use super::{Paths, first, join};
use crate::domain::Mode;
use crate::io::snapshot::holders::DEFAULT_POOL;
use crate::io::snapshot::{MarketTables, balances, orders, pools, positions};
use crate::io::table::{Columns, Layout, read_columns};

/// What a first look tells.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) pools: usize,
    pub(super) held: Held,
}

/// Looks through the tables at once.
///
/// # Errors
/// Why the book cannot be read in segments.
pub(super) fn scan(paths: &Paths, tables: &MarketTables) -> Result<Scan, String> {
    let nothing = || Held::new(tables.assets.len(), tables.instruments.len());
    std::thread::scope(|scope| {
        let (balances_sink, balances_cursor) = channel();
        let (positions_sink, positions_cursor) = channel();
        let (pools_sink, pools_cursor) = channel();
        let (orders_sink, orders_cursor) = channel();
        let of_balances = scope.spawn(move || {
            use balances::{ACCOUNT, ASSET, LAYOUT, POOL};
            let mut held = nothing();
            look(&paths.balances, &LAYOUT, [ACCOUNT, POOL, ASSET], None, balances_sink, |columns, row| {
                let asset = columns.text(ASSET, row).and_then(|name| tables.market.asset_names.get(name));
                asset.into_iter().for_each(|asset| held.asset(asset));
            })
            .map(|()| held)
        });
        let of_positions = scope.spawn(move || {
            use positions::{ACCOUNT, INSTRUMENT, LAYOUT, POOL, QUANTITY};
            let (path, mut held) = (&paths.positions, nothing());
            look(path, &LAYOUT, [ACCOUNT, POOL, INSTRUMENT], Some(QUANTITY), positions_sink, |columns, row| {
                let instrument = columns.text(INSTRUMENT, row).and_then(|name| tables.instrument_names.get(name));
                let quantity = columns.number(QUANTITY, row).unwrap_or(0.0);
                instrument.into_iter().for_each(|instrument| held.position(instrument, quantity));
            })
            .map(|()| held)
        });
        let of_pools = scope.spawn(move || {
            use pools::{ACCOUNT, LAYOUT, MODE, POOL};
            let Some(path) = &paths.pools else { return Ok(nothing()) };
            let mut held = nothing();
            look(path, &LAYOUT, [ACCOUNT, POOL, MODE], None, pools_sink, |columns, row| {
                held.has_portfolio_pools |= columns.text(MODE, row) == Some(Mode::Portfolio.name());
            })
            .map(|()| held)
        });
        let of_orders = scope.spawn(move || {
            use orders::{ACCOUNT, INSTRUMENT, LAYOUT, POOL};
            let Some(path) = &paths.orders else { return Ok(nothing()) };
            let mut held = nothing();
            look(path, &LAYOUT, [ACCOUNT, POOL, INSTRUMENT], None, orders_sink, |columns, row| {
                let instrument = columns.text(INSTRUMENT, row).and_then(|name| tables.instrument_names.get(name));
                instrument.into_iter().for_each(|instrument| held.order(instrument));
            })
            .map(|()| held)
        });
        let pools = count([balances_cursor, positions_cursor, pools_cursor, orders_cursor]);
        let mut held = nothing();
        for of_table in [of_balances, of_positions, of_pools, of_orders] {
            held.add(&join(of_table)?);
        }
        Ok(Scan { pools, held })
    })
}

/// Goes through a table: its pools into the sink, its other columns to `each`.
fn look(
    path: &Path,
    layout: &Layout,
    [account, pool, item]: [usize; 3],
    number: Option<usize>,
    mut sink: Sink<()>,
    mut each: impl FnMut(&Columns<'_>, usize),
) -> Result<(), String> {
    let columns: Vec<usize> = [account, pool, item].into_iter().chain(number).collect();
    let mut is_sorted = true;
    read_columns(path, layout, &columns, |columns| {
        for row in columns.rows() {
            // A row without an account is refused once the table is read in full.
            let Some(account) = columns.text(account, row) else { continue };
            let pool = columns.text(pool, row).unwrap_or(DEFAULT_POOL);
            if sink.pool((account, pool)) == Step::Back {
                is_sorted = false;
                return ControlFlow::Break(());
            }
            each(columns, row);
        }
        ControlFlow::Continue(())
    })
    .map_err(|rule| format!("{}: {rule}", layout.table))?;
    sink.finish();
    if is_sorted { Ok(()) } else { Err(format!("{} is not sorted by account", layout.table)) }
}

/// Number of different pools in four tables.
fn count(mut cursors: [Cursor<()>; 4]) -> usize {
    let (mut pools, mut account) = (0, String::new());
    cursors.iter_mut().for_each(Cursor::advance);
    while first(cursors.each_ref().map(Cursor::account), &mut account) {
        let here = cursors.iter().filter(|cursor| cursor.account() == Some(&account));
        let mut of_account: Vec<&str> = here.flat_map(Cursor::runs).map(|(pool, _)| pool).collect();
        of_account.sort_unstable();
        of_account.dedup();
        pools += of_account.len();
        for cursor in cursors.iter_mut().filter(|cursor| cursor.account() == Some(&account)) {
            cursor.advance();
        }
    }
    pools
}
