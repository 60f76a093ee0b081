//! Micro-kernels of an adapter: `shaders/ceiling.wgsl` on a device of its own, which takes times where it can.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::adapter::AdapterSummary;
use super::device::{Checks, request, shader_module};
use super::layout::CeilingParams;
use crate::engine::ceiling::{Ceilings, Clock};
use crate::error::{Error, Result};

const SHADER: &str = include_str!("../../../shaders/ceiling.wgsl");
/// Lanes of a workgroup of the shader.
const LANES: u32 = 256;
/// Bytes of a vector of the shader.
const VECTOR: u64 = 16;
/// Data that is copied: beyond the second-level cache of most devices.
const COPY_BYTES: u64 = 128 << 20;
/// Data that no first-level cache holds and second-level caches do.
const L2_BYTES: u64 = 2 << 20;
/// Vectors that a lane copies.
const COPY_STEPS: u32 = 4;
/// Steps of a lane that reads, four vectors each.
const READ_STEPS: u32 = 64;
/// Steps of a lane that computes.
const ADD_STEPS: u32 = 128;
/// Multiply-adds of a lane in a step: sixteen chains of eight.
const ADDS_PER_STEP: u32 = 128;
/// A batch is at least this long, so that starting it counts for nothing.
const BATCH_SECONDS: f64 = 0.02;
/// Batches of each kernel; the best counts.
const BATCHES: usize = 3;
/// Longest wait for a batch.
const TIMEOUT: Duration = Duration::from_secs(60);
/// What the chains of multiply-adds end in, where the device computes: the factor is ½, the addend 1.
const FIXED_POINT: f32 = 2.0;

/// Measures an adapter; takes a fraction of a second and 256 MiB of it.
///
/// # Errors
/// [`Error::Temporary`] where the device does not open or take the kernels, is lost, or does not compute.
pub fn measure(adapter: &wgpu::Adapter) -> Result<Ceilings> {
    let bench = Bench::open(adapter)?;
    let (copy_bytes, copy_clock) = bench.best(&bench.copy())?;
    let (l2_bytes, read_clock) = bench.best(&bench.read())?;
    let (multiply_adds_f32, add_clock) = bench.best(&bench.multiply_add())?;
    let all_by_device = [copy_clock, read_clock, add_clock].iter().all(|&clock| clock == Clock::Device);
    let clock = if all_by_device { Clock::Device } else { Clock::Host };
    Ok(Ceilings { copy_bytes, l2_bytes, l1_bytes: None, multiply_adds_f32, multiply_adds_f64: None, clock })
}

/// A kernel, how it is dispatched, how much work a dispatch is, and how its first answer is known to be right.
struct Kernel {
    entry_point: &'static str,
    groups: u32,
    data_bytes: u64,
    steps: u32,
    work: f64,
    is_right: fn([f32; 4]) -> bool,
}

struct Bench {
    device: wgpu::Device,
    queue: wgpu::Queue,
    summary: AdapterSummary,
    lost: Arc<AtomicBool>,
    module: wgpu::ShaderModule,
    source: wgpu::Buffer,
    sink: wgpu::Buffer,
    stamps: Option<Stamps>,
}

/// Two timestamps and the way back to the host.
struct Stamps {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    staging: wgpu::Buffer,
    seconds_per_tick: f64,
}

