use super::arbiter::Decision;
use super::hinge::Corner;
use super::job::Job;
use super::ledger::{self, Ledger, Witness};
use super::outcome::{PoolOutcome, Totals};
use super::tally::ScenarioTally;
use super::verdicts::Verdicts;
use super::views::{self, ViewTally};
use crate::domain::Pool;
use crate::pricing::Column;
use crate::program::{PoolProgram, Weights};

/// What an engine found out about a chunk of pools.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// One per pool, in order.
    pub pools: Vec<PoolOutcome>,
    /// The kernel's word on each pool's worst scenario; `None` where no kernel spoke.
    pub witnesses: Vec<Option<Witness>>,
    /// One per scenario.
    pub tally: Vec<ScenarioTally>,
    /// Kinks' and nodes' part of the maintenance total, as far as it is not in `corners`: `[n_scenarios]`.
    pub requirement: Vec<f64>,
    /// Kinks' part of the maintenance total.
    pub corners: Vec<Corner>,
    /// Net affine program: `[n_rows + 1]`, constants last.
    pub net: Vec<Weights>,
    /// One per pair of scenarios; empty where views are not compared.
    pub views: Vec<ViewTally>,
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
            corners: Vec::new(),
            net: vec![Weights::default(); job.ranges.len() + 1],
            views: vec![ViewTally::default(); job.pair_count()],
            redecided_pools: 0,
        }
    }

    /// Adds a pool of which nothing is claimed.
    pub fn push_unknown(&mut self) {
        self.pools.push(ledger::unknown());
        self.witnesses.push(None);
    }
}

/// Decides a pool that no scenario changes: one verdict stands for all, and the first scenario is the worst.
pub fn decide_constant_pool(job: &Job<'_>, pool: &Pool<'_>, program: &PoolProgram, chunk: &mut Chunk) {
    let at_base = job.arbiter.decide(pool, Column::Base);
    let first = (job.scenario_count() > 0).then(|| job.order.place(0));
    close_decided(job, pool, program, (|_| at_base, first.into_iter().collect()), chunk);
}

/// Counts decisions, one per place, and closes the pool, its worst scenario standing at one of the `candidates`. The program
/// only bounds the error of the canonical figures.
pub fn close_decided(
    job: &Job<'_>,
    pool: &Pool<'_>,
    program: &PoolProgram,
    (decide, candidates): (impl Fn(usize) -> Decision, Vec<usize>),
    chunk: &mut Chunk,
) {
    let mut ledger = Ledger::new(0.0, program);
    for block in job.tiles.blocks() {
        let mut verdicts = Verdicts::default();
        (0..block.len()).for_each(|lane| verdicts.set(lane, decide(block.first() + lane)));
        // No kernel has summed this pool: its totals are canonical, whatever the others' are.
        ledger.count(job, pool, (block.first(), verdicts), Totals::Exact, &mut chunk.tally);
        views::compare(job, pool, (block.first(), verdicts), &mut chunk.views);
    }
    chunk.pools.push(ledger.close(job, pool, candidates));
    chunk.witnesses.push(None);
}
