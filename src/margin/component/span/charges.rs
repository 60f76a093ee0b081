//! Charges and minimum of one underlying: the direct formulas, and their lowering.

use jiff::Timestamp;

use super::sheet::{DELTA, INDEX, MINIMUM};
use super::{ShortOptionCount, Span};
use crate::domain::Right;
use crate::margin::component::Part;
use crate::margin::pool::Market;
use crate::number::Number;
use crate::program::Node;

/// Spreads that are lowered: each one repeats the nodes of those before it.
const LOWERED_SPREADS: usize = 2;

/// What a group holds of one expiry.
pub(super) struct Month {
    expiry: Option<Timestamp>,
    /// Days from the snapshot's moment; none of what does not expire.
    days: Option<f64>,
    tier: usize,
    /// Rows of composite deltas and quantities.
    deltas: Vec<(u32, f64)>,
}

impl Month {
    fn delta<N: Number>(&self, market: &impl Market<N>) -> N {
        self.deltas.iter().fold(N::of(0.0), |sum, (row, quantity)| sum.plus(&N::of(*quantity).times(&market.row(*row))))
    }

    fn node(&self, sign: f64) -> Node {
        Node::leaf(self.deltas.iter().map(|(row, quantity)| (*row, sign * quantity)).collect())
    }
}

/// What is left of a tier's long and short deltas.
#[derive(Clone)]
struct Left<T> {
    long: T,
    short: T,
}

impl Span {
    /// Holdings by expiry, in the order in which they are met.
    fn months(&self, part: &Part<'_, '_>) -> Vec<Month> {
        let as_of = part.setting().snapshot.as_of;
        let mut months: Vec<Month> = Vec::new();
        for position in part.positions() {
            let Some(row) = part.rows().of_instrument(DELTA, position.instrument) else { continue };
            let expiry = part.instrument(position).expiry;
            let at = months.iter().position(|month| month.expiry == expiry).unwrap_or_else(|| {
                let days =
                    expiry.zip(as_of).map(|(expiry, as_of)| expiry.duration_since(as_of).as_secs_f64() / 86_400.0);
                let tier = self.tiers.iter().filter(|first| days.is_some_and(|days| days >= **first)).count();
                months.push(Month { expiry, days, tier, deltas: Vec::new() });
                months.len() - 1
            });
            months[at].deltas.push((row, position.quantity));
        }
        months
    }

    /// Whether an expiry pays the delivery charge.
    fn delivers(&self, month: &Month) -> bool {
        self.delivery.zip(month.days).is_some_and(|(delivery, days)| days <= delivery.days)
    }

    /// Net delta of a group, units of the underlying.
    pub(super) fn net_delta<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> N {
        self.months(part).iter().fold(N::of(0.0), |sum, month| sum.plus(&month.delta(market)))
    }

    /// Direct formula of the charges on spreads between expiries and on delivery.
    pub(super) fn charges<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> N {
        let months = self.months(part);
        let zero = || Left { long: N::of(0.0), short: N::of(0.0) };
        let mut left: Vec<Left<N>> = (0..=self.tiers.len()).map(|_| zero()).collect();
        let mut charge = N::of(0.0);
        for month in &months {
            let delta = month.delta(market);
            let tier = &mut left[month.tier];
            tier.long = tier.long.plus(&delta.positive_part());
            tier.short = tier.short.plus(&N::of(0.0).minus(&delta).positive_part());
            if let Some(delivery) = self.delivery.filter(|_| self.delivers(month)) {
                charge = charge.plus(&N::of(delivery.rate).times(&delta.magnitude()));
            }
        }
        let is_tier = |tier: &usize| *tier <= self.tiers.len();
        for spread in self.spreads.iter().filter(|spread| spread.tiers.iter().all(is_tier)) {
            let [a, b] = spread.tiers;
            let ways = if a == b { &[(a, b)][..] } else { &[(a, b), (b, a)] };
            for &(long, short) in ways {
                let spreads = left[long].long.smaller(&left[short].short);
                left[long].long = left[long].long.minus(&spreads);
                left[short].short = left[short].short.minus(&spreads);
                charge = charge.plus(&N::of(spread.rate).times(&spreads));
            }
        }
        match self.index_row(part) {
            Some(row) => charge.times(&market.row(row)),
            None => charge,
        }
    }

