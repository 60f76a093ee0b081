//! How sure an answer is: where each threshold would have ended had other scenarios come.

use std::collections::BTreeMap;

use super::block_bootstrap::BlockBootstrap;
use super::landscape::{Axis, Evaluation, Landscape, Measured, Strict};
use super::search::{Solution, Why};
use crate::error::Result;

/// Values tried to either side of the answer. They stand closest next to it: the k-th of them (k/n)² of the way to the end.
const SIDE: usize = 24;

/// The confidence interval of one axis, the other axes at the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Standard deviation of the replicates' answers.
    pub standard_error: f64,
    /// Whether the lower end is that of the axis' range: the answer might lie below.
    pub is_open_below: bool,
    /// Whether the upper end is that of the axis' range: the answer might lie above.
    pub is_open_above: bool,
}

/// An interval for each axis at `confidence` (in (0, 1)): percentiles of the answers that the replicates of `bootstrap` give.
///
/// Each replicate weights the scenarios anew and asks, on a grid of values around the answer, for the loosest one at which
/// every part of a constraint that reacts to the axis holds, with the slack taken as linear between two values. Where the objective
/// stopped the axis, it asks for the least objective instead. Each value is measured once for all replicates.
///
/// `None` for an axis that was not tested or whose search ran out of evaluations, that has no order and was stopped by a constraint, or that stands where a
/// constraint stopped it that cannot be read under other weights; and for all axes of a solution that is not met.
///
/// # Errors
/// What the measurement answers.
pub fn intervals(
    landscape: &mut dyn Landscape,
    solution: &Solution,
    bootstrap: &BlockBootstrap,
    confidence: f64,
) -> Result<Vec<Option<Interval>>> {
    let weights = bootstrap.weights(landscape.weights());
    let axes = landscape.axes().to_vec();
    let mut intervals = Vec::with_capacity(axes.len());
    for axis in 0..axes.len() {
        intervals.push(match Line::along(landscape, solution, axis)? {
            None => None,
            Some(mut line) => {
                let answers: Result<Vec<f64>> = weights.iter().map(|weights| line.answer(landscape, weights)).collect();
                Some(interval(&answers?, &axes[axis], confidence))
            }
        });
    }
    Ok(intervals)
}

fn interval(answers: &[f64], axis: &Axis, confidence: f64) -> Interval {
    let mut sorted = answers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let outside = libm::floor((1.0 - confidence).clamp(0.0, 1.0) / 2.0 * n as f64) as usize;
    let outside = outside.min((n - 1) / 2);
    let (low, high) = (sorted[outside], sorted[n - 1 - outside]);
    let mean = answers.iter().sum::<f64>() / n as f64;
    let squares: f64 = answers.iter().map(|answer| (answer - mean) * (answer - mean)).sum();
    let standard_error = libm::sqrt(squares / (n.max(2) - 1) as f64);
    Interval { low, high, standard_error, is_open_below: low <= axis.low, is_open_above: high >= axis.high }
}

/// What an axis is asked for.
enum Question {
    /// The loosest value at which these parts of constraints hold.
    Loosest(Vec<usize>),
    /// The value of least objective.
    Cheapest,
}

/// The values of one axis, from strict to loose, the others at the answer; measured when first asked for.
struct Line {
    axis: usize,
    point: Vec<f64>,
    values: Vec<f64>,
    /// Place of the answer among the values.
    answer: usize,
    question: Question,
    measured: BTreeMap<usize, Measured>,
}

impl Line {
    fn along(landscape: &mut dyn Landscape, solution: &Solution, axis: usize) -> Result<Option<Self>> {
        let bounds = landscape.axes()[axis].clone();
        let (values, answer) = values(&bounds, solution.point[axis]);
        let question = Question::Cheapest;
        let mut line =
            Self { axis, point: solution.point.clone(), values, answer, question, measured: BTreeMap::new() };
        let weights = landscape.weights().to_vec();
        match (solution.why[axis], bounds.strict) {
            (Why::Untested | Why::Indifferent | Why::Budget | Why::Unmet, _) => return Ok(None),
            (Why::Objective, _) => return Ok(Some(line)),
            (_, Strict::Neither) => return Ok(None),
            (Why::Constraint(constraint), _) => {
                let slack =
                    line.read(landscape, answer, &weights)?.readings.get(constraint).map(|reading| reading.slack);
                if slack.is_none_or(|slack| slack == f64::INFINITY) {
                    return Ok(None);
                }
            }
            (Why::Range, _) => {}
        }
        let last = line.values.len() - 1;
        let (strict, loose) = (line.slacks(landscape, 0, &weights)?, line.slacks(landscape, last, &weights)?);
        let pairs = strict.iter().zip(&loose).enumerate();
        let reacting = pairs.filter(|(_, (strict, loose))| strict != loose).map(|(part, _)| part);
        line.question = Question::Loosest(reacting.collect());
        Ok(Some(line))
    }

    fn read(&mut self, landscape: &mut dyn Landscape, place: usize, weights: &[f64]) -> Result<Evaluation> {
        self.measure(landscape, place)?;
        Ok(landscape.read(&self.measured[&place], weights, 1.0))
    }

    fn slacks(&mut self, landscape: &mut dyn Landscape, place: usize, weights: &[f64]) -> Result<Vec<f64>> {
        self.measure(landscape, place)?;
        Ok(landscape.slacks(&self.measured[&place], weights, 1.0))
    }

    fn measure(&mut self, landscape: &mut dyn Landscape, place: usize) -> Result<()> {
        if !self.measured.contains_key(&place) {
            self.point[self.axis] = self.values[place];
            let measured = landscape.measure(&self.point)?;
            self.measured.insert(place, measured);
        }
        Ok(())
    }

