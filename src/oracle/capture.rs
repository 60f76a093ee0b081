//! What it costs to move a formed price by capturing sources: the cheapest set whose votes, with those of honest sources that
//! already stand beyond the target, reach half of the weight; and how far each single source moves the price.
//!
//! Prices are taken as formed: the same quotes count. A set that holds half of the weight is never dropped by the deviation rule,
//! since it is the median then. What is not searched: sets of less weight that have honest quotes dropped. They need at least half
//! of the quorum.

use super::form::Formed;
use super::policy::{Aggregation, OraclePolicy, Ties};
use super::quote::Quote;
use super::vote::{Votes, units, weight};

/// Partial sets that the search keeps; beyond, it gives up rather than guess.
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

/// The cheapest set of used sources that moves the price by at least `movement` (a fraction of it, > 0) in a direction; exact.
/// `costs` holds a cost by place in `quotes`, `None` = cannot be captured. Of sets of equal cost the one with more weight, then
/// the one found first in the order of places, is answered.
///
/// `None` where there is no positive price, where the sources that can be captured do not suffice, or where the search would
/// keep more than about a million partial sets.
pub fn cheapest(
    quotes: &[Quote],
    formed: &Formed,
    costs: &[Option<f64>],
    policy: &OraclePolicy,
    (direction, movement): (Direction, f64),
) -> Option<Capture> {
    let price = formed.price.filter(|price| *price > 0.0)?;
    let target = match direction {
        Direction::Up => price * (1.0 + movement),
        Direction::Down => price * (1.0 - movement),
    };
    let stands_beyond = |price: f64| match direction {
        Direction::Up => price >= target,
        Direction::Down => price <= target,
    };
    let (mut total, mut free, mut items) = (0, 0, Vec::new());
    for &place in &formed.used {
        let units = PARTS * vote_units(&quotes[place], policy);
        let votes = votes(&quotes[place], policy);
        let beyond = votes.iter().filter(|vote| stands_beyond(**vote)).count() as u128 * units / votes.len() as u128;
        total += units;
        free += beyond;
        if let Some(cost) = costs.get(place).copied().flatten().filter(|cost| *cost >= 0.0 && cost.is_finite()) {
            items.push(Item { place, gain: units - beyond, cost });
        }
    }
    let half_suffices = policy.aggregation != Aggregation::ThreeVote
        && matches!((policy.ties, direction), (Ties::Lower, Direction::Down) | (Ties::Upper, Direction::Up));
    let needed = if half_suffices { total.div_ceil(2) } else { total / 2 + 1 };
    let chosen = cheapest_cover(&items, needed.saturating_sub(free))?;
    Some(Capture {
        direction,
        weight: weight(chosen.iter().map(|&item| vote_units(&quotes[items[item].place], policy)).sum()),
        cost: chosen.iter().map(|&item| items[item].cost).sum(),
        quotes: chosen.iter().map(|&item| items[item].place).collect(),
    })
}

/// The least weight of a set of used sources that holds more than half of their weight: of weights 3, 2, 2, 1, 1, 1, 1 it is 6.
/// `None` without sources, or where the search gives up as in [`cheapest`].
pub fn majority(quotes: &[Quote], formed: &Formed, policy: &OraclePolicy) -> Option<f64> {
    let item = |&place: &usize| {
        let gain = vote_units(&quotes[place], policy);
        Item { place, gain, cost: gain as f64 }
    };
    let items: Vec<Item> = formed.used.iter().map(item).collect();
    let total: u128 = items.iter().map(|item| item.gain).sum();
    let chosen = cheapest_cover(&items, total / 2 + 1)?;
    Some(weight(chosen.iter().map(|&item| items[item].gain).sum()))
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
        Votes::new(said.collect()).median(ties).filter(|price| price.is_finite())
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

fn votes(quote: &Quote, policy: &OraclePolicy) -> Vec<f64> {
    match policy.aggregation {
        Aggregation::ThreeVote => vec![quote.price - quote.confidence, quote.price, quote.price + quote.confidence],
        Aggregation::WeightedMedian | Aggregation::Median => vec![quote.price],
    }
}

/// A source for sale: the votes that capturing it adds.
#[derive(Debug, Clone, Copy)]
struct Item {
    place: usize,
    gain: u128,
    cost: f64,
}

/// A set of items: the last one taken and the set without it.
#[derive(Debug, Clone, Copy)]
struct Set {
    gain: u128,
    cost: f64,
    last: Option<(usize, usize)>,
}

/// The cheapest items whose gains reach `needed`, ascending: all sets that no other set beats in both gain and cost, grown item
/// by item. Gains beyond what is needed count as just enough.
fn cheapest_cover(items: &[Item], needed: u128) -> Option<Vec<usize>> {
    let mut sets = vec![Set { gain: 0, cost: 0.0, last: None }];
    let mut front = vec![0];
    for (index, item) in items.iter().enumerate().filter(|(_, item)| item.gain > 0) {
        let mut grown = front.clone();
        for &before in &front {
            let Set { gain, cost, .. } = sets[before];
            if gain >= needed {
                continue;
            }
            grown.push(sets.len());
            sets.push(Set {
                gain: (gain + item.gain).min(needed),
                cost: cost + item.cost,
                last: Some((index, before)),
            });
        }
        if sets.len() > SETS_MOST {
            return None;
        }
        // Cheapest first; of equal cost the larger gain, then the set found first.
        grown.sort_by(|&a, &b| {
            sets[a].cost.total_cmp(&sets[b].cost).then(sets[b].gain.cmp(&sets[a].gain)).then(a.cmp(&b))
        });
        let mut best = None;
        grown.retain(|&set| {
            let is_better = best.is_none_or(|best| sets[set].gain > best);
            best = best.max(Some(sets[set].gain));
            is_better
        });
        front = grown;
    }
    let mut set = front.into_iter().find(|&set| sets[set].gain >= needed)?;
    let mut chosen = Vec::new();
    while let Some((item, before)) = sets[set].last {
        chosen.push(item);
        set = before;
    }
    chosen.reverse();
    Some(chosen)
}
