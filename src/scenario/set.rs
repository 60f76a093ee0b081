use ndarray::{Array2, s};

use super::Factor;
use crate::error::Fault;

/// A set of scenarios: one vector of shocks each, with a weight and a label.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScenarioSet {
    /// Id of each scenario, unique.
    pub ids: Vec<String>,
    /// Weight of each scenario, ≥ 0 and finite; at least one is positive.
    pub weights: Vec<f64>,
    /// Label of each scenario, possibly empty.
    pub labels: Vec<String>,
    /// What each column shocks, unique.
    pub factors: Vec<Factor>,
    /// `[n_scenarios × n_factors]`, row-major. NaN stands for an empty cell: not quoted, hence unshocked.
    pub shocks: Array2<f64>,
}

impl ScenarioSet {
    /// Number of scenarios.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no scenario.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The shock of factor column `factor` in `scenario`; 0 where not quoted.
    pub fn shock(&self, scenario: usize, factor: usize) -> f64 {
        let shock = self.shocks[[scenario, factor]];
        if shock.is_nan() { 0.0 } else { shock }
    }

    /// How many cells of each factor are empty (not quoted), in factor order.
    pub fn unquoted(&self) -> Vec<u64> {
        self.shocks
            .columns()
            .into_iter()
            .map(|column| column.iter().filter(|shock| shock.is_nan()).count() as u64)
            .collect()
    }

    /// The column of a factor, if the set has it.
    pub fn column(&self, factor: &Factor) -> Option<usize> {
        self.factors.iter().position(|candidate| candidate == factor)
    }

    /// The position of a scenario id.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.ids.iter().position(|candidate| candidate == id)
    }

    /// The scenarios of several sets, in order. A factor that a set lacks stands still in its scenarios; an id that stands
    /// twice is a fault of the result.
    pub fn join(sets: &[Self]) -> Self {
        let mut factors: Vec<Factor> = Vec::new();
        for factor in sets.iter().flat_map(|set| &set.factors) {
            if !factors.contains(factor) {
                factors.push(factor.clone());
            }
        }
        let mut shocks = Array2::zeros((sets.iter().map(Self::len).sum(), factors.len()));
        let mut start = 0;
        for set in sets {
            for (factor, shock) in set.factors.iter().zip(set.shocks.columns()) {
                if let Some(column) = factors.iter().position(|candidate| candidate == factor) {
                    shocks.slice_mut(s![start..start + set.len(), column]).assign(&shock);
                }
            }
            start += set.len();
        }
        let texts = |of: fn(&Self) -> &Vec<String>| sets.iter().flat_map(of).cloned().collect();
        Self {
            ids: texts(|set| &set.ids),
            weights: sets.iter().flat_map(|set| &set.weights).copied().collect(),
            labels: texts(|set| &set.labels),
            factors,
            shocks,
        }
    }

    /// Checks every rule of a scenario set and reports every fault: unique ids and factors, finite weights ≥ 0 with a
    /// positive sum, finite shocks at or above their kind's minimum.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let table = "scenarios";
        if self.is_empty() {
            faults.push(Fault::of_table(table, "at least one scenario", "add a row"));
        }
        let mut seen = std::collections::HashMap::new();
        for (row, id) in self.ids.iter().enumerate() {
            if id.is_empty() {
                faults.push(Fault::of_cell(
                    (table, row as u64 + 1, "scenario"),
                    id,
                    "an id is not empty",
                    "name the scenario",
                ));
            } else if let Some(first) = seen.insert(id, row) {
                let rule = format!("ids are unique; row {} has the same", first + 1);
                faults.push(Fault::of_cell((table, row as u64 + 1, "scenario"), id, rule, "rename one of them"));
            }
        }
        for (row, weight) in self.weights.iter().enumerate() {
            if !(weight.is_finite() && *weight >= 0.0) {
                let place = (table, row as u64 + 1, "weight");
                faults.push(Fault::of_cell(place, weight.to_string(), "a weight is finite and ≥ 0", "correct it"));
            }
        }
        let total: f64 = self.weights.iter().sum();
        let is_usable = total.is_finite() && total > 0.0;
        if !self.is_empty() && !is_usable {
            faults.push(Fault::of_table(table, "weights have a finite, positive sum", "give a scenario a weight"));
        }
        for (column, factor) in self.factors.iter().enumerate() {
            if self.factors[..column].contains(factor) {
                faults.push(Fault::of_table(table, format!("column {factor} stands once"), "remove the second one"));
            }
        }
        for ((row, column), shock) in self.shocks.indexed_iter() {
            let factor = &self.factors[column];
            let allowed = factor.kind.minimum()..=factor.kind.maximum();
            if !shock.is_nan() && !allowed.contains(shock) {
                faults.push(Fault::of_cell(
                    (table, row as u64 + 1, &factor.to_string()),
                    shock.to_string(),
                    format!(
                        "{} is finite and at least {}, at most {}",
                        factor.kind.shock(),
                        allowed.start(),
                        allowed.end()
                    ),
                    "correct the cell, or leave it empty for not quoted",
                ));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn set(id: &str, factors: &[&str], shocks: Array2<f64>) -> ScenarioSet {
        ScenarioSet {
            ids: vec![id.into()],
            weights: vec![2.0],
            labels: vec![String::new()],
            factors: factors.iter().map(|name| Factor::price(*name)).collect(),
            shocks,
        }
    }

    #[test]
    fn joined_sets_keep_their_shocks_and_stand_still_elsewhere() {
        let joined = ScenarioSet::join(&[
            set("a", &["X", "Y"], array![[0.1, f64::NAN]]),
            set("b", &["Z", "X"], array![[0.3, 0.2]]),
        ]);
        assert!(joined.faults().is_empty());
        assert_eq!(joined.factors, ["X", "Y", "Z"].map(Factor::price));
        assert_eq!(joined.shocks.row(0).to_vec()[..1], [0.1]);
        assert!(joined.shocks[[0, 1]].is_nan(), "not quoted stays not quoted");
        assert_eq!((joined.shocks[[0, 2]], joined.shocks.row(1).to_vec()), (0.0, vec![0.2, 0.0, 0.3]));
        let twice = ScenarioSet::join(&[set("a", &["X"], array![[0.1]]), set("a", &["X"], array![[0.1]])]);
        assert_eq!(twice.faults().len(), 1);
    }
}
