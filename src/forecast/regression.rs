use super::realised::{deviation, mean};

/// A linear function of standardised features.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// Mean of the target over the training rows.
    pub intercept: f64,
    /// Mean of each feature over the training rows.
    pub means: Vec<f64>,
    /// Standard deviation of each feature there; 1 where it never changed.
    pub scales: Vec<f64>,
    /// Weight of each standardised feature.
    pub coefficients: Vec<f64>,
}

impl Regression {
    /// Ridge regression in closed form: the weights that minimise Σ (error)² / n + penalty · Σ weight², of features standardised
    /// over the rows (A. Hoerl, R. Kennard, Technometrics 12 (1970) 55–67). Penalty 0 is least squares.
    ///
    /// `None` where features are linearly dependent and the penalty is 0, or there are no rows.
    pub(super) fn ridge(rows: &[&[f64]], targets: &[f64], penalty: f64) -> Option<Self> {
        let width = rows.first()?.len();
        let columns: Vec<Vec<f64>> = (0..width).map(|at| rows.iter().map(|row| row[at]).collect()).collect();
        let means: Vec<f64> = columns.iter().map(|column| mean(column.iter().copied(), rows.len())).collect();
        let scales: Vec<f64> =
            columns.iter().zip(&means).map(|(column, mean)| scale(deviation(column), *mean)).collect();
        let intercept = mean(targets.iter().copied(), targets.len());
        let mut fitted = Self { intercept, means, scales, coefficients: Vec::new() };
        let mut moments = vec![0.0; width * width];
        let mut right = vec![0.0; width];
        let mut standard = vec![0.0; width];
        for (row, target) in rows.iter().zip(targets) {
            fitted.standardise(row, &mut standard);
            for first in 0..width {
                right[first] += standard[first] * (target - intercept);
                for second in 0..=first {
                    moments[first * width + second] += standard[first] * standard[second];
                }
            }
        }
        for at in 0..width {
            moments[at * width + at] += penalty * rows.len() as f64;
        }
        fitted.coefficients = solve(moments, right)?;
        Some(fitted)
    }

    /// The function at one row of features.
    pub(super) fn at(&self, row: &[f64]) -> f64 {
        let weights = self.coefficients.iter().zip(self.means.iter().zip(&self.scales));
        weights
            .zip(row)
            .fold(self.intercept, |sum, ((weight, (mean, scale)), value)| sum + weight * ((value - mean) / scale))
    }

    fn standardise(&self, row: &[f64], standard: &mut [f64]) {
        for ((out, value), (mean, scale)) in standard.iter_mut().zip(row).zip(self.means.iter().zip(&self.scales)) {
            *out = (value - mean) / scale;
        }
    }
}

/// What a feature is divided by; 1 where all that it varies is the rounding of its mean.
fn scale(deviation: f64, mean: f64) -> f64 {
    if deviation > 1e-12 * mean.abs() { deviation } else { 1.0 }
}

/// Solves A x = b by Cholesky's A = L Lᵀ; `a` holds the lower triangle by rows. `None` where A is not positive definite.
fn solve(mut a: Vec<f64>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for row in 0..n {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| a[row * n + k] * a[column * n + k]).sum();
            let rest = a[row * n + column] - known;
            a[row * n + column] = if column < row {
                rest / a[column * n + column]
            } else {
                // A pivot that cancellation left over is none.
                let least = 1e-12 * a[row * n + row];
                (rest > least).then(|| libm::sqrt(rest))?
            };
        }
    }
    for row in 0..n {
        let known: f64 = (0..row).map(|k| a[row * n + k] * b[k]).sum();
        b[row] = (b[row] - known) / a[row * n + row];
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| a[k * n + row] * b[k]).sum();
        b[row] = (b[row] - known) / a[row * n + row];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cholesky_solves_a_system_of_three_and_refuses_a_singular_one() {
        // A = [[4, 2, 0], [2, 5, 1], [0, 1, 3]], x = (1, −2, 3).
        let a = vec![4.0, 9.0, 9.0, 2.0, 5.0, 9.0, 0.0, 1.0, 3.0];
        let x = solve(a, vec![0.0, -5.0, 7.0]).expect("positive definite");
        assert!(x.iter().zip([1.0, -2.0, 3.0]).all(|(got, want)| (got - want).abs() < 1e-12), "{x:?}");
        assert_eq!(solve(vec![1.0, 0.0, 1.0, 1.0], vec![1.0, 1.0]), None);
    }

    #[test]
    fn least_squares_finds_a_plane_and_a_penalty_shrinks_it() {
        let rows: Vec<Vec<f64>> = (0..60).map(|at| vec![f64::from(at % 7), f64::from(at % 5), 3.0]).collect();
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let targets: Vec<f64> = rows.iter().map(|row| 1.0 + 2.0 * row[0] - row[1]).collect();
        let fit =
            Regression::ridge(&rows, &targets, 1e-9).expect("solvable: a feature that never changes gets no weight");
        assert!((fit.at(&[10.0, 1.0, 3.0]) - 20.0).abs() < 1e-5 && fit.coefficients[2] == 0.0);
        let shrunk = Regression::ridge(&rows, &targets, 1.0).expect("solvable");
        assert!(shrunk.coefficients[0] < 0.6 * fit.coefficients[0], "{shrunk:?}");
        assert_eq!(Regression::ridge(&rows, &targets, 0.0), None, "without a penalty a constant feature is singular");
        assert_eq!((scale(1e-17, 0.1), scale(1e-17, 0.0), scale(0.0, 0.0)), (1.0, 1e-17, 1.0));
        assert_eq!(Regression::ridge(&[], &[], 1.0), None);
    }
}
