use ndarray::{Array2, s};

use super::ScenarioSet;
use crate::error::{Error, Result};

/// Most scenarios and cells of a product: two sets multiply faster than one thinks.
const MOST_SCENARIOS: usize = 1_000_000;
const MOST_CELLS: usize = 200_000_000;

impl ScenarioSet {
    /// Every scenario of this set together with every one of `other`, whose scenarios come fastest: ids joined by `|`, labels by
    /// `; `, weights multiplied.
    ///
    /// # Errors
    /// [`Error::Usage`] where both sets shock one factor, or the product exceeds 1,000,000 scenarios or 200,000,000 cells;
    /// [`Error::Refused`] where joined ids meet or weights overflow.
    pub fn product(&self, other: &Self) -> Result<Self> {
        if let Some(factor) = self.factors.iter().find(|factor| other.factors.contains(factor)) {
            return Err(Error::Usage(format!("both sets shock {factor}: a product would have to choose")));
        }
        let width = self.factors.len() + other.factors.len();
        let count = self.len().checked_mul(other.len()).filter(|count| *count <= MOST_SCENARIOS);
        let count = count.filter(|count| count.checked_mul(width).is_some_and(|cells| cells <= MOST_CELLS));
        let count = count.ok_or_else(|| {
            let (rows, columns) = (self.len(), other.len());
            Error::Usage(format!(
                "{rows} × {columns} scenarios exceed {MOST_SCENARIOS} scenarios or {MOST_CELLS} cells: take fewer"
            ))
        })?;
        let mut product = Self {
            ids: Vec::with_capacity(count),
            weights: Vec::with_capacity(count),
            labels: Vec::with_capacity(count),
            factors: self.factors.iter().chain(&other.factors).cloned().collect(),
            shocks: Array2::zeros((count, width)),
        };
        for first in 0..self.len() {
            for second in 0..other.len() {
                let mut row = product.shocks.row_mut(first * other.len() + second);
                row.slice_mut(s![..self.factors.len()]).assign(&self.shocks.row(first));
                row.slice_mut(s![self.factors.len()..]).assign(&other.shocks.row(second));
                product.ids.push(format!("{}|{}", self.ids[first], other.ids[second]));
                product.weights.push(self.weights[first] * other.weights[second]);
                let labels = [&self.labels[first], &other.labels[second]].into_iter().filter(|label| !label.is_empty());
                product.labels.push(labels.map(String::as_str).collect::<Vec<_>>().join("; "));
            }
        }
        let faults = product.faults();
        if faults.is_empty() { Ok(product) } else { Err(Error::Refused(faults)) }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::scenario::Factor;

    fn set(ids: &[&str], factor: &str, shocks: Array2<f64>) -> ScenarioSet {
        ScenarioSet {
            ids: ids.iter().map(|id| id.to_string()).collect(),
            weights: vec![2.0; ids.len()],
            labels: ids.iter().map(|id| format!("the {id}")).collect(),
            factors: vec![Factor::price(factor)],
            shocks,
        }
    }

    #[test]
    fn every_scenario_meets_every_other() {
        let product =
            set(&["a", "b"], "X", array![[0.1], [f64::NAN]]).product(&set(&["c", "d"], "Y", array![[0.3], [0.4]]));
        let product = product.expect("a product");
        assert_eq!(product.ids, ["a|c", "a|d", "b|c", "b|d"]);
        assert_eq!((product.weights[3], product.labels[3].as_str()), (4.0, "the b; the d"));
        assert_eq!(product.shocks.row(1).to_vec(), [0.1, 0.4]);
        assert!(product.shocks[[2, 0]].is_nan(), "not quoted stays not quoted");
    }

    #[test]
    fn sets_that_do_not_multiply_are_refused() {
        let one = set(&["a"], "X", array![[0.1]]);
        assert!(one.product(&one).expect_err("one factor twice").to_string().contains("both sets shock price:X"));
        let ids: Vec<String> = (0..1_100).map(|k| k.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (many, others) = (set(&ids, "X", Array2::zeros((1_100, 1))), set(&ids, "Y", Array2::zeros((1_100, 1))));
        assert!(many.product(&others).expect_err("too many").to_string().contains("take fewer"));
        let (left, right) =
            (set(&["a", "a|b"], "X", array![[0.1], [0.1]]), set(&["b|c", "c"], "Y", array![[0.1], [0.1]]));
        assert_eq!(left.product(&right).expect_err("ids meet").exit_code(), 3);
    }
}
