/// How a `vol:` shock reaches an option's volatility: scaled by the time left, then kept within limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolatilityShock {
    /// Days to expiry at which a shock counts in full; > 0.
    pub reference_days: f64,
    /// Options with fewer days left are shocked as if they had this many; > 0.
    pub floor_days: f64,
    /// Power of `reference_days / days` on upward shocks; 0 = the same shock for every expiry.
    pub power_up: f64,
    /// Power of `reference_days / days` on downward shocks.
    pub power_down: f64,
    /// Smallest shocked volatility, per √year; ≥ 0.
    pub minimum: f64,
    /// Largest shocked volatility, per √year.
    pub maximum: f64,
}

impl Default for VolatilityShock {
    /// The same relative shock for every expiry, within 0 and 100 (10,000 %).
    fn default() -> Self {
        Self { reference_days: 30.0, floor_days: 1.0, power_up: 0.0, power_down: 0.0, minimum: 0.0, maximum: 100.0 }
    }
}
