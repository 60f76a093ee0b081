//! The GPU engine: chunks of pools × tiles of scenarios on a device, checked, then settled on the CPU.
//!
//! While the device works on one chunk the CPU compiles the next. A chunk that fails a check is void and redone; a device
//! that is lost is reopened once, with smaller submissions, and then the CPU engine takes over from the last finished
//! chunk. Nothing a device says is used before it has proved that it ran.

mod adapter;
mod canary;
pub mod ceiling;
mod check;
mod chunk;
mod device;
#[cfg(test)]
mod fault;
mod inherited;
mod known_answer;
mod known_price;
pub mod layout;
mod pack;
mod panels;
mod price;
mod pricer;
pub mod probe;
mod revalue;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::time::Instant;

pub use adapter::{AdapterSummary, adapters, choose, none_like, position};
use canary::Canaries;
use check::{Void, verify};
use chunk::Prepared;
pub use device::Checks;
use device::{Device, Panel, Readback, Submission};
use pack::Filter;
use panels::PanelRows;
pub use price::{OptionPricer, PricedChain};
pub use pricer::Outputs;
use revalue::DevicePricing;

use super::cpu;
use super::job::Job;
use super::plan::{DevicePlan, PlanOptions};
use super::sweep::{Label, Merge, run_chunks};
use crate::error::{Error, Result};

/// Work a submission should hold, seconds of the device: long enough to hide its overhead, short enough for any watchdog.
const SUBMISSION_SECONDS: f64 = 0.035;
/// Pools of the first submission, before anything is known of the device's speed.
const FIRST_POOLS: usize = 1_024;
/// Result bytes per pool and tile: its own record, and its share of its group's.
const RESULT_BYTES: u64 = 192;

/// An adapter that may be used, with its open device.
pub struct Gpu {
    adapter: wgpu::Adapter,
    device: Device,
}

impl Gpu {
    /// Opens the adapter asked for, or the first hardware one.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none, [`Error::Temporary`] where it does not open.
    pub fn open(asked: Option<&str>) -> Result<Self> {
        Self::on(choose(asked)?)
    }

    /// Opens this adapter.
    ///
    /// # Errors
    /// [`Error::Temporary`] where it does not open.
    pub fn on(adapter: wgpu::Adapter) -> Result<Self> {
        let device = Device::open(&adapter, Checks::Trusted)?;
        Ok(Self { adapter, device })
    }
}

/// Sweeps the whole book on a device, and what the device cannot finish on the CPU.
pub fn run(gpu: &Gpu, job: &Job<'_>, merge: &mut Merge<'_>) -> Result<Label> {
    run_on(&gpu.device, || Device::open(&gpu.adapter, Checks::Trusted), Filter::Certified, job, merge)
}

/// The same on a given device, with a way to get another one where it is lost.
fn run_on(
    device: &Device,
    reopen: impl FnOnce() -> Result<Device>,
    filter: Filter,
    job: &Job<'_>,
    merge: &mut Merge<'_>,
) -> Result<Label> {
    let mut label = Label {
        engine: "gpu".into(),
        adapter: device.summary.to_string(),
        device_limits: Some(device.limits),
        ..Label::default()
    };
    let mut progress = Progress { next_pool: 0, pools_per_submission: FIRST_POOLS };
    let Some(canaries) = Canaries::new(job, super::plan::DEVICE_TILE_SCENARIOS) else {
        // No row moves (every pool is decided at plan time), or none that a canary could be built on.
        run_chunks(job, merge, 0, cpu::sweep_chunk);
        label.warnings.push(format!("no scenario moves a row; {} had nothing to do", label.adapter));
        return Ok(Label { engine: "cpu".into(), warnings: label.warnings, ..Label::default() });
    };
    let pricing = DevicePricing::plan(job, device, canaries.row);
    label.revaluation = pricing.report.clone();
    let mut sweep = DeviceSweep { job, canaries: &canaries, pricing: &pricing, filter, options: job.options };
    let mut outcome = sweep.run(device, &mut progress, merge);
    if let Err(Stop::Lost(reason)) = &outcome {
        label.warnings.push(format!("{reason}; reopened with smaller submissions"));
        progress.pools_per_submission = (progress.pools_per_submission / 2).max(64);
        outcome = reopen()
            .map_err(|error| Stop::Lost(error.to_string()))
            .and_then(|device| sweep.run(&device, &mut progress, merge));
    }
    match outcome {
        Ok(()) => Ok(label),
        Err(Stop::Disagrees(reason)) => Err(Error::Audit(format!("{}: {reason}", device.summary))),
        Err(Stop::Lost(reason)) => {
            label.warnings.push(format!("{reason}; the CPU engine went on from pool {}", progress.next_pool));
            label.engine = "gpu+cpu".into();
            run_chunks(job, merge, progress.next_pool, cpu::sweep_chunk);
            Ok(label)
        }
    }
}

