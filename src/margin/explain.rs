//! One pool's equity and requirements term by term, as data: what adds up to the published figures.

use serde::Serialize;

use super::bracket::{Form, Schedule};
use super::explain_option::{OptionBasis, SpreadBasis};
use super::explain_requirement::TermSide;
use super::haircut::HaircutBase;
use super::order::OrderReserve;
use super::pool::{Group, MarginSide, Setting, floor_rate};
use super::size::SizeFunction;
use crate::domain::{Balance, Pool, Position, Side};
use crate::pricing::{Column, ShockedMarket, entry_value};

/// What a term is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TermKind {
    /// A balance at market, accrued interest included.
    Balance,
    /// A position at market, less what was paid for it (spot: its full value).
    PositionValue,
    /// Funding accrued and not yet in a balance.
    AccruedFunding,
    /// What does not count of an asset, or of a long option; never positive.
    Haircut,
    /// Maintenance requirement of a position.
    MaintenanceMargin,
    /// Initial requirement of a position, and what raises their sum to the maintenance margin.
    InitialMargin,
    /// Margin reserved for open orders.
    OrderReserve,
}

impl TermKind {
    /// The word used in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::PositionValue => "position_value",
            Self::AccruedFunding => "accrued_funding",
            Self::Haircut => "haircut",
            Self::MaintenanceMargin => "maintenance_margin",
            Self::InitialMargin => "initial_margin",
            Self::OrderReserve => "order_reserve",
        }
    }
}

/// Where a notional lies in a schedule: the requirement is `multiplier · (rate · notional − deduction)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bracket {
    /// |quantity| · unit value, quote units.
    pub notional: f64,
    /// Number of the bracket, from 1.
    pub bracket: usize,
    /// Brackets of the schedule.
    pub brackets: usize,
    /// Lower bound of the bracket, quote units.
    pub from: f64,
    /// Lower bound of the next bracket; absent in the last one.
    pub to: Option<f64>,
    /// Rate in the bracket, raised to 1/leverage where that is higher.
    pub rate: f64,
    /// What the lower rates of the lower brackets take off, quote units; 0 where the whole notional pays one rate.
    pub deduction: f64,
    /// The pool's factor on the requirement.
    pub multiplier: f64,
}

/// The numbers a term is made of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Basis {
    /// `amount · price`.
    Amount {
        /// Units of the asset.
        amount: f64,
        /// Quote units per unit.
        price: f64,
    },
    /// `quantity · (unit_value − entry_value · price)`.
    Position {
        /// Contracts.
        quantity: f64,
        /// Quote units per contract.
        unit_value: f64,
        /// Settlement units per contract when it was bought.
        entry_value: f64,
        /// Quote units per settlement unit.
        price: f64,
    },
    /// What counts of a value.
    Kept {
        /// The value that the haircut is taken of, quote units.
        value: f64,
        /// What counts of it, quote units.
        kept: f64,
    },
    /// A requirement by a schedule.
    Bracket(Bracket),
    /// A requirement of an option by itself.
    Option(OptionBasis),
    /// A requirement of a group of options.
    Spread(SpreadBasis),
    /// A component, or another part of the rulebook's expressions.
    Component {
        /// Its value, quote units.
        value: f64,
        /// The pool's and the expression's factor on it.
        multiplier: f64,
    },
    /// A number that was given.
    Given,
}

/// One term of a pool's equity or requirement.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// What it is part of.
    pub component: TermKind,
    /// Asset or instrument (with its leg in hedge mode).
    pub item: String,
    /// Quote units; requirements are positive, haircuts are not.
    pub value: f64,
    /// What would apply otherwise.
    pub alternative: Option<String>,
    /// The numbers it is made of.
    pub basis: Basis,
}

/// What terms add up to; within rounding the published figures.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TermSums {
    /// Balances, position values and accrued funding.
    pub equity: f64,
    /// The same and haircuts.
    pub adjusted_equity: f64,
    /// Initial margins and order reserves.
    pub initial_margin: f64,
    /// Maintenance margins.
    pub maintenance_margin: f64,
    /// Σ |term|: what the rounding of the sums is relative to.
    pub size: f64,
}

