use std::collections::HashMap;
use std::path::Path;

use super::holders::{Holders, Key, Uniqueness};
use super::lots::{self, LotColumns, Lots};
use super::names::Names;
use crate::domain::{AssetIndex, Balance, LotTerms};
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, Row, TableRead};

pub(in crate::io) static LAYOUT: Layout = Layout {
    table: "balances",
    columns: &[
        Column::required("account", CellKind::Text),
        Column::optional("pool", CellKind::Text),
        Column::required("asset", CellKind::Text),
        Column::optional("network", CellKind::Text),
        Column::required("amount", CellKind::Number),
        Column::optional("accrued_interest", CellKind::Number),
        Column::optional("locked", CellKind::Number),
        lots::ROUTE,
        lots::STATUS,
        lots::LOCK,
    ],
};
pub(super) static UNIQUENESS: Uniqueness = Uniqueness {
    table: "balances",
    column: "asset",
    rule: "one row for each asset and network of a pool",
    remedy: "add the amounts up, or tell lots apart by their locks",
};
pub(super) const ACCOUNT: usize = 0;
pub(super) const POOL: usize = 1;
pub(super) const ASSET: usize = 2;
const NETWORK: usize = 3;
const AMOUNT: usize = 4;
const ACCRUED_INTEREST: usize = 5;
const LOCKED: usize = 6;
pub(super) const LOT: LotColumns = LotColumns { route: 7, status: 8, lock: 9 };

/// Reads the balances into `holders`. Several rows of one asset in a pool are lots: networks, routes and locks tell them
/// apart, and without any they are an error.
pub(super) fn read(
    dir: &Path,
    names: &Names,
    lots: &mut Lots<'_>,
    holders: &mut Holders,
    log: &mut FaultLog,
) -> TableRead {
    let mut networks: HashMap<String, u32> = HashMap::new();
    let mut keys: Vec<Key> = Vec::new();
    let mut outcome = table::read(dir, &LAYOUT, Presence::Required, log, |row| {
        let pool = holders.pool(row, ACCOUNT, POOL);
        let holding = read_holding(row, names);
        // Accrued interest may make a loan of a lot.
        let amount = holding.amount.map(|amount| amount + holding.accrued_interest);
        let lot = lots.read(row, LOT, (holding.asset, amount));
        if row.is_refused() {
            return holders.refuse(pool);
        }
        let Holding { network, amount, accrued_interest, locked, .. } = holding;
        let (Some(pool), Some(lot), Some(amount)) = (pool, lot, amount) else { return };
        let tag = match network {
            None => 0,
            Some(network) => networks.get(network).copied().unwrap_or_else(|| {
                let next = networks.len() as u32 + 1;
                networks.insert(network.into(), next);
                next
            }),
        };
        let (asset, is_on_route) = (lot.asset, lot.is_on_route);
        if !lot.is_locked {
            keys.push(Key { pool, item: asset, tag, row: row.number() as u32 });
        }
        let lock = row.text(LOT.lock).map(Into::into);
        let terms = LotTerms { network: network.map(Into::into), lock, locked: locked.unwrap_or(0.0) + 0.0 };
        // That a lot on a route has no lock is stated too: none is to be made up for it.
        let is_stated = is_on_route || terms != LotTerms::default();
        let lot = if is_stated { holders.book.lot(terms) } else { 0 };
        holders.book.add_balance_row(pool, row.number() as u32, Balance { asset, lot, amount, accrued_interest });
    });
    holders.lost_rows += outcome.unreadable;
    keys.sort_unstable();
    let name_of = |asset: u32| lots.name_of(asset);
    let repeated = holders.refuse_repeated(&UNIQUENESS, &keys, name_of, &mut outcome.counts, log);
    holders.book.drop_balance_rows(&repeated);
    outcome
}

/// What a row says is held, whatever lot it is; `None` where a cell broke a rule or is empty.
pub(super) struct Holding<'a> {
    pub(super) asset: Option<AssetIndex>,
    pub(super) network: Option<&'a str>,
    pub(super) amount: Option<f64>,
    pub(super) accrued_interest: f64,
    locked: Option<f64>,
}

pub(super) fn read_holding<'a>(row: &mut Row<'a>, names: &Names) -> Holding<'a> {
    let name = row.required_text(ASSET);
    let asset = name.and_then(|name| names.resolve(row, ASSET, name, "assets"));
    let network = row.text(NETWORK);
    let amount = row.required_number(AMOUNT, NumberRule::Amount);
    let accrued_interest = row.number_at(ACCRUED_INTEREST, NumberRule::Amount).unwrap_or(0.0);
    let locked = row.number_at(LOCKED, NumberRule::NonNegative);
    if let (Some(amount), Some(locked)) = (amount, locked)
        && locked > amount.max(0.0)
    {
        let rule = format!("locked is at most the amount, {amount}");
        row.refuse(LOCKED, locked.to_string(), rule, "correct one of them");
    }
    Holding { asset, network, amount, accrued_interest, locked }
}
