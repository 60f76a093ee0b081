//! What one arrangement of the book needs and loses, in figures that compare.

use super::contagion::Contagion;
use super::utilisation::AssetUtilisation;
use crate::domain::AssetIndex;
use crate::engine::{Outcome, PoolOutcome, State, worst_scenarios};

/// Sums over the known pools at base, quote units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// Raw equity.
    pub equity: f64,
    /// Adjusted value of the balances, loans subtracted.
    pub adjusted_collateral: f64,
    /// Initial margin.
    pub initial_margin: f64,
    /// Maintenance margin.
    pub maintenance_margin: f64,
    /// Σ |quantity| · |unit value|.
    pub gross_notional: f64,
}

/// The scenario with the largest shortfall, then the most liquidatable pools, then the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worst {
    /// Position in the scenario set.
    pub scenario: u32,
    /// Liquidatable pools there.
    pub liquidatable_pools: u64,
    /// Bankrupt pools there.
    pub bankrupt_pools: u64,
    /// Σ max(0, −raw equity) there, quote units.
    pub shortfall: f64,
}

/// What a sweep says of a book, in figures that compare. Counts are exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Pools, unknown ones included.
    pub pools: u64,
    /// Pools of which nothing is claimed; no other figure counts them.
    pub unknown_pools: u64,
    /// Positions.
    pub positions: u64,
    /// Sums at base.
    pub totals: Totals,
    /// Mean of adjusted equity / maintenance margin at base over the pools that have one.
    pub mean_health: Option<f64>,
    /// Median of the same (the lower of the two middle ones).
    pub median_health: Option<f64>,
    /// Pools by exclusive state at base, in the order of [`State::ALL`].
    pub states_at_base: [u64; 5],
    /// Pools that are liquidatable in at least one scenario.
    pub liquidatable: u64,
    /// Pools that are bankrupt in at least one scenario.
    pub bankrupt: u64,
    /// (Pool, scenario) that are liquidatable.
    pub liquidatable_verdicts: u64,
    /// (Pool, scenario) that are bankrupt.
    pub bankrupt_verdicts: u64,
    /// `None` where there are no scenarios.
    pub worst: Option<Worst>,
    /// Σ over pools of Σ w·max(0, −raw equity) / Σ w, quote units.
    pub expected_shortfall: f64,
    /// Σ w·bankrupt pools / Σ w: pools expected to go bankrupt.
    pub expected_bankruptcies: f64,
    /// Collateral by asset.
    pub assets: Vec<AssetUtilisation>,
    /// Healthy legs that others take down; `None` for books that merge nothing.
    pub contagion: Option<Contagion>,
    /// Digest of the sweep's results.
    pub digest: String,
}

impl Metrics {
    /// Figures of a sweep with these weights over a book of `positions` positions.
    pub fn of(outcome: &Outcome, weights: &[f64], positions: usize, assets: Vec<AssetUtilisation>) -> Self {
        let known = || outcome.pools.iter().filter(|pool| pool.state != State::Unknown);
        let mut health: Vec<f64> = known().filter_map(|pool| pool.base.health_ratio()).collect();
        health.sort_by(f64::total_cmp);
        let count = |holds: fn(&PoolOutcome) -> bool| known().filter(|pool| holds(pool)).count() as u64;
        let verdicts = |of: fn(&PoolOutcome) -> u32| known().map(|pool| u64::from(of(pool))).sum();
        let total_weight: f64 = weights.iter().sum();
        let bankruptcies: f64 = outcome
            .scenarios
            .iter()
            .zip(weights)
            .map(|(scenario, weight)| weight * scenario.bankrupt_pools as f64)
            .sum();
        Self {
            pools: outcome.pools.len() as u64,
            unknown_pools: outcome.unknown_pools,
            positions: positions as u64,
            totals: totals(known()),
            mean_health: (!health.is_empty()).then(|| health.iter().sum::<f64>() / health.len() as f64),
            median_health: health.get(health.len().saturating_sub(1) / 2).copied(),
            states_at_base: State::ALL
                .map(|state| outcome.pools.iter().filter(|pool| pool.state == state).count() as u64),
            liquidatable: count(|pool| pool.liquidatable_scenarios > 0),
            bankrupt: count(|pool| pool.bankrupt_scenarios > 0),
            liquidatable_verdicts: verdicts(|pool| pool.liquidatable_scenarios),
            bankrupt_verdicts: verdicts(|pool| pool.bankrupt_scenarios),
            worst: worst_scenarios(&outcome.scenarios, 1).first().map(|(at, scenario)| Worst {
                scenario: *at as u32,
                liquidatable_pools: scenario.liquidatable_pools,
                bankrupt_pools: scenario.bankrupt_pools,
                shortfall: scenario.shortfall,
            }),
            expected_shortfall: known().map(|pool| pool.expected_shortfall).filter(|value| value.is_finite()).sum(),
            expected_bankruptcies: if total_weight > 0.0 { bankruptcies / total_weight } else { 0.0 },
            assets,
            contagion: None,
            digest: crate::engine::digest(&outcome.pools, &outcome.scenarios),
        }
    }

