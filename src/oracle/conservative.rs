use super::policy::OraclePolicy;

/// A price for what is owned and one for what is owed, quote units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BySide {
    /// For assets and long positions.
    pub asset: f64,
    /// For liabilities and short positions.
    pub liability: f64,
}

impl BySide {
    /// The same price for both: liquidations are decided on the mark alone.
    pub fn both(price: f64) -> Self {
        Self { asset: price, liability: price }
    }
}

/// The prices that initial margin and withdrawals are computed from: min(mark, stable)·(1 − band) for assets,
/// max(mark, stable)·(1 + band) for liabilities, with band = min(confidence/price · multiple, cap). Stable price and the side by
/// side are Mango's, the band is marginfi's. Without a stable price the mark stands alone.
///
/// `mark` and `stable` > 0, `relative_confidence` = confidence over price, ≥ 0; one that is not a number counts as the cap.
pub fn conservative(mark: f64, stable: Option<f64>, relative_confidence: f64, policy: &OraclePolicy) -> BySide {
    // `min` answers the cap where the product is not a number.
    let band = (relative_confidence * policy.confidence_multiple).min(policy.confidence_cap);
    let stable = stable.unwrap_or(mark);
    BySide { asset: mark.min(stable) * (1.0 - band), liability: mark.max(stable) * (1.0 + band) }
}
