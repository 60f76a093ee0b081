use super::{PoolGreeks, ScenarioGreeks};
use crate::pricing::Greeks;

/// Bytes that are hashed at once: BLAKE3 is several times as fast on many as on few.
const PENDING_BYTES: usize = 1 << 17;

/// BLAKE3 over the Greeks of pools, then of scenarios, in the order of their tables. It is a digest of its own: that of the
/// results covers decisions and margin figures.
#[derive(Debug, Clone)]
pub struct GreeksDigest {
    hasher: blake3::Hasher,
    /// Bytes not hashed yet.
    pending: Vec<u8>,
}

impl Default for GreeksDigest {
    fn default() -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"plimsoll greeks 1");
        Self { hasher, pending: Vec::new() }
    }
}

impl GreeksDigest {
    /// Adds rows of pools.
    pub fn add_pools(&mut self, rows: &[PoolGreeks]) {
        for row in rows {
            self.add(row.pool, row.underlying, &[row.base, row.worst]);
        }
    }

    /// Adds rows of scenarios.
    pub fn add_scenarios(&mut self, rows: &[ScenarioGreeks]) {
        for row in rows {
            self.add(row.scenario, row.underlying, &[row.greeks]);
        }
    }

    fn add(&mut self, at: u32, underlying: u32, greeks: &[Greeks]) {
        self.pending.extend_from_slice(&at.to_le_bytes());
        self.pending.extend_from_slice(&underlying.to_le_bytes());
        for figure in greeks.iter().flat_map(|greeks| greeks.to_array()) {
            // −0 and 0 are one figure, and so are all figures that are not numbers.
            let bits = if figure.is_nan() { 0x7ff8_0000_0000_0000 } else { (figure + 0.0).to_bits() };
            self.pending.extend_from_slice(&bits.to_le_bytes());
        }
        if self.pending.len() >= PENDING_BYTES {
            self.hasher.update(&self.pending);
            self.pending.clear();
        }
    }

    /// The digest as hexadecimal text.
    pub fn finish(mut self) -> String {
        self.hasher.update(&self.pending);
        self.hasher.finalize().to_hex().to_string()
    }
}
