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
    /// Number of deltas up to a value.
    fn rank(&self, value: f64) -> usize {
        let last = self.coarse.partition_point(|delta| *delta <= value);
        let from = last.saturating_sub(1) * STRIDE;
        let to = (last * STRIDE).min(self.deltas.len());
        from + self.deltas[from..to].partition_point(|delta| *delta <= value)
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
            let mut sorted: Vec<(f64, u32)> = values.iter().map(|value| value - level).zip(0..).collect();
            sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let (deltas, places): (Vec<f64>, Vec<u32>) = sorted.into_iter().unzip();
            let coarse = deltas.iter().step_by(STRIDE).copied().collect();
            SortedRow { deltas, places, coarse }
        })
    }
}

/// Adds the corners of a kink's part in the maintenance total.
pub fn add_corners(job: &Job<'_>, kink: &Kink, corners: &mut Vec<Corner>) {
    let Kink { row, requirement, .. } = *kink;
    let (offset, slope) = (requirement * kink.offset, requirement * kink.slope);
    if slope == 0.0 {
        if requirement != 0.0 && kink.offset > 0.0 {
            corners.push(Corner { row, rank: 0, offset, slope });
        }
        return;
    }
    let corner = -kink.offset / kink.slope;
    let rank = job.sorted_rows.row(job, row).rank(corner) as u32;
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
            let mut line = (0.0, 0.0);
            let sorted = job.sorted_rows.row(job, row);
            for (start, (delta, &place)) in starts.iter().zip(sorted.deltas.iter().zip(&sorted.places)) {
                line = (line.0 + start.0, line.1 + start.1);
                totals[place as usize] += line.0 + line.1 * delta;
            }
        }
    }
}
