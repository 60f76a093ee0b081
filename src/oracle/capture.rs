//! What it costs to move a formed price by capturing sources: the cheapest set whose votes, with those of honest sources that
//! already stand beyond the target, hold more than half of the weight, or exactly half where the mean with the next honest vote
//! lies beyond the target; and how far each single source moves the price.
//!
//! Prices are taken as formed: the same quotes count, and the verdict (confidence) is not judged again. A set that holds more than
//! half of the weight is never dropped by the deviation rule, since it is the median then. What is not searched: sets of less
//! weight that have honest quotes dropped. They need at least half of the quorum.

use super::cover::{Found, Item, cheapest_cover, cheapest_exact, least_sum};
use super::form::{Formed, in_levels};
use super::policy::{Aggregation, NonPositive, OraclePolicy, Ties};
use super::quote::Quote;
use super::vote::{Level, Votes, units, weight};

/// Partial sets that the search for exactly half of the weight keeps.
const SETS_MOST: usize = 1 << 20;
/// Votes of a source, of which the three-vote rule gives each price one.
const PARTS: u128 = 3;

/// Which way a price is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Upwards.
    Up,
    /// Downwards.
    Down,
}

/// A cheapest set of sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// Which way it moves the price.
    pub direction: Direction,
    /// Places of the captured quotes, ascending; empty where the price is there already.
    pub quotes: Vec<usize>,
    /// Their weight.
    pub weight: f64,
    /// What they cost together.
    pub cost: f64,
    /// Whether no cheaper set exists; `false` where the search reached its limit, and a cheaper one may.
    pub is_exact: bool,
}

/// A weight that holds more than half.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Majority {
    /// The weight.
    pub weight: f64,
    /// Whether no smaller one exists; `false` where the search reached its limit, and a smaller one may.
    pub is_exact: bool,
}

/// How far one source moves the price, whatever it says; `None` = without limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// Place of the quote.
    pub quote: usize,
    /// The lowest price it can bring about.
    pub lowest: Option<f64>,
    /// The highest.
    pub highest: Option<f64>,
}

/// Cost of moving the price of one venue by `movement` (a fraction, > 0), quote units, before what is bought is sold again:
/// ⅔ · Δ · Q with Q = V·(Δ/(Y·σ))² from the square-root law Δ = Y·σ·√(Q/V), V the daily volume in quote units, σ the daily
/// volatility, Y about 1; the mean move while the order is worked is ⅔ of the last.
pub fn venue_cost(movement: f64, adv_quote: f64, daily_volatility: f64, factor: f64) -> f64 {
    let share = movement / (factor * daily_volatility);
    2.0 / 3.0 * movement * adv_quote * share * share
}

/// The cheapest set of used sources that moves the price by at least `movement` (a fraction of it, > 0) in a direction. `costs`
/// holds a cost by place in `quotes`, `None` = cannot be captured. Of sets of equal cost the one found first is answered.
///
/// A search that would keep more than about a million partial sets stops at the best one seen: `is_exact` says so. `None` where
/// there is no positive price, or where the sources that can be captured do not suffice; where they hold half of the weight at
/// most, also where none was found that holds half exactly before the search reached its limit.
pub fn cheapest(
    quotes: &[Quote],
    formed: &Formed,
    costs: &[Option<f64>],
    policy: &OraclePolicy,
    (direction, movement): (Direction, f64),
) -> Option<Capture> {
    let market = Market::new(quotes, formed, costs, policy, (direction, movement))?;
    let total: u128 = market.sources.iter().map(|source| source.units).sum();
    let free: u128 = market.sources.iter().map(|source| source.free).sum();
    let is_mean = policy.aggregation == Aggregation::ThreeVote || policy.ties == Ties::Mean;
    let half_suffices =
        !is_mean && matches!((policy.ties, direction), (Ties::Lower, Direction::Down) | (Ties::Upper, Direction::Up));
    let needed = if half_suffices { total.div_ceil(2) } else { total / 2 + 1 };
    let items: Vec<Item> = market.sources.iter().filter_map(|source| source.item(false)).collect();
    let of_majority = cheapest_cover(&items, needed.saturating_sub(free));
    let mut is_exact = of_majority.as_ref().is_none_or(|found| found.is_exact);
    let mut best = of_majority.map(|found| found.best);
    if is_mean && total.is_multiple_of(2) && free <= total / 2 {
        let bound = best.as_ref().map_or(f64::INFINITY, |places| market.cost(places));
        let of_half = market.cheapest_half(total / 2 - free, bound);
        is_exact &= of_half.is_exact;
        best = of_half.best.or(best);
    }
    let mut places = best?;
    places.sort_unstable();
    Some(Capture {
        direction,
        weight: weight(places.iter().map(|&place| vote_units(&quotes[place], policy)).sum()),
        cost: market.cost(&places),
        quotes: places,
        is_exact,
    })
}

