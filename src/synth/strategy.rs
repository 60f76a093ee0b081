//! Which options an account holds.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::accounts::Accounts;
use super::market::Market;
use super::random::{Random, round_significant};
use crate::domain::{InstrumentIndex, Position, Right, Side, UnderlyingIndex};

/// Share of trading accounts that hold options.
const TRADERS_SHARE: f64 = 0.25;
/// How much each chain is traded, most popular first.
const CHAIN_WEIGHTS: [f64; 3] = [0.55, 0.3, 0.15];

/// A few legs that are opened together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    /// One option.
    Single,
    /// A long and a short option of one right and expiry.
    Vertical,
    /// A call and a put of one expiry, both long or both short.
    Strangle,
    /// One right and strike, two expiries.
    Calendar,
}

/// Call and put of every strike of one expiry, strikes ascending.
type Strikes = Vec<[InstrumentIndex; 2]>;

/// The options of a market by underlying and expiry.
#[derive(Debug, Default)]
pub(super) struct Chains {
    chains: Vec<(UnderlyingIndex, Vec<Strikes>)>,
}

impl Chains {
    /// Sorts the options of a market.
    pub(super) fn of(market: &Market) -> Self {
        let mut sorted: BTreeMap<UnderlyingIndex, BTreeMap<Timestamp, BTreeMap<u64, [InstrumentIndex; 2]>>> =
            BTreeMap::new();
        for &at in &market.options {
            let option = &market.instruments[at as usize];
            let (Some(expiry), Some(strike), Some(right)) = (option.expiry, option.strike, option.right) else {
                continue;
            };
            let by_strike = sorted.entry(option.underlying).or_default().entry(expiry).or_default();
            // The bits of positive numbers are in the order of the numbers.
            by_strike.entry(strike.to_bits()).or_insert([at; 2])[usize::from(right == Right::Put)] = at;
        }
        let mut chains: Vec<_> = sorted
            .into_iter()
            .map(|(underlying, expiries)| {
                (underlying, expiries.into_values().map(|strikes| strikes.into_values().collect()).collect())
            })
            .collect();
        let index_price = |underlying: UnderlyingIndex| market.underlyings[underlying as usize].index_price;
        chains.sort_by(|a: &(UnderlyingIndex, _), b| index_price(b.0).total_cmp(&index_price(a.0)));
        Self { chains }
    }
}

impl Accounts<'_> {
    /// Options of an account whose positions are of the size `notional`, quote units; most accounts hold none. They are drawn
    /// from a stream of their own, so that a market without options has the same accounts otherwise.
    pub(super) fn option_positions(&self, account: &str, notional: f64) -> Vec<Position> {
        let chains = &self.chains().chains;
        let random = &mut Random::named(self.seed(), &format!("options of {account}"));
        if chains.is_empty() || !random.chance(TRADERS_SHARE) {
            return Vec::new();
        }
        let mut legs: BTreeMap<InstrumentIndex, f64> = BTreeMap::new();
        let strategies = random.weighted(&[(1usize, 0.5), (2, 0.3), (3, 0.2)]);
        for _ in 0..strategies {
            let weights: Vec<(usize, f64)> = (0..chains.len()).map(|k| (k, CHAIN_WEIGHTS[k.min(2)])).collect();
            let (underlying, expiries) = &chains[random.weighted(&weights)];
            let index_price = self.market().underlyings[*underlying as usize].index_price;
            let size = round_significant(random.log_normal(notional, 1.0) / index_price, 3);
            for (instrument, quantity) in draw_legs(random, expiries, size) {
                // A leg that is there already stays: one row for each instrument of a pool.
                legs.entry(instrument).or_insert(quantity);
            }
        }
        let position = |(instrument, quantity): (InstrumentIndex, f64)| {
            let mark_price = self.market().instruments[instrument as usize].mark_price;
            let entry_price = round_significant(mark_price, 6);
            Position { instrument, quantity, entry_price, leverage: None, accrued_funding: 0.0, side: Side::Net }
        };
        legs.into_iter().map(position).collect()
    }
}

fn draw_legs(random: &mut Random, expiries: &[Strikes], size: f64) -> Vec<(InstrumentIndex, f64)> {
    let strategy = random.weighted(&[
        (Strategy::Single, 0.5),
        (Strategy::Vertical, 0.2),
        (Strategy::Strangle, 0.2),
        (Strategy::Calendar, 0.1),
    ]);
    let last = expiries.len() - 1;
    let near = random.weighted(&[(0usize, 0.3), (1, 0.4), (2, 0.2), (3, 0.1)]).min(last);
    let strikes = &expiries[near];
    let mut draw_strike = |centre: f64| {
        let place = centre + 2.5 * random.normal();
        place.round().clamp(0.0, (strikes.len() - 1) as f64) as usize
    };
    let middle = (strikes.len() / 2) as f64;
    let (first, second) = (draw_strike(middle), draw_strike(middle));
    let right = usize::from(random.chance(0.5));
    let sign = if random.chance(0.45) { -1.0 } else { 1.0 };
    let quantity = sign * size;
    match strategy {
        Strategy::Single => vec![(strikes[first][right], quantity)],
        Strategy::Vertical => vec![(strikes[first][right], quantity), (strikes[second][right], -quantity)],
        Strategy::Strangle => {
            let (low, high) = (first.min(second), first.max(second));
            vec![(strikes[high][0], quantity), (strikes[low][1], quantity)]
        }
        Strategy::Calendar => {
            let far = &expiries[(near + 1).min(last)];
            let same = first.min(far.len() - 1);
            vec![(strikes[first][right], -quantity), (far[same][right], quantity)]
        }
    }
}
