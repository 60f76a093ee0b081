//! One device's part in a sweep: its panels, the chunks it has been given, and the thread that waits for their results.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;
use std::time::Instant;

use super::canary::Canaries;
use super::check::{Void, verify};
use super::chunk::Prepared;
use super::device::{Device, Panel};
use super::pack::Filter;
use super::panels::PanelRows;
use super::revalue::DevicePricing;
use super::submission::{Readback, Submission};
use super::{FIRST_POOLS, RESULT_BYTES, SUBMISSION_SECONDS};
use crate::engine::chunk::Chunk;
use crate::engine::job::Job;
use crate::engine::outcome::OptionRevaluation;
use crate::engine::plan::DevicePlan;
use crate::error::{Error, Result};

/// Chunks on a device at a time: it computes one while the results of the other are read, checked and settled.
pub const DEPTH: usize = 2;

/// What all devices of a sweep share.
#[derive(Clone, Copy)]
pub struct Setup<'s, 'j> {
    /// The sweep.
    pub job: &'s Job<'j>,
    /// Pools with known answers.
    pub canaries: &'s Canaries,
    /// What a test breaks.
    pub filter: Filter,
}

/// What came back of one chunk: a readback per panel, and the seconds that the device took.
pub type Answer = Result<(Vec<Readback>, f64)>;

/// Some pools and what became of them.
pub type Settled = (Range<usize>, Vec<Chunk>);

/// Why a device cannot go on.
pub enum Stop {
    /// It is gone, or does not run the kernel.
    Lost(String),
    /// It runs the kernel and answers wrongly.
    Disagrees(String),
}

/// A chunk that a device has been given.
struct Given {
    pools: Range<usize>,
    prepared: Prepared,
    attempt: Attempt,
}

/// A chunk that fails a check is void and redone once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Second,
}

/// A device at work.
pub struct Worker<'s, 'j> {
    setup: Setup<'s, 'j>,
    device: Arc<Device>,
    pricing: DevicePricing,
    plan: DevicePlan,
    panels: Vec<PanelRows>,
    resident: Vec<Panel>,
    given: VecDeque<Given>,
    /// To the thread that waits.
    waiting: Sender<Vec<Submission>>,
    /// Pools of the next chunk.
    pub chunk_pools: usize,
}

