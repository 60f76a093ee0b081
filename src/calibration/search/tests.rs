//! Searches on landscapes whose best candidate is known.

use super::*;
use crate::calibration::landscape::{Axis, Measured, Reading};
use crate::error::{Error, Result};

type Terms<'f> = dyn Fn(&[f64], f64) -> (f64, Vec<f64>) + 'f;

/// A landscape of formulas: objective and slacks of a point.
struct Formula<'f> {
    axes: Vec<Axis>,
    terms: &'f Terms<'f>,
    asked: Vec<Vec<f64>>,
    /// Evaluations that succeed; all where absent.
    lasts: Option<usize>,
}

impl<'f> Formula<'f> {
    fn new(axes: Vec<Axis>, terms: &'f Terms<'f>) -> Self {
        Self { axes, terms, asked: Vec::new(), lasts: None }
    }

    fn solve(&mut self, options: &SearchOptions) -> Solution {
        solve(self, options, 1.0, None, &mut |_| {}).unwrap()
    }
}

impl Landscape for Formula<'_> {
    fn axes(&self) -> &[Axis] {
        &self.axes
    }

    fn evaluate(&mut self, point: &[f64], relaxed: f64) -> Result<Evaluation> {
        if self.lasts == Some(self.asked.len()) {
            return Err(Error::Temporary("the device was lost".into()));
        }
        self.asked.push(point.to_vec());
        let (objective, slacks) = (self.terms)(point, relaxed);
        let reading = |slack: f64| Reading { value: 1.0 - slack, limit: 1.0, slack };
        Ok(Evaluation { objective, readings: slacks.into_iter().map(reading).collect() })
    }

    fn measure(&mut self, _: &[f64]) -> Result<Measured> {
        Err(Error::Bug("a search measures nothing".into()))
    }

    fn read(&self, _: &Measured, _: &[f64], _: f64) -> Evaluation {
        Evaluation::default()
    }

    fn weights(&self) -> &[f64] {
        &[]
    }
}

fn axis(name: &str, strict: Strict) -> Axis {
    Axis { name: name.into(), old: 0.5, low: 0.0, high: 1.0, tolerance: 1.0 / 1024.0, strict }
}

fn sum(point: &[f64]) -> f64 {
    point.iter().sum()
}

#[test]
fn each_threshold_ends_where_its_own_constraint_does() {
    let planted = [0.11, 0.62, 0.305, 0.999, 0.0005];
    let terms = move |point: &[f64], _: f64| {
        (sum(point), point.iter().zip(&planted).map(|(value, least)| value - least).collect())
    };
    let axes = (0..5).map(|number| axis(&number.to_string(), Strict::High)).collect();
    let mut landscape = Formula::new(axes, &terms);
    let solution = landscape.solve(&SearchOptions::default());
    assert!(solution.is_met());
    for (number, (value, least)) in solution.point.iter().zip(planted).enumerate() {
        assert!(*value >= least && *value - least < 1.0 / 1024.0, "{number}: {value} for {least}");
        assert_eq!(solution.why[number], Why::Constraint(number));
    }
    assert!(solution.evaluations < 120, "{}", solution.evaluations);
    let mut asked = landscape.asked.clone();
    asked.sort_by(|a, b| a.partial_cmp(b).unwrap());
    asked.dedup();
    assert!(landscape.asked.len() <= asked.len() + 1, "only the answer is asked for again");
}

#[test]
fn a_low_strict_end_is_loosened_upwards_and_ranges_end() {
    let terms = |point: &[f64], _: f64| (-sum(point), vec![0.7 - point[0]]);
    let mut landscape = Formula::new(vec![axis("leverage", Strict::Low), axis("cap", Strict::Low)], &terms);
    let solution = landscape.solve(&SearchOptions::default());
    assert!((0.699..=0.7).contains(&solution.point[0]), "{solution:?}");
    assert_eq!(solution.point[1], 1.0);
    assert_eq!(solution.why, [Why::Constraint(0), Why::Range]);
}

