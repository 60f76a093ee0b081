//! The supervisory traffic light: how probable so many exceedances are, and the zone they fall in.

/// Cumulative probability at which the yellow zone starts.
const YELLOW: f64 = 0.95;
/// Cumulative probability at which the red zone starts.
const RED: f64 = 0.9999;

/// Zone of a number of exceedances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// P(X ≤ x) < 95 %.
    Green,
    /// 95 % ≤ P(X ≤ x) < 99.99 %.
    Yellow,
    /// P(X ≤ x) ≥ 99.99 %.
    Red,
}

impl Zone {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

/// Verdict on x exceedances in T independent observations of probability p each (Basel Committee, "Supervisory framework
/// for the use of 'backtesting'", 1996).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrafficLight {
    /// Zone of x.
    pub zone: Zone,
    /// P(X ≤ x).
    pub probability: f64,
    /// P(X ≥ x): how often a right requirement would be exceeded as often (type I error).
    pub type_one_error: f64,
    /// Smallest number of exceedances in the yellow zone or beyond it.
    pub first_yellow: u64,
    /// Smallest number of exceedances in the red zone.
    pub first_red: u64,
}

impl TrafficLight {
    /// The verdict; `None` without observations or where `share` is not in (0, 1).
    pub fn of(exceedances: u64, observations: u64, share: f64) -> Option<Self> {
        if observations == 0 || !(share > 0.0 && share < 1.0) {
            return None;
        }
        let binomial = Binomial::new(observations, share);
        let probability = binomial.at_most(exceedances);
        let zone = match probability {
            p if p >= RED => Zone::Red,
            p if p >= YELLOW => Zone::Yellow,
            _ => Zone::Green,
        };
        Some(Self {
            zone,
            probability,
            type_one_error: binomial.at_least(exceedances),
            first_yellow: binomial.first_reaching(YELLOW),
            first_red: binomial.first_reaching(RED),
        })
    }
}

/// A binomial distribution, by the recurrence P(k+1)/P(k) = (T−k)/(k+1) · p/(1−p) away from its mode: no large logarithms
/// cancel, so T may be millions.
struct Binomial {
    /// Smallest k whose probability does not underflow.
    first: u64,
    /// P(first), P(first + 1), …
    masses: Vec<f64>,
}

impl Binomial {
    fn new(trials: u64, share: f64) -> Self {
        let odds = share / (1.0 - share);
        let mode = (((trials as f64 + 1.0) * share) as u64).min(trials);
        let ratio = |k: u64| (trials - k) as f64 / (k as f64 + 1.0) * odds;
        let below = std::iter::successors(Some((mode, 1.0)), |&(k, mass)| {
            (k > 0).then(|| (k - 1, mass / ratio(k - 1))).filter(|(_, mass)| *mass > 0.0)
        });
        let mut masses: Vec<f64> = below.map(|(_, mass)| mass).collect();
        let first = mode + 1 - masses.len() as u64;
        masses.reverse();
        let above = std::iter::successors(Some((mode, 1.0)), |&(k, mass)| {
            (k < trials).then(|| (k + 1, mass * ratio(k))).filter(|(_, mass)| *mass > 0.0)
        });
        masses.extend(above.skip(1).map(|(_, mass)| mass));
        let total: f64 = masses.iter().sum();
        masses.iter_mut().for_each(|mass| *mass /= total);
        Self { first, masses }
    }

    /// How many of the masses are those of 0 … k.
    fn count_to(&self, k: u64) -> usize {
        k.saturating_add(1).saturating_sub(self.first).min(self.masses.len() as u64) as usize
    }

    fn at_most(&self, k: u64) -> f64 {
        self.masses[..self.count_to(k)].iter().sum::<f64>().min(1.0)
    }

    fn at_least(&self, k: u64) -> f64 {
        let below = if k == 0 { 0 } else { self.count_to(k - 1) };
        // Smallest first: a far tail keeps its digits.
        self.masses[below..].iter().rev().sum::<f64>().min(1.0)
    }

    /// Smallest k with P(X ≤ k) ≥ `probability`.
    fn first_reaching(&self, probability: f64) -> u64 {
        let mut sum = 0.0;
        let reached = self.masses.iter().position(|mass| {
            sum += mass;
            sum >= probability
        });
        self.first + reached.unwrap_or(self.masses.len() - 1) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_example_comes_out() {
        let light = TrafficLight::of(57, 1043, 0.05).unwrap();
        assert!((light.probability - 0.77913).abs() < 5e-6, "{light:?}");
        assert!((light.type_one_error - 0.26396).abs() < 5e-6, "{light:?}");
        assert_eq!(light.zone, Zone::Green);
    }

    #[test]
    fn published_zones_come_out() {
        for (observations, share, yellow, red) in [(250, 0.01, 5, 10), (750, 0.005, 7, 13)] {
            let light = TrafficLight::of(0, observations, share).unwrap();
            assert_eq!((light.first_yellow, light.first_red), (yellow, red));
            let zone = |x| TrafficLight::of(x, observations, share).unwrap().zone;
            assert_eq!([zone(yellow - 1), zone(yellow)], [Zone::Green, Zone::Yellow]);
            assert_eq!([zone(red - 1), zone(red)], [Zone::Yellow, Zone::Red]);
        }
    }

    /// Against C(T, k) pᵏ (1−p)^(T−k) with the logarithms of factorials.
    #[test]
    fn masses_agree_with_log_gamma() {
        for (trials, share) in [(1u64, 0.3f64), (250, 0.01), (6_000, 0.05), (40, 0.97)] {
            let n = trials as f64;
            let mass = |k: f64| {
                let choose = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
                (choose + k * share.ln() + (n - k) * libm::log1p(-share)).exp()
            };
            let binomial = Binomial::new(trials, share);
            let mut sum = 0.0;
            for k in 0..=trials {
                sum += mass(k as f64);
                assert!((binomial.at_most(k) - sum).abs() < 1e-10, "T {trials} p {share} k {k}");
            }
        }
    }

    #[test]
    fn extremes_are_defined() {
        assert_eq!(TrafficLight::of(0, 0, 0.01), None);
        assert_eq!(TrafficLight::of(0, 10, f64::NAN), None);
        let light = TrafficLight::of(0, 10, 0.01).unwrap();
        assert_eq!(light.type_one_error, 1.0);
        let all = TrafficLight::of(1_000_000, 1_000_000, 0.01).unwrap();
        assert_eq!((all.zone, all.probability, all.type_one_error), (Zone::Red, 1.0, 0.0));
    }
}
