//! Requirement expressions with their names looked up: what a pool's components and positions are put together by.

use super::expression::{Curve, Dependence, Expression, Name, Part as SideOf};
use super::pool::{MarginSide, Requirement};
use super::rules::Rules;
use crate::error::Fault;
use crate::number::Number;
use crate::program::Node;

/// A quantity of a pool's holdings that formulas may name beside components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holding {
    /// Requirement of the positions, each by its class.
    Positions(MarginSide),
    /// Net value of options whose premium was paid.
    OptionValue,
    /// What is owed: Σ value of negative balances, ≥ 0.
    Liabilities,
    /// Σ |quantity| · |unit value|, options at the index price.
    GrossNotional,
}

/// Names of holdings in formulas.
pub(super) const HOLDINGS: [&str; 4] = ["positions", "option_value", "liabilities", "gross_notional"];

/// An expression over components, holdings and rows of the market.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Formula {
    Constant(f64),
    /// A part that depends on the market alone, by its place among the rulebook's [`MarketFormula`]s: a row.
    Market(usize),
    Component(usize, MarginSide),
    Holding(Holding),
    Sum(Vec<Formula>),
    Scaled(f64, Box<Formula>),
    /// Times a market formula ≥ 0.
    ScaledByMarket(usize, Box<Formula>),
    Maximum(Vec<Formula>),
    Minimum(Vec<Formula>),
    Magnitude(Box<Formula>),
    Piecewise(Box<Formula>, Curve),
}

/// What a formula names that a pool does not decide: a number per market, formed once in f64.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MarketFormula {
    pub(super) expression: Expression,
    /// Whether something is multiplied by it: it must not be negative.
    pub(super) scales: bool,
}

/// What a formula's leaves are worth.
pub(super) trait Leaves<N: Number> {
    fn component(&mut self, component: usize, side: MarginSide) -> N;
    fn holding(&mut self, holding: Holding) -> N;
    fn market(&mut self, formula: usize) -> N;
}

impl Formula {
    /// Direct formula.
    pub(super) fn evaluate<N: Number>(&self, leaves: &mut impl Leaves<N>) -> N {
        let fold = |all: &[Formula], leaves: &mut _, pick: fn(&N, &N) -> N| {
            let mut values = all.iter().map(|formula| formula.evaluate(leaves));
            let first = values.next().unwrap_or_else(|| N::of(0.0));
            values.fold(first, |a, b| pick(&a, &b))
        };
        match self {
            Self::Constant(value) => N::of(*value),
            Self::Market(formula) => leaves.market(*formula),
            Self::Component(component, side) => leaves.component(*component, *side),
            Self::Holding(holding) => leaves.holding(*holding),
            Self::Sum(all) => fold(all, leaves, N::plus),
            Self::Scaled(factor, x) => N::of(*factor).times(&x.evaluate(leaves)),
            Self::ScaledByMarket(formula, x) => leaves.market(*formula).times(&x.evaluate(leaves)),
            Self::Maximum(all) => fold(all, leaves, N::larger),
            Self::Minimum(all) => fold(all, leaves, N::smaller),
            Self::Magnitude(x) => x.evaluate(leaves).magnitude(),
            Self::Piecewise(x, curve) => curve.at(&x.evaluate(leaves)),
        }
    }

    /// Lowering; `None` where a leaf has none.
    pub(super) fn node(&self, leaf: &mut impl FnMut(&Formula) -> Option<Node>) -> Option<Node> {
        let all = |formulas: &[Formula], leaf: &mut _| -> Option<Vec<Node>> {
            formulas.iter().map(|formula| formula.node(leaf)).collect()
        };
        Some(match self {
            Self::Constant(value) => Node::constant(*value),
            Self::Market(_) | Self::Component(..) | Self::Holding(_) => leaf(self)?,
            Self::Sum(formulas) => Node::Sum(all(formulas, leaf)?),
            Self::Scaled(factor, x) => x.node(leaf)?.scaled(*factor),
            Self::ScaledByMarket(formula, x) => {
                let Node::Leaf(row) = leaf(&Self::Market(*formula))? else { return None };
                let &[(row, _)] = row.terms.as_slice() else { return None };
                x.node(leaf)?.scaled_by_row(row)
            }
            Self::Maximum(formulas) => Node::Max(all(formulas, leaf)?),
            Self::Minimum(formulas) => Node::Min(all(formulas, leaf)?),
            Self::Magnitude(x) => x.node(leaf)?.absolute(),
            Self::Piecewise(x, curve) => {
                let x = x.node(leaf)?;
                // y₁ + Σ slope·(max(0, x − from) − max(0, x − to))
                let beyond = |at: f64, weight: f64| {
                    Node::Sum(vec![x.clone(), Node::constant(-at)]).positive_part().scaled(weight)
                };
                let segments = curve.segments().flat_map(|s| [beyond(s.from, s.slope), beyond(s.to, -s.slope)]);
                Node::Sum(std::iter::once(Node::constant(curve.first())).chain(segments).collect())
            }
        })
    }

