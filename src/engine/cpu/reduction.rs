use super::nodes::{Values, larger, smaller};
use crate::engine::plan::SCENARIO_BLOCK;
use crate::program::Reduction;

/// Values at the points of a reduction, on a block. One per worker: the buffers are reused.
#[derive(Debug, Clone)]
pub struct Points {
    /// Largest or smallest value so far.
    extreme: Values,
    /// Every value, for order statistics: `[n_points]`.
    all: Vec<Values>,
    /// The values of one lane.
    lane: Vec<f64>,
}

impl Default for Points {
    fn default() -> Self {
        Self { extreme: [0.0; SCENARIO_BLOCK], all: Vec::new(), lane: Vec::new() }
    }
}

impl Points {
    /// Takes the values at a point, from 0 on.
    #[inline(always)]
    pub fn take(&mut self, reduction: Reduction, point: u32, values: &Values) {
        match reduction {
            Reduction::Max | Reduction::Min if point == 0 => self.extreme = *values,
            Reduction::Max => larger(&mut self.extreme, values),
            Reduction::Min => smaller(&mut self.extreme, values),
            Reduction::Rank(_) | Reduction::Tail { .. } => {
                if point == 0 {
                    self.all.clear();
                }
                self.all.push(*values);
            }
        }
    }

    /// What the reduction takes of all values.
    #[inline(always)]
    pub fn reduce(&mut self, reduction: Reduction, points: u32, out: &mut Values) {
        debug_assert!(matches!(reduction, Reduction::Max | Reduction::Min) || self.all.len() == points as usize);
        match reduction {
            Reduction::Max | Reduction::Min => *out = self.extreme,
            Reduction::Rank(rank) => self.by_lane(out, |values| largest_first(values, rank as usize - 1).1),
            Reduction::Tail { whole, fraction } => self.by_lane(out, |values| {
                let (sum, next) = largest_first(values, whole as usize);
                sum + fraction * next
            }),
        }
    }

    fn by_lane(&mut self, out: &mut Values, reduce: impl Fn(&mut [f64]) -> f64) {
        for (lane, out) in out.iter_mut().enumerate() {
            self.lane.clear();
            self.lane.extend(self.all.iter().map(|values| values[lane]));
            *out = reduce(&mut self.lane);
        }
    }
}

/// Sum of the `count` largest values, and the next one; 0 if there is none.
fn largest_first(values: &mut [f64], count: usize) -> (f64, f64) {
    if count >= values.len() {
        return (values.iter().sum(), 0.0);
    }
    let (largest, next, _) = values.select_nth_unstable_by(count, |a, b| b.total_cmp(a));
    (largest.iter().sum(), *next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduce(reduction: Reduction) -> f64 {
        let mut points = Points::default();
        for (point, value) in [3.0, -1.0, 7.0, 7.0, 2.0].into_iter().enumerate() {
            points.take(reduction, point as u32, &[value; SCENARIO_BLOCK]);
        }
        let mut out = [0.0; SCENARIO_BLOCK];
        points.reduce(reduction, 5, &mut out);
        assert!(out.iter().all(|value| *value == out[0]));
        out[0]
    }

    #[test]
    fn order_statistics_of_five_values() {
        assert_eq!([1, 2, 3, 4, 5].map(|rank| reduce(Reduction::Rank(rank))), [7.0, 7.0, 3.0, 2.0, -1.0]);
        assert_eq!((reduce(Reduction::Max), reduce(Reduction::Min)), (7.0, -1.0));
        assert_eq!(reduce(Reduction::Tail { whole: 2, fraction: 0.5 }), 15.5);
        assert_eq!(reduce(Reduction::Tail { whole: 0, fraction: 0.5 }), 3.5);
        assert_eq!(reduce(Reduction::Tail { whole: 5, fraction: 0.0 }), 18.0);
    }
}
