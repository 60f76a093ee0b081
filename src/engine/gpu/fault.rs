//! What tests break on a device, to see that it is noticed. Not part of the product.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::engine::plan::DEVICE_TILE_SCENARIOS;

/// What is broken.
#[derive(Debug, Default)]
pub struct Fault {
    /// A row whose every value the device gets wrong, and the factor it is off by.
    pub scaled_row: Option<(usize, f32)>,
    /// How many submissions the device takes before it is destroyed.
    pub lives: Option<usize>,
    /// A piece of the pricer's source, and what stands there instead.
    pub pricer: Option<(&'static str, &'static str)>,
    submissions: AtomicUsize,
}

impl Fault {
    /// A row that arrives scaled.
    pub fn scaled_row(row: usize, factor: f32) -> Self {
        Self { scaled_row: Some((row, factor)), ..Self::default() }
    }

    /// A device that dies after this many submissions.
    pub fn lives(submissions: usize) -> Self {
        Self { lives: Some(submissions), ..Self::default() }
    }

    /// A pricer with another piece of source.
    pub fn pricer(from: &'static str, to: &'static str) -> Self {
        Self { pricer: Some((from, to)), ..Self::default() }
    }

    /// The pricer's source as it reaches the device.
    pub fn break_shader<'s>(&self, source: &'s str) -> Cow<'s, str> {
        let Some((from, to)) = self.pricer else { return Cow::Borrowed(source) };
        assert!(source.contains(from), "the shader has {from:?}");
        Cow::Owned(source.replace(from, to))
    }

    /// Rows as they reach the device.
    pub fn corrupt<'r>(&self, rows: &'r [f32], row_count: usize) -> Cow<'r, [f32]> {
        let Some((row, factor)) = self.scaled_row else { return Cow::Borrowed(rows) };
        let mut rows = rows.to_vec();
        for (index, values) in rows.chunks_exact_mut(DEVICE_TILE_SCENARIOS).enumerate() {
            if index % row_count == row {
                values.iter_mut().for_each(|value| *value *= factor);
            }
        }
        Cow::Owned(rows)
    }

    /// Destroys the device where its time has come.
    pub fn after_submission(&self, device: &wgpu::Device) {
        let submissions = self.submissions.fetch_add(1, Ordering::SeqCst) + 1;
        if self.lives == Some(submissions) {
            device.destroy();
        }
    }
}