    /// The summands, constants multiplied out: factor and what it multiplies.
    pub(super) fn summands(&self) -> Vec<(f64, &Formula)> {
        match self {
            Self::Sum(all) => all.iter().flat_map(Self::summands).collect(),
            Self::Scaled(factor, x) => x.summands().into_iter().map(|(inner, x)| (factor * inner, x)).collect(),
            other => vec![(1.0, other)],
        }
    }

    /// The formula in words of the rulebook.
    pub(super) fn text(&self, rules: &Rules) -> String {
        let list = |all: &[Formula]| all.iter().map(|x| x.text(rules)).collect::<Vec<_>>().join(", ");
        let side = |side: &MarginSide| match side {
            MarginSide::Initial => "initial",
            MarginSide::Maintenance => "maintenance",
        };
        match self {
            Self::Constant(value) => value.to_string(),
            Self::Market(formula) => rules.market_formula(*formula).expression.to_string(),
            Self::Component(component, of) => format!("{}.{}", rules.component_name(*component), side(of)),
            Self::Holding(Holding::Positions(of)) => format!("positions.{}", side(of)),
            Self::Holding(Holding::OptionValue) => "option_value".into(),
            Self::Holding(Holding::Liabilities) => "liabilities".into(),
            Self::Holding(Holding::GrossNotional) => "gross_notional".into(),
            Self::Sum(all) => {
                format!("({})", all.iter().map(|x| x.text(rules)).collect::<Vec<_>>().join(" + "))
            }
            Self::Scaled(factor, x) => format!("{factor} * {}", x.text(rules)),
            Self::ScaledByMarket(formula, x) => {
                format!("({}) * {}", rules.market_formula(*formula).expression, x.text(rules))
            }
            Self::Maximum(all) => format!("max({})", list(all)),
            Self::Minimum(all) => format!("min({})", list(all)),
            Self::Magnitude(x) => format!("abs({})", x.text(rules)),
            Self::Piecewise(x, _) => format!("piecewise({}, …)", x.text(rules)),
        }
    }

    /// Whether it certainly is ≥ 0, whatever the pool and the market. Components are, but for those that are formulas, which
    /// must not name each other in a circle.
    pub(super) fn is_not_negative(&self, of_component: &[Option<Requirement<Formula>>]) -> bool {
        let is = |formula: &Formula| formula.is_not_negative(of_component);
        match self {
            Self::Constant(value) => *value >= 0.0,
            Self::Component(component, side) => match of_component.get(*component) {
                Some(Some(formulas)) => is(formulas.of(*side)),
                _ => true,
            },
            Self::Holding(Holding::OptionValue) | Self::Market(_) => false,
            Self::Holding(Holding::Positions(_) | Holding::Liabilities | Holding::GrossNotional) => true,
            Self::Sum(all) | Self::Minimum(all) => all.iter().all(is),
            Self::Maximum(all) => all.iter().any(is),
            Self::Scaled(factor, x) => *factor >= 0.0 && is(x),
            Self::ScaledByMarket(_, x) => is(x),
            Self::Magnitude(_) => true,
            Self::Piecewise(_, curve) => curve.points().iter().all(|(_, y)| *y >= 0.0),
        }
    }

    /// Whether some part is worth what `is` says.
    pub(super) fn contains(&self, is: &impl Fn(&Formula) -> bool) -> bool {
        if is(self) {
            return true;
        }
        match self {
            Self::Sum(all) | Self::Maximum(all) | Self::Minimum(all) => all.iter().any(|x| x.contains(is)),
            Self::Scaled(_, x) | Self::ScaledByMarket(_, x) | Self::Magnitude(x) | Self::Piecewise(x, _) => {
                x.contains(is)
            }
            Self::Constant(_) | Self::Market(_) | Self::Component(..) | Self::Holding(_) => false,
        }
    }
}

/// Looks the names of expressions up.
pub(super) struct Resolver<'r> {
    /// Names of components, in order.
    pub(super) components: &'r [String],
    /// Names of scalars.
    pub(super) scalars: &'r [String],
    /// Market formulas found so far.
    pub(super) market: Vec<MarketFormula>,
    pub(super) faults: Vec<Fault>,
}

