use super::{Asset, AssetIndex, Instrument};

/// How far a lot has come that is not settled locally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CustodyStatus {
    /// Final on its own network, and vouched for by a message over its route; it can be seized over the route alone.
    Attested,
    /// On its way: not final, so it may still be undone.
    InTransit,
}

impl CustodyStatus {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::Attested, Self::InTransit];

    /// The word used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attested => "attested",
            Self::InTransit => "in_transit",
        }
    }

    /// What the names of assets and haircut classes end in.
    fn suffix(self) -> &'static str {
        match self {
            Self::Attested => "",
            Self::InTransit => ":transit",
        }
    }
}

/// Where an asset stands that is credited here and held elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Custody {
    /// Name of the asset once it is settled locally.
    pub asset: String,
    /// Name of the route it stands on.
    pub route: String,
    /// How far it has come.
    pub status: CustodyStatus,
}

impl Custody {
    /// Name of the asset as it stands: `ASSET@ROUTE`, in transit `ASSET@ROUTE:transit`.
    pub fn asset_name(&self) -> String {
        format!("{}@{}{}", self.asset, self.route, self.status.suffix())
    }

    /// Haircut class: `CLASS@ROUTE`, in transit `CLASS@ROUTE:transit`, with the class of the settled asset, or its name where it
    /// has none.
    pub fn haircut_class(&self, settled: Option<&str>) -> String {
        format!("{}@{}{}", settled.unwrap_or(&self.asset), self.route, self.status.suffix())
    }
}

impl Asset {
    /// This asset standing on a route: same price and underlying, a name and a haircut class of its own. `network` is where it
    /// is held.
    pub fn on_route(&self, route: &str, status: CustodyStatus, network: Option<&str>) -> Self {
        let custody = Custody { asset: self.name.clone(), route: route.into(), status };
        Self {
            name: custody.asset_name(),
            price: self.price,
            underlying: self.underlying.clone(),
            haircut_class: Some(custody.haircut_class(self.haircut_class.as_deref())),
            network: network.map(Into::into),
            custody: Some(custody),
        }
    }
}

/// Sorts assets on routes in among the other ones, which are sorted: all assets, and the place of each, the other ones first.
pub fn sort_in(assets: Vec<Asset>, on_routes: Vec<Asset>) -> (Vec<Asset>, Vec<AssetIndex>) {
    let mut numbered: Vec<(usize, Asset)> = assets.into_iter().chain(on_routes).enumerate().collect();
    numbered.sort_by(|(_, a), (_, b)| a.name.as_bytes().cmp(b.name.as_bytes()));
    let mut places = vec![0; numbered.len()];
    for (place, (before, _)) in numbered.iter().enumerate() {
        places[*before] = place as AssetIndex;
    }
    (numbered.into_iter().map(|(_, asset)| asset).collect(), places)
}

/// Gives the assets that instruments refer to their new places.
pub fn renumber_assets(instruments: &mut [Instrument], places: &[AssetIndex]) {
    for instrument in instruments {
        instrument.settlement_asset = places[instrument.settlement_asset as usize];
        instrument.price_asset = places[instrument.price_asset as usize];
    }
}
