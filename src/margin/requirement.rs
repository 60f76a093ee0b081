//! A pool's requirements: what the rulebook's expressions make of its positions and components.

use std::collections::HashMap;

use super::component::{Kind, Ranges, Scope};
use super::explain::number;
use super::formula::{Formula, Holding, Leaves, MarketFormula, Resolver};
use super::order::OrderReserve;
use super::pool::{MarginSide, Market, Requirement, Setting};
use super::rulebook::{RequirementRule, Rulebook};
use crate::domain::{Mode, Pool};
use crate::error::Fault;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::{Builder, Collected, Node, Weighted, Weights};

/// The two formulas of a requirement.
pub(super) type Formulas = Requirement<Formula>;

impl Formulas {
    fn resolve(resolver: &mut Resolver<'_>, rule: &RequirementRule, at: &str) -> Self {
        Self {
            initial: resolver.formula(&rule.initial, MarginSide::Initial, &format!("{at}.initial")),
            maintenance: resolver.formula(&rule.maintenance, MarginSide::Maintenance, &format!("{at}.maintenance")),
        }
    }
}

/// Every expression of a rulebook, looked up.
#[derive(Debug, Clone)]
pub(super) struct Requirements {
    /// Of cross and isolated pools.
    standard: Formulas,
    /// Of pools in portfolio mode.
    portfolio: Option<Formulas>,
    /// By component; only formulas have them.
    of_component: Vec<Option<Formulas>>,
    /// Parts that depend on the market alone.
    pub(super) market: Vec<MarketFormula>,
}

impl Requirements {
    /// Looks the names of a rulebook's expressions up. Without a requirement table a pool requires its positions and every
    /// component.
    pub(super) fn of(rulebook: &Rulebook) -> (Self, Vec<Fault>) {
        let components: Vec<String> = rulebook.component.keys().cloned().collect();
        let scalars: Vec<String> = rulebook.scalar.keys().cloned().collect();
        let mut resolver =
            Resolver { components: &components, scalars: &scalars, market: Vec::new(), faults: Vec::new() };
        let standard = match &rulebook.requirement {
            Some(rule) => Formulas::resolve(&mut resolver, rule, "requirement"),
            None => sum_of_all(rulebook),
        };
        let portfolio = rulebook.portfolio_requirement.as_ref();
        let portfolio = portfolio.map(|rule| Formulas::resolve(&mut resolver, rule, "requirement.portfolio"));
        let of_component = rulebook.component.iter().map(|(name, component)| match &component.kind {
            Kind::Formula(rule) => Some(Formulas::resolve(&mut resolver, rule, &format!("component.{name}"))),
            _ => None,
        });
        let of_component = of_component.collect();
        let Resolver { market, mut faults, .. } = resolver;
        let mut requirements = Self { standard, portfolio, of_component, market };
        let cycles = requirements.cycles(&components);
        if cycles.is_empty() {
            requirements.hold_above_zero();
        }
        faults.extend(cycles);
        (requirements, faults)
    }

    /// A maintenance margin is never negative: a formula that could be is held at 0. Decisions rely on it (`NUMERICS.md` §1).
    fn hold_above_zero(&mut self) {
        let of_component = &self.of_component;
        let is_held = |formula: &Formula| formula.is_not_negative(of_component);
        for formulas in [Some(&mut self.standard), self.portfolio.as_mut()].into_iter().flatten() {
            if !is_held(&formulas.maintenance) {
                let formula = std::mem::replace(&mut formulas.maintenance, Formula::Constant(0.0));
                formulas.maintenance = Formula::Maximum(vec![formula, Formula::Constant(0.0)]);
            }
        }
    }

    /// The formulas of a pool.
    pub(super) fn of_pool(&self, pool: &Pool<'_>) -> &Formulas {
        match (pool.settings.mode, &self.portfolio) {
            (Mode::Portfolio, Some(portfolio)) => portfolio,
            _ => &self.standard,
        }
    }

    /// The formulas of a component that is one.
    pub(super) fn of_component(&self, component: usize) -> Option<&Formulas> {
        self.of_component.get(component)?.as_ref()
    }

    /// Whether instruments need a class: where some formula names what positions require by theirs, or orders reserve by it.
    pub(super) fn needs_classes(&self, rulebook: &Rulebook) -> bool {
        self.uses_positions() || rulebook.orders == OrderReserve::Initial
    }

