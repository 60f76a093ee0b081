//! How long the device worked on a pass, by its own clock.

use super::device::Device;

/// Two marks on the device's clock, one on either side of a pass.
pub struct Timer {
    marks: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    /// Where the host reads them.
    pub staging: wgpu::Buffer,
}

/// Bytes of the two marks.
const MARKS_BYTES: u64 = 2 * size_of::<u64>() as u64;

impl Timer {
    /// A timer for a pass; `None` where the device tells no time.
    pub fn of(device: &Device) -> Option<Self> {
        device.device.features().contains(wgpu::Features::TIMESTAMP_QUERY).then(|| Self {
            marks: device.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("plimsoll.timer"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: device.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("plimsoll.timer"),
                size: MARKS_BYTES,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
            staging: device.staging("plimsoll.timer", MARKS_BYTES),
        })
    }

    /// What makes a pass set the marks.
    pub fn writes(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.marks,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        }
    }

    /// Copies the marks out, after the pass.
    pub fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.resolve_query_set(&self.marks, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.staging, 0, MARKS_BYTES);
    }

    /// Seconds between the marks, from the mapped bytes; `None` where the clock stood still or went back.
    pub fn seconds(marks: &[u8], queue: &wgpu::Queue) -> Option<f64> {
        let marks: Vec<u64> = bytemuck::pod_collect_to_vec(marks);
        let ticks = marks.get(1)?.checked_sub(*marks.first()?).filter(|&ticks| ticks > 0)?;
        Some(ticks as f64 * f64::from(queue.get_timestamp_period()) * 1e-9)
    }
}
