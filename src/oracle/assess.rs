use jiff::Timestamp;

use super::capture::{self, Capture, Direction, Reach};
use super::conservative::{BySide, conservative};
use super::form::{Formed, form};
use super::mark::{MarkInputs, diverges, mark};
use super::policy::OraclePolicy;
use super::quote::Quote;
use super::stable::StablePrice;
use super::validity::{Action, Validity, classify};

/// What is known about one subject.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Its quotes.
    pub quotes: Vec<Quote>,
    /// Earlier prices, ascending in time, from which the stable price starts; those after the moment asked for are passed over.
    pub history: Vec<(Timestamp, f64)>,
    /// What its mark is made of beside the index.
    pub mark_inputs: MarkInputs,
    /// Its daily volatility where the policy gives none (0.04 = 4 %).
    pub daily_volatility: Option<f64>,
}

/// What the quotes of one subject amount to, and what that may serve.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The price.
    pub formed: Formed,
    /// The stable price, the formed price included; `None` without a history.
    pub stable: Option<f64>,
    /// The mark; `None` where neither a price nor another input is there.
    pub mark: Option<f64>,
    /// Prices for initial margin and withdrawals; `None` without a mark, or with one that is not positive.
    pub conservative: Option<BySide>,
    /// What the price is good for.
    pub validity: Validity,
    /// Whether mark and price are too far apart for liquidations.
    pub diverges: bool,
    /// Every action, and whether it may rely on the price.
    pub actions: [(Action, bool); Action::WORDS.len()],
    /// The cheapest capture that moves the price up, and down.
    pub captures: [Option<Capture>; 2],
    /// How far each source used moves the price by itself.
    pub reach: Vec<Reach>,
    /// Places of quotes that are used and have no cost of capture.
    pub without_cost: Vec<usize>,
}

/// Forms the price of a subject at a moment, and judges it. `movement` is how far captures move it, a fraction > 0.
///
/// The formed price, where there is one, is the last update of the stable price; the price is then judged beside it.
pub fn assess(evidence: &Evidence, policy: &OraclePolicy, as_of: Timestamp, movement: f64) -> Assessment {
    let quotes = &evidence.quotes;
    let formed = form(quotes, policy, as_of);
    let stable = stable(evidence, policy, as_of, formed.price);
    let mark = mark(formed.price, &evidence.mark_inputs);
    let relative =
        formed.confidence.zip(formed.median).map_or(f64::NAN, |(confidence, median)| confidence / median.abs());
    let validity = classify(&formed, stable, policy);
    let is_apart = mark.zip(formed.median).is_some_and(|(mark, price)| diverges(mark, price, policy));
    let may = |action: Action| {
        policy.tolerance.allows(action, validity) && !(action == Action::Liquidate && (is_apart || mark.is_none()))
    };
    let costs: Vec<Option<f64>> = quotes.iter().map(|quote| cost(quote, evidence, policy, movement)).collect();
    let capture = |direction| capture::cheapest(quotes, &formed, &costs, policy, (direction, movement));
    Assessment {
        stable,
        mark,
        conservative: (mark.filter(|mark| *mark > 0.0)).map(|mark| conservative(mark, stable, relative, policy)),
        validity,
        diverges: is_apart,
        actions: Action::WORDS.map(|(_, action)| (action, may(action))),
        captures: [capture(Direction::Up), capture(Direction::Down)],
        reach: capture::reach(quotes, &formed, policy),
        without_cost: formed.used.iter().copied().filter(|&place| costs[place].is_none()).collect(),
        formed,
    }
}

/// The stable price after the history and the formed price.
fn stable(evidence: &Evidence, policy: &OraclePolicy, as_of: Timestamp, price: Option<f64>) -> Option<f64> {
    let mut history = evidence.history.iter().take_while(|(moment, _)| *moment <= as_of);
    let mut stable = history.find_map(|&(moment, price)| StablePrice::new(policy.stable, moment, price))?;
    history.for_each(|&(moment, price)| stable.update(moment, price));
    if let Some(price) = price {
        stable.update(as_of, price);
    }
    Some(stable.price())
}

/// What capturing a source costs: what its quote says, or what its venue's volume makes of the move.
fn cost(quote: &Quote, evidence: &Evidence, policy: &OraclePolicy, movement: f64) -> Option<f64> {
    let by_venue = || {
        let volatility = policy.daily_volatility.or(evidence.daily_volatility)?;
        Some(capture::venue_cost(movement, quote.adv_quote?, volatility, policy.impact_factor))
    };
    quote.capture_cost.or_else(by_venue).filter(|cost| cost.is_finite())
}
