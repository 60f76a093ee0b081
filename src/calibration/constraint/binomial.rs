//! How many exceedances a sample may show where their share must stay below a level with some confidence.

/// The largest k with P(X ≤ k) ≤ 1 − confidence for X binomial of `n` trials of probability `p` in (0, 1); `None` where even
/// P(X = 0) is more: the sample is too small to be that sure. With as many exceedances as that, a true share above p would
/// show fewer only with probability 1 − confidence.
pub(super) fn lower_quantile(n: u64, p: f64, confidence: f64) -> Option<u64> {
    let allowed = 1.0 - confidence;
    let odds = libm::log(p) - libm::log1p(-p);
    let mut log_term = n as f64 * libm::log1p(-p);
    let mut sum = libm::exp(log_term);
    if sum > allowed {
        return None;
    }
    let mut k = 0;
    while k < n {
        log_term += odds + libm::log((n - k) as f64 / (k + 1) as f64);
        sum += libm::exp(log_term);
        if sum > allowed {
            break;
        }
        k += 1;
    }
    Some(k)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten fair coins: P(X ≤ 1) = 11/1024, P(X ≤ 2) = 56/1024.
    #[test]
    fn ten_coins() {
        assert_eq!(lower_quantile(10, 0.5, 1.0 - 11.5 / 1024.0), Some(1));
        assert_eq!(lower_quantile(10, 0.5, 0.95), Some(1));
        assert_eq!(lower_quantile(10, 0.5, 1.0 - 57.0 / 1024.0), Some(2));
        assert_eq!(lower_quantile(10, 0.5, 0.9995), None);
    }

    /// Basel's table: P(X ≤ 4 | 250, 1 %) = 0.8922.
    #[test]
    fn the_cumulative_distribution_is_basels() {
        assert_eq!(lower_quantile(250, 0.01, 1.0 - 0.8923), Some(4));
        assert_eq!(lower_quantile(250, 0.01, 1.0 - 0.8921), Some(3));
        assert_eq!(lower_quantile(100, 0.01, 0.99), None);
        assert_eq!(lower_quantile(0, 0.01, 0.5), None);
        // Half of it lies near the mean.
        assert!((998..=1_000).contains(&lower_quantile(100_000, 0.01, 0.5).unwrap()));
    }
}
