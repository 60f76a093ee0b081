use rayon::prelude::*;

use crate::domain::{Kind, Pool, Position};
use crate::engine::cpu::Decider;
use crate::engine::job::Job;
use crate::engine::order::Order;
use crate::engine::outcome::{PoolOutcome, ScenarioOutcome, State, worst_scenarios};
use crate::engine::plan::SCENARIO_BLOCK;
use crate::margin::Setting;
use crate::pricing::{Column, ShockedMarket, entry_value};
use crate::scenario::ScenarioSet;

/// Scenarios that are taken apart.
const SCENARIOS: usize = 5;
/// Pools listed of each.
const LOSERS: usize = 5;

/// A change of value, and what the Greeks of the unshocked market say it is made of, quote units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Parts {
    /// The exact revaluation: value in the scenario − value in the unshocked market.
    pub actual: f64,
    /// Σ delta · ΔS.
    pub delta: f64,
    /// Σ ½ · gamma · ΔS².
    pub gamma: f64,
    /// Σ vega · Δσ, each option with the move of its own volatility.
    pub vega: f64,
    /// Σ theta · Δt, to expiry at most.
    pub theta: f64,
}

impl Parts {
    /// What the four parts leave: higher orders, vanna, volga, rates, basis, and the settlement asset's price on profit
    /// made before.
    pub fn rest(&self) -> f64 {
        self.actual - (self.delta + self.gamma + self.vega + self.theta)
    }

    fn add_scaled(&mut self, factor: f64, other: &Self) {
        self.actual += factor * other.actual;
        self.delta += factor * other.delta;
        self.gamma += factor * other.gamma;
        self.vega += factor * other.vega;
        self.theta += factor * other.theta;
    }
}

/// A pool that is liquidatable in a scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loser {
    /// Index of the pool in the book.
    pub pool: u32,
    /// The change of its positions' value.
    pub parts: Parts,
}

/// The profit and loss, in one scenario, of the positions of all pools that are liquidatable there.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// Position of the scenario in the set.
    pub scenario: u32,
    /// Pools that are liquidatable in it.
    pub pools: u64,
    /// Σ over these pools.
    pub total: Parts,
    /// Those that lose most, largest loss first; at most five.
    pub losers: Vec<Loser>,
}

impl Attribution {
    fn empty(scenario: usize) -> Self {
        Self { scenario: scenario as u32, pools: 0, total: Parts::default(), losers: Vec::new() }
    }

    fn add_pool(&mut self, pool: usize, parts: Parts) {
        self.pools += 1;
        self.total.add_scaled(1.0, &parts);
        self.losers.push(Loser { pool: pool as u32, parts });
    }

    fn add(&mut self, other: Self) {
        self.pools += other.pools;
        self.total.add_scaled(1.0, &other.total);
        self.losers.extend(other.losers);
        self.keep_largest();
    }

    fn keep_largest(&mut self) {
        self.losers.sort_by(|a, b| a.parts.actual.total_cmp(&b.parts.actual).then(a.pool.cmp(&b.pool)));
        self.losers.truncate(LOSERS);
    }
}

/// Takes the worst scenarios apart, in their order ([`worst_scenarios`]); those without a liquidatable pool are left out.
/// Only counts were kept, so who is liquidatable is decided again: by the f64 program where its bound tells, else by the
/// arbiter.
pub(in crate::engine) fn attribute(
    job: &Job<'_>,
    pools: &[PoolOutcome],
    outcomes: &[ScenarioOutcome],
) -> Vec<Attribution> {
    let is_candidate = |index: &usize| is_candidate(&pools[*index]);
    let candidates = (0..pools.len()).filter(is_candidate).map(|index| (index, index)).collect::<Vec<_>>();
    let mut attributor = Attributor::new(&job.setting, job.order, job.scenarios, outcomes);
    attributor.add(job, &candidates);
    attributor.sums
}

/// Whether a pool may be liquidatable in a scenario that is taken apart.
pub(in crate::engine) fn is_candidate(pool: &PoolOutcome) -> bool {
    pool.state != State::Unknown && pool.liquidatable_scenarios > 0
}

/// Takes the worst scenarios apart, pools coming in book order.
pub(in crate::engine) struct Attributor {
    moves: Vec<Moves>,
    /// So far.
    pub(in crate::engine) sums: Vec<Attribution>,
}

