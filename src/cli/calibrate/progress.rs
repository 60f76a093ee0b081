//! The best candidate so far, said now and then.

use std::time::{Duration, Instant};

use crate::calibration;
use crate::cli::Progress;

/// Time between lines.
const EVERY: Duration = Duration::from_secs(10);

/// Logs how far a search is.
pub(super) struct BestSoFar {
    progress: Progress,
    next: Instant,
}

impl BestSoFar {
    pub(super) fn new(progress: Progress) -> Self {
        Self { progress, next: Instant::now() + EVERY }
    }

    /// Takes what a search says.
    pub(super) fn tell(&mut self, search: &calibration::Progress<'_>) {
        if self.progress == Progress::Off || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + EVERY;
        let (done, limit) = (search.evaluations, search.limit);
        match search.best {
            Some((_, best)) => {
                tracing::info!("{done} of at most {limit} candidates, best so far {:.6e}", best.objective)
            }
            None => tracing::info!("{done} of at most {limit} candidates, none of them meets everything"),
        }
    }
}
