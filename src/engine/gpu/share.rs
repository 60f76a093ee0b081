//! Devices share the chunks of a sweep: whoever is free takes the next one, results go out in book order. What a lost device
//! had taken goes to the others, or, once it is reopened, to itself; what no device finishes, to the CPU engine.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::Scope;

use super::device::Device;
use super::queue::{InOrder, Queue};
use super::worker::{Answer, DEPTH, Settled, Setup, Stop, Worker};
use crate::engine::cpu;
use crate::engine::merge::{Merge, run_chunks};
use crate::engine::sweep::Label;
use crate::error::{Error, Result};

/// An open device, and how to get another one where it is lost.
pub struct Source<'s> {
    /// The device.
    pub device: Arc<Device>,
    /// Opens its adapter again.
    pub reopen: Box<dyn FnOnce() -> Result<Device> + 's>,
}

/// Smallest chunk into which the end of a book is cut for several devices.
const TAIL_POOLS_MIN: usize = 256;

/// Results that may wait for a chunk before them: while one device hangs, the others do not fill the memory.
const WAITING_MAX: usize = 64;

/// Where a device works: at most two of them, one after the other.
struct Seat<'s, 'j> {
    worker: Option<Worker<'s, 'j>>,
    reopen: Option<Box<dyn FnOnce() -> Result<Device> + 's>>,
}

/// What a waiting thread says: which seat, which of its devices, what came back.
type Event = (usize, Turn, Answer);

/// Which of a seat's devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    First,
    Reopened,
}

/// Sweeps every pool; `label` is told what happened.
///
/// # Errors
/// [`Error::Audit`] where a device answers wrongly.
pub fn sweep<'s>(
    setup: Setup<'s, '_>,
    sources: Vec<Source<'s>>,
    merge: &mut Merge<'_>,
    label: &mut Label,
) -> Result<()> {
    let job = setup.job;
    let mut order = InOrder::new(merge);
    let last_reason = std::thread::scope(|scope| {
        let (report, events) = channel();
        let seats = Vec::with_capacity(sources.len());
        let queue = Queue::new(job.plan.n_pools);
        let mut share = Share { setup, scope, report, queue, seats, label: &mut *label, last_reason: None };
        share.open(sources)?;
        share.hand_out();
        while share.is_waiting() {
            // A waiting thread outlives what it waits for: the channel cannot close here.
            let Ok((seat, turn, answer)) = events.recv() else { break };
            if let Some((pools, chunks)) = share.take(seat, turn, answer)? {
                order.add(job, pools, chunks);
            }
            // What all wait for is on a device, or was returned by one that was lost and is the next to be taken.
            if order.waiting_count() < WAITING_MAX || share.queue.has_returned() {
                share.hand_out();
            }
        }
        Ok(share.last_reason)
    })?;
    order.fill(job, |pools, merge| {
        let reason = last_reason.as_deref().unwrap_or("no device was left");
        let warning = format!("{reason}; the CPU engine went on");
        // Every gap tells the same.
        if !label.warnings.contains(&warning) {
            label.warnings.push(warning);
        }
        label.engine = "gpu+cpu".into();
        run_chunks(job, merge, pools, cpu::sweep_chunk);
    });
    Ok(())
}

/// Devices and what they share.
struct Share<'scope, 'env, 's, 'j, 'l> {
    setup: Setup<'s, 'j>,
    scope: &'scope Scope<'scope, 'env>,
    report: Sender<Event>,
    queue: Queue,
    seats: Vec<Seat<'s, 'j>>,
    label: &'l mut Label,
    /// Why the last device was lost.
    last_reason: Option<String>,
}

