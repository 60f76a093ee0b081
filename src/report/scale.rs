//! Axes: where a value stands, and which values are worth a tick.

/// A linear or logarithmic axis over finite values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// From 0 to the upper end (> 0).
    Linear(f64),
    /// From a power of ten to a power of ten, as exponents; the first is smaller.
    Log(i32, i32),
}

impl Scale {
    /// A linear axis from 0 that holds `largest` and ends on a tick; up to 1 where nothing is positive.
    pub(super) fn linear(largest: f64) -> Self {
        if !(largest.is_finite() && largest > 0.0) {
            return Self::Linear(1.0);
        }
        let step = nice_step(largest);
        let end = libm::ceil(largest / step - 1e-9) * step;
        Self::Linear(if end.is_finite() && end > 0.0 { end } else { largest })
    }

    /// A logarithmic axis where the positive values span more than a factor of 50, a linear one otherwise.
    pub(super) fn fitting(smallest: f64, largest: f64) -> Self {
        let is_positive = smallest.is_finite() && largest.is_finite() && smallest > 0.0;
        if is_positive && largest / smallest > 50.0 { Self::log(smallest, largest) } else { Self::linear(largest) }
    }

    /// A logarithmic axis over whole decades around these positive values.
    pub(super) fn log(smallest: f64, largest: f64) -> Self {
        let low = libm::floor(libm::log10(smallest) + 1e-9) as i32;
        let high = libm::ceil(libm::log10(largest) - 1e-9) as i32;
        Self::Log(low, high.max(low + 1))
    }

    /// Position of a value along the axis, in [0, 1]: values outside, and values that are no number, go to the ends.
    pub(super) fn place(self, value: f64) -> f64 {
        let place = match self {
            Self::Linear(end) => value / end,
            Self::Log(low, high) if value > 0.0 => (libm::log10(value) - f64::from(low)) / f64::from(high - low),
            Self::Log(..) => 0.0,
        };
        if place.is_nan() { 0.0 } else { place.clamp(0.0, 1.0) }
    }

    /// Values to label, at most seven.
    pub(super) fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear(end) => {
                let step = nice_step(end);
                (0..=(end / step + 1e-9) as usize).map(|at| at as f64 * step).collect()
            }
            Self::Log(low, high) => {
                let stride = (high - low).div_euclid(6) + i32::from((high - low) % 6 != 0);
                (low..=high).step_by(stride.max(1) as usize).map(|exponent| libm::pow(10.0, exponent.into())).collect()
            }
        }
    }
}

/// Signed values on an axis: where each stands between the two ends, 0 included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed {
    /// The lower end, ≤ 0.
    pub(super) low: f64,
    /// The upper end, ≥ 0.
    pub(super) high: f64,
}

impl Signed {
    /// An axis over these values; `None` where none is finite and different from 0.
    pub(super) fn over(values: impl Iterator<Item = f64>) -> Option<Self> {
        let start = Self { low: 0.0, high: 0.0 };
        let axis = values
            .filter(|value| value.is_finite())
            .fold(start, |axis, value| Self { low: axis.low.min(value), high: axis.high.max(value) });
        let width = axis.high - axis.low;
        (width.is_finite() && width > 0.0).then_some(axis)
    }

    /// Position of a value, in [0, 1] from the lower end.
    pub(super) fn place(self, value: f64) -> f64 {
        let place = (value - self.low) / (self.high - self.low);
        if place.is_nan() { 0.0 } else { place.clamp(0.0, 1.0) }
    }

    /// Values to label, a nice step apart.
    pub(super) fn ticks(self) -> Vec<f64> {
        let step = Scale::linear(self.high - self.low).ticks().get(1).copied().unwrap_or(1.0);
        let first = libm::ceil(self.low / step - 1e-9);
        let last = libm::floor(self.high / step + 1e-9);
        (0..=(last - first) as usize).map(|at| (first + at as f64) * step).collect()
    }
}

/// 1, 2 or 5 times a power of ten, three to six of which reach `end` (> 0).
fn nice_step(end: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(end / 4.0)));
    let candidates = [1.0, 2.0, 5.0].map(|factor| factor * power);
    candidates.into_iter().find(|step| end / step <= 6.0).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_nice_and_few() {
        assert_eq!(Scale::linear(0.87).ticks().len(), 6);
        assert_eq!(Scale::linear(1_234.0), Scale::Linear(1_500.0));
        assert_eq!(Scale::linear(0.0).ticks().first(), Some(&0.0));
        for largest in [1e-300, 3.7e-5, 1.0, 6.0, 7.0, 99.0, 1e17, 1e300] {
            let ticks = Scale::linear(largest).ticks();
            assert!((3..=7).contains(&ticks.len()), "{largest}: {ticks:?}");
            assert!(ticks.iter().all(|tick| tick.is_finite()));
        }
        assert_eq!(Scale::fitting(1.0, 1e9).ticks().len(), 5);
        assert_eq!(Scale::fitting(1.0, 20.0), Scale::Linear(20.0));
        assert_eq!(Scale::fitting(0.0, 20.0), Scale::Linear(20.0));
        assert_eq!(Scale::log(0.01, 1.0).ticks(), [0.01, 0.1, 1.0]);
    }

    #[test]
    fn places_stay_on_the_axis() {
        for scale in [Scale::Linear(2.0), Scale::Log(-2, 1)] {
            for value in [-1.0, 0.0, 1e-9, 1.0, 1e9, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!((0.0..=1.0).contains(&scale.place(value)));
            }
        }
        assert_eq!(Scale::Log(-2, 0).place(0.1), 0.5);
    }
}
