//! The kinks' part of the maintenance total, without evaluating a kink under every scenario: on a sorted row a kink is a line from
//! its corner on, so a total is two running sums over the row's values.

use std::sync::OnceLock;

use super::job::Job;
use crate::program::Kink;

/// Where a kink's line starts or ends on its row, and the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corner {
    row: u32,
    /// Number of the row's values below the corner.
    rank: u32,
    offset: f64,
    slope: f64,
}

/// A row's Δ in ascending order.
#[derive(Debug)]
struct SortedRow {
    deltas: Vec<f64>,
    /// Place of each.
    places: Vec<u32>,
    /// The first of every [`STRIDE`] deltas: a search reads a few cache lines of these, then of those.
    coarse: Vec<f64>,
}

/// Deltas behind one coarse delta.
const STRIDE: usize = 32;

impl SortedRow {
    /// Sorts the Δ of every place.
    fn new(deltas: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<(f64, u32)> = deltas.zip(0..).collect();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (deltas, places): (Vec<f64>, Vec<u32>) = sorted.into_iter().unzip();
        let coarse = deltas.iter().step_by(STRIDE).copied().collect();
        Self { deltas, places, coarse }
    }

    /// Number of deltas up to a value.
    fn rank(&self, value: f64) -> usize {
        let last = self.coarse.partition_point(|delta| *delta <= value);
        let from = last.saturating_sub(1) * STRIDE;
        let to = (last * STRIDE).min(self.deltas.len());
        from + self.deltas[from..to].partition_point(|delta| *delta <= value)
    }

    /// Adds, at every place, the sum of the lines that start at or below its Δ: `starts[rank]` is (offset, slope).
    fn add_lines(&self, starts: &[(f64, f64)], totals: &mut [f64]) {
        let mut line = (0.0, 0.0);
        for (start, (delta, &place)) in starts.iter().zip(self.deltas.iter().zip(&self.places)) {
            line = (line.0 + start.0, line.1 + start.1);
            totals[place as usize] += line.0 + line.1 * delta;
        }
    }
}

/// Each row, sorted when first asked for.
#[derive(Debug, Default)]
pub struct SortedRows(Vec<OnceLock<SortedRow>>);

impl SortedRows {
    /// Room for so many rows.
    pub fn new(n_rows: usize) -> Self {
        Self((0..n_rows).map(|_| OnceLock::new()).collect())
    }

    fn row(&self, job: &Job<'_>, row: u32) -> &SortedRow {
        self.0[row as usize].get_or_init(|| {
            let level = job.ranges[row as usize].level;
            let values = job.setting.rows.shocked.row(row as usize);
            SortedRow::new(values.iter().map(|value| value - level))
        })
    }
}

/// Adds the corners of a kink's part in the maintenance total.
pub fn add_corners(job: &Job<'_>, kink: &Kink, corners: &mut Vec<Corner>) {
    add_corners_on(job.sorted_rows.row(job, kink.row), kink, corners);
}

fn add_corners_on(sorted: &SortedRow, kink: &Kink, corners: &mut Vec<Corner>) {
    let Kink { row, requirement, .. } = *kink;
    let (offset, slope) = (requirement * kink.offset, requirement * kink.slope);
    if slope == 0.0 {
        if requirement != 0.0 && kink.offset > 0.0 {
            corners.push(Corner { row, rank: 0, offset, slope });
        }
        return;
    }
    let corner = -kink.offset / kink.slope;
    let rank = sorted.rank(corner) as u32;
    if kink.slope > 0.0 {
        corners.push(Corner { row, rank, offset, slope });
    } else {
        corners.push(Corner { row, rank: 0, offset, slope });
        corners.push(Corner { row, rank, offset: -offset, slope: -slope });
    }
}

/// Lines that start at each rank of each row, summed.
#[derive(Debug, Default)]
pub struct CornerTotals(Vec<Vec<(f64, f64)>>);

impl CornerTotals {
    /// Adds the corners of a chunk.
    pub fn add(&mut self, job: &Job<'_>, corners: &[Corner]) {
        self.0.resize_with(job.ranges.len(), Vec::new);
        for corner in corners {
            let row = &mut self.0[corner.row as usize];
            row.resize(job.scenario_count() + 1, (0.0, 0.0));
            let line = &mut row[corner.rank as usize];
            *line = (line.0 + corner.offset, line.1 + corner.slope);
        }
    }

    /// Adds what the corners come to at every place.
    pub fn add_to(&self, job: &Job<'_>, totals: &mut [f64]) {
        for (row, starts) in (0..).zip(&self.0).filter(|(_, starts)| !starts.is_empty()) {
            job.sorted_rows.row(job, row).add_lines(starts, totals);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn corners_come_to_what_their_kinks_do() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        // Coarse values: several scenarios share one, and kinks turn on them.
        let deltas: Vec<f64> = (0..150).map(|_| f64::from(random.random_range(-20..20)) / 4.0).collect();
        let sorted = SortedRow::new(deltas.iter().copied());
        let coefficient = |random: &mut ChaCha8Rng| f64::from(random.random_range(-8..8)) / 2.0;
        let (mut corners, mut expected) = (Vec::new(), vec![0.0; deltas.len()]);
        for _ in 0..200 {
            let [slope, offset, requirement] = [0; 3].map(|_| coefficient(&mut random));
            let kink = Kink { row: 0, slope, offset, initial: 0.0, maintenance: 0.0, requirement };
            add_corners_on(&sorted, &kink, &mut corners);
            let at = |delta: &f64| requirement * (offset + slope * delta).max(0.0);
            expected.iter_mut().zip(&deltas).for_each(|(sum, delta)| *sum += at(delta));
        }
        let mut starts = vec![(0.0, 0.0); deltas.len() + 1];
        for corner in corners {
            let start = &mut starts[corner.rank as usize];
            *start = (start.0 + corner.offset, start.1 + corner.slope);
        }
        let mut totals = vec![0.0; deltas.len()];
        sorted.add_lines(&starts, &mut totals);
        for (total, expected) in totals.iter().zip(&expected) {
            assert!((total - expected).abs() < 1e-9, "{total} is {expected}");
        }
    }
}