/// How far a sweep is, for whoever takes over.
struct Progress {
    next_pool: usize,
    pools_per_submission: usize,
}

/// Why a device cannot go on.
enum Stop {
    /// It is gone, or does not run the kernel.
    Lost(String),
    /// It runs the kernel and answers wrongly.
    Disagrees(String),
}

struct DeviceSweep<'s, 'j> {
    job: &'s Job<'j>,
    canaries: &'s Canaries,
    pricing: &'s DevicePricing,
    filter: Filter,
    options: PlanOptions,
}

impl DeviceSweep<'_, '_> {
    fn run(&mut self, device: &Device, progress: &mut Progress, merge: &mut Merge<'_>) -> Result<(), Stop> {
        let sizes = (self.job.plan.n_pools, self.job.scenario_count(), self.job.ranges.len());
        let plan = DevicePlan::new(sizes, device.limits, self.options, 4, RESULT_BYTES).map_err(Stop::Lost)?;
        let panels = PanelRows::all(self.job, &plan);
        let resident = self.pricing.resident(device, &panels).map_err(|error| Stop::Lost(error.to_string()))?;
        let mut next = self.next_range(&plan, progress, progress.next_pool);
        let mut prepared = self.prepare(next.clone());
        while !next.is_empty() {
            let clock = Instant::now();
            let submissions = submit_all(device, &prepared, &resident);
            // The device works; the CPU compiles what comes next.
            let after = self.next_range(&plan, progress, next.end);
            let following = self.prepare(after.clone());
            let readbacks = self.collect(device, &prepared, &panels, &resident, submissions)?;
            progress.pools_per_submission = resize(next.len(), clock.elapsed().as_secs_f64());
            let panels: Vec<&PanelRows> = panels.iter().collect();
            let results: Vec<(&PanelRows, Readback)> = panels.into_iter().zip(readbacks).collect();
            prepared.settle(self.job, &results).into_iter().for_each(|chunk| merge.add(self.job, chunk));
            progress.next_pool = next.end;
            (next, prepared) = (after, following);
        }
        Ok(())
    }

    fn next_range(&self, plan: &DevicePlan, progress: &Progress, start: usize) -> Range<usize> {
        let pools = match self.options.chunk_pools {
            Some(_) => plan.plan.chunk_pools,
            None => progress.pools_per_submission.min(plan.plan.chunk_pools),
        };
        start..(start + pools).min(self.job.plan.n_pools)
    }

    fn prepare(&self, pools: Range<usize>) -> Prepared {
        Prepared::new(self.job, pools, self.canaries, (self.pricing.facts(self.job), self.filter))
    }

    /// Reads a chunk back and checks it; a void chunk is redone once.
    fn collect(
        &self,
        device: &Device,
        prepared: &Prepared,
        panels: &[PanelRows],
        resident: &[Panel],
        submissions: Vec<Submission>,
    ) -> Result<Vec<Readback>, Stop> {
        match self.check_all(device, prepared, panels, submissions)? {
            Ok(readbacks) => Ok(readbacks),
            Err(_) => {
                let again = submit_all(device, prepared, resident);
                self.check_all(device, prepared, panels, again)?.map_err(|void| match void {
                    Void::NotComputed { verdicts } => {
                        Stop::Lost(format!("{} left {verdicts} verdicts uncomputed, twice", device.summary))
                    }
                    Void::TooManyUncertain => {
                        Stop::Lost(format!("{}: more uncertain verdicts than fit", device.summary))
                    }
                    Void::Disagrees(reason) => Stop::Disagrees(reason),
                })
            }
        }
    }

    fn check_all(
        &self,
        device: &Device,
        prepared: &Prepared,
        panels: &[PanelRows],
        submissions: Vec<Submission>,
    ) -> Result<Result<Vec<Readback>, Void>, Stop> {
        let mut readbacks = Vec::with_capacity(panels.len());
        for (submission, panel) in submissions.into_iter().zip(panels) {
            let readback = device.wait(submission).map_err(|error| Stop::Lost(error.to_string()))?;
            if let Err(void) = verify(prepared, &readback, panel, self.canaries) {
                return Ok(Err(void));
            }
            readbacks.push(readback);
        }
        Ok(Ok(readbacks))
    }
}

fn submit_all(device: &Device, prepared: &Prepared, resident: &[Panel]) -> Vec<Submission> {
    resident.iter().map(|panel| device.submit(&prepared.packed, panel)).collect()
}

/// Pools of the next submission, from the size and time of the last: towards the target, at most doubling or halving.
fn resize(pools: usize, seconds: f64) -> usize {
    let factor = (SUBMISSION_SECONDS / seconds.max(1e-6)).clamp(0.5, 2.0);
    ((pools as f64 * factor) as usize).clamp(64, 1 << 20)
}
