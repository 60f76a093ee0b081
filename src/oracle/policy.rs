use std::collections::BTreeMap;

use super::stable::StablePolicy;
use super::validity::Tolerance;

/// How quotes become one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aggregation {
    /// The price at half of the weight (Hyperliquid: venues by weight, then validators by stake; dYdX: validators by stake).
    #[default]
    WeightedMedian,
    /// Every source votes for price − confidence, price and price + confidence; the median of all votes, two middle votes
    /// averaged. Weights are ignored (Pyth's on-chain program).
    ThreeVote,
    /// Every source has one vote (Chainlink, Maker).
    Median,
}

impl Aggregation {
    /// The words of a rulebook.
    pub const WORDS: [(&'static str, Self); 3] =
        [("weighted_median", Self::WeightedMedian), ("three_vote", Self::ThreeVote), ("median", Self::Median)];
}

/// What a median is where the weight splits exactly between two prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ties {
    /// The lower of the two: the first price at which half of the weight is reached (dYdX's stake-weighted median).
    #[default]
    Lower,
    /// Their mean, rounded down to the tick where there is one.
    Mean,
    /// The upper of the two: element n/2 counted from 0 (Chainlink's and Maker's medians).
    Upper,
}

impl Ties {
    /// The words of a rulebook.
    pub const WORDS: [(&'static str, Self); 3] = [("lower", Self::Lower), ("mean", Self::Mean), ("upper", Self::Upper)];
}

/// What becomes of quotes that are zero or negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NonPositive {
    /// They are dropped.
    #[default]
    Drop,
    /// They count (Pyth aggregates prices of any sign).
    Keep,
}

impl NonPositive {
    /// The words of a rulebook.
    pub const WORDS: [(&'static str, Self); 2] = [("drop", Self::Drop), ("keep", Self::Keep)];
}

/// Which quotes count, what makes a price of them, and what it may be used for. In every `Option`, `None` = no limit, unless said.
#[derive(Debug, Clone, PartialEq)]
pub struct OraclePolicy {
    /// How quotes become one price.
    pub aggregation: Aggregation,
    /// Where the weight splits exactly; the three-vote rule always takes the mean.
    pub ties: Ties,
    /// Prices and confidences are whole multiples of this, and averages are rounded down to it; 0 = none.
    pub price_tick: f64,
    /// What becomes of quotes that are zero or negative.
    pub non_positive: NonPositive,
    /// Oldest quote that counts, seconds.
    pub max_age_seconds: Option<f64>,
    /// Heartbeat of sources that state none, seconds; `None` = they have none.
    pub heartbeat_seconds: Option<f64>,
    /// A quote farther from the median than the largest of the three limits is dropped; this one in median absolute deviations.
    pub deviation_mads: Option<f64>,
    /// The second limit, in confidences of the quote.
    pub deviation_confidences: f64,
    /// The third limit, a fraction of the median: agreement to the last digit by more than half must not drop all others.
    pub deviation_floor: f64,
    /// Fewest quotes that make a price, ≥ 1.
    pub minimum_sources: u32,
    /// Share of the weight of all quotes of the subject that those used have at least, in [0, 1].
    pub quorum: f64,
    /// Largest confidence over price of a usable price.
    pub max_confidence: Option<f64>,
    /// Confidences that conservative prices allow for.
    pub confidence_multiple: f64,
    /// Largest such allowance, a fraction of the price, in [0, 1].
    pub confidence_cap: f64,
    /// Largest ratio, either way, between the price and its stable price, > 1.
    pub volatility_ratio: f64,
    /// Oldest price that margin is computed from, seconds.
    pub margin_age_seconds: f64,
    /// Oldest price that is quoted against, seconds.
    pub market_making_age_seconds: f64,
    /// Largest distance of mark and price that lets liquidations go on, a fraction of the price.
    pub mark_divergence: f64,
    /// The worst class of price that each action tolerates.
    pub tolerance: Tolerance,
    /// How the stable price follows.
    pub stable: StablePolicy,
    /// Y of the square-root impact law that prices the capture of a venue, dimensionless.
    pub impact_factor: f64,
    /// Daily volatility in that law (0.04 = 4 %); `None` = that of the snapshot's volatility index.
    pub daily_volatility: Option<f64>,
}

impl Default for OraclePolicy {
    /// Ages, volatility ratio, confidence limit and divergence as Drift has them, the allowance for confidence as marginfi, the
    /// stable price as Mango, the quorum as dYdX.
    fn default() -> Self {
        Self {
            aggregation: Aggregation::default(),
            ties: Ties::default(),
            price_tick: 0.0,
            non_positive: NonPositive::default(),
            max_age_seconds: Some(120.0),
            heartbeat_seconds: None,
            deviation_mads: Some(5.0),
            deviation_confidences: 3.0,
            deviation_floor: 0.001,
            minimum_sources: 1,
            quorum: 2.0 / 3.0,
            max_confidence: Some(0.02),
            confidence_multiple: 2.12,
            confidence_cap: 0.05,
            volatility_ratio: 5.0,
            margin_age_seconds: 60.0,
            market_making_age_seconds: 5.0,
            mark_divergence: 0.1,
            tolerance: Tolerance::default(),
            stable: StablePolicy::default(),
            impact_factor: 1.0,
            daily_volatility: None,
        }
    }
}

impl OraclePolicy {
    /// What a rulebook starts from that says only how quotes are aggregated. Three votes come without the guards that Pyth's program
    /// does not have: no rule against deviation, quorum or width, and prices of any sign.
    pub fn of(aggregation: Aggregation) -> Self {
        let general = Self { aggregation, ..Self::default() };
        match aggregation {
            Aggregation::WeightedMedian | Aggregation::Median => general,
            Aggregation::ThreeVote => Self {
                non_positive: NonPositive::Keep,
                deviation_mads: None,
                quorum: 0.0,
                max_confidence: None,
                ..general
            },
        }
    }

    /// Whether a price of this confidence (both in units of the price) is too uncertain to be used.
    pub fn is_too_uncertain(&self, price: f64, confidence: f64) -> bool {
        self.max_confidence.is_some_and(|limit| confidence > limit * price.abs())
    }
}

/// A policy for all subjects, and those of some by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OraclePolicies {
    /// Of every subject that is not in `of`.
    pub general: OraclePolicy,
    /// By subject.
    pub of: BTreeMap<String, OraclePolicy>,
}

impl OraclePolicies {
    /// The policy of a subject.
    pub fn get(&self, subject: &str) -> &OraclePolicy {
        self.of.get(subject).unwrap_or(&self.general)
    }

    /// A warning for every policy of a subject that is not known.
    pub fn warnings(&self, is_known: impl Fn(&str) -> bool) -> Vec<String> {
        let unknown = self.of.keys().filter(|name| !is_known(name));
        unknown.map(|name| format!("[oracle.subject.{name}] names no asset or underlying: it has no effect")).collect()
    }
}
