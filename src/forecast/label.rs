use super::realised::HORIZON;

/// Hours of realised variances that the threshold of a spike looks back on: 180 days.
pub(super) const THRESHOLD_HOURS: usize = 4_320;
/// Share of those that the threshold exceeds.
const THRESHOLD_LEVEL: f64 = 0.9;

/// Realised variance above which the next 24 hours are a spike: the 90th percentile, linearly interpolated, of the realised
/// variances of 24 hours that ended in the trailing 180 days. `day_variances[b]` ends with bar b. `None` where the history is
/// shorter.
pub(super) fn spike_threshold(day_variances: &[f64], known: usize) -> Option<f64> {
    let start = known.checked_sub(THRESHOLD_HOURS).filter(|&start| start >= HORIZON)?;
    let mut window = day_variances[start..known].to_vec();
    let position = THRESHOLD_LEVEL * (window.len() - 1) as f64;
    let below = position as usize;
    let (_, lower, above) = window.select_nth_unstable_by(below, f64::total_cmp);
    let lower = *lower;
    let upper = above.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
    Some(lower + (upper - lower) * (position - below as f64))
}

/// Realised variance of the 24 hours that follow the first `known` bars; `None` where the history ends before them.
pub(super) fn realised_next(day_variances: &[f64], known: usize) -> Option<f64> {
    day_variances.get(known + HORIZON - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_the_ninetieth_percentile_of_180_days() {
        let variances: Vec<f64> = (0..THRESHOLD_HOURS + HORIZON).rev().map(|value| value as f64).collect();
        assert_eq!(spike_threshold(&variances, THRESHOLD_HOURS + HORIZON - 1), None);
        let threshold = spike_threshold(&variances, THRESHOLD_HOURS + HORIZON).expect("long enough");
        assert!((threshold - 0.9 * (THRESHOLD_HOURS - 1) as f64).abs() < 1e-9, "{threshold}");
    }

    #[test]
    fn the_outcome_is_the_variance_of_the_next_day() {
        let variances: Vec<f64> = (0..50).map(f64::from).collect();
        assert_eq!((realised_next(&variances, 26), realised_next(&variances, 27)), (Some(49.0), None));
    }
}
