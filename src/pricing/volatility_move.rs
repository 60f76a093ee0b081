use super::revalue::{at_least, exp, ln_ratio};

const YEAR_DAYS: f64 = 365.0;

/// How one point of a venue's grid moves an option's volatility: a relative move scaled by the time left, or points by the
/// time left, whichever is larger; then a tilt over strikes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VolatilityMove {
    /// Relative move at the reference time, signed (0.5 = half as much again).
    pub relative: f64,
    /// Absolute move in points per √year, signed, as (days to expiry, points), days ascending: linear between, flat outside.
    pub points: Vec<(f64, f64)>,
    /// `relative` counts as `relative · (reference_days / max(floor_days, days))^power`.
    pub term: TermScale,
    /// Smallest volatility after an upward move, per √year.
    pub minimum: f64,
    /// Tilt over strikes.
    pub skew: Option<SkewMove>,
}

/// How a volatility move depends on the days left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TermScale {
    /// Days at which a move counts as it is; > 0.
    pub reference_days: f64,
    /// Fewer days count as this many; > 0.
    pub floor_days: f64,
    /// Power up to the reference.
    pub power_short: f64,
    /// Power beyond it.
    pub power_long: f64,
}

impl Default for TermScale {
    /// The same move for every expiry.
    fn default() -> Self {
        Self { reference_days: 30.0, floor_days: 1.0, power_short: 0.0, power_long: 0.0 }
    }
}

impl TermScale {
    /// What a move counts times, at so many days to expiry.
    pub fn at(&self, days: f64) -> f64 {
        let power = if days <= self.reference_days { self.power_short } else { self.power_long };
        let days = if days < self.floor_days { self.floor_days } else { days };
        if power == 0.0 { 1.0 } else { exp(power * ln_ratio(self.reference_days, days)) }
    }
}

/// A tilt of the volatility over strikes: `σ·max(0, 1 + direction·min(cap, k·cap/k*))` with k = ln(K/F), or |k|;
/// `cap = cap_slope·√T + cap_base`, `k* = max(minimum_width, √T·width·(level + √T·level_slope))`. (PMRM of Derive's v2-core.)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkewMove {
    /// Whether the distance from the forward counts with its sign or without.
    pub form: SkewForm,
    /// Sign and size of the tilt: 1 or −1 as published.
    pub direction: f64,
    /// Largest relative move: share per √year.
    pub cap_slope: f64,
    /// Largest relative move: share.
    pub cap_base: f64,
    /// Smallest k*.
    pub minimum_width: f64,
    /// Width in deviations.
    pub width: f64,
    /// Volatility that k* is measured with: share.
    pub level: f64,
    /// The same, per √year.
    pub level_slope: f64,
}

/// What a skew's distance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkewForm {
    /// ln(K/F): a risk reversal.
    Linear,
    /// |ln(K/F)|: a butterfly.
    Absolute,
}

impl SkewMove {
    fn factor(&self, years: f64, moneyness: f64) -> f64 {
        let root = years.sqrt();
        let cap = at_least(self.cap_slope * root + self.cap_base, 0.0);
        let width = at_least(root * self.width * (self.level + root * self.level_slope), self.minimum_width);
        let distance = match self.form {
            SkewForm::Linear => moneyness,
            SkewForm::Absolute => moneyness.abs(),
        };
        let size = distance.abs() * (cap / width);
        let size = if size > cap { cap } else { size };
        at_least(1.0 + self.direction * if distance < 0.0 { -size } else { size }, 0.0)
    }
}

/// A move as it applies to options with one time to expiry.
#[derive(Debug, Clone, Copy)]
pub(super) struct MoveAt<'v> {
    years: f64,
    relative: f64,
    points: f64,
    volatility: &'v VolatilityMove,
}

impl VolatilityMove {
    /// The move for `years` to expiry, > 0.
    pub(super) fn at(&self, years: f64) -> MoveAt<'_> {
        let days = years * YEAR_DAYS;
        MoveAt { years, relative: self.relative * self.term.at(days), points: self.points_at(days), volatility: self }
    }

    fn points_at(&self, days: f64) -> f64 {
        let after = self.points.partition_point(|(at, _)| *at <= days);
        match (after.checked_sub(1).and_then(|before| self.points.get(before)), self.points.get(after)) {
            (None, None) => 0.0,
            (Some((_, points)), None) | (None, Some((_, points))) => *points,
            (Some((d0, p0)), Some((d1, p1))) => p0 + (p1 - p0) * ((days - d0) / (d1 - d0)),
        }
    }
}

impl MoveAt<'_> {
    /// The moved volatility; `moneyness` is ln(K/F) before any move of the forward.
    pub(super) fn apply(&self, volatility: f64, moneyness: f64) -> f64 {
        let relative = at_least(self.relative, -1.0) * volatility;
        let change = if relative.abs() >= self.points.abs() { relative } else { self.points };
        let moved = at_least(volatility + change, 0.0);
        let moved = if change > 0.0 { at_least(moved, self.volatility.minimum) } else { moved };
        match self.volatility.skew {
            Some(skew) => moved * skew.factor(self.years, moneyness),
            None => moved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_grows_as_expiry_comes_near() {
        let term = TermScale { power_short: 0.3, power_long: 0.13, ..TermScale::default() };
        let volatility = VolatilityMove { relative: 0.5, term, minimum: 0.5, ..VolatilityMove::default() };
        // Published: one day left, 0.5 · 30^0.3 = 1.3871; 60 days, 0.5 · 0.5^0.13 = 0.4569.
        assert!((volatility.at(1.0 / 365.0).apply(1.0, 0.0) - 2.387_095_557_336).abs() < 1e-12);
        assert!((volatility.at(60.0 / 365.0).apply(1.0, 0.0) - 1.456_915_725_115).abs() < 1e-12);
        assert_eq!(volatility.at(30.0 / 365.0).apply(0.2, 0.0), 0.5, "held at the minimum");
    }

    #[test]
    fn the_larger_of_points_and_share_counts() {
        let points = vec![(0.0, 0.3), (30.0, 0.15)];
        let volatility = VolatilityMove { relative: 0.2, points, ..VolatilityMove::default() };
        assert!((volatility.at(15.0 / 365.0).apply(0.5, 0.0) - (0.5 + 0.225)).abs() < 1e-12);
        assert!((volatility.at(90.0 / 365.0).apply(2.0, 0.0) - 2.4).abs() < 1e-12);
    }
}
