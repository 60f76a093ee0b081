//! A scenario set as the exchange sees its markets, and as they are.

use ndarray::{Array2, Axis};

use super::{Factor, FactorKind, ScenarioSet};

fn is_sight(factor: &Factor) -> bool {
    matches!(factor.kind, FactorKind::Oracle | FactorKind::Lag)
}

impl ScenarioSet {
    /// Whether some column lets the exchange see other prices than there are.
    pub fn has_views(&self) -> bool {
        self.factors.iter().any(is_sight)
    }

    /// The markets as they are: the set without `oracle:` and `lag:` columns.
    pub fn as_it_is(&self) -> Self {
        let kept: Vec<usize> = (0..self.factors.len()).filter(|&column| !is_sight(&self.factors[column])).collect();
        Self {
            factors: kept.iter().map(|&column| self.factors[column].clone()).collect(),
            shocks: self.shocks.select(Axis(1), &kept),
            ..self.clone()
        }
    }

    /// Every scenario twice: as the exchange sees it, id `ID|seen`, then as it is, id `ID|true`, both with its weight. Columns are
    /// those of the set; in the second of a pair those that only the exchange's view has are 0.
    pub fn seen_and_true(&self) -> Self {
        let twice = |texts: &[String]| texts.iter().flat_map(|text| [text.clone(), text.clone()]).collect();
        let shock = |(row, column): (usize, usize)| match row % 2 == 1 && is_sight(&self.factors[column]) {
            true => 0.0,
            false => self.shocks[[row / 2, column]],
        };
        Self {
            ids: self.ids.iter().flat_map(|id| [format!("{id}|seen"), format!("{id}|true")]).collect(),
            weights: self.weights.iter().flat_map(|weight| [*weight; 2]).collect(),
            labels: twice(&self.labels),
            factors: self.factors.clone(),
            shocks: Array2::from_shape_fn((2 * self.len(), self.factors.len()), shock),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn set() -> ScenarioSet {
        ScenarioSet {
            ids: vec!["a".into(), "b".into()],
            weights: vec![1.0, 2.0],
            labels: vec!["first".into(), String::new()],
            factors: ["price:BTC", "lag:BTC", "oracle:BTC"].map(|name| Factor::parse(name).expect("a factor")).into(),
            shocks: array![[-0.1, 0.5, 0.0], [-0.2, 0.0, 0.3]],
        }
    }

    #[test]
    fn pairs_share_the_market_and_not_the_view() {
        let pairs = set().seen_and_true();
        assert_eq!(pairs.faults(), []);
        assert_eq!(pairs.ids, ["a|seen", "a|true", "b|seen", "b|true"]);
        assert_eq!(pairs.weights, [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(pairs.shocks, array![[-0.1, 0.5, 0.0], [-0.1, 0.0, 0.0], [-0.2, 0.0, 0.3], [-0.2, 0.0, 0.0]]);
    }

    #[test]
    fn the_market_as_it_is_has_no_view() {
        assert!(set().has_views());
        let market = set().as_it_is();
        assert_eq!((market.factors.len(), market.shocks), (1, array![[-0.1], [-0.2]]));
    }
}
