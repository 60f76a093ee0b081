//! A formula as text that reads back equal.

use std::fmt;

use super::{Expression, Name, Part, QUANTITIES};

/// How tightly an operator binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Sum,
    Product,
    Unary,
    Atom,
}

impl Expression {
    fn binding(&self) -> Binding {
        match self {
            Self::Sum(_) => Binding::Sum,
            Self::Product(_) | Self::Quotient(_) => Binding::Product,
            Self::Negative(_) => Binding::Unary,
            _ => Binding::Atom,
        }
    }

    /// Writes the formula, in parentheses where it binds less tightly than its place wants.
    fn write(&self, f: &mut fmt::Formatter<'_>, place: Binding) -> fmt::Result {
        if self.binding() < place { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Name(name) => write!(f, "{name}"),
            Self::Negative(x) => {
                f.write_str("-")?;
                x.write(f, Binding::Unary)
            }
            Self::Sum(terms) => write_sum(f, terms),
            Self::Product(pair) => write_pair(f, pair, "*"),
            Self::Quotient(pair) => write_pair(f, pair, "/"),
            Self::Maximum(all) => write_call(f, "max", all),
            Self::Minimum(all) => write_call(f, "min", all),
            Self::Magnitude(x) => write!(f, "abs({x})"),
            Self::PositivePart(x) => write!(f, "positive({x})"),
            Self::Clamp(triple) => write_call(f, "clamp", &triple[..]),
            Self::Piecewise(x, curve) => {
                write!(f, "piecewise({x}")?;
                curve.points().iter().try_for_each(|(x, y)| write!(f, ", {x:?}, {y:?}"))?;
                f.write_str(")")
            }
        }
    }
}

fn write_sum(f: &mut fmt::Formatter<'_>, terms: &[Expression]) -> fmt::Result {
    for (index, term) in terms.iter().enumerate() {
        // A first term keeps its sign; a later one shows it as the operator.
        match term {
            Expression::Negative(x) if index > 0 => {
                f.write_str(" - ")?;
                x.write(f, Binding::Product)?;
            }
            _ => {
                f.write_str(if index > 0 { " + " } else { "" })?;
                term.write(f, Binding::Product)?;
            }
        }
    }
    Ok(())
}

fn write_pair(f: &mut fmt::Formatter<'_>, [left, right]: &[Expression; 2], operator: &str) -> fmt::Result {
    left.write(f, Binding::Product)?;
    write!(f, " {operator} ")?;
    right.write(f, Binding::Unary)
}

fn write_call(f: &mut fmt::Formatter<'_>, function: &str, operands: &[Expression]) -> fmt::Result {
    write!(f, "{function}(")?;
    for (index, operand) in operands.iter().enumerate() {
        write!(f, "{}{operand}", if index > 0 { ", " } else { "" })?;
    }
    f.write_str(")")
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(name, Part::Own) => f.write_str(name),
            Self::Component(name, Part::Initial) => write!(f, "{name}.initial"),
            Self::Component(name, Part::Maintenance) => write!(f, "{name}.maintenance"),
            Self::Market(quantity, of) => {
                let function = QUANTITIES.iter().find(|(_, known)| known == quantity).map_or("", |(word, _)| word);
                let bare = !of.is_empty() && of.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
                if bare { write!(f, "{function}({of})") } else { write!(f, "{function}('{of}')") }
            }
        }
    }
}
