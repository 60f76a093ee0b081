//! The whole way on planted losses: thresholds recovered within their intervals, fronts, sensitivities.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StudentT};

use crate::calibration::weighted::Weighted;
use crate::calibration::*;
use crate::error::Result;

/// Share of losses that a class may lose beyond its rate.
const TOLERATED: f64 = 0.01;
/// Freedom of the losses, and their quantile at 99 %.
const FREEDOM: f64 = 3.0;
const QUANTILE: f64 = 4.540_702_858_698;

/// What must hold of the classes.
enum Rule {
    /// At most 1 % of the losses of each class exceed its rate.
    Coverage,
    /// The same as one constraint: the class that is worst.
    WorstCoverage,
    /// The mean of the exchange's shortfall stays below a fund.
    Fund(f64),
    /// Nothing must hold, and the mean shortfall costs that much per unit.
    Cost(f64),
}

/// Classes that lose a series each per unit of notional, one rate each.
struct Classes {
    axes: Vec<Axis>,
    losses: Vec<Vec<f64>>,
    notionals: Vec<f64>,
    weights: Vec<f64>,
    rule: Rule,
}

impl Classes {
    /// Class k loses scale·(1 + k) times a Student-t; its planted rate is that times the quantile.
    fn planted(classes: usize, scenarios: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let student = StudentT::new(FREEDOM).unwrap();
        let scale = |class: usize| 0.01 * (1.0 + class as f64);
        let series = |class: usize, random: &mut ChaCha8Rng| {
            (0..scenarios).map(|_| scale(class) * student.sample(&mut *random)).collect::<Vec<f64>>()
        };
        let losses: Vec<Vec<f64>> = (0..classes).map(|class| series(class, &mut random)).collect();
        let axis = |class: usize| Axis {
            name: format!("rate.{class}"),
            old: 0.05,
            low: 0.0,
            high: 20.0 * scale(class),
            tolerance: 20.0 * scale(class) / 4096.0,
            strict: Strict::High,
        };
        Self {
            axes: (0..classes).map(axis).collect(),
            losses,
            notionals: (0..classes).map(|class| 1.0 + (class % 4) as f64).collect(),
            weights: vec![1.0; scenarios],
            rule: Rule::Coverage,
        }
    }
}

impl Landscape for Classes {
    fn axes(&self) -> &[Axis] {
        &self.axes
    }

    fn evaluate(&mut self, point: &[f64], relaxed: f64) -> Result<Evaluation> {
        let measured = self.measure(point)?;
        Ok(self.read(&measured, &self.weights, relaxed))
    }

    fn measure(&mut self, point: &[f64]) -> Result<Measured> {
        let scenarios = self.weights.len();
        let mut measured =
            Measured { shortfall: vec![0.0; scenarios], cover: vec![0.0; scenarios], ..Measured::default() };
        for (class, (losses, rate)) in self.losses.iter().zip(point).enumerate() {
            measured.margin += rate * self.notionals[class];
            for (sum, loss) in measured.shortfall.iter_mut().zip(losses) {
                *sum += self.notionals[class] * (loss - rate).max(0.0);
            }
            let exceeded = losses.iter().map(|loss| u32::from(loss > rate)).collect();
            measured.groups.push(Group { name: class.to_string(), observed: vec![1; scenarios], exceeded });
        }
        Ok(measured)
    }

    fn read(&self, measured: &Measured, weights: &[f64], relaxed: f64) -> Evaluation {
        let total: f64 = weights.iter().sum();
        let below = |value: f64, limit: f64| Reading { value, limit, slack: (limit - value) / limit };
        let share = |group: &Group| {
            let exceeded: f64 =
                group.exceeded.iter().zip(weights).map(|(count, weight)| f64::from(*count) * weight).sum();
            below(exceeded / total, relaxed * TOLERATED)
        };
        let shortfall = Weighted::of(measured.shortfall.iter().copied().zip(weights.iter().copied())).mean();
        let readings = match self.rule {
            Rule::Coverage => measured.groups.iter().map(share).collect(),
            Rule::WorstCoverage => {
                let worst = measured.groups.iter().map(share).min_by(|a, b| a.slack.total_cmp(&b.slack));
                worst.into_iter().collect()
            }
            Rule::Fund(fund) => vec![below(shortfall, relaxed * fund)],
            Rule::Cost(_) => vec![],
        };
        let cost = if let Rule::Cost(penalty) = self.rule { penalty * shortfall } else { 0.0 };
        Evaluation { objective: measured.margin + cost, readings }
    }

