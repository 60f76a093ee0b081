use rayon::prelude::*;

use crate::pricing::Rows;

/// What one row can reach over the scenario set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowRange {
    /// Value in the unshocked market.
    pub base: f64,
    /// Smallest value over the scenarios and the unshocked market.
    pub low: f64,
    /// Largest value over the scenarios and the unshocked market.
    pub high: f64,
    /// Smallest value − base.
    pub delta_low: f64,
    /// Largest value − base.
    pub delta_high: f64,
}

impl RowRange {
    /// Largest |value − base|.
    pub fn delta_largest(&self) -> f64 {
        self.delta_low.abs().max(self.delta_high.abs())
    }

    /// Largest |value|, the unshocked market included.
    pub fn value_largest(&self) -> f64 {
        self.low.abs().max(self.high.abs()).max(self.base.abs())
    }

    /// Largest |base| + |value − base|: the size of the two parts a program cuts the row into.
    pub fn parts_largest(&self) -> f64 {
        self.base.abs() + self.delta_largest()
    }

    /// Whether no scenario moves the row.
    pub fn is_constant(&self) -> bool {
        self.delta_low == 0.0 && self.delta_high == 0.0
    }
}

/// The range of every row, in row order. The unshocked market counts as one more scenario, so that the compile error
/// also bounds what is published at base.
pub fn row_ranges(rows: &Rows) -> Vec<RowRange> {
    (0..rows.len())
        .into_par_iter()
        .map(|row| {
            let base = rows.base[row];
            let (mut low, mut high) = (base, base);
            for &value in rows.shocked.row(row) {
                low = if value < low { value } else { low };
                high = if value > high { value } else { high };
            }
            RowRange { base, low, high, delta_low: low - base, delta_high: high - base }
        })
        .collect()
}