/// A source that is used.
struct Source {
    place: usize,
    /// Its votes, in levels.
    votes: Vec<f64>,
    /// Their weight together.
    units: u128,
    /// The part of it that stands beyond the target anyway.
    free: u128,
    cost: Option<f64>,
}

impl Source {
    /// What capturing it adds; `None` where it cannot be captured.
    fn item(&self, is_support: bool) -> Option<Item> {
        Some(Item { place: self.place, gain: self.units - self.free, cost: self.cost?, is_support })
    }
}

/// The sources of a price, and where it is to go.
struct Market<'a> {
    sources: Vec<Source>,
    policy: &'a OraclePolicy,
    direction: Direction,
    /// In levels.
    target: f64,
}

impl<'a> Market<'a> {
    /// `None` without a positive price.
    fn new(
        quotes: &[Quote],
        formed: &Formed,
        costs: &[Option<f64>],
        policy: &'a OraclePolicy,
        (direction, movement): (Direction, f64),
    ) -> Option<Self> {
        let price = formed.price.filter(|price| *price > 0.0)?;
        let level = if policy.price_tick > 0.0 { (price / policy.price_tick).round() } else { price };
        let target = match direction {
            Direction::Up => level * (1.0 + movement),
            Direction::Down => level * (1.0 - movement),
        };
        let mut market = Self { sources: Vec::new(), policy, direction, target };
        for &place in &formed.used {
            let units = PARTS * vote_units(&quotes[place], policy);
            let votes = votes(&quotes[place], policy);
            let beyond = votes.iter().filter(|vote| market.is_beyond(**vote)).count() as u128;
            let free = beyond * units / votes.len() as u128;
            let cost = costs.get(place).copied().flatten().filter(|cost| *cost >= 0.0 && cost.is_finite());
            market.sources.push(Source { place, votes, units, free, cost });
        }
        Some(market)
    }

    fn is_beyond(&self, level: f64) -> bool {
        match self.direction {
            Direction::Up => level >= self.target,
            Direction::Down => level <= self.target,
        }
    }

    /// Whether one level lies farther in the direction than another.
    fn is_farther(&self, level: f64, other: f64) -> bool {
        match self.direction {
            Direction::Up => level > other,
            Direction::Down => level < other,
        }
    }

    /// What captured sources say.
    fn extreme(&self) -> f64 {
        match (self.direction, self.policy.non_positive) {
            (Direction::Up, _) => f64::INFINITY,
            (Direction::Down, NonPositive::Drop) => f64::MIN_POSITIVE,
            (Direction::Down, NonPositive::Keep) => f64::NEG_INFINITY,
        }
    }

    /// The mean of two middle votes, in either order.
    fn mean(&self, one: f64, other: f64) -> f64 {
        let mean = one.middle(other);
        if self.policy.price_tick > 0.0 { mean.floor() } else { mean }
    }

    fn cost(&self, places: &[usize]) -> f64 {
        let is_taken = |source: &&Source| places.contains(&source.place);
        self.sources.iter().filter(is_taken).filter_map(|source| source.cost).sum()
    }

