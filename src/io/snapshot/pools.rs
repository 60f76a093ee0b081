use std::collections::HashMap;
use std::path::Path;

use super::holders::{Holders, Key};
use crate::domain::{Mode, PoolSettings};
use crate::error::Fault;
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, Row, TableRead};

pub(in crate::io) static LAYOUT: Layout = Layout {
    table: "pools",
    columns: &[
        Column::required("account", CellKind::Text),
        Column::optional("pool", CellKind::Text),
        Column::optional("mode", CellKind::Text),
        Column::optional("rulebook", CellKind::Text),
        Column::optional("im_multiplier", CellKind::Number),
        Column::optional("mm_multiplier", CellKind::Number),
        Column::optional("open_order_margin", CellKind::Number),
    ],
};
pub(super) const ACCOUNT: usize = 0;
pub(super) const POOL: usize = 1;
pub(super) const MODE: usize = 2;
const RULEBOOK: usize = 3;
const IM_MULTIPLIER: usize = 4;
const MM_MULTIPLIER: usize = 5;
const OPEN_ORDER_MARGIN: usize = 6;

/// Reads the optional settings of pools. Also answers the isolated pools with their rows, to be checked against the
/// positions by [`check_isolated`].
pub(super) fn read(dir: &Path, holders: &mut Holders, log: &mut FaultLog) -> (TableRead, Vec<(u32, u64)>) {
    let mut first_rows: HashMap<u32, u64> = HashMap::new();
    let mut isolated = Vec::new();
    let outcome = table::read(dir, &LAYOUT, Presence::Optional, log, |row| {
        let pool = holders.pool(row, ACCOUNT, POOL);
        let read = read_settings(row);
        if let Some(first) = pool.and_then(|pool| first_rows.get(&pool)) {
            refuse_repeated(row, *first);
        } else if let Some(pool) = pool {
            first_rows.insert(pool, row.number());
        }
        if row.is_refused() {
            return holders.refuse(pool);
        }
        let Some(pool) = pool else { return };
        let settings = holders.book.settings(pool);
        let orders = std::mem::take(&mut settings.orders);
        *settings = PoolSettings { orders, ..read };
        if settings.mode == Mode::Isolated {
            isolated.push((pool, row.number()));
        }
    });
    holders.lost_rows += outcome.unreadable;
    (outcome, isolated)
}

/// Settings of a row, without orders; its account and pool apart.
pub(super) fn read_settings(row: &mut Row<'_>) -> PoolSettings {
    let mode = row.word(MODE, &Mode::ALL.map(|mode| (mode.name(), mode))).unwrap_or_default();
    if let Some(rulebook) = row.text(RULEBOOK) {
        row.refuse(RULEBOOK, rulebook, "one rulebook per run", "leave the cell empty; split the snapshot by rulebook");
    }
    let im_multiplier = row.number_at(IM_MULTIPLIER, NumberRule::Positive).unwrap_or(1.0);
    let mm_multiplier = row.number_at(MM_MULTIPLIER, NumberRule::Positive).unwrap_or(1.0);
    let open_order_margin = row.number_at(OPEN_ORDER_MARGIN, NumberRule::NonNegative).unwrap_or(0.0);
    PoolSettings { mode, im_multiplier, mm_multiplier, open_order_margin, orders: Vec::new() }
}

/// Refuses a second row of a pool.
pub(super) fn refuse_repeated(row: &mut Row<'_>, first: u64) {
    let rule = format!("one row for each pool; row {first} is the first");
    row.refuse_cell(POOL, rule, "remove one of them");
}

/// Refuses the rows of isolated pools that hold more than one instrument. `positions` is sorted by pool and instrument.
pub(super) fn check_isolated(
    isolated: &[(u32, u64)],
    positions: &[Key],
    outcome: &mut TableRead,
    holders: &mut Holders,
    log: &mut FaultLog,
) {
    for (pool, row) in isolated {
        let start = positions.partition_point(|key| key.pool < *pool);
        let held = positions[start..].iter().take_while(|key| key.pool == *pool);
        let instruments = held.clone().zip(held.skip(1)).filter(|(a, b)| a.item != b.item).count() + 1;
        if instruments > 1 {
            log.push(not_isolated(*row, instruments));
            outcome.counts.refuse_later();
            holders.book.mark_unknown(*pool);
        }
    }
}

/// The fault of the row of an isolated pool that holds several instruments.
pub(super) fn not_isolated(row: u64, instruments: usize) -> Fault {
    let rule = format!("an isolated pool holds one instrument, not {instruments}");
    Fault::of_cell((LAYOUT.table, row, "mode"), "isolated", rule, "split the pool, or use cross")
}
