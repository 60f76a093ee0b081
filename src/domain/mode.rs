/// How a pool's requirement is formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// All balances of the pool back all its positions; requirements add up position by position.
    #[default]
    Cross,
    /// A pool like a cross one, of one position (or the legs of one instrument) and what backs it alone.
    Isolated,
    /// All balances back all positions; the requirement is that of the portfolio, by a rule of its own.
    Portfolio,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Cross, Self::Isolated, Self::Portfolio];

    /// The word used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cross => "cross",
            Self::Isolated => "isolated",
            Self::Portfolio => "portfolio",
        }
    }
}
