use std::collections::{BTreeMap, BTreeSet};

use super::haircut::{bridge, credit_share, exactly_on_route, horizon_seconds, market, on_route, within_limit};
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
    /// The same of lots in transit: below 1 where they alone count beyond the limit.
    pub in_transit_scale: f64,
    /// What counts.
    pub credited_quote: f64,
    /// That, beside the insurance fund; `None` without a fund.
    pub share_of_fund: Option<f64>,
}

/// Haircut classes `CLASS@ROUTE` for every haircut class of the rulebook, and every asset on a route without one, on every route
/// of the snapshot, in place of earlier ones. Classes for lots in transit are never made: what is not final counts nothing. Those
/// that the rulebook has are kept, unless their lots alone count beyond the route's limit.
///
/// With `s` the credit share of [`credit_share`], a tier `h` becomes `1 − (1 − h) · s · scale`. What the whole book is credited on
/// a route stays within the smaller of its cap and `multiple · fund`, at the snapshot's prices: lots in transit use the limit up
/// first, scaled by `min(1, limit / theirs)`; then `scale = min(1, rest of the limit / credited)`, before haircuts are rounded up,
/// and a little less for the rounding of the sum.
///
/// # Errors
/// [`Error::Usage`] where the snapshot has no routes.
pub fn credit_routes(snapshot: &Snapshot, rulebook: &Rulebook, fund: Option<FundLimit>) -> Result<Credit> {
    if snapshot.routes.is_empty() {
        return Err(Error::Usage("the snapshot has no routes: add the table routes".into()));
    }
    let settled = settled_classes(snapshot, rulebook);
    let classes = snapshot
        .routes
        .iter()
        .flat_map(|route| settled.iter().map(move |(class, schedule)| terms(snapshot, route, class, schedule)));
    let mut classes: Vec<RouteClass> = classes.collect();
    let of_route = settled.len().max(1);
    let schedules = |classes: &[RouteClass], cut: Cut| {
        let mut made = rulebook.clone();
        let each = classes.iter().zip(settled.values().cycle());
        made.haircut.extend(each.map(|(terms, schedule)| (terms.class.clone(), terms.schedule(schedule, cut))));
        made
    };
    let unlimited = totals(snapshot, &schedules(&classes, on_route));
    let unrounded = totals(snapshot, &schedules(&classes, exactly_on_route));
    let lots = snapshot.book.balance_count();
    let limits: Vec<Limit> =
        snapshot.routes.iter().zip(&unrounded).map(|(route, total)| Limit::of(route, fund, *total, lots)).collect();
    for (terms, limit) in classes.chunks_mut(of_route).zip(&limits) {
        terms.iter_mut().for_each(|terms| terms.scale = limit.scale);
    }
    let mut made = schedules(&classes, on_route);
    for terms in &mut classes {
        let schedule = &made.haircut[&terms.class];
        terms.haircut = schedule.haircuts.first().copied().unwrap_or(1.0);
    }
    for (route, limit) in snapshot.routes.iter().zip(&limits).filter(|(_, limit)| limit.in_transit_scale < 1.0) {
        scale_in_transit(&mut made, route, limit.in_transit_scale);
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
        in_transit_scale: limit.in_transit_scale,
        credited_quote: after.credited(),
        share_of_fund: fund.filter(|fund| fund.fund_quote > 0.0).map(|fund| after.credited() / fund.fund_quote),
    });
    Ok(Credit { routes: routes.collect(), rulebook: made, classes })
}

/// Scales what every class for lots in transit on a route counts.
fn scale_in_transit(rulebook: &mut Rulebook, route: &Route, scale: f64) {
    let of_route = format!("@{}:transit", route.name);
    for (_, schedule) in rulebook.haircut.iter_mut().filter(|(class, _)| class.ends_with(&of_route)) {
        *schedule = cut_by(schedule, scale, within_limit);
    }
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

/// A haircut on a route, of the settled one and the share that counts of what it leaves.
type Cut = fn(f64, f64) -> f64;

/// A schedule with every haircut cut further.
fn cut_by(schedule: &HaircutSchedule, share: f64, cut: Cut) -> HaircutSchedule {
    let on_route = |haircuts: &Vec<f64>| haircuts.iter().map(|haircut| cut(*haircut, share)).collect();
    HaircutSchedule {
        unit: schedule.unit,
        bounds: schedule.bounds.clone(),
        haircuts: on_route(&schedule.haircuts),
        initial: schedule.initial.as_ref().map(on_route),
    }
}

impl RouteClass {
    /// The tiers of the settled class, on the route; where its limit binds, rounded so that it holds.
    fn schedule(&self, settled: &HaircutSchedule, cut: Cut) -> HaircutSchedule {
        let share = credit_share(self.settled, self.market, self.bridge) * self.scale;
        cut_by(settled, share, if self.scale < 1.0 { within_limit } else { cut })
    }
}

/// What may be credited on a route.
struct Limit {
    quote: Option<f64>,
    scale: f64,
    in_transit_scale: f64,
}

impl Limit {
    /// `total` is before haircuts are rounded.
    fn of(route: &Route, fund: Option<FundLimit>, total: Total, lots: usize) -> Self {
        let of_fund = fund.map(|fund| fund.multiple * fund.fund_quote);
        let quote = route.cap_quote.into_iter().chain(of_fund).reduce(f64::min);
        // Sums of this many terms are off by less than this share.
        let rounding = 4.0 * (lots + 4) as f64 * f64::EPSILON;
        let Some(limit) = quote.filter(|limit| total.credited() * (1.0 + rounding) > *limit) else {
            return Self { quote, scale: 1.0, in_transit_scale: 1.0 };
        };
        let limit = limit * (1.0 - rounding);
        let share = |limit: f64, counts: f64| if counts > 0.0 { (limit / counts).clamp(0.0, 1.0) } else { 1.0 };
        let in_transit = total.in_transit_credited * (1.0 + rounding);
        let attested = total.attested_credited * (1.0 + rounding);
        Self { quote, scale: share(limit - in_transit, attested), in_transit_scale: share(limit, in_transit) }
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
