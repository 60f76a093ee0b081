use std::path::Path;

use super::holders::Holders;
use super::names::Names;
use crate::domain::Order;
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, TableRead};

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
const ACCOUNT: usize = 0;
const POOL: usize = 1;
const INSTRUMENT: usize = 2;
const SIDE: usize = 3;
const QUANTITY: usize = 4;
const PRICE: usize = 5;
const REDUCE_ONLY: usize = 6;

const SIDES: [(&str, f64); 2] = [("buy", 1.0), ("sell", -1.0)];

/// Reads the optional open orders.
pub(super) fn read(dir: &Path, instruments: &Names, holders: &mut Holders, log: &mut FaultLog) -> TableRead {
    let outcome = table::read(dir, &LAYOUT, Presence::Optional, log, |row| {
        let pool = holders.pool(row, ACCOUNT, POOL);
        let name = row.required_text(INSTRUMENT);
        let instrument = name.and_then(|name| instruments.resolve(row, INSTRUMENT, name, "instruments"));
        let sign = row.required_word(SIDE, &SIDES);
        let quantity = row.required_number(QUANTITY, NumberRule::Positive);
        let price = row.required_number(PRICE, NumberRule::Positive);
        let reduces_only = row.flag(REDUCE_ONLY).unwrap_or(false);
        if row.is_refused() {
            return holders.refuse(pool);
        }
        let (Some(pool), Some(instrument), Some(sign), Some(quantity), Some(price)) =
            (pool, instrument, sign, quantity, price)
        else {
            return;
        };
        let order = Order { instrument, quantity: sign * quantity, price, reduces_only };
        holders.book.settings(pool).orders.push(order);
    });
    holders.lost_rows += outcome.unreadable;
    outcome
}
