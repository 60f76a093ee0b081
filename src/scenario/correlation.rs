//! Correlation matrices: from a file or a panel, selection by name, Cholesky factor with repair.

use std::collections::HashMap;

use ndarray::Array2;

use super::panel::Panel;
use crate::error::{Error, Fault, Result};

/// Fewest common returns from which a pair's correlation is estimated.
const FEWEST_RETURNS: usize = 30;
/// Smallest pivot, a share of a variance, that still counts as positive.
const SMALLEST_PIVOT: f64 = 1e-12;

/// Correlations of named factors.
#[derive(Debug, Clone)]
pub struct CorrelationMatrix {
    /// Name of each row and column, unique.
    pub names: Vec<String>,
    /// `[n × n]`, symmetric, in \[−1, 1\], diagonal 1; NaN = unknown.
    pub values: Array2<f64>,
}

impl CorrelationMatrix {
    /// Checks every rule of a correlation matrix and reports every fault: square, unique names, diagonal 1, entries in
    /// \[−1, 1\], symmetric to 10⁻⁹. It need not be positive definite: see [`CholeskyFactor::of`].
    pub fn faults(&self) -> Vec<Fault> {
        let table = "correlation";
        let count = self.names.len();
        if count == 0 || self.values.dim() != (count, count) {
            let rule = format!("a correlation matrix is square; this one is {:?}", self.values.dim());
            return vec![Fault::of_table(table, rule, "one row and one column per name, in the same order")];
        }
        let mut faults = Vec::new();
        for (position, name) in self.names.iter().enumerate() {
            if self.names[..position].contains(name) {
                faults.push(Fault::of_table(table, format!("{name} stands once"), "remove the second one"));
            }
        }
        for ((row, column), value) in self.values.indexed_iter() {
            let rule = if row == column && *value != 1.0 {
                "the diagonal is 1"
            } else if !(-1.0..=1.0).contains(value) {
                "a correlation lies between -1 and 1"
            } else if column > row && (value - self.values[[column, row]]).abs() > 1e-9 {
                "the matrix is symmetric"
            } else {
                continue;
            };
            let place = (table, row as u64 + 1, self.names[column].as_str());
            faults.push(Fault::of_cell(place, value.to_string(), rule, "correct the cell"));
        }
        faults
    }

    /// Pearson correlations of log-returns, pair by pair over the rows where both assets are quoted; NaN where fewer than
    /// 30 returns are common or one of the two never moves.
    ///
    /// # Errors
    /// [`Error::Refused`] with every fault of the panel.
    pub fn of_panel(panel: &Panel) -> Result<Self> {
        let faults = panel.faults();
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        Ok(Self::of_log_returns(panel.assets.clone(), &panel.returns().mapv(libm::log1p)))
    }

    /// The same of log-returns, one column per name; NaN where one is missing.
    pub fn of_log_returns(names: Vec<String>, log_returns: &Array2<f64>) -> Self {
        let returns: Vec<Vec<f64>> = log_returns.columns().into_iter().map(|column| column.to_vec()).collect();
        let count = returns.len();
        let mut values = Array2::eye(count);
        for first in 0..count {
            for second in 0..first {
                let value = pairwise(&returns[first], &returns[second]);
                values[[first, second]] = value;
                values[[second, first]] = value;
            }
        }
        Self { names, values }
    }

