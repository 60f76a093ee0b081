//! What collateral on a route counts for, as pure functions of the route and the haircut of the settled asset.

use crate::domain::{HaircutCurve, Route};

const YEAR_DAYS: f64 = 365.0;

/// Seconds from the moment collateral is needed to its sale, all at the 99 % quantile: until its deposit is final, until the
/// message arrives, until it is sold. `delay_seconds` (≥ 0) is what messages take longer.
pub fn horizon_seconds(route: &Route, delay_seconds: f64) -> f64 {
    route.finality.p99_seconds + (route.message.p99_seconds + delay_seconds) + route.liquidation_seconds
}

/// Haircut for the market's fall within `seconds`, in `[haircut, 1]`, of an asset that is cut by `haircut` (in [0, 1]) where it
/// can be sold within `settled_seconds` (> 0, at most `seconds`).
///
/// Without a curve a fall grows with the square root of time: `min(1, haircut · √(seconds / settled_seconds))`. With one it is
/// what was measured, [`measured`], and never below `haircut`. Never falls as `seconds` grows.
pub fn market(haircut: f64, curve: Option<&HaircutCurve>, settled_seconds: f64, seconds: f64) -> f64 {
    let fall = match curve {
        None => haircut * (seconds / settled_seconds).sqrt(),
        Some(curve) => measured(curve, seconds),
    };
    fall.max(haircut).min(1.0)
}

/// The fall of a curve within `seconds`, in [0, 1]: of its first point where that is later, linear in √time between points, and
/// growing with √time after the last.
pub fn measured(curve: &HaircutCurve, seconds: f64) -> f64 {
    let next = curve.points.partition_point(|(horizon, _)| *horizon <= seconds);
    let (before, after) = (next.checked_sub(1).map(|at| curve.points[at]), curve.points.get(next));
    match (before, after) {
        (None, None) => 0.0,
        (None, Some((_, fall))) => *fall,
        (Some((horizon, fall)), None) => (fall * (seconds / horizon).sqrt()).min(1.0),
        (Some((from, low)), Some(&(to, high))) => {
            let share = (seconds.sqrt() - from.sqrt()) / (to.sqrt() - from.sqrt());
            (low + share * (high - low)).clamp(low, high)
        }
    }
}

/// Haircut for the route itself, in [0, 1]: the one given, or the loss expected until the next review and a multiple of it as
/// capital, `failure_per_year · loss_given_failure · review_days / 365 · (1 + capital_multiple)`.
pub fn bridge(route: &Route) -> f64 {
    let expected = route.failure_per_year * route.loss_given_failure * route.review_days / YEAR_DAYS;
    route.haircut.unwrap_or_else(|| (expected * (1.0 + route.capital_multiple)).min(1.0))
}

/// Share that counts on a route of what counts once settled, in [0, 1]: `(1 − market) · (1 − bridge) / (1 − settled)`, with
/// `settled` the market haircut of the settled asset, at most `market`. 0 where nothing of the settled asset counts.
pub fn credit_share(settled: f64, market: f64, bridge: f64) -> f64 {
    if settled >= 1.0 { 0.0 } else { ((1.0 - market) / (1.0 - settled)).min(1.0) * (1.0 - bridge) }
}

/// A haircut of the settled asset (any of its tiers) as one on the route: `1 − (1 − haircut) · share`. What a tier takes beyond
/// the first one is for size, and stays as it is.
pub fn exactly_on_route(haircut: f64, share: f64) -> f64 {
    1.0 - (1.0 - haircut) * share
}

/// The same, rounded up to a millionth.
pub fn on_route(haircut: f64, share: f64) -> f64 {
    rounded_up(exactly_on_route(haircut, share)).clamp(haircut, 1.0)
}

/// The same where the share is that of a limit: more than rounding can take is added before, so that what counts is never above
/// what the haircut stands for.
pub fn within_limit(haircut: f64, share: f64) -> f64 {
    rounded_up(exactly_on_route(haircut, share) + 4.0 * f64::EPSILON).clamp(haircut, 1.0)
}

fn rounded_up(haircut: f64) -> f64 {
    const MILLION: f64 = 1e6;
    (haircut * MILLION).ceil() / MILLION
}

/// Relative change of what counts when messages take `delay_seconds` longer, in [−1, 0]:
/// `(1 − market(τ + delay)) / (1 − market(τ)) − 1`. −1 where nothing counts anyway. Never rises with the delay.
pub fn delayed(settled: f64, curve: Option<&HaircutCurve>, route: &Route, delay_seconds: f64) -> f64 {
    let market_at = |delay| market(settled, curve, route.liquidation_seconds, horizon_seconds(route, delay));
    let kept = 1.0 - market_at(0.0);
    if kept <= 0.0 { -1.0 } else { ((1.0 - market_at(delay_seconds)) / kept - 1.0).clamp(-1.0, 0.0) }
}
