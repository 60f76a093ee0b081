//! Recomputes a seeded sample of pools by the reference and compares every decision and the kernel's own values.

use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::job::Job;
use super::ledger::Witness;
use super::outcome::{Audit, PoolOutcome, State};
use crate::pricing::Column;

/// Fewest pools audited, where the book has them.
const POOLS_MIN: usize = 64;
/// Most pools audited.
const POOLS_MAX: usize = 1_024;
/// One cell in this many is audited: the reference is about a hundred times slower than an engine, and the audit may take
/// a twentieth of the sweep's time.
const CELLS_PER_AUDITED_CELL: u64 = 2_000;

/// Audits a sweep. The sample depends on the seed and the book, never on time or threads.
pub fn audit(job: &Job<'_>, pools: &[PoolOutcome], witnesses: &[Option<Witness>], seed: u64) -> Audit {
    let known: Vec<usize> = (0..pools.len()).filter(|&index| pools[index].state != State::Unknown).collect();
    let amount = sample_size(job, known.len());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut sample: Vec<usize> =
        index::sample(&mut random, known.len(), amount).into_iter().map(|k| known[k]).collect();
    sample.sort_unstable();
    let parts = sample.par_iter().map(|&index| audit_pool(job, index, &pools[index], witnesses[index]));
    let parts: Vec<Audit> = parts.collect();
    parts.into_iter().fold(Audit::default(), |sum, part| Audit {
        pools: sum.pools + part.pools,
        cells: sum.cells + part.cells,
        verdicts: sum.verdicts + part.verdicts,
        decisions_differ: sum.decisions_differ + part.decisions_differ,
        worst_bound_ratio: sum.worst_bound_ratio.max(part.worst_bound_ratio),
    })
}

fn sample_size(job: &Job<'_>, known: usize) -> usize {
    let positions = job.setting.snapshot.book.position_count() as u64;
    let cells = positions * job.scenario_count() as u64;
    let cells_per_pool = (cells / known.max(1) as u64).max(1);
    let wanted = (cells / CELLS_PER_AUDITED_CELL / cells_per_pool) as usize;
    wanted.clamp(POOLS_MIN, POOLS_MAX).min(known)
}

fn audit_pool(job: &Job<'_>, index: usize, outcome: &PoolOutcome, witness: Option<Witness>) -> Audit {
    let pool = job.pool(index);
    let (mut restricted, mut liquidatable, mut bankrupt) = (0, 0, 0);
    let worst = job.arbiter.examine(&pool, Column::Scenario(outcome.worst_scenario as usize)).1;
    let mut differ = u64::from(job.arbiter.decide(&pool, Column::Base).state() != outcome.state);
    let mut worse_elsewhere = false;
    for scenario in 0..job.scenario_count() {
        let (decision, excess) = job.arbiter.examine(&pool, Column::Scenario(scenario));
        restricted += u32::from(decision.restricted);
        liquidatable += u32::from(decision.liquidatable);
        bankrupt += u32::from(decision.bankrupt);
        worse_elsewhere |= excess.high < worst.low;
    }
    for (counted, published) in [
        (restricted, outcome.restricted_scenarios),
        (liquidatable, outcome.liquidatable_scenarios),
        (bankrupt, outcome.bankrupt_scenarios),
    ] {
        differ += u64::from(counted.abs_diff(published));
    }
    let ratio = witness.map_or(0.0, |witness| {
        let exact = job.arbiter.examine(&pool, Column::Scenario(witness.scenario as usize)).1.middle();
        (witness.value - exact).abs() / witness.bound
    });
    // A kernel value outside its bound is a broken promise even where no decision turned on it.
    differ += u64::from(worse_elsewhere) + u64::from(ratio.is_nan() || ratio > 1.0);
    let verdicts = job.scenario_count() as u64;
    Audit {
        pools: 1,
        cells: pool.positions.len() as u64 * verdicts,
        verdicts,
        decisions_differ: differ,
        worst_bound_ratio: ratio,
    }
}
