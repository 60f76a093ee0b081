//! The pricing pipeline of a device: options × scenarios → rows of a panel, which the sweep reads where they are.

use super::device::{Checks, Device, Panel, bytes, shader_module};
use super::layout::{Contract, GROUP_CONTRACTS, RevalueParams};
use crate::engine::plan::DEVICE_TILE_SCENARIOS;
use crate::error::{Error, Result};

const SHADER: &str = include_str!("../../../shaders/revalue.wgsl");

/// What is written of each option, one row each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outputs {
    /// The value.
    Value,
    /// And delta, gamma, vega, theta.
    FourGreeks,
    /// And rho, vanna, volga, charm.
    EightGreeks,
}

impl Outputs {
    /// Rows per option.
    pub fn count(self) -> usize {
        match self {
            Self::Value => 1,
            Self::FourGreeks => 5,
            Self::EightGreeks => 9,
        }
    }
}

/// An open pricing pipeline.
pub struct Pricer {
    pipeline: wgpu::ComputePipeline,
}

/// What a panel's options are priced from.
pub struct PricerInputs<'i> {
    /// The options.
    pub contracts: &'i [Contract],
    /// `[n_tiles][n_expiries][fields × 256]`.
    pub expiries: &'i [f32],
    /// Expiries per tile.
    pub expiry_count: usize,
}

/// Inputs of a panel, resident on the device, bound to it.
pub struct ResidentInputs {
    bind_group: wgpu::BindGroup,
    groups: [u32; 2],
}

impl Device {
    /// Builds the pricing pipeline.
    ///
    /// # Errors
    /// [`Error::Temporary`] where the device does not take it.
    pub fn pricer(&self, outputs: Outputs, checks: Checks) -> Result<Pricer> {
        #[cfg(test)]
        let source = &*self.fault.break_shader(SHADER);
        #[cfg(not(test))]
        let source = SHADER;
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("plimsoll.revalue"),
            layout: None,
            module: &shader_module(&self.device, ("plimsoll.revalue", source), checks),
            entry_point: Some("revalue"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[("OUTPUTS", outputs.count() as f64)],
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        match pollster::block_on(scope.pop()) {
            Some(error) => Err(Error::Temporary(format!("{} does not take the pricer: {error}", self.summary))),
            None => Ok(Pricer { pipeline }),
        }
    }

    /// Uploads what a panel's options are priced from.
    pub fn upload_contracts(&self, pricer: &Pricer, inputs: &PricerInputs<'_>, panel: &Panel) -> ResidentInputs {
        let params = self.uniform(
            "plimsoll.revalue_params",
            &RevalueParams {
                contract_count: inputs.contracts.len() as u32,
                expiry_count: inputs.expiry_count as u32,
                row_count: panel.row_count as u32,
                tile_count: panel.tile_count as u32,
            },
        );
        let contracts = self.buffer("plimsoll.contracts", inputs.contracts);
        let expiries = self.buffer("plimsoll.expiries", inputs.expiries);
        let entries = [(0, &params), (1, &contracts), (2, &expiries), (3, &panel.buffer)]
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() });
        let layout = &pricer.pipeline.get_bind_group_layout(0);
        let bind_group =
            self.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
        let groups = inputs.contracts.len().div_ceil(GROUP_CONTRACTS) as u32;
        ResidentInputs { bind_group, groups: [groups, panel.tile_count as u32] }
    }

    /// Starts pricing: rows of the panel are written in place. Whatever is submitted later sees them.
    pub fn price(&self, pricer: &Pricer, inputs: &ResidentInputs) -> wgpu::SubmissionIndex {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pricer.pipeline);
            pass.set_bind_group(0, &inputs.bind_group, &[]);
            pass.dispatch_workgroups(inputs.groups[0], inputs.groups[1], 1);
        }
        self.queue.submit([encoder.finish()])
    }

    /// A panel with nothing in it yet: `[n_tiles][n_rows × 256]`.
    pub fn empty_panel(&self, row_count: usize, scenario_count: usize) -> Panel {
        let tile_count = scenario_count.div_ceil(DEVICE_TILE_SCENARIOS);
        let size = (tile_count * row_count * DEVICE_TILE_SCENARIOS * size_of::<f32>()) as u64;
        Panel { buffer: self.output("plimsoll.rows", size), scenario_count, tile_count, row_count }
    }

    /// Waits for everything submitted so far.
    ///
    /// # Errors
    /// [`Error::Temporary`] where the device is lost.
    pub fn wait_for(&self, index: wgpu::SubmissionIndex) -> Result<()> {
        self.map([], index)
    }

    /// Reads a panel back: `[n_tiles][n_rows × 256]`.
    ///
    /// # Errors
    /// [`Error::Temporary`] where the device is lost.
    pub fn read_panel(&self, panel: &Panel) -> Result<Vec<f32>> {
        let size = panel.buffer.size();
        let staging = self.staging("plimsoll.rows", size);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&panel.buffer, 0, &staging, 0, size);
        let index = self.queue.submit([encoder.finish()]);
        self.map([staging.slice(..)], index)?;
        Ok(bytemuck::pod_collect_to_vec(&bytes(&staging)?))
    }

    /// A panel of which the host sends some rows and the device prices the others: copies only what is sent.
    pub fn upload_panel_part(&self, rows: &[f32], (row_count, scenario_count): (usize, usize), sent: &[bool]) -> Panel {
        #[cfg(test)]
        let rows = &*self.fault.corrupt(rows, row_count);
        let panel = self.empty_panel(row_count, scenario_count);
        let is_sent = |(index, _): &(usize, &[f32])| sent[index % row_count];
        let wanted = rows.chunks_exact(DEVICE_TILE_SCENARIOS).enumerate().filter(is_sent);
        let compact: Vec<f32> = wanted.flat_map(|(_, row)| row.iter().copied()).collect();
        // A book of nothing but options has no row to send; a buffer cannot be empty.
        let compact = if compact.is_empty() { vec![0.0] } else { compact };
        let usage = wgpu::BufferUsages::COPY_SRC;
        let source = self.filled("plimsoll.sent_rows", bytemuck::cast_slice(&compact), usage);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let row_bytes = (DEVICE_TILE_SCENARIOS * size_of::<f32>()) as u64;
        let (mut from, mut row) = (0, 0);
        let total = panel.tile_count * row_count;
        while row < total {
            let run = (row..total).take_while(|&row| sent[row % row_count]).count() as u64;
            if run > 0 {
                let to = row as u64 * row_bytes;
                encoder.copy_buffer_to_buffer(&source, from * row_bytes, &panel.buffer, to, run * row_bytes);
            }
            from += run;
            row += run as usize + 1;
        }
        self.queue.submit([encoder.finish()]);
        panel
    }
}
