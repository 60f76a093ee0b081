//! A market that moves in steps.

use ndarray::Array2;

use crate::scenario::{Factor, ScenarioSet};

/// Whether the prices that decide follow the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Oracle {
    /// They are those of the step.
    #[default]
    Update,
    /// They stay those of the last update, or of the snapshot where there was none; trades happen at those of the step.
    Hold,
}

impl Oracle {
    /// The words of a path file.
    pub const WORDS: [(&'static str, Self); 2] = [("update", Self::Update), ("hold", Self::Hold)];
}

/// A market that moves in steps; positions, funds and debts are carried from each step to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Name, possibly empty.
    pub name: String,
    /// Rounds of liquidation in one step, ≥ 1.
    pub rounds_per_step: u32,
    /// Notional that all books together can trade in one step, quote units, > 0; `None` = unlimited.
    pub capacity_quote: Option<f64>,
    /// The steps, in order; at least one.
    pub steps: Vec<PathStep>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PathStep {
    /// Label, possibly empty.
    pub label: String,
    /// Whether the prices that decide follow.
    pub oracle: Oracle,
    /// Notional that all books together can trade in this step, quote units, > 0; `None` = the path's.
    pub capacity_quote: Option<f64>,
    /// Shocks relative to the snapshot, not to the step before, each factor at most once; any other factor stands where it
    /// stood in the snapshot.
    pub shocks: Vec<(Factor, f64)>,
}

impl Path {
    /// A scenario as a path of one step with these rounds. What the scenario does not quote is left out.
    pub fn of_scenario(set: &ScenarioSet, scenario: usize, rounds: u32) -> Self {
        let shocks = set.factors.iter().cloned().zip(set.shocks.row(scenario).into_iter().copied());
        let step = PathStep {
            label: set.labels[scenario].clone(),
            shocks: shocks.filter(|(_, shock)| !shock.is_nan()).collect(),
            ..PathStep::default()
        };
        Self { name: set.ids[scenario].clone(), rounds_per_step: rounds, capacity_quote: None, steps: vec![step] }
    }

    /// The markets of the steps as scenarios: one row for each step, in order, at the prices of trades, whatever the oracle
    /// does. The id of a row is its step's number, counted from 1; weights are 1.
    pub fn scenarios(&self) -> ScenarioSet {
        let mut factors: Vec<Factor> = Vec::new();
        for (factor, _) in self.steps.iter().flat_map(|step| &step.shocks) {
            if !factors.contains(factor) {
                factors.push(factor.clone());
            }
        }
        let mut shocks = Array2::zeros((self.steps.len(), factors.len()));
        for (row, step) in self.steps.iter().enumerate() {
            for (factor, shock) in &step.shocks {
                if let Some(column) = factors.iter().position(|known| known == factor) {
                    shocks[[row, column]] = *shock;
                }
            }
        }
        ScenarioSet {
            ids: (1..=self.steps.len()).map(|step| step.to_string()).collect(),
            weights: vec![1.0; self.steps.len()],
            labels: self.steps.iter().map(|step| step.label.clone()).collect(),
            factors,
            shocks,
        }
    }

    /// The path with other markets of its steps, one row each as in [`Path::scenarios`].
    pub fn with_markets(mut self, markets: &ScenarioSet) -> Self {
        if self.scenarios().factors != markets.factors {
            for (step, shocks) in self.steps.iter_mut().zip(markets.shocks.rows()) {
                step.shocks = markets.factors.iter().cloned().zip(shocks.iter().copied()).collect();
            }
        }
        self
    }

    /// The step whose prices decide in `step`: itself or, where the oracle holds, the last one that updated; `None` = the
    /// snapshot's prices decide.
    pub fn deciding_step(&self, step: usize) -> Option<usize> {
        self.steps[..=step].iter().rposition(|step| step.oracle == Oracle::Update)
    }

    /// Notional that all books together can trade in `step`, quote units; `None` = unlimited.
    pub fn capacity_quote_at(&self, step: usize) -> Option<f64> {
        self.steps[step].capacity_quote.or(self.capacity_quote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(oracle: Oracle, shocks: &[(&str, f64)]) -> PathStep {
        let shocks = shocks.iter().map(|(name, shock)| (Factor::price(*name), *shock)).collect();
        PathStep { oracle, shocks, ..PathStep::default() }
    }

    fn path() -> Path {
        let steps = vec![
            step(Oracle::Hold, &[("A", -0.1)]),
            step(Oracle::Update, &[("B", -0.2), ("A", -0.3)]),
            step(Oracle::Hold, &[("B", -0.4)]),
        ];
        Path { name: "p".into(), rounds_per_step: 1, capacity_quote: Some(5.0), steps }
    }

    #[test]
    fn every_step_is_a_scenario_relative_to_the_snapshot() {
        let set = path().scenarios();
        assert_eq!(set.faults(), []);
        assert_eq!(set.factors, ["A", "B"].map(Factor::price));
        let rows: Vec<Vec<f64>> = set.shocks.rows().into_iter().map(|row| row.to_vec()).collect();
        assert_eq!(rows, [[-0.1, 0.0], [-0.3, -0.2], [0.0, -0.4]]);
    }

    #[test]
    fn a_held_oracle_decides_by_the_last_update() {
        let path = path();
        assert_eq!([0, 1, 2].map(|step| path.deciding_step(step)), [None, Some(1), Some(1)]);
    }

    #[test]
    fn a_step_has_its_own_capacity_or_the_paths() {
        let mut path = path();
        path.steps[1].capacity_quote = Some(2.0);
        assert_eq!([0, 1].map(|step| path.capacity_quote_at(step)), [Some(5.0), Some(2.0)]);
    }

    #[test]
    fn a_scenario_is_a_path_of_one_step() {
        let mut set = path().scenarios();
        set.shocks[[1, 0]] = f64::NAN;
        let single = Path::of_scenario(&set, 1, 7);
        assert_eq!((single.name.as_str(), single.rounds_per_step, single.capacity_quote), ("2", 7, None));
        assert_eq!(single.steps, [step(Oracle::Update, &[("B", -0.2)])]);
    }
}