impl<'s, 'j> Worker<'s, 'j> {
    /// Makes the rows resident and starts the thread that waits; it says through `report` what came back, chunk by chunk.
    ///
    /// # Errors
    /// [`Stop::Lost`] where the sweep does not fit the device, or it is lost.
    pub fn start<'scope>(
        setup: Setup<'s, 'j>,
        device: Arc<Device>,
        scope: &'scope Scope<'scope, '_>,
        report: impl Fn(Answer) + Send + 'scope,
    ) -> Result<Self, Stop> {
        let Setup { job, canaries, .. } = setup;
        let pricing = DevicePricing::plan(job, &device, canaries.row);
        let sizes = (job.plan.n_pools, job.scenario_count(), job.ranges.len());
        let plan = DevicePlan::new(sizes, device.limits, job.options, 4, RESULT_BYTES).map_err(Stop::Lost)?;
        let panels = PanelRows::all(job, &plan);
        let resident = pricing.resident(&device, &panels).map_err(|error| Stop::Lost(error.to_string()))?;
        let (waiting, inbox) = channel();
        let waited = Arc::clone(&device);
        scope.spawn(move || wait_in_turn(&waited, &inbox, report));
        let given = VecDeque::new();
        Ok(Self { setup, device, pricing, plan, panels, resident, given, waiting, chunk_pools: FIRST_POOLS })
    }

    /// Where option rows are priced.
    pub fn revaluation(&self) -> &OptionRevaluation {
        &self.pricing.report
    }

    /// Chunks that it has not answered.
    pub fn given_count(&self) -> usize {
        self.given.len()
    }

    /// Pools that the next chunk should hold.
    pub fn wanted_pools(&self) -> usize {
        let limit = self.plan.plan.chunk_pools;
        if self.setup.job.options.chunk_pools.is_some() { limit } else { self.chunk_pools.min(limit) }
    }

    /// Compiles some pools and hands them to the device.
    pub fn give(&mut self, pools: Range<usize>) {
        let Setup { job, canaries, filter } = self.setup;
        let prepared = Prepared::new(job, pools.clone(), canaries, (self.pricing.facts(job), filter));
        self.submit(Given { pools, prepared, attempt: Attempt::First });
    }

    fn submit(&mut self, given: Given) {
        let submit = |panel: &Panel| self.device.submit(&given.prepared.packed, panel);
        let submissions = self.resident.iter().map(submit).collect();
        // A thread that has ended has reported the device as lost.
        let _ = self.waiting.send(submissions);
        self.given.push_back(given);
    }

    /// Checks and settles the answer to the oldest chunk; nothing where it is void and redone.
    ///
    /// # Errors
    /// [`Stop`] where the device is lost, or a chunk is void a second time.
    pub fn settle(&mut self, answer: Answer) -> Result<Option<Settled>, Stop> {
        let (readbacks, seconds) = answer.map_err(|error| Stop::Lost(error.to_string()))?;
        let Some(given) = self.given.pop_front() else { return Ok(None) };
        let results: Vec<(&PanelRows, Readback)> = self.panels.iter().zip(readbacks).collect();
        let expected = (self.setup.canaries, self.setup.job.order);
        let checked =
            results.iter().try_for_each(|(panel, readback)| verify(&given.prepared, readback, panel, expected));
        match (checked, given.attempt) {
            (Ok(()), _) => {
                self.chunk_pools = resize(given.pools.len(), seconds);
                let chunks = given.prepared.settle(self.setup.job, &results);
                Ok(Some((given.pools, chunks)))
            }
            (Err(_), Attempt::First) => {
                self.submit(Given { attempt: Attempt::Second, ..given });
                Ok(None)
            }
            (Err(void), Attempt::Second) => {
                let stop = self.stop(void);
                self.given.push_front(given);
                Err(stop)
            }
        }
    }

    fn stop(&self, void: Void) -> Stop {
        let summary = &self.device.summary;
        match void {
            Void::NotComputed { verdicts } => {
                Stop::Lost(format!("{summary} left {verdicts} verdicts uncomputed, twice"))
            }
            Void::TooManyUncertain => Stop::Lost(format!("{summary}: more uncertain verdicts than fit")),
            Void::Disagrees(reason) => Stop::Disagrees(format!("{summary}: {reason}")),
        }
    }

    /// Pools of the chunks that it has not answered.
    pub fn unanswered(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.given.iter().map(|given| given.pools.clone())
    }
}

/// Waits for chunks in the order in which they were handed over, until a device is lost or has no more to come.
fn wait_in_turn(device: &Device, inbox: &Receiver<Vec<Submission>>, report: impl Fn(Answer)) {
    let last_word = LastWord(&report);
    let mut free_since = Instant::now();
    for submissions in inbox {
        let handed_over = submissions.first().map_or(free_since, |submission| submission.handed_over);
        let readbacks: Result<Vec<Readback>> =
            submissions.into_iter().map(|submission| device.wait(submission)).collect();
        let end = Instant::now();
        // Where the device has no clock: since it could begin.
        let waited = (end - handed_over.max(free_since)).as_secs_f64();
        free_since = end;
        let is_lost = readbacks.is_err();
        report(readbacks.map(|readbacks| {
            let seconds: Option<f64> = readbacks.iter().map(|readback| readback.device_seconds).sum();
            (readbacks, seconds.unwrap_or(waited))
        }));
        if is_lost {
            break;
        }
    }
    drop(last_word);
}

/// Reports a thread that panics, so that nobody waits for it for ever.
struct LastWord<'r, R: Fn(Answer)>(&'r R);

impl<R: Fn(Answer)> Drop for LastWord<'_, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)(Err(Error::Bug("the thread that waits for a device has ended".into())));
        }
    }
}

/// Pools of the next chunk, from the size and time of the last: towards the target, at most doubling or halving.
pub fn resize(pools: usize, seconds: f64) -> usize {
    let factor = (SUBMISSION_SECONDS / seconds.max(1e-6)).clamp(0.5, 2.0);
    ((pools as f64 * factor) as usize).clamp(64, 1 << 20)
}
