//! Credits for spreads between underlyings, by the direct formula: they divide by the pool's own deltas.

use super::{InterLeg, InterSpread, LegSide, PAIRED_POINTS, Span};
use crate::margin::component::Part;
use crate::margin::pool::Market;
use crate::number::Number;

impl Span {
    /// Whether a group holds every underlying of some spread.
    pub(super) fn may_credit(&self, commodities: &[Part<'_, '_>]) -> bool {
        self.inter.iter().any(|spread| places(spread, commodities).is_some())
    }

    /// Direct formula of each underlying's credits.
    pub(super) fn credits<N: Number>(
        &self,
        commodities: &[Part<'_, '_>],
        losses: &[Vec<N>],
        market: &impl Market<N>,
    ) -> Vec<N> {
        let mut credits = vec![N::of(0.0); commodities.len()];
        if !self.may_credit(commodities) {
            return credits;
        }
        let deltas: Vec<N> = commodities.iter().map(|commodity| self.net_delta(commodity, market)).collect();
        let mut left = deltas.clone();
        for spread in &self.inter {
            let Some(places) = places(spread, commodities) else { continue };
            for way in [LegSide::A, LegSide::B] {
                let spreads = spreads_of(spread, &places, way, &left);
                for (leg, &at) in spread.legs.iter().zip(&places) {
                    let taken = spreads.times(&N::of(leg.ratio));
                    left[at] = if leg.side == way { left[at].minus(&taken) } else { left[at].plus(&taken) };
                    let credit = N::of(spread.rate).times(&taken).times(&per_delta(&losses[at], &deltas[at]));
                    credits[at] = credits[at].plus(&credit);
                }
            }
        }
        credits
    }
}

/// Where the legs stand among a group's underlyings.
fn places(spread: &InterSpread, commodities: &[Part<'_, '_>]) -> Option<Vec<usize>> {
    let place = |leg: &InterLeg| {
        let is_leg = |part: &Part<'_, '_>| part.underlying().is_some_and(|found| found.name == leg.underlying);
        commodities.iter().position(is_leg)
    };
    spread.legs.iter().map(place).collect()
}

/// Spreads whose legs of the side `long` are long: the fewest that any leg has deltas for.
fn spreads_of<N: Number>(spread: &InterSpread, places: &[usize], long: LegSide, left: &[N]) -> N {
    let of_leg = |(leg, at): (&InterLeg, &usize)| {
        let delta = if leg.side == long { left[*at].clone() } else { N::of(0.0).minus(&left[*at]) };
        delta.positive_part().over(&N::of(leg.ratio))
    };
    let fewest = spread.legs.iter().zip(places).map(of_leg).reduce(|fewest, leg| fewest.smaller(&leg));
    fewest.unwrap_or_else(|| N::of(0.0))
}

/// Price risk per unit of net delta; 0 without delta.
fn per_delta<N: Number>(losses: &[N], delta: &N) -> N {
    let size = delta.magnitude();
    N::of(0.0).minus(&size).select(N::of(0.0), price_risk(losses).over(&size))
}

/// The loss at the worst point, averaged with that of its pair, less the average of the first two, ≥ 0. Of points that lose
/// alike the first is the worst; a largest loss below 0 is no risk.
fn price_risk<N: Number>(losses: &[N]) -> N {
    let half = |a: &N, b: &N| a.plus(b).times(&N::of(0.5));
    let time_risk = half(&losses[0], &losses[1]);
    let adjusted = |k: usize| {
        let pair = if k < PAIRED_POINTS { k ^ 1 } else { k };
        half(&losses[k], &losses[pair])
    };
    let mut worst = losses[0].clone();
    let mut of_worst = adjusted(0);
    for (k, loss) in losses.iter().enumerate().skip(1) {
        of_worst = worst.minus(loss).select(of_worst, adjusted(k));
        worst = worst.larger(loss);
    }
    of_worst.minus(&time_risk).positive_part()
}
