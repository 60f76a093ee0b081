//! Which pools a round must look at: the engine sweeps the original book under the prices that decide.

use super::marks::Marks;
use super::run::Run;
use super::state::{PoolState, Stage};
use super::summary::{Ladder, Outcome};
use crate::domain::Snapshot;
use crate::engine::{Decision, ScenarioOutcome, SweepOptions, sweep};
use crate::error::Result;
use crate::margin::Rulebook;
use crate::scenario::ScenarioSet;

/// What a screening sweep said.
pub struct Screened {
    /// Pools that are liquidatable in some scenario of the sweep, ascending.
    candidates: Vec<u32>,
    scenarios: Vec<ScenarioOutcome>,
    n_pools: u64,
    unknown_pools: u64,
}

impl Screened {
    /// Sweeps the book.
    ///
    /// # Errors
    /// As [`sweep`].
    pub fn of(
        (snapshot, rulebook): (&Snapshot, &Rulebook),
        scenarios: &ScenarioSet,
        options: &SweepOptions,
        outcome: &mut Outcome,
    ) -> Result<Self> {
        let clock = std::time::Instant::now();
        let swept = sweep(snapshot, rulebook, scenarios, options, &())?;
        outcome.seconds.screen += clock.elapsed().as_secs_f64();
        outcome.add_sweep(&swept);
        let breached = (0u32..).zip(&swept.pools).filter(|(_, pool)| pool.liquidatable_scenarios > 0);
        Ok(Self {
            candidates: breached.map(|(index, _)| index).collect(),
            n_pools: swept.pools.len() as u64,
            unknown_pools: swept.unknown_pools,
            scenarios: swept.scenarios,
        })
    }

    /// Pools that nothing has touched yet and that are liquidatable in the run's market, ascending.
    pub fn breached(&self, run: &Run<'_>, seen: Marks<'_>) -> Vec<u32> {
        use rayon::prelude::*;
        let untouched = self.candidates.par_iter().filter(|pool| !run.states.contains_key(pool));
        untouched.copied().filter(|&pool| seen.decide_of(pool as usize).liquidatable).collect()
    }

    /// How many pools stand where, touched ones as they are by now.
    pub fn ladder(&self, column: usize, run: &Run<'_>, seen: Marks<'_>) -> Ladder {
        let counts = &self.scenarios[column];
        let mut ladder = Ladder {
            healthy: self.n_pools - self.unknown_pools - counts.restricted_pools,
            restricted: counts.restricted_pools - counts.liquidatable_pools,
            liquidatable: counts.liquidatable_pools - counts.bankrupt_pools,
            bankrupt: counts.bankrupt_pools,
            unknown: self.unknown_pools,
            ..Ladder::default()
        };
        for state in run.states.values() {
            *ladder.place(stage_of(seen.decide_of(state.pool as usize))) -= 1;
            *ladder.place(stage_now(state, seen)) += 1;
        }
        ladder
    }
}

fn stage_of(decision: Decision) -> Stage {
    match decision {
        Decision { bankrupt: true, .. } => Stage::Bankrupt,
        Decision { liquidatable: true, .. } => Stage::Liquidatable,
        Decision { restricted: true, .. } => Stage::Restricted,
        _ => Stage::Healthy,
    }
}

fn stage_now(state: &PoolState, seen: Marks<'_>) -> Stage {
    if state.stage == Stage::Closed {
        return Stage::Closed;
    }
    match stage_of(seen.decide(state)) {
        Stage::Liquidatable | Stage::Restricted | Stage::Healthy if state.in_liquidation => Stage::PartiallyLiquidated,
        stage => stage,
    }
}
