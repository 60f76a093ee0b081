use super::form::{Formed, Verdict};
use super::policy::OraclePolicy;

/// What a price is good for, worst first. The order is Drift's; a price is of the first class that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Validity {
    /// There is none, or it is zero or negative.
    NonPositive,
    /// It is more than the policy's ratio away from its stable price.
    TooVolatile,
    /// Its confidence is above the policy's limit, or the three-vote rule finds none.
    TooUncertain,
    /// It is too old to compute margin from.
    StaleForMargin,
    /// Too few sources, or too little of the weight.
    TooFewPoints,
    /// It is too old to quote against.
    StaleForMarketMaking,
    /// Nothing is wrong with it.
    Valid,
}

impl Validity {
    /// The words of a rulebook.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("non_positive", Self::NonPositive),
        ("too_volatile", Self::TooVolatile),
        ("too_uncertain", Self::TooUncertain),
        ("stale_for_margin", Self::StaleForMargin),
        ("too_few_points", Self::TooFewPoints),
        ("stale_for_market_making", Self::StaleForMarketMaking),
        ("valid", Self::Valid),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize].0
    }
}

/// What a price is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Computing margin.
    Margin,
    /// Liquidating.
    Liquidate,
    /// Taking on risk.
    Open,
    /// Withdrawing collateral.
    Withdraw,
    /// Settling profit and loss.
    Settle,
}

impl Action {
    /// Every action with its word.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("margin", Self::Margin),
        ("liquidate", Self::Liquidate),
        ("open", Self::Open),
        ("withdraw", Self::Withdraw),
        ("settle", Self::Settle),
    ];
}

/// The worst class that each action tolerates; it tolerates every better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Computing margin.
    pub margin: Validity,
    /// Liquidating.
    pub liquidate: Validity,
    /// Taking on risk.
    pub open: Validity,
    /// Withdrawing collateral.
    pub withdraw: Validity,
    /// Settling profit and loss.
    pub settle: Validity,
}

impl Default for Tolerance {
    /// Margin needs a price that is certain and fresh, liquidation and settlement one that is neither missing nor wild (Drift's
    /// table); risk and withdrawals wait for enough sources as well.
    fn default() -> Self {
        Self {
            margin: Validity::TooFewPoints,
            liquidate: Validity::TooUncertain,
            open: Validity::StaleForMarketMaking,
            withdraw: Validity::StaleForMarketMaking,
            settle: Validity::TooUncertain,
        }
    }
}

impl Tolerance {
    /// The worst class that an action tolerates.
    pub fn of(&self, action: Action) -> Validity {
        match action {
            Action::Margin => self.margin,
            Action::Liquidate => self.liquidate,
            Action::Open => self.open,
            Action::Withdraw => self.withdraw,
            Action::Settle => self.settle,
        }
    }

    /// Whether an action may rely on a price of this class.
    pub fn allows(&self, action: Action, class: Validity) -> bool {
        class >= self.of(action)
    }
}

/// The class of a formed price beside its stable price. Without a stable price no price is too volatile. A price that is too
/// uncertain, old or thinly quoted is still judged by its median: the ladder says what it may serve.
pub fn classify(formed: &Formed, stable: Option<f64>, policy: &OraclePolicy) -> Validity {
    let Some((median, confidence)) = formed.median.zip(formed.confidence).filter(|(median, _)| *median > 0.0) else {
        return Validity::NonPositive;
    };
    let is_wild = |stable: f64| median.max(stable) > policy.volatility_ratio * median.min(stable);
    let is_older = |seconds: f64| formed.age_seconds.is_some_and(|age| age > seconds);
    if stable.is_some_and(is_wild) {
        Validity::TooVolatile
    } else if policy.is_too_uncertain(median, confidence) || formed.verdict == Verdict::ZeroConfidence {
        Validity::TooUncertain
    } else if is_older(policy.margin_age_seconds) {
        Validity::StaleForMargin
    } else if formed.verdict != Verdict::Usable {
        Validity::TooFewPoints
    } else if is_older(policy.market_making_age_seconds) {
        Validity::StaleForMarketMaking
    } else {
        Validity::Valid
    }
}