    fn uses_positions(&self) -> bool {
        let is_positions = |formula: &Formula| matches!(formula, Formula::Holding(Holding::Positions(_)));
        let all = [Some(&self.standard), self.portfolio.as_ref()];
        let mut all = all.into_iter().flatten().chain(self.of_component.iter().flatten());
        all.any(|formulas| formulas.initial.contains(&is_positions) || formulas.maintenance.contains(&is_positions))
    }

    /// Formulas that name each other in a circle.
    fn cycles(&self, names: &[String]) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (start, name) in names.iter().enumerate() {
            let mut seen = vec![false; names.len()];
            let mut waiting = vec![start];
            while let Some(at) = waiting.pop() {
                let Some(formulas) = &self.of_component[at] else { continue };
                for next in 0..names.len() {
                    let is_next = |formula: &Formula| matches!(formula, Formula::Component(c, _) if *c == next);
                    if !seen[next] && (formulas.initial.contains(&is_next) || formulas.maintenance.contains(&is_next)) {
                        seen[next] = true;
                        waiting.push(next);
                    }
                }
            }
            if seen[start] {
                let fault = Fault::of_table(
                    "rulebook",
                    "a formula does not name itself, nor through others",
                    "break the circle",
                );
                faults.push(Fault { column: format!("component.{name}"), value: name.clone(), ..fault });
            }
        }
        faults
    }
}

fn sum_of_all(rulebook: &Rulebook) -> Formulas {
    let of = |side: MarginSide| {
        let has_classes = !rulebook.margin.is_empty() || !rulebook.option.is_empty() || rulebook.component.is_empty();
        let positions = has_classes.then_some(Formula::Holding(Holding::Positions(side)));
        let components = (0..rulebook.component.len()).map(|component| Formula::Component(component, side));
        Formula::Sum(positions.into_iter().chain(components).collect())
    };
    Requirement { initial: of(MarginSide::Initial), maintenance: of(MarginSide::Maintenance) }
}

/// One evaluation of formulas over some holdings in one market: a component is evaluated once, however often it is named.
pub(super) struct Evaluation<'e, 'p, 's, N, M> {
    setting: Setting<'s>,
    scope: &'e Scope<'p, 's>,
    market: &'e M,
    components: Vec<Option<Requirement<N>>>,
    positions: Option<Requirement<N>>,
}

impl<'e, 'p, 's, N: Number, M: Market<N>> Evaluation<'e, 'p, 's, N, M> {
    pub(super) fn new(setting: Setting<'s>, scope: &'e Scope<'p, 's>, market: &'e M) -> Self {
        Self { setting, scope, market, components: vec![None; setting.rules.components().len()], positions: None }
    }

    /// Both requirements by their formulas.
    pub(super) fn requirement(&mut self, formulas: &Formulas) -> Requirement<N> {
        Requirement { initial: formulas.initial.evaluate(self), maintenance: formulas.maintenance.evaluate(self) }
    }
}

impl<N: Number, M: Market<N>> Leaves<N> for Evaluation<'_, '_, '_, N, M> {
    fn component(&mut self, component: usize, side: MarginSide) -> N {
        if self.components[component].is_none() {
            let rule = self.setting.rules.component(component);
            self.components[component] = Some(rule.value(component, self.scope, self.market));
        }
        self.components[component].as_ref().map_or_else(|| N::of(0.0), |value| value.of(side).clone())
    }

    fn holding(&mut self, holding: Holding) -> N {
        let (setting, market) = (self.setting, self.market);
        match holding {
            Holding::Positions(side) => {
                let positions =
                    self.positions.get_or_insert_with(|| setting.positions_requirement(self.scope.positions(), market));
                positions.of(side).clone()
            }
            Holding::OptionValue => setting.option_value(self.scope.positions(), market),
            Holding::Liabilities => setting.liabilities(self.scope.balances(), market),
            Holding::GrossNotional => setting.notional_of(self.scope.positions(), market),
        }
    }

    fn market(&mut self, formula: usize) -> N {
        self.market.row(self.setting.rows.of_market_formula(formula))
    }
}

/// Components of one scope that were lowered before.
#[derive(Default)]
pub(super) struct KnownNodes(HashMap<usize, Option<Requirement<Node>>>);

