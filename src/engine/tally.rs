use super::outcome::ScenarioOutcome;

/// Totals are rounded to this many quote units before they are summed in integers, so that no order of summation shows.
/// A power of two: scaling by it is exact.
pub const QUANTUM: f64 = 1.0 / 1_048_576.0;

/// Quanta below this fit an i64 with room to round.
const SMALL_QUANTA: f64 = 4.611_686_018_427_388e18; // 2^62

/// Largest amount that is published, quote units: a million of them still fit an integer total.
pub const AMOUNT_MAX: f64 = 1e26;

/// An amount as an integer number of quanta. One beyond [`AMOUNT_MAX`] counts as it: the sweep refuses to publish it.
pub fn quanta(amount: f64) -> i128 {
    let scaled = amount.clamp(-2.0 * AMOUNT_MAX, 2.0 * AMOUNT_MAX) / QUANTUM;
    if scaled.abs() < SMALL_QUANTA {
        // The same rounding without a call: the rest is exact, halves go away from zero.
        let whole = scaled as i64;
        let rest = scaled - whole as f64;
        return i128::from(whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5));
    }
    scaled.round() as i128
}

/// What a scenario adds up to over pools: counts and integer totals, and the sums that carry a bound.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ScenarioTally {
    /// Pools counted as restricted.
    pub restricted: u32,
    /// Pools counted as liquidatable.
    pub liquidatable: u32,
    /// Pools counted as bankrupt.
    pub bankrupt: u32,
    /// Σ max(0, −equity), quanta.
    pub shortfall: i128,
    /// Σ gross notional of liquidatable pools, quanta.
    pub notional: i128,
    /// Σ max(0, −equity) that was summed in floating point, quote units.
    pub shortfall_float: f64,
    /// Bound on the error of all shortfalls summed, rounding to quanta left out, quote units.
    pub shortfall_bound: f64,
    /// Σ gross notional that was summed in floating point, quote units.
    pub notional_float: f64,
}

impl ScenarioTally {
    /// Adds another tally of the same scenario.
    pub fn add(&mut self, other: &Self) {
        self.restricted += other.restricted;
        self.liquidatable += other.liquidatable;
        self.bankrupt += other.bankrupt;
        self.shortfall = self.shortfall.saturating_add(other.shortfall);
        self.notional = self.notional.saturating_add(other.notional);
        self.shortfall_float += other.shortfall_float;
        // Adding the parts up rounds, too.
        self.shortfall_bound += other.shortfall_bound + self.shortfall_float * f64::EPSILON;
        self.notional_float += other.notional_float;
    }

    /// The published form; equity and maintenance totals come from the net program.
    pub fn outcome(&self, equity_total: f64, maintenance_total: f64) -> ScenarioOutcome {
        let shortfall = self.shortfall as f64 * QUANTUM + self.shortfall_float;
        // Half a quantum per pool, and the two roundings of the line above.
        let rounding = f64::from(self.bankrupt) * 0.5 * QUANTUM + shortfall * f64::EPSILON;
        ScenarioOutcome {
            restricted_pools: self.restricted.into(),
            liquidatable_pools: self.liquidatable.into(),
            bankrupt_pools: self.bankrupt.into(),
            shortfall,
            shortfall_bound: self.shortfall_bound + rounding,
            liquidatable_notional: self.notional as f64 * QUANTUM + self.notional_float,
            equity_total,
            maintenance_total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_amounts_round_as_large_ones_do() {
        let plain = |amount: f64| (amount / QUANTUM).round() as i128;
        let halves =
            [0.0, 0.5, 0.499_999_999_999_999_94, 1.5, 2.5, 1e6 + 0.5, 9_007_199_254_740_993.0, 4e18, 5e18, 1e30];
        for amount in halves.into_iter().flat_map(|quanta| [quanta * QUANTUM, -quanta * QUANTUM]) {
            assert_eq!(quanta(amount), plain(amount), "{amount}");
        }
        assert_eq!((quanta(f64::NAN), quanta(f64::INFINITY)), (0, plain(2.0 * AMOUNT_MAX)));
    }
}