impl Bench {
    fn open(adapter: &wgpu::Adapter) -> Result<Self> {
        let summary = AdapterSummary::of(&adapter.get_info());
        let (device, queue) = request(adapter, "plimsoll.ceiling")?;
        let lost = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&lost);
        device.set_device_lost_callback(move |_, _| flag.store(true, Ordering::SeqCst));
        let flag = Arc::clone(&lost);
        device.on_uncaptured_error(Arc::new(move |_| flag.store(true, Ordering::SeqCst)));
        let limits = device.limits();
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).max(L2_BYTES);
        let bytes = COPY_BYTES.min(1 << most.ilog2());
        let module = shader_module(&device, ("plimsoll.ceiling", SHADER), Checks::Trusted);
        let usage = wgpu::BufferUsages::STORAGE;
        let source = buffer(&device, bytes, usage | wgpu::BufferUsages::COPY_DST);
        let sink = buffer(&device, bytes, usage | wgpu::BufferUsages::COPY_SRC);
        // Other values than the zeros of fresh memory, which a device may hold in compressed form.
        let piece: Vec<f32> = (0..L2_BYTES / 4).map(|k| 1.0 + k as f32).collect();
        for offset in (0..bytes).step_by(L2_BYTES as usize) {
            queue.write_buffer(&source, offset, bytemuck::cast_slice(&piece));
        }
        queue.submit([]);
        let stamps = device.features().contains(wgpu::Features::TIMESTAMP_QUERY).then(|| Stamps::new(&device, &queue));
        Ok(Self { device, queue, summary, lost, module, source, sink, stamps })
    }

    /// Workgroups that keep the adapter busy for about a millisecond.
    fn groups(&self) -> u32 {
        if self.summary.is_hardware() { 4_096 } else { 128 }
    }

    fn copy(&self) -> Kernel {
        let data_bytes = self.source.size();
        Kernel {
            entry_point: "copy",
            groups: (data_bytes / VECTOR) as u32 / LANES / COPY_STEPS,
            data_bytes,
            steps: COPY_STEPS,
            work: 2.0 * data_bytes as f64,
            is_right: |answer| answer == [1.0, 2.0, 3.0, 4.0],
        }
    }

    fn read(&self) -> Kernel {
        let groups = self.groups();
        Kernel {
            entry_point: "read_often",
            groups,
            data_bytes: L2_BYTES,
            steps: READ_STEPS,
            work: f64::from(groups * LANES) * f64::from(READ_STEPS) * (4 * VECTOR) as f64,
            is_right: |answer| answer.iter().all(|&sum| sum > 4.0 * READ_STEPS as f32),
        }
    }

    fn multiply_add(&self) -> Kernel {
        let groups = self.groups();
        Kernel {
            entry_point: "multiply_add",
            groups,
            data_bytes: L2_BYTES,
            steps: ADD_STEPS,
            work: f64::from(groups * LANES) * f64::from(ADD_STEPS * ADDS_PER_STEP),
            is_right: |answer| answer.iter().all(|&sum| (sum - 4.0 * FIXED_POINT).abs() < 1e-3),
        }
    }

    /// Work per second of the best batch, and whose clock said so.
    fn best(&self, kernel: &Kernel) -> Result<(f64, Clock)> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("plimsoll.ceiling"),
            layout: None,
            module: &self.module,
            entry_point: Some(kernel.entry_point),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let bindings = self.bind(&pipeline, kernel);
        if let Some(error) = pollster::block_on(scope.pop()) {
            let (summary, name) = (&self.summary, kernel.entry_point);
            return Err(Error::Temporary(format!("{summary} does not take the kernel {name}: {error}")));
        }
        let mut dispatches = 1;
        while dispatches < 1 << 16 && self.batch((&pipeline, &bindings), kernel, dispatches)?.0 < BATCH_SECONDS {
            dispatches *= 2;
        }
        let mut best = (0.0, Clock::Host);
        for _ in 0..BATCHES {
            let (seconds, clock) = self.batch((&pipeline, &bindings), kernel, dispatches)?;
            let rate = f64::from(dispatches) * kernel.work / seconds;
            if rate > best.0 {
                best = (rate, clock);
            }
        }
        let answer = self.first_answer()?;
        if !(kernel.is_right)(answer) {
            let (summary, name) = (&self.summary, kernel.entry_point);
            return Err(Error::Temporary(format!("{summary} does not run the kernel {name}: it answered {answer:?}")));
        }
        Ok(best)
    }

    fn bind(&self, pipeline: &wgpu::ComputePipeline, kernel: &Kernel) -> wgpu::BindGroup {
        let params = CeilingParams {
            mask: (kernel.data_bytes / VECTOR) as u32 - 1,
            steps: kernel.steps,
            lanes: kernel.groups * LANES,
            factor: 1.0 - 1.0 / FIXED_POINT,
            addend: 1.0,
        };
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let uniform = buffer(&self.device, size_of::<CeilingParams>() as u64, usage);
        self.queue.write_buffer(&uniform, 0, bytemuck::bytes_of(&params));
        // The kernel that only computes binds no source.
        let is_bound = |binding: u32| binding != 1 || kernel.entry_point != "multiply_add";
        let entries: Vec<wgpu::BindGroupEntry<'_>> = [(0, &uniform), (1, &self.source), (2, &self.sink)]
            .into_iter()
            .filter(|(binding, _)| is_bound(*binding))
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let layout = &pipeline.get_bind_group_layout(0);
        self.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
    }

    /// Seconds that so many dispatches take, one after the other.
    fn batch(
        &self,
        (pipeline, bindings): (&wgpu::ComputePipeline, &wgpu::BindGroup),
        kernel: &Kernel,
        dispatches: u32,
    ) -> Result<(f64, Clock)> {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let timestamp_writes = self.stamps.as_ref().map(|stamps| wgpu::ComputePassTimestampWrites {
                query_set: &stamps.set,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, bindings, &[]);
            (0..dispatches).for_each(|_| pass.dispatch_workgroups(kernel.groups, 1, 1));
        }
        if let Some(stamps) = &self.stamps {
            encoder.resolve_query_set(&stamps.set, 0..2, &stamps.resolved, 0);
            encoder.copy_buffer_to_buffer(&stamps.resolved, 0, &stamps.staging, 0, stamps.staging.size());
        }
        let commands = encoder.finish();
        let clock = Instant::now();
        let index = self.queue.submit([commands]);
        self.wait(index)?;
        let host_seconds = clock.elapsed().as_secs_f64();
        let Some(stamps) = &self.stamps else { return Ok((host_seconds, Clock::Host)) };
        let ticks: [u64; 2] = self.read_back(&stamps.staging)?;
        let device_seconds = ticks[1].saturating_sub(ticks[0]) as f64 * stamps.seconds_per_tick;
        // Some devices answer with times of nothing: a long batch cannot take much less of theirs than of the host's.
        let is_plausible = device_seconds <= 1.05 * host_seconds && device_seconds >= 0.5 * host_seconds;
        Ok(if is_plausible { (device_seconds, Clock::Device) } else { (host_seconds, Clock::Host) })
    }

    fn first_answer(&self) -> Result<[f32; 4]> {
        let staging = buffer(&self.device, VECTOR, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&self.sink, 0, &staging, 0, VECTOR);
        self.wait(self.queue.submit([encoder.finish()]))?;
        self.read_back(&staging)
    }

    /// Maps a buffer that nothing in flight writes to, and empties it again.
    fn read_back<T: bytemuck::Pod>(&self, staging: &wgpu::Buffer) -> Result<T> {
        let failed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&failed);
        staging.map_async(wgpu::MapMode::Read, .., move |result| flag.store(result.is_err(), Ordering::SeqCst));
        let polled = self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(TIMEOUT) });
        if polled.is_err() || failed.load(Ordering::SeqCst) || self.lost.load(Ordering::SeqCst) {
            return Err(self.was_lost());
        }
        let answer = super::device::bytes(staging)?;
        staging.unmap();
        Ok(bytemuck::pod_read_unaligned(&answer))
    }

    fn wait(&self, index: wgpu::SubmissionIndex) -> Result<()> {
        let wait = wgpu::PollType::Wait { submission_index: Some(index), timeout: Some(TIMEOUT) };
        match self.device.poll(wait) {
            Ok(_) if !self.lost.load(Ordering::SeqCst) => Ok(()),
            _ => Err(self.was_lost()),
        }
    }

    fn was_lost(&self) -> Error {
        Error::Temporary(format!("{} was lost while its ceilings were measured", self.summary.name))
    }
}

