use jiff::Timestamp;

use super::policy::{Aggregation, NonPositive, OraclePolicy, Ties};
use super::quote::{Quote, SourceStatus};
use super::vote::{Level, Votes, units, weight};

/// Why a quote does not count. The rules are tried in the order of this list; the first that is broken is the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The source does not say that it trades.
    NotTrading,
    /// The price is not a finite number.
    NotFinite,
    /// The price is zero or negative.
    NonPositive,
    /// The confidence is negative or not a finite number.
    NoConfidence,
    /// The confidence is zero, which the three-vote rule takes as no quote.
    ZeroConfidence,
    /// The weight is not positive to nine decimals, or too large.
    NoWeight,
    /// Price or confidence in ticks is not a number of 63 bits.
    TooManyTicks,
    /// It was published after the moment asked for.
    Future,
    /// It is older than the policy allows.
    Stale,
    /// The source's own promise of a new price was broken.
    HeartbeatMissed,
    /// It is too far from the median of the quotes that passed every rule above.
    Deviation,
}

impl Reason {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotTrading => "not_trading",
            Self::NotFinite => "not_finite",
            Self::NonPositive => "non_positive",
            Self::NoConfidence => "no_confidence",
            Self::ZeroConfidence => "zero_confidence",
            Self::NoWeight => "no_weight",
            Self::TooManyTicks => "too_many_ticks",
            Self::Future => "future",
            Self::Stale => "stale",
            Self::HeartbeatMissed => "heartbeat_missed",
            Self::Deviation => "deviation",
        }
    }
}

/// A quote that does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// Its place among the quotes given.
    pub quote: usize,
    /// Why.
    pub reason: Reason,
}

/// Whether the quotes make a price. The rules are tried in the order of this list; the first that is broken is the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Fewer quotes than the policy asks for.
    TooFewSources,
    /// The quotes used have too small a share of the weight.
    NoQuorum,
    /// The three votes of all sources leave no spread, which that rule takes as no price.
    ZeroConfidence,
    /// The confidence is above the policy's limit.
    TooUncertain,
    /// There is a price.
    Usable,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::TooFewSources => "too_few_sources",
            Self::NoQuorum => "no_quorum",
            Self::ZeroConfidence => "zero_confidence",
            Self::TooUncertain => "too_uncertain",
            Self::Usable => "usable",
        }
    }
}

/// What the quotes of one subject amount to.
#[derive(Debug, Clone, PartialEq)]
pub struct Formed {
    /// The price; `None` unless the verdict is [`Verdict::Usable`].
    pub price: Option<f64>,
    /// What the quotes used amount to, whatever the verdict; `None` where none is left.
    pub median: Option<f64>,
    /// How far the median may be off, in units of the price: the larger distance to the quartiles of all three votes.
    pub confidence: Option<f64>,
    /// Age of the quotes used at half of their weight, seconds; the older where it splits.
    pub age_seconds: Option<f64>,
    /// Weight of the quotes used.
    pub weight_used: f64,
    /// Weight of all quotes that have one.
    pub weight: f64,
    /// Places of the quotes used, ascending.
    pub used: Vec<usize>,
    /// The other quotes, in order of place.
    pub dropped: Vec<Dropped>,
    /// Whether they make a price.
    pub verdict: Verdict,
}

/// Largest magnitude in ticks.
const MOST_TICKS: f64 = 9.2e18;

/// A quote that passed the rules which look at it alone.
#[derive(Debug, Clone, Copy)]
struct Ballot {
    quote: usize,
    units: u128,
}

