use super::super::capture::{Direction, Majority, cheapest, fewest_sources, majority, reach, venue_cost};
use super::*;
use proptest::prelude::*;

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
    assert_eq!(majority(&said, &formed, &policy), Some(Majority { weight: 6.0, is_exact: true }));
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
    for (ties, up, down) in [(Ties::Lower, 3, 2), (Ties::Mean, 2, 2), (Ties::Upper, 2, 3)] {
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
fn exactly_half_is_enough_where_the_mean_goes_far_enough() {
    let said = quotes(&[(100.0, 1.0, 1.0), (100.0, 1.0, 1.0)]);
    for aggregation in [Aggregation::WeightedMedian, Aggregation::ThreeVote, Aggregation::Median] {
        let policy = OraclePolicy { aggregation, ties: Ties::Mean, ..plain() };
        for (way, movement) in [(Direction::Up, 0.1), (Direction::Down, 0.1), (Direction::Up, 9.0)] {
            let found = captured(&said, &[10.0, 1_000.0], &policy, (way, movement));
            assert_eq!(found, Some((vec![0], 10.0)), "{aggregation:?} {way:?} {movement}");
        }
        // A positive price beside 100 leaves a mean above 50.
        let found = captured(&said, &[10.0, 1_000.0], &policy, (Direction::Down, 0.6));
        assert_eq!(found, Some((vec![0, 1], 1_010.0)), "{aggregation:?}");
        let policy = OraclePolicy { non_positive: NonPositive::Keep, ..policy };
        let found = captured(&said, &[10.0, 1_000.0], &policy, (Direction::Down, 0.6));
        assert_eq!(found, Some((vec![0], 10.0)), "{aggregation:?}");
    }
}

/// Weights to six decimals, prices of 100, and costs that have nothing to do with them; or are them.
fn many(count: usize) -> (Vec<Quote>, Vec<Option<f64>>, Vec<Option<f64>>) {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64
    };
    let quote = |k: usize, weight: f64| Quote { weight, ..Quote::new(k.to_string(), "X", 100.0, 0.1, now()) };
    let said: Vec<Quote> = (0..count).map(|k| quote(k, 500.0 + next() / 1e6)).collect();
    let costs = (0..count).map(|_| Some(1.0 + next())).collect();
    let by_weight = said.iter().map(|quote| Some(quote.weight)).collect();
    (said, costs, by_weight)
}

#[test]
fn many_sources_are_captured_all_the_same() {
    for count in [24, 60, 200] {
        let (said, costs, _) = many(count);
        let formed = form(&said, &plain(), now());
        let total: f64 = said.iter().map(|quote| quote.weight).sum();
        let found = cheapest(&said, &formed, &costs, &plain(), (Direction::Up, 0.1)).expect("a set");
        assert!(found.is_exact && found.weight > total / 2.0, "{count}: {found:?}");
        let needed = majority(&said, &formed, &plain()).expect("a weight");
        assert!(needed.is_exact && needed.weight > total / 2.0 && needed.weight < total / 2.0 + 1e-3, "{needed:?}");
    }
}

#[test]
fn a_search_that_reaches_its_limit_says_so() {
    // A cost that is the weight, but for a constant, leaves nothing to prune.
    let (said, _, by_weight) = many(60);
    let formed = form(&said, &plain(), now());
    let costs: Vec<Option<f64>> = by_weight.iter().map(|cost| cost.map(|cost| cost + 100.0)).collect();
    let found = cheapest(&said, &formed, &costs, &plain(), (Direction::Up, 0.1)).expect("the best found");
    let total: f64 = said.iter().map(|quote| quote.weight).sum();
    assert!(!found.is_exact && found.weight > total / 2.0, "{found:?}");
    let ratio = found.cost / (total / 2.0 + 100.0 * found.quotes.len() as f64);
    assert!((1.0..1.001).contains(&ratio), "{ratio}");
}

