//! Returns over several rows of a history.

use ndarray::{Array2, s};

use crate::error::{Error, Result};
use crate::scenario::ScenarioSet;

/// Compounds the relative moves of every `rows` (≥ 1) consecutive scenarios into one: Π(1 + r) − 1, empty where any of them
/// is. The windows overlap: each row but the first `rows` − 1 ends one, which keeps that row's id and label.
///
/// # Errors
/// [`Error::Usage`] where the history has fewer rows, or `rows` is 0.
pub fn compound(history: &ScenarioSet, rows: usize) -> Result<ScenarioSet> {
    let skipped = match rows.checked_sub(1) {
        Some(skipped) if skipped < history.len() => skipped,
        _ => {
            let returns = history.len();
            return Err(Error::Usage(format!("a horizon of {rows} rows: the history has {returns} returns")));
        }
    };
    let (count, factors) = (history.len() - skipped, history.factors.len());
    let shocks = Array2::from_shape_fn((count, factors), |(row, factor)| {
        let window = history.shocks.slice(s![row..row + rows, factor]);
        // A single row keeps its bits.
        if rows == 1 { window[0] } else { window.iter().map(|shock| 1.0 + shock).product::<f64>() - 1.0 }
    });
    Ok(ScenarioSet {
        ids: history.ids[skipped..].to_vec(),
        weights: history.weights[skipped..].to_vec(),
        labels: history.labels[skipped..].to_vec(),
        factors: history.factors.clone(),
        shocks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Factor;

    fn history(shocks: &[f64]) -> ScenarioSet {
        let n = shocks.len();
        ScenarioSet {
            ids: (0..n).map(|row| row.to_string()).collect(),
            weights: vec![1.0; n],
            labels: vec![String::new(); n],
            factors: vec![Factor::price("A")],
            shocks: Array2::from_shape_vec((n, 1), shocks.to_vec()).unwrap(),
        }
    }

    #[test]
    fn windows_overlap_and_gaps_spread() {
        let two = compound(&history(&[0.5, -0.5, 0.1, f64::NAN, 0.2]), 2).unwrap();
        assert_eq!(two.ids, ["1", "2", "3", "4"]);
        assert_eq!(two.shocks[[0, 0]], -0.25);
        assert!((two.shocks[[1, 0]] + 0.45).abs() < 1e-15);
        assert!(two.shocks[[2, 0]].is_nan() && two.shocks[[3, 0]].is_nan());
        assert_eq!(compound(&history(&[0.1, 0.3]), 1).unwrap().shocks[[1, 0]], 0.3);
    }

    #[test]
    fn a_horizon_fits_into_the_history() {
        for rows in [0, 3, usize::MAX] {
            assert_eq!(compound(&history(&[0.1, 0.2]), rows).unwrap_err().exit_code(), 2, "{rows}");
        }
    }
}
