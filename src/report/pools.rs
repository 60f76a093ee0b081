use std::collections::BTreeMap;

use super::figures::{HEALTH_BOUNDS, STATES};
use crate::domain::Book;
use crate::engine::{Figures, Outcome, PoolOutcome, State};

/// Most breached pools that are listed.
const BREACHED: usize = 20;
/// Health classes: one below every bound, one above the last, and the pools without a requirement.
const CLASSES: usize = HEALTH_BOUNDS.len() + 2;

/// What a report says of the pools of a book, gathered in book order.
#[derive(Debug, Clone, Default)]
pub struct PoolSummary {
    /// Pools.
    pub count: usize,
    /// Positions of all pools.
    pub positions: u64,
    /// Balances of all pools.
    pub balances: u64,
    /// Exclusive state at base, counted in the order of [`State::ALL`].
    pub states: [u64; 5],
    /// The worst state that a pool has at base or reaches in any scenario, counted in the same order.
    pub worst_states: [u64; 5],
    /// Σ of every figure at base, quote units.
    pub base: Figures,
    /// Pools of each health class at base.
    pub(super) health: [u64; CLASSES],
    /// Pools of each health class at 1 + worst excess / base maintenance margin.
    pub(super) worst_health: [u64; CLASSES],
    /// The pools with the lowest excess below zero in their worst scenario, lowest first: place in the book and outcome.
    pub(super) breached: Vec<(usize, PoolOutcome)>,
    /// Account and pool of those that are listed somewhere, by place in the book.
    names: BTreeMap<usize, (String, String)>,
}

impl PoolSummary {
    /// All pools of a sweep, and the names of the losers among them.
    pub fn of(book: &Book, outcome: &Outcome) -> Self {
        let mut summary = Self::default();
        summary.add(book, &outcome.pools);
        let losers = outcome.attributions.iter().flat_map(|of| &of.losers);
        losers.for_each(|loser| summary.name(loser.pool as usize, (book, loser.pool as usize)));
        summary
    }

    /// Adds the pools of a book, or of the next part of one, with their outcomes.
    pub fn add(&mut self, book: &Book, outcomes: &[PoolOutcome]) {
        let first = self.count;
        self.count += outcomes.len();
        self.positions += book.position_count() as u64;
        self.balances += book.balance_count() as u64;
        for pool in outcomes {
            self.states[place(pool.state)] += 1;
            self.worst_states[place(pool.worst_state())] += 1;
            let (sum, base) = (&mut self.base, &pool.base);
            sum.equity += base.equity;
            sum.adjusted_equity += base.adjusted_equity;
            sum.initial_margin += base.initial_margin;
            sum.maintenance_margin += base.maintenance_margin;
            sum.adjusted_collateral += base.adjusted_collateral;
            sum.gross_notional += base.gross_notional;
            if pool.state != State::Unknown {
                self.add_health(pool);
            }
        }
        let is_breached = |(_, pool): &(usize, &PoolOutcome)| pool.state != State::Unknown && pool.worst_excess < 0.0;
        let deepest = if self.breached.len() < BREACHED { 0.0 } else { self.breached[BREACHED - 1].1.worst_excess };
        let breached = outcomes.iter().enumerate().filter(is_breached);
        let breached = breached.filter(|(_, pool)| pool.worst_excess < deepest);
        self.breached.extend(breached.map(|(index, pool)| (first + index, *pool)));
        self.breached.sort_by(|a, b| a.1.worst_excess.total_cmp(&b.1.worst_excess).then(a.0.cmp(&b.0)));
        self.breached.truncate(BREACHED);
        let listed: Vec<usize> =
            self.breached.iter().map(|(index, _)| *index).filter(|index| *index >= first).collect();
        listed.into_iter().for_each(|index| self.name(index, (book, index - first)));
    }

    fn add_health(&mut self, pool: &PoolOutcome) {
        let margin = pool.base.maintenance_margin;
        let class = |ratio: f64| {
            if margin > 0.0 { HEALTH_BOUNDS.partition_point(|&bound| bound <= ratio) } else { CLASSES - 1 }
        };
        // The sign of the excess is exact: rounding 1 + x to 1 must not move a breached pool above the line.
        let worst = 1.0 + pool.worst_excess / margin;
        let worst = if pool.worst_excess < 0.0 { worst.min(1f64.next_down()) } else { worst };
        self.health[class(pool.base.adjusted_equity / margin)] += 1;
        self.worst_health[class(worst)] += 1;
    }

    /// Keeps the names of the pool at `place` in the book, which stands at `index` in this part of it.
    pub fn name(&mut self, place: usize, (book, index): (&Book, usize)) {
        let pool = book.pool(index);
        self.names.entry(place).or_insert_with(|| (pool.account.into(), pool.pool.into()));
    }

    /// Account and pool of a pool that was kept; empty where it was not.
    pub(super) fn names_of(&self, place: usize) -> (&str, &str) {
        self.names.get(&place).map_or(("", ""), |(account, pool)| (account, pool))
    }
}

fn place(state: State) -> usize {
    STATES.iter().position(|&candidate| candidate == state).unwrap_or(0)
}
