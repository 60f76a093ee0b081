use super::realised::{HORIZON, VARIANCE_FLOOR, mean};

/// GARCH(1,1) with Student's t: v ← ω + α r² + β v for daily returns r = √v · z, z of unit variance (T. Bollerslev, Review of
/// Economics and Statistics 69 (1987) 542–547).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Garch {
    /// Variance per day that v returns to.
    pub(super) long_run: f64,
    /// Weight of the last squared return.
    pub(super) alpha: f64,
    /// Weight of the last variance.
    pub(super) beta: f64,
    /// Degrees of freedom, above 2.
    pub(super) freedom: f64,
}

/// Fewest returns that four parameters are fitted to.
const DAYS_MIN: usize = 250;
/// Coordinates of the search: ln of the long-run variance over the sample's; log odds of α + β; log odds of α's share of it; ln of
/// the degrees of freedom above 2.
type Point = [f64; 4];

impl Garch {
    /// The parameters of greatest likelihood: the best of a grid, then a compass search from it until its steps are below 0.001.
    /// `None` for fewer than 250 returns, or returns that are all 0.
    pub(super) fn fit(returns: &[f64]) -> Option<Self> {
        let variance = mean(returns.iter().map(|r| r * r), returns.len());
        if returns.len() < DAYS_MIN || variance <= VARIANCE_FLOOR {
            return None;
        }
        let cost = |point: &Point| -Self::of_point(point, variance).log_likelihood(returns);
        let mut best = [0.0; 4];
        let mut least = f64::INFINITY;
        for point in grid() {
            let found = cost(&point);
            if found < least {
                (best, least) = (point, found);
            }
        }
        Some(Self::of_point(&compass_search(best, least, cost), variance))
    }

    fn of_point(point: &Point, variance: f64) -> Self {
        let share = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        let (persistence, alpha_share) = (share(point[1]), share(point[2]));
        Self {
            long_run: variance * libm::exp(point[0]),
            alpha: persistence * alpha_share,
            beta: persistence * (1.0 - alpha_share),
            freedom: 2.0 + libm::exp(point[3]),
        }
    }

    /// Variance per day after each of the returns, before the next.
    pub(super) fn variances<'r>(&self, returns: &'r [f64]) -> impl Iterator<Item = f64> + use<'r> {
        let Self { long_run, alpha, beta, .. } = *self;
        let omega = long_run * (1.0 - alpha - beta);
        returns.iter().scan(long_run, move |variance, r| {
            *variance = omega + alpha * r * r + beta * *variance;
            Some(variance.max(HORIZON as f64 * VARIANCE_FLOOR))
        })
    }

    fn log_likelihood(&self, returns: &[f64]) -> f64 {
        let freedom = self.freedom;
        let constant = libm::lgamma((freedom + 1.0) / 2.0)
            - libm::lgamma(freedom / 2.0)
            - 0.5 * libm::log(std::f64::consts::PI * (freedom - 2.0));
        let before = std::iter::once(self.long_run).chain(self.variances(returns));
        let terms = before.zip(returns).map(|(variance, r)| {
            let tail = 1.0 + r * r / (variance * (freedom - 2.0));
            constant - 0.5 * libm::log(variance) - 0.5 * (freedom + 1.0) * libm::log(tail)
        });
        terms.sum()
    }
}

fn grid() -> impl Iterator<Item = Point> {
    const PERSISTENCES: [f64; 4] = [0.85, 0.93, 0.97, 0.99];
    const ALPHA_SHARES: [f64; 4] = [0.03, 0.06, 0.12, 0.25];
    const FREEDOMS: [f64; 4] = [3.0, 4.0, 6.0, 12.0];
    let log_odds = |share: f64| libm::log(share / (1.0 - share));
    PERSISTENCES.into_iter().flat_map(move |persistence| {
        ALPHA_SHARES.into_iter().flat_map(move |share| {
            FREEDOMS
                .into_iter()
                .map(move |freedom| [0.0, log_odds(persistence), log_odds(share), libm::log(freedom - 2.0)])
        })
    })
}

/// Walks to the better neighbour along each coordinate, halving the steps where there is none.
fn compass_search(mut best: Point, mut least: f64, cost: impl Fn(&Point) -> f64) -> Point {
    const STEP_MIN: f64 = 1e-3;
    const ROUNDS_MAX: usize = 100;
    let mut step = 0.4;
    for _ in 0..ROUNDS_MAX {
        let before = least;
        for coordinate in 0..best.len() {
            for sign in [1.0, -1.0] {
                let mut point = best;
                point[coordinate] += sign * step;
                let found = cost(&point);
                if found < least {
                    (best, least) = (point, found);
                    break;
                }
            }
        }
        if least == before {
            step /= 2.0;
            if step < STEP_MIN {
                break;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::philox::Stream;

    /// Returns of a GARCH whose z is a scaled t with 5 degrees of freedom: a normal over the root of a χ² mean of 5 normals.
    fn planted(truth: &Garch, days: usize) -> Vec<f64> {
        let stream = Stream::new(7, "garch");
        let normals = |day: usize, block: u64| {
            let [u, v] = stream.uniforms(day as u64, block);
            let radius = (-2.0 * u.ln()).sqrt();
            [radius * (std::f64::consts::TAU * v).cos(), radius * (std::f64::consts::TAU * v).sin()]
        };
        let mut variance = truth.long_run;
        (0..days)
            .map(|day| {
                let z: Vec<f64> = (0..3).flat_map(|block| normals(day, block)).collect();
                let chi: f64 = z[1..].iter().map(|x| x * x).sum::<f64>() / 5.0;
                let r = variance.sqrt() * z[0] / chi.sqrt() * (3.0_f64 / 5.0).sqrt();
                variance =
                    truth.long_run * (1.0 - truth.alpha - truth.beta) + truth.alpha * r * r + truth.beta * variance;
                r
            })
            .collect()
    }

    #[test]
    fn planted_parameters_are_found_again() {
        let truth = Garch { long_run: 1e-3, alpha: 0.1, beta: 0.85, freedom: 5.0 };
        let returns = planted(&truth, 8_000);
        let found = Garch::fit(&returns).expect("enough returns");
        assert!((found.alpha - 0.1).abs() < 0.03 && (found.beta - 0.85).abs() < 0.04, "{found:?}");
        assert!((found.freedom - 5.0).abs() < 0.8 && (found.long_run / 1e-3 - 1.0).abs() < 0.3, "{found:?}");
        assert!(found.log_likelihood(&returns) >= truth.log_likelihood(&returns), "no worse than the truth");
    }

    #[test]
    fn too_few_returns_or_none_that_move_fit_nothing() {
        assert_eq!(Garch::fit(&[0.01; 249]), None);
        assert_eq!(Garch::fit(&[0.0; 300]), None);
    }
}