    fn answer(&mut self, landscape: &mut dyn Landscape, weights: &[f64]) -> Result<f64> {
        match &self.question {
            Question::Cheapest => self.cheapest(landscape, weights),
            Question::Loosest(reacting) => {
                let reacting = reacting.clone();
                self.loosest(landscape, weights, &reacting)
            }
        }
    }

    /// The loosest value that holds, galloping from the answer: neighbours are asked for first, and most replicates end there.
    fn loosest(&mut self, landscape: &mut dyn Landscape, weights: &[f64], reacting: &[usize]) -> Result<f64> {
        let (last, start) = (self.values.len() - 1, self.answer);
        let mut slack = |place: usize| -> Result<f64> {
            let slacks = self.slacks(landscape, place, weights)?;
            Ok(reacting.iter().filter_map(|part| slacks.get(*part)).copied().fold(f64::INFINITY, f64::min))
        };
        let (mut met, mut broken, mut reach) = (None, None, 1);
        let mut place = start;
        while met.is_none() || broken.is_none() {
            let here = slack(place)?;
            if here >= 0.0 {
                met = Some((place, here));
                if place == last {
                    return Ok(self.values[last]);
                }
                place = (place + reach).min(last);
            } else {
                broken = Some((place, here));
                if place == 0 {
                    return Ok(self.values[0]);
                }
                place = place.saturating_sub(reach);
            }
            reach *= 2;
        }
        let (Some(mut met), Some(mut broken)) = (met, broken) else { return Ok(self.values[start]) };
        while broken.0 - met.0 > 1 {
            let middle = (met.0 + broken.0) / 2;
            let here = slack(middle)?;
            if here >= 0.0 { met = (middle, here) } else { broken = (middle, here) }
        }
        let share = met.1 / (met.1 - broken.1);
        let (from, to) = (self.values[met.0], self.values[broken.0]);
        Ok(if share.is_finite() { from + (to - from) * share } else { from })
    }

    /// The value of least objective: the lowest point of the parabola through the best value and its neighbours.
    fn cheapest(&mut self, landscape: &mut dyn Landscape, weights: &[f64]) -> Result<f64> {
        let mut costs = Vec::with_capacity(self.values.len());
        for place in 0..self.values.len() {
            let evaluation = self.read(landscape, place, weights)?;
            costs.push(if evaluation.is_met() { evaluation.objective } else { f64::INFINITY });
        }
        let best = (0..costs.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b])).unwrap_or(self.answer);
        if best == 0 || best + 1 == costs.len() {
            return Ok(self.values[best]);
        }
        let around = [&self.values, &costs].map(|numbers| [numbers[best - 1], numbers[best], numbers[best + 1]]);
        Ok(lowest(around))
    }
}

/// Where the parabola through three points (their x in order, then their y) is lowest, the middle y the least: between the outer
/// two; the middle one where a y is infinite or all are equal.
fn lowest([x, y]: [[f64; 3]; 2]) -> f64 {
    let (left, right) = ((x[1] - x[0]) * (y[1] - y[2]), (x[1] - x[2]) * (y[1] - y[0]));
    let vertex = x[1] - 0.5 * ((x[1] - x[0]) * left - (x[1] - x[2]) * right) / (left - right);
    if vertex.is_finite() { vertex.clamp(x[0].min(x[2]), x[0].max(x[2])) } else { x[1] }
}

/// Values from the strict to the loose end around an answer, and the answer's place among them.
fn values(axis: &Axis, answer: f64) -> (Vec<f64>, usize) {
    let ends = if axis.strict == Strict::High { [axis.high, axis.low] } else { [axis.low, axis.high] };
    let answer = answer.clamp(axis.low, axis.high);
    let towards = |end: f64, number: usize| {
        let share = number as f64 / SIDE as f64;
        if number == SIDE { end } else { answer + (end - answer) * share * share }
    };
    let stricter = (1..=SIDE).rev().map(|number| towards(ends[0], number));
    let looser = (1..=SIDE).map(|number| towards(ends[1], number));
    let mut values: Vec<f64> = stricter.chain(std::iter::once(answer)).chain(looser).collect();
    values.dedup();
    let place = values.iter().position(|value| *value == answer).unwrap_or(0);
    (values, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_point_of_a_parabola_lies_between_the_places() {
        let parabola = |x: f64| 2.0 + 3.0 * (x - 0.37) * (x - 0.37);
        for x in [[0.1, 0.3, 0.6], [0.6, 0.4, 0.1]] {
            assert!((lowest([x, x.map(parabola)]) - 0.37).abs() < 1e-12);
        }
        assert_eq!(lowest([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]), 2.0);
        assert_eq!(lowest([[1.0, 2.0, 3.0], [5.0, 4.0, f64::INFINITY]]), 2.0);
    }

    #[test]
    fn places_lead_from_strict_to_loose_through_the_answer() {
        let axis = |strict| Axis { name: "rate".into(), old: 0.0, low: 0.1, high: 0.5, tolerance: 0.001, strict };
        let (values, place) = super::values(&axis(Strict::High), 0.2);
        assert_eq!((values[0], values[place], values[values.len() - 1]), (0.5, 0.2, 0.1));
        assert!(values.len() == 2 * SIDE + 1 && values.windows(2).all(|pair| pair[0] > pair[1]));
        let (values, place) = super::values(&axis(Strict::Low), 0.1);
        assert!(place == 0 && values.len() == SIDE + 1 && values.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