impl TermSums {
    /// Adds terms up in their order.
    pub fn of(terms: &[Term]) -> Self {
        terms.iter().fold(Self::default(), |mut sums, term| {
            match term.component {
                TermKind::Balance | TermKind::PositionValue | TermKind::AccruedFunding => {
                    sums.equity += term.value;
                    sums.adjusted_equity += term.value;
                }
                TermKind::Haircut => sums.adjusted_equity += term.value,
                TermKind::MaintenanceMargin => sums.maintenance_margin += term.value,
                TermKind::InitialMargin | TermKind::OrderReserve => sums.initial_margin += term.value,
            }
            sums.size += term.value.abs();
            sums
        })
    }
}

impl Setting<'_> {
    /// Every term of a pool's equity and requirements in a market: by component, then holdings in stored order. `market` is
    /// the one that the rows were formed in.
    pub fn terms(&self, pool: &Pool<'_>, column: Column, market: &ShockedMarket<'_>) -> Vec<Term> {
        let mut terms = self.balance_terms(pool, column);
        for position in pool.positions {
            terms.extend(self.value_terms_of(position, column));
            terms.extend(self.credit_term(position, column));
        }
        terms.extend(self.requirement_terms(pool, (column, market)));
        let (_, groups) = self.groups::<f64>(pool, &(self.rows, column));
        terms.extend(self.uncounted_terms(pool, column));
        terms.extend(groups.iter().filter_map(|group| self.haircut_term(group, column)));
        terms.extend(groups.iter().filter_map(|group| self.initial_haircut_term(group, column)));
        terms.extend(self.order_terms(pool));
        let requirement = self.requirement::<f64>(pool, &(self.rows, column));
        if requirement.initial < requirement.maintenance {
            terms.push(Term {
                component: TermKind::InitialMargin,
                item: "raised to the maintenance margin".into(),
                value: requirement.maintenance - requirement.initial,
                alternative: Some(format!("the initial rules alone require {}", number(requirement.initial))),
                basis: Basis::Given,
            });
        }
        terms.sort_by_key(|term| term.component);
        terms
    }

    fn balance_terms(&self, pool: &Pool<'_>, column: Column) -> Vec<Term> {
        let term = |balance: &Balance| {
            let price = self.rows.value(self.asset_row(balance.asset), column);
            let amount = balance.amount + balance.accrued_interest;
            let accrued = balance.accrued_interest;
            Term {
                component: TermKind::Balance,
                item: self.snapshot.assets[balance.asset as usize].name.clone(),
                value: amount * price,
                alternative: (accrued != 0.0)
                    .then(|| format!("{} without accrued interest", number(balance.amount * price))),
                basis: Basis::Amount { amount, price },
            }
        };
        pool.balances.iter().map(term).collect()
    }

    /// What a scenario lets not count of balances, before any haircut.
    fn uncounted_terms(&self, pool: &Pool<'_>, column: Column) -> Vec<Term> {
        let term = |balance: &Balance| {
            let amount = balance.amount + balance.accrued_interest;
            let price = self.rows.value(self.asset_row(balance.asset), column);
            let counted = self.rows.value(self.collateral_row(balance.asset, pool.balances), column);
            let (value, kept) = (amount * price, amount * counted);
            (counted != price).then(|| Term {
                component: TermKind::Haircut,
                item: self.snapshot.assets[balance.asset as usize].name.clone(),
                value: kept - value,
                alternative: Some(format!(
                    "the scenario counts it at {} instead of {}",
                    number(counted),
                    number(price)
                )),
                basis: Basis::Kept { value, kept },
            })
        };
        pool.balances.iter().filter_map(term).collect()
    }

    fn value_terms_of(&self, position: &Position, column: Column) -> Vec<Term> {
        let instrument = &self.snapshot.instruments[position.instrument as usize];
        let price = self.rows.value(self.asset_row(instrument.settlement_asset), column);
        let unit_value = self.rows.value(self.instrument_row(position.instrument), column);
        let entry_value = entry_value(instrument, position.entry_price);
        let quantity = position.quantity;
        let mut terms = vec![Term {
            component: TermKind::PositionValue,
            item: self.item(position),
            value: quantity * unit_value - quantity * entry_value * price,
            alternative: None,
            basis: Basis::Position { quantity, unit_value, entry_value, price },
        }];
        if position.accrued_funding != 0.0 {
            terms.push(Term {
                component: TermKind::AccruedFunding,
                item: self.item(position),
                value: position.accrued_funding * price,
                alternative: None,
                basis: Basis::Amount { amount: position.accrued_funding, price },
            });
        }
        terms
    }

    /// Requirement of a position by its bracket class.
    pub(super) fn class_term(&self, position: &Position, shown: TermSide, column: Column) -> Term {
        let class = self.rules.class(position.instrument);
        let (row, coefficient) = self.notional(position);
        let notional = coefficient * self.rows.value(row, column);
        let beyond = class
            .max_notional
            .filter(|end| notional > *end)
            .map(|end| format!("the published table ends at {}: its last rate is used beyond", number(end)));
        let scale = self.scale(position, shown.side, column);
        let scaled = scale.map(|scale| format!("times {} = {}", self.scale_name(position), number(scale)));
        let shown = TermSide { multiplier: shown.multiplier * scale.unwrap_or(1.0), ..shown };
        let size = self.position_size(position, shown.side);
        let required = class.of(shown.side).requirement(&size, floor_rate(position, shown.side), &(self.rows, column));
        let leverage = position.leverage.filter(|_| shown.side == MarginSide::Initial);
        let (bracket, otherwise) = match class.of(shown.side) {
            SizeFunction::Brackets(schedule) => {
                let bracket = schedule.bracket(notional, leverage.map_or(0.0, f64::recip), shown.multiplier);
                let otherwise = match leverage {
                    Some(leverage) => Some(leverage_alternative(schedule, &bracket, leverage)),
                    None => next_bracket(schedule, &bracket),
                };
                (bracket, otherwise)
            }
            SizeFunction::Curve(curve) => (one_rate(notional, required, shown.multiplier), Some(curve.text(leverage))),
            SizeFunction::OpenInterest(_) => (one_rate(notional, required, shown.multiplier), None),
        };
        let note = self.rules.note(position.instrument).map(str::to_owned);
        let alternatives: Vec<String> = otherwise.into_iter().chain(beyond).chain(note).chain(scaled).collect();
        Term {
            component: shown.kind,
            item: self.item(position),
            value: shown.multiplier * required,
            alternative: (!alternatives.is_empty()).then(|| alternatives.join("; ")),
            basis: Basis::Bracket(bracket),
        }
    }

    /// What a requirement of a position by its class is multiplied by, beside the pool's factor.
    fn scale(&self, position: &Position, side: MarginSide, column: Column) -> Option<f64> {
        self.rows.of_class(position.instrument).scale.of(side).map(|row| self.rows.value(row, column))
    }

    /// What that is the product of, by name.
    fn scale_name(&self, position: &Position) -> String {
        let underlying = self.snapshot.instruments[position.instrument as usize].underlying;
        let overlay = self.rules.multipliers(underlying).map(|_| "the overlay");
        let names = self.rules.class(position.instrument).scale.as_deref().into_iter().chain(overlay);
        names.collect::<Vec<_>>().join(" · ")
    }

    /// What a position's class requires whatever its size.
    pub(super) fn minimum_term(&self, position: &Position, shown: TermSide, column: Column) -> Option<Term> {
        let class = self.rules.class(position.instrument);
        let value = *class.minimum.of(shown.side);
        let multiplier = shown.multiplier * self.scale(position, shown.side, column).unwrap_or(1.0);
        (value != 0.0 && position.quantity != 0.0).then(|| Term {
            component: shown.kind,
            item: format!("{} minimum", self.item(position)),
            value: multiplier * value,
            alternative: None,
            basis: Basis::Component { value, multiplier },
        })
    }

    /// What of an asset does not count; none where there is nothing to take it of.
    fn haircut_term(&self, group: &Group<f64>, column: Column) -> Option<Term> {
        let (collateral, adjusted) = self.after_haircut(group, &(self.rows, column));
        let (value, kept) = match self.rules.haircut_base {
            HaircutBase::Balance => (group.balance, collateral),
            HaircutBase::BalanceAndPnl => (group.total(), adjusted),
        };
        if value == 0.0 {
            return None;
        }
        let alternative = match self.rules.haircut(group.asset) {
            None => "no haircut class: it counts in full".into(),
            Some(_) if value < 0.0 => "negative: it counts in full, a haircut never helps a loan".into(),
            Some(haircut) => {
                let (first, last) = (haircut.haircuts.first(), haircut.haircuts.last());
                let [first, last] = [first, last].map(|rate| number(-rate.copied().unwrap_or_default() * value));
                match haircut.haircuts.len() {
                    1 => "it would count in full without the haircut".into(),
                    _ => format!("{first} at the first tier's rate alone, {last} at the last one's"),
                }
            }
        };
        Some(Term {
            component: TermKind::Haircut,
            item: self.snapshot.assets[group.asset as usize].name.clone(),
            value: kept - value,
            alternative: Some(alternative),
            basis: Basis::Kept { value, kept },
        })
    }

    /// What the initial requirement adds for an asset that counts for less there.
    fn initial_haircut_term(&self, group: &Group<f64>, column: Column) -> Option<Term> {
        let value = self.initial_haircut(group, &(self.rows, column)).filter(|value| *value != 0.0)?;
        Some(Term {
            component: TermKind::InitialMargin,
            item: format!("{}, initial haircut", self.snapshot.assets[group.asset as usize].name),
            value,
            alternative: Some("beyond the haircut that adjusted equity has".into()),
            basis: Basis::Component { value, multiplier: 1.0 },
        })
    }

    fn order_terms(&self, pool: &Pool<'_>) -> Vec<Term> {
        let mut terms = Vec::new();
        let component = TermKind::OrderReserve;
        let given = pool.settings.open_order_margin;
        if given != 0.0 {
            let item = "given with the pool".into();
            terms.push(Term { component, item, value: given, alternative: None, basis: Basis::Given });
        }
        for order in &pool.settings.orders {
            let instrument = &self.snapshot.instruments[order.instrument as usize];
            let side = if order.quantity < 0.0 { "sell" } else { "buy" };
            let alternative = match (self.rules.orders, order.reduces_only) {
                (OrderReserve::None, _) => Some("orders reserve nothing under this rulebook".into()),
                (OrderReserve::Initial, true) => Some("reduce-only: it reserves nothing".into()),
                (OrderReserve::Initial, false) => None,
            };
            terms.push(Term {
                component,
                item: format!("{} {side} {} at {}", instrument.name, order.quantity.abs(), order.price),
                value: self.rules.order_margin(order, self.snapshot),
                alternative,
                basis: Basis::Given,
            });
        }
        terms
    }

    /// Name of what is held, with its leg in hedge mode.
    pub(super) fn item(&self, position: &Position) -> String {
        let name = &self.snapshot.instruments[position.instrument as usize].name;
        match position.side {
            Side::Net => name.clone(),
            Side::Long => format!("{name} long"),
            Side::Short => format!("{name} short"),
        }
    }
}