    /// Lowering of the charges; `None` where too many spreads can be formed.
    pub(super) fn charge_node(&self, part: &Part<'_, '_>) -> Option<Node> {
        let months = self.months(part);
        let of_tier = |tier: usize, sign: f64| {
            let months = months.iter().filter(|month| month.tier == tier);
            Node::Sum(months.map(|month| month.node(sign).positive_part()).collect())
        };
        let tiers = 0..=self.tiers.len();
        let mut left: Vec<Left<Node>> =
            tiers.map(|tier| Left { long: of_tier(tier, 1.0), short: of_tier(tier, -1.0) }).collect();
        let is_held = |tier: usize| months.iter().any(|month| month.tier == tier);
        let formed = self.spreads.iter().filter(|spread| spread.tiers.iter().all(|tier| is_held(*tier)));
        let formed: Vec<_> = formed.collect();
        if formed.len() > LOWERED_SPREADS {
            return None;
        }
        let mut charges: Vec<Node> = Vec::new();
        for spread in formed {
            let [a, b] = spread.tiers;
            let ways = if a == b { &[(a, b)][..] } else { &[(a, b), (b, a)] };
            for &(long, short) in ways {
                let spreads = Node::Min(vec![left[long].long.clone(), left[short].short.clone()]);
                left[long].long = Node::Sum(vec![left[long].long.clone(), spreads.clone().scaled(-1.0)]);
                left[short].short = Node::Sum(vec![left[short].short.clone(), spreads.clone().scaled(-1.0)]);
                charges.push(spreads.scaled(spread.rate));
            }
        }
        for month in &months {
            if let Some(delivery) = self.delivery.filter(|_| self.delivers(month)) {
                charges.push(month.node(1.0).absolute().scaled(delivery.rate));
            }
        }
        let charge = Node::Sum(charges);
        Some(match self.index_row(part) {
            Some(row) => charge.scaled_by_row(row),
            None => charge,
        })
    }

    /// Direct formula of the least risk of a group's short options.
    pub(super) fn short_option_minimum<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> N {
        let Some(minimum) = self.short_options else { return N::of(0.0) };
        let of = |right: Right| {
            let terms = short_options(part, right).into_iter();
            terms.fold(N::of(0.0), |sum, (row, quantity)| sum.plus(&N::of(quantity).times(&market.row(row))))
        };
        let (calls, puts) = (of(Right::Call), of(Right::Put));
        match minimum.count {
            ShortOptionCount::Sum => calls.plus(&puts),
            ShortOptionCount::LargerRight => calls.larger(&puts),
        }
    }

    /// Its lowering.
    pub(super) fn short_option_minimum_node(&self, part: &Part<'_, '_>) -> Node {
        let Some(minimum) = self.short_options else { return Node::constant(0.0) };
        let rights = [Right::Call, Right::Put].map(|right| Node::leaf(short_options(part, right)));
        match minimum.count {
            ShortOptionCount::Sum => Node::Sum(rights.into()),
            ShortOptionCount::LargerRight => Node::Max(rights.into()),
        }
    }

    /// Row that charges are shares of; `None` where they are in quote units, or nothing is held.
    fn index_row(&self, part: &Part<'_, '_>) -> Option<u32> {
        let position = part.positions().next()?;
        part.rows().of_underlying(INDEX, part.instrument(position).underlying)
    }
}

/// Rows of the minimum, and numbers of contracts sold.
fn short_options(part: &Part<'_, '_>, right: Right) -> Vec<(u32, f64)> {
    let short = part.positions().filter(|position| position.quantity < 0.0);
    let short = short.filter(|position| part.instrument(position).right == Some(right));
    short.filter_map(|p| Some((part.rows().of_instrument(MINIMUM, p.instrument)?, -p.quantity))).collect()
}
