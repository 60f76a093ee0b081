//! Spread recognition: a group of options of one expiry requires no more than it can lose.
//!
//! Published: min(Σ over shorts of |q|·(R + V), max loss). Equity already holds every option's value Σ q·V, so what is left
//! to require, with A and B the two sides of that minimum less it, is
//!
//! ```text
//! max(0, min(A, B))      A = Σ_short |q|·R + Σ_long q·V
//!                        B = −min_j Σ q·payoff(K_j) + unpaired·forward·max(0, −Σ_calls q) + Σ q·V
//! ```
//!
//! with j over 0 and the group's strikes, q in units of the underlying. (Standard manager of Derive's v2-core.)

use std::collections::BTreeSet;

use super::option::{MarkIn, OptionClass};
use super::option_rows::{GroupRows, OptionRows};
use super::pool::{MarginSide, Market, Requirement, Setting};
use super::rulebook::Rulebook;
use crate::domain::{Instrument, Position, Right};
use crate::number::Number;
use crate::program::{Leaf, Node, Sink};

/// Which option classes recognise spreads, and what calls without a long one beside them require.
#[derive(Debug, Clone, PartialEq)]
pub struct OptionSpread {
    /// Keys of option classes.
    pub classes: BTreeSet<String>,
    /// Share of the forward that the maximum loss adds for each net short call, in the initial requirement; ≥ 0.
    pub unpaired_initial: f64,
    /// The same in the maintenance requirement.
    pub unpaired_maintenance: f64,
}

impl OptionSpread {
    /// Largest share of the forward.
    pub const UNPAIRED_MAX: f64 = 100.0;

    /// What the covered classes of a rulebook must be for the formula to hold: class, and the rule it breaks.
    pub(super) fn faults(&self, rulebook: &Rulebook) -> Vec<(String, &'static str)> {
        let shares = [self.unpaired_initial, self.unpaired_maintenance];
        let sane = shares.iter().all(|share| (0.0..=Self::UNPAIRED_MAX).contains(share));
        let range = (!sane).then(|| ("option_spread".to_string(), "unpaired shares of the forward lie in 0 to 100"));
        let rule = |class: Option<&OptionClass>| match class {
            None => Some("a class of option_spread is an option class"),
            Some(class) if class.long_credit < 1.0 => {
                Some("a class of option_spread has long_credit 1: the maximum loss counts every option's value")
            }
            Some(class) if class.mark != MarkIn::Equity => Some("a class of option_spread has mark = \"equity\""),
            Some(class) if class.initial.long_of_mark > 0.0 || class.maintenance.long_of_mark > 0.0 => {
                Some("a class of option_spread has long_of_mark 0: long options are in the maximum loss")
            }
            Some(_) => None,
        };
        let faults = self.classes.iter().filter_map(|key| Some((key.clone(), rule(rulebook.option.get(key))?)));
        range.into_iter().chain(faults).collect()
    }
}

/// A pool's options of one group.
pub(super) struct Legs<'p> {
    pub(super) group: u32,
    pub(super) positions: Vec<&'p Position>,
}

/// What a group's requirement is made of, quote units, before the pool's multipliers.
#[derive(Debug, Clone)]
pub(super) struct GroupParts<N> {
    /// A, initial and maintenance.
    pub(super) isolated: Requirement<N>,
    /// B, initial and maintenance.
    pub(super) max_loss: Requirement<N>,
    /// Σ q·V.
    pub(super) value: N,
}

impl<N: Number> GroupParts<N> {
    /// max(0, min(A, B)) of both requirements.
    pub(super) fn requirement(&self) -> Requirement<N> {
        let least = |isolated: &N, max_loss: &N| isolated.smaller(max_loss).positive_part();
        Requirement {
            initial: least(&self.isolated.initial, &self.max_loss.initial),
            maintenance: least(&self.isolated.maintenance, &self.max_loss.maintenance),
        }
    }
}

