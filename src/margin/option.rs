//! Margin of options: what a short one requires beyond its value, and how much of a long one's value counts.
//!
//! Per contract, with U the reference (index, forward or strike), K the strike, V the mark:
//!
//! ```text
//! OTM = max(K − U, 0) of a call, max(U − K, 0) of a put; for U = strike measured against the index
//! R   = max(a·U − OTM, b·U)          linear, quanto: times units of settlement per unit of price
//! R   = max(a − OTM/U, b) coins      inverse
//! R   = min(R, cap·K)                puts, where there is a cap
//! R   = max(R, floor·V)              puts
//! R_initial ≥ γ·(R_maintenance + V) − V
//! ```
//!
//! Published requirements are R + V. Equity already holds −V of a short option, so R alone decides the same; see
//! [`MarkIn`].

use serde::Serialize;

use super::option_rows::OptionRows;
use super::pool::{MarginSide, Market, Requirement, Setting};
use crate::domain::{Instrument, Payoff, Position, Premium, Right};
use crate::number::Number;
use crate::pricing::OptionMarket;
use crate::program::Sink;

/// What the requirement of a short option is a fraction of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OptionReference {
    /// The index price.
    #[default]
    Index,
    /// The forward price of the expiry.
    Forward,
    /// The strike; how far out of the money is measured against the index.
    Strike,
}

/// Where the mark of a short option counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MarkIn {
    /// In equity only, which always holds an option's value: what is published as R + mark decides as R does here.
    #[default]
    Equity,
    /// In equity and, again, in the requirement: R + mark on top of the value that equity has lost.
    Requirement,
}

/// Coefficients of one requirement (initial or maintenance).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OptionRequirement {
    /// a: share of the reference required at the money, in [0, 1].
    pub rate: f64,
    /// b: share of the reference required however far out of the money, in [0, 1].
    pub floor: f64,
    /// A short put requires at most this share of its strike, in [0, 1].
    pub put_cap_of_strike: Option<f64>,
    /// A short put requires at least this share of its mark, in [0, 1].
    pub put_floor_of_mark: f64,
    /// A long option requires this share of its mark, in [0, 1]: for premium that is not paid yet.
    pub long_of_mark: f64,
}

/// Requirements of the options that share a margin class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptionClass {
    /// What the requirement is a fraction of.
    pub reference: OptionReference,
    /// Where a short option's mark counts.
    pub mark: MarkIn,
    /// Maintenance requirement.
    pub maintenance: OptionRequirement,
    /// Initial requirement.
    pub initial: OptionRequirement,
    /// γ of calls: initial requirement + mark is at least γ times maintenance requirement + mark; 0 (none) or in [1, 10].
    pub call_initial_over_maintenance: f64,
    /// γ of puts.
    pub put_initial_over_maintenance: f64,
    /// Share of the value of a long option with paid premium that counts in adjusted equity, in [0, 1].
    pub long_credit: f64,
}

/// Least and largest γ.
pub(super) const RATIO_RANGE: std::ops::RangeInclusive<f64> = 1.0..=10.0;

/// What has set a short option's requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Branch {
    /// a·U − OTM.
    Rate,
    /// b·U.
    Floor,
    /// The put's cap, a share of its strike.
    PutCap,
    /// The put's floor, a share of its mark.
    PutFloor,
    /// γ times the maintenance requirement.
    InitialOverMaintenance,
    /// It has expired: nothing is required.
    Expired,
}

/// What one short contract requires beyond its mark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortRequirement {
    /// Quote units per contract, ≥ 0.
    pub value: f64,
    /// What has set it.
    pub branch: Branch,
}

/// The market that a short option's requirement is formed in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortMarket {
    /// What the option is valued in, price-asset units.
    pub option: OptionMarket,
    /// Price of the settlement asset, quote units.
    pub settlement_price: f64,
    /// Value of one contract, quote units.
    pub mark: f64,
}

impl ShortMarket {
    /// Whether the option has expired in this market: it is settled, and its value is cash.
    pub fn is_expired(&self) -> bool {
        self.option.years <= 0.0
    }
}

impl OptionClass {
    /// The reference U, and by how much the option is out of the money, in price-asset units.
    pub fn distance(&self, instrument: &Instrument, market: &OptionMarket) -> (f64, f64) {
        let strike = instrument.strike.unwrap_or_default();
        let (reference, compared) = match self.reference {
            OptionReference::Index => (market.index, market.index),
            OptionReference::Forward => (market.forward, market.forward),
            OptionReference::Strike => (strike, market.index),
        };
        let out_of_the_money = match instrument.right {
            Some(Right::Put) => compared - strike,
            _ => strike - compared,
        };
        (reference, out_of_the_money.max(0.0))
    }

    /// What one short contract requires, initial and maintenance, beyond its mark. These are atoms (`NUMERICS.md` §1):
    /// formed once in f64, so they may divide.
    pub fn short_requirements(&self, instrument: &Instrument, market: &ShortMarket) -> [ShortRequirement; 2] {
        if market.is_expired() {
            return [ShortRequirement { value: 0.0, branch: Branch::Expired }; 2];
        }
        let maintenance = self.maintenance.of_short(self, instrument, market);
        let mut initial = self.initial.of_short(self, instrument, market);
        let ratio = match instrument.right {
            Some(Right::Put) => self.put_initial_over_maintenance,
            _ => self.call_initial_over_maintenance,
        };
        let least = ratio * maintenance.value + (ratio - 1.0) * market.mark;
        if ratio > 0.0 && least > initial.value {
            initial = ShortRequirement { value: least, branch: Branch::InitialOverMaintenance };
        }
        [initial, maintenance]
    }

