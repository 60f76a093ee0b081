use super::super::capture::{Direction, cheapest, fewest_sources, majority, reach, venue_cost};
use super::*;

/// Seven venues with Hyperliquid's weights 3, 2, 2, 1, 1, 1, 1, all at 100.
fn venues() -> Vec<Quote> {
    quotes(&[3.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0].map(|weight| (100.0, 0.1, weight)))
}

fn captured(said: &[Quote], costs: &[f64], policy: &OraclePolicy, way: (Direction, f64)) -> Option<(Vec<usize>, f64)> {
    let formed = form(said, policy, now());
    let costs: Vec<Option<f64>> = costs.iter().map(|cost| Some(*cost)).collect();
    cheapest(said, &formed, &costs, policy, way).map(|capture| (capture.quotes, capture.cost))
}

#[test]
fn eleven_votes_need_six() {
    let (said, policy) = (venues(), OraclePolicy::default());
    let formed = form(&said, &policy, now());
    assert_eq!(majority(&said, &formed, &policy), Some(6.0));
    assert_eq!(fewest_sources(&said, &formed, &policy), 3, "3 + 2 + 1");
    let by_weight = [3.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0];
    for way in [Direction::Up, Direction::Down] {
        let (sources, cost) = captured(&said, &by_weight, &policy, (way, 0.1)).expect("a set");
        let weight: f64 = sources.iter().map(|&place| said[place].weight).sum();
        assert_eq!((cost, weight), (6.0, 6.0), "no set of five suffices");
    }
    // The largest venue at ten times its worth: 2 + 2 + 1 + 1 instead.
    let (sources, cost) =
        captured(&said, &[30.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0], &policy, (Direction::Up, 0.1)).expect("a set");
    assert_eq!((sources, cost), (vec![1, 2, 3, 4], 6.0));
    let (sources, cost) =
        captured(&said, &[2.5, 2.0, 9.0, 1.0, 9.0, 9.0, 9.0], &policy, (Direction::Up, 0.1)).expect("a set");
    assert_eq!((sources, cost), (vec![0, 1, 3], 5.5));
}

#[test]
fn the_search_is_exact() {
    // Every subset of nine sources with odd weights and costs, against the best of all that suffice.
    let said = quotes(&[3.7, 1.1, 2.9, 0.4, 1.6, 2.2, 0.9, 3.1, 1.3].map(|weight| (100.0, 0.0, weight)));
    let costs = [8.0, 2.0, 7.5, 1.0, 2.5, 5.5, 2.0, 7.0, 3.5];
    let total: f64 = said.iter().map(|quote| quote.weight).sum();
    let sum = |set: u32, of: &dyn Fn(usize) -> f64| (0..9).filter(|k| set >> k & 1 == 1).map(of).sum::<f64>();
    let enough = (0..512u32).filter(|&set| sum(set, &|k| said[k].weight) > total / 2.0 + 1e-9);
    let best = enough.map(|set| sum(set, &|k| costs[k])).fold(f64::INFINITY, f64::min);
    let (_, cost) = captured(&said, &costs, &plain(), (Direction::Up, 0.05)).expect("a set");
    assert_eq!(cost, best);
}

#[test]
fn honest_quotes_beyond_the_target_are_free() {
    let policy = OraclePolicy { deviation_mads: None, ..OraclePolicy::default() };
    let said = quotes(&[(99.0, 0.0, 1.0), (100.0, 0.0, 1.0), (100.0, 0.0, 1.0), (101.0, 0.0, 1.0), (110.0, 0.0, 1.0)]);
    let set = |way| captured(&said, &[1.0; 5], &policy, way).map(|(sources, _)| sources.len());
    assert_eq!(set((Direction::Up, 0.01)), Some(1), "101 and 110 stand there");
    assert_eq!(set((Direction::Up, 0.05)), Some(2), "110 stands there");
    assert_eq!(set((Direction::Up, 0.2)), Some(3));
    assert_eq!(set((Direction::Down, 0.01)), Some(2), "99 stands there");
    assert_eq!(set((Direction::Down, 0.02)), Some(3));
}

