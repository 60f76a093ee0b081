//! Scalars: numbers of the market that formulas and classes scale by, so that requirements follow volatility, depth or open
//! interest. With a number in force they move towards their target by rules of notice, hysteresis and a daily step.

use std::cell::Cell;

use jiff::Timestamp;

use super::expression::{Expression, Leaf, Name, Quantity};
use super::formula::MarketFormula;
use super::row_sheet::RowSheet;
use crate::domain::{Snapshot, UnderlyingIndex};
use crate::error::Fault;
use crate::pricing::{Column, ShockedMarket};

/// A number of the market.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// The target: an expression over the market. `underlying` as an argument means the underlying of what is scaled.
    pub value: Expression,
    /// Smallest target.
    pub minimum: f64,
    /// Largest target.
    pub maximum: f64,
    /// What is in force, and how it follows; `None` = the target at once.
    pub path: Option<ScalarPath>,
}

/// How a number in force follows its target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalarPath {
    /// The number in force.
    pub in_force: f64,
    /// Since when.
    pub since: Timestamp,
    /// Largest relative change per day; infinite = none.
    pub step_per_day: f64,
    /// Relative distance of the target within which nothing changes.
    pub hysteresis: f64,
    /// Days from `since` before a rise takes effect.
    pub notice_days: f64,
}

impl ScalarPath {
    /// The number in force `days` after `since`, given the target.
    ///
    /// Within the hysteresis it stays. A rise waits for its notice, then both ways it moves by at most
    /// `in_force · step_per_day` for each day since (since the end of the notice, for a rise).
    pub fn follow(&self, target: f64, days: f64) -> f64 {
        let distance = target - self.in_force;
        if distance.abs() <= self.hysteresis * self.in_force.abs() {
            return self.in_force;
        }
        let days = if distance > 0.0 { days - self.notice_days } else { days };
        if days < 0.0 {
            return self.in_force;
        }
        let step =
            if self.step_per_day.is_finite() { self.in_force.abs() * self.step_per_day * days } else { f64::INFINITY };
        if distance.abs() <= step { target } else { self.in_force + step.copysign(distance) }
    }
}

impl Scalar {
    /// The target by itself, before `path`.
    fn clamped(&self, target: f64) -> f64 {
        let raised = if target < self.minimum { self.minimum } else { target };
        if raised > self.maximum { self.maximum } else { raised }
    }
}

/// Evaluates expressions that depend on the market alone, in one market.
pub(super) struct MarketReader<'r, 'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) market: &'r ShockedMarket<'a>,
    pub(super) rules: &'a super::Rules,
    pub(super) column: Column,
    /// What `underlying` as an argument means.
    pub(super) underlying: Option<UnderlyingIndex>,
    /// What the snapshot does not have, where a value was NaN for it.
    pub(super) missing: Cell<Option<Fault>>,
}

impl MarketReader<'_, '_> {
    /// Value of an expression; NaN where it names what the snapshot does not have.
    pub(super) fn value(&self, expression: &Expression) -> f64 {
        expression.evaluate(&mut |leaf| match leaf {
            Leaf::Name(name) => self.name(name),
            Leaf::Inverse(denominator) => denominator.inverse(&mut |name| self.name(name)),
        })
    }

    fn name(&self, name: &Name) -> f64 {
        match name {
            Name::Component(scalar, _) => self.rules.scalar(scalar).map_or(f64::NAN, |scalar| self.scalar(scalar)),
            Name::Market(quantity, who) => self.quantity(*quantity, who).unwrap_or_else(|| {
                self.missing.set(Some(self.fault(*quantity, who)));
                f64::NAN
            }),
        }
    }

    /// A scalar in force.
    pub(super) fn scalar(&self, scalar: &Scalar) -> f64 {
        let target = scalar.clamped(self.value(&scalar.value));
        match (scalar.path, self.snapshot.as_of) {
            (Some(path), Some(as_of)) => {
                let days = as_of.duration_since(path.since).as_secs_f64() / 86_400.0;
                path.follow(target, days + self.market.years_passed(self.column) * 365.0)
            }
            _ => target,
        }
    }

