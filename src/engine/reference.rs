//! The reference engine: the direct formulas for every pool and scenario, no program, no collapse. Slow and plain.

use std::ops::Range;

use super::chunk::{Chunk, close_decided};
use super::job::Job;
use crate::pricing::Column;

/// Decides a chunk of pools by the arbiter alone.
pub fn sweep_chunk(job: &Job<'_>, pools: Range<usize>) -> Chunk {
    let mut chunk = Chunk::new(job, pools.len());
    // Equity and maintenance totals come from the net program, as everywhere; the decisions do not touch it.
    let program = job.compile(pools.clone());
    for (pool_program, index) in program.pools.iter().zip(pools) {
        let pool = job.pool(index);
        if pool.unknown {
            chunk.push_unknown();
        } else {
            add_requirement(job, &pool, &mut chunk);
            let decide = |scenario: usize| job.arbiter.decide(&pool, Column::Scenario(scenario));
            close_decided(job, &pool, pool_program, (decide, (0..job.scenario_count()).collect()), &mut chunk);
        }
    }
    chunk.net.clone_from(&program.net);
    chunk.net.iter_mut().for_each(|net| net.requirement = 0.0);
    chunk
}

/// Adds the pool's maintenance margin to the scenarios' totals.
fn add_requirement(job: &Job<'_>, pool: &crate::domain::Pool<'_>, chunk: &mut Chunk) {
    for (scenario, total) in chunk.requirement.iter_mut().enumerate() {
        let market = (job.setting.rows, Column::Scenario(scenario));
        *total += job.setting.requirement::<f64>(pool, &market).maintenance;
    }
}
