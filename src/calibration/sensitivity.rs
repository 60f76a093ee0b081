//! What a small change of each threshold does, the others at the answer.

use super::landscape::{Landscape, Reading};
use crate::error::Result;

/// Relative moves of each axis.
const MOVES: [f64; 4] = [-0.1, -0.05, 0.05, 0.1];

/// One axis moved a little.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitivity {
    /// Which axis.
    pub axis: usize,
    /// Relative move that was asked for: ±5 %, ±10 % of the answer, of the range where the answer is 0.
    pub moved: f64,
    /// The value it took: within the range.
    pub value: f64,
    /// Change of Σ of the requirement, quote units.
    pub margin_change: f64,
    /// Change of what is minimised.
    pub objective_change: f64,
    /// Every constraint there, in the order of the job.
    pub readings: Vec<Reading>,
}

impl Sensitivity {
    /// Constraints that break there.
    pub fn broken(&self) -> impl Iterator<Item = usize> {
        self.readings.iter().enumerate().filter(|(_, reading)| !reading.is_met()).map(|(constraint, _)| constraint)
    }
}

/// Moves each axis by ±5 % and ±10 % of its value at `point`, within its range; a move that the range leaves nothing of is
/// left out.
///
/// # Errors
/// What the measurement answers.
pub fn sensitivities(landscape: &mut dyn Landscape, point: &[f64]) -> Result<Vec<Sensitivity>> {
    let base = (landscape.measure(point)?.margin, landscape.evaluate(point, 1.0)?.objective);
    let axes = landscape.axes().to_vec();
    let mut all = Vec::with_capacity(axes.len() * MOVES.len());
    for (axis, bounds) in axes.iter().enumerate() {
        let size = if point[axis] == 0.0 { bounds.high - bounds.low } else { point[axis].abs() };
        for moved in MOVES {
            let mut other = point.to_vec();
            other[axis] = (point[axis] + moved * size).clamp(bounds.low, bounds.high);
            if other[axis] == point[axis] {
                continue;
            }
            let evaluation = landscape.evaluate(&other, 1.0)?;
            all.push(Sensitivity {
                axis,
                moved,
                value: other[axis],
                margin_change: landscape.measure(&other)?.margin - base.0,
                objective_change: evaluation.objective - base.1,
                readings: evaluation.readings,
            });
        }
    }
    Ok(all)
}