impl<'s> Setting<'s> {
    /// Lowering of both requirements of a pool; a tree that both contain is evaluated once.
    pub(super) fn lower_requirement(&self, pool: &Pool<'_>, builder: &mut Builder<'_>) {
        let settings = pool.settings;
        let formulas = self.rules.requirements().of_pool(pool);
        let scope = Scope::of_pool(*self, pool);
        let sides = [
            (MarginSide::Maintenance, Weights::MAINTENANCE.scaled(settings.mm_multiplier)),
            (MarginSide::Initial, Weights::INITIAL.scaled(-settings.im_multiplier)),
        ];
        let mut known = KnownNodes::default();
        let mut positions = Vec::new();
        let mut nodes: Vec<(Node, Weights)> = Vec::new();
        for (side, weights) in sides {
            for (factor, summand) in formulas.of(side).summands() {
                let weights = weights.scaled(factor);
                if let Formula::Holding(Holding::Positions(side)) = summand {
                    positions.push((*side, weights));
                    continue;
                }
                let node = self.node_of(summand, &scope, &|row, slope| builder.range(row, slope), &mut known);
                // All of the requirement or none of it, for it is totalled once.
                let Some(node) = node else { return builder.direct() };
                match nodes.iter_mut().find(|(known, _)| *known == node) {
                    Some((_, sum)) => *sum = sum.plus(weights),
                    None => nodes.push((node, weights)),
                }
            }
        }
        for (side, weights) in positions {
            // By far the commonest: straight into the roots, without a tree.
            self.lower_positions(scope.positions(), side, &mut Weighted { builder: &mut *builder, weights });
        }
        nodes.iter().for_each(|(node, weights)| builder.fold(node, *weights));
    }

    /// Lowering of a formula over some holdings; `None` where a component leaves it to the direct formulas.
    pub(super) fn node_of(
        &self,
        formula: &Formula,
        scope: &Scope<'_, 's>,
        ranges: &Ranges<'_>,
        known: &mut KnownNodes,
    ) -> Option<Node> {
        formula.node(&mut |leaf| match leaf {
            Formula::Market(formula) => Some(Node::leaf(vec![(self.rows.of_market_formula(*formula), 1.0)])),
            Formula::Component(component, side) => {
                let lower = || self.rules.component(*component).node(*component, scope, ranges);
                let node = known.0.entry(*component).or_insert_with(lower).as_ref()?;
                Some(node.of(*side).clone())
            }
            Formula::Holding(holding) => Some(self.holding_node(*holding, scope)),
            _ => None,
        })
    }

    fn holding_node(&self, holding: Holding, scope: &Scope<'_, 's>) -> Node {
        match holding {
            Holding::Positions(side) => {
                let mut collected = Collected::default();
                self.lower_positions(scope.positions(), side, &mut collected);
                collected.sum()
            }
            Holding::OptionValue => self.option_value_node(scope.positions()),
            Holding::Liabilities => self.liabilities_node(scope.balances()),
            Holding::GrossNotional => Node::leaf(scope.positions().map(|position| self.notional(position)).collect()),
        }
    }

    /// Which operand set a maximum or minimum, and what the others are worth; `None` for other formulas.
    pub(super) fn binding_of(&self, formula: &Formula, scope: &Scope<'_, 's>, column: Column) -> Option<String> {
        let (all, is_largest) = match formula {
            Formula::Maximum(all) => (all, true),
            Formula::Minimum(all) => (all, false),
            Formula::Scaled(_, x) | Formula::ScaledByMarket(_, x) => return self.binding_of(x, scope, column),
            _ => return None,
        };
        let market = (self.rows, column);
        let mut evaluation = Evaluation::new(*self, scope, &market);
        let values: Vec<f64> = all.iter().map(|operand| operand.evaluate(&mut evaluation)).collect();
        let binds = |a: f64, b: f64| if is_largest { a > b } else { a < b };
        let chosen =
            (0..values.len()).reduce(|best, next| if binds(values[next], values[best]) { next } else { best })?;
        let of = |at: usize| format!("{} = {}", all[at].text(self.rules), number(values[at]));
        let others: Vec<String> = (0..values.len()).filter(|at| *at != chosen).map(of).collect();
        let nested = self.binding_of(&all[chosen], scope, column).map_or_else(String::new, |text| format!(" ({text})"));
        Some(format!("{} binds{nested}; {}", of(chosen), others.join(", ")))
    }
}
