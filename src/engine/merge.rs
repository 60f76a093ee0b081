//! Chunks of a sweep are added up in book order, whoever finishes first.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rayon::prelude::*;

use super::chunk::Chunk;
use super::hinge::CornerTotals;
use super::job::Job;
use super::ledger::Witness;
use super::outcome::{PoolOutcome, ScenarioOutcome};
use super::plan::Plan;
use super::progress::Progress;
use super::tally::ScenarioTally;
use super::views::ViewTally;
use crate::program::Weights;

/// Runs the chunks of some pools, the next ones to merge, over all threads and merges them in order.
pub fn run_chunks(
    job: &Job<'_>,
    merge: &mut Merge<'_>,
    pools: std::ops::Range<usize>,
    sweep_chunk: impl Fn(&Job<'_>, std::ops::Range<usize>) -> Chunk + Sync,
) {
    let first = pools.start;
    let rest = Plan { n_pools: pools.len(), ..job.plan };
    let order = Mutex::new((0, BTreeMap::new(), merge));
    // Chunks are handed out in ascending order, so that few wait here for their turn.
    (0..rest.chunk_count()).par_bridge().for_each(|index| {
        let pools = rest.chunk(index);
        let chunk = sweep_chunk(job, pools.start + first..pools.end + first);
        let mut order = order.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (next, waiting, merge) = &mut *order;
        waiting.insert(index, chunk);
        while let Some(chunk) = waiting.remove(next) {
            merge.add(job, chunk);
            *next += 1;
        }
    });
}

/// Adds chunks up, in book order.
pub struct Merge<'p> {
    /// Outcomes of the pools so far.
    pub pools: Vec<PoolOutcome>,
    /// The kernel's word on each of them.
    pub witnesses: Vec<Option<Witness>>,
    tally: Vec<ScenarioTally>,
    requirement: Vec<f64>,
    corners: CornerTotals,
    net: Vec<Weights>,
    pub(super) views: Vec<ViewTally>,
    pub(super) redecided_pools: u64,
    cells_done: u64,
    cells: u64,
    progress: &'p dyn Progress,
}

impl<'p> Merge<'p> {
    /// Nothing is in yet of a book that has so many cells in all.
    pub(super) fn new(job: &Job<'_>, cells: u64, progress: &'p dyn Progress) -> Self {
        Self {
            pools: Vec::with_capacity(job.plan.n_pools),
            witnesses: Vec::with_capacity(job.plan.n_pools),
            tally: vec![ScenarioTally::default(); job.scenario_count()],
            requirement: vec![0.0; job.scenario_count()],
            corners: CornerTotals::default(),
            net: vec![Weights::default(); job.ranges.len() + 1],
            views: vec![ViewTally::default(); job.pair_count()],
            redecided_pools: 0,
            cells_done: 0,
            cells,
            progress,
        }
    }

    /// Adds the next chunk.
    pub fn add(&mut self, job: &Job<'_>, chunk: Chunk) {
        let n_scenarios = job.scenario_count() as u64;
        for index in self.pools.len()..self.pools.len() + chunk.pools.len() {
            self.cells_done += job.pool(index).positions.len() as u64 * n_scenarios;
        }
        self.pools.extend(chunk.pools);
        self.witnesses.extend(chunk.witnesses);
        self.tally.iter_mut().zip(&chunk.tally).for_each(|(sum, part)| sum.add(part));
        self.requirement.iter_mut().zip(&chunk.requirement).for_each(|(sum, part)| *sum += part);
        self.corners.add(job, &chunk.corners);
        for (sum, part) in self.net.iter_mut().zip(&chunk.net) {
            sum.equity += part.equity;
            sum.requirement += part.requirement;
        }
        self.views.iter_mut().zip(&chunk.views).for_each(|(sum, part)| sum.add(part));
        self.redecided_pools += chunk.redecided_pools;
        self.progress.advance(self.cells_done, self.cells);
    }

    /// The outcomes in the order of the caller's scenarios: equity and maintenance totals are the net program's value, plus kinks
    /// and nodes.
    pub(super) fn scenarios(&self, job: &Job<'_>) -> Vec<ScenarioOutcome> {
        let mut requirement = self.requirement.clone();
        self.corners.add_to(job, &mut requirement);
        let (constant, net) = self.net.split_last().map_or((Weights::default(), &[][..]), |(last, rest)| (*last, rest));
        let outcome = |place: usize| {
            let mut total = constant;
            for ((row, range), net) in job.ranges.iter().enumerate().zip(net) {
                let delta = job.setting.rows.shocked[[row, place]] - range.level;
                total.equity += net.equity * delta;
                total.requirement += net.requirement * delta;
            }
            self.tally[place].outcome(total.equity, total.requirement + requirement[place])
        };
        let by_place: Vec<ScenarioOutcome> = (0..job.scenario_count()).into_par_iter().map(outcome).collect();
        job.order.restore(&by_place)
    }
}
