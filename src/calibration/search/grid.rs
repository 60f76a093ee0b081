use crate::calibration::landscape::{Axis, Strict};

/// More steps than any tolerance asks for; sums and products of steps stay exact.
const MOST_STEPS: f64 = 1_099_511_627_776.0;

/// The values of an axis that are tried: multiples of its tolerance from its lower end, and its upper end. They are
/// counted in steps from the strict end, so that more steps are looser; an axis without order is counted from below.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) old: f64,
    pub(super) strict: Strict,
    /// Steps from one end to the other, ≥ 1.
    pub(super) steps: u64,
    width: f64,
}

impl Grid {
    pub(super) fn of(axis: &Axis) -> Self {
        let (low, high, range) = (axis.low, axis.high, axis.high - axis.low);
        // A range that is nearly a whole number of tolerances has no sliver of a step at its end.
        let steps = libm::ceil(range / axis.tolerance - 1e-9).clamp(1.0, MOST_STEPS);
        let width = if steps < MOST_STEPS { axis.tolerance } else { range / steps };
        Self { low, high, old: axis.old, strict: axis.strict, steps: steps as u64, width }
    }

    /// The value that many steps from the strict end.
    pub(super) fn value(&self, step: u64) -> f64 {
        let index = if self.strict == Strict::High { self.steps.saturating_sub(step) } else { step };
        if index >= self.steps { self.high } else { (self.low + index as f64 * self.width).min(self.high) }
    }

    /// The step whose value is nearest.
    pub(super) fn step(&self, value: f64) -> u64 {
        let index = libm::round((value - self.low) / self.width).max(0.0) as u64;
        // The last step may be shorter than the others.
        let before_last = self.low + (self.steps - 1) as f64 * self.width;
        let index = if self.high - value <= value - before_last { self.steps } else { index.min(self.steps - 1) };
        if self.strict == Strict::High { self.steps - index } else { index }
    }

    /// Whether the axis has an order.
    pub(super) fn is_monotone(&self) -> bool {
        self.strict != Strict::Neither
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(strict: Strict) -> Axis {
        Axis { name: "rate".into(), old: 0.5, low: 0.1, high: 0.45, tolerance: 0.1, strict }
    }

    #[test]
    fn steps_count_from_the_strict_end() {
        let values = |strict| {
            let grid = Grid::of(&axis(strict));
            (0..=grid.steps).map(|step| (grid.value(step) * 100.0).round() as i64).collect::<Vec<_>>()
        };
        assert_eq!(values(Strict::Low), [10, 20, 30, 40, 45]);
        assert_eq!(values(Strict::Neither), values(Strict::Low));
        assert_eq!(values(Strict::High), [45, 40, 30, 20, 10]);
    }

    #[test]
    fn values_snap_to_the_nearest_step_within_the_range() {
        let grid = Grid::of(&axis(Strict::Low));
        assert_eq!([-9.0, 0.24, 0.26, 0.45, f64::INFINITY].map(|value| grid.step(value)), [0, 1, 2, 4, 4]);
        let grid = Grid::of(&axis(Strict::High));
        for step in 0..=4 {
            assert_eq!(grid.step(grid.value(step)), step);
        }
    }

    #[test]
    fn a_tolerance_too_small_to_count_is_widened() {
        let grid = Grid::of(&Axis { tolerance: 1e-300, ..axis(Strict::High) });
        assert_eq!((grid.value(0), grid.value(grid.steps)), (0.45, 0.1));
        let exact = Grid::of(&Axis { low: 0.0, high: 0.3, tolerance: 0.1, ..axis(Strict::Low) });
        assert_eq!(exact.steps, 3, "0.3 / 0.1 rounds up to a little more than 3");
    }
}
