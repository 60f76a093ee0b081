use super::scores::Call;

/// Bins of a reliability table.
const BINS: usize = 10;

/// Forecasts of like probability, and how often a spike came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Least probability.
    pub low: f64,
    /// Largest probability.
    pub high: f64,
    /// Forecasts.
    pub count: usize,
    /// Mean probability.
    pub forecast: f64,
    /// Share of those after which a spike came.
    pub observed: f64,
}

/// Ten bins of as equal numbers of forecasts as can be, from the lowest probabilities to the highest; equal probabilities may fall
/// into neighbouring bins. Bins that would be empty are left out.
pub(super) fn reliability(calls: &[Call]) -> Vec<Bin> {
    let mut sorted: Vec<(f64, bool)> = calls.iter().map(|call| (call.probability, call.came)).collect();
    sorted.sort_by(|first, second| first.0.total_cmp(&second.0).then(first.1.cmp(&second.1)));
    let edge = |bin: usize| bin * sorted.len() / BINS;
    (0..BINS).filter_map(|bin| Bin::of(&sorted[edge(bin)..edge(bin + 1)])).collect()
}

impl Bin {
    fn of(sorted: &[(f64, bool)]) -> Option<Self> {
        let count = sorted.len();
        Some(Self {
            low: sorted.first()?.0,
            high: sorted.last()?.0,
            count,
            forecast: sorted.iter().map(|(probability, _)| probability).sum::<f64>() / count as f64,
            observed: sorted.iter().filter(|(_, came)| *came).count() as f64 / count as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_a_tenth_each() {
        let calls: Vec<Call> =
            (0..95).map(|at| Call { probability: f64::from(at) / 100.0, came: at % 2 == 0 }).collect();
        let bins = reliability(&calls);
        assert_eq!(bins.len(), 10);
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), 95);
        assert_eq!((bins[0].low, bins[0].high, bins[0].count), (0.0, 0.08, 9));
        assert!((bins[0].forecast - 0.04).abs() < 1e-12 && (bins[0].observed - 5.0 / 9.0).abs() < 1e-12);
        assert_eq!(reliability(&calls[..3]).len(), 3);
        assert!(reliability(&[]).is_empty());
    }
}
