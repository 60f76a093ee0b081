//! The liquidation spiral in one asset: the price at which forced flow and its impact agree.

use std::cmp::Ordering;

use crate::number::{Exact, Number};

/// Positions that are closed once the price reaches a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trigger {
    /// The liquidation price.
    pub price: f64,
    /// Contracts closed there, above 0.
    pub size: f64,
}

/// Which side of the book is liquidated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Longs, when the price is at or below theirs; closing them presses it down.
    Long,
    /// Shorts, when the price is at or above theirs; closing them pulls it up.
    Short,
}

/// A price shock, the impact of what is closed, and who is closed where.
#[derive(Debug, Clone, Copy)]
pub struct Spiral<'a> {
    /// The side that `triggers` holds.
    pub side: Side,
    /// Price before the shock.
    pub start: f64,
    /// Price after the shock, before anyone is closed.
    pub shocked: f64,
    /// Who is closed where, in any order. Those whose price or size is not finite, or size not above 0, count as absent.
    pub triggers: &'a [Trigger],
}

/// Where a spiral ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedPoint {
    /// The price, not below 0.
    pub price: f64,
    /// Triggers that were reached.
    pub liquidated: usize,
    /// Contracts closed.
    pub size: f64,
    /// (start − price) / (start − shocked): 1 where nobody is closed. `None` without a shock.
    pub amplification: Option<f64>,
}

