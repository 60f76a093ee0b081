use crate::domain::VolatilityShock;

const YEAR_DAYS: f64 = 365.0;

impl VolatilityShock {
    /// Volatility after a relative shock of its level and a tilt:
    /// `σ·max(0, 1 + level·(reference_days / max(floor_days, days))^p) + tilt·ln(K/F)`, kept within the limits; p is
    /// `power_up` for level > 0, else `power_down`. `moneyness` is ln(K/F) of the unshocked market, so that a tilt moves each
    /// strike by its own fixed amount. An unshocked volatility is returned as it is, whatever the limits.
    pub fn apply(&self, volatility: f64, level: f64, tilt: f64, moneyness: f64, years: f64) -> f64 {
        if level == 0.0 && tilt == 0.0 {
            return volatility;
        }
        let power = if level > 0.0 { self.power_up } else { self.power_down };
        let scale = if power == 0.0 {
            1.0
        } else {
            (self.reference_days / (years * YEAR_DAYS).max(self.floor_days)).powf(power)
        };
        let shocked = volatility * (1.0 + level * scale).max(0.0) + tilt * moneyness;
        shocked.max(self.minimum).min(self.maximum)
    }
}