    /// The cheapest set that adds exactly `missing` to the votes beyond the target, so that half of the weight stands there, and
    /// whose mean with the rest is beyond it too; only one that costs less than `bound`.
    ///
    /// The mean is that of the nearest vote beyond and the nearest one before the target. For every level that the former may
    /// have, honest votes nearer than that are captured, and one before the target is left that lies near enough.
    fn cheapest_half(&self, missing: u128, mut bound: f64) -> Found<Option<Vec<usize>>> {
        let honest = self.sources.iter().flat_map(|source| source.votes.iter().copied());
        let mut levels: Vec<f64> =
            honest.filter(|vote| self.is_beyond(*vote) && self.is_farther(self.extreme(), *vote)).collect();
        levels.push(self.extreme());
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        let (mut found, mut budget) = (Found { best: None, is_exact: true }, SETS_MOST);
        for level in levels {
            let is_near = |vote: &f64| self.is_beyond(*vote) && self.is_farther(level, *vote);
            let is_support = |vote: &f64| !self.is_beyond(*vote) && self.is_beyond(self.mean(*vote, level));
            let (taken, others): (Vec<&Source>, Vec<&Source>) =
                self.sources.iter().partition(|source| source.votes.iter().any(is_near));
            let supports = |source: &Source| source.votes.iter().any(is_support);
            let has_support = others.iter().any(|source| source.cost.is_none() && supports(source));
            let items: Vec<Item> = others.iter().filter_map(|source| source.item(supports(source))).collect();
            let Some(taken) = taken.iter().map(|source| source.item(false)).collect::<Option<Vec<Item>>>() else {
                continue;
            };
            let (gain, cost): (u128, f64) =
                (taken.iter().map(|item| item.gain).sum(), taken.iter().map(|item| item.cost).sum());
            let Some(missing) = missing.checked_sub(gain) else { continue };
            if cost >= bound {
                continue;
            }
            let half = cheapest_exact(&items, missing, has_support, bound - cost, &mut budget);
            found.is_exact &= half.is_exact;
            if let Some(mut places) = half.best {
                places.extend(taken.iter().map(|item| item.place));
                bound = self.cost(&places);
                found.best = Some(places);
            }
        }
        found
    }
}

/// The least weight of a set of used sources that holds more than half of their weight: of weights 3, 2, 2, 1, 1, 1, 1 it is 6.
/// `None` without sources.
pub fn majority(quotes: &[Quote], formed: &Formed, policy: &OraclePolicy) -> Option<Majority> {
    let weights: Vec<u128> = formed.used.iter().map(|&place| vote_units(&quotes[place], policy)).collect();
    let total: u128 = weights.iter().sum();
    let found = least_sum(weights, total / 2 + 1)?;
    Some(Majority { weight: weight(found.best), is_exact: found.is_exact })
}

/// The fewest sources that hold more than half of the weight used; 0 without sources.
pub fn fewest_sources(quotes: &[Quote], formed: &Formed, policy: &OraclePolicy) -> usize {
    let mut weights: Vec<u128> = formed.used.iter().map(|&place| vote_units(&quotes[place], policy)).collect();
    weights.sort_by(|a, b| b.cmp(a));
    let total: u128 = weights.iter().sum();
    let mut held = 0;
    let short = weights.iter().take_while(|&&units| {
        held += units;
        2 * held <= total
    });
    (short.count() + 1).min(weights.len())
}

/// How far each used source moves the price by itself, whatever it says and however certain it calls itself; in order of place.
/// The deviation rule, which may drop what is too far off, only narrows this.
pub fn reach(quotes: &[Quote], formed: &Formed, policy: &OraclePolicy) -> Vec<Reach> {
    let extreme = |captured: usize, level: f64| {
        let said = formed.used.iter().flat_map(|&place| {
            let units = vote_units(&quotes[place], policy);
            let votes = votes(&quotes[place], policy);
            votes.into_iter().map(move |vote| (if place == captured { level } else { vote }, units))
        });
        let ties = if policy.aggregation == Aggregation::ThreeVote { Ties::Mean } else { policy.ties };
        let level = Votes::new(said.collect()).median(ties).filter(|level| level.is_finite());
        level.map(|level| if policy.price_tick > 0.0 { level.floor() * policy.price_tick } else { level })
    };
    let reach = |&place: &usize| Reach {
        quote: place,
        lowest: extreme(place, f64::NEG_INFINITY),
        highest: extreme(place, f64::INFINITY),
    };
    formed.used.iter().map(reach).collect()
}

fn vote_units(quote: &Quote, policy: &OraclePolicy) -> u128 {
    let weight = if policy.aggregation == Aggregation::WeightedMedian { quote.weight } else { 1.0 };
    units(weight).unwrap_or(0)
}

/// What a source votes for, in levels.
fn votes(quote: &Quote, policy: &OraclePolicy) -> Vec<f64> {
    let (price, confidence) = in_levels(quote, policy);
    match policy.aggregation {
        Aggregation::ThreeVote => vec![price - confidence, price, price + confidence],
        Aggregation::WeightedMedian | Aggregation::Median => vec![price],
    }
}
