//! What a processor or device can do at most, measured: against that the speed of a sweep is held.

pub mod cpu;

use serde::{Deserialize, Serialize};

/// The most that was seen of each, per second, all threads or lanes together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ceilings {
    /// Bytes read plus bytes written by a copy that no ordinary cache holds.
    pub copy_bytes: f64,
    /// Bytes read from an amount of data that the second-level cache holds and the first does not.
    pub l2_bytes: f64,
    /// Bytes read from an amount of data that the first-level cache holds; not measured on devices.
    pub l1_bytes: Option<f64>,
    /// Multiplications with an addition, f32.
    pub multiply_adds_f32: f64,
    /// Multiplications with an addition, f64; not measured on devices.
    pub multiply_adds_f64: Option<f64>,
    /// Whose clock took the times.
    pub clock: Clock,
}

/// Whose clock took the times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The host's; of a device around long batches, submission and waiting included.
    Host,
    /// The device's own, by timestamps around the work.
    Device,
}
