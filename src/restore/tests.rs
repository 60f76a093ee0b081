use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;

const LIMIT: usize = 400;

/// Losses of holdings in quote units under relative moves of their prices.
fn losses(moves: Array2<f64>) -> Array2<f64> {
    -moves
}

/// Two assets under nine scenarios: the requirement falls from 210,000 to what equity and cost allow.
fn two_assets(scale: f64) -> (Problem, ScenarioLosses) {
    let moves = array![
        [-0.15, -0.20],
        [-0.10, -0.12],
        [-0.05, -0.05],
        [0.0, 0.0],
        [0.05, 0.06],
        [0.10, 0.13],
        [0.15, 0.18],
        [-0.10, 0.03],
        [0.05, -0.08],
    ];
    let legs = vec![Leg::cut(scale * 1e6, 5e-4), Leg::cut(scale * 3e5, 8e-4)];
    let problem = Problem { legs, target: 1.0, excess: 0.0, limit: LIMIT };
    (problem, ScenarioLosses { equity: scale * 150_000.0, losses: losses(moves) })
}

fn restored(outcome: Outcome) -> Restoration {
    match outcome {
        Outcome::Restored(restoration) => restoration,
        other => panic!("{other:?}"),
    }
}

fn assert_close(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
}

#[test]
fn the_cheapest_cut_of_two_assets_is_the_published_one() {
    for scale in [1.0, 1e-6, 1e6] {
        let (problem, mut landscape) = two_assets(scale);
        assert_close(landscape.plane(&[scale * 1e6, scale * 3e5]).requirement, scale * 210_000.0, scale * 1e-6);
        let answer = restored(cheapest(&problem, &mut landscape));
        assert_close(answer.trades[0], scale * -401_337.79, scale * 0.005);
        assert_eq!(answer.trades[1], 0.0);
        assert_close(answer.cost_quote, scale * 200.67, scale * 0.005);
        assert_close(answer.requirement_quote, scale * 149_799.33, scale * 0.005);
        assert_close(answer.equity_quote, answer.requirement_quote, scale * 1e-3);
        assert_eq!(answer.marginal, [0.15, 0.20]);
    }
}

#[test]
fn the_greedy_answer_of_two_assets_is_no_cheaper() {
    let (problem, mut landscape) = two_assets(1.0);
    let best = restored(cheapest(&problem, &mut landscape));
    let greedy = restored(greedy(&problem, &mut landscape));
    assert!(greedy.cost_quote >= best.cost_quote * (1.0 - 1e-9), "{greedy:?}");
    assert_close(greedy.equity_quote, greedy.requirement_quote, 1e-3);
}

#[test]
fn a_hedge_that_costs_less_than_the_cut_is_chosen() {
    let losses = losses(array![[-0.2, -0.2], [0.2, 0.2]]);
    let mut landscape = ScenarioLosses { equity: 150_000.0, losses };
    let with = |cap: f64| {
        let legs = vec![Leg::cut(1e6, 1e-3), Leg::hedge(0.0, cap, 1e-4)];
        Problem { legs, target: 1.1, excess: 0.0, limit: LIMIT }
    };
    let free = restored(cheapest(&with(1e6), &mut landscape));
    assert_eq!(free.trades[0], 0.0);
    assert!(free.trades[1] < -300_000.0);
    let capped = restored(cheapest(&with(100_000.0), &mut landscape));
    assert_close(capped.trades[1], -100_000.0, 1e-3);
    assert!(capped.trades[0] < 0.0 && capped.cost_quote > free.cost_quote);
}

