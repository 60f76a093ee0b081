/// Which positions are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CutRule {
    /// Everything is closed.
    Full,
    /// What restores the target at the least cost.
    #[default]
    MinCost,
    /// What restores the target with the least notional traded.
    LeastNotional,
    /// The same share of every position.
    ProRata,
    /// The position with the largest loss first.
    LargestLoss,
    /// The position that releases the most margin first.
    LargestRelief,
    /// The largest position down to the bracket below its own, again and again.
    StepDown,
    /// Least cost under portfolio margin: a linear program over the moves that bind.
    Program,
}

impl CutRule {
    /// The words of a policy file.
    pub const WORDS: [(&'static str, Self); 8] = [
        ("full", Self::Full),
        ("min_cost", Self::MinCost),
        ("least_notional", Self::LeastNotional),
        ("pro_rata", Self::ProRata),
        ("largest_loss", Self::LargestLoss),
        ("largest_relief", Self::LargestRelief),
        ("step_down", Self::StepDown),
        ("program", Self::Program),
    ];
}

/// How much is cut at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip {
    /// Largest share of a position cut in one round, in (0, 1].
    pub share: f64,
    /// Pools of a gross notional up to this are cut without a clip, quote units.
    pub above_quote: f64,
    /// Clipped rounds after which everything asked for is cut, ≥ 1.
    pub rounds: u32,
    /// Rounds that a pool rests after a clipped cut.
    pub cooldown_rounds: u32,
}

/// Which positions are cut, and how much of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CutPolicy {
    /// Which positions.
    pub rule: CutRule,
    /// How much at once; `None` = all that the rule asks for.
    pub clip: Option<Clip>,
    /// What would be left of a position under this notional is cut with it, and no cut or sale of collateral is smaller, quote
    /// units.
    pub dust_quote: f64,
}

impl Default for CutPolicy {
    fn default() -> Self {
        Self { rule: CutRule::default(), clip: None, dust_quote: 50.0 }
    }
}