impl Stamps {
    fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let bytes = 2 * size_of::<u64>() as u64;
        let ty = wgpu::QueryType::Timestamp;
        Self {
            set: device.create_query_set(&wgpu::QuerySetDescriptor { label: None, ty, count: 2 }),
            resolved: buffer(device, bytes, wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            staging: buffer(device, bytes, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            seconds_per_tick: f64::from(queue.get_timestamp_period()) * 1e-9,
        }
    }
}

fn buffer(device: &wgpu::Device, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("plimsoll.ceiling"),
        size,
        usage,
        mapped_at_creation: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_software_adapter_copies_reads_and_computes() {
        let Ok(adapter) = super::super::choose(Some("llvmpipe")) else {
            let meant = std::env::var("PLIMSOLL_TEST_WITHOUT_GPU").is_ok_and(|value| value == "1");
            assert!(meant, "no adapter; install one (mesa-vulkan-drivers), or set PLIMSOLL_TEST_WITHOUT_GPU=1");
            return;
        };
        let ceilings = measure(&adapter).expect("measured");
        assert!(
            ceilings.copy_bytes > 1e7 && ceilings.l2_bytes > 1e7 && ceilings.multiply_adds_f32 > 1e7,
            "{ceilings:?}"
        );
        assert!(ceilings.multiply_adds_f32 < 1e15 && ceilings.l2_bytes < 1e14, "{ceilings:?}");
    }
}
