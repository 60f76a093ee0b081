//! Sets that are the product of markets and failures: scenarios of one failure, taken together.

use std::collections::BTreeMap;

use super::format::{count, money, shortened};
use super::page::{Column, table};
use crate::engine::ScenarioOutcome;
use crate::scenario::ScenarioSet;

/// Rows of the table.
const SHOWN: usize = 60;
/// Characters of a failure's name.
const NAME_WIDTH: usize = 44;

/// The part of a scenario's id after its last `|`: what failed beside the market. `None` for an id without one.
pub(super) fn failure(id: &str) -> Option<&str> {
    id.rsplit_once('|').map(|(_, failure)| failure)
}

/// What one failure does over all markets.
#[derive(Debug, Clone, Copy, Default)]
struct Failure {
    scenarios: u64,
    liquidatable_most: u64,
    bankrupt_most: u64,
    weight: f64,
    weighted_shortfall: f64,
    shortfall_most: f64,
}

impl Failure {
    fn add(&mut self, weight: f64, outcome: &ScenarioOutcome) {
        self.scenarios += 1;
        self.liquidatable_most = self.liquidatable_most.max(outcome.liquidatable_pools);
        self.bankrupt_most = self.bankrupt_most.max(outcome.bankrupt_pools);
        self.weight += weight;
        self.weighted_shortfall += weight * outcome.shortfall;
        self.shortfall_most = self.shortfall_most.max(outcome.shortfall);
    }

    fn mean_shortfall(&self) -> f64 {
        if self.weight > 0.0 { self.weighted_shortfall / self.weight } else { 0.0 }
    }
}

/// A table of the failures, those with the largest mean shortfall first; `None` where the set is no product.
pub(super) fn failures(set: &ScenarioSet, outcomes: &[ScenarioOutcome]) -> Option<String> {
    let mut found: BTreeMap<&str, Failure> = BTreeMap::new();
    for ((id, weight), outcome) in set.ids.iter().zip(&set.weights).zip(outcomes) {
        found.entry(failure(id)?).or_default().add(*weight, outcome);
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by(|a, b| b.1.mean_shortfall().total_cmp(&a.1.mean_shortfall()).then(a.0.cmp(b.0)));
    let rows = found.iter().take(SHOWN).map(|(name, of)| {
        let mut row = vec![shortened(name, NAME_WIDTH)];
        row.extend([of.scenarios, of.liquidatable_most, of.bankrupt_most].map(count));
        row.extend([of.mean_shortfall(), of.shortfall_most].map(money));
        row
    });
    let columns = [
        ("failure", Column::Name),
        ("scenarios", Column::Number),
        ("most liquidatable pools", Column::Number),
        ("most bankrupt pools", Column::Number),
        ("mean shortfall", Column::Number),
        ("largest shortfall", Column::Number),
    ];
    Some(table(&columns, &rows.collect::<Vec<_>>(), "There is no scenario."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_what_stands_after_the_last_bar() {
        assert_eq!(failure("mc1|a|base lost"), Some("base lost"));
        assert_eq!(failure("mc1"), None);
    }

    #[test]
    fn the_costliest_failure_comes_first_and_a_plain_set_has_none() {
        let mut set = ScenarioSet {
            ids: ["1|a", "1|b", "2|a", "2|b"].map(String::from).into(),
            weights: vec![1.0, 1.0, 3.0, 1.0],
            labels: vec![String::new(); 4],
            ..ScenarioSet::default()
        };
        let outcome = |shortfall| ScenarioOutcome { shortfall, ..ScenarioOutcome::default() };
        let outcomes = [0.0, 10.0, 8.0, 10.0].map(outcome);
        let text = failures(&set, &outcomes).expect("a product");
        let place = |name: &str| text.find(&format!(">{name}<")).expect("a row");
        assert!(place("b") < place("a"), "10 on average, and 6");
        set.ids[0] = "plain".into();
        assert!(failures(&set, &outcomes).is_none());
    }
}
