use rayon::prelude::*;

use crate::scenario::philox::Stream;

/// Resamples that an interval rests on.
const DRAWS: u64 = 2_000;
/// Seed of the resamples; any would do, one makes reports repeat.
const SEED: u64 = 1;
/// Share of resamples that lie outside an interval.
const OUTSIDE: f64 = 0.05;

/// An estimate and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Over all observations.
    pub estimate: f64,
    /// 2.5 % of resamples are lower.
    pub low: f64,
    /// 2.5 % of resamples are higher.
    pub high: f64,
}

/// The percentile interval of a statistic under resampling of `blocks` blocks with replacement. Blocks are months: volatility comes
/// in clusters, so that single moments would make it far too narrow (H. Künsch, Annals of Statistics 17 (1989) 1217–1241).
///
/// `statistic` is evaluated with the number of times each block counts. Resamples without the statistic are left out. `None` where it
/// is `None` of the observations themselves or of every resample.
pub(super) fn interval(blocks: usize, statistic: impl Fn(&[f64]) -> Option<f64> + Sync) -> Option<Interval> {
    let estimate = statistic(&vec![1.0; blocks])?;
    let stream = Stream::new(SEED, "forecast: months of a block bootstrap");
    let resample = |draw: u64| {
        let mut times = vec![0.0; blocks];
        for turn in 0..blocks {
            let [uniform, _] = stream.uniforms(draw, turn as u64);
            times[((uniform * blocks as f64) as usize).min(blocks - 1)] += 1.0;
        }
        statistic(&times)
    };
    let mut found: Vec<f64> = (0..DRAWS).into_par_iter().filter_map(resample).collect();
    found.sort_unstable_by(f64::total_cmp);
    let rank = |share: f64| found.get((share * found.len() as f64) as usize).copied();
    Some(Interval { estimate, low: rank(OUTSIDE / 2.0)?, high: rank(1.0 - OUTSIDE / 2.0)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean of values, one per block.
    fn mean_of(values: &[f64]) -> impl Fn(&[f64]) -> Option<f64> + Sync {
        move |times| {
            Some(values.iter().zip(times).map(|(value, times)| value * times).sum::<f64>() / times.iter().sum::<f64>())
        }
    }

    #[test]
    fn an_interval_is_as_wide_as_blocks_differ() {
        let values: Vec<f64> = (0..100).map(|at| f64::from(at % 2)).collect();
        let wide = interval(100, mean_of(&values)).expect("an interval");
        // A hundred fair coins: ½ ± 1.96 · ½/10.
        assert_eq!(wide.estimate, 0.5);
        assert!((wide.low - 0.402).abs() < 0.02 && (wide.high - 0.598).abs() < 0.02, "{wide:?}");
        let alike = interval(100, mean_of(&[0.25; 100])).expect("an interval");
        assert_eq!((alike.low, alike.high), (0.25, 0.25));
        assert_eq!(interval(100, |_| None), None);
    }
}
