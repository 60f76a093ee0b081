//! Pools that no kernel decides: the direct formulas, a block of scenarios at a time, in intervals; what those leave open the
//! arbiter decides. Figures and totals are canonical.

use pulp::{Simd, WithSimd};

use super::block::Block;
use super::chunk::Chunk;
use super::job::Job;
use super::ledger::Ledger;
use super::outcome::Totals;
use super::tile::TileBlock;
use super::verdicts::{Verdicts, lanes, low_bits};
use crate::domain::Pool;
use crate::margin::Setting;
use crate::number::{IntervalLanes, Lanes, Number};
use crate::pricing::Column;
use crate::program::PoolProgram;

/// Decides every verdict of a pool. Of a direct pool it adds the whole requirement to the maintenance total; of another the
/// caller adds what the net program leaves out.
pub fn decide_pool(job: &Job<'_>, pool: &Pool<'_>, program: &PoolProgram, chunk: &mut Chunk) {
    let mut ledger = Ledger::new(0.0, program);
    let mut worst: Option<(usize, f64)> = None;
    for block in job.tiles.blocks() {
        let first = block.first();
        let (verdicts, left_open) = decide_block(job, pool, block);
        ledger.redecided |= left_open != 0;
        // No kernel has summed this pool: its totals are canonical, whatever the others' are.
        ledger.count(job, pool, (first, verdicts), Totals::Exact, &mut chunk.tally);
        let canonical = job.arch.dispatch(CanonicalMargin { formulas: Formulas::new(job, pool, first) });
        for lane in 0..block.len() {
            let excess = canonical.excess.0[lane];
            if worst.is_none_or(|(_, lowest)| excess < lowest) {
                worst = Some((first + lane, excess));
            }
            if program.direct {
                chunk.requirement[first + lane] += canonical.maintenance.0[lane];
            }
        }
    }
    chunk.redecided_pools += u64::from(ledger.redecided);
    chunk.pools.push(ledger.close(job, pool, worst.into_iter().map(|(scenario, _)| scenario)));
    chunk.witnesses.push(None);
}

/// A pool's verdicts on a block, and the mask of those that the arbiter had to decide.
pub fn decide_block(job: &Job<'_>, pool: &Pool<'_>, block: TileBlock<'_>) -> (Verdicts, u32) {
    let present = low_bits(block.len());
    let formulas = Formulas::new(job, pool, block.first());
    let (mut verdicts, open) = job.arch.dispatch(CertainVerdicts { formulas });
    verdicts.restricted &= present;
    verdicts.liquidatable &= present;
    verdicts.bankrupt &= present;
    for lane in lanes(open & present) {
        verdicts.set(lane, job.arbiter.decide(pool, Column::Scenario(block.first() + lane)));
    }
    (verdicts, open & present)
}

/// The direct formulas of a pool under a block of scenarios.
struct Formulas<'p, 'a> {
    setting: Setting<'a>,
    pool: &'p Pool<'p>,
    market: Block<'a>,
}

impl<'p, 'a> Formulas<'p, 'a> {
    fn new(job: &Job<'a>, pool: &'p Pool<'p>, first: usize) -> Self {
        Self { setting: job.setting, pool, market: Block { tiles: job.tiles, first } }
    }
}

/// Verdicts by intervals, and the lanes that they leave open.
struct CertainVerdicts<'p, 'a> {
    formulas: Formulas<'p, 'a>,
}

impl WithSimd for CertainVerdicts<'_, '_> {
    type Output = (Verdicts, u32);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let Formulas { setting, pool, market } = self.formulas;
        let equity = setting.equity::<IntervalLanes>(pool, &market);
        let requirement = setting.requirement::<IntervalLanes>(pool, &market);
        let maintenance = equity.adjusted.minus(&requirement.maintenance).signs();
        let initial = equity.adjusted.minus(&requirement.initial).signs();
        let raw = equity.raw.signs();
        let liquidatable = maintenance.negative;
        let restricted = liquidatable | initial.negative;
        let bankrupt = raw.negative;
        let certain = (liquidatable | maintenance.non_negative)
            & (restricted | initial.non_negative)
            & (bankrupt | raw.non_negative);
        (Verdicts { restricted, liquidatable, bankrupt }, !certain)
    }
}

/// Canonical figures under a block of scenarios.
struct Margin {
    /// Adjusted equity − maintenance margin.
    excess: Lanes,
    /// Maintenance margin.
    maintenance: Lanes,
}

/// Evaluates [`Margin`] for the widest vectors.
struct CanonicalMargin<'p, 'a> {
    formulas: Formulas<'p, 'a>,
}

impl WithSimd for CanonicalMargin<'_, '_> {
    type Output = Margin;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Margin {
        let Formulas { setting, pool, market } = self.formulas;
        let adjusted = setting.equity::<Lanes>(pool, &market).adjusted;
        let maintenance = setting.requirement::<Lanes>(pool, &market).maintenance;
        Margin { excess: adjusted.minus(&maintenance), maintenance }
    }
}

#[cfg(test)]
mod tests;