impl Setting<'_> {
    /// Options by group, in the order in which they are met.
    pub(super) fn spread_legs<'p>(&self, positions: impl Iterator<Item = &'p Position>) -> Vec<Legs<'p>> {
        let mut all: Vec<Legs<'p>> = Vec::new();
        for position in positions {
            let Some(group) = self.rules.groups().of_instrument(position.instrument) else { continue };
            if position.quantity == 0.0 {
                continue;
            }
            match all.iter_mut().find(|legs| legs.group == group) {
                Some(legs) => legs.positions.push(position),
                None => all.push(Legs { group, positions: vec![position] }),
            }
        }
        all
    }

    fn instrument(&self, position: &Position) -> &Instrument {
        &self.snapshot.instruments[position.instrument as usize]
    }

    /// Strikes of a group, and 0: where its payoff may be lowest among prices that calls do not outgrow.
    fn strikes(&self, legs: &Legs<'_>) -> impl Iterator<Item = f64> {
        let strikes = legs.positions.iter().map(|position| self.instrument(position).strike.unwrap_or_default());
        std::iter::once(0.0).chain(strikes)
    }

    /// Lowest payoff of a group over 0 and its strikes, settlement units.
    fn lowest_payoff<N: Number>(&self, legs: &Legs<'_>) -> N {
        let at = |price: f64| {
            legs.positions.iter().fold(N::of(0.0), |sum, position| {
                let instrument = self.instrument(position);
                let (strike, price) = (N::of(instrument.strike.unwrap_or_default()), N::of(price));
                let inside = match instrument.right {
                    Some(Right::Put) => strike.minus(&price),
                    _ => price.minus(&strike),
                };
                let units = N::of(position.quantity).times(&N::of(instrument.contract_size));
                sum.plus(&units.times(&inside.positive_part()))
            })
        };
        self.strikes(legs).map(at).reduce(|lowest, payoff| lowest.smaller(&payoff)).unwrap_or_else(|| N::of(0.0))
    }

    /// Net short calls of a group, units of the underlying, ≥ 0.
    fn net_short_calls<N: Number>(&self, legs: &Legs<'_>) -> N {
        let calls = legs.positions.iter().filter(|position| self.instrument(position).right == Some(Right::Call));
        let net = calls.fold(N::of(0.0), |net, position| {
            let size = N::of(self.instrument(position).contract_size);
            net.minus(&N::of(position.quantity).times(&size))
        });
        net.positive_part()
    }

    /// Direct formula of a group.
    pub(super) fn group_parts<N: Number>(&self, legs: &Legs<'_>, market: &impl Market<N>) -> GroupParts<N> {
        let zero = || N::of(0.0);
        let mut isolated = Requirement { initial: zero(), maintenance: zero() };
        let mut value = zero();
        for position in &legs.positions {
            let rows = self.option_rows(position);
            let live_value = N::of(position.quantity).times(&market.row(rows.live_value));
            value = value.plus(&live_value);
            if position.quantity < 0.0 {
                let size = N::of(-position.quantity);
                isolated.initial = isolated.initial.plus(&size.times(&market.row(rows.initial)));
                isolated.maintenance = isolated.maintenance.plus(&size.times(&market.row(rows.maintenance)));
            } else {
                isolated.initial = isolated.initial.plus(&live_value);
                isolated.maintenance = isolated.maintenance.plus(&live_value);
            }
        }
        let GroupRows { forward, live_price } = self.rows.of_group(legs.group);
        let lowest = self.lowest_payoff::<N>(legs).times(&market.row(live_price));
        let unpaired = if self.has_short_call(legs) {
            self.net_short_calls::<N>(legs).times(&market.row(forward))
        } else {
            zero()
        };
        let (initial, maintenance) = self.rules.groups().unpaired();
        let max_loss = |share: f64| value.minus(&lowest).plus(&N::of(share).times(&unpaired));
        GroupParts {
            isolated,
            max_loss: Requirement { initial: max_loss(initial), maintenance: max_loss(maintenance) },
            value: value.clone(),
        }
    }

    /// Whether a group is short of any call: only then is there a row of forwards for it.
    fn has_short_call(&self, legs: &Legs<'_>) -> bool {
        let mut shorts = legs.positions.iter().filter(|position| position.quantity < 0.0);
        shorts.any(|position| self.instrument(position).right == Some(Right::Call))
    }

    /// Lowering of one requirement of a group: A alone where no scenario takes B below it, else a node.
    pub(super) fn lower_group(&self, legs: &Legs<'_>, side: MarginSide, sink: &mut impl Sink) {
        let (unpaired_initial, unpaired_maintenance) = self.rules.groups().unpaired();
        let sides = match side {
            MarginSide::Initial => self.sides(legs, unpaired_initial, |rows| rows.initial),
            MarginSide::Maintenance => self.sides(legs, unpaired_maintenance, |rows| rows.maintenance),
        };
        if self.is_isolated(legs, &sides, sink) {
            sides.isolated.iter().for_each(|&(row, coefficient)| sink.affine(row, coefficient));
            return;
        }
        let max_loss = Node::Leaf(Leaf {
            terms: sides.max_loss,
            uncancelled: self.uncancelled_terms(legs, sides.unpaired),
            ..Leaf::default()
        });
        sink.node(Node::Min(vec![Node::leaf(sides.isolated), max_loss]).positive_part());
    }

    /// Two coefficients of B are sums over the options: the sizes of their summands.
    fn uncancelled_terms(&self, legs: &Legs<'_>, unpaired: f64) -> Vec<(u32, f64)> {
        let GroupRows { forward, live_price } = self.rows.of_group(legs.group);
        let highest = self.strikes(legs).fold(0.0, f64::max);
        let has_short_call = self.has_short_call(legs);
        let units = legs.positions.iter().map(|p| (p.quantity * self.instrument(p).contract_size).abs());
        units
            .flat_map(|units| {
                let calls = has_short_call.then_some((forward, unpaired * units));
                std::iter::once((live_price, units * highest)).chain(calls)
            })
            .collect()
    }

    /// A and B of one requirement as row terms.
    fn sides(&self, legs: &Legs<'_>, unpaired: f64, requirement: impl Fn(OptionRows) -> u32) -> Sides {
        let GroupRows { forward, live_price } = self.rows.of_group(legs.group);
        let mut isolated = Vec::with_capacity(legs.positions.len());
        let mut max_loss = vec![(live_price, -self.lowest_payoff::<f64>(legs))];
        if self.has_short_call(legs) {
            max_loss.push((forward, unpaired * self.net_short_calls::<f64>(legs)));
        }
        let mut difference = max_loss.clone();
        for position in &legs.positions {
            let rows = self.option_rows(position);
            let value = (rows.live_value, position.quantity);
            max_loss.push(value);
            if position.quantity < 0.0 {
                isolated.push((requirement(rows), -position.quantity));
                difference.extend([value, (requirement(rows), position.quantity)]);
            } else {
                isolated.push(value);
            }
        }
        Sides { isolated, max_loss, difference, unpaired }
    }

    /// Whether A certainly is the smaller side in every scenario, beyond any rounding of what this sums.
    fn is_isolated(&self, legs: &Legs<'_>, sides: &Sides, sink: &impl Sink) -> bool {
        let has_short = legs.positions.iter().any(|position| position.quantity < 0.0);
        if !has_short {
            // No payoff is negative: nothing cancels, and a lowest payoff of 0 is exact. Then A and B are one.
            return sides.difference.iter().all(|(_, coefficient)| *coefficient == 0.0);
        }
        let Uncancelled { payoff, units } = self.uncancelled(legs);
        let reach = |row: u32, size: f64| sink.range(row, size).1;
        let GroupRows { forward, live_price } = self.rows.of_group(legs.group);
        let mut size = reach(live_price, payoff);
        if self.has_short_call(legs) {
            size += reach(forward, sides.unpaired * units);
        }
        let mut lowest = 0.0;
        for &(row, coefficient) in &sides.difference {
            let (low, high) = sink.range(row, coefficient);
            lowest += low;
            size += low.abs().max(high.abs());
        }
        lowest >= 1e-12 * size
    }

    fn uncancelled(&self, legs: &Legs<'_>) -> Uncancelled {
        let highest = self.strikes(legs).fold(0.0, f64::max);
        let units = legs.positions.iter().map(|p| (p.quantity * self.instrument(p).contract_size).abs()).sum::<f64>();
        Uncancelled { payoff: units * highest, units }
    }
}

/// The two sides of a group's minimum as row terms.
struct Sides {
    isolated: Vec<(u32, f64)>,
    max_loss: Vec<(u32, f64)>,
    /// B − A, where the long options cancel.
    difference: Vec<(u32, f64)>,
    unpaired: f64,
}

/// Sizes of a group's sums before anything cancels.
struct Uncancelled {
    /// Of its payoff at any strike, settlement units.
    payoff: f64,
    /// Of its calls and puts, units of the underlying.
    units: f64,
}

#[cfg(test)]
mod tests;