#[test]
fn what_no_trade_restores_is_said_with_what_is_missing() {
    let mut landscape = ScenarioLosses { equity: -1_000.0, losses: losses(array![[-0.2], [0.2]]) };
    let problem = Problem { legs: vec![Leg::cut(1e4, 1e-3)], target: 1.1, excess: 0.0, limit: LIMIT };
    match cheapest(&problem, &mut landscape) {
        // A full close costs 10, less than it frees, and leaves the debt.
        Outcome::Infeasible { trades, shortfall_quote } => {
            assert_close(trades[0], -1e4, 1e-5);
            assert_close(shortfall_quote, 1_010.0, 1e-5);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(greedy(&problem, &mut landscape), Outcome::Unsettled);
}

#[test]
fn a_leg_that_costs_more_than_it_frees_is_left_alone() {
    let mut landscape = ScenarioLosses { equity: 1_000.0, losses: losses(array![[-0.2, -1e-4], [0.2, 1e-4]]) };
    let legs = vec![Leg::cut(1e4, 1e-3), Leg::cut(1e4, 1e-3)];
    let problem = Problem { legs, target: 1.0, excess: 0.0, limit: LIMIT };
    for answer in [cheapest(&problem, &mut landscape), greedy(&problem, &mut landscape)] {
        assert_eq!(restored(answer).trades[1], 0.0);
    }
}

#[test]
fn numbers_out_of_range_are_unsettled() {
    let (problem, mut landscape) = two_assets(1.0);
    let with = |change: &dyn Fn(&mut Problem)| {
        let mut changed = problem.clone();
        change(&mut changed);
        changed
    };
    let broken = [
        with(&|problem| problem.target = 0.0),
        with(&|problem| problem.target = f64::NAN),
        with(&|problem| problem.excess = f64::INFINITY),
        with(&|problem| problem.legs[0].cost = -1.0),
        with(&|problem| problem.legs[0].held = f64::NAN),
        with(&|problem| problem.legs[0].highest = 0.0),
        with(&|problem| problem.limit = 0),
    ];
    for problem in broken {
        assert_eq!(cheapest(&problem, &mut landscape), Outcome::Unsettled);
        if problem.limit > 0 {
            assert_eq!(greedy(&problem, &mut landscape), Outcome::Unsettled);
        }
    }
    landscape.equity = f64::NAN;
    assert_eq!(cheapest(&problem, &mut landscape), Outcome::Unsettled);
    assert_eq!(greedy(&problem, &mut landscape), Outcome::Unsettled);
}

#[test]
fn what_meets_the_target_already_is_left_alone() {
    let (problem, mut landscape) = two_assets(1.0);
    landscape.equity = 210_000.0;
    for answer in [cheapest(&problem, &mut landscape), greedy(&problem, &mut landscape)] {
        let answer = restored(answer);
        assert_eq!((answer.trades, answer.cost_quote, answer.planes), (vec![0.0, 0.0], 0.0, 1));
    }
}

/// A book of a few legs, some of them hedges, under random scenarios.
fn random_book() -> impl Strategy<Value = (Problem, ScenarioLosses)> {
    let leg = (-1e6..1e6f64, 1e-4..1e-2f64, any::<bool>());
    (proptest::collection::vec(leg, 1..6), proptest::collection::vec(-0.3..0.3f64, 6 * 12), 0.2..0.95f64).prop_map(
        |(legs, moves, share)| {
            let n_legs = legs.len();
            let moves = Array2::from_shape_fn((12, n_legs), |(scenario, leg)| moves[6 * scenario + leg]);
            let leg = |(held, cost, hedge): (f64, f64, bool)| match hedge {
                true => Leg::hedge(0.0, held.abs(), cost),
                false => Leg::cut(held, cost),
            };
            let legs: Vec<Leg> = legs.into_iter().map(leg).collect();
            let mut landscape = ScenarioLosses { equity: 0.0, losses: losses(moves) };
            let held: Vec<f64> = legs.iter().map(|leg| leg.held).collect();
            landscape.equity = share * landscape.plane(&held).requirement;
            (Problem { legs, target: 1.1, excess: 0.0, limit: LIMIT }, landscape)
        },
    )
}

/// The target is met, within the bounds, at the cost stated.
fn check(problem: &Problem, landscape: &mut ScenarioLosses, answer: &Restoration) {
    let after: Vec<f64> = problem.legs.iter().zip(&answer.trades).map(|(leg, trade)| leg.held + trade).collect();
    for (leg, &holding) in problem.legs.iter().zip(&after) {
        assert!(leg.lowest <= holding && holding <= leg.highest, "{leg:?} ends at {holding}");
    }
    let plane = landscape.plane(&after);
    let cost: f64 = problem.legs.iter().zip(&answer.trades).map(|(leg, trade)| leg.cost * trade.abs()).sum();
    assert_close(answer.cost_quote, cost, 1e-9 * cost);
    let missing = problem.target * plane.requirement - (plane.equity - cost);
    assert!(missing <= 1e-8 * (plane.equity + plane.requirement), "{missing} is missing");
}

proptest! {
    #[test]
    fn answers_restore_within_bounds_and_greedy_is_never_cheaper((problem, mut landscape) in random_book()) {
        let best = match cheapest(&problem, &mut landscape) {
            Outcome::Restored(best) => best,
            Outcome::Infeasible { shortfall_quote, .. } => {
                prop_assert!(shortfall_quote > 0.0);
                let greedy = greedy(&Problem { limit: 20_000, ..problem }, &mut landscape);
                prop_assert!(!matches!(greedy, Outcome::Restored(_)), "{greedy:?}");
                return Ok(());
            }
            Outcome::Unsettled => return Err(TestCaseError::fail("unsettled")),
        };
        check(&problem, &mut landscape, &best);
        if let Outcome::Restored(greedy) = greedy(&Problem { limit: 20_000, ..problem.clone() }, &mut landscape) {
            check(&problem, &mut landscape, &greedy);
            prop_assert!(greedy.cost_quote >= best.cost_quote * (1.0 - 1e-6) - 1e-6, "{greedy:?} {best:?}");
        }
    }

    #[test]
    fn a_scaled_book_is_restored_by_scaled_trades((problem, landscape) in random_book(), power in -20..20i32) {
        let scale = 2f64.powi(power);
        let mut scaled = problem.clone();
        for leg in &mut scaled.legs {
            (leg.held, leg.lowest, leg.highest) = (scale * leg.held, scale * leg.lowest, scale * leg.highest);
        }
        let mut larger = landscape.clone();
        larger.equity *= scale;
        if let Outcome::Restored(answer) = cheapest(&problem, &mut landscape.clone()) {
            let scaled = restored(cheapest(&scaled, &mut larger));
            prop_assert!((scaled.cost_quote - scale * answer.cost_quote).abs() <= 1e-7 * scale * answer.cost_quote);
        }
    }

    #[test]
    fn a_position_whose_cut_frees_nothing_is_not_cut((problem, mut landscape) in random_book(), at in 0..6usize) {
        // One leg loses nothing in any scenario but gains: to cut it can only raise the requirement.
        let at = at % problem.legs.len();
        let mut problem = problem;
        problem.legs[at] = Leg::cut(1e5, 1e-3);
        landscape.losses.column_mut(at).mapv_inplace(|loss: f64| -loss.abs());
        for answer in [cheapest(&problem, &mut landscape), greedy(&problem, &mut landscape)] {
            if let Outcome::Restored(answer) = answer {
                prop_assert_eq!(answer.trades[at], 0.0);
            }
        }
    }
}
