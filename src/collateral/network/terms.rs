use std::collections::{BTreeMap, BTreeSet};

use super::haircut::{bridge, credit_share, horizon_seconds, market, on_route};
use super::resolve::curve;
use crate::domain::{Asset, CustodyStatus, Route, Snapshot};
use crate::error::{Error, Result};
use crate::margin::{HaircutSchedule, Rulebook};

/// What an exchange can bear on one route.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FundLimit {
    /// Insurance fund, quote units, ≥ 0.
    pub fund_quote: f64,
    /// Most that is credited on a route, as a multiple of the fund, ≥ 0.
    pub multiple: f64,
}

/// Haircuts of collateral on routes, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Credit {
    /// The rulebook with a haircut class for every settled class on every route.
    pub rulebook: Rulebook,
    /// Those classes, by route, then class.
    pub classes: Vec<RouteClass>,
    /// Routes in the order of the snapshot.
    pub routes: Vec<RouteTotals>,
}

/// One haircut class on one route. All haircuts are those of the first tier.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteClass {
    /// The route.
    pub route: String,
    /// Class of the settled asset, or its name where it has none.
    pub settled_class: String,
    /// Class on the route, `CLASS@ROUTE`.
    pub class: String,
    /// Haircut of the settled asset.
    pub settled: f64,
    /// Seconds from the need to the sale.
    pub horizon_seconds: f64,
    /// Haircut for the market's fall within them.
    pub market: f64,
    /// Whether that is from a measured curve.
    pub is_measured: bool,
    /// Haircut for the route itself.
    pub bridge: f64,
    /// What the route's limit leaves of the credit, in [0, 1].
    pub scale: f64,
    /// What is cut in the end, rounded up to a millionth.
    pub haircut: f64,
}

/// What stands on a route, quote units at the snapshot's prices.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteTotals {
    /// The route.
    pub route: String,
    /// Attested lots, in full.
    pub attested_quote: f64,
    /// Lots in transit, in full.
    pub in_transit_quote: f64,
    /// What would count without a limit.
    pub unlimited_quote: f64,
    /// The smaller of the route's cap and the multiple of the fund; `None` = no limit.
    pub limit_quote: Option<f64>,
    /// What the limit leaves of the credit, in [0, 1].
    pub scale: f64,
    /// What counts.
    pub credited_quote: f64,
    /// That, beside the insurance fund; `None` without a fund.
    pub share_of_fund: Option<f64>,
}

/// Haircut classes `CLASS@ROUTE` for every haircut class of the rulebook, and every asset on a route without one, on every route
/// of the snapshot, in place of earlier ones. Classes for lots in transit are kept and never made: what is not final counts
/// nothing.
///
/// With `s` the credit share of [`credit_share`], a tier `h` becomes `1 − (1 − h) · s · scale`. `scale` keeps what the whole
/// book is credited on a route within the smaller of its cap and `multiple · fund`, at the snapshot's prices:
/// `min(1, limit / credited)`, a little less for the rounding of the sum.
///
/// # Errors
/// [`Error::Usage`] where the snapshot has no routes.
pub fn credit_routes(snapshot: &Snapshot, rulebook: &Rulebook, fund: Option<FundLimit>) -> Result<Credit> {
    if snapshot.routes.is_empty() {
        return Err(Error::Usage("the snapshot has no routes: add the table routes".into()));
    }
    let settled = settled_classes(snapshot, rulebook);
    let mut made = rulebook.clone();
    let mut classes: Vec<RouteClass> = Vec::new();
    for route in &snapshot.routes {
        for (class, schedule) in &settled {
            let terms = terms(snapshot, route, class, schedule);
            made.haircut.insert(terms.class.clone(), terms.schedule(schedule));
            classes.push(terms);
        }
    }
    let (unlimited, lots) = (totals(snapshot, &made), snapshot.book.balance_count());
    let limits: Vec<Limit> =
        snapshot.routes.iter().zip(&unlimited).map(|(route, total)| Limit::of(route, fund, *total, lots)).collect();
    for (terms, limit) in classes.chunks_mut(settled.len().max(1)).zip(&limits) {
        for (terms, schedule) in terms.iter_mut().zip(settled.values()) {
            terms.scale = limit.scale;
            let schedule = terms.schedule(schedule);
            terms.haircut = schedule.haircuts.first().copied().unwrap_or(1.0);
            made.haircut.insert(terms.class.clone(), schedule);
        }
    }
    let limited = totals(snapshot, &made);
    let routes = snapshot.routes.iter().zip(limits).zip(unlimited.iter().zip(&limited));
    let routes = routes.map(|((route, limit), (before, after))| RouteTotals {
        route: route.name.clone(),
        attested_quote: before.attested,
        in_transit_quote: before.in_transit,
        unlimited_quote: before.credited(),
        limit_quote: limit.quote,
        scale: limit.scale,
        credited_quote: after.credited(),
        share_of_fund: fund.filter(|fund| fund.fund_quote > 0.0).map(|fund| after.credited() / fund.fund_quote),
    });
    Ok(Credit { routes: routes.collect(), rulebook: made, classes })
}

