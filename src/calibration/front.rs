//! Capital against loss: the answer at other tolerances.

use super::landscape::{Landscape, Measured};
use super::search::{Progress, SearchOptions, Solution, solve};
use super::weighted::Weighted;
use crate::error::Result;

/// What the tolerated shares and losses are multiplied by, strictest first.
const TOLERANCES: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];
/// Level of the expected shortfall of the front.
const TAIL_LEVEL: f64 = 0.99;

/// The answer at one tolerance.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontPoint {
    /// What tolerated shares and losses are multiplied by; 1 = the job's.
    pub relaxed: f64,
    /// One value per axis.
    pub point: Vec<f64>,
    /// Whether every constraint is met; where not, the figures are those of the least broken candidate.
    pub is_met: bool,
    /// What is minimised.
    pub objective: f64,
    /// Σ of the calibrated requirement, quote units.
    pub margin: f64,
    /// Mean of the exchange's shortfall, quote units.
    pub mean_shortfall: f64,
    /// Mean of its worst 1 %, quote units.
    pub expected_shortfall: f64,
    /// Share of losses covered, all pools pooled; `None` without observations.
    pub coverage: Option<f64>,
}

impl FrontPoint {
    /// The figures of a candidate from what was measured of it, under `weights` of the scenarios.
    pub fn of(relaxed: f64, solution: &Solution, measured: &Measured, weights: &[f64]) -> Self {
        let shortfall = Weighted::of(measured.shortfall.iter().copied().zip(weights.iter().copied()));
        let sum =
            |counts: &[u32]| counts.iter().zip(weights).map(|(count, weight)| weight * f64::from(*count)).sum::<f64>();
        let observed: f64 = measured.groups.iter().map(|group| sum(&group.observed)).sum();
        let exceeded: f64 = measured.groups.iter().map(|group| sum(&group.exceeded)).sum();
        Self {
            relaxed,
            point: solution.point.clone(),
            is_met: solution.is_met(),
            objective: solution.evaluation.objective,
            margin: measured.margin,
            mean_shortfall: shortfall.mean(),
            expected_shortfall: shortfall.expected_shortfall(TAIL_LEVEL),
            coverage: (observed > 0.0).then(|| 1.0 - exceeded / observed),
        }
    }
}

/// The answers at a quarter, a half, one, two and four times the tolerances of the job, strictest first; `answer` is that at
/// one. Each search starts from the one before where that is met, so that no looser tolerance costs more, and does without
/// refinement; nothing is assumed of the front's shape.
///
/// # Errors
/// What the measurement answers.
pub fn front(
    landscape: &mut dyn Landscape,
    options: &SearchOptions,
    answer: &Solution,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Vec<FrontPoint>> {
    let mut points = Vec::with_capacity(TOLERANCES.len());
    let mut before: Option<Solution> = None;
    for relaxed in TOLERANCES {
        let solution = if relaxed == 1.0 {
            answer.clone()
        } else {
            let start = before.as_ref().filter(|before| before.is_met()).map(|before| before.point.as_slice());
            solve(landscape, &SearchOptions { refine: 0, ..*options }, relaxed, start, progress)?
        };
        let measured = landscape.measure(&solution.point)?;
        points.push(FrontPoint::of(relaxed, &solution, &measured, landscape.weights()));
        before = Some(solution);
    }
    Ok(points)
}

/// Neighbours on a front (places of the stricter one) where the stricter tolerance asks for less of the objective, both met:
/// there a search ended early or the landscape has several minima.
pub fn inversions(front: &[FrontPoint]) -> Vec<usize> {
    let both_met = |pair: &[FrontPoint]| pair.iter().all(|point| point.is_met);
    let falls = |pair: &[FrontPoint]| both_met(pair) && pair[0].objective < pair[1].objective;
    front.windows(2).enumerate().filter(|(_, pair)| falls(pair)).map(|(place, _)| place).collect()
}
