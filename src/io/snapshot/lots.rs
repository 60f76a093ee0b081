use std::collections::HashMap;

use super::names::Names;
use crate::domain::{Asset, AssetIndex, CustodyStatus, Route};
use crate::io::table::{CellKind, Column, Row};

pub(super) const ROUTE: Column = Column::optional("route", CellKind::Text);
pub(super) const STATUS: Column = Column::optional("status", CellKind::Text);
pub(super) const LOCK: Column = Column::optional("lock", CellKind::Text);

/// Where the columns of a lot stand in its table.
#[derive(Debug, Clone, Copy)]
pub(super) struct LotColumns {
    pub route: usize,
    pub status: usize,
    pub lock: usize,
}

/// Words of `status`; `None` is settled locally.
const STATUSES: [(&str, Option<CustodyStatus>); 3] =
    [("settled", None), ("attested", Some(CustodyStatus::Attested)), ("in_transit", Some(CustodyStatus::InTransit))];

/// Turns lots that stand on a route into assets of their own, and sees to it that no lock backs two lots.
///
/// Assets on routes are numbered after the plain ones, in the order they are met, until [`crate::domain::sort_in`] gives them their places.
pub(super) struct Lots<'a> {
    assets: &'a [Asset],
    asset_names: &'a Names,
    routes: &'a [Route],
    route_names: &'a Names,
    on_routes: Vec<Asset>,
    index: HashMap<(AssetIndex, u32, CustodyStatus), AssetIndex>,
    /// The row that each lock stands in first.
    locks: HashMap<String, u64>,
    unlocked: u64,
}

/// The asset that a lot is held in, whether a lock tells it from others of its asset, and whether it stands on a route.
pub(super) struct Lot {
    pub asset: AssetIndex,
    pub is_locked: bool,
    pub is_on_route: bool,
}

impl<'a> Lots<'a> {
    /// No lots yet, of these assets and routes.
    pub(super) fn new(
        (assets, asset_names): (&'a [Asset], &'a Names),
        (routes, route_names): (&'a [Route], &'a Names),
    ) -> Self {
        Self {
            assets,
            asset_names,
            routes,
            route_names,
            on_routes: Vec::new(),
            index: HashMap::new(),
            locks: HashMap::new(),
            unlocked: 0,
        }
    }

    /// The lot of a row that holds `amount` of the settled `asset`; both are `None` where their cells broke a rule. Refuses the
    /// row where its route, status or lock does.
    pub(super) fn read(
        &mut self,
        row: &mut Row<'_>,
        columns: LotColumns,
        (asset, amount): (Option<AssetIndex>, Option<f64>),
    ) -> Option<Lot> {
        let name = row.text(columns.route);
        let route = name.and_then(|name| self.route_names.resolve(row, columns.route, name, "routes"));
        let status = row.word(columns.status, &STATUSES).flatten();
        let is_locked = self.claim_lock(row, columns.lock);
        let Some(status) = status else { return Some(Lot { asset: asset?, is_locked, is_on_route: false }) };
        if name.is_none() && row.is_blank(columns.route) {
            let rule = "what is not settled stands on a route";
            row.refuse(columns.status, status.name(), rule, "name the route, or write settled");
        }
        if let Some(amount) = amount.filter(|amount| *amount < 0.0) {
            let rule = format!("a loan is settled: only what is held stands on a route, not {amount}");
            row.refuse(columns.status, status.name(), rule, "write settled, or correct the amount");
        }
        let asset = self.on_route(row, columns.route, (asset?, route?, status))?;
        self.unlocked += u64::from(!is_locked && !row.is_refused());
        Some(Lot { asset, is_locked, is_on_route: true })
    }

    /// Whether the row has a lock; a second row with it is refused, because a lot is credited once.
    fn claim_lock(&mut self, row: &mut Row<'_>, column: usize) -> bool {
        let Some(lock) = row.text(column) else { return false };
        match self.locks.get(lock) {
            Some(first) => {
                let rule = format!("a lock backs one lot; row {first} has the same");
                row.refuse(column, lock, rule, "a lot is credited once: remove the second");
            }
            None => {
                self.locks.insert(lock.into(), row.number());
            }
        }
        true
    }

    /// The asset as it stands on the route, made on first sight.
    fn on_route(
        &mut self,
        row: &mut Row<'_>,
        column: usize,
        (asset, route, status): (AssetIndex, u32, CustodyStatus),
    ) -> Option<AssetIndex> {
        if let Some(known) = self.index.get(&(asset, route, status)) {
            return Some(*known);
        }
        let Route { name, from_network, .. } = &self.routes[route as usize];
        let made = self.assets[asset as usize].on_route(name, status, from_network.as_deref());
        if self.asset_names.is_known(&made.name) {
            let rule = format!("{} stands for this lot, but assets has a row of that name", made.name);
            row.refuse(column, name.as_str(), rule, "rename the asset or the route");
            return None;
        }
        let next = (self.assets.len() + self.on_routes.len()) as AssetIndex;
        self.on_routes.push(made);
        self.index.insert((asset, route, status), next);
        Some(next)
    }

    /// Name of an asset by its number so far.
    pub(super) fn name_of(&self, asset: AssetIndex) -> &str {
        let at = asset as usize;
        let plain = self.assets.len();
        if at < plain { &self.assets[at].name } else { &self.on_routes[at - plain].name }
    }

    /// The assets on routes, and how many of their lots have no lock.
    pub(super) fn finish(self) -> (Vec<Asset>, u64) {
        (self.on_routes, self.unlocked)
    }
}