/// Classes of settled assets, sorted: those of the rulebook that are no route's, and a haircut of 0 for every asset on a route
/// without a class.
fn settled_classes(snapshot: &Snapshot, rulebook: &Rulebook) -> BTreeMap<String, HaircutSchedule> {
    let routes: BTreeSet<&str> = snapshot.routes.iter().map(|route| route.name.as_str()).collect();
    let is_settled = |class: &str| {
        class.rsplit_once('@').is_none_or(|(_, route)| !routes.contains(route.trim_end_matches(":transit")))
    };
    let known = rulebook.haircut.iter().filter(|(class, _)| is_settled(class));
    let without_class = snapshot.assets.iter().filter_map(|asset| {
        let custody = asset.custody.as_ref()?;
        let is_own = asset.haircut_class.as_ref() == Some(&custody.haircut_class(None));
        is_own.then(|| (custody.asset.clone(), HaircutSchedule::flat(0.0)))
    });
    without_class.chain(known.map(|(class, schedule)| (class.clone(), schedule.clone()))).collect()
}

fn terms(snapshot: &Snapshot, route: &Route, class: &str, schedule: &HaircutSchedule) -> RouteClass {
    let curve = curve(snapshot, class);
    let settled = schedule.haircuts.first().copied().unwrap_or(0.0);
    let horizon_seconds = horizon_seconds(route, 0.0);
    RouteClass {
        route: route.name.clone(),
        settled_class: class.into(),
        class: format!("{class}@{}", route.name),
        settled,
        horizon_seconds,
        market: market(settled, curve, route.liquidation_seconds, horizon_seconds),
        is_measured: curve.is_some(),
        bridge: bridge(route),
        scale: 1.0,
        haircut: 1.0,
    }
}

impl RouteClass {
    /// The tiers of the settled class, on the route.
    fn schedule(&self, settled: &HaircutSchedule) -> HaircutSchedule {
        let share = credit_share(self.settled, self.market, self.bridge) * self.scale;
        let on_route = |haircuts: &Vec<f64>| haircuts.iter().map(|haircut| on_route(*haircut, share)).collect();
        HaircutSchedule {
            unit: settled.unit,
            bounds: settled.bounds.clone(),
            haircuts: on_route(&settled.haircuts),
            initial: settled.initial.as_ref().map(on_route),
        }
    }
}

/// What may be credited on a route.
struct Limit {
    quote: Option<f64>,
    scale: f64,
}

impl Limit {
    fn of(route: &Route, fund: Option<FundLimit>, total: Total, lots: usize) -> Self {
        let of_fund = fund.map(|fund| fund.multiple * fund.fund_quote);
        let quote = route.cap_quote.into_iter().chain(of_fund).reduce(f64::min);
        let scale = match quote {
            Some(quote) if total.credited() > quote => {
                // Sums of this many terms are off by less than this share.
                let rounding = 4.0 * (lots + 4) as f64 * f64::EPSILON;
                ((quote - total.in_transit_credited) / total.attested_credited * (1.0 - rounding)).clamp(0.0, 1.0)
            }
            _ => 1.0,
        };
        Self { quote, scale }
    }
}

/// What stands on a route and what of it counts, quote units.
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    attested: f64,
    in_transit: f64,
    attested_credited: f64,
    in_transit_credited: f64,
}

impl Total {
    fn credited(&self) -> f64 {
        self.attested_credited + self.in_transit_credited
    }
}

/// Totals of every route of the snapshot, in order: lots of one asset in one pool are cut together, as margin does.
fn totals(snapshot: &Snapshot, rulebook: &Rulebook) -> Vec<Total> {
    let mut totals = vec![Total::default(); snapshot.routes.len()];
    let places: Vec<Option<usize>> = snapshot.assets.iter().map(|asset| place(snapshot, asset)).collect();
    let haircut = |asset: &Asset| asset.haircut_class.as_ref().and_then(|class| rulebook.haircut.get(class));
    let haircuts: Vec<Option<&HaircutSchedule>> = snapshot.assets.iter().map(haircut).collect();
    for pool in snapshot.book.pools() {
        for lots in pool.balances.chunk_by(|a, b| a.asset == b.asset) {
            let at = lots[0].asset as usize;
            let Some(place) = places[at] else { continue };
            let (asset, total) = (&snapshot.assets[at], &mut totals[place]);
            let units: f64 = lots.iter().map(|lot| lot.amount + lot.accrued_interest).sum();
            let value = (units * asset.price).max(0.0);
            let counts = haircuts[at].map_or(0.0, |haircut| haircut.kept(&value, &asset.price));
            let (held, credited) = match asset.custody.as_ref().map(|custody| custody.status) {
                Some(CustodyStatus::InTransit) => (&mut total.in_transit, &mut total.in_transit_credited),
                _ => (&mut total.attested, &mut total.attested_credited),
            };
            *held += value;
            *credited += counts;
        }
    }
    totals
}

/// Where the route of an asset stands among the snapshot's; `None` of a settled asset.
fn place(snapshot: &Snapshot, asset: &Asset) -> Option<usize> {
    let route = &asset.custody.as_ref()?.route;
    snapshot.routes.binary_search_by(|candidate| candidate.name.cmp(route)).ok()
}
