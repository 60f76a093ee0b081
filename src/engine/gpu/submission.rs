//! A chunk on its way through a device: uploaded, run, read back. Result buffers are used again, so that while one chunk is
//! read the next one is computed into others.

use std::sync::PoisonError;
use std::time::Instant;

use super::device::{Device, GROUP_POOLS, Panel};
use super::layout::{GroupScenario, LIST_CAPACITY, Params, PoolTile, UncertainVerdict};
use super::pack::Packed;
use super::timer::Timer;
use crate::engine::plan::DEVICE_TILE_SCENARIOS;
use crate::error::{Error, Result};

/// What the kernel writes to, and where the host reads it.
struct Results {
    buffer: wgpu::Buffer,
    staging: wgpu::Buffer,
}

/// Result buffers of one submission: pools by tiles, groups by scenarios, uncertain verdicts.
pub struct ResultBuffers([Results; 3]);

impl ResultBuffers {
    fn holds(&self, sizes: [u64; 3]) -> bool {
        self.0.iter().zip(sizes).all(|(results, size)| results.buffer.size() >= size)
    }
}

/// A chunk that a device works on.
pub struct Submission {
    results: ResultBuffers,
    /// Bytes of each that this chunk fills.
    sizes: [u64; 3],
    timer: Option<Timer>,
    index: wgpu::SubmissionIndex,
    /// When it was handed over.
    pub handed_over: Instant,
}

/// What came back of a chunk.
#[derive(Debug, Clone, Default)]
pub struct Readback {
    /// `[n_pools × n_tiles]`, row-major.
    pub pool_tiles: Vec<PoolTile>,
    /// `[n_groups × n_tiles · 256]`, row-major.
    pub group_scenarios: Vec<GroupScenario>,
    /// How many verdicts were uncertain; more than the list holds makes the list incomplete.
    pub uncertain_count: usize,
    /// The uncertain verdicts, sorted.
    pub uncertain: Vec<UncertainVerdict>,
    /// Seconds that the kernel took by the device's clock, where it has one.
    pub device_seconds: Option<f64>,
}

impl Device {
    /// Starts a chunk: poisons the outputs with zero, dispatches pools × tiles slice by slice, copies the results out.
    pub fn submit(&self, packed: &Packed, panel: &Panel) -> Submission {
        let groups = packed.pools.len().div_ceil(GROUP_POOLS as usize);
        let inputs = [
            self.buffer("plimsoll.pools", &packed.pools),
            self.buffer("plimsoll.terms", &packed.terms),
            self.buffer("plimsoll.gross", &packed.gross),
            self.buffer("plimsoll.kinks", &packed.kinks),
            self.buffer("plimsoll.code", &packed.code),
        ];
        let sizes = [
            packed.pools.len() * panel.tile_count * size_of::<PoolTile>(),
            groups * panel.tile_count * DEVICE_TILE_SCENARIOS * size_of::<GroupScenario>(),
            size_of::<u32>() + LIST_CAPACITY * size_of::<UncertainVerdict>(),
        ]
        .map(|size| size as u64);
        let results = self.result_buffers(sizes);
        let outputs = results.0.iter().map(|results| &results.buffer);
        let storage: Vec<&wgpu::Buffer> = [&panel.buffer].into_iter().chain(&inputs).chain(outputs).collect();
        let slice_pools = packed.slice_pools();
        let slices = (0..GROUP_POOLS).step_by(slice_pools).map(|slice_start| {
            let params = Params {
                pool_count: packed.pools.len() as u32,
                row_count: panel.row_count as u32,
                scenario_count: panel.scenario_count as u32,
                tile_count: panel.tile_count as u32,
                slice_start,
                slice_pools: slice_pools as u32,
            };
            self.bind(&params, &storage)
        });
        let slices: Vec<wgpu::BindGroup> = slices.collect();
        let timer = Timer::of(self);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        // An answer of Ok does not prove that the kernel ran; a zero in its output proves that it did not.
        results.0.iter().zip(sizes).for_each(|(results, size)| encoder.clear_buffer(&results.buffer, 0, Some(size)));
        {
            let timestamp_writes = timer.as_ref().map(Timer::writes);
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
            pass.set_pipeline(&self.pipeline);
            // In order: each slice adds to the sums that the one before it wrote.
            for slice in &slices {
                pass.set_bind_group(0, slice, &[]);
                pass.dispatch_workgroups(groups as u32, panel.tile_count as u32, 1);
            }
        }
        for (results, size) in results.0.iter().zip(sizes) {
            encoder.copy_buffer_to_buffer(&results.buffer, 0, &results.staging, 0, size);
        }
        timer.iter().for_each(|timer| timer.resolve(&mut encoder));
        let index = self.queue.submit([encoder.finish()]);
        #[cfg(test)]
        self.fault.after_submission(&self.device);
        Submission { results, sizes, timer, index, handed_over: Instant::now() }
    }

    /// Waits for a chunk and reads it back.
    ///
    /// # Errors
    /// [`Error::Temporary`] where the device is lost, silent, or refuses to map.
    pub fn wait(&self, submission: Submission) -> Result<Readback> {
        let Submission { results, sizes, timer, index, .. } = submission;
        let slices = [0, 1, 2].map(|k| results.0[k].staging.slice(..sizes[k]));
        let marks = timer.iter().map(|timer| timer.staging.slice(..));
        self.map(slices.into_iter().chain(marks), index)?;
        let [pool_tiles, group_scenarios, list] = [view(slices[0])?, view(slices[1])?, view(slices[2])?];
        let (count, entries) = list.split_at(size_of::<u32>());
        let uncertain_count = bytemuck::pod_read_unaligned::<u32>(count) as usize;
        let entry = |chunk: &[u8]| bytemuck::pod_read_unaligned::<UncertainVerdict>(chunk);
        let mut uncertain: Vec<UncertainVerdict> =
            entries.chunks_exact(size_of::<UncertainVerdict>()).take(uncertain_count).map(entry).collect();
        // Lanes append in any order; sorted, the list is the same on every run.
        uncertain.sort_unstable();
        let device_seconds = match &timer {
            Some(timer) => Timer::seconds(&view(timer.staging.slice(..))?, &self.queue),
            None => None,
        };
        let readback = Readback {
            pool_tiles: bytemuck::pod_collect_to_vec(&pool_tiles),
            group_scenarios: bytemuck::pod_collect_to_vec(&group_scenarios),
            uncertain_count,
            uncertain,
            device_seconds,
        };
        drop((pool_tiles, group_scenarios, list));
        results.0.iter().for_each(|results| results.staging.unmap());
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(results);
        Ok(readback)
    }

    /// Idle result buffers that hold this much, or new ones in the place of all that do not.
    fn result_buffers(&self, sizes: [u64; 3]) -> ResultBuffers {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|buffers| buffers.holds(sizes));
        idle.pop().unwrap_or_else(|| {
            ResultBuffers([0, 1, 2].map(|k| {
                let label = ["plimsoll.pool_tiles", "plimsoll.group_scenarios", "plimsoll.uncertain"][k];
                Results { buffer: self.output(label, sizes[k]), staging: self.staging(label, sizes[k]) }
            }))
        })
    }
}

/// What a mapped slice holds.
fn view(slice: wgpu::BufferSlice<'_>) -> Result<wgpu::BufferView> {
    slice.get_mapped_range().map_err(|error| Error::Temporary(format!("cannot read a result: {error}")))
}
