use super::history::Bars;

/// Variance per hour below which a price is taken to stand still within its tick; it bounds logarithms of variances from below.
pub const VARIANCE_FLOOR: f64 = 1e-10;
/// Hours that a forecast covers.
pub const HORIZON: usize = 24;

/// What the features of one asset are made of: one number per bar.
#[derive(Debug, Clone)]
pub(super) struct Moves {
    /// Logarithms of the closes.
    pub(super) log_close: Vec<f64>,
    /// Log returns close to close; 0 in the first bar, which has none.
    pub(super) returns: Vec<f64>,
    /// Garman and Klass's variance of each bar, ½ ln²(H/L) − (2 ln 2 − 1) ln²(C/O), ≥ 0 (M. Garman, M. Klass, J. of Business 53
    /// (1980) 67–78).
    pub(super) range_variances: Vec<f64>,
    /// Realised variance of the 24 returns up to and with each bar, at least the floor; the floor where there are fewer.
    pub(super) day_variances: Vec<f64>,
    /// ln(1 + volume of the 24 bars up to and with each), where volumes are known.
    pub(super) log_day_volumes: Option<Vec<f64>>,
}

impl Moves {
    pub(super) fn of(bars: &Bars) -> Self {
        let log_close: Vec<f64> = bars.close.iter().map(|&close| libm::log(close)).collect();
        let mut returns: Vec<f64> = log_close.windows(2).map(|pair| pair[1] - pair[0]).collect();
        returns.insert(0, 0.0);
        let range_variances = (0..bars.close.len()).map(|bar| range_variance(bars, bar)).collect();
        let ends = 1..=returns.len();
        let day_variances = ends.clone().map(|end| realised_variance(&returns, end)).collect();
        let day_volume =
            |volume: &Vec<f64>, end: usize| libm::log1p(volume[end.saturating_sub(HORIZON)..end].iter().sum());
        let log_day_volumes = bars.volume.as_ref().map(|volume| ends.map(|end| day_volume(volume, end)).collect());
        Self { log_close, returns, range_variances, day_variances, log_day_volumes }
    }
}

/// Σ of the 24 squared returns before `end`, at least 24 times the floor; 24 times the floor where there are fewer.
fn realised_variance(returns: &[f64], end: usize) -> f64 {
    let least = HORIZON as f64 * VARIANCE_FLOOR;
    match end.checked_sub(HORIZON).filter(|&start| start > 0) {
        Some(start) => returns[start..end].iter().map(|r| r * r).sum::<f64>().max(least),
        None => least,
    }
}

fn range_variance(bars: &Bars, bar: usize) -> f64 {
    let range = libm::log(bars.high[bar]) - libm::log(bars.low[bar]);
    let body = libm::log(bars.close[bar]) - libm::log(bars.open[bar]);
    (0.5 * range * range - (2.0 * std::f64::consts::LN_2 - 1.0) * body * body).max(0.0)
}

/// Mean of squares; the floor where it is less.
pub(super) fn mean_square(returns: &[f64]) -> f64 {
    mean(returns.iter().map(|r| r * r), returns.len()).max(VARIANCE_FLOOR)
}

/// Mean of `count` values, summed in order; 0 of none.
pub(super) fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    if count == 0 { 0.0 } else { values.sum::<f64>() / count as f64 }
}

/// Standard deviation of a population; 0 of none.
pub(super) fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values.iter().copied(), values.len());
    libm::sqrt(mean(values.iter().map(|value| (value - centre) * (value - centre)), values.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variances_of_a_bar_and_of_a_day_are_those_of_a_hand() {
        let close: Vec<f64> = (0..30).map(|hour| if hour % 2 == 0 { 100.0 } else { 110.0 }).collect();
        let open = close.clone();
        let bars = Bars {
            name: "A".into(),
            high: vec![120.0; 30],
            low: vec![90.0; 30],
            open,
            close,
            volume: Some(vec![1.0; 30]),
        };
        let moves = Moves::of(&bars);
        let step = (1.1_f64).ln();
        assert!((moves.day_variances[24] - 24.0 * step * step).abs() < 1e-12, "24 returns end in bar 24");
        assert_eq!(moves.day_variances[23], 24.0 * VARIANCE_FLOOR, "the first bar has no return");
        assert!((moves.range_variances[0] - 0.5 * (4.0_f64 / 3.0).ln().powi(2)).abs() < 1e-12);
        assert!((moves.log_day_volumes.expect("volumes")[29] - 25.0_f64.ln()).abs() < 1e-12);
        assert_eq!(mean_square(&[0.0, 0.0]), VARIANCE_FLOOR);
        assert_eq!(deviation(&[1.0, 3.0]), 1.0);
    }
}