impl Schedule {
    /// The bracket that holds a notional, every rate raised to `floor_rate`.
    fn bracket(&self, notional: f64, floor_rate: f64, multiplier: f64) -> Bracket {
        let index = self.bounds.partition_point(|bound| *bound <= notional);
        let rates: Vec<f64> = self.rates.iter().map(|rate| rate.max(floor_rate)).collect();
        let rate = rates[index];
        let deduction = match self.form {
            Form::Marginal => Self { rates, ..self.clone() }.deductions()[index],
            Form::Whole => 0.0,
        };
        Bracket {
            notional,
            bracket: index + 1,
            brackets: self.rates.len(),
            from: index.checked_sub(1).map_or(0.0, |below| self.bounds[below]),
            to: self.bounds.get(index).copied(),
            rate,
            deduction,
            multiplier,
        }
    }
}

/// A requirement that one rate makes of the whole notional.
fn one_rate(notional: f64, required: f64, multiplier: f64) -> Bracket {
    let rate = if notional == 0.0 { 0.0 } else { required / notional };
    Bracket { notional, bracket: 1, brackets: 1, from: 0.0, to: None, rate, deduction: 0.0, multiplier }
}

/// What the other of bracket and leverage would require.
fn leverage_alternative(schedule: &Schedule, bracket: &Bracket, leverage: f64) -> String {
    let own_rate = schedule.rates[bracket.bracket - 1];
    let Bracket { notional, multiplier, rate, .. } = *bracket;
    if rate > own_rate {
        let otherwise = multiplier * schedule.requirement(&notional, 0.0);
        format!(
            "leverage {leverage} binds; the bracket's own rate {} would require {}",
            number(own_rate),
            number(otherwise)
        )
    } else {
        let otherwise = multiplier * notional / leverage;
        format!("the bracket binds; leverage {leverage} alone would require {}", number(otherwise))
    }
}

fn next_bracket(schedule: &Schedule, bracket: &Bracket) -> Option<String> {
    let rate = schedule.rates.get(bracket.bracket)?;
    Some(format!("rate {} from a notional of {}", number(*rate), number(bracket.to?)))
}

/// To a millionth, without the digits that rounding left.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}
