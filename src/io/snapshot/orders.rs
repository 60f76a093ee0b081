use std::path::Path;

use super::holders::Holders;
use super::names::Names;
use crate::domain::Order;
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, Row, TableRead};

pub(in crate::io) static LAYOUT: Layout = Layout {
    table: "orders",
    columns: &[
        Column::required("account", CellKind::Text),
        Column::optional("pool", CellKind::Text),
        Column::required("instrument", CellKind::Text),
        Column::required("side", CellKind::Text),
        Column::required("quantity", CellKind::Number),
        Column::required("price", CellKind::Number),
        Column::optional("reduce_only", CellKind::Flag),
    ],
};
pub(super) const ACCOUNT: usize = 0;
pub(super) const POOL: usize = 1;
pub(super) const INSTRUMENT: usize = 2;
const SIDE: usize = 3;
const QUANTITY: usize = 4;
const PRICE: usize = 5;
const REDUCE_ONLY: usize = 6;

const SIDES: [(&str, f64); 2] = [("buy", 1.0), ("sell", -1.0)];

/// Reads the optional open orders.
pub(super) fn read(dir: &Path, instruments: &Names, holders: &mut Holders, log: &mut FaultLog) -> TableRead {
    let outcome = table::read(dir, &LAYOUT, Presence::Optional, log, |row| {
        let pool = holders.pool(row, ACCOUNT, POOL);
        let order = read_order(row, instruments);
        if row.is_refused() {
            return holders.refuse(pool);
        }
        let (Some(pool), Some(order)) = (pool, order) else { return };
        holders.book.settings(pool).orders.push(order);
    });
    holders.lost_rows += outcome.unreadable;
    outcome
}

pub(super) fn read_order(row: &mut Row<'_>, instruments: &Names) -> Option<Order> {
    let name = row.required_text(INSTRUMENT);
    let instrument = name.and_then(|name| instruments.resolve(row, INSTRUMENT, name, "instruments"));
    let sign = row.required_word(SIDE, &SIDES);
    let quantity = row.required_number(QUANTITY, NumberRule::Positive);
    let price = row.required_number(PRICE, NumberRule::Positive);
    let reduces_only = row.flag(REDUCE_ONLY).unwrap_or(false);
    Some(Order { instrument: instrument?, quantity: sign? * quantity?, price: price?, reduces_only })
}
