//! The GPU engine: chunks of pools × tiles of scenarios on a device, checked, then settled on the CPU.
//!
//! Each device holds two chunks: while it computes one, the CPU reads, checks and settles the other and compiles the next.
//! Several devices share the chunks. A chunk that fails a check is void and redone; a device that is lost is reopened once,
//! with smaller submissions; what no device finishes the CPU engine does. Nothing a device says is used before it has proved
//! that it ran.

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
mod queue;
mod revalue;
mod share;
mod submission;
#[cfg(test)]
mod tests;
mod timer;
mod worker;

use std::sync::Arc;

pub use adapter::{AdapterSummary, adapters, choose, choose_several, none_like, position};
use canary::Canaries;
pub use device::Checks;
use device::Device;
use pack::Filter;
pub use price::{OptionPricer, PricedChain};
pub use pricer::Outputs;
use share::Source;
use worker::Setup;

use super::cpu;
use super::job::Job;
use super::merge::{Merge, run_chunks};
use super::sweep::Label;
use crate::error::Result;

/// Work a submission should hold, seconds of the device: long enough to hide its overhead, short enough for any watchdog.
const SUBMISSION_SECONDS: f64 = 0.035;
/// Pools of the first submission, before anything is known of the device's speed.
const FIRST_POOLS: usize = 1_024;
/// Result bytes per pool and tile: its own record, and its share of its group's.
const RESULT_BYTES: u64 = 192;

/// An adapter that may be used, with its open device.
pub struct Gpu {
    adapter: wgpu::Adapter,
    device: Arc<Device>,
}

impl Gpu {
    /// Opens the adapter asked for, or the first hardware one.
    ///
    /// # Errors
    /// [`crate::Error::NoAdapter`] where there is none, [`crate::Error::Temporary`] where it does not open.
    pub fn open(asked: Option<&str>) -> Result<Self> {
        Self::on(choose(asked)?)
    }

    /// Opens each of the adapters asked for, or every hardware one. An adapter that is named twice gives two devices.
    ///
    /// # Errors
    /// As [`Gpu::open`].
    pub fn open_several(asked: &[String]) -> Result<Vec<Self>> {
        choose_several(asked)?.into_iter().map(Self::on).collect()
    }

    /// Opens this adapter.
    ///
    /// # Errors
    /// [`crate::Error::Temporary`] where it does not open.
    pub fn on(adapter: wgpu::Adapter) -> Result<Self> {
        let device = Arc::new(Device::open(&adapter, Checks::Trusted)?);
        Ok(Self { adapter, device })
    }
}

/// Sweeps the whole book on one or more devices, and what they cannot finish on the CPU.
pub fn run(gpus: &[Gpu], job: &Job<'_>, merge: &mut Merge<'_>) -> Result<Label> {
    let source = |gpu: &'_ Gpu| Source {
        device: Arc::clone(&gpu.device),
        reopen: {
            let adapter = gpu.adapter.clone();
            Box::new(move || Device::open(&adapter, Checks::Trusted))
        },
    };
    run_on(gpus.iter().map(source).collect(), Filter::Certified, job, merge)
}

/// The same on given devices.
fn run_on(sources: Vec<Source<'_>>, filter: Filter, job: &Job<'_>, merge: &mut Merge<'_>) -> Result<Label> {
    let adapters: Vec<String> = sources.iter().map(|source| source.device.summary.to_string()).collect();
    let mut label = Label {
        engine: "gpu".into(),
        adapter: adapters.join("; "),
        device_limits: sources.first().map(|source| source.device.limits),
        ..Label::default()
    };
    let Some(canaries) = Canaries::new(job, super::plan::DEVICE_TILE_SCENARIOS) else {
        // No row moves (every pool is decided at plan time), or none that a canary could be built on.
        run_chunks(job, merge, 0..job.plan.n_pools, cpu::sweep_chunk);
        label.warnings.push(format!("no scenario moves a row; {} had nothing to do", label.adapter));
        return Ok(Label { engine: "cpu".into(), warnings: label.warnings, ..Label::default() });
    };
    share::sweep(Setup { job, canaries: &canaries, filter }, sources, merge, &mut label)?;
    Ok(label)
}
