//! Components: margin rules over a pool's holdings as a whole, each of its own kind, named in a rulebook and put together by
//! its requirement expressions. One kind per file: data, direct formula, lowering, side by side.

mod across;
mod block;
mod by_side;
mod calendar;
mod changes;
mod concentration;
mod contingency;
mod cover;
mod delta;
mod depeg;
mod depth;
mod evaluated;
mod exposure;
#[cfg(test)]
mod fixture;
mod formula;
mod grid;
mod kinds;
mod part;
mod rows;
mod span;
mod tail;
mod tiers;
mod unwind;
mod vega;
mod wrong_way;

pub use across::Across;
pub use calendar::Calendar;
pub use concentration::{Concentration, Form, Measure, ShareOf};
pub use contingency::{Confidence, Contingency, Counted};
pub use cover::{Cover, Per};
pub use delta::Delta;
pub use depeg::Depeg;
pub use depth::{Depth, SlopeUnit};
pub use evaluated::Evaluated;
pub(super) use exposure::Ranges;
pub use grid::{
    Cell, Discount, DiscountCurve, Extreme, Grid, GridPoint, PriceUnit, SettleAt, TimeWeight, Transform,
    VolatilityRange,
};
pub use kinds::KINDS;
pub(super) use part::{Part, Scope};
pub(super) use rows::ComponentRows;
pub use span::{
    CalendarSpread, ChargeUnit, Delivery, InterLeg, InterSpread, LegSide, RangeUnit, ShortOptionCount,
    ShortOptionMinimum, Span,
};
pub use tail::{Tail, TailMeasure};
pub use unwind::Unwind;
pub use vega::Vega;
pub use wrong_way::{Moves, WrongWay, WrongWayRate};

use toml::Table;

use super::file::{Reader, Section};
use super::pool::{Market, Requirement};
use super::row_sheet::RowSheet;
use super::rulebook::RequirementRule;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

/// What a kind of component computes.
pub(super) trait Rule {
    /// Forms the rows that its formulas read.
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows;

    /// Direct formula of one group, quote units.
    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N>;

    /// Lowering of one group, given what coefficient · row can reach; `None` leaves the pool's requirements to the direct
    /// formulas.
    fn node(&self, part: &Part<'_, '_>, ranges: &Ranges<'_>) -> Option<Requirement<Node>>;

    /// What set the value of one group in a market, in words.
    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String>;
}

/// A named component of a rulebook.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Which holdings it covers.
    pub cover: Cover,
    /// What it is evaluated by; its value is the sum over these groups.
    pub per: Per,
    /// Its kind.
    pub kind: Kind,
    /// As it stands in the file.
    written: Table,
}

/// Every kind of component.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Largest loss over a grid of moves.
    Grid(Grid),
    /// Scan risk, charges and credits per underlying.
    Span(Span),
    /// Value at risk or expected shortfall over a set of joint moves.
    Tail(Tail),
    /// Expressions over other components, evaluated within each group.
    Formula(RequirementRule),
    /// Charge on deltas across expiries.
    Calendar(Calendar),
    /// Charge on vegas across expiries.
    Vega(Vega),
    /// Charge on net and hedged delta.
    Delta(Delta),
    /// Charge on the size of a net delta.
    Depth(Depth),
    /// Static charge per position.
    Contingency(Contingency),
    /// Charge for closing everything.
    Unwind(Unwind),
    /// Charge on a size beyond what its market bears.
    Concentration(Concentration),
    /// Charge on hedges between quote assets.
    Depeg(Depeg),
    /// Charge on collateral that falls together with what it secures.
    WrongWay(WrongWay),
}

/// Calls a method of the kind's rule.
macro_rules! each_kind {
    ($kind:expr, $rule:ident => $call:expr) => {
        match $kind {
            Kind::Grid($rule) => $call,
            Kind::Span($rule) => $call,
            Kind::Tail($rule) => $call,
            Kind::Formula($rule) => $call,
            Kind::Calendar($rule) => $call,
            Kind::Vega($rule) => $call,
            Kind::Delta($rule) => $call,
            Kind::Depth($rule) => $call,
            Kind::Contingency($rule) => $call,
            Kind::Unwind($rule) => $call,
            Kind::Concentration($rule) => $call,
            Kind::Depeg($rule) => $call,
            Kind::WrongWay($rule) => $call,
        }
    };
}

impl Component {
    /// A component from its section; `None` where a fault was recorded.
    pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Self> {
        let cover = cover::read(section, reader);
        let per = section.choice("per", &cover::PER).unwrap_or_default();
        let kind = kinds::read(section, reader)?;
        Some(Self { cover: cover?, per, kind, written: section.to_table() })
    }

    /// As it stands in the file.
    pub fn written(&self) -> &Table {
        &self.written
    }

    /// A component that no file holds.
    #[cfg(test)]
    pub(super) fn of(cover: Cover, per: Per, kind: Kind) -> Self {
        Self { cover, per, kind, written: Table::new() }
    }

    pub(super) fn rows(&self, sheet: &mut RowSheet<'_>) -> ComponentRows {
        each_kind!(&self.kind, rule => rule.rows(&self.cover, sheet))
    }

    /// Direct formula over a scope: Σ over groups.
    pub(super) fn value<N: Number>(&self, at: usize, scope: &Scope<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        scope.parts(at, self).iter().fold(Requirement::both(N::of(0.0)), |sum, part| {
            let value = each_kind!(&self.kind, rule => rule.value(part, market));
            Requirement {
                initial: sum.initial.plus(&value.initial),
                maintenance: sum.maintenance.plus(&value.maintenance),
            }
        })
    }

    /// Lowering over a scope.
    pub(super) fn node(&self, at: usize, scope: &Scope<'_, '_>, ranges: &Ranges<'_>) -> Option<Requirement<Node>> {
        let (mut initial, mut maintenance) = (Vec::new(), Vec::new());
        for part in scope.parts(at, self) {
            let node = each_kind!(&self.kind, rule => rule.node(&part, ranges))?;
            initial.push(node.initial);
            maintenance.push(node.maintenance);
        }
        Some(Requirement { initial: Node::Sum(initial), maintenance: Node::Sum(maintenance) })
    }

    /// Each group's value in a market, and what set it.
    pub(super) fn explain(&self, at: usize, scope: &Scope<'_, '_>, column: Column) -> Vec<GroupValue> {
        let parts = scope.parts(at, self);
        let explained = parts.iter().map(|part| {
            let value = each_kind!(&self.kind, rule => rule.value::<f64>(part, &(part.setting().rows, column)));
            let binding = each_kind!(&self.kind, rule => rule.binding(part, column));
            GroupValue { group: part.group_name(), value, binding }
        });
        explained.collect()
    }
}

/// What a component requires of one group of a pool's holdings.
#[derive(Debug, Clone)]
pub struct GroupValue {
    /// Underlying, settlement asset, or `pool`.
    pub group: String,
    /// Initial and maintenance side, quote units.
    pub value: Requirement<f64>,
    /// What set it: the grid point, the tier, the unit.
    pub binding: Option<String>,
}

#[cfg(test)]
mod tests;
