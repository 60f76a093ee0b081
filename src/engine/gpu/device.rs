//! A device with the sweep pipeline, its buffers, and the wait for what it was given.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytemuck::{Pod, Zeroable};

use super::adapter::AdapterSummary;
use super::layout::{LANES, LIST_CAPACITY, Params};
use super::submission::ResultBuffers;
use crate::engine::plan::{self, DEVICE_TILE_SCENARIOS, DeviceLimits};
use crate::error::{Error, Result};

const SHADER: &str = include_str!("../../../shaders/sweep.wgsl");
/// Longest wait for one submission; a device that is silent for longer is lost.
const SUBMISSION_TIMEOUT: Duration = Duration::from_secs(120);

/// How the shader module is built. Both are tested; the trusted one is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// With naga's bounds checks and loop bounding.
    Checked,
    /// Without them: indices were checked on the host.
    Trusted,
}

/// An open device and its sweep pipeline.
pub struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) pipeline: wgpu::ComputePipeline,
    /// Result buffers that no submission uses.
    pub(super) idle: Mutex<Vec<ResultBuffers>>,
    lost: Arc<AtomicBool>,
    /// What the device allows.
    pub limits: DeviceLimits,
    /// What it calls itself.
    pub summary: AdapterSummary,
    /// What a test breaks.
    #[cfg(test)]
    pub fault: super::fault::Fault,
}

/// Rows of a panel of tiles, resident on the device.
pub struct Panel {
    pub(super) buffer: wgpu::Buffer,
    /// Scenarios in the panel.
    pub scenario_count: usize,
    /// Tiles in the panel.
    pub tile_count: usize,
    /// Rows per tile.
    pub row_count: usize,
}

/// A device with all that the adapter allows, and timestamps where it has them.
///
/// # Errors
/// [`Error::Temporary`] where the adapter gives none.
pub(super) fn request(adapter: &wgpu::Adapter, label: &str) -> Result<(wgpu::Device, wgpu::Queue)> {
    let descriptor = wgpu::DeviceDescriptor {
        label: Some(label),
        required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
        required_limits: adapter.limits(),
        experimental_features: wgpu::ExperimentalFeatures::disabled(),
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        trace: wgpu::Trace::Off,
    };
    pollster::block_on(adapter.request_device(&descriptor))
        .map_err(|error| Error::Temporary(format!("cannot open {}: {error}", adapter.get_info().name)))
}

impl Device {
    /// Opens an adapter.
    ///
    /// # Errors
    /// [`Error::Temporary`] where the device or the pipeline cannot be made.
    pub fn open(adapter: &wgpu::Adapter, checks: Checks) -> Result<Self> {
        let (device, queue) = request(adapter, "plimsoll")?;
        Self::with(device, queue, AdapterSummary::of(&adapter.get_info()), checks)
    }

    /// wgpu's no-op backend: accepts everything, computes nothing. For tests of what must then be refused.
    #[cfg(test)]
    pub fn noop() -> Result<Self> {
        let required_limits = wgpu::Limits { max_storage_buffers_per_shader_stage: 16, ..wgpu::Limits::default() };
        let (device, queue) =
            wgpu::Device::noop(&wgpu::DeviceDescriptor { required_limits, ..wgpu::DeviceDescriptor::default() });
        let summary =
            AdapterSummary { name: "noop".into(), driver: String::new(), backend: "noop".into(), kind: "other" };
        Self::with(device, queue, summary, Checks::Checked)
    }