    /// Whether a coefficient of the initial requirement is below its counterpart of maintenance.
    pub(super) fn initial_below_maintenance(&self) -> bool {
        let (initial, maintenance) = (&self.initial, &self.maintenance);
        let at_money = |requirement: &OptionRequirement| requirement.rate.max(requirement.floor);
        let cap = |requirement: &OptionRequirement| requirement.put_cap_of_strike.unwrap_or(f64::INFINITY);
        // A floor under the initial requirement replaces a share of the mark.
        let is_floored = self.put_initial_over_maintenance > 0.0;
        let of_mark = |requirement: &OptionRequirement| {
            if is_floored { 0.0 } else { requirement.put_floor_of_mark }
        };
        let falls = |of: &dyn Fn(&OptionRequirement) -> f64| of(initial) < of(maintenance);
        falls(&at_money) || falls(&cap) || falls(&of_mark) || falls(&|r| r.floor) || falls(&|r| r.long_of_mark)
    }

    /// Whether every number is in its range.
    pub(super) fn is_well_formed(&self) -> bool {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let requirement = |r: &OptionRequirement| {
            [r.rate, r.floor, r.put_cap_of_strike.unwrap_or_default(), r.put_floor_of_mark, r.long_of_mark]
                .into_iter()
                .all(share)
        };
        let ratio = |value: f64| value == 0.0 || RATIO_RANGE.contains(&value);
        requirement(&self.initial)
            && requirement(&self.maintenance)
            && ratio(self.call_initial_over_maintenance)
            && ratio(self.put_initial_over_maintenance)
            && share(self.long_credit)
    }

    /// Whether adjusted equity leaves out some of a position's value: a long one's, where the premium was paid. Margined
    /// premium is no asset that was paid for.
    pub(super) fn is_cut(&self, instrument: &Instrument, position: &Position) -> bool {
        self.long_credit < 1.0 && position.quantity > 0.0 && instrument.premium == Premium::Paid
    }
}

impl OptionRequirement {
    fn of_short(&self, class: &OptionClass, instrument: &Instrument, market: &ShortMarket) -> ShortRequirement {
        let (reference, out_of_the_money) = class.distance(instrument, &market.option);
        let strike = instrument.strike.unwrap_or_default();
        // Quote units per unit of price. An inverse contract's coins are without worth at a reference of 0.
        let scale = instrument.contract_size * market.settlement_price;
        let scale = match instrument.payoff {
            Payoff::Linear => scale,
            Payoff::Quanto => scale * instrument.fixed_rate,
            Payoff::Inverse if reference == 0.0 => 0.0,
            Payoff::Inverse => scale / reference,
        };
        let (at_rate, at_floor) = (self.rate * reference - out_of_the_money, self.floor * reference);
        let (price, branch) = if at_rate > at_floor { (at_rate, Branch::Rate) } else { (at_floor, Branch::Floor) };
        let mut requirement = ShortRequirement { value: price * scale, branch };
        if instrument.right != Some(Right::Put) {
            return requirement;
        }
        if let Some(cap) = self.put_cap_of_strike.map(|share| share * strike * scale).filter(|c| *c < requirement.value)
        {
            requirement = ShortRequirement { value: cap, branch: Branch::PutCap };
        }
        let least = self.put_floor_of_mark * market.mark;
        if least > requirement.value {
            requirement = ShortRequirement { value: least, branch: Branch::PutFloor };
        }
        requirement
    }
}

impl Setting<'_> {
    /// Rows of a held option that an option class margins.
    pub(super) fn option_rows(&self, position: &Position) -> OptionRows {
        self.rows.of_option(position.instrument)
    }

    /// Direct formula of an option position by itself, before the pool's multipliers: short |q|·R, and |q|·V where the mark
    /// counts in the requirement; long q·V·share.
    pub(super) fn option_requirement<N: Number>(
        &self,
        class: &OptionClass,
        position: &Position,
        market: &impl Market<N>,
    ) -> Requirement<N> {
        let rows = self.option_rows(position);
        let of = |row: u32, requirement: &OptionRequirement| {
            let size = N::of(position.quantity.abs());
            if position.quantity > 0.0 {
                return size.times(&N::of(requirement.long_of_mark)).times(&market.row(rows.live_value));
            }
            let required = size.times(&market.row(row));
            match class.mark {
                MarkIn::Equity => required,
                MarkIn::Requirement => required.plus(&size.times(&market.row(rows.live_value))),
            }
        };
        Requirement { initial: of(rows.initial, &class.initial), maintenance: of(rows.maintenance, &class.maintenance) }
    }

    /// Lowering of one requirement of the same: affine in the rows.
    pub(super) fn lower_option(
        &self,
        class: &OptionClass,
        position: &Position,
        side: MarginSide,
        sink: &mut impl Sink,
    ) {
        let rows = self.option_rows(position);
        let size = position.quantity.abs();
        let (row, requirement) = match side {
            MarginSide::Initial => (rows.initial, &class.initial),
            MarginSide::Maintenance => (rows.maintenance, &class.maintenance),
        };
        if position.quantity > 0.0 {
            sink.affine(rows.live_value, size * requirement.long_of_mark);
            return;
        }
        sink.affine(row, size);
        if class.mark == MarkIn::Requirement {
            sink.affine(rows.live_value, size);
        }
    }
}

#[cfg(test)]
mod tests;
