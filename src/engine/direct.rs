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
use super::views;
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
        views::compare(job, pool, (first, verdicts), &mut chunk.views);
        let canonical = job.arch.dispatch(CanonicalMargin {
            setting: job.setting,
            pool,
            market: Block { tiles: job.tiles, first },
        });
        for lane in 0..block.len() {
            let excess = canonical.excess.0[lane];
            let place = first + lane;
            let is_worse = |(other, lowest): (usize, f64)| {
                excess < lowest || excess == lowest && job.order.scenario(place) < job.order.scenario(other)
            };
            if worst.is_none_or(is_worse) {
                worst = Some((place, excess));
            }
            if program.direct {
                chunk.requirement[place] += canonical.maintenance.0[lane];
            }
        }
    }
    chunk.redecided_pools += u64::from(ledger.redecided);
    chunk.pools.push(ledger.close(job, pool, worst.into_iter().map(|(place, _)| place).collect()));
    chunk.witnesses.push(None);
}

/// A pool's verdicts on a block, and the mask of those that the arbiter had to decide.
pub fn decide_block(job: &Job<'_>, pool: &Pool<'_>, block: TileBlock<'_>) -> (Verdicts, u32) {
    let (mut verdicts, certain) = certain_verdicts(job, pool, block);
    let open = !certain & low_bits(block.len());
    for lane in lanes(open) {
        verdicts.set(lane, job.arbiter.decide(pool, Column::Scenario(block.first() + lane)));
    }
    (verdicts, open)
}

/// Verdicts by intervals, and the mask of those that are certain.
fn certain_verdicts(job: &Job<'_>, pool: &Pool<'_>, block: TileBlock<'_>) -> (Verdicts, u32) {
    let market = Block { tiles: job.tiles, first: block.first() };
    let equity = job.setting.equity::<IntervalLanes>(pool, &market);
    let requirement = job.setting.requirement::<IntervalLanes>(pool, &market);
    let maintenance = equity.adjusted.minus(&requirement.maintenance).signs();
    let initial = equity.adjusted.minus(&requirement.initial).signs();
    let raw = equity.raw.signs();
    let present = low_bits(block.len());
    let liquidatable = maintenance.negative & present;
    let restricted = liquidatable | initial.negative & present;
    let bankrupt = raw.negative & present;
    let certain =
        (liquidatable | maintenance.non_negative) & (restricted | initial.non_negative) & (bankrupt | raw.non_negative);
    (Verdicts { restricted, liquidatable, bankrupt }, certain)
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
    setting: Setting<'a>,
    pool: &'p Pool<'p>,
    market: Block<'a>,
}

impl WithSimd for CanonicalMargin<'_, '_> {
    type Output = Margin;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Margin {
        let Self { setting, pool, market } = self;
        let adjusted = setting.equity::<Lanes>(pool, &market).adjusted;
        let maintenance = setting.requirement::<Lanes>(pool, &market).maintenance;
        Margin { excess: adjusted.minus(&maintenance), maintenance }
    }
}

#[cfg(test)]
mod tests;
