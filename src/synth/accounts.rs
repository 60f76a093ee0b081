use std::ops::Range;

use rayon::prelude::*;

use super::collateral::Aim;
use super::estimate::Estimator;
use super::market::Market;
use super::random::{Random, Zipf, round_significant};
use super::strategy::Chains;
use crate::domain::{Balance, InstrumentIndex, Kind, Position, Side};
use crate::error::{Error, Result};
use crate::margin::Rulebook;

/// Most positions in one pool.
const MOST_POSITIONS: usize = 64;
/// Share of trading accounts with a second, isolated pool.
const ISOLATED_SHARE: f64 = 0.1;
/// Popularity of the instrument of rank r is 1 / (r + 1) to this power.
const ZIPF_EXPONENT: f64 = 1.0;

/// How many accounts, and which.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Number of accounts; each has one pool or two.
    pub accounts: u64,
    /// Seed of every account's own stream.
    pub seed: u64,
    /// Share of accounts, in [0, 1], whose main pool lies within 1e-7 (relative) of its liquidation, initial-margin or
    /// bankruptcy threshold in the unshocked market. Other accounts stay as they are without it.
    pub near_threshold_share: f64,
}

/// One generated pool. Indices are those of the market it was generated for.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthPool {
    /// Account id: `a` and the account's number in at least seven digits.
    pub account: String,
    /// `main`, or the name of the instrument of an isolated position.
    pub pool: String,
    /// By asset, each once; at least one, possibly of amount 0.
    pub balances: Vec<Balance>,
    /// By instrument, each once; possibly none.
    pub positions: Vec<Position>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Holds positions.
    Trades,
    /// Holds balances only.
    Deposits,
    /// Holds nothing, or next to nothing.
    Sleeps,
}

/// Generates the pools of any account by its number.
#[derive(Debug)]
pub struct Accounts<'a> {
    market: &'a Market,
    estimator: Estimator<'a>,
    instruments: Zipf,
    collateral: Zipf,
    chains: Chains,
    options: Options,
}

impl<'a> Accounts<'a> {
    /// A generator for this market under this rulebook.
    ///
    /// # Errors
    /// [`Error::Usage`] where the rulebook lacks a class that the market names, or the share is not in [0, 1].
    pub fn new(market: &'a Market, rulebook: &'a Rulebook, options: Options) -> Result<Self> {
        if !(0.0..=1.0).contains(&options.near_threshold_share) {
            let share = options.near_threshold_share;
            return Err(Error::Usage(format!("the share of accounts near a threshold is {share}, not in 0 to 1")));
        }
        Ok(Self {
            market,
            estimator: Estimator::new(market, rulebook)?,
            instruments: Zipf::new(market.popularity.len(), ZIPF_EXPONENT),
            collateral: Zipf::new(market.collateral.len(), ZIPF_EXPONENT),
            chains: Chains::of(market),
            options,
        })
    }

    /// Pools of the accounts numbered `range`, clipped to the number of accounts; accounts in order, the main pool first.
    pub fn pool_batch(&self, range: Range<u64>) -> Vec<SynthPool> {
        let end = range.end.min(self.options.accounts);
        (range.start.min(end)..end).into_par_iter().flat_map_iter(|account| self.account(account)).collect()
    }

