//! What a formula depends on, and which formulas a margin program can hold.

use super::{Expression, Flaw, Name};

/// What a value depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dependence {
    /// Nothing.
    Constant,
    /// The scenario, but no account.
    Market,
    /// A pool's holdings.
    Pool,
}

impl Expression {
    /// What the formula depends on, where `of` answers it for names.
    ///
    /// # Errors
    /// A [`Flaw`] where two operands that depend on the pool are multiplied, or one divides.
    pub fn dependence(&self, of: &impl Fn(&Name) -> Dependence) -> Result<Dependence, Flaw> {
        if let Self::Name(name) = self {
            return Ok(of(name));
        }
        let mut most = Dependence::Constant;
        let mut pool_dependent = 0;
        for operand in self.operands() {
            let dependence = operand.dependence(of)?;
            most = most.max(dependence);
            pool_dependent += usize::from(dependence == Dependence::Pool);
        }
        match self {
            Self::Product(pair) if pool_dependent == 2 => Err(Flaw {
                rule: format!(
                    "{:?} and {:?} both depend on the pool: such values are not multiplied",
                    Text(&pair[0]),
                    Text(&pair[1])
                ),
                remedy: "multiply by a number or by a quantity of the market".into(),
            }),
            Self::Quotient(pair) if pair[1].dependence(of)? == Dependence::Pool => Err(Flaw {
                rule: format!("{:?} depends on the pool: nothing is divided by it", Text(&pair[1])),
                remedy: "divide by a number or by a quantity of the market".into(),
            }),
            _ => Ok(most),
        }
    }
}

/// A formula in quotes.
struct Text<'e>(&'e Expression);

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}
