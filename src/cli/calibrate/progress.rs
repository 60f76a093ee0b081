//! The best candidate so far, said now and then.

use std::time::{Duration, Instant};

use crate::calibration::{Evaluated, Recorder};
use crate::cli::Progress;
use crate::error::Result;

/// Time between lines.
const EVERY: Duration = Duration::from_secs(10);

/// Passes evaluations on, and logs the best of those that meet everything.
pub(super) struct BestSoFar<R> {
    inner: R,
    progress: Progress,
    next: Instant,
    count: u64,
    best: Option<f64>,
}

impl<R: Recorder> BestSoFar<R> {
    pub(super) fn new(inner: R, progress: Progress) -> Self {
        Self { inner, progress, next: Instant::now() + EVERY, count: 0, best: None }
    }
}

impl<R: Recorder> Recorder for BestSoFar<R> {
    fn record(&mut self, evaluated: &Evaluated) -> Result<()> {
        self.inner.record(evaluated)?;
        self.count += 1;
        let Evaluated { evaluation, relaxed, .. } = evaluated;
        if *relaxed == 1.0 && evaluation.is_met() && self.best.is_none_or(|best| evaluation.objective < best) {
            self.best = Some(evaluation.objective);
        }
        if self.progress != Progress::Off && Instant::now() >= self.next {
            self.next = Instant::now() + EVERY;
            match self.best {
                Some(best) => tracing::info!("{} candidates, best so far {best:.6e}", self.count),
                None => tracing::info!("{} candidates, none of them meets everything", self.count),
            }
        }
        Ok(())
    }
}