    fn with(device: wgpu::Device, queue: wgpu::Queue, summary: AdapterSummary, checks: Checks) -> Result<Self> {
        let lost = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&lost);
        device.set_device_lost_callback(move |_, _| flag.store(true, Ordering::SeqCst));
        let flag = Arc::clone(&lost);
        // An error outside a scope must not become a panic: the chunk is void and redone elsewhere.
        device.on_uncaptured_error(Arc::new(move |_| flag.store(true, Ordering::SeqCst)));
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let module = shader_module(&device, ("plimsoll.sweep", SHADER), checks);
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("plimsoll.sweep"),
            layout: None,
            module: &module,
            entry_point: Some("sweep"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[("GROUP_POOLS", f64::from(GROUP_POOLS)), ("LIST_CAPACITY", LIST_CAPACITY as f64)],
                // Every element is written before it is read.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(Error::Temporary(format!("{summary} does not take the kernel: {error}")));
        }
        let limits = device.limits();
        let limits = DeviceLimits {
            binding_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            workgroups_per_dimension: limits.max_compute_workgroups_per_dimension,
        };
        Ok(Self {
            device,
            queue,
            pipeline,
            idle: Mutex::default(),
            lost,
            limits,
            summary,
            #[cfg(test)]
            fault: super::fault::Fault::default(),
        })
    }

    /// Whether the device has been lost or has reported an error.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Makes rows resident: `[n_tiles][n_rows × 256]`, f32.
    pub fn upload_panel(&self, rows: &[f32], row_count: usize, scenario_count: usize) -> Panel {
        let tile_count = scenario_count.div_ceil(DEVICE_TILE_SCENARIOS);
        #[cfg(test)]
        let rows = &*self.fault.corrupt(rows, row_count);
        Panel { buffer: self.buffer("plimsoll.rows", rows), scenario_count, tile_count, row_count }
    }

    /// Parameters at binding 0, storage buffers behind them.
    pub(super) fn bind(&self, params: &Params, storage: &[&wgpu::Buffer]) -> wgpu::BindGroup {
        let uniform = self.uniform("plimsoll.params", params);
        let buffers = [&uniform].into_iter().chain(storage.iter().copied());
        let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("plimsoll.sweep"),
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }

    /// Runs a shader of one entry point, one lane per input in workgroups of [`LANES`]: inputs at binding 0, `n_outputs`
    /// records at binding 1.
    ///
    /// # Errors
    /// [`Error::Temporary`] where the device does not take the shader or is lost.
    pub fn compute<I: Pod, O: Pod>(&self, shader: &str, inputs: &[I], n_outputs: usize) -> Result<Vec<O>> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let source = wgpu::ShaderSource::Wgsl(shader.into());
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let size = (n_outputs * size_of::<O>()) as u64;
        let (input, output) = (self.buffer("plimsoll.inputs", inputs), self.output("plimsoll.outputs", size));
        let staging = self.staging("plimsoll.outputs", size);
        let entries = [(0, &input), (1, &output)]
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() });
        let layout = &pipeline.get_bind_group_layout(0);
        let bind_group =
            self.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(inputs.len().div_ceil(LANES) as u32, 1, 1);
        }
        encoder.copy_buffer_to_buffer(&output, 0, &staging, 0, size);
        let index = self.queue.submit([encoder.finish()]);
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(Error::Temporary(format!("{} does not take a kernel: {error}", self.summary)));
        }
        self.map([staging.slice(..)], index)?;
        Ok(bytemuck::pod_collect_to_vec(&bytes(&staging)?))
    }

    /// Waits for a submission and maps what it filled.
    pub(super) fn map<'b>(
        &self,
        slices: impl IntoIterator<Item = wgpu::BufferSlice<'b>>,
        index: wgpu::SubmissionIndex,
    ) -> Result<()> {
        let failed = Arc::new(AtomicBool::new(false));
        for slice in slices {
            let failed = Arc::clone(&failed);
            slice.map_async(wgpu::MapMode::Read, move |result| {
                if result.is_err() {
                    failed.store(true, Ordering::SeqCst);
                }
            });
        }
        let wait = wgpu::PollType::Wait { submission_index: Some(index), timeout: Some(SUBMISSION_TIMEOUT) };
        let polled = self.device.poll(wait);
        if polled.is_err() || failed.load(Ordering::SeqCst) || self.is_lost() {
            return Err(Error::Temporary(format!("{} was lost during a submission", self.summary.name)));
        }
        Ok(())
    }

    pub(super) fn buffer<T: Pod>(&self, label: &str, data: &[T]) -> wgpu::Buffer {
        // A binding cannot be empty; a program without code still binds one element.
        let bytes: &[u8] =
            if data.is_empty() { bytemuck::bytes_of(const { &[0u32; 16] }) } else { bytemuck::cast_slice(data) };
        self.filled(label, bytes, wgpu::BufferUsages::STORAGE)
    }

    pub(super) fn uniform<T: Pod + Zeroable>(&self, label: &str, value: &T) -> wgpu::Buffer {
        self.filled(label, bytemuck::bytes_of(value), wgpu::BufferUsages::UNIFORM)
    }

    pub(super) fn filled(&self, label: &str, bytes: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: (bytes.len() as u64).next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT),
            usage: usage | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        // Large writes go in pieces: each piece takes its own staging memory until the next submission.
        for (piece, offset) in bytes.chunks(WRITE_BYTES).zip((0u64..).step_by(WRITE_BYTES)) {
            self.queue.write_buffer(&buffer, offset, piece);
            if bytes.len() > WRITE_BYTES {
                self.queue.submit([]);
            }
        }
        buffer
    }

    pub(super) fn output(&self, label: &str, size: u64) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    pub(super) fn staging(&self, label: &str, size: u64) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }
}

/// Pools per workgroup.
pub const GROUP_POOLS: u32 = plan::GROUP_POOLS as u32;
/// Bytes per staging write.
const WRITE_BYTES: usize = 32 << 20;

/// What a mapped buffer holds.
pub(super) fn bytes(buffer: &wgpu::Buffer) -> Result<Vec<u8>> {
    let view =
        buffer.get_mapped_range(..).map_err(|error| Error::Temporary(format!("cannot read a result: {error}")))?;
    Ok(view.to_vec())
}

/// Builds a module of a label and a source.
pub(super) fn shader_module(
    device: &wgpu::Device,
    (label, source): (&str, &str),
    checks: Checks,
) -> wgpu::ShaderModule {
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(label), source: wgpu::ShaderSource::Wgsl(source.into()) };
    match checks {
        Checks::Checked => device.create_shader_module(descriptor),
        Checks::Trusted => {
            let checks = wgpu::ShaderRuntimeChecks {
                bounds_checks: false,
                force_loop_bounding: false,
                int_div_checks: false,
                ..wgpu::ShaderRuntimeChecks::checked()
            };
            // Loop bounding adds a 64-bit counter to every loop (measured elsewhere at up to 100× on one driver).
            #[expect(
                unsafe_code,
                reason = "every index and loop bound in the shader comes from buffers packed on the host"
            )]
            // SAFETY: `pack` and `revalue` write ranges that lie inside the buffers they pack with them; rows and
            // expiries are indices below their counts; every loop runs over such a range. `ceiling` masks its indices by the
            // length of its data, and its loops count to a number of the host's.
            unsafe {
                device.create_shader_module_trusted(descriptor, checks)
            }
        }
    }
}
