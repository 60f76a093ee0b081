use std::path::Path;

use super::holders::{Holders, Key, Uniqueness};
use super::names::Names;
use crate::domain::{Instrument, Kind, Position, Side};
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, Row, TableRead};

pub(in crate::io) static LAYOUT: Layout = Layout {
    table: "positions",
    columns: &[
        Column::required("account", CellKind::Text),
        Column::optional("pool", CellKind::Text),
        Column::required("instrument", CellKind::Text),
        Column::required("quantity", CellKind::Number),
        Column::optional("entry_price", CellKind::Number),
        Column::optional("leverage", CellKind::Number),
        Column::optional("accrued_funding", CellKind::Number),
        Column::optional("side", CellKind::Text),
    ],
};
pub(super) static UNIQUENESS: Uniqueness = Uniqueness {
    table: "positions",
    column: "instrument",
    rule: "one row for each instrument and side of a pool",
    remedy: "net the rows, or tell hedge-mode legs apart by side",
};
pub(super) const ACCOUNT: usize = 0;
pub(super) const POOL: usize = 1;
pub(super) const INSTRUMENT: usize = 2;
pub(super) const QUANTITY: usize = 3;
const ENTRY_PRICE: usize = 4;
const LEVERAGE: usize = 5;
const ACCRUED_FUNDING: usize = 6;
const SIDE: usize = 7;

const SIDES: [(&str, Side); 2] = [("long", Side::Long), ("short", Side::Short)];

/// Reads the positions into `holders` and refuses repeated ones. Also answers the key of every position used, sorted.
pub(super) fn read(
    dir: &Path,
    instruments: &[Instrument],
    names: &Names,
    holders: &mut Holders,
    log: &mut FaultLog,
) -> (TableRead, Vec<Key>) {
    let mut keys: Vec<Key> = Vec::new();
    let mut outcome = table::read(dir, &LAYOUT, Presence::Required, log, |row| {
        let pool = holders.pool(row, ACCOUNT, POOL);
        let position = read_position(row, instruments, names);
        if row.is_refused() {
            return holders.refuse(pool);
        }
        let (Some(pool), Some(position)) = (pool, position) else { return };
        let row = row.number() as u32;
        keys.push(Key { pool, item: position.instrument, tag: position.side as u32, row });
        holders.book.add_position_row(pool, row, position);
    });
    holders.lost_rows += outcome.unreadable;
    keys.sort_unstable();
    let name_of = |instrument: u32| instruments[instrument as usize].name.as_str();
    let repeated = holders.refuse_repeated(&UNIQUENESS, &keys, name_of, &mut outcome.counts, log);
    holders.book.drop_position_rows(&repeated);
    (outcome, keys)
}

pub(super) fn read_position(row: &mut Row<'_>, instruments: &[Instrument], names: &Names) -> Option<Position> {
    let name = row.required_text(INSTRUMENT);
    let index = name.and_then(|name| names.resolve(row, INSTRUMENT, name, "instruments"));
    let instrument = index.map(|index| &instruments[index as usize]);
    let quantity = row.required_number(QUANTITY, NumberRule::Amount);
    let entry_price = row.number_at(ENTRY_PRICE, entry_rule(instrument));
    let leverage = row.number_at(LEVERAGE, NumberRule::Leverage);
    let accrued_funding = row.number_at(ACCRUED_FUNDING, NumberRule::Amount).unwrap_or(0.0);
    let side = row.word(SIDE, &SIDES).unwrap_or(Side::Net);
    if let Some(quantity) = quantity {
        let wrong_sign = match side {
            Side::Net => false,
            Side::Long => quantity < 0.0,
            Side::Short => quantity > 0.0,
        };
        if wrong_sign {
            let rule = "the quantity of a long leg is ≥ 0, of a short leg ≤ 0";
            row.refuse(QUANTITY, quantity.to_string(), rule, "correct the sign or the side");
        }
    }
    Some(Position {
        instrument: index?,
        quantity: quantity?,
        entry_price: entry_price.unwrap_or(instrument?.mark_price),
        leverage,
        accrued_funding,
        side,
    })
}

/// An option may have been had for nothing.
fn entry_rule(instrument: Option<&Instrument>) -> NumberRule {
    match instrument.map(|instrument| instrument.kind) {
        Some(Kind::Option) => NumberRule::ZeroOrPositive,
        _ => NumberRule::Positive,
    }
}
