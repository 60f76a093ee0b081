//! The dynamic overlay: numbers by which the requirements of positions on an underlying are multiplied, and the coefficients
//! by which forecasts of volatility move them. The numbers in force are part of the rulebook; what moves them is not.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::pool::Requirement;

/// Multipliers that follow forecasts of volatility.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overlay {
    /// How far and how fast multipliers move.
    pub coefficients: OverlayCoefficients,
    /// Multipliers in force by underlying; 1 for every other.
    pub in_force: BTreeMap<String, InForce>,
}

/// How far and how fast multipliers move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OverlayCoefficients {
    /// Weight of the forecast in the variance that multipliers follow, in [0, 1]; the rest is the long-run variance.
    pub blend: f64,
    /// Smallest multiplier, > 0.
    pub floor: f64,
    /// Largest multiplier, at least `floor`.
    pub cap: f64,
    /// Largest relative rise of the initial multiplier within any 24 hours, ≥ 0.
    pub rise_per_day: f64,
    /// Days in which half of the distance to a lower target is left behind, > 0.
    pub half_life_days: f64,
    /// Hours by which rises of the maintenance multiplier follow those of the initial one, ≥ 0.
    pub notice_hours: f64,
}

/// Multipliers of one underlying.
#[derive(Debug, Clone, PartialEq)]
pub struct InForce {
    /// Of initial requirements.
    pub initial: f64,
    /// Of maintenance requirements, at most `initial`.
    pub maintenance: f64,
    /// Since when `initial` is in force.
    pub since: Timestamp,
    /// The initial multipliers before this one, in order of time, as far as notice and the limit of rises look back.
    pub earlier: Vec<EarlierInitial>,
    /// Hash of the model whose forecast set them; `None` = set by hand.
    pub model: Option<String>,
}

/// An initial multiplier that was in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlierInitial {
    /// The multiplier.
    pub initial: f64,
    /// Since when it was in force.
    pub since: Timestamp,
}

impl Default for OverlayCoefficients {
    /// Half forecast, half long run; never below the base nor above three times it; up by at most a quarter a day, half of a
    /// fall in a week, maintenance a day after.
    fn default() -> Self {
        Self { blend: 0.5, floor: 1.0, cap: 3.0, rise_per_day: 0.25, half_life_days: 7.0, notice_hours: 24.0 }
    }
}

impl OverlayCoefficients {
    /// Largest multiplier that a rulebook may allow.
    pub const LARGEST_CAP: f64 = 100.0;

    /// Whether every coefficient lies in its range.
    pub fn is_well_formed(&self) -> bool {
        (0.0..=1.0).contains(&self.blend)
            && self.floor > 0.0
            && self.floor <= self.cap
            && self.cap <= Self::LARGEST_CAP
            && self.rise_per_day >= 0.0
            && self.half_life_days > 0.0
            && self.notice_hours >= 0.0
            && [self.rise_per_day, self.half_life_days, self.notice_hours].iter().all(|number| number.is_finite())
    }
}

impl InForce {
    /// The multipliers of both requirements.
    pub fn multipliers(&self) -> Requirement<f64> {
        Requirement { initial: self.initial, maintenance: self.maintenance }
    }

    /// What is wrong with the multipliers under these coefficients, as the rule that they break.
    pub(super) fn broken_rule(&self, coefficients: &OverlayCoefficients) -> Option<String> {
        let (floor, cap) = (coefficients.floor, coefficients.cap);
        let is_within = |multiplier: &f64| (floor..=cap).contains(multiplier);
        if self.maintenance > self.initial {
            return Some("the maintenance multiplier is at most the initial one".into());
        }
        let within = is_within(&self.initial) && is_within(&self.maintenance);
        (!within).then(|| format!("multipliers in force lie between floor {floor} and cap {cap}"))
    }

    /// Whether the earlier multipliers are in order of time and before this one.
    pub(super) fn is_in_order(&self) -> bool {
        let moments: Vec<Timestamp> = self.earlier.iter().map(|earlier| earlier.since).chain([self.since]).collect();
        moments.is_sorted_by(|a, b| a < b)
    }
}

impl Overlay {
    /// Rules that the overlay breaks, each with the dotted path below `overlay` of what breaks it.
    pub(super) fn broken_rules(&self) -> Vec<(String, String)> {
        let mut broken = Vec::new();
        if !self.coefficients.is_well_formed() {
            broken.push(("cap".to_string(), "coefficients lie in their ranges, floor is at most cap".to_string()));
        }
        for (underlying, in_force) in &self.in_force {
            let at = super::file::path("in_force", underlying);
            broken.extend(in_force.broken_rule(&self.coefficients).map(|rule| (format!("{at}.initial"), rule)));
            if !in_force.is_in_order() {
                broken.push((
                    format!("{at}.earlier"),
                    "earlier multipliers are in order of time, all before since".into(),
                ));
            }
        }
        broken
    }
}
