//! What happens to sources, as what the exchange sees: factors `confidence:` and `source:` become `lag:` and `oracle:`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use ndarray::Array2;

use super::{Evidence, OraclePolicies, Quote, form};
use crate::scenario::{Factor, FactorKind, ScenarioSet};

/// A set whose views the engine knows, and what a reader should know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The set without `confidence:` and `source:` columns.
    pub scenarios: ScenarioSet,
    /// Sources and subjects that the factors could not act on.
    pub warnings: Vec<String>,
}

/// Whether a set speaks of sources or confidences.
pub fn has_sources(scenarios: &ScenarioSet) -> bool {
    scenarios.factors.iter().any(|factor| is_of_sources(factor.kind))
}

/// Whether a factor of this kind acts on quotes.
pub fn is_of_sources(kind: FactorKind) -> bool {
    matches!(kind, FactorKind::Confidence | FactorKind::Source)
}

/// Resolves a set by forming each price again.
///
/// A `source:S` shock x makes every quote of S (1 + x) times what it was; the other sources are as they are in the snapshot, so what
/// the formed price gains is a divergence, on top of `oracle:`. Where no price can be formed any more, the last one stands:
/// `lag:` becomes 1 and `oracle:` 0. So it does where `confidence:` exceeds the policy's limit; below, decisions do not
/// change. Moves of the market are taken to move every quote and confidence alike.
pub fn resolve(
    scenarios: &ScenarioSet,
    subjects: &BTreeMap<String, Evidence>,
    policies: &OraclePolicies,
    as_of: Timestamp,
) -> Resolved {
    let mut former = Former { subjects, policies, as_of, formed: HashMap::new(), warnings: BTreeSet::new() };
    let mut views: BTreeMap<&str, Vec<View>> = BTreeMap::new();
    for scenario in 0..scenarios.len() {
        for (subject, view) in former.views(scenarios, scenario) {
            let rows = views.entry(subject).or_insert_with(|| vec![View::default(); scenarios.len()]);
            rows[scenario] = view;
        }
    }
    Resolved { scenarios: with_views(scenarios, &views), warnings: former.warnings.into_iter().collect() }
}

/// What a scenario does to the view of one subject.
#[derive(Debug, Clone, Copy, PartialEq)]
enum View {
    /// The formed price over what it would be otherwise.
    Ratio(f64),
    /// No price can be formed: the last one stands.
    Frozen,
}

impl Default for View {
    fn default() -> Self {
        Self::Ratio(1.0)
    }
}

struct Former<'a> {
    subjects: &'a BTreeMap<String, Evidence>,
    policies: &'a OraclePolicies,
    as_of: Timestamp,
    /// By subject and the shocks of its sources, as bits.
    formed: HashMap<(&'a str, Vec<u64>), View>,
    warnings: BTreeSet<String>,
}

impl<'a> Former<'a> {
    /// Subjects whose view a scenario changes.
    fn views<'s>(&mut self, scenarios: &'s ScenarioSet, scenario: usize) -> Vec<(&'s str, View)>
    where
        'a: 's,
    {
        let mut views: BTreeMap<&'s str, View> = BTreeMap::new();
        let mut captured: BTreeMap<&str, f64> = BTreeMap::new();
        for (column, factor) in scenarios.factors.iter().enumerate() {
            let shock = scenarios.shock(scenario, column);
            match factor.kind {
                FactorKind::Source if shock != 0.0 => {
                    captured.insert(&factor.name, shock);
                }
                FactorKind::Confidence if self.policies.get(&factor.name).is_too_uncertain(1.0, shock) => {
                    views.insert(&factor.name, View::Frozen);
                }
                _ => {}
            }
        }
        for source in captured.keys() {
            if !self.subjects.values().any(|of| of.quotes.iter().any(|quote| quote.source == *source)) {
                self.warnings.insert(format!("source {source} quotes nothing: source:{source} changes nothing"));
            }
        }
        if captured.is_empty() {
            return views.into_iter().collect();
        }
        for (subject, evidence) in self.subjects {
            let view = self.captured_view(subject, &evidence.quotes, &captured);
            if view != View::default() {
                views.entry(subject).or_insert(view);
            }
        }
        views.into_iter().collect()
    }

    fn captured_view(&mut self, subject: &'a str, quotes: &[Quote], captured: &BTreeMap<&str, f64>) -> View {
        let shock = |quote: &Quote| captured.get(quote.source.as_str()).copied().unwrap_or(0.0);
        let key: Vec<u64> = quotes.iter().map(|quote| shock(quote).to_bits()).collect();
        if key.iter().all(|bits| *bits == 0) {
            return View::default();
        }
        if let Some(view) = self.formed.get(&(subject, key.clone())) {
            return *view;
        }
        let policy = self.policies.get(subject);
        let moved: Vec<Quote> =
            quotes.iter().map(|quote| Quote { price: quote.price * (1.0 + shock(quote)), ..quote.clone() }).collect();
        let view = match (form(quotes, policy, self.as_of).price, form(&moved, policy, self.as_of).price) {
            (None, _) => {
                let warning = "has no usable price in the snapshot: captured sources change nothing there";
                self.warnings.insert(format!("{subject} {warning}"));
                View::default()
            }
            (Some(_), None) => View::Frozen,
            (Some(before), Some(after)) if before > 0.0 && after >= 0.0 => View::Ratio(after / before),
            // A price below zero is no price of anything that is margined.
            (Some(_), Some(_)) => View::Frozen,
        };
        self.formed.insert((subject, key), view);
        view
    }
}