    /// The fault of a quantity that the snapshot does not have.
    fn fault(&self, quantity: Quantity, who: &str) -> Fault {
        let of_scaled = self.underlying.filter(|_| who == "underlying");
        let name = of_scaled.map_or(who, |underlying| &self.snapshot.underlyings[underlying as usize].name);
        let table = if quantity == Quantity::Price { "assets" } else { "underlyings" };
        let rule = match (who, self.underlying) {
            ("underlying", None) => "only the scalar of a margin class has an underlying".into(),
            _ => format!("a rule of the rulebook reads {}({name})", quantity.name()),
        };
        Fault::of_table(table, rule, "add what it reads to the snapshot, or change the rule")
    }

    fn quantity(&self, quantity: Quantity, who: &str) -> Option<f64> {
        let column = self.column;
        if quantity == Quantity::Price {
            let asset = self.snapshot.assets.binary_search_by(|asset| asset.name.as_str().cmp(who)).ok()?;
            return Some(self.market.asset_price(asset as u32, column));
        }
        let named = || self.snapshot.underlyings.binary_search_by(|u| u.name.as_str().cmp(who)).ok();
        let underlying = match who {
            "underlying" => self.underlying?,
            _ => named()? as u32,
        };
        let static_data = &self.snapshot.underlyings[underlying as usize];
        match quantity {
            Quantity::Price => None,
            Quantity::Index => Some(self.market.index_price(underlying, column)),
            Quantity::VolatilityIndex => self.market.volatility_index(underlying, column),
            Quantity::Depth => self.market.depth_quote(underlying, column),
            Quantity::Adv => static_data.adv_quote,
            Quantity::OpenInterest => static_data.open_interest_quote,
        }
    }
}

impl RowSheet<'_> {
    /// The row of an expression over the market, for holdings of an underlying where it asks for one.
    pub(super) fn market_row(&mut self, expression: &Expression, underlying: Option<UnderlyingIndex>) -> u32 {
        let (snapshot, rules) = (self.snapshot, self.rules);
        let reader = |column| MarketReader {
            snapshot,
            market: &self.market,
            rules,
            column,
            underlying,
            missing: Cell::new(None),
        };
        let base = reader(Column::Base);
        base.value(expression);
        if let Some(fault) = base.missing.take() {
            if !self.faults.contains(&fault) {
                self.faults.push(fault);
            }
            return 0;
        }
        let values = self.values(|column| reader(column).value(expression));
        self.append(values, &expression.to_string())
    }

    /// The row of what scales a requirement: it must not be negative.
    pub(super) fn scaling_row(&mut self, expression: &Expression, underlying: Option<UnderlyingIndex>) -> u32 {
        let row = self.market_row(expression, underlying);
        if let Some(value) = self.columns().map(|column| self.rows.value(row, column)).find(|value| *value < 0.0) {
            let rule = "what a requirement is multiplied by is not negative";
            let fault = Fault::of_table("rulebook", rule, "clamp it at 0");
            self.faults.push(Fault { column: expression.to_string(), value: value.to_string(), ..fault });
        }
        row
    }

    /// The row of a market formula.
    pub(super) fn market_formula(&mut self, formula: &MarketFormula) -> u32 {
        match formula.scales {
            true => self.scaling_row(&formula.expression, None),
            false => self.market_row(&formula.expression, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_force_follows_by_steps_after_its_notice() {
        let path = ScalarPath {
            in_force: 1.0,
            since: Timestamp::UNIX_EPOCH,
            step_per_day: 0.1,
            hysteresis: 0.05,
            notice_days: 2.0,
        };
        assert_eq!(path.follow(1.04, 9.0), 1.0, "within the hysteresis");
        assert_eq!(path.follow(2.0, 1.0), 1.0, "a rise waits for its notice");
        assert!((path.follow(2.0, 5.0) - 1.3).abs() < 1e-12, "three days of a tenth");
        assert_eq!(path.follow(1.2, 5.0), 1.2, "reached");
        assert!((path.follow(0.5, 1.0) - 0.9).abs() < 1e-12, "a fall needs no notice");
    }
}