/// Σ wᵢ xᵢ least where Σ aᵢ / xᵢ ≤ 1: xᵢ = √(aᵢ/wᵢ) · Σ √(aⱼ wⱼ), by Lagrange.
#[test]
fn axes_that_share_a_constraint_come_to_the_lagrange_optimum() {
    let (weights, needs) = ([1.0, 4.0], [0.16, 0.01]);
    let terms = move |point: &[f64], _: f64| {
        let objective = point.iter().zip(weights).map(|(value, weight)| value * weight).sum();
        let used: f64 = point.iter().zip(needs).map(|(value, need)| need / value.max(1e-9)).sum();
        (objective, vec![1.0 - used])
    };
    let mut landscape = Formula::new(vec![axis("a", Strict::High), axis("b", Strict::High)], &terms);
    let solution = landscape.solve(&SearchOptions::default());
    let shared: f64 = weights.iter().zip(needs).map(|(weight, need)| libm::sqrt(weight * need)).sum();
    let best: Vec<f64> = weights.iter().zip(needs).map(|(weight, need)| libm::sqrt(need / weight) * shared).collect();
    let least: f64 = best.iter().zip(weights).map(|(value, weight)| value * weight).sum();
    assert!(solution.is_met());
    assert!(solution.evaluation.objective - least < 2e-3 * least, "{solution:?} for {best:?}");
    for (value, best) in solution.point.iter().zip(&best) {
        assert!((value - best).abs() < 6.0 / 1024.0, "{solution:?} for {best:?}");
    }
}

#[test]
fn a_cost_that_rises_when_an_axis_is_loosened_ends_at_its_minimum() {
    let terms = |point: &[f64], _: f64| {
        let (x, y) = (point[0] - 0.4, point[1] - 0.25);
        (3.0 + x * x + 2.0 * y * y, vec![point[1] - 0.3])
    };
    let mut landscape = Formula::new(vec![axis("a", Strict::High), axis("b", Strict::High)], &terms);
    let solution = landscape.solve(&SearchOptions::default());
    assert!((solution.point[0] - 0.4).abs() <= 1.0 / 1024.0, "{solution:?}");
    assert!((0.3..0.301).contains(&solution.point[1]), "{solution:?}");
    assert_eq!(solution.why, [Why::Objective, Why::Constraint(0)]);
}

#[test]
fn an_axis_without_order_is_searched_over() {
    // The threshold that is needed is least where the knob stands at 0.73.
    let terms = |point: &[f64], _: f64| {
        let need = 0.2 + 2.0 * (point[1] - 0.73) * (point[1] - 0.73);
        (point[0], vec![point[0] - need])
    };
    let mut landscape = Formula::new(vec![axis("rate", Strict::High), axis("knob", Strict::Neither)], &terms);
    let solution = landscape.solve(&SearchOptions::default());
    assert!(solution.is_met());
    assert!(solution.evaluation.objective < 0.2 + 3.0 / 1024.0, "{solution:?}");
    assert!((solution.point[1] - 0.73).abs() < 0.03, "{solution:?}");
}

#[test]
fn constraints_that_contradict_each_other_are_named() {
    let terms = |point: &[f64], _: f64| (point[0], vec![point[0] - 0.6, 0.4 - point[0], 1.0, -0.1]);
    let mut landscape = Formula::new(vec![axis("rate", Strict::High)], &terms);
    let solution = landscape.solve(&SearchOptions::default());
    assert!(!solution.is_met());
    let unmet: Vec<(usize, bool)> =
        solution.unmet.iter().map(|unmet| (unmet.constraint, unmet.is_met_elsewhere)).collect();
    assert_eq!(unmet, [(0, true), (1, true), (3, false)]);
    assert_eq!(solution.why, [Why::Unmet]);
    assert!((solution.point[0] - 0.5).abs() < 0.11, "between the two: {solution:?}");
}