    /// The matrix of `names`, in their order. Pairs it does not know take `fallback`.
    ///
    /// # Errors
    /// [`Error::Usage`] naming what is unknown where there is no fallback.
    pub fn select(&self, names: &[String], fallback: Option<f64>) -> Result<Array2<f64>> {
        let positions: HashMap<&str, usize> =
            self.names.iter().enumerate().map(|(position, name)| (name.as_str(), position)).collect();
        let mut unknown = Vec::new();
        let mut chosen = Array2::eye(names.len());
        for (row, first) in names.iter().enumerate() {
            for (column, second) in names.iter().enumerate().filter(|(column, _)| *column != row) {
                let pair = positions.get(first.as_str()).zip(positions.get(second.as_str()));
                let known = pair.map(|(i, j)| self.values[[*i, *j]]).filter(|value| !value.is_nan());
                match known.or(fallback) {
                    Some(value) => chosen[[row, column]] = value,
                    None if row < column => unknown.push(format!("{first}-{second}")),
                    None => {}
                }
            }
        }
        if unknown.is_empty() {
            return Ok(chosen);
        }
        let shown = unknown.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
        Err(Error::Usage(format!(
            "no correlation for {} pair(s): {shown}{}; give --correlation NUMBER for them",
            unknown.len(),
            if unknown.len() > 8 { ", …" } else { "" }
        )))
    }
}

fn pairwise(first: &[f64], second: &[f64]) -> f64 {
    let pairs: Vec<(f64, f64)> =
        first.iter().copied().zip(second.iter().copied()).filter(|(a, b)| !a.is_nan() && !b.is_nan()).collect();
    if pairs.len() < FEWEST_RETURNS {
        return f64::NAN;
    }
    let count = pairs.len() as f64;
    let mean_a = pairs.iter().map(|(a, _)| a).sum::<f64>() / count;
    let mean_b = pairs.iter().map(|(_, b)| b).sum::<f64>() / count;
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        aa += (a - mean_a) * (a - mean_a);
        bb += (b - mean_b) * (b - mean_b);
        ab += (a - mean_a) * (b - mean_b);
    }
    let scale = libm::sqrt(aa) * libm::sqrt(bb);
    if scale > 0.0 { (ab / scale).clamp(-1.0, 1.0) } else { f64::NAN }
}

/// Lower triangle L with L·Lᵀ = a correlation matrix.
#[derive(Debug, Clone)]
pub struct CholeskyFactor {
    /// `[n × n]`, zero above the diagonal.
    pub lower: Array2<f64>,
    /// Share θ of the identity that was mixed in to make the matrix positive definite; 0 where it was already.
    pub shrinkage: f64,
}

impl CholeskyFactor {
    /// Factorises `correlation`, repaired where needed: (1 − θ)·C + θ·1 with the smallest θ, to 10⁻⁶, that factorises.
    /// Every correlation keeps its sign and shrinks by the same share (linear shrinkage towards the identity). Matrices
    /// estimated pair by pair over different rows need this.
    ///
    /// # Errors
    /// [`Error::Bug`] where even the identity fails: an entry is not finite.
    pub fn of(correlation: &Array2<f64>) -> Result<Self> {
        if let Some(lower) = cholesky(correlation) {
            return Ok(Self { lower, shrinkage: 0.0 });
        }
        let mixed = |share: f64| {
            Array2::from_shape_fn(correlation.dim(), |(row, column)| {
                if row == column { correlation[[row, column]] } else { (1.0 - share) * correlation[[row, column]] }
            })
        };
        let (mut failing, mut working) = (0.0, 1.0);
        while working - failing > 1e-6 {
            let middle = 0.5 * (failing + working);
            if cholesky(&mixed(middle)).is_some() {
                working = middle;
            } else {
                failing = middle;
            }
        }
        let lower = cholesky(&mixed(working)).ok_or_else(|| Error::Bug("a correlation is not a number".into()))?;
        Ok(Self { lower, shrinkage: working })
    }
}

