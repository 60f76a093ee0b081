use super::job::Job;
use super::ledger::{self, Ledger, Witness};
use super::outcome::PoolOutcome;
use super::tally::ScenarioTally;
use super::verdicts::Verdicts;
use crate::domain::Pool;
use crate::pricing::Column;
use crate::program::Weights;

/// What an engine found out about a chunk of pools.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// One per pool, in order.
    pub pools: Vec<PoolOutcome>,
    /// The kernel's word on each pool's worst scenario; `None` where no kernel spoke.
    pub witnesses: Vec<Option<Witness>>,
    /// One per scenario.
    pub tally: Vec<ScenarioTally>,
    /// Kinks' and nodes' part of the maintenance total: `[n_scenarios]`.
    pub requirement: Vec<f64>,
    /// Net affine program: `[n_rows + 1]`, constants last.
    pub net: Vec<Weights>,
    /// Pools with a verdict that the kernel left to the arbiter.
    pub redecided_pools: u64,
}

impl Chunk {
    /// An empty chunk with room for `n_pools`.
    pub fn new(job: &Job<'_>, n_pools: usize) -> Self {
        Self {
            pools: Vec::with_capacity(n_pools),
            witnesses: Vec::with_capacity(n_pools),
            tally: vec![ScenarioTally::default(); job.scenario_count()],
            requirement: vec![0.0; job.scenario_count()],
            net: vec![Weights::default(); job.ranges.len() + 1],
            redecided_pools: 0,
        }
    }

    /// Adds a pool of which nothing is claimed.
    pub fn push_unknown(&mut self) {
        self.pools.push(ledger::unknown());
        self.witnesses.push(None);
    }
}

/// Decides every verdict of a pool by the arbiter alone. Where no scenario changes anything, one verdict stands for all
/// and the first scenario is the worst.
pub fn decide_pool(job: &Job<'_>, pool: &Pool<'_>, constant: bool, chunk: &mut Chunk) {
    let mut ledger = Ledger::default();
    let n_scenarios = job.scenario_count();
    let at_base = job.arbiter.decide(pool, Column::Base);
    for block in (0..job.tiles.len()).flat_map(|tile| job.tiles.tile(tile).blocks()) {
        let mut verdicts = Verdicts::all(at_base, block.len());
        if !constant {
            for lane in 0..block.len() {
                verdicts.set(lane, job.arbiter.decide(pool, Column::Scenario(block.first() + lane)));
            }
        }
        ledger.count(job, pool, block.first(), verdicts, &mut chunk.tally);
    }
    let candidates = 0..if constant { n_scenarios.min(1) } else { n_scenarios };
    chunk.pools.push(ledger.close(job, pool, candidates));
    chunk.witnesses.push(None);
}
