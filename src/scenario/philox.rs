//! Counter-based random numbers, addressed by seed, name and scenario.

/// Philox4x32-10: a counter-based random generator. A pure function: the same counter and key give the same four words on
/// every machine, in any order.
///
/// Source: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11,
/// [doi:10.1145/2063384.2063405](https://doi.org/10.1145/2063384.2063405). Tested against Random123's known answers.
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    const ROUNDS: u32 = 10;
    const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    // The golden ratio and √3 − 1 in 32 bits: the Weyl sequence that makes each round's key.
    const KEY_STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    let (mut words, mut key) = (counter, key);
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(KEY_STEPS[0]), key[1].wrapping_add(KEY_STEPS[1])];
        }
        let first = u64::from(MULTIPLIERS[0]) * u64::from(words[0]);
        let second = u64::from(MULTIPLIERS[1]) * u64::from(words[2]);
        words = [
            (second >> 32) as u32 ^ words[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ words[3] ^ key[1],
            first as u32,
        ];
    }
    words
}

/// The random numbers of one named quantity, addressed by scenario: no state, no order, no dependence on other names.
///
/// The Philox key is the first 8 bytes of the BLAKE3 hash of the seed (8 bytes, little-endian) followed by the name; the
/// counter is (scenario, block), 64 bits each. Two names share a key with probability 2⁻⁶⁴.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
}

impl Stream {
    /// The stream of `name` under `seed`.
    pub fn new(seed: u64, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(name.as_bytes());
        let hash = hasher.finalize();
        let bytes = hash.as_bytes();
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Self { key: [word(0), word(4)] }
    }

    /// Two independent uniform numbers in the open interval (0, 1), for one block of one scenario.
    pub fn uniforms(&self, scenario: u64, block: u64) -> [f64; 2] {
        let counter = [scenario as u32, (scenario >> 32) as u32, block as u32, (block >> 32) as u32];
        let words = philox4x32_10(counter, self.key);
        [unit(words[0], words[1]), unit(words[2], words[3])]
    }
}

/// Middle of one of 2⁵² equal cells of (0, 1): exact in f64, never 0, 1 or ½.
fn unit(low: u32, high: u32) -> f64 {
    const CELL: f64 = 1.0 / (1u64 << 52) as f64;
    let bits = (u64::from(high) << 32 | u64::from(low)) >> 12;
    (bits as f64 + 0.5) * CELL
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random123 1.14, `tests/kat_vectors`, the three `philox4x32 10` lines.
    #[test]
    fn known_answers_of_random123() {
        let vectors = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in vectors {
            assert_eq!(philox4x32_10(counter, key), expected);
        }
    }

    #[test]
    fn uniforms_stay_inside_the_open_interval() {
        assert!(unit(0, 0) > 0.0);
        assert!(unit(u32::MAX, u32::MAX) < 1.0);
    }

    #[test]
    fn streams_differ_by_seed_name_scenario_and_block() {
        let base = Stream::new(1, "BTC").uniforms(0, 0);
        assert_eq!(base, Stream::new(1, "BTC").uniforms(0, 0));
        assert_ne!(base, Stream::new(2, "BTC").uniforms(0, 0));
        assert_ne!(base, Stream::new(1, "ETH").uniforms(0, 0));
        assert_ne!(base, Stream::new(1, "BTC").uniforms(1, 0));
        assert_ne!(base, Stream::new(1, "BTC").uniforms(0, 1));
    }
}
