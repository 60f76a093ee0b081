//! Collateral on other networks: routes, and which lots stand on them.

use super::accounts::Accounts;
use super::market::Market;
use super::random::{Random, round_significant};
use crate::collateral::network::credit_routes;
use crate::domain::{Asset, AssetIndex, Balance, Book, CustodyStatus, Latency, Route};
use crate::error::{Error, Result};
use crate::margin::Rulebook;

/// Network, seconds until a deposit is final by the documentation of one messenger (Chainlink CCIP, August 2026), and by that of
/// another (Wormhole), 0 where that lists none. Under a second counts as one. Most used networks first.
const NETWORKS: [(&str, f64, f64); 23] = [
    ("ethereum", 900.0, 1_140.0),
    ("arbitrum", 1_020.0, 1_080.0),
    ("solana", 1.0, 14.0),
    ("base", 1_080.0, 1_080.0),
    ("bnb", 5.0, 48.0),
    ("optimism", 1_200.0, 1_080.0),
    ("avalanche", 1.0, 2.0),
    ("polygon", 1_020.0, 66.0),
    ("scroll", 3_600.0, 960.0),
    ("linea", 1_200.0, 0.0),
    ("zksync", 1_200.0, 0.0),
    ("mode", 2_220.0, 0.0),
    ("metis", 7_200.0, 0.0),
    ("ink", 7_200.0, 0.0),
    ("celo", 1.0, 0.0),
    ("sei", 1.0, 0.0),
    ("cronos", 1.0, 0.0),
    ("berachain", 7.0, 0.0),
    ("sonic", 7.0, 0.0),
    ("ronin", 10.0, 0.0),
    ("monad", 48.0, 0.0),
    ("corn", 43_200.0, 0.0),
    ("cronos-zkevm", 111_600.0, 0.0),
];
/// An assumption, not a measurement: a message takes a minute, one in a hundred more than ten.
const MESSAGE: Latency = Latency { typical_seconds: 60.0, p99_seconds: 600.0 };
/// Network on which everything is credited.
const HOME: &str = "home";
/// Share of the balances beside cash that stand on a route, in whole or in part.
const ROUTED_SHARE: f64 = 0.5;
/// Share of accounts that hold cash on a route, and how much beside what they need.
const ROUTED_CASH_SHARE: f64 = 0.3;
const IN_TRANSIT_SHARE: f64 = 0.15;

/// A route from each of the first `count` networks, named after it; sorted by name.
pub(super) fn routes(count: usize) -> Result<Vec<Route>> {
    let most = NETWORKS.len();
    let networks = NETWORKS
        .get(..count)
        .ok_or_else(|| Error::Usage(format!("{count} networks asked for, the generator knows {most}")))?;
    let mut routes: Vec<Route> = networks
        .iter()
        .map(|&(name, seconds, elsewhere)| {
            let usual = Latency::typical(seconds);
            let finality = Latency { p99_seconds: usual.p99_seconds.max(elsewhere), ..usual };
            let (from_network, to_network) = (Some(name.into()), Some(HOME.into()));
            Route { from_network, to_network, ..Route::new(name, finality, MESSAGE) }
        })
        .collect();
    routes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(routes)
}

/// Every asset but `quote` as it stands on every route, beside the settled ones; sorted by name.
pub(super) fn spread(settled: Vec<Asset>, quote: &str, routes: &[Route]) -> Vec<Asset> {
    let mut assets = settled.clone();
    for asset in settled.iter().filter(|asset| asset.name != quote) {
        for route in routes {
            let stands = |status| asset.on_route(&route.name, status, route.from_network.as_deref());
            assets.extend(CustodyStatus::ALL.map(stands));
        }
    }
    assets.sort_by(|a, b| a.name.cmp(&b.name));
    assets
}

/// The rulebook with haircut classes for what stands on the routes of `market`; without routes it stays as it is.
///
/// # Errors
/// As [`credit_routes`].
pub fn add_route_classes(rulebook: Rulebook, market: &Market) -> Result<Rulebook> {
    if market.routes.is_empty() {
        return Ok(rulebook);
    }
    Ok(credit_routes(&market.snapshot(Book::default()), &rulebook, None)?.rulebook)
}

impl Accounts<'_> {
    /// Moves some of what an account holds beside cash to routes, and gives some accounts cash there worth up to half of `value`
    /// (quote units). Draws from a stream of its own, so that nothing else moves.
    pub(super) fn stand_on_routes(&self, account: &str, balances: &mut Vec<Balance>, value: f64) {
        let market = self.market();
        if market.routes.is_empty() {
            return;
        }
        let mut random = Random::named(self.seed(), &format!("{account} networks"));
        let mut moved = Vec::new();
        for balance in balances.iter_mut().filter(|balance| balance.amount > 0.0) {
            let (is_routed, is_whole) = (random.chance(ROUTED_SHARE), random.chance(0.5));
            let Some(asset) = self.draw_route(&mut random, balance.asset).filter(|_| is_routed) else { continue };
            let amount = if is_whole { balance.amount } else { round_significant(0.5 * balance.amount, 6) };
            moved.push(Balance::new(asset, amount));
            balance.amount -= amount;
        }
        balances.retain(|balance| balance.amount != 0.0);
        let cash = market.cash[usize::from(market.cash.len() > 1 && random.chance(0.5))];
        let (has_cash, share) = (random.chance(ROUTED_CASH_SHARE), 0.5 * random.uniform());
        if let Some(asset) = self.draw_route(&mut random, cash).filter(|_| has_cash) {
            let amount = round_significant(share * value / market.assets[cash as usize].price, 6);
            moved.extend((amount > 0.0).then(|| Balance::new(asset, amount)));
        }
        balances.extend(moved);
    }

    /// A settled asset as it stands on a drawn route.
    fn draw_route(&self, random: &mut Random, settled: AssetIndex) -> Option<AssetIndex> {
        let market = self.market();
        let at = (random.uniform() * market.routes.len() as f64) as usize;
        let is_in_transit = random.chance(IN_TRANSIT_SHARE);
        let status = if is_in_transit { CustodyStatus::InTransit } else { CustodyStatus::Attested };
        let stands = market.assets[settled as usize].on_route(&market.routes.get(at)?.name, status, None);
        market.asset(&stands.name)
    }
}
