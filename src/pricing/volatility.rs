use super::revalue::{at_least, at_most, exp, ln_ratio};
use crate::domain::VolatilityShock;

const YEAR_DAYS: f64 = 365.0;

/// How a shock of the level reaches one expiry: `(reference_days / max(floor_days, days))^power`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelScale {
    up: f64,
    down: f64,
}

impl VolatilityShock {
    /// The scale of level shocks for an expiry `years` away in the unshocked market.
    pub fn level_scale(&self, years: f64) -> LevelScale {
        let days = (years * YEAR_DAYS).max(self.floor_days);
        let scale = |power: f64| if power == 0.0 { 1.0 } else { exp(power * ln_ratio(self.reference_days, days)) };
        LevelScale { up: scale(self.power_up), down: scale(self.power_down) }
    }

    /// Volatility after a relative shock of its level and a tilt: `σ·max(0, 1 + level·scale) + tilt·ln(K/F)`, kept within the
    /// limits. `moneyness` is ln(K/F) of the unshocked market, so that a tilt moves each strike by its own fixed amount. An
    /// unshocked volatility is returned as it is, whatever the limits.
    #[inline(always)]
    pub fn apply(&self, volatility: f64, level: f64, tilt: f64, moneyness: f64, scale: LevelScale) -> f64 {
        let scale = if level > 0.0 { scale.up } else { scale.down };
        let shocked = volatility * at_least(1.0 + level * scale, 0.0) + tilt * moneyness;
        let held = at_most(at_least(shocked, self.minimum), self.maximum);
        if level == 0.0 && tilt == 0.0 { volatility } else { held }
    }
}