#[test]
fn an_exactly_split_weight_falls_to_the_side_of_ties() {
    let said = quotes(&[(100.0, 0.0, 1.0); 4]);
    for (ties, up, down) in [(Ties::Lower, 3, 2), (Ties::Mean, 3, 3), (Ties::Upper, 2, 3)] {
        let policy = OraclePolicy { ties, ..plain() };
        let set = |way| captured(&said, &[1.0; 4], &policy, (way, 0.1)).map(|(sources, _)| sources.len());
        assert_eq!((set(Direction::Up), set(Direction::Down)), (Some(up), Some(down)), "{ties:?}");
    }
}

#[test]
fn the_captured_set_moves_the_price_that_far() {
    let said = quotes(&[(99.0, 1.0, 2.0), (100.0, 1.0, 1.5), (100.5, 1.0, 1.0), (101.0, 1.0, 2.0), (102.0, 1.0, 0.7)]);
    let costs = [5.0, 3.0, 2.0, 4.0, 1.0];
    for aggregation in [Aggregation::WeightedMedian, Aggregation::ThreeVote, Aggregation::Median] {
        let policy = OraclePolicy { aggregation, ..plain() };
        let honest = form(&said, &policy, now()).price.expect("a price");
        for (way, sign) in [(Direction::Up, 1.0), (Direction::Down, -1.0)] {
            for movement in [0.002, 0.01, 0.03, 0.5] {
                let (sources, _) = captured(&said, &costs, &policy, (way, movement)).expect("a set");
                let target = honest * (1.0 + sign * movement);
                let mut moved = said.clone();
                sources.iter().for_each(|&place| (moved[place].price, moved[place].confidence) = (target, 1e-9));
                let reached = form(&moved, &policy, now()).price.expect("a price");
                assert!(
                    sign * (reached - target) >= -1e-8,
                    "{aggregation:?} {way:?} {movement}: {reached} of {target}"
                );
            }
        }
    }
}

#[test]
fn one_source_moves_a_median_to_the_next_quote() {
    let said = quotes(&[(99.0, 0.0, 1.0), (100.0, 0.0, 1.0), (102.0, 0.0, 1.0)]);
    let formed = form(&said, &plain(), now());
    let found: Vec<_> = reach(&said, &formed, &plain()).iter().map(|reach| (reach.lowest, reach.highest)).collect();
    assert_eq!(found, [(Some(100.0), Some(102.0)), (Some(99.0), Some(102.0)), (Some(99.0), Some(100.0))]);
    let said = quotes(&[(99.0, 0.0, 3.0), (100.0, 0.0, 1.0)]);
    let alone = reach(&said, &form(&said, &plain(), now()), &plain());
    assert_eq!((alone[0].lowest, alone[0].highest), (None, None), "more than half of the weight");
    assert_eq!((alone[1].lowest, alone[1].highest), (Some(99.0), Some(99.0)));
}

#[test]
fn what_cannot_be_captured_is_not() {
    let (said, policy) = (venues(), OraclePolicy::default());
    let formed = form(&said, &policy, now());
    let mut costs = vec![Some(1.0); 7];
    costs[..2].fill(None);
    let found = cheapest(&said, &formed, &costs, &policy, (Direction::Up, 0.1)).expect("2 + 1 + 1 + 1 + 1 are six");
    assert_eq!((found.quotes.len(), found.weight), (5, 6.0));
    costs[2] = None;
    assert_eq!(cheapest(&said, &formed, &costs, &policy, (Direction::Up, 0.1)), None);
    assert_eq!(cheapest(&said, &form(&[], &policy, now()), &[], &policy, (Direction::Up, 0.1)), None);
    assert_eq!(majority(&[], &form(&[], &policy, now()), &policy), None);
    assert_eq!(fewest_sources(&[], &form(&[], &policy, now()), &policy), 0);
}

#[test]
fn a_venue_costs_two_thirds_of_its_move() {
    // 10 % at 5 % daily volatility takes four days' volume: 2/3 · 0.1 · 4 · 1e6.
    assert!((venue_cost(0.1, 1e6, 0.05, 1.0) - 800_000.0 / 3.0).abs() < 1e-6);
    assert!(
        (venue_cost(0.1, 1e6, 0.05, 2.0) - 200_000.0 / 3.0).abs() < 1e-6,
        "twice the impact, a quarter of the volume"
    );
}
