//! A requirement that moves with a history: the tail of a portfolio's own losses over the rows before.

use super::antiprocyclical::{Buffer, floor_at, weigh_stressed};

/// How a requirement follows a history, and what dampens it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rolling {
    /// Earlier observations that the requirement is calculated from, ≥ 1.
    pub window: usize,
    /// Earlier observations that the floor is calculated from, as many as there are up to this, ≥ `window`.
    pub floor_window: usize,
    /// Weight of the stressed requirement, in [0, 1].
    pub stressed_weight: f64,
    /// The buffer.
    pub buffer: Buffer,
}

/// Requirements by row, one for each observation from `start` on, quote units.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RollingSeries {
    /// First observation with a full window before it.
    pub(super) start: usize,
    /// No tool.
    pub(super) calculated: Vec<f64>,
    /// With the buffer.
    pub(super) buffered: Vec<f64>,
    /// With the weight on stressed observations.
    pub(super) stressed: Vec<f64>,
    /// With the long-run floor.
    pub(super) floored: Vec<f64>,
}

impl Rolling {
    /// Requirements over `losses` (in order of time) at a confidence `level`, where a loss is known `horizon` (≥ 1) rows after
    /// its observation: each is the level's quantile of the `window` losses known before, at least 0. The stressed one is the
    /// highest calculated so far; the floor is the quantile over `floor_window` losses. Nothing looks ahead.
    pub(super) fn series(&self, losses: &[f64], level: f64, horizon: usize) -> RollingSeries {
        let start = (self.window + horizon - 1).min(losses.len());
        let known = &losses[..losses.len().saturating_sub(horizon)];
        let calculated = quantiles(known, (self.window, self.window), level);
        let long = quantiles(known, (self.window, self.floor_window.max(self.window)), level);
        let highest: Vec<f64> = calculated
            .iter()
            .scan(0.0, |highest: &mut f64, requirement| {
                *highest = highest.max(*requirement);
                Some(*highest)
            })
            .collect();
        RollingSeries {
            start,
            buffered: self.buffer.apply(&calculated),
            stressed: weigh_stressed(&calculated, &highest, self.stressed_weight),
            floored: floor_at(&calculated, &long),
            calculated,
        }
    }
}

/// After each loss from the `least`-th on: the quantile of the last `most` ones, or of all there are, at least 0.
fn quantiles(losses: &[f64], (least, most): (usize, usize), level: f64) -> Vec<f64> {
    let mut sorted: Vec<f64> = Vec::new();
    let place = |sorted: &[f64], loss: f64| sorted.partition_point(|other| other.total_cmp(&loss).is_lt());
    let mut quantiles = Vec::new();
    for (at, &loss) in losses.iter().enumerate() {
        sorted.insert(place(&sorted, loss), loss);
        if at >= most {
            sorted.remove(place(&sorted, losses[at - most]));
        }
        if at + 1 >= least {
            quantiles.push(quantile(&sorted, level).max(0.0));
        }
    }
    quantiles
}

/// The smallest value that at least a share `level` of the sorted ones do not exceed; `sorted` is not empty.
fn quantile(sorted: &[f64], level: f64) -> f64 {
    // A level such as 0.99 is a little off its decimal: what is a whole rank must stay one.
    let rank = libm::ceil(level * sorted.len() as f64 - 1e-9) as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLLING: Rolling = Rolling {
        window: 4,
        floor_window: 6,
        stressed_weight: 0.25,
        buffer: Buffer { share: 0.25, rise_rows: 1, rise: 0.1, rebuild_rows: 2 },
    };

    #[test]
    fn ranks_of_a_quantile() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([0.99, 0.995, 0.0, 1.0].map(|level| quantile(&hundred, level)), [99.0, 100.0, 1.0, 100.0]);
        assert_eq!(quantile(&[7.0], 0.5), 7.0);
    }

    /// Level 75 % of four losses is the third smallest.
    #[test]
    fn windows_hold_only_what_was_known() {
        let losses = [5.0, 1.0, 9.0, 3.0, -2.0, -3.0, -4.0, -5.0, 100.0];
        let series = ROLLING.series(&losses, 0.75, 1);
        assert_eq!(series.start, 4);
        // Windows {5,1,9,3}, {1,9,3,−2}, {9,3,−2,−3}, {3,−2,−3,−4}, {−2,−3,−4,−5} end before observations 4 to 8.
        assert_eq!(series.calculated, [5.0, 3.0, 3.0, 0.0, 0.0]);
        assert_eq!(series.stressed, [5.0, 3.5, 3.5, 1.25, 1.25]);
        // Ranks 3 of 4, 4 of 5, then 5 of the last six.
        assert_eq!(series.floored, [5.0, 5.0, 5.0, 3.0, 3.0]);
        assert_eq!(series.buffered.len(), 5);
        let late = ROLLING.series(&losses, 0.75, 2);
        assert_eq!((late.start, late.calculated.len()), (5, 4));
        assert_eq!(late.calculated, series.calculated[..4]);
    }

    #[test]
    fn a_short_history_has_no_series() {
        for losses in [&[][..], &[1.0], &[1.0; 4]] {
            let series = ROLLING.series(losses, 0.99, 1);
            assert_eq!((series.start, series.calculated.len()), (losses.len(), 0));
        }
    }
}
