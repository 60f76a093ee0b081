//! Terms of options: what one requires by itself, what a group of them requires, what of a long one does not count.

use serde::Serialize;

use super::explain::{Basis, Term, TermKind, number};
use super::explain_requirement::TermSide;
use super::option::{Branch, MarkIn, OptionClass, OptionRequirement, ShortMarket};
use super::option_spread::Legs;
use super::pool::{MarginSide, Setting};
use crate::domain::{Instrument, Position};
use crate::pricing::{Column, ShockedMarket};

/// How an option is margined by itself: `multiplier · |quantity| · (requirement + counted_mark)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OptionBasis {
    /// Contracts; negative = short.
    pub quantity: f64,
    /// Quote units per contract: of a short option beyond its mark, of a long one the share of its mark.
    pub requirement: f64,
    /// The mark, where the rulebook counts it in the requirement of a short option as well as in equity; else 0.
    pub counted_mark: f64,
    /// Value of one contract, quote units.
    pub mark: f64,
    /// What the requirement is a fraction of, price-asset units.
    pub reference: f64,
    /// How far out of the money, price-asset units.
    pub out_of_the_money: f64,
    /// a: share of the reference at the money.
    pub rate: f64,
    /// b: least share of the reference.
    pub floor: f64,
    /// What has set the requirement of a short option; absent for a long one.
    pub branch: Option<Branch>,
    /// The pool's factor on the requirement.
    pub multiplier: f64,
}

/// How a group of options is margined: `multiplier · max(0, min(isolated, max_loss))`, quote units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SpreadBasis {
    /// Short requirements of the options by themselves, and the value of the long ones, which does not count there.
    pub isolated: f64,
    /// The group's largest loss over its strikes, from its present value.
    pub max_loss: f64,
    /// Value of the group, which equity holds; each side less it is the requirement as venues publish it.
    pub option_value: f64,
    /// `isolated`, `max_loss`, or `nothing` where the group cannot lose.
    pub applied: &'static str,
    /// The pool's factor on the requirement.
    pub multiplier: f64,
}

impl MarginSide {
    fn of_class(self, class: &mut OptionClass) -> &mut OptionRequirement {
        match self {
            Self::Initial => &mut class.initial,
            Self::Maintenance => &mut class.maintenance,
        }
    }

    fn of_pair<T: Copy>(self, [initial, maintenance]: [T; 2]) -> T {
        match self {
            Self::Initial => initial,
            Self::Maintenance => maintenance,
        }
    }
}

