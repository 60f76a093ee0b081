//! Rows that belong to no book, for tests of the kernels.

use ndarray::Array2;

use crate::domain::{BookBuilder, Snapshot};
use crate::pricing::{Rows, Unshocked, revalue};
use crate::scenario::ScenarioSet;

/// No row yet, under so many scenarios.
pub fn no_rows(n_scenarios: usize) -> Rows {
    let snapshot = Snapshot {
        as_of: None,
        quote: "USD".into(),
        assets: Vec::new(),
        underlyings: Vec::new(),
        instruments: Vec::new(),
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: BookBuilder::default().build(),
    };
    let scenarios = ScenarioSet {
        ids: (0..n_scenarios).map(|scenario| scenario.to_string()).collect(),
        weights: vec![1.0; n_scenarios],
        labels: vec![String::new(); n_scenarios],
        factors: Vec::new(),
        shocks: Array2::zeros((n_scenarios, 0)),
    };
    revalue(&snapshot, &scenarios, Unshocked::Hold).expect("nothing to refuse")
}