#[test]
fn a_constraint_that_no_strictness_meets_ends_the_search_at_once() {
    let terms = |point: &[f64], _: f64| (point[0], vec![point[0] - 1.5]);
    let mut landscape = Formula::new(vec![axis("rate", Strict::High)], &terms);
    let solution = landscape.solve(&SearchOptions::default());
    assert_eq!(solution.unmet, [Unmet { constraint: 0, is_met_elsewhere: false }]);
    assert_eq!((solution.point[0], solution.evaluations), (1.0, 3));
}

#[test]
fn a_constraint_against_the_order_is_met_by_descent() {
    // The strict corner, the old values, the middle and the loose corner all break one or the other.
    let terms = |point: &[f64], _: f64| {
        (point[0] + point[1], vec![0.3 - (point[0] - 0.8).abs(), 0.1 - (point[1] - 0.25).abs()])
    };
    let mut landscape = Formula::new(vec![axis("a", Strict::High), axis("b", Strict::High)], &terms);
    let solution = landscape.solve(&SearchOptions::default());
    assert!(solution.is_met(), "{solution:?}");
    assert!(solution.evaluation.objective < 0.5 + 0.15 + 0.01, "{solution:?}");
}

#[test]
fn what_nothing_reacts_to_keeps_its_old_value() {
    let terms = |point: &[f64], _: f64| (point[0], vec![point[0] - 0.2]);
    let outside = Axis { old: 7.0, ..axis("outside", Strict::High) };
    let odd = Axis { old: 0.123456789, ..axis("odd", Strict::Neither) };
    let mut landscape = Formula::new(vec![axis("rate", Strict::High), outside, odd], &terms);
    let solution = landscape.solve(&SearchOptions::default());
    assert_eq!(solution.point[1..], [1.0, 0.123456789]);
    assert_eq!(solution.why, [Why::Constraint(0), Why::Untested, Why::Untested]);
}

#[test]
fn a_budget_that_ends_leaves_the_best_so_far() {
    let terms = |point: &[f64], _: f64| (sum(point), point.iter().map(|value| value - 0.3).collect());
    let axes: Vec<Axis> = (0..6).map(|number| axis(&number.to_string(), Strict::High)).collect();
    let mut before = f64::INFINITY;
    for evaluations in [1, 5, 20, 40, 2_000] {
        let mut landscape = Formula::new(axes.clone(), &terms);
        let solution = landscape.solve(&SearchOptions { evaluations, refine: 0 });
        assert!(solution.is_met() && solution.evaluations <= evaluations);
        assert!(solution.evaluation.objective <= before);
        assert_eq!(solution.why.contains(&Why::Budget), evaluations < 2_000, "{evaluations}: {solution:?}");
        before = solution.evaluation.objective;
    }
}

