use super::probe::Probe;
use crate::error::Result;
use crate::scenario::ScenarioSet;

/// A history to look for the like of an answer in.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// One joint move a row.
    pub set: &'a ScenarioSet,
    /// √ of the time asked for over the time a row spans: rows are stretched by it before they are compared.
    pub scale: f64,
    /// Whether the rows, as they are, are swept as well.
    pub replay: Replay,
}

/// Whether a history is swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// It is only compared.
    Skip,
    /// It is swept, too.
    Sweep,
}

/// What a history says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Its rows.
    pub rows: u64,
    /// Rows that reach the target when they are replayed as they are; `None` where they were not.
    pub reaching: Option<u64>,
}

/// The history's rows in whitened space, to be compared with answers.
pub struct Rows(Vec<Vec<f64>>);

impl Rows {
    /// The rows of a history; `None` where it lacks a factor that moves.
    pub fn of(probe: &Probe<'_>, history: &History<'_>) -> Option<Self> {
        probe.question().ellipsoid.history(history.set, history.scale).map(Self)
    }

    /// Rows at least as far in the direction of `point` as it is: z·point ≥ |point|².
    pub fn beyond(&self, point: &[f64]) -> u64 {
        let product = |row: &[f64]| -> f64 { row.iter().zip(point).map(|(a, b)| a * b).sum() };
        let length = product(point);
        self.0.iter().filter(|row| product(row) >= length).count() as u64
    }
}

impl Evidence {
    /// Counts the rows, and those that reach the target where they are to be replayed.
    ///
    /// # Errors
    /// As a sweep.
    pub fn of(probe: &Probe<'_>, history: &History<'_>) -> Result<Self> {
        let reaching = match history.replay {
            Replay::Skip => None,
            Replay::Sweep => {
                let target = probe.question().target;
                let values = probe.of_set(history.set)?;
                Some(values.iter().filter(|value| target.is_reached(**value)).count() as u64)
            }
        };
        Ok(Self { rows: history.set.len() as u64, reaching })
    }
}
