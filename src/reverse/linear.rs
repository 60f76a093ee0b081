use ndarray::Array2;

use crate::error::{Error, Result};

/// The most plausible moves that lose a given amount, of a book that is linear in them.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearAnswer {
    /// Move of each factor, in the unit of the covariance's square root.
    pub moves: Vec<f64>,
    /// Mahalanobis radius of the moves: how many standard deviations away they are. ≥ 0.
    pub radius: f64,
}

/// The moves x of least Mahalanobis radius with w'x = `change`: x = change · C·w / (w'C·w), radius |change| / √(w'C·w).
///
/// `covariance` is C, `[n × n]`, symmetric and positive semidefinite; `sensitivity` is w, `[n]`, quote units per unit of
/// move; `change` is what the book's value changes by, quote units, negative for a loss. It is the point where the plane
/// w'x = change touches the smallest ellipsoid x'C⁻¹x (Lagrange's condition C⁻¹x ∝ w).
///
/// # Errors
/// [`Error::Usage`] where the shapes differ, a number is not finite, or the book does not move (w'C·w is not above 0).
pub fn most_plausible(covariance: &Array2<f64>, sensitivity: &[f64], change: f64) -> Result<LinearAnswer> {
    let count = sensitivity.len();
    if covariance.dim() != (count, count) {
        return Err(Error::Usage(format!(
            "a covariance of {:?} for {count} sensitivities: give one row and one column each",
            covariance.dim()
        )));
    }
    let finite = covariance.iter().chain(sensitivity).all(|value| value.is_finite()) && change.is_finite();
    let spread: Vec<f64> =
        covariance.rows().into_iter().map(|row| row.iter().zip(sensitivity).map(|(c, w)| c * w).sum()).collect();
    let variance: f64 = spread.iter().zip(sensitivity).map(|(s, w)| s * w).sum();
    if !finite || !variance.is_finite() || variance <= 0.0 {
        return Err(Error::Usage("the book's value does not vary, or a number is not finite".into()));
    }
    Ok(LinearAnswer {
        moves: spread.iter().map(|part| change * (part / variance)).collect(),
        radius: change.abs() / libm::sqrt(variance),
    })
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;

    use super::*;

    /// σ = (4 %, 5 %), ρ = 0.8, w = (1,000,000, −400,000): C·w = (960, 600), w'C·w = 720,000,000 and 60,000² / that is 5.
    #[test]
    fn worked_example() {
        let covariance = arr2(&[[0.0016, 0.0016], [0.0016, 0.0025]]);
        let answer = most_plausible(&covariance, &[1e6, -4e5], -60_000.0).expect("an answer");
        assert!((answer.moves[0] + 0.08).abs() < 1e-15 && (answer.moves[1] + 0.05).abs() < 1e-15, "{answer:?}");
        assert!((answer.radius - 5f64.sqrt()).abs() < 1e-14 && format!("{:.5}", answer.radius) == "2.23607");
    }

    #[test]
    fn what_does_not_move_is_refused() {
        let covariance = arr2(&[[0.0016, 0.0016], [0.0016, 0.0016]]);
        for (sensitivity, change) in [
            (&[0.0, 0.0][..], -1.0),
            (&[1.0, -1.0], -1.0),
            (&[1.0], -1.0),
            (&[f64::NAN, 1.0], -1.0),
            (&[1.0, 1.0], f64::INFINITY),
            (&[1e308, 1e308], -1.0),
        ] {
            assert!(most_plausible(&covariance, sensitivity, change).is_err(), "{sensitivity:?}");
        }
    }
}