/// The set with these views on top of its own, `confidence:` and `source:` left out.
fn with_views(scenarios: &ScenarioSet, views: &BTreeMap<&str, Vec<View>>) -> ScenarioSet {
    let kept: Vec<usize> =
        (0..scenarios.factors.len()).filter(|&column| !is_of_sources(scenarios.factors[column].kind)).collect();
    let mut factors: Vec<Factor> = kept.iter().map(|&column| scenarios.factors[column].clone()).collect();
    let mut columns: Vec<Vec<f64>> = kept.iter().map(|&column| scenarios.shocks.column(column).to_vec()).collect();
    for (subject, views) in views {
        let mut column = |kind: FactorKind| {
            let factor = Factor { kind, name: subject.to_string() };
            factors.iter().position(|known| *known == factor).unwrap_or_else(|| {
                factors.push(factor);
                columns.push(vec![0.0; scenarios.len()]);
                columns.len() - 1
            })
        };
        let (lag, divergence) = (column(FactorKind::Lag), column(FactorKind::Oracle));
        for (scenario, view) in views.iter().enumerate() {
            match view {
                View::Frozen => (columns[lag][scenario], columns[divergence][scenario]) = (1.0, 0.0),
                View::Ratio(1.0) => {}
                View::Ratio(ratio) => {
                    let own = columns[divergence][scenario];
                    columns[divergence][scenario] = (1.0 + if own.is_nan() { 0.0 } else { own }) * ratio - 1.0;
                }
            }
        }
    }
    let shocks = Array2::from_shape_fn((scenarios.len(), columns.len()), |(row, column)| columns[column][row]);
    ScenarioSet { factors, shocks, ..scenarios.clone() }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::oracle::OraclePolicy;

    fn at() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().expect("a moment")
    }

    /// Three sources of one vote each for BTC at 99, 100 and 101; deviating quotes count.
    fn subjects() -> (BTreeMap<String, Evidence>, OraclePolicies) {
        let quote = |(source, price): (&str, f64)| Quote::new(source, "BTC", price, 0.0, at());
        let quotes = [("a", 99.0), ("b", 100.0), ("c", 101.0)].map(quote).into();
        let policy = OraclePolicy { deviation_mads: None, max_confidence: None, ..OraclePolicy::default() };
        let policies = OraclePolicies { general: policy, ..OraclePolicies::default() };
        ([("BTC".to_string(), Evidence { quotes, ..Evidence::default() })].into(), policies)
    }

    fn set(names: &[&str], shocks: Array2<f64>) -> ScenarioSet {
        ScenarioSet {
            ids: (0..shocks.nrows()).map(|row| row.to_string()).collect(),
            weights: vec![1.0; shocks.nrows()],
            labels: vec![String::new(); shocks.nrows()],
            factors: names.iter().map(|name| Factor::parse(name).expect("a factor")).collect(),
            shocks,
        }
    }

    fn seen(set: &ScenarioSet, name: &str, scenario: usize) -> f64 {
        set.column(&Factor::parse(name).expect("a factor")).map_or(0.0, |column| set.shock(scenario, column))
    }

    #[test]
    fn one_captured_source_moves_the_median_to_the_next_honest_quote_and_two_move_it_anywhere() {
        let (subjects, policies) = subjects();
        let one = set(&["price:BTC", "source:b"], array![[-0.1, -0.5], [0.0, 0.0], [0.0, 0.5]]);
        let resolved = resolve(&one, &subjects, &policies, at());
        assert_eq!(resolved.scenarios.factors.len(), 3, "price, lag and oracle");
        assert_eq!(resolved.warnings, Vec::<String>::new());
        let divergence = |scenario| seen(&resolved.scenarios, "oracle:BTC", scenario);
        assert!((divergence(0) + 0.01).abs() < 1e-12 && divergence(1) == 0.0 && (divergence(2) - 0.01).abs() < 1e-12);
        assert_eq!(seen(&resolved.scenarios, "price:BTC", 0), -0.1);
        let two = set(&["source:a", "source:b"], array![[-0.5, -0.5]]);
        let resolved = resolve(&two, &subjects, &policies, at());
        assert!((seen(&resolved.scenarios, "oracle:BTC", 0) + 0.5).abs() < 1e-12, "50 is the middle of 49.5, 50, 101");
    }

    #[test]
    fn a_price_that_cannot_be_formed_or_is_too_uncertain_stands_still() {
        let (subjects, mut policies) = subjects();
        policies.general.deviation_mads = Some(5.0);
        policies.general.max_confidence = Some(0.02);
        policies.general.quorum = 0.9;
        let set = set(
            &["source:a", "confidence:BTC", "oracle:BTC"],
            array![[-0.5, 0.0, 0.2], [0.0, 0.03, 0.2], [0.0, 0.01, 0.2]],
        );
        let resolved = resolve(&set, &subjects, &policies, at()).scenarios;
        let views = |scenario| (seen(&resolved, "lag:BTC", scenario), seen(&resolved, "oracle:BTC", scenario));
        // The captured quote is dropped as deviating, and two of three are no quorum of nine tenths.
        assert_eq!([0, 1, 2].map(views), [(1.0, 0.0), (1.0, 0.0), (0.0, 0.2)]);
        assert_eq!(resolved.faults(), []);
    }

    #[test]
    fn a_source_of_nothing_is_said() {
        let (subjects, policies) = subjects();
        let resolved = resolve(&set(&["source:z"], array![[0.5]]), &subjects, &policies, at());
        assert_eq!(resolved.scenarios.factors, []);
        assert!(resolved.warnings[0].contains("source z quotes nothing"), "{:?}", resolved.warnings);
    }
}
