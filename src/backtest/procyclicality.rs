//! How much a requirement moves with the market.

/// Measures of a requirement over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Procyclicality {
    /// Largest requirement / smallest one; `None` where the smallest is 0, or nothing was required.
    pub peak_to_trough: Option<f64>,
    /// Largest relative rise over exactly 1, 5 and 30 days, R_{t+n}/R_t − 1; negative where it only fell, `None` where the series
    /// is too short or every earlier requirement is 0.
    pub largest_rise: [Option<f64>; 3],
    /// Standard deviation of the relative changes from row to row, with n − 1; `None` for fewer than two changes.
    pub change_deviation: Option<f64>,
}

impl Procyclicality {
    /// Days over which the largest rise is looked for.
    pub const DAYS: [usize; 3] = [1, 5, 30];

    /// Measures a series of requirements (≥ 0) with `rows_per_day` rows a day (≥ 1).
    pub fn of(series: &[f64], rows_per_day: usize) -> Self {
        let lowest = series.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = series.iter().copied().fold(0.0, f64::max);
        Self {
            peak_to_trough: (lowest > 0.0 && lowest.is_finite()).then(|| highest / lowest),
            largest_rise: Self::DAYS
                .map(|days| changes(series, days.saturating_mul(rows_per_day.max(1))).reduce(f64::max)),
            change_deviation: deviation(&changes(series, 1).collect::<Vec<_>>()),
        }
    }
}

/// Relative changes over `rows` rows; those from 0 are left out.
fn changes(series: &[f64], rows: usize) -> impl Iterator<Item = f64> {
    let pairs = series.iter().zip(series.iter().skip(rows));
    pairs.filter(|(earlier, _)| **earlier > 0.0).map(|(earlier, later)| later / earlier - 1.0)
}

fn deviation(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (values.len() > 1).then(|| libm::sqrt(squares / (n - 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_of_a_short_series() {
        let measures = Procyclicality::of(&[100.0, 110.0, 99.0, 99.0, 120.0, 150.0], 1);
        assert_eq!(measures.peak_to_trough, Some(150.0 / 99.0));
        assert!((measures.largest_rise[0].unwrap() - 0.25).abs() < 1e-12);
        assert!((measures.largest_rise[1].unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(measures.largest_rise[2], None);
        // Changes 0.1, −0.1, 0: mean 0, variance 0.02/2.
        let deviation = Procyclicality::of(&[100.0, 110.0, 99.0, 99.0], 1).change_deviation.unwrap();
        assert!((deviation - 0.1).abs() < 1e-12);
        assert_eq!(Procyclicality::of(&[1.0, 1.0, 2.0], 2).largest_rise[0], Some(1.0));
    }

    #[test]
    fn no_requirement_is_no_measure() {
        for series in [&[][..], &[0.0, 0.0], &[5.0]] {
            let measures = Procyclicality::of(series, 1);
            assert_eq!((measures.largest_rise, measures.change_deviation), ([None; 3], None));
        }
        assert_eq!(Procyclicality::of(&[0.0, 4.0], 1).peak_to_trough, None);
        assert_eq!(Procyclicality::of(&[5.0], 1).peak_to_trough, Some(1.0));
    }
}