    fn slacks(&self, measured: &Measured, weights: &[f64], relaxed: f64) -> Vec<f64> {
        match self.rule {
            Rule::WorstCoverage => {
                let total: f64 = weights.iter().sum();
                let exceeded = |group: &Group| -> f64 {
                    group.exceeded.iter().zip(weights).map(|(count, weight)| f64::from(*count) * weight).sum()
                };
                measured.groups.iter().map(|group| 1.0 - exceeded(group) / total / (relaxed * TOLERATED)).collect()
            }
            _ => self.read(measured, weights, relaxed).readings.iter().map(|reading| reading.slack).collect(),
        }
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}

fn solved(classes: &mut Classes) -> Solution {
    solve(classes, &SearchOptions::default(), 1.0, None, &mut |_| {}).unwrap()
}

#[test]
fn planted_quantiles_lie_within_their_intervals() {
    let bootstrap = BlockBootstrap { replicates: 200, block: Some(1), seed: 1 };
    let (mut within, mut widths) = (0, 0.0);
    for seed in 0..20 {
        let mut classes = Classes::planted(12, 3_000, seed);
        let solution = solved(&mut classes);
        assert!(solution.is_met());
        for (class, why) in solution.why.iter().enumerate() {
            assert_eq!(*why, Why::Constraint(class));
        }
        let intervals = intervals(&mut classes, &solution, &bootstrap, 0.99).unwrap();
        for (class, interval) in intervals.into_iter().enumerate() {
            let (interval, answer) = (interval.unwrap(), solution.point[class]);
            let planted = 0.01 * (1.0 + class as f64) * QUANTILE;
            assert!(interval.low <= answer * 1.001 && answer <= interval.high * 1.001, "{interval:?} {answer}");
            assert!(!interval.is_open_below && !interval.is_open_above);
            within += usize::from((interval.low..=interval.high).contains(&planted));
            widths += (interval.high - interval.low) / planted;
        }
    }
    assert!(within >= 235, "{within} of 240 planted quantiles lie within their intervals of 99 %");
    assert!(widths / 240.0 < 0.6, "intervals that hold anything say nothing: {}", widths / 240.0);
}

#[test]
fn one_constraint_of_many_classes_gives_the_same_answer() {
    let bootstrap = BlockBootstrap { replicates: 50, block: Some(1), seed: 1 };
    let mut apart = Classes::planted(6, 1_000, 2);
    let mut together = Classes::planted(6, 1_000, 2);
    together.rule = Rule::WorstCoverage;
    let (first, second) = (solved(&mut apart), solved(&mut together));
    assert_eq!(first.point, second.point);
    assert!(second.evaluations < 1_500, "{}", second.evaluations);
    let of = |classes: &mut Classes, solution: &Solution| intervals(classes, solution, &bootstrap, 0.9).unwrap();
    for (apart, together) in of(&mut apart, &first).into_iter().zip(of(&mut together, &second)) {
        let (apart, together) = (apart.unwrap(), together.unwrap());
        assert!((apart.low - together.low).abs() < 1e-9 && (apart.high - together.high).abs() < 1e-9);
        assert!(!together.is_open_above, "other classes say nothing of this one: {together:?}");
    }
}

/// The standard error of a quantile is √(p(1 − p)/n) / f(q), f the density there. Margin and a hundred times the mean shortfall
/// cost least at the same quantile, where a unit of margin saves as much as it costs.
#[test]
fn standard_errors_are_those_of_theory() {
    let scenarios = 20_000;
    let mut classes = Classes::planted(1, scenarios, 5);
    let mut costly = Classes { rule: Rule::Cost(1.0 / TOLERATED), ..Classes::planted(1, scenarios, 5) };
    let bootstrap = BlockBootstrap { replicates: 400, block: Some(1), seed: 2 };
    let judged = |classes: &mut Classes| {
        let solution = solved(classes);
        (solution.why[0], intervals(classes, &solution, &bootstrap, 0.95).unwrap()[0].unwrap())
    };
    let (why, cheapest) = judged(&mut costly);
    assert_eq!(why, Why::Objective);
    let (why, interval) = judged(&mut classes);
    assert_eq!(why, Why::Constraint(0));
    assert!((cheapest.low / interval.low - 1.0).abs() < 0.02, "{cheapest:?} {interval:?}");
    assert!((cheapest.high / interval.high - 1.0).abs() < 0.02, "{cheapest:?} {interval:?}");
    assert!((cheapest.standard_error / interval.standard_error - 1.0).abs() < 0.1, "{cheapest:?} {interval:?}");
    // Density of Student's t with three degrees of freedom: 2 / (π√3 (1 + q²/3)²).
    let density = 2.0 / (std::f64::consts::PI * 3f64.sqrt() * (1.0 + QUANTILE * QUANTILE / 3.0).powi(2)) / 0.01;
    let error = (TOLERATED * (1.0 - TOLERATED) / scenarios as f64).sqrt() / density;
    assert!((interval.standard_error / error - 1.0).abs() < 0.25, "{interval:?} {error}");
    assert!(((interval.high - interval.low) / (2.0 * 1.96 * error) - 1.0).abs() < 0.3, "{interval:?} {error}");
}

/// Least Σ nᵢ mᵢ with Σ nᵢ E[(Lᵢ − mᵢ)₊] ≤ F: by Lagrange every class is exceeded equally often.
#[test]
fn a_shared_fund_is_spent_where_exceedances_are_alike() {
    let mut classes = Classes::planted(3, 4_000, 8);
    classes.rule = Rule::Fund(0.01);
    let solution = solved(&mut classes);
    assert!(solution.is_met());
    let measured = classes.measure(&solution.point).unwrap();
    let shares: Vec<f64> =
        measured.groups.iter().map(|group| group.exceeded.iter().sum::<u32>() as f64 / 4_000.0).collect();
    let (least, most) = (shares.iter().copied().fold(1.0, f64::min), shares.iter().copied().fold(0.0, f64::max));
    assert!(most < 1.2 * least, "{shares:?}");
    assert!(solution.evaluation.readings[0].slack < 0.01, "{solution:?}");
}

#[test]
fn a_front_costs_less_where_more_is_tolerated() {
    let mut classes = Classes::planted(3, 2_000, 3);
    let solution = solved(&mut classes);
    let points = front(&mut classes, &SearchOptions::default(), &solution, &mut |_| {}).unwrap();
    assert_eq!(points.iter().map(|point| point.relaxed).collect::<Vec<_>>(), [0.25, 0.5, 1.0, 2.0, 4.0]);
    assert!(points.windows(2).all(|pair| pair[0].margin > pair[1].margin));
    assert!(points.windows(2).all(|pair| pair[0].mean_shortfall < pair[1].mean_shortfall));
    assert!(points.windows(2).all(|pair| pair[0].coverage > pair[1].coverage));
    assert!(points.iter().all(|point| point.is_met && point.expected_shortfall >= point.mean_shortfall));
    assert!(points[2].coverage.unwrap() >= 0.99 && points[0].coverage.unwrap() >= 0.9975);
    assert_eq!((points[2].point.clone(), inversions(&points)), (solution.point, vec![]));
    let mut broken = points.clone();
    broken[1].objective = 0.0;
    assert_eq!(inversions(&broken), [1]);
}

#[test]
fn sensitivities_break_what_binds_and_nothing_else() {
    let mut classes = Classes::planted(2, 2_000, 4);
    let solution = solved(&mut classes);
    let all = sensitivities(&mut classes, &solution.point).unwrap();
    assert_eq!(all.len(), 8);
    for moved in &all {
        let change = moved.moved * solution.point[moved.axis] * classes.notionals[moved.axis];
        assert!((moved.margin_change - change).abs() < 1e-9 && moved.margin_change == moved.objective_change);
        let broken: Vec<usize> = moved.broken().collect();
        assert_eq!(broken, if moved.moved < 0.0 { vec![moved.axis] } else { vec![] });
    }
    // At an end of the range nothing is left to one side; an answer of 0 moves by its range.
    let corner = [0.0, classes.axes[1].high];
    let ends = sensitivities(&mut classes, &corner).unwrap();
    let values: Vec<(usize, f64)> = ends.iter().map(|moved| (moved.axis, moved.moved)).collect();
    assert_eq!(values, [(0, 0.05), (0, 0.1), (1, -0.1), (1, -0.05)]);
}

#[test]
fn intervals_of_the_degenerate_are_said_to_be_so() {
    let bootstrap = BlockBootstrap::default();
    // One scenario: every replicate is the scenario itself.
    let mut one = Classes::planted(1, 1, 0);
    one.losses = vec![vec![0.05]];
    let solution = solved(&mut one);
    let interval = intervals(&mut one, &solution, &bootstrap, 0.99).unwrap()[0].unwrap();
    assert!(interval.standard_error < 1e-12 && interval.low == interval.high, "{interval:?}");
    // A gain throughout: the loosest value is the end of the range.
    one.losses = vec![vec![-1.0]];
    let solution = solved(&mut one);
    let interval = intervals(&mut one, &solution, &bootstrap, 0.99).unwrap()[0].unwrap();
    assert_eq!((solution.why[0], interval.low, interval.is_open_below), (Why::Range, 0.0, true));
    // Not met: no interval.
    one.losses = vec![vec![1e9]];
    let solution = solved(&mut one);
    assert!(!solution.is_met());
    assert_eq!(intervals(&mut one, &solution, &bootstrap, 0.99).unwrap(), [None]);
}

#[test]
fn dependent_losses_have_wider_intervals_in_blocks() {
    let mut classes = Classes::planted(1, 4_000, 11);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    // Calm and stormy months: whole stretches of the series are scaled.
    let mut scale = 1.0;
    for (at, loss) in classes.losses[0].iter_mut().enumerate() {
        if at % 100 == 0 {
            scale = if random.random_range(0..4) == 0 { 3.0 } else { 0.5 };
        }
        *loss *= scale;
    }
    let solution = solved(&mut classes);
    let mut error = |block| {
        let bootstrap = BlockBootstrap { replicates: 200, block: Some(block), seed: 7 };
        intervals(&mut classes, &solution, &bootstrap, 0.9).unwrap()[0].unwrap().standard_error
    };
    assert!(error(100) > 1.2 * error(1));
}