/// Forms one price of the quotes of one subject at a moment: drops what breaks a rule of [`Reason`], aggregates the rest, judges
/// the result by [`Verdict`]. A pure function of its arguments; quotes may come in any order and be none.
///
/// The deviation rule takes median and median absolute deviation by the policy's weights, means where the weight splits exactly,
/// in whole ticks where there is a tick, and is applied once.
pub fn form(quotes: &[Quote], policy: &OraclePolicy, as_of: Timestamp) -> Formed {
    let mut ballots = Vec::with_capacity(quotes.len());
    let mut dropped = Vec::new();
    for (place, quote) in quotes.iter().enumerate() {
        match admit(quote, policy, as_of) {
            Ok(units) => ballots.push(Ballot { quote: place, units }),
            Err(reason) => dropped.push(Dropped { quote: place, reason }),
        }
    }
    drop_deviants(quotes, policy, &mut ballots, &mut dropped);
    dropped.sort_by_key(|dropped| dropped.quote);
    let total: u128 = quotes.iter().filter_map(|quote| vote_units(quote, policy)).sum();
    let used: u128 = ballots.iter().map(|ballot| ballot.units).sum();
    let aggregate = aggregate(quotes, &ballots, policy);
    let ages = ballots.iter().map(|ballot| (age(&quotes[ballot.quote], as_of), ballot.units)).collect();
    let verdict = judge(policy, ballots.len(), (used, total), aggregate);
    Formed {
        price: aggregate.filter(|_| verdict == Verdict::Usable).map(|(price, _)| price),
        median: aggregate.map(|(price, _)| price),
        confidence: aggregate.map(|(_, confidence)| confidence),
        age_seconds: Votes::new(ages).median(Ties::Upper).map(|nanoseconds| nanoseconds as f64 / 1e9),
        weight_used: weight(used),
        weight: weight(total),
        used: ballots.iter().map(|ballot| ballot.quote).collect(),
        dropped,
        verdict,
    }
}

/// The rules that look at one quote alone; answers its weight.
fn admit(quote: &Quote, policy: &OraclePolicy, as_of: Timestamp) -> Result<u128, Reason> {
    let rule = |holds: bool, reason: Reason| if holds { Ok(()) } else { Err(reason) };
    rule(quote.status == SourceStatus::Trading, Reason::NotTrading)?;
    rule(quote.price.is_finite(), Reason::NotFinite)?;
    rule(quote.price > 0.0 || policy.non_positive == NonPositive::Keep, Reason::NonPositive)?;
    rule(quote.confidence >= 0.0 && quote.confidence.is_finite(), Reason::NoConfidence)?;
    let in_ticks = ticks(quote, policy);
    let confidence = in_ticks.map_or(quote.confidence, |(_, confidence)| confidence);
    rule(confidence > 0.0 || policy.aggregation != Aggregation::ThreeVote, Reason::ZeroConfidence)?;
    let units = vote_units(quote, policy).ok_or(Reason::NoWeight)?;
    let fits = |(price, confidence): (f64, f64)| price.abs() <= MOST_TICKS && confidence <= MOST_TICKS;
    rule(in_ticks.is_none_or(fits), Reason::TooManyTicks)?;
    let age = age(quote, as_of);
    let is_within = |seconds: Option<f64>| seconds.is_none_or(|seconds| age as f64 <= seconds * 1e9);
    rule(age >= 0, Reason::Future)?;
    rule(is_within(policy.max_age_seconds), Reason::Stale)?;
    rule(is_within(quote.heartbeat_seconds.or(policy.heartbeat_seconds)), Reason::HeartbeatMissed)?;
    Ok(units)
}

/// Nanoseconds since the quote was published; negative where that is to come.
fn age(quote: &Quote, as_of: Timestamp) -> i128 {
    as_of.as_nanosecond() - quote.published_at.as_nanosecond()
}

/// The weight that a quote votes with, in parts.
fn vote_units(quote: &Quote, policy: &OraclePolicy) -> Option<u128> {
    match policy.aggregation {
        Aggregation::WeightedMedian => units(quote.weight),
        Aggregation::ThreeVote | Aggregation::Median => units(1.0),
    }
}

/// Price and confidence in whole ticks, where there is a tick.
fn ticks(quote: &Quote, policy: &OraclePolicy) -> Option<(f64, f64)> {
    let whole = |number: f64| (number / policy.price_tick).round();
    (policy.price_tick > 0.0).then(|| (whole(quote.price), whole(quote.confidence)))
}