    /// Pools of every account, one account after the other.
    pub fn iter(&self) -> impl Iterator<Item = SynthPool> + '_ {
        (0..self.options.accounts).flat_map(|account| self.account(account))
    }

    /// The generator's estimate of base figures, for the same market and rulebook.
    pub fn estimator(&self) -> &Estimator<'a> {
        &self.estimator
    }

    pub(super) fn market(&self) -> &'a Market {
        self.market
    }

    pub(super) fn chains(&self) -> &Chains {
        &self.chains
    }

    pub(super) fn seed(&self) -> u64 {
        self.options.seed
    }

    pub(super) fn draw_collateral_rank(&self, random: &mut Random) -> usize {
        self.collateral.draw(random)
    }

    fn account(&self, number: u64) -> Vec<SynthPool> {
        let mut random = Random::keyed(self.options.seed, number);
        let is_near = random.chance(self.options.near_threshold_share);
        let habit = random.weighted(&[(Habit::Trades, 0.98), (Habit::Deposits, 0.015), (Habit::Sleeps, 0.005)]);
        // A pool without positions has no threshold to be near.
        let (habit, aim) = if is_near { (Habit::Trades, Aim::NearThreshold) } else { (habit, Aim::Ordinary) };
        // A few accounts are left with dust after closing.
        let median = random.weighted(&[(3_000.0, 0.995), (0.003, 0.005)]);
        let notional = random.log_normal(median, 1.5);
        let mut pool = SynthPool {
            account: format!("a{number:07}"),
            pool: "main".into(),
            balances: Vec::new(),
            positions: Vec::new(),
        };
        match habit {
            Habit::Sleeps => {
                pool.balances = self.deposit(&pool.account, &mut random, 0.0);
                let dust = random.weighted(&[(0.0, 0.5), (1e-8, 0.5)]);
                pool.balances.truncate(1);
                pool.balances[0].amount = dust;
                return vec![pool];
            }
            Habit::Deposits => {
                pool.balances = self.deposit(&pool.account, &mut random, notional);
                return vec![pool];
            }
            Habit::Trades => {}
        }
        pool.positions = self.positions(&mut random, notional);
        pool.positions.extend(self.option_positions(&pool.account, notional));
        pool.positions.sort_by_key(|position| position.instrument);
        pool.balances = self.collateral(&pool.account, &mut random, &mut pool.positions, aim);
        if !random.chance(ISOLATED_SHARE) {
            return vec![pool];
        }
        let isolated = self.isolated(&mut random, &pool.account, notional);
        std::iter::once(pool).chain(isolated).collect()
    }

    /// 1 to 64 positions, about eight on average, in different instruments.
    fn positions(&self, random: &mut Random, notional: f64) -> Vec<Position> {
        let wanted = random.log_normal(5.0, 0.95).ceil() as usize;
        let count = wanted.clamp(1, MOST_POSITIONS).min(self.instruments.len());
        let long_share = random.weighted(&[(0.5, 0.5), (0.85, 0.33), (0.15, 0.17)]);
        let mut ranks: Vec<usize> = Vec::with_capacity(count);
        while ranks.len() < count {
            let mut rank = self.instruments.draw(random);
            let is_crowded = 4 * ranks.len() > self.instruments.len();
            // Rejecting repeats gets slow when most of the mass is taken: then the next free rank does.
            while is_crowded && ranks.contains(&rank) {
                rank = (rank + 1) % self.instruments.len();
            }
            if !ranks.contains(&rank) {
                ranks.push(rank);
            }
        }
        let mut positions: Vec<Position> = ranks
            .into_iter()
            .map(|rank| self.position(random, self.market.popularity[rank], (notional, long_share)))
            .collect();
        positions.sort_by_key(|position| position.instrument);
        positions
    }

    fn position(
        &self,
        random: &mut Random,
        instrument: InstrumentIndex,
        (notional, long_share): (f64, f64),
    ) -> Position {
        let contract = &self.market.instruments[instrument as usize];
        // Spot is paid for in full: accounts hold less of it than of contracts.
        let share = if contract.kind == Kind::Spot { 0.1 } else { 1.0 };
        let notional = share * random.log_normal(notional, 1.0).min(0.8 * self.estimator.max_notional(instrument));
        let quantity = round_significant(notional / self.estimator.unit_value(instrument), 4);
        let is_long = random.chance(long_share) || contract.kind == Kind::Spot;
        let volatility = self.market.underlyings[contract.underlying as usize].volatility_index.unwrap_or(0.8);
        // Entered within the last day or so: one daily move is volatility / √365.
        let move_since = volatility / 365f64.sqrt() * random.normal();
        let settlement_price = self.market.assets[contract.settlement_asset as usize].price;
        let funding = 1e-4 * random.normal() * notional / settlement_price;
        let has_funding = random.chance(0.3) && contract.kind == Kind::Perpetual;
        let leverage =
            random.weighted(&[(5.0, 0.03), (10.0, 0.2), (20.0, 0.37), (25.0, 0.15), (50.0, 0.15), (100.0, 0.1)]);
        Position {
            instrument,
            quantity: if is_long { quantity } else { -quantity },
            entry_price: round_significant(contract.mark_price * libm::exp(move_since), 6),
            leverage: (random.chance(0.5) && contract.kind != Kind::Spot).then_some(leverage),
            accrued_funding: if has_funding { round_significant(funding, 4) } else { 0.0 },
            side: Side::Net,
        }
    }

    /// A pool of one leveraged position with its own collateral, named after the instrument.
    fn isolated(&self, random: &mut Random, account: &str, notional: f64) -> Option<SynthPool> {
        let rank = self.instruments.draw(random);
        let instrument = *self.market.popularity.get(rank)?;
        let contract = &self.market.instruments[instrument as usize];
        if contract.kind == Kind::Spot {
            return None;
        }
        let position = self.position(random, instrument, (notional, 0.6));
        let balances = self.isolated_collateral(random, &position);
        let pool = contract.name.clone();
        Some(SynthPool { account: account.into(), pool, balances, positions: vec![position] })
    }
}
