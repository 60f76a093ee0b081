//! What a pool requires, term by term: positions by their classes, components by their groups, expressions by what binds.

use super::component::{GroupValue, Scope};
use super::explain::{Basis, Term, TermKind};
use super::formula::{Formula, Holding};
use super::pool::{MarginSide, Setting};
use super::requirement::Evaluation;
use crate::domain::Pool;
use crate::pricing::{Column, ShockedMarket};

/// A component of the rulebook and what it requires of a pool, before the rulebook's expressions put components together.
#[derive(Debug, Clone)]
pub struct ComponentStatement {
    /// Its name in the rulebook.
    pub name: String,
    /// By group.
    pub groups: Vec<GroupValue>,
}

/// Which requirement a term belongs to, which one of its classes it shows, and times what.
#[derive(Debug, Clone, Copy)]
pub(super) struct TermSide {
    /// Where the term counts.
    pub(super) kind: TermKind,
    /// Which requirement of a class or component it takes.
    pub(super) side: MarginSide,
    /// The pool's multiplier times the expression's factor.
    pub(super) multiplier: f64,
}

impl Setting<'_> {
    /// Terms of both requirements of a pool, before the initial one is raised and orders are added.
    pub(super) fn requirement_terms(
        &self,
        pool: &Pool<'_>,
        (column, market): (Column, &ShockedMarket<'_>),
    ) -> Vec<Term> {
        let settings = pool.settings;
        let scope = Scope::of_pool(*self, pool);
        let formulas = self.rules.requirements().of_pool(pool);
        let mut terms = Vec::new();
        for (side, kind, multiplier) in [
            (MarginSide::Maintenance, TermKind::MaintenanceMargin, settings.mm_multiplier),
            (MarginSide::Initial, TermKind::InitialMargin, settings.im_multiplier),
        ] {
            for (factor, summand) in formulas.of(side).summands() {
                let multiplier = multiplier * factor;
                match summand {
                    Formula::Holding(Holding::Positions(side)) => {
                        let shown = TermSide { kind, side: *side, multiplier };
                        terms.extend(self.position_terms(pool, shown, (column, market)));
                    }
                    Formula::Component(component, side) => {
                        let shown = TermSide { kind, side: *side, multiplier };
                        terms.extend(self.component_terms(*component, &scope, shown, column));
                    }
                    other => terms.push(self.formula_term(other, &scope, (kind, multiplier), column)),
                }
            }
        }
        terms
    }

    fn position_terms(
        &self,
        pool: &Pool<'_>,
        shown: TermSide,
        (column, market): (Column, &ShockedMarket<'_>),
    ) -> Vec<Term> {
        let mut terms = Vec::new();
        for position in pool.positions {
            match self.rules.option(position.instrument) {
                Some(_) if self.is_grouped(position) => {}
                Some(class) => terms.extend(self.option_term(class, position, shown, (column, market))),
                None => {
                    terms.push(self.class_term(position, shown, column));
                    terms.extend(self.minimum_term(position, shown, column));
                }
            }
        }
        let legs = self.spread_legs(pool.positions.iter());
        terms.extend(legs.iter().map(|legs| self.group_term(legs, shown, column)));
        terms
    }

    fn component_terms(&self, component: usize, scope: &Scope<'_, '_>, shown: TermSide, column: Column) -> Vec<Term> {
        let name = self.rules.component_name(component);
        let groups = self.rules.component(component).explain(component, scope, column);
        let term = |group: GroupValue| {
            let value = match shown.side {
                MarginSide::Initial => group.value.initial,
                MarginSide::Maintenance => group.value.maintenance,
            };
            Term {
                component: shown.kind,
                item: format!("{name} {}", group.group),
                value: shown.multiplier * value,
                alternative: group.binding,
                basis: Basis::Component { value, multiplier: shown.multiplier },
            }
        };
        groups.into_iter().map(term).collect()
    }

    fn formula_term(
        &self,
        formula: &Formula,
        scope: &Scope<'_, '_>,
        (component, multiplier): (TermKind, f64),
        column: Column,
    ) -> Term {
        let market = (self.rows, column);
        let value: f64 = formula.evaluate(&mut Evaluation::new(*self, scope, &market));
        Term {
            component,
            item: formula.text(self.rules),
            value: multiplier * value,
            alternative: self.binding_of(formula, scope, column),
            basis: Basis::Component { value, multiplier },
        }
    }

    /// Every component of the rulebook over a pool.
    pub fn components(&self, pool: &Pool<'_>, column: Column) -> Vec<ComponentStatement> {
        let scope = Scope::of_pool(*self, pool);
        let statement = |(at, component): (usize, &super::Component)| ComponentStatement {
            name: self.rules.component_name(at).into(),
            groups: component.explain(at, &scope, column),
        };
        self.rules.components().enumerate().map(statement).collect()
    }
}
