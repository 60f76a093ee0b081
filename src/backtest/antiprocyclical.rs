//! Tools that keep a requirement from following the market too closely: a buffer, a stressed weight, a floor.
//!
//! At least one of the three is asked of central counterparties in the European Union (Delegated Regulation 153/2013,
//! article 28): a buffer of 25 % that may be drawn down, a weight of 25 % on stressed observations, a floor at what ten
//! years of history require.

/// A buffer on top of the calculated requirement, drawn down while that rises fast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buffer {
    /// Share of the calculated requirement, ≥ 0, for example 0.25.
    pub share: f64,
    /// Rows over which a rise is measured, ≥ 1.
    pub rise_rows: usize,
    /// Relative rise over them, ≥ 0, above which the buffer is drawn down.
    pub rise: f64,
    /// Rows in which an empty buffer fills up again, ≥ 1.
    pub rebuild_rows: usize,
}

impl Buffer {
    /// A buffer of this share that is drawn down while the requirement has risen by more than 10 % within five days, and
    /// fills up again in thirty. There are `rows_per_day` rows a day.
    pub fn of_share(share: f64, rows_per_day: usize) -> Self {
        Self { share, rise_rows: 5 * rows_per_day, rise: 0.1, rebuild_rows: 30 * rows_per_day }
    }

    /// The charged requirement for each calculated one (≥ 0), in order of time.
    ///
    /// It starts at (1 + share)·R. While R_t > (1 + rise)·R_{t−rise_rows} (before there are as many rows: the first one) the
    /// charge stays what it was, but never below R_t nor above (1 + share)·R_t: the buffer is drawn down, not the
    /// participant. In every other row the buffer's share grows by `share / rebuild_rows`, up to `share`.
    pub fn apply(&self, calculated: &[f64]) -> Vec<f64> {
        let mut filled = self.share;
        let mut charged: Vec<f64> = Vec::with_capacity(calculated.len());
        for (at, &requirement) in calculated.iter().enumerate() {
            let earlier = calculated[at.saturating_sub(self.rise_rows.max(1))];
            let full = (1.0 + self.share) * requirement;
            let charge = match charged.last() {
                Some(before) if requirement > (1.0 + self.rise) * earlier => before.max(requirement).min(full),
                _ => {
                    filled = self.share.min(filled + self.share / self.rebuild_rows.max(1) as f64);
                    (1.0 + filled) * requirement
                }
            };
            if requirement > 0.0 {
                filled = (charge / requirement - 1.0).clamp(0.0, self.share);
            }
            charged.push(charge);
        }
        charged
    }
}

/// A weight on a requirement calculated from stressed observations: (1 − weight)·calculated + weight·stressed, row by row.
/// `weight` lies in [0, 1].
pub fn weigh_stressed(calculated: &[f64], stressed: &[f64], weight: f64) -> Vec<f64> {
    let pairs = calculated.iter().zip(stressed);
    pairs.map(|(calculated, stressed)| (1.0 - weight) * calculated + weight * stressed).collect()
}

/// A requirement that never falls below the one of a long history: max(calculated, long), row by row.
pub fn floor_at(calculated: &[f64], long: &[f64]) -> Vec<f64> {
    calculated.iter().zip(long).map(|(calculated, long)| calculated.max(*long)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUFFER: Buffer = Buffer { share: 0.25, rise_rows: 1, rise: 0.1, rebuild_rows: 5 };

    /// Calculated 100, stressed 180, ten years 120: 125, 0.75·100 + 0.25·180 = 120, 120.
    #[test]
    fn the_three_tools_on_one_requirement() {
        assert_eq!(BUFFER.apply(&[100.0]), [125.0]);
        assert_eq!(weigh_stressed(&[100.0], &[180.0], 0.25), [120.0]);
        assert_eq!(floor_at(&[100.0], &[120.0]), [120.0]);
        assert_eq!(floor_at(&[130.0], &[120.0]), [130.0]);
    }

    #[test]
    fn a_fast_rise_draws_the_buffer_down_and_rest_rebuilds_it() {
        let charged = BUFFER.apply(&[100.0, 115.0, 140.0, 140.0, 140.0, 140.0, 140.0, 140.0, 140.0]);
        let expected = [125.0, 125.0, 140.0, 147.0, 154.0, 161.0, 168.0, 175.0, 175.0];
        for (charged, expected) in charged.iter().zip(expected) {
            assert!((charged - expected).abs() < 1e-9, "{charged} {expected}");
        }
    }

    #[test]
    fn a_slow_rise_and_a_fall_keep_the_buffer() {
        assert_eq!(BUFFER.apply(&[100.0, 105.0, 60.0, 0.0, 8.0]), [125.0, 131.25, 75.0, 0.0, 8.0]);
    }
}