/// The Cholesky factor, or `None` where a pivot is not clearly positive.
fn cholesky(matrix: &Array2<f64>) -> Option<Array2<f64>> {
    let count = matrix.nrows();
    let mut lower = Array2::zeros((count, count));
    for row in 0..count {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| lower[[row, k]] * lower[[column, k]]).sum();
            let rest = matrix[[row, column]] - known;
            if row == column {
                if rest.is_nan() || rest <= SMALLEST_PIVOT {
                    return None;
                }
                lower[[row, row]] = libm::sqrt(rest);
            } else {
                lower[[row, column]] = rest / lower[[column, column]];
            }
        }
    }
    Some(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(values: [[f64; 3]; 3]) -> Array2<f64> {
        ndarray::arr2(&values)
    }

    #[test]
    fn a_definite_matrix_is_reproduced() {
        let asked = matrix([[1.0, 0.6, 0.2], [0.6, 1.0, -0.3], [0.2, -0.3, 1.0]]);
        let factor = CholeskyFactor::of(&asked).unwrap();
        assert_eq!(factor.shrinkage, 0.0);
        let product = factor.lower.dot(&factor.lower.t());
        assert!(product.iter().zip(&asked).all(|(a, b)| (a - b).abs() < 1e-15));
    }

    /// Eigenvalues 1 + 0.9·(−2, 1, 1): the smallest is −0.8, and (1 − θ)·(−1.8) + 1 = 0 at θ = 4/9.
    #[test]
    fn an_impossible_matrix_is_shrunk_by_the_least_share() {
        let asked = matrix([[1.0, -0.9, -0.9], [-0.9, 1.0, -0.9], [-0.9, -0.9, 1.0]]);
        let factor = CholeskyFactor::of(&asked).unwrap();
        assert!((factor.shrinkage - 4.0 / 9.0).abs() < 2e-6, "{}", factor.shrinkage);
        let product = factor.lower.dot(&factor.lower.t());
        assert!((product[[1, 0]] + 0.5).abs() < 1e-5);
        let singular = CholeskyFactor::of(&matrix([[1.0; 3]; 3])).unwrap();
        assert!(singular.shrinkage <= 1e-6);
        assert!(CholeskyFactor::of(&matrix([[f64::NAN; 3]; 3])).is_err());
    }

    #[test]
    fn a_panel_is_correlated_pair_by_pair() {
        let rows = 40;
        let mut prices = Array2::from_elem((rows, 4), f64::NAN);
        for row in 0..rows {
            let level = if row % 2 == 0 { 0.0 } else { 0.1 + 0.001 * row as f64 };
            prices[[row, 0]] = level.exp();
            prices[[row, 1]] = (-2.0 * level).exp();
            prices[[row, 2]] = 1.0;
            prices[[row, 3]] = if row < 20 { f64::NAN } else { level.exp() };
        }
        let assets = ["UP", "DOWN", "FLAT", "LATE"].map(String::from).to_vec();
        let panel = Panel { hours: (0..rows as i64).collect(), assets: assets.clone(), prices };
        let correlation = CorrelationMatrix::of_panel(&panel).unwrap();
        assert!((correlation.values[[0, 1]] + 1.0).abs() < 1e-12);
        assert!(correlation.values[[0, 2]].is_nan() && correlation.values[[0, 3]].is_nan());
        let error = correlation.select(&assets, None).unwrap_err().to_string();
        assert!(error.contains("5 pair(s)") && error.contains("UP-FLAT"), "{error}");
        assert_eq!(correlation.select(&assets, Some(0.6)).unwrap()[[0, 3]], 0.6);
        assert_eq!(correlation.select(&["OTHER".into(), "UP".into()], Some(0.6)).unwrap()[[0, 1]], 0.6);
    }

    #[test]
    fn wrong_matrices_are_refused() {
        let names = ["A", "B", "C"].map(String::from).to_vec();
        let good = matrix([[1.0, 0.1, 0.2], [0.1, 1.0, 0.3], [0.2, 0.3, 1.0]]);
        let of = |names: &[String], values: Array2<f64>| CorrelationMatrix { names: names.into(), values }.faults();
        assert!(of(&names, good.clone()).is_empty());
        assert_eq!(of(&names[..2], good.clone()).len(), 1);
        assert_eq!(of(&["A", "A", "B"].map(String::from), good.clone()).len(), 1);
        for (row, column, value) in [(0, 0, 0.9), (0, 1, 0.5), (0, 1, 1.5), (2, 1, f64::NAN)] {
            let mut wrong = good.clone();
            wrong[[row, column]] = value;
            assert!(!of(&names, wrong).is_empty());
        }
    }
}
