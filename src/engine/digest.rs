use super::outcome::{PoolOutcome, ScenarioOutcome};

/// BLAKE3 over everything that must be equal on every machine: decisions, counts, states, worst scenarios and per-pool
/// figures, in book and scenario order. Totals are outside (they may carry a bound), and so are times and hosts.
pub fn digest(pools: &[PoolOutcome], scenarios: &[ScenarioOutcome]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"plimsoll result 1");
    hasher.update(&(pools.len() as u64).to_le_bytes());
    for pool in pools {
        let base = &pool.base;
        hasher.update(&[pool.state as u8]);
        for count in
            [pool.worst_scenario, pool.restricted_scenarios, pool.liquidatable_scenarios, pool.bankrupt_scenarios]
        {
            hasher.update(&count.to_le_bytes());
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
            hasher.update(&(figure + 0.0).to_le_bytes());
        }
    }
    hasher.update(&(scenarios.len() as u64).to_le_bytes());
    for scenario in scenarios {
        for count in [scenario.restricted_pools, scenario.liquidatable_pools, scenario.bankrupt_pools] {
            hasher.update(&count.to_le_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}
