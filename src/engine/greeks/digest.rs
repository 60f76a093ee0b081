use super::{PoolGreeks, ScenarioGreeks};
use crate::pricing::Greeks;

/// BLAKE3 over the Greeks of pools, then of scenarios, in the order of their tables. It is a digest of its own: that of the
/// results covers decisions and margin figures.
#[derive(Debug, Clone)]
pub struct GreeksDigest {
    hasher: blake3::Hasher,
}

impl Default for GreeksDigest {
    fn default() -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"plimsoll greeks 1");
        Self { hasher }
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
        // One update for the whole row: many small ones cost more than the hash.
        let mut bytes = [0u8; 8 + 2 * 64];
        bytes[..4].copy_from_slice(&at.to_le_bytes());
        bytes[4..8].copy_from_slice(&underlying.to_le_bytes());
        let figures = greeks.iter().flat_map(|greeks| greeks.to_array());
        for (place, figure) in bytes[8..].chunks_exact_mut(8).zip(figures) {
            // −0 and 0 are one figure, and so are all figures that are not numbers.
            let figure = if figure.is_nan() { 0x7ff8_0000_0000_0000 } else { (figure + 0.0).to_bits() };
            place.copy_from_slice(&figure.to_le_bytes());
        }
        self.hasher.update(&bytes[..8 + 64 * greeks.len()]);
    }

    /// The digest as hexadecimal text.
    pub fn finish(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}
