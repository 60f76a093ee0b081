//! The assets that the lots of an arriving account become.

use super::account::{Lot, Status};
use super::fault::at;
use super::identifier::AssetMap;
use crate::domain::{Asset, AssetIndex, CustodyStatus, Route, Snapshot};
use crate::error::Fault;

/// Finds the asset of each lot. A lot that has not settled stands on a route, as an asset of its own, which is made where the
/// book has none yet.
pub(super) struct Lots<'a> {
    into: &'a Snapshot,
    identifiers: &'a AssetMap,
    made: Vec<Asset>,
}

impl<'a> Lots<'a> {
    /// Nothing made yet.
    pub(super) fn new(into: &'a Snapshot, identifiers: &'a AssetMap) -> Self {
        Self { into, identifiers, made: Vec::new() }
    }

    /// The assets that the book lacks: they are numbered after its own, in this order.
    pub(super) fn into_made(self) -> Vec<Asset> {
        self.made
    }

    /// The asset that a lot is held in; where there is none, the reasons are added.
    pub(super) fn asset(&mut self, path: &str, lot: &Lot, faults: &mut Vec<Fault>) -> Option<AssetIndex> {
        let settled = self.settled(path, lot, faults);
        let status = match lot.status {
            Status::Settled => return settled,
            Status::Attested => CustodyStatus::Attested,
            Status::InTransit => CustodyStatus::InTransit,
        };
        let route = self.route(path, lot, faults);
        self.on_route(path, (settled?, route?, status), faults)
    }

    fn settled(&self, path: &str, lot: &Lot, faults: &mut Vec<Fault>) -> Option<AssetIndex> {
        let name = self.identifiers.name_of(&lot.asset);
        let found = name.and_then(|name| self.index_of(&name));
        let found = found.filter(|index| self.into.assets[*index as usize].custody.is_none());
        if found.is_none() {
            let rule = "no asset of this book has this identifier";
            faults.push(at(&format!("{path}.asset"), &lot.asset, rule, "list the asset, or map it"));
        }
        found
    }

    fn index_of(&self, name: &str) -> Option<AssetIndex> {
        let found = self.into.assets.binary_search_by(|asset| asset.name.as_str().cmp(name));
        found.ok().map(|index| index as AssetIndex)
    }

    fn route(&self, path: &str, lot: &Lot, faults: &mut Vec<Fault>) -> Option<&'a Route> {
        let path = format!("{path}.custody");
        let Some((custody, name)) = lot.custody.as_ref().and_then(|custody| Some((custody, custody.route.as_ref()?)))
        else {
            let rule = "a lot that has not settled names its custody.route";
            faults.push(at(&path, &lot.asset, rule, "have its issuer correct it"));
            return None;
        };
        let routes = &self.into.routes;
        let Ok(index) = routes.binary_search_by(|route| route.name.cmp(name)) else {
            let names = routes.iter().map(|route| route.name.as_str());
            let remedy =
                crate::suggest::remedy(name, names, "list the route, or take the account in once it has settled");
            faults.push(at(&format!("{path}.route"), name, "no route of this book has this name", remedy));
            return None;
        };
        let route = &routes[index];
        if let Some(network) = route.from_network.as_ref().filter(|network| **network != custody.network) {
            let rule = format!("the route {name} of this book comes from {network}");
            let remedy = "a lot stands on the network its route comes from: correct one of them";
            faults.push(at(&format!("{path}.network"), &custody.network, rule, remedy));
            return None;
        }
        Some(route)
    }

    /// The settled asset as it stands on the route, made on first sight.
    fn on_route(
        &mut self,
        path: &str,
        (settled, route, status): (AssetIndex, &Route, CustodyStatus),
        faults: &mut Vec<Fault>,
    ) -> Option<AssetIndex> {
        let asset = self.into.assets[settled as usize].on_route(&route.name, status, route.from_network.as_deref());
        if let Some(known) = self.index_of(&asset.name) {
            let is_same = self.into.assets[known as usize].custody == asset.custody;
            if !is_same {
                let rule = format!("{} stands for this lot, but the book has another asset of that name", asset.name);
                faults.push(at(&format!("{path}.custody.route"), &route.name, rule, "rename the asset or the route"));
            }
            return is_same.then_some(known);
        }
        let place = self.made.iter().position(|made| made.custody == asset.custody).unwrap_or_else(|| {
            self.made.push(asset);
            self.made.len() - 1
        });
        Some((self.into.assets.len() + place) as AssetIndex)
    }
}
