//! Formulas in a rulebook: `max(scan.maintenance, 0.05 * book) + 2 * delta / depth(BTC)`.
//!
//! The language is total: every formula that is read has a finite value for every market and pool. Operators are `+`, `-`,
//! `*`, `/` and parentheses; functions `max`, `min`, `abs`, `positive`, `clamp` and `piecewise`; names are components
//! (`scan`, `scan.initial`, `scan.maintenance`) and quantities of the market (`index(BTC)`).

mod curve;
mod dependence;
mod display;
mod evaluate;
mod parse;

pub use curve::{Curve, Segment};
pub use dependence::Dependence;
pub use evaluate::Leaf;
pub use parse::{Flaw, is_component_name};

/// A formula. Read with [`str::parse`], written with `to_string`, which reads back equal.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A number; finite and ≥ 0 (a negative one is a [`Expression::Negative`]).
    Number(f64),
    /// A name.
    Name(Name),
    /// `−x`.
    Negative(Box<Expression>),
    /// The sum of at least two terms; a term that is subtracted is a [`Expression::Negative`].
    Sum(Vec<Expression>),
    /// `x · y`.
    Product(Box<[Expression; 2]>),
    /// `x / y`; `y` depends on the market at most.
    Quotient(Box<[Expression; 2]>),
    /// The largest of at least one.
    Maximum(Vec<Expression>),
    /// The smallest of at least one.
    Minimum(Vec<Expression>),
    /// `|x|`.
    Magnitude(Box<Expression>),
    /// `max(x, 0)`.
    PositivePart(Box<Expression>),
    /// `min(max(x, low), high)`, of x, low, high.
    Clamp(Box<[Expression; 3]>),
    /// A curve of straight segments at x.
    Piecewise(Box<Expression>, Curve),
}

/// What a formula may name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A component of the rulebook, and which of its requirements.
    Component(String, Part),
    /// A quantity of the market, and whose: `index(BTC)`.
    Market(Quantity, String),
}

/// Which of a component's requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The one that belongs to the requirement for which the formula stands: `scan`.
    Own,
    /// `scan.initial`.
    Initial,
    /// `scan.maintenance`.
    Maintenance,
}

/// A quantity of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// Shocked price of an asset, quote units.
    Price,
    /// Shocked index price of an underlying, quote units.
    Index,
    /// Volatility index of an underlying, per √year.
    VolatilityIndex,
    /// Depth of an underlying, quote units within 1 % of mid.
    Depth,
    /// Average daily volume of an underlying, quote units per day.
    Adv,
    /// Open interest of an underlying, quote units.
    OpenInterest,
}

/// The functions that name a quantity of the market.
const QUANTITIES: [(&str, Quantity); 6] = [
    ("price", Quantity::Price),
    ("index", Quantity::Index),
    ("volatility_index", Quantity::VolatilityIndex),
    ("depth", Quantity::Depth),
    ("adv", Quantity::Adv),
    ("open_interest", Quantity::OpenInterest),
];

impl Quantity {
    /// The function that names it.
    pub fn name(self) -> &'static str {
        QUANTITIES.iter().find(|(_, quantity)| *quantity == self).map_or("", |(name, _)| name)
    }
}

impl Expression {
    /// The operands, in the order in which they are written.
    pub fn operands(&self) -> &[Expression] {
        match self {
            Self::Number(_) | Self::Name(_) => &[],
            Self::Negative(x) | Self::Magnitude(x) | Self::PositivePart(x) | Self::Piecewise(x, _) => {
                std::slice::from_ref(x)
            }
            Self::Sum(all) | Self::Maximum(all) | Self::Minimum(all) => all,
            Self::Product(pair) | Self::Quotient(pair) => &pair[..],
            Self::Clamp(triple) => &triple[..],
        }
    }

    /// Calls `visit` for every name, in the order in which they are written, repeated ones too.
    pub fn names<'e>(&'e self, visit: &mut impl FnMut(&'e Name)) {
        if let Self::Name(name) = self {
            visit(name);
        }
        self.operands().iter().for_each(|operand| operand.names(visit));
    }

    /// Levels of the tree: 1 for a number or a name.
    fn depth(&self) -> usize {
        1 + self.operands().iter().map(Self::depth).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