/// Price and confidence as votes are compared: in whole ticks where there is a tick, as they are otherwise.
pub(super) fn in_levels(quote: &Quote, policy: &OraclePolicy) -> (f64, f64) {
    ticks(quote, policy).unwrap_or((quote.price, quote.confidence))
}

fn drop_deviants(quotes: &[Quote], policy: &OraclePolicy, ballots: &mut Vec<Ballot>, dropped: &mut Vec<Dropped>) {
    let Some(mads) = policy.deviation_mads else { return };
    let price = |ballot: &Ballot| in_levels(&quotes[ballot.quote], policy).0;
    let prices = ballots.iter().map(|ballot| (price(ballot), ballot.units)).collect();
    let Some(centre) = Votes::new(prices).median(Ties::Mean) else { return };
    let distance = |ballot: &Ballot| (price(ballot) - centre).abs();
    let distances = ballots.iter().map(|ballot| (distance(ballot), ballot.units)).collect();
    let spread = Votes::new(distances).median(Ties::Mean).unwrap_or(0.0);
    ballots.retain(|ballot| {
        let (_, confidence) = in_levels(&quotes[ballot.quote], policy);
        let limit =
            (mads * spread).max(policy.deviation_confidences * confidence).max(policy.deviation_floor * centre.abs());
        let is_near = distance(ballot) <= limit;
        if !is_near {
            dropped.push(Dropped { quote: ballot.quote, reason: Reason::Deviation });
        }
        is_near
    });
}

/// Price and confidence; `None` without ballots.
fn aggregate(quotes: &[Quote], ballots: &[Ballot], policy: &OraclePolicy) -> Option<(f64, f64)> {
    if policy.price_tick == 0.0 {
        let said = |ballot: &Ballot| (quotes[ballot.quote].price, quotes[ballot.quote].confidence, ballot.units);
        let (price, low, high) = levels(ballots.iter().map(said), policy)?;
        return Some((price, (price - low).max(high - price)));
    }
    let said = |ballot: &Ballot| {
        let (price, confidence) = ticks(&quotes[ballot.quote], policy)?;
        Some((price as i128, confidence as i128, ballot.units))
    };
    let (price, low, high) = levels(ballots.iter().filter_map(said), policy)?;
    let confidence = (price - low).max(high - price);
    Some((price as f64 * policy.price_tick, confidence as f64 * policy.price_tick))
}

/// The aggregate of prices with confidences and weights, and the quartiles of all three votes.
fn levels<L>(said: impl Iterator<Item = (L, L, u128)>, policy: &OraclePolicy) -> Option<(L, L, L)>
where
    L: Level + std::ops::Add<Output = L> + std::ops::Sub<Output = L>,
{
    let said: Vec<(L, L, u128)> = said.collect();
    let three = said.iter().flat_map(|&(price, confidence, units)| {
        [price - confidence, price, price + confidence].map(|level| (level, units))
    });
    let three = Votes::new(three.collect());
    let price = match policy.aggregation {
        Aggregation::ThreeVote => three.median(Ties::Mean)?,
        Aggregation::WeightedMedian | Aggregation::Median => {
            Votes::new(said.iter().map(|&(price, _, units)| (price, units)).collect()).median(policy.ties)?
        }
    };
    let (low, high) = three.quartiles()?;
    Some((price, low, high))
}

fn judge(policy: &OraclePolicy, sources: usize, (used, total): (u128, u128), aggregate: Option<(f64, f64)>) -> Verdict {
    let Some((price, confidence)) = aggregate else { return Verdict::TooFewSources };
    if sources < policy.minimum_sources as usize {
        Verdict::TooFewSources
    } else if (used as f64) / (total as f64) < policy.quorum {
        Verdict::NoQuorum
    } else if policy.aggregation == Aggregation::ThreeVote && confidence <= 0.0 {
        Verdict::ZeroConfidence
    } else if policy.is_too_uncertain(price, confidence) {
        Verdict::TooUncertain
    } else {
        Verdict::Usable
    }
}
