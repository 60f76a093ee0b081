//! One frozen market of a run, as the sequence reads it.

use crate::domain::{AssetIndex, InstrumentIndex, Kind, Payoff, Snapshot};
use crate::engine::{Arbiter, Decision, Figures};
use crate::margin::{MarginSide, Setting};
use crate::pricing::{Column, ShockedMarket};

use super::state::PoolState;

/// The market of one scenario at one moment: values for settling, the arbiter for deciding.
#[derive(Clone, Copy)]
pub struct Marks<'a> {
    arbiter: &'a Arbiter<'a>,
    market: &'a ShockedMarket<'a>,
    column: Column,
}

impl<'a> Marks<'a> {
    /// Scenario `scenario` of the set behind `arbiter` and `market`.
    pub fn new(arbiter: &'a Arbiter<'a>, market: &'a ShockedMarket<'a>, scenario: usize) -> Self {
        Self { arbiter, market, column: Column::Scenario(scenario) }
    }

    /// Whether these are the prices of another market of the same run.
    pub fn differs_from(&self, other: &Self) -> bool {
        self.column != other.column
    }

    /// Market data and book.
    pub fn snapshot(&self) -> &'a Snapshot {
        self.arbiter.setting().snapshot
    }

    /// The formulas.
    pub fn setting(&self) -> &Setting<'a> {
        self.arbiter.setting()
    }

    /// Canonical figures of a pool.
    pub fn figures(&self, state: &PoolState) -> Figures {
        self.arbiter.figures(&state.view(self.snapshot()), self.column)
    }

    /// Canonical figures of a pool that nothing has touched.
    pub fn figures_of(&self, pool: usize) -> Figures {
        self.arbiter.figures(&self.snapshot().book.pool(pool), self.column)
    }

    /// The exact decisions about a pool.
    pub fn decide(&self, state: &PoolState) -> Decision {
        self.arbiter.decide(&state.view(self.snapshot()), self.column)
    }

    /// The exact decisions about a pool that nothing has touched.
    pub fn decide_of(&self, pool: usize) -> Decision {
        self.arbiter.decide(&self.snapshot().book.pool(pool), self.column)
    }

    /// Whether adjusted equity < target · maintenance margin, exactly.
    pub fn is_below_target(&self, state: &PoolState, target_health: f64) -> bool {
        let (pool, target) = (state.view(self.snapshot()), (MarginSide::Maintenance, target_health));
        !self.arbiter.meets(&pool, self.column, target)
    }

    /// Price of an asset, quote units.
    pub fn asset_price(&self, asset: AssetIndex) -> f64 {
        let setting = self.setting();
        setting.rows.of_asset(asset).map_or(0.0, |row| setting.rows.value(row, self.column))
    }

    /// Value of one long contract, quote units.
    pub fn unit_value(&self, instrument: InstrumentIndex) -> f64 {
        let setting = self.setting();
        setting.rows.of_instrument(instrument).map_or(0.0, |row| setting.rows.value(row, self.column))
    }

    /// Notional of one contract, quote units: |unit value|; of an option, contract size · index price.
    pub fn unit_notional(&self, instrument: InstrumentIndex) -> f64 {
        let terms = &self.snapshot().instruments[instrument as usize];
        match terms.kind {
            Kind::Option => terms.contract_size * self.market.index_price(terms.underlying, self.column),
            Kind::Spot | Kind::Perpetual | Kind::Future => self.unit_value(instrument).abs(),
        }
    }

    /// Value of one long contract in settlement units, `None` where the settlement asset is worth nothing.
    pub fn settlement_value(&self, instrument: InstrumentIndex) -> Option<f64> {
        let asset = self.snapshot().instruments[instrument as usize].settlement_asset;
        let price = self.asset_price(asset);
        (price > 0.0).then(|| self.unit_value(instrument) / price)
    }

    /// The price, in the price asset, at which one long contract is worth `settlement_value`.
    pub fn price_of(&self, instrument: InstrumentIndex, settlement_value: f64) -> f64 {
        let terms = &self.snapshot().instruments[instrument as usize];
        match (terms.kind, terms.payoff) {
            (Kind::Option, _) | (_, Payoff::Linear) => settlement_value / terms.contract_size,
            (_, Payoff::Quanto) => settlement_value / (terms.contract_size * terms.fixed_rate),
            (_, Payoff::Inverse) => -(terms.contract_size / settlement_value),
        }
    }
}
