//! What was evaluated, for somebody who keeps it: an interrupted calibration goes on where it stood.

use super::landscape::Evaluation;
use crate::error::Result;

/// One candidate that was evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The candidate, one value per axis.
    pub point: Vec<f64>,
    /// Factor on what constraints tolerated.
    pub relaxed: f64,
    /// What it amounts to.
    pub evaluation: Evaluation,
}

/// Somebody who takes evaluations as they happen, each candidate once.
pub trait Recorder {
    /// Takes one.
    ///
    /// # Errors
    /// Whatever keeps it from taking it; the calibration stops.
    fn record(&mut self, evaluated: &Evaluated) -> Result<()>;
}

/// Nobody.
impl Recorder for () {
    fn record(&mut self, _: &Evaluated) -> Result<()> {
        Ok(())
    }
}

/// What tells candidates apart: their bits.
pub(super) fn key(point: &[f64], relaxed: f64) -> Vec<u64> {
    // Adding 0 turns −0 into 0.
    point.iter().chain([&relaxed]).map(|value| (value + 0.0).to_bits()).collect()
}