impl Setting<'_> {
    /// What a long option's value adjusted equity leaves out.
    pub(super) fn credit_term(&self, position: &Position, column: Column) -> Option<Term> {
        let uncredited = self.uncredited::<f64>(position, &(self.rows, column))?;
        let value = position.quantity * self.rows.value(self.option_rows(position).live_value, column);
        Some(Term {
            component: TermKind::Haircut,
            item: self.item(position),
            value: -uncredited,
            alternative: Some("the rulebook credits long options in part".into()),
            basis: Basis::Kept { value, kept: value - uncredited },
        })
    }

    /// Requirements of an option by itself.
    pub(super) fn option_term(
        &self,
        class: &OptionClass,
        position: &Position,
        shown: TermSide,
        (column, market): (Column, &ShockedMarket<'_>),
    ) -> Option<Term> {
        let instrument = &self.snapshot.instruments[position.instrument as usize];
        let (_, option) = market.option(instrument, column)?;
        let (which, multiplier) = (shown.side, shown.multiplier);
        let short = ShortMarket {
            option,
            settlement_price: self.rows.value(self.asset_row(instrument.settlement_asset), column),
            mark: self.rows.value(self.instrument_row(position.instrument), column),
        };
        let required = self.option_requirement::<f64>(class, position, &(self.rows, column));
        let size = position.quantity.abs();
        let coefficients = *which.of_class(&mut class.clone());
        let (reference, out_of_the_money) = class.distance(instrument, &option);
        let unit = which.of_pair(class.short_requirements(instrument, &short));
        let is_long = position.quantity > 0.0;
        let live_value = self.rows.value(self.option_rows(position).live_value, column);
        let counts_mark = class.mark == MarkIn::Requirement && !is_long;
        let basis = OptionBasis {
            quantity: position.quantity,
            requirement: if is_long { coefficients.long_of_mark * live_value } else { unit.value },
            counted_mark: if counts_mark { live_value } else { 0.0 },
            mark: short.mark,
            reference,
            out_of_the_money,
            rate: coefficients.rate,
            floor: coefficients.floor,
            branch: (!is_long).then_some(unit.branch),
            multiplier,
        };
        let otherwise = otherwise(class, which, instrument, &short, unit.branch);
        Some(Term {
            component: shown.kind,
            item: self.item(position),
            value: multiplier * which.of_pair([required.initial, required.maintenance]),
            alternative: otherwise
                .filter(|_| !is_long)
                .map(|(name, unit)| format!("{name} {}", number(multiplier * size * (unit + basis.counted_mark)))),
            basis: Basis::Option(basis),
        })
    }

    /// Requirements of a group of options.
    pub(super) fn group_term(&self, legs: &Legs<'_>, shown: TermSide, column: Column) -> Term {
        let parts = self.group_parts::<f64>(legs, &(self.rows, column));
        let required = parts.requirement();
        let (which, multiplier) = (shown.side, shown.multiplier);
        let isolated = which.of_pair([parts.isolated.initial, parts.isolated.maintenance]);
        let max_loss = which.of_pair([parts.max_loss.initial, parts.max_loss.maintenance]);
        let (applied, other) = if max_loss >= isolated {
            ("isolated", format!("the maximum loss would require {}", number(multiplier * max_loss)))
        } else {
            let other = format!("each option by itself would require {}", number(multiplier * isolated));
            (if max_loss < 0.0 { "nothing" } else { "max_loss" }, other)
        };
        Term {
            component: shown.kind,
            item: self.group_name(legs),
            value: multiplier * which.of_pair([required.initial, required.maintenance]),
            alternative: Some(other),
            basis: Basis::Spread(SpreadBasis { isolated, max_loss, option_value: parts.value, applied, multiplier }),
        }
    }

    fn group_name(&self, legs: &Legs<'_>) -> String {
        let first = &self.snapshot.instruments[self.rules.groups().first(legs.group) as usize];
        let underlying = &self.snapshot.underlyings[first.underlying as usize].name;
        match first.expiry {
            Some(expiry) => format!("{underlying} options of {expiry}"),
            None => format!("{underlying} options"),
        }
    }
}

/// What one short contract would require without what has set its requirement, and how to say so.
fn otherwise(
    class: &OptionClass,
    which: MarginSide,
    instrument: &Instrument,
    market: &ShortMarket,
    branch: Branch,
) -> Option<(String, f64)> {
    let mut other = *class;
    let requirement = which.of_class(&mut other);
    let name = match branch {
        Branch::Rate => {
            requirement.rate = 0.0;
            format!("the floor {} alone would require", number(requirement.floor))
        }
        Branch::Floor if requirement.rate == 0.0 => return None,
        Branch::Floor => {
            requirement.floor = 0.0;
            format!("the rate {} alone would leave", number(requirement.rate))
        }
        Branch::PutCap => {
            requirement.put_cap_of_strike = None;
            "without the cap it would require".into()
        }
        Branch::PutFloor => {
            requirement.put_floor_of_mark = 0.0;
            "without its share of the mark it would require".into()
        }
        Branch::InitialOverMaintenance => {
            (other.call_initial_over_maintenance, other.put_initial_over_maintenance) = (0.0, 0.0);
            "by its own coefficients it would require".into()
        }
        Branch::Expired => return None,
    };
    Some((name, which.of_pair(other.short_requirements(instrument, market)).value))
}
