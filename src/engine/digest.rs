use super::outcome::{PoolOutcome, ScenarioOutcome};

/// BLAKE3 over everything that must be equal on every machine: decisions, counts, states, worst scenarios and per-pool
/// figures, in book and scenario order. Totals are outside (they may carry a bound), and so are times and hosts.
pub fn digest(pools: &[PoolOutcome], scenarios: &[ScenarioOutcome]) -> String {
    let mut digest = ResultDigest::new(pools.len());
    digest.add_pools(pools);
    digest.finish(scenarios)
}

/// The [`digest`] of a book whose outcomes come piece by piece.
#[derive(Debug, Clone)]
pub struct ResultDigest {
    hasher: blake3::Hasher,
}

impl ResultDigest {
    /// A digest of this many pools.
    pub fn new(pools: usize) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"plimsoll result 1");
        hasher.update(&(pools as u64).to_le_bytes());
        Self { hasher }
    }

    /// Adds the next pools, in book order.
    pub fn add_pools(&mut self, pools: &[PoolOutcome]) {
        // BLAKE3 is several times as fast on many bytes as on few.
        let mut bytes = Vec::with_capacity(POOLS_HASHED * POOL_BYTES);
        for pools in pools.chunks(POOLS_HASHED) {
            bytes.clear();
            pools.iter().for_each(|pool| append(&mut bytes, pool));
            self.hasher.update(&bytes);
        }
    }

    /// Adds the scenarios, once all pools are in; hexadecimal text.
    pub fn finish(mut self, scenarios: &[ScenarioOutcome]) -> String {
        self.hasher.update(&(scenarios.len() as u64).to_le_bytes());
        for scenario in scenarios {
            for count in [scenario.restricted_pools, scenario.liquidatable_pools, scenario.bankrupt_pools] {
                self.hasher.update(&count.to_le_bytes());
            }
        }
        self.hasher.finalize().to_hex().to_string()
    }
}

/// Pools that are hashed at once.
const POOLS_HASHED: usize = 1_024;
/// State, four counts, nine figures.
const POOL_BYTES: usize = 1 + 4 * 4 + 9 * 8;

fn append(bytes: &mut Vec<u8>, pool: &PoolOutcome) {
    let base = &pool.base;
    bytes.push(pool.state as u8);
    for count in [pool.worst_scenario, pool.restricted_scenarios, pool.liquidatable_scenarios, pool.bankrupt_scenarios]
    {
        bytes.extend_from_slice(&count.to_le_bytes());
    }
    for figure in [
        base.equity,
        base.adjusted_equity,
        base.initial_margin,
        base.maintenance_margin,
        base.adjusted_collateral,
        base.gross_notional,
        pool.worst_excess,
        pool.worst_equity,
        pool.expected_shortfall,
    ] {
        // −0 and 0 are one figure.
        bytes.extend_from_slice(&(figure + 0.0).to_le_bytes());
    }
}
