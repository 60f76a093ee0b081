use rayon::prelude::*;

use crate::pricing::Rows;

/// What one row can reach over the scenario set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowRange {
    /// What Δ is measured from: the value in the unshocked market, or 0 for a row that already is a difference.
    pub level: f64,
    /// Smallest value over the scenarios and the unshocked market.
    pub low: f64,
    /// Largest value over the scenarios and the unshocked market.
    pub high: f64,
    /// Smallest Δ = value − level.
    pub delta_low: f64,
    /// Largest Δ = value − level.
    pub delta_high: f64,
}

impl RowRange {
    /// Largest |Δ|.
    pub fn delta_largest(&self) -> f64 {
        self.delta_low.abs().max(self.delta_high.abs())
    }

    /// Largest |value|, the unshocked market included.
    pub fn value_largest(&self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    /// Largest |level| + |Δ|: the size of the two parts a program cuts the row into.
    pub fn parts_largest(&self) -> f64 {
        self.level.abs() + self.delta_largest()
    }

    /// Whether the row is its level in every scenario and in the unshocked market, so that a program needs no term for it.
    pub fn is_constant(&self) -> bool {
        self.delta_low == 0.0 && self.delta_high == 0.0
    }

    /// What any of some neighbouring rows can reach, and the largest of their levels in absolute value.
    pub(super) fn hull(rows: &[Self]) -> Self {
        let join = |hull: Self, row: &Self| Self {
            level: if row.level.abs() > hull.level.abs() { row.level } else { hull.level },
            low: hull.low.min(row.low),
            high: hull.high.max(row.high),
            delta_low: hull.delta_low.min(row.delta_low),
            delta_high: hull.delta_high.max(row.delta_high),
        };
        let nothing = Self { level: 0.0, low: 0.0, high: 0.0, delta_low: 0.0, delta_high: 0.0 };
        rows.split_first().map_or(nothing, |(first, rest)| rest.iter().fold(*first, join))
    }
}

/// The range of every row, in row order. The unshocked market counts as one more scenario, so that the compile error
/// also bounds what is published at base.
pub fn row_ranges(rows: &Rows) -> Vec<RowRange> {
    (0..rows.len())
        .into_par_iter()
        .map(|row| {
            let (base, level) = (rows.base[row], rows.level[row]);
            let (mut low, mut high) = (base, base);
            for &value in rows.shocked.row(row) {
                low = if value < low { value } else { low };
                high = if value > high { value } else { high };
            }
            RowRange { level, low, high, delta_low: low - level, delta_high: high - level }
        })
        .collect()
}