impl Spiral<'_> {
    /// The fixed point nearest to the shock of T(p) = shocked ∓ impact · Σ {size : trigger reached at p}, with `impact` in price
    /// units per contract, at least 0. T is monotone, so this is where iterating it from the shocked price ends.
    ///
    /// Who is reached is decided exactly; the figures are rounded. `None` where a price or the impact is not finite, or the
    /// impact below 0.
    pub fn settle(&self, impact: f64) -> Option<FixedPoint> {
        let valid = [self.start, self.shocked, impact].iter().all(|number| number.is_finite()) && impact >= 0.0;
        valid.then(|| {
            let triggers = self.in_order();
            let liquidated = self.reached(&triggers, impact);
            let size: f64 = triggers[..liquidated].iter().map(|trigger| trigger.size).sum();
            let price = (self.shocked - self.toward(impact * size)).clamp(0.0, f64::MAX);
            let shock = self.start - self.shocked;
            let amplification = (shock != 0.0).then(|| (self.start - price) / shock);
            FixedPoint { price, liquidated, size, amplification }
        })
    }

    /// The smallest impact at which every trigger is reached: the largest of (shocked − ℓₖ₊₁) / Qₖ over triggers in the order
    /// they are reached, Qₖ the contracts of the first k. 0 where the shock alone reaches all. Relative error at most
    /// (number of triggers + 2) · 2⁻⁵³.
    ///
    /// `None` where no impact does it: the shock reaches nobody. Likewise where the shocked price is not finite.
    pub fn critical_impact(&self) -> Option<f64> {
        let (mut closed, mut critical) = (0.0, 0.0f64);
        for trigger in self.in_order() {
            let gap = self.toward(self.shocked - trigger.price);
            if gap > 0.0 {
                critical = critical.max(gap / closed);
            }
            closed += trigger.size;
        }
        (critical.is_finite() && self.shocked.is_finite()).then_some(critical)
    }

    /// How many triggers are reached, in order: the first whose price lies beyond shocked ∓ impact · (contracts before it)
    /// ends it.
    fn reached(&self, triggers: &[Trigger], impact: f64) -> usize {
        let (shocked, impact) = (Exact::of(self.toward(self.shocked)), Exact::of(impact));
        let mut closed = Exact::of(0.0);
        let beyond = |trigger: &Trigger| {
            let distance = shocked.minus(&Exact::of(self.toward(trigger.price))).minus(&impact.times(&closed));
            closed = closed.plus(&Exact::of(trigger.size));
            distance.sign() == Some(Ordering::Greater)
        };
        triggers.iter().position(beyond).unwrap_or(triggers.len())
    }

    /// The triggers that count, those that a price reaches first in front; ties by size, so that their order is irrelevant.
    fn in_order(&self) -> Vec<Trigger> {
        let counts = |trigger: &&Trigger| trigger.price.is_finite() && trigger.size.is_finite() && trigger.size > 0.0;
        let mut triggers: Vec<Trigger> = self.triggers.iter().filter(counts).copied().collect();
        let key = |trigger: &Trigger| -self.toward(trigger.price);
        triggers.sort_by(|a, b| key(a).total_cmp(&key(b)).then(a.size.total_cmp(&b.size)));
        triggers
    }

    /// The number, with its sign turned for shorts, whose prices are those of longs in a mirror.
    fn toward(&self, number: f64) -> f64 {
        match self.side {
            Side::Long => number,
            Side::Short => -number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn triggers() -> [Trigger; 4] {
        [(94.0, 200.0), (96.0, 100.0), (90.0, 400.0), (93.5, 300.0)].map(|(price, size)| Trigger { price, size })
    }

    /// 100 falls to 95 over longs of (100, 200, 300, 400) at (96, 94, 93.5, 90).
    #[test]
    fn one_percent_more_impact_turns_one_liquidation_into_all() {
        let triggers = triggers();
        let longs = Spiral { side: Side::Long, start: 100.0, shocked: 95.0, triggers: &triggers };
        for (impact, price, liquidated) in
            [(0.004, 94.6, 1), (0.008, 94.2, 1), (0.0099, 94.01, 1), (0.010, 85.0, 4), (0.02, 75.0, 4)]
        {
            let end = longs.settle(impact).unwrap();
            assert!((end.price - price).abs() < 1e-12, "{impact}: {end:?}");
            assert_eq!(end.liquidated, liquidated, "{impact}");
        }
        let end = longs.settle(0.010).unwrap();
        assert_eq!((end.amplification, end.size), (Some(3.0), 1000.0));
        assert_eq!(longs.critical_impact(), Some(0.01));
        assert_eq!(longs.settle(0.01f64.next_down()).unwrap().liquidated, 1);
        assert_eq!(longs.settle(1.0).unwrap().price, 0.0);
    }

    #[test]
    fn shorts_are_longs_in_a_mirror() {
        let triggers = triggers().map(|trigger| Trigger { price: 200.0 - trigger.price, ..trigger });
        let shorts = Spiral { side: Side::Short, start: 100.0, shocked: 105.0, triggers: &triggers };
        for (impact, price) in [(0.004, 105.4), (0.0099, 105.99), (0.010, 115.0), (0.02, 125.0)] {
            assert!((shorts.settle(impact).unwrap().price - price).abs() < 1e-12, "{impact}");
        }
        assert_eq!(shorts.settle(0.010).unwrap().amplification, Some(3.0));
        assert_eq!(shorts.critical_impact(), Some(0.01));
    }

    #[test]
    fn without_triggers_shock_or_sense() {
        let nobody = Spiral { side: Side::Long, start: 100.0, shocked: 95.0, triggers: &[] };
        let end = FixedPoint { price: 95.0, liquidated: 0, size: 0.0, amplification: Some(1.0) };
        assert_eq!(nobody.settle(1.0), Some(end));
        assert_eq!(nobody.critical_impact(), Some(0.0));
        let triggers = [(f64::NAN, 1.0), (99.0, 0.0), (99.0, f64::INFINITY), (90.0, 1.0)]
            .map(|(price, size)| Trigger { price, size });
        let far = Spiral { triggers: &triggers, ..nobody };
        assert_eq!(far.settle(1e9), Some(end), "the shock reaches nobody");
        assert_eq!(far.critical_impact(), None);
        assert_eq!(Spiral { shocked: 100.0, ..far }.settle(1.0).unwrap().amplification, None);
        assert_eq!(Spiral { shocked: f64::NAN, ..far }.settle(1.0), None);
        assert_eq!(Spiral { shocked: f64::NAN, ..far }.critical_impact(), None);
        for impact in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(far.settle(impact), None);
        }
    }

    proptest! {
        #[test]
        fn sorting_ends_where_iterating_does(
            levels in prop::collection::vec((50..100i32, 1..50i32), 0..12), shocked in 60..100i32, impact in 0..64i32,
        ) {
            let triggers: Vec<Trigger> =
                levels.iter().map(|(price, size)| Trigger { price: f64::from(*price), size: f64::from(*size) }).collect();
            let shocked = f64::from(shocked);
            let spiral = Spiral { side: Side::Long, start: 100.0, shocked, triggers: &triggers };
            // A dyadic impact, so that iterating is exact.
            let impact = f64::from(impact) / 64.0;
            let mut price = shocked;
            loop {
                let closed: f64 = triggers.iter().filter(|t| price <= t.price).map(|t| t.size).sum();
                let next = shocked - impact * closed;
                if next == price {
                    break;
                }
                price = next;
            }
            let end = spiral.settle(impact).unwrap();
            prop_assert_eq!(end.price, price.max(0.0));
            if let Some(critical) = spiral.critical_impact() {
                let all = |impact: f64| spiral.settle(impact).unwrap().liquidated == triggers.len();
                prop_assert!(all(critical * (1.0 + 1e-12)));
                prop_assert!(critical == 0.0 || !all(critical * (1.0 - 1e-12)));
            }
        }
    }
}