impl Attributor {
    /// The worst scenarios of these outcomes, no pool looked at; `scenarios` are in their order, outcomes in the caller's.
    pub(in crate::engine) fn new(
        setting: &Setting<'_>,
        order: &Order,
        scenarios: &ScenarioSet,
        outcomes: &[ScenarioOutcome],
    ) -> Self {
        let worst = worst_scenarios(outcomes, SCENARIOS).into_iter().filter(|(_, s)| s.liquidatable_pools > 0);
        let market = ShockedMarket::new(setting.snapshot, scenarios);
        let moves: Vec<Moves> = worst.map(|(scenario, _)| Moves::new(setting, order, &market, scenario)).collect();
        let sums = moves.iter().map(|moves| Attribution::empty(moves.scenario)).collect();
        Self { moves, sums }
    }

    /// Adds candidates, ascending: where each stands in the whole book, and its index in the book of the job. Those of one
    /// chunk of the whole book are summed together, and the sums of these in book order.
    pub(in crate::engine) fn add(&mut self, job: &Job<'_>, candidates: &[(usize, usize)]) {
        let chunk = |place: usize| place / job.plan.chunk_pools;
        let parts: Vec<&[(usize, usize)]> = candidates.chunk_by(|a, b| chunk(a.0) == chunk(b.0)).collect();
        let parts: Vec<Vec<Attribution>> =
            parts.into_par_iter().map(|part| attribute_part(job, &self.moves, part)).collect();
        for part in parts {
            self.sums.iter_mut().zip(part).for_each(|(sum, part)| sum.add(part));
        }
    }
}

/// These pools, each with the scenarios in which it is liquidatable.
fn attribute_part(job: &Job<'_>, moves: &[Moves], candidates: &[(usize, usize)]) -> Vec<Attribution> {
    let mut sums: Vec<Attribution> = moves.iter().map(|moves| Attribution::empty(moves.scenario)).collect();
    let program = job.compile(candidates.iter().map(|(_, index)| *index));
    let mut decider = Decider::new(job);
    for (at, &(place, index)) in candidates.iter().enumerate() {
        let pool = job.pool(index);
        for (moves, sum) in moves.iter().zip(&mut sums) {
            let at_place = job.order.place(moves.scenario);
            let block = job.tiles.block(at_place - at_place % SCENARIO_BLOCK);
            let verdicts = decider.decide(index, program.parts(at), block);
            if verdicts.liquidatable >> (at_place - block.first()) & 1 == 1 {
                sum.add_pool(place, moves.parts(job, &pool));
            }
        }
    }
    sums.iter_mut().for_each(Attribution::keep_largest);
    sums
}

/// How every contract's value moves in one scenario.
struct Moves {
    scenario: usize,
    /// Parts of one long contract by instrument; those that nobody holds are zero. `actual` leaves entry and funding out.
    contracts: Vec<Parts>,
    /// Change of the settlement asset's price by instrument.
    settlement: Vec<f64>,
}

impl Moves {
    fn new(setting: &Setting<'_>, order: &Order, market: &ShockedMarket<'_>, scenario: usize) -> Self {
        let (snapshot, rows) = (setting.snapshot, setting.rows);
        let shocked = Column::Scenario(order.place(scenario));
        let change = |row: Option<u32>| row.map_or(0.0, |row| rows.value(row, shocked) - rows.value(row, Column::Base));
        let mut moves = Self { scenario, contracts: Vec::new(), settlement: Vec::new() };
        for (index, instrument) in (0u32..).zip(&snapshot.instruments) {
            let row = rows.of_instrument(index);
            let mut parts = Parts { actual: change(row), ..Parts::default() };
            if row.is_some() {
                let greeks = market.contract(instrument, Column::Base).greeks;
                let underlying = instrument.underlying;
                let index_move = market.index_price(underlying, shocked) - market.index_price(underlying, Column::Base);
                parts.delta = greeks.delta * index_move;
                parts.gamma = 0.5 * greeks.gamma * index_move * index_move;
                if instrument.kind == Kind::Option
                    && let (Some((_, before)), Some((_, after))) =
                        (market.option(instrument, Column::Base), market.option(instrument, shocked))
                {
                    parts.vega = greeks.vega * (after.volatility - before.volatility);
                    parts.theta = greeks.theta * (before.years - after.years);
                }
            }
            moves.contracts.push(parts);
            moves.settlement.push(change(rows.of_asset(instrument.settlement_asset)));
        }
        moves
    }

    /// The change of the value of a pool's positions. What was paid at entry, and funding, are amounts of the settlement
    /// asset: they move with its price.
    fn parts(&self, job: &Job<'_>, pool: &Pool<'_>) -> Parts {
        let mut sum = Parts::default();
        for position in pool.positions {
            let Position { quantity, entry_price, accrued_funding, .. } = *position;
            let index = position.instrument as usize;
            sum.add_scaled(quantity, &self.contracts[index]);
            let entry = entry_value(&job.setting.snapshot.instruments[index], entry_price);
            sum.actual += (accrued_funding - quantity * entry) * self.settlement[index];
        }
        sum
    }
}
