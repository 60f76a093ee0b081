/// What is taken from those who pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeleverageBasis {
    /// Bankrupt positions are closed against opposite ones, between the mark and the bankruptcy price.
    #[default]
    Positions,
    /// A share of unrealised profits; positions stay.
    Profits,
}

impl DeleverageBasis {
    /// The words of a policy file.
    pub const WORDS: [(&'static str, Self); 2] = [("positions", Self::Positions), ("profits", Self::Profits)];
}

/// Who pays how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allocation {
    /// Water filling: the largest leverage becomes as small as it can.
    #[default]
    Leverage,
    /// The same share of what each can pay.
    ProRata,
    /// A queue by profit ratio · effective leverage.
    ProfitLeverage,
    /// A queue by mark / entry · notional / equity.
    MarkEntry,
    /// The largest share taken of anybody is as small as whole quanta allow.
    MinMax,
}

impl Allocation {
    /// The words of a policy file.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("leverage", Self::Leverage),
        ("pro_rata", Self::ProRata),
        ("profit_leverage", Self::ProfitLeverage),
        ("mark_entry", Self::MarkEntry),
        ("min_max", Self::MinMax),
    ];
}

/// How others are made to pay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeleveragePolicy {
    /// What is taken.
    pub basis: DeleverageBasis,
    /// Share of the debt that is taken this way, in [0, 1]; the rest is socialised.
    pub severity: f64,
    /// Who pays how much.
    pub allocation: Allocation,
}

impl Default for DeleveragePolicy {
    fn default() -> Self {
        Self { basis: DeleverageBasis::default(), severity: 1.0, allocation: Allocation::default() }
    }
}