#[test]
fn nothing_free_and_numbers_that_are_none_are_borne() {
    let terms = |_: &[f64], _: f64| (1.0, vec![0.5]);
    let solution = Formula::new(Vec::new(), &terms).solve(&SearchOptions::default());
    assert!(solution.is_met() && solution.point.is_empty());
    let undefined = |_: &[f64], _: f64| (f64::NAN, vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    let axes = vec![axis("a", Strict::High), axis("b", Strict::Neither)];
    let solution = Formula::new(axes.clone(), &undefined).solve(&SearchOptions::default());
    assert!(!solution.is_met());
    let partly = |point: &[f64], _: f64| (if point[0] > 0.4 { sum(point) } else { f64::NAN }, vec![f64::INFINITY]);
    let solution = Formula::new(axes, &partly).solve(&SearchOptions::default());
    assert!(solution.is_met() && solution.evaluation.objective < 0.41, "{solution:?}");
}

#[test]
fn a_warm_start_is_taken_where_it_is_better() {
    let terms = |point: &[f64], _: f64| (point[0], vec![point[0] - 0.25]);
    let mut landscape = Formula::new(vec![axis("rate", Strict::High)], &terms);
    let options = SearchOptions { evaluations: 3, refine: 0 };
    let mut seen = Vec::new();
    let solution = solve(&mut landscape, &options, 1.0, Some(&[0.3]), &mut |progress| {
        seen.push((progress.evaluations, progress.best.map(|(point, _)| point[0])));
    });
    assert!(solution.unwrap().point[0] <= 0.3 + 1.0 / 1024.0);
    assert_eq!(seen[0], (1, Some(1.0)));
    assert!(seen.len() == 3 && seen[1].1.is_some_and(|best| (best - 0.3).abs() < 1e-3));
}

/// Wherever a measurement fails, within COBYLA too, the search ends with what it said.
#[test]
fn failures_come_through() {
    let terms = |point: &[f64], _: f64| (sum(point), vec![0.2 - (point[0] - 0.6).abs(), point[1] - point[0]]);
    let axes = || vec![axis("a", Strict::Neither), axis("b", Strict::High)];
    let mut whole = Formula::new(axes(), &terms);
    assert!(whole.solve(&SearchOptions::default()).is_met());
    for lasts in 0..whole.asked.len() {
        let mut landscape = Formula { lasts: Some(lasts), ..Formula::new(axes(), &terms) };
        let found = solve(&mut landscape, &SearchOptions::default(), 1.0, None, &mut |_| {});
        assert!(matches!(found, Err(Error::Temporary(_))), "{lasts}: {found:?}");
    }
}

/// Random monotone problems, compared with every candidate of the grid: Σ nᵢ xᵢ, or that and κ times the loss, least where the
/// loss Σ aᵢ e^(−bᵢ xᵢ) is at most a fund and each xᵢ at least its own floor.
#[test]
fn random_problems_come_close_to_the_best_of_all_candidates() {
    use rand::{RngExt, SeedableRng};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let (mut gaps, mut most_evaluations) = (Vec::new(), 0);
    for problem in 0..200 {
        let mut draw = |low: f64, high: f64| low + (high - low) * random.random::<f64>();
        let axes: Vec<[f64; 4]> =
            (0..3).map(|_| [draw(0.2, 3.0), draw(0.2, 2.0), draw(1.0, 6.0), draw(-0.3, 0.6)]).collect();
        let (fund, penalty) = (draw(0.02, 1.5), if problem % 2 == 0 { 0.0 } else { draw(0.5, 3.0) });
        let terms = |point: &[f64], _: f64| {
            let parts = || axes.iter().zip(point);
            let margin: f64 = parts().map(|([n, ..], x)| n * x).sum();
            let loss: f64 = parts().map(|([_, a, b, _], x)| a * libm::exp(-b * x)).sum();
            let floors = parts().map(|([.., floor], x)| x - floor);
            (margin + penalty * loss, std::iter::once((fund - loss) / fund).chain(floors).collect::<Vec<f64>>())
        };
        let bounds = |number: usize| Axis { tolerance: 1.0 / 24.0, ..axis(&number.to_string(), Strict::High) };
        let mut landscape = Formula::new((0..3).map(bounds).collect(), &terms);
        let solution = landscape.solve(&SearchOptions::default());
        let mut best = f64::INFINITY;
        for candidate in 0..25 * 25 * 25 {
            let point = [candidate % 25, candidate / 25 % 25, candidate / 625].map(|step| f64::from(step) / 24.0);
            let (objective, slacks) = terms(&point, 1.0);
            if slacks.iter().all(|slack| *slack >= 0.0) && objective < best {
                best = objective;
            }
        }
        assert_eq!(solution.is_met(), best.is_finite(), "{problem}: {solution:?}");
        most_evaluations = most_evaluations.max(solution.evaluations);
        if solution.is_met() {
            gaps.push(solution.evaluation.objective / best - 1.0);
        }
    }
    gaps.sort_by(f64::total_cmp);
    let exact = gaps.iter().filter(|gap| **gap < 1e-9).count();
    let worst = gaps[gaps.len() - 1];
    assert!(gaps.len() == 173 && exact >= 140, "{exact} of {} are the best of all", gaps.len());
    assert!(worst < 0.03 && most_evaluations < 400, "{worst} with {most_evaluations}");
}