impl Resolver<'_> {
    /// The formula of an expression that stands for `side`; `at` is where it stands, for faults.
    pub(super) fn formula(&mut self, expression: &Expression, side: MarginSide, at: &str) -> Formula {
        if let Err(flaw) = expression.dependence(&|name| self.dependence(name)) {
            self.fault(at, &expression.to_string(), flaw.rule, flaw.remedy);
            return Formula::Constant(0.0);
        }
        self.part(expression, side, at)
    }

    fn part(&mut self, expression: &Expression, side: MarginSide, at: &str) -> Formula {
        if let Some(value) = expression.constant() {
            return Formula::Constant(value);
        }
        if self.is_market(expression) {
            return Formula::Market(self.market_formula(expression.clone(), false));
        }
        let mut of = |x: &Expression| self.part(x, side, at);
        match expression {
            Expression::Number(value) => Formula::Constant(*value),
            Expression::Name(name) => self.name(name, side, at),
            Expression::Negative(x) => Formula::Scaled(-1.0, Box::new(of(x))),
            Expression::Sum(all) => Formula::Sum(all.iter().map(of).collect()),
            Expression::Maximum(all) => Formula::Maximum(all.iter().map(of).collect()),
            Expression::Minimum(all) => Formula::Minimum(all.iter().map(of).collect()),
            Expression::Magnitude(x) => Formula::Magnitude(Box::new(of(x))),
            Expression::PositivePart(x) => Formula::Maximum(vec![of(x), Formula::Constant(0.0)]),
            Expression::Clamp(triple) => {
                let [x, low, high] = [&triple[0], &triple[1], &triple[2]].map(of);
                Formula::Minimum(vec![Formula::Maximum(vec![x, low]), high])
            }
            Expression::Piecewise(x, curve) => Formula::Piecewise(Box::new(of(x)), curve.clone()),
            Expression::Product(pair) => self.product(&pair[0], &pair[1], side, at),
            Expression::Quotient(pair) => {
                let inverse = Expression::Quotient(Box::new([Expression::Number(1.0), pair[1].clone()]));
                self.product(&pair[0], &inverse, side, at)
            }
        }
    }

    fn product(&mut self, a: &Expression, b: &Expression, side: MarginSide, at: &str) -> Formula {
        let (factor, x) = if self.is_market(a) { (a, b) } else { (b, a) };
        if let Some(factor) = factor.constant() {
            return Formula::Scaled(factor, Box::new(self.part(x, side, at)));
        }
        let market = self.market_formula(factor.clone(), true);
        Formula::ScaledByMarket(market, Box::new(self.part(x, side, at)))
    }

    fn name(&mut self, name: &Name, side: MarginSide, at: &str) -> Formula {
        let Name::Component(text, of) = name else { return Formula::Constant(0.0) };
        let side = match of {
            SideOf::Own => side,
            SideOf::Initial => MarginSide::Initial,
            SideOf::Maintenance => MarginSide::Maintenance,
        };
        if let Some(component) = self.components.iter().position(|known| known == text) {
            return Formula::Component(component, side);
        }
        Formula::Holding(match text.as_str() {
            "positions" => Holding::Positions(side),
            "option_value" => Holding::OptionValue,
            "liabilities" => Holding::Liabilities,
            "gross_notional" => Holding::GrossNotional,
            _ => {
                let scalars = self.scalars.iter().map(String::as_str);
                let known = self.components.iter().map(String::as_str).chain(scalars).chain(HOLDINGS);
                let remedy = crate::suggest::remedy(text, known, "name a component, a scalar or positions");
                self.fault(at, text, "a name in an expression is a component, a scalar or a holding".into(), remedy);
                return Formula::Constant(0.0);
            }
        })
    }

    fn market_formula(&mut self, expression: Expression, scales: bool) -> usize {
        let formula = MarketFormula { expression, scales };
        self.market.iter().position(|known| *known == formula).unwrap_or_else(|| {
            self.market.push(formula);
            self.market.len() - 1
        })
    }

    /// What a name depends on.
    fn dependence(&self, name: &Name) -> Dependence {
        match name {
            Name::Component(text, _) if !self.scalars.contains(text) => Dependence::Pool,
            Name::Component(..) | Name::Market(..) => Dependence::Market,
        }
    }

    /// Whether a pool has no say in an expression.
    fn is_market(&self, expression: &Expression) -> bool {
        matches!(expression.dependence(&|name| self.dependence(name)), Ok(Dependence::Constant | Dependence::Market))
    }

    fn fault(&mut self, at: &str, value: &str, rule: String, remedy: impl Into<String>) {
        let fault = Fault::of_table("rulebook", rule, remedy);
        self.faults.push(Fault { column: at.into(), value: value.into(), ..fault });
    }
}