impl<'s, 'j> Share<'_, '_, 's, 'j, '_> {
    fn open(&mut self, sources: Vec<Source<'s>>) -> Result<()> {
        for (seat, source) in sources.into_iter().enumerate() {
            self.seats.push(Seat { worker: None, reopen: Some(source.reopen) });
            match self.start(seat, Turn::First, source.device) {
                Ok(worker) => self.seats[seat].worker = Some(worker),
                Err(stop) => self.lose(seat, stop)?,
            }
        }
        let first = self.seats.iter().find_map(|seat| seat.worker.as_ref());
        self.label.revaluation = first.map(|worker| worker.revaluation().clone()).unwrap_or_default();
        Ok(())
    }

    fn start(&self, seat: usize, turn: Turn, device: Arc<Device>) -> Result<Worker<'s, 'j>, Stop> {
        let report = self.report.clone();
        // Nobody listens any more where a wrong answer has ended the sweep.
        let report = move |answer: Answer| drop(report.send((seat, turn, answer)));
        Worker::start(self.setup, device, self.scope, report)
    }

    /// Gives every device chunks up to [`DEPTH`], the next one to whoever has fewest.
    fn hand_out(&mut self) {
        for depth in 0..DEPTH {
            let workers = self.seats.iter().filter(|seat| seat.worker.is_some()).count();
            for worker in self.seats.iter_mut().filter_map(|seat| seat.worker.as_mut()) {
                if worker.given_count() > depth {
                    continue;
                }
                // Towards the end smaller chunks let all devices finish together.
                let fair = if workers > 1 { self.queue.len().div_ceil(workers * DEPTH) } else { usize::MAX };
                let pools = worker.wanted_pools().min(fair.max(TAIL_POOLS_MIN));
                if let Some(pools) = self.queue.take(pools) {
                    worker.give(pools);
                }
            }
        }
    }

    /// Whether an answer is still to come.
    fn is_waiting(&self) -> bool {
        self.seats.iter().filter_map(|seat| seat.worker.as_ref()).any(|worker| worker.given_count() > 0)
    }

    /// Takes an answer: the results of a chunk, if it is one.
    fn take(&mut self, seat: usize, turn: Turn, answer: Answer) -> Result<Option<Settled>> {
        let has_reopened = self.seats[seat].reopen.is_none();
        let is_current = (turn == Turn::Reopened) == has_reopened;
        // What a device says after it was given up is void: its pools have gone to others.
        let Some(worker) = self.seats[seat].worker.as_mut().filter(|_| is_current) else { return Ok(None) };
        match worker.settle(answer) {
            Ok(results) => Ok(results),
            Err(stop) => self.lose(seat, stop).map(|()| None),
        }
    }

    /// Gives a device up: its pools go back, and it is reopened once, with smaller submissions.
    fn lose(&mut self, seat: usize, stop: Stop) -> Result<()> {
        let mut reason = match stop {
            Stop::Disagrees(reason) => return Err(Error::Audit(reason)),
            Stop::Lost(reason) => reason,
        };
        let lost = self.seats[seat].worker.take();
        lost.iter().flat_map(Worker::unanswered).for_each(|pools| self.queue.give_back(pools));
        if let Some(reopen) = self.seats[seat].reopen.take() {
            self.label.warnings.push(format!("{reason}; reopened with smaller submissions"));
            let reopened = reopen().map_err(|error| Stop::Lost(error.to_string()));
            match reopened.and_then(|device| self.start(seat, Turn::Reopened, Arc::new(device))) {
                Ok(mut worker) => {
                    worker.chunk_pools = (lost.map_or(worker.chunk_pools, |lost| lost.chunk_pools) / 2).max(64);
                    self.seats[seat].worker = Some(worker);
                    return Ok(());
                }
                Err(Stop::Disagrees(reason)) => return Err(Error::Audit(reason)),
                Err(Stop::Lost(again)) => reason = again,
            }
        }
        if self.seats.iter().any(|seat| seat.worker.is_some()) {
            self.label.warnings.push(format!("{reason}; the other devices went on"));
        }
        self.last_reason = Some(reason);
        Ok(())
    }
}
