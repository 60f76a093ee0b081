//! What a device must prove before its counts are used: every verdict was computed, the canaries answered right, and the
//! sums over pools and over scenarios are those of the net program.

use rayon::prelude::*;

use super::canary::Canaries;
use super::chunk::Prepared;
use super::device::GROUP_POOLS;
use super::layout::LIST_CAPACITY;
use super::panels::PanelRows;
use super::submission::Readback;
use crate::engine::order::Order;
use crate::engine::plan::{CANARY_POOLS, DEVICE_TILE_SCENARIOS};
use crate::program::{PoolParts, UNIT_ROUNDOFF_F32};

/// Why a chunk's results cannot be used.
#[derive(Debug, Clone, PartialEq)]
pub enum Void {
    /// Verdicts that the kernel has not computed.
    NotComputed {
        /// How many.
        verdicts: u64,
    },
    /// More uncertain verdicts than the list holds.
    TooManyUncertain,
    /// Computed, and wrong.
    Disagrees(String),
}

/// Checks one panel of a chunk; `order` is that of the panel's scenarios.
pub fn verify(
    prepared: &Prepared,
    readback: &Readback,
    panel: &PanelRows,
    (canaries, order): (&Canaries, &Order),
) -> Result<(), Void> {
    counts(prepared, readback, panel)?;
    if readback.uncertain_count > LIST_CAPACITY {
        return Err(Void::TooManyUncertain);
    }
    canary_answers(readback, panel, canaries)?;
    sums_over_scenarios(prepared, readback, panel)?;
    sums_over_pools(prepared, readback, panel, order)
}

fn counts(prepared: &Prepared, readback: &Readback, panel: &PanelRows) -> Result<(), Void> {
    let mut missing = 0;
    let mut listed = 0;
    for pool in 0..prepared.packed.pools.len() {
        for tile in 0..panel.tile_count() {
            let [certain, uncertain] = readback.pool_tiles[pool * panel.tile_count() + tile].verdict_counts();
            missing += u64::from((certain + uncertain).abs_diff(panel.tile_len(tile) as u32));
            listed += uncertain as usize;
        }
    }
    if missing > 0 {
        return Err(Void::NotComputed { verdicts: missing });
    }
    if listed != readback.uncertain_count {
        return Err(Void::Disagrees(format!(
            "{listed} uncertain verdicts counted, {} listed",
            readback.uncertain_count
        )));
    }
    Ok(())
}

fn canary_answers(readback: &Readback, panel: &PanelRows, canaries: &Canaries) -> Result<(), Void> {
    for (canary, expected) in canaries.expected.iter().enumerate() {
        for tile in 0..panel.tile_count() {
            let answer = readback.pool_tiles[canary * panel.tile_count() + tile];
            let uncertain = answer.verdict_counts()[1];
            let right = if canary == canaries.threshold {
                uncertain == panel.tile_len(tile) as u32
            } else {
                let expected = expected[panel.first_tile + tile];
                answer.certain_counts().into_iter().zip(expected).all(|(n, e)| n <= e && e <= n + uncertain)
            };
            if !right {
                return Err(Void::Disagrees(format!(
                    "canary {canary} answered {:?} on tile {tile}",
                    answer.certain_counts()
                )));
            }
        }
    }
    Ok(())
}

/// Σ over a tile's scenarios of each affine root is coefficients × Σ Δrow.
fn sums_over_scenarios(prepared: &Prepared, readback: &Readback, panel: &PanelRows) -> Result<(), Void> {
    let parts: Vec<PoolParts<'_>> = prepared.device_parts().collect();
    let wrong = parts.par_iter().enumerate().find_map_first(|(index, parts)| {
        (0..panel.tile_count()).find_map(|tile| wrong_sum(prepared, readback, panel, (index, *parts), tile))
    });
    wrong.map_or(Ok(()), |reason| Err(Void::Disagrees(reason)))
}

/// What is wrong with a pool's sums over a tile, if anything is.
fn wrong_sum(
    prepared: &Prepared,
    readback: &Readback,
    panel: &PanelRows,
    (index, parts): (usize, PoolParts<'_>),
    tile: usize,
) -> Option<String> {
    let device_index = CANARY_POOLS + index;
    let errors = prepared.packed.errors[device_index];
    let n = panel.tile_len(tile) as f64;
    let answer = readback.pool_tiles[device_index * panel.tile_count() + tile];
    let constant = parts.pool.constant;
    let mut expected = [constant.equity, constant.initial, constant.maintenance].map(|constant| constant * n);
    for term in parts.terms {
        let sum = panel.delta_sum(tile, term.row);
        expected[0] += term.equity * sum;
        expected[1] += term.initial * sum;
        expected[2] += term.maintenance * sum;
    }
    let answers = [answer.equity, answer.initial, answer.maintenance];
    (0..3).find_map(|root| {
        let size = prepared.packed.sizes[device_index][root];
        let bound = n * (errors[root] + 1.001 * (n + 1.0) * UNIT_ROUNDOFF_F32 * size);
        let is_right = is_within((f64::from(answers[root]) - expected[root]).abs(), bound);
        (!is_right).then(|| {
            format!(
                "Σ over scenarios of root {root} of device pool {index} is {}, expected {} ± {bound}",
                answers[root], expected[root]
            )
        })
    })
}

/// Whether a distance keeps its bound. A NaN on either side does not.
fn is_within(distance: f64, bound: f64) -> bool {
    distance <= bound
}

/// Σ over the chunk's pools of each affine root is the net program's value, in every scenario.
fn sums_over_pools(prepared: &Prepared, readback: &Readback, panel: &PanelRows, order: &Order) -> Result<(), Void> {
    let net = prepared.net();
    let width = panel.tile_count() * DEVICE_TILE_SCENARIOS;
    let bound = prepared.net_bound();
    let mut sums = vec![[0.0; 3]; width];
    for group in readback.group_scenarios.chunks_exact(width).skip(CANARY_POOLS / GROUP_POOLS as usize) {
        for (sum, part) in sums.iter_mut().zip(group) {
            sum[0] += f64::from(part.equity);
            sum[1] += f64::from(part.initial);
            sum[2] += f64::from(part.maintenance);
        }
    }
    let mut expected = vec![net.constant; width];
    for (row, coefficients) in net.rows.iter().filter(|(_, c)| c.iter().any(|c| *c != 0.0)) {
        for tile in 0..panel.tile_count() {
            let deltas = panel.deltas(tile, *row);
            for (expected, &delta) in expected[tile * DEVICE_TILE_SCENARIOS..].iter_mut().zip(deltas) {
                (0..3).for_each(|root| expected[root] += coefficients[root] * f64::from(delta));
            }
        }
    }
    for scenario in 0..panel.scenario_count {
        for root in 0..3 {
            if !is_within((sums[scenario][root] - expected[scenario][root]).abs(), bound[root]) {
                return Err(Void::Disagrees(format!(
                    "Σ over pools of root {root} in scenario {} is {}, expected {} ± {}",
                    order.scenario(panel.first_tile * DEVICE_TILE_SCENARIOS + scenario),
                    sums[scenario][root],
                    expected[scenario][root],
                    bound[root]
                )));
            }
        }
    }
    Ok(())
}
