use super::realised::{Moves, VARIANCE_FLOOR, deviation, mean, mean_square};

/// Bars that the features of a moment look back, with the return before the oldest window.
pub(super) const LOOK_BACK: usize = MONTH + DAY + 1;

const DAY: usize = 24;
const WEEK: usize = 168;
const MONTH: usize = 720;
/// Windows of the log volatilities of log-HAR: a day, a week, a month.
const HAR_WINDOWS: [usize; 3] = [DAY, WEEK, MONTH];
const RETURN_WINDOWS: [usize; 4] = [6, DAY, WEEK, MONTH];
const RANGE_WINDOWS: [usize; 4] = [1, 6, DAY, WEEK];

/// What log-HAR looks at, known with the first `known` bars: ½ ln of the mean squared hourly return over a day, a week and a month
/// (F. Corsi, J. of Financial Econometrics 7 (2009) 174–196, in logarithms).
pub(super) fn har_terms(moves: &Moves, known: usize) -> Vec<f64> {
    HAR_WINDOWS.iter().map(|&window| log_volatility(&moves.returns[known - window..known])).collect()
}

/// Names of the terms of log-HAR.
pub(super) fn har_names() -> Vec<String> {
    HAR_WINDOWS.iter().map(|window| format!("log_volatility_{window}")).collect()
}

/// Names of all features, in the order of [`features`].
pub(super) fn names(asset: &str, companions: &[&str], has_volume: HasVolume) -> Vec<String> {
    let mut names = Vec::new();
    for prefix in std::iter::once(&asset).chain(companions) {
        let windows = |kind: &str, windows: &[usize]| -> Vec<String> {
            windows.iter().map(|window| format!("{prefix}:{kind}_{window}")).collect()
        };
        names.extend(windows("log_volatility", &RETURN_WINDOWS));
        names.extend(windows("log_range_volatility", &RANGE_WINDOWS));
        names.extend(windows("downside_share", &[DAY, WEEK]));
        names.push(format!("{prefix}:jump_ratio"));
        names.extend(windows("return", &[DAY, WEEK]));
        names.push(format!("{prefix}:drawdown"));
        names.push(format!("{prefix}:volatility_of_volatility"));
    }
    names.extend(companions.iter().map(|companion| format!("{companion}:correlation")));
    if has_volume == HasVolume::Yes {
        names.push(format!("{asset}:volume_score"));
    }
    names.extend(["hour_sine", "hour_cosine", "weekend"].map(String::from));
    names
}

/// Whether volumes of the asset are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HasVolume {
    Yes,
    No,
}

/// All features of a moment: those of the asset and of each companion, their correlations, volume, time. `known` ≥ [`LOOK_BACK`].
pub(super) fn features(asset: &Moves, companions: &[Moves], known: usize, moment: i64) -> Vec<f64> {
    let mut row = Vec::new();
    for moves in std::iter::once(asset).chain(companions) {
        push_course(&mut row, moves, known);
    }
    let week = known - WEEK..known;
    row.extend(companions.iter().map(|other| correlation(&asset.returns[week.clone()], &other.returns[week.clone()])));
    row.extend(asset.log_day_volumes.as_deref().map(|volumes| volume_score(&volumes[known - MONTH..known])));
    push_time(&mut row, moment);
    row
}

fn push_course(row: &mut Vec<f64>, moves: &Moves, known: usize) {
    let returns = |window: usize| &moves.returns[known - window..known];
    row.extend(RETURN_WINDOWS.iter().map(|&window| log_volatility(returns(window))));
    row.extend(RANGE_WINDOWS.iter().map(|&window| log_range_volatility(&moves.range_variances[known - window..known])));
    row.extend([DAY, WEEK].map(|window| downside_share(returns(window))));
    row.push(jump_ratio(returns(DAY)));
    row.extend([DAY, WEEK].map(|window| moves.log_close[known - 1] - moves.log_close[known - 1 - window]));
    let highest = moves.log_close[known - MONTH..known].iter().fold(f64::NEG_INFINITY, |high, &close| high.max(close));
    row.push(moves.log_close[known - 1] - highest);
    let logs: Vec<f64> =
        moves.day_variances[known - MONTH..known].iter().map(|&variance| 0.5 * libm::log(variance)).collect();
    row.push(deviation(&logs));
}

