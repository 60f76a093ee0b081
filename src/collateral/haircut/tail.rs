use super::sample::Sample;

/// Fewest independent windows from which anything is estimated.
pub(super) const FEWEST: f64 = 30.0;
/// Exponent of the tail that a sample too short for its quantile is continued with: large returns fall off as their cube
/// (X. Gabaix et al., "A theory of power-law distributions in financial market fluctuations", Nature 423 (2003) 267–270).
const TAIL_EXPONENT: f64 = 3.0;
/// What each end of the confidence interval leaves out.
const LEFT_OUT: f64 = 0.025;
/// Expected exceedances from which the binomial is taken for normal.
const MANY: f64 = 100.0;

/// The tail of a sample of losses from overlapping windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// Probability of the quantile, in (0, 1).
    pub level: f64,
    /// Windows, which overlap.
    pub windows: usize,
    /// As many independent ones would fit into the same time: windows · step / span.
    pub independent: f64,
    /// Empirical quantile of the losses; between the two largest where the sample is too short for it.
    pub quantile: f64,
    /// Lower end of the quantile's 95 % confidence interval.
    pub low: f64,
    /// Its upper end; `None` where the sample bounds it by nothing: the quantile may lie above the largest loss.
    pub high: Option<f64>,
    /// Mean loss at or above the quantile.
    pub expected_shortfall: f64,
    /// Largest loss.
    pub largest: f64,
}

/// What a quantile was read from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Evidence {
    /// The sample itself.
    Quantile,
    /// The largest loss times this, > 1: the sample is too short for the quantile.
    Extrapolated(f64),
}

/// A loss that the level is not exceeded by, and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Share of the value, in [0, 1].
    pub loss: f64,
    /// Where it comes from.
    pub evidence: Evidence,
}

impl Tail {
    /// The tail of `sample` at `level`; `independent` windows are as good as the overlapping ones. `None` of an empty sample.
    ///
    /// The interval is that of order statistics: the number of exceedances among m independent losses is binomial(m, 1 − level),
    /// and the loss of rank r among m is the sample's quantile at 1 − r/m. With overlapping windows it is approximate.
    pub fn of(sample: &Sample, independent: f64, level: f64) -> Option<Self> {
        let quantile = sample.quantile(level)?;
        let (fewest, most) = exceedance_ranks(independent, 1.0 - level);
        let at_rank = |rank: f64| sample.quantile((1.0 - rank / independent).max(0.0));
        Some(Self {
            level,
            windows: sample.len(),
            independent,
            quantile,
            low: at_rank(most).unwrap_or(quantile).min(quantile),
            high: (fewest >= 1.0).then(|| at_rank(fewest)).flatten().map(|high| high.max(quantile)),
            expected_shortfall: sample.mean_from(quantile).unwrap_or(quantile),
            largest: sample.largest()?,
        })
    }

    /// The loss at the level: the quantile where at least one independent window is expected beyond it, (1 − level)·m ≥ 1;
    /// else the largest loss · (1 / ((1 − level)·m))^(1/3), at most 1, which continues the sample with a cubic tail. `None`
    /// with fewer than 30 independent windows: nothing is said then.
    pub fn estimate(&self) -> Option<Estimate> {
        let expected = (1.0 - self.level) * self.independent;
        if self.independent < FEWEST {
            return None;
        }
        if expected >= 1.0 - 1e-9 {
            return Some(Estimate { loss: self.quantile, evidence: Evidence::Quantile });
        }
        let factor = libm::pow(1.0 / expected, 1.0 / TAIL_EXPONENT);
        Some(Estimate { loss: (self.largest * factor).min(1.0), evidence: Evidence::Extrapolated(factor) })
    }
}

/// The largest rank whose loss is above the quantile, and the smallest whose loss is not, each with 97.5 % confidence; ranks
/// count from the largest of `count` independent losses, and 0 is none.
fn exceedance_ranks(count: f64, share: f64) -> (f64, f64) {
    let (count, mean) = (libm::floor(count).max(1.0), libm::floor(count).max(1.0) * share);
    if mean > MANY {
        let spread = crate::scenario::inverse_normal(1.0 - LEFT_OUT) * libm::sqrt(mean * (1.0 - share));
        return (libm::floor(mean - spread).max(0.0), libm::ceil(mean + spread + 1.0).min(count));
    }
    let mut probability = libm::exp(count * libm::log1p(-share));
    let (mut below, mut fewest, mut exceedances) = (0.0, 0.0, 0.0);
    loop {
        // P(N ≥ r) = 1 − P(N < r).
        if 1.0 - below >= 1.0 - LEFT_OUT {
            fewest = exceedances;
        }
        below += probability;
        exceedances += 1.0;
        if below >= 1.0 - LEFT_OUT || exceedances >= count {
            return (fewest, exceedances.min(count));
        }
        probability *= (count - exceedances + 1.0) / exceedances * share / (1.0 - share);
    }
}
