use proptest::prelude::*;

use super::*;

fn aggregation() -> impl Strategy<Value = Aggregation> {
    prop::sample::select(Aggregation::WORDS.map(|(_, aggregation)| aggregation).to_vec())
}

fn ties() -> impl Strategy<Value = Ties> {
    prop::sample::select(Ties::WORDS.map(|(_, ties)| ties).to_vec())
}

/// Prices in eighths, so that sums and means are exact.
fn said() -> impl Strategy<Value = Vec<(f64, f64, f64)>> {
    let one = (700u32..900, 1u32..40, 1u32..50);
    let to_f64 =
        |(price, confidence, weight)| (f64::from(price) / 8.0, f64::from(confidence) / 8.0, f64::from(weight) / 10.0);
    prop::collection::vec(one.prop_map(to_f64), 1..12)
}

fn range(prices: impl Iterator<Item = f64>) -> (f64, f64) {
    prices.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), price| (low.min(price), high.max(price)))
}

proptest! {
    #[test]
    fn a_median_lies_between_the_quotes_used(said in said(), ties in ties(), aggregation in aggregation()) {
        let said = quotes(&said);
        let policy = OraclePolicy { ties, aggregation, deviation_mads: Some(2.0), ..plain() };
        let formed = form(&said, &policy, now());
        let reach = if aggregation == Aggregation::ThreeVote { 1.0 } else { 0.0 };
        let (low, _) = range(formed.used.iter().map(|&place| said[place].price - reach * said[place].confidence));
        let (_, high) = range(formed.used.iter().map(|&place| said[place].price + reach * said[place].confidence));
        let price = formed.price.expect("a price");
        prop_assert!(low <= price && price <= high);
        prop_assert!(formed.confidence.expect("a confidence") >= 0.0);
        prop_assert_eq!(formed.used.len() + formed.dropped.len(), said.len());
    }

    #[test]
    fn order_changes_nothing(
        (said, shuffled) in said().prop_flat_map(|said| (Just(said.clone()), Just(said).prop_shuffle())),
        aggregation in aggregation(),
    ) {
        let policy = OraclePolicy { aggregation, deviation_mads: Some(3.0), ..plain() };
        let (a, b) = (form(&quotes(&said), &policy, now()), form(&quotes(&shuffled), &policy, now()));
        prop_assert_eq!((a.price, a.confidence, a.weight_used), (b.price, b.confidence, b.weight_used));
    }

    #[test]
    fn a_source_split_in_two_changes_nothing(said in said(), part in 1u32..9, ties in ties()) {
        let policy = OraclePolicy { ties, deviation_mads: Some(3.0), ..plain() };
        let mut split = said.clone();
        let (price, confidence, weight) = said[0];
        let first = weight * f64::from(part) / 10.0;
        split[0].2 = first;
        split.push((price, confidence, weight - first));
        let (a, b) = (form(&quotes(&said), &policy, now()), form(&quotes(&split), &policy, now()));
        prop_assert_eq!((a.price, a.confidence), (b.price, b.confidence));
    }

    /// Half of the weight where no quote is dropped for its distance; where some are, half of the quorum, since liars who are
    /// kept can be that much of what is left.
    #[test]
    fn less_than_half_of_the_weight_keeps_the_price_among_the_honest(
        said in said(),
        lies in prop::collection::vec((-1e12f64..1e12, 0f64..1e12), 12),
        ties in ties(),
        (mads, quorum) in prop::sample::select(vec![(None, 1.0), (Some(0.0), 0.4), (Some(5.0), 2.0 / 3.0)]),
    ) {
        let total: f64 = said.iter().map(|(_, _, weight)| weight).sum();
        let (mut held, mut told, mut honest) = (0.0, said.clone(), Vec::new());
        for (index, &(price, _, weight)) in said.iter().enumerate() {
            if held + weight < quorum * total / 2.0 - 1e-6 {
                held += weight;
                (told[index].0, told[index].1) = lies[index];
            } else {
                honest.push(price);
            }
        }
        let policy =
            OraclePolicy { ties, deviation_mads: mads, quorum, non_positive: NonPositive::Keep, ..plain() };
        let (low, high) = range(honest.into_iter());
        let formed = form(&quotes(&told), &policy, now());
        prop_assert!(formed.price.is_some() || mads.is_some(), "nothing is dropped without the rule");
        prop_assert!(formed.price.is_none_or(|price| low <= price && price <= high), "{formed:?} of {low} to {high}");
    }
}