#[test]
fn the_least_sum_is_that_of_some_subset() {
    use super::super::cover::least_sum;

    let weights = [37, 11, 29, 4, 16, 22, 9, 31, 13];
    let sums: Vec<u128> =
        (0..512u32).map(|set| (0..9).filter(|k| set >> k & 1 == 1).map(|k| weights[k as usize]).sum()).collect();
    for needed in 0..=172 {
        let best = sums.iter().copied().filter(|sum| *sum >= needed).min().expect("all of them");
        assert_eq!(least_sum(weights.to_vec(), needed).map(|found| (found.best, found.is_exact)), Some((best, true)));
    }
    assert_eq!(least_sum(weights.to_vec(), 173), None);
    assert_eq!(least_sum(vec![6, 10, 14], 17).map(|found| (found.best, found.is_exact)), Some((20, true)));
    // Sixty weights of nineteen digits: the lists end before them, and what they meet is not the need itself.
    let step =
        |weight: &u64| Some(weight.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    let weights: Vec<u128> = std::iter::successors(Some(7_u64), step).skip(1).take(60).map(u128::from).collect();
    let needed = weights.iter().sum::<u128>() / 2 + 1;
    let found = least_sum(weights, needed).expect("a sum");
    assert!(!found.is_exact && found.best >= needed && found.best < needed + needed / 1_000_000, "{found:?}");
}

/// The cheapest of all subsets whose quotes, at the end of the range, move the median that far.
fn by_hand(said: &[Quote], costs: &[Option<f64>], policy: &OraclePolicy, way: (Direction, f64)) -> Option<f64> {
    let honest = form(said, policy, now()).price?;
    let (far, target) = match way.0 {
        Direction::Up => (1e12, honest * (1.0 + way.1)),
        Direction::Down => (1e-9, honest * (1.0 - way.1)),
    };
    let subsets = 0..1u32 << said.len();
    let moves = subsets.filter_map(|set| {
        let is_taken = |place: usize| set >> place & 1 == 1;
        let taken = (0..said.len()).filter(|place| is_taken(*place));
        let cost = taken.map(|place| costs[place]).sum::<Option<f64>>()?;
        let mut moved = said.to_vec();
        for (_, quote) in moved.iter_mut().enumerate().filter(|(place, _)| is_taken(*place)) {
            (quote.price, quote.confidence) = (far, 1e-10);
        }
        let reached = form(&moved, policy, now()).median?;
        let is_there = if way.0 == Direction::Up { reached >= target - 1e-9 } else { reached <= target + 1e-8 };
        is_there.then_some(cost)
    });
    moves.min_by(f64::total_cmp)
}

#[test]
fn a_dearer_half_never_takes_the_place_of_a_cheaper_one() {
    // The last source alone: its votes and 99, 100, 101 are half of twelve, and the mean of 96 and 99 lies beyond.
    let said = quotes(&[(100.0, 1.0, 1.0), (95.0, 1.0, 1.0), (95.0, 1.0, 1.0), (95.0, 2.0, 1.0)]);
    let policy = OraclePolicy { aggregation: Aggregation::ThreeVote, ..plain() };
    let costs = [Some(1.0), None, None, Some(1.0)];
    let found = cheapest(&said, &form(&said, &policy, now()), &costs, &policy, (Direction::Up, 0.0103)).expect("a set");
    assert_eq!((found.quotes, found.cost), (vec![3], 1.0));
}

proptest! {
    #[test]
    fn no_cheaper_set_moves_the_price(
        said in prop::collection::vec((95i32..=105, 1u32..4, 1u32..4, prop::option::weighted(0.9, 1u32..20)), 1..8),
        aggregation in prop::sample::select(vec![Aggregation::WeightedMedian, Aggregation::ThreeVote, Aggregation::Median]),
        ties in prop::sample::select(vec![Ties::Lower, Ties::Mean, Ties::Upper]),
        is_up in any::<bool>(),
        movement in prop::sample::select(vec![0.0103, 0.0207, 0.0411, 0.203, 0.607]),
        tick in prop::sample::select(vec![0.0, 0.5, 2.0]),
    ) {
        let costs: Vec<Option<f64>> = said.iter().map(|(.., cost)| cost.map(f64::from)).collect();
        let figures: Vec<(f64, f64, f64)> =
            said.iter().map(|&(price, confidence, weight, _)| (f64::from(price), f64::from(confidence), f64::from(weight))).collect();
        // Three votes of no confidence are no votes: with a tick the captured quotes would be dropped.
        let price_tick = if aggregation == Aggregation::ThreeVote { 0.0 } else { tick };
        let policy = OraclePolicy { aggregation, ties, price_tick, ..plain() };
        let said = quotes(&figures);
        let way = (if is_up { Direction::Up } else { Direction::Down }, movement);
        let found = cheapest(&said, &form(&said, &policy, now()), &costs, &policy, way);
        prop_assert!(found.as_ref().is_none_or(|found| found.is_exact));
        prop_assert_eq!(found.map(|found| found.cost), by_hand(&said, &costs, &policy, way));
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