    /// Utilisation of an asset, or (`None`) the requirements that no collateral backs.
    pub fn of_asset(&self, asset: Option<AssetIndex>) -> Option<&AssetUtilisation> {
        self.assets.iter().find(|of| of.asset == asset)
    }

    /// Expected shortfall / expected bankruptcies: what one bankrupt pool is expected to cost, quote units. `None` where no
    /// pool is expected to go bankrupt.
    pub fn loss_given_default(&self) -> Option<f64> {
        quotient(self.expected_shortfall, self.expected_bankruptcies)
    }

    /// Expected bankruptcies / known pools; `None` where there are none.
    pub fn bankruptcy_probability(&self) -> Option<f64> {
        quotient(self.expected_bankruptcies, (self.pools - self.unknown_pools) as f64)
    }

    /// Σ initial margin / Σ adjusted collateral, exchange-wide; `None` where there is no collateral.
    pub fn utilisation(&self) -> Option<f64> {
        quotient(self.totals.initial_margin, self.totals.adjusted_collateral)
    }

    /// Gross notional of the book as it stands, `notional`, per unit of this arrangement's initial margin: the same
    /// positions in every arrangement, whether it nets them or not.
    pub fn capital_efficiency(&self, notional: f64) -> Option<f64> {
        quotient(notional, self.totals.initial_margin)
    }

    /// Initial margin / Σ initial margin of the isolated legs; 1 where nothing diversifies.
    pub fn margin_ratio(&self, isolated: &Self) -> Option<f64> {
        quotient(self.totals.initial_margin, isolated.totals.initial_margin)
    }

    /// 1 − [`Metrics::margin_ratio`]: the share of the isolated legs' initial margin that this arrangement saves.
    pub fn diversification_index(&self, isolated: &Self) -> Option<f64> {
        self.margin_ratio(isolated).map(|ratio| 1.0 - ratio)
    }

    /// The same of the maintenance margin.
    pub fn maintenance_diversification_index(&self, isolated: &Self) -> Option<f64> {
        quotient(self.totals.maintenance_margin, isolated.totals.maintenance_margin).map(|ratio| 1.0 - ratio)
    }
}

fn quotient(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator).filter(|ratio| ratio.is_finite())
}

fn totals<'a>(pools: impl Iterator<Item = &'a PoolOutcome>) -> Totals {
    pools.fold(Totals::default(), |sum, pool| Totals {
        equity: sum.equity + pool.base.equity,
        adjusted_collateral: sum.adjusted_collateral + pool.base.adjusted_collateral,
        initial_margin: sum.initial_margin + pool.base.initial_margin,
        maintenance_margin: sum.maintenance_margin + pool.base.maintenance_margin,
        gross_notional: sum.gross_notional + pool.base.gross_notional,
    })
}
