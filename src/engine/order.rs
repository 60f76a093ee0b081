use std::borrow::Cow;

use ndarray::Axis;

use super::job::Pairing;
use crate::scenario::{FactorKind, ScenarioSet};

/// The order in which engines take the scenarios: markets that fall alike are neighbours, so that a block of them has narrow
/// ranges and a pool can pass over most blocks at once. A *place* is a scenario's index in this order; whatever leaves a sweep
/// names scenarios as the caller did.
///
/// The key is the mean shock of all prices; it decides nothing but speed.
#[derive(Debug, Clone)]
pub struct Order {
    /// Scenario at each place.
    scenarios: Vec<u32>,
    /// Place of each scenario.
    places: Vec<u32>,
}

impl Order {
    /// The order of a set. Scenarios that come in pairs stay together, where the market as seen stands.
    pub fn by_market(set: &ScenarioSet, pairing: Pairing) -> Self {
        let prices: Vec<usize> =
            (0..set.factors.len()).filter(|&column| set.factors[column].kind == FactorKind::Price).collect();
        let key = |scenario: usize| prices.iter().map(|&column| set.shock(scenario, column)).sum::<f64>();
        let together: u32 = match pairing {
            Pairing::Single => 1,
            Pairing::SeenAndTrue => 2,
        };
        debug_assert!(set.len().is_multiple_of(together as usize), "pairs are whole");
        let mut groups: Vec<(f64, u32)> =
            (0..set.len() as u32).step_by(together as usize).map(|first| (key(first as usize), first)).collect();
        groups.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let scenarios: Vec<u32> =
            groups.into_iter().flat_map(|(_, first)| first..(first + together).min(set.len() as u32)).collect();
        let mut places = vec![0; scenarios.len()];
        (0..).zip(&scenarios).for_each(|(place, &scenario)| places[scenario as usize] = place);
        Self { scenarios, places }
    }

    /// The scenario at a place.
    #[inline]
    pub fn scenario(&self, place: usize) -> usize {
        self.scenarios[place] as usize
    }

    /// The place of a scenario.
    #[inline]
    pub fn place(&self, scenario: usize) -> usize {
        self.places[scenario] as usize
    }

    /// The set in this order.
    pub fn apply<'s>(&self, set: &'s ScenarioSet) -> Cow<'s, ScenarioSet> {
        if self.scenarios.is_sorted() {
            return Cow::Borrowed(set);
        }
        let order: Vec<usize> = (0..set.len()).map(|place| self.scenario(place)).collect();
        let texts = |texts: &[String]| order.iter().map(|&scenario| texts[scenario].clone()).collect();
        Cow::Owned(ScenarioSet {
            ids: texts(&set.ids),
            weights: order.iter().map(|&scenario| set.weights[scenario]).collect(),
            labels: texts(&set.labels),
            factors: set.factors.clone(),
            shocks: set.shocks.select(Axis(0), &order),
        })
    }

    /// What was found at each place, scenario by scenario.
    pub fn restore<T: Copy>(&self, by_place: &[T]) -> Vec<T> {
        self.places.iter().map(|&place| by_place[place as usize]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Factor;

    fn set(shocks: &[f64]) -> ScenarioSet {
        ScenarioSet {
            ids: (0..shocks.len()).map(|k| k.to_string()).collect(),
            weights: (0..shocks.len()).map(|k| k as f64).collect(),
            labels: vec![String::new(); shocks.len()],
            factors: vec![Factor::price("BTC")],
            shocks: ndarray::Array2::from_shape_fn((shocks.len(), 1), |(k, _)| shocks[k]),
        }
    }

    #[test]
    fn falls_come_first_and_what_was_found_goes_back() {
        let given = set(&[0.2, -0.5, f64::NAN, -0.1]);
        let order = Order::by_market(&given, Pairing::Single);
        let ordered = order.apply(&given);
        assert_eq!(ordered.ids, ["1", "3", "2", "0"]);
        assert_eq!(ordered.weights, [1.0, 3.0, 2.0, 0.0]);
        assert_eq!(ordered.shocks[[0, 0]], -0.5);
        assert_eq!(order.restore(&ordered.weights), given.weights);
        assert!((0..4).all(|scenario| order.scenario(order.place(scenario)) == scenario));
    }

    #[test]
    fn pairs_stay_together_and_ties_keep_the_callers_order() {
        let given = set(&[0.2, 0.1, -0.5, 0.4, 0.2, 0.3]);
        let order = Order::by_market(&given, Pairing::SeenAndTrue);
        assert_eq!(order.apply(&given).ids, ["2", "3", "0", "1", "4", "5"]);
    }
}