/// ½ ln of the mean squared return.
fn log_volatility(returns: &[f64]) -> f64 {
    0.5 * libm::log(mean_square(returns))
}

fn log_range_volatility(variances: &[f64]) -> f64 {
    0.5 * libm::log(mean(variances.iter().copied(), variances.len()).max(VARIANCE_FLOOR))
}

/// Share of the squared returns that falls brought; ½ where nothing moved.
fn downside_share(returns: &[f64]) -> f64 {
    let total: f64 = returns.iter().map(|r| r * r).sum();
    let falls: f64 = returns.iter().filter(|r| **r < 0.0).map(|r| r * r).sum();
    if total > 0.0 { falls / total } else { 0.5 }
}

/// Share of the realised variance that bipower variation does not explain, in [0, 1] (O. Barndorff-Nielsen, N. Shephard, J. of
/// Financial Econometrics 2 (2004) 1–37); 0 where nothing moved.
fn jump_ratio(returns: &[f64]) -> f64 {
    let total: f64 = returns.iter().map(|r| r * r).sum();
    let products: f64 = returns.windows(2).map(|pair| pair[0].abs() * pair[1].abs()).sum();
    let bipower = std::f64::consts::FRAC_PI_2 * products;
    if total > 0.0 { (1.0 - bipower / total).max(0.0) } else { 0.0 }
}

/// Correlation of returns about zero means; 0 where either stands still.
fn correlation(first: &[f64], second: &[f64]) -> f64 {
    let product = |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(x, y)| x * y).sum::<f64>();
    let scale = libm::sqrt(product(first, first)) * libm::sqrt(product(second, second));
    if scale > 0.0 { product(first, second) / scale } else { 0.0 }
}

/// How far the last day's volume is from its mean of a month, in standard deviations; 0 where it never changed.
fn volume_score(volumes: &[f64]) -> f64 {
    let spread = deviation(volumes);
    let last = volumes.last().copied().unwrap_or(0.0);
    if spread > 0.0 { (last - mean(volumes.iter().copied(), volumes.len())) / spread } else { 0.0 }
}

fn push_time(row: &mut Vec<f64>, moment: i64) {
    let angle = std::f64::consts::TAU * moment.rem_euclid(24) as f64 / 24.0;
    // 1970-01-01 was a Thursday: days 2 and 3 of each week from it are Saturday and Sunday.
    let weekend = matches!(moment.div_euclid(24).rem_euclid(7), 2 | 3);
    row.extend([libm::sin(angle), libm::cos(angle), f64::from(weekend)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_of_short_series_are_those_of_a_hand() {
        assert_eq!(downside_share(&[0.1, -0.1]), 0.5);
        assert_eq!((downside_share(&[0.0]), jump_ratio(&[0.0, 0.0]), correlation(&[0.0], &[1.0])), (0.5, 0.0, 0.0));
        assert!((jump_ratio(&[0.0, 0.3, 0.0]) - 1.0).abs() < 1e-12, "one move among none is a jump");
        assert!((correlation(&[0.1, -0.2], &[0.2, -0.4]) - 1.0).abs() < 1e-12);
        assert_eq!(volume_score(&[1.0, 1.0]), 0.0);
        assert!((volume_score(&[1.0, 3.0]) - 1.0).abs() < 1e-12);
        assert!((log_volatility(&[0.01, -0.01]) - 0.01_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn weekends_are_saturdays_and_sundays() {
        let weekend = |moment: i64| {
            let mut row = Vec::new();
            push_time(&mut row, moment);
            row[2]
        };
        // 2026-03-27 was a Friday.
        let friday = 20_539 * 24;
        assert_eq!([0, 24, 48, 71, 72].map(|hours| weekend(friday + hours)), [0.0, 1.0, 1.0, 1.0, 0.0]);
    }
}
