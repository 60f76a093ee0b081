//! Prices a whole chain on a device and brings the answers back: for benches, tests and known answers. A sweep leaves them
//! there.

use std::ops::Range;
use std::time::Instant;

use super::adapter::{AdapterSummary, choose};
use super::device::{Checks, Device, Panel};
use super::layout::{Contract, GROUP_CONTRACTS};
use super::pricer::{Outputs, Pricer, PricerInputs, ResidentInputs};
use super::revalue::{expiry_tiles, packed};
use crate::engine::plan::DEVICE_TILE_SCENARIOS;
use crate::error::{Error, Result};
use crate::pricing::single::{Chain, MARKET_FIELDS, RATE_FIELDS};

/// An open device that prices options.
pub struct OptionPricer {
    device: Device,
    checks: Checks,
}

/// What a device makes of a chain.
pub struct PricedChain {
    n_outputs: usize,
    n_scenarios: usize,
    /// `[n_contracts × n_outputs × n_scenarios]`.
    values: Vec<f32>,
    /// Seconds of each repetition, from the first submission until the device has finished the last; answers not copied.
    pub seconds: Vec<f64>,
}

impl PricedChain {
    /// An output of a contract of the chain under a scenario: value less base, then the Greeks.
    pub fn at(&self, contract: usize, output: usize, scenario: usize) -> f32 {
        self.values[(contract * self.n_outputs + output) * self.n_scenarios + scenario]
    }
}

/// Contracts and scenarios whose rows fit one binding.
struct Piece {
    contracts: Range<usize>,
    scenarios: Range<usize>,
    panel: Panel,
    inputs: ResidentInputs,
}

impl OptionPricer {
    /// Opens the adapter asked for, or the first hardware one.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none, [`Error::Temporary`] where it does not open.
    pub fn open(asked: Option<&str>, checks: Checks) -> Result<Self> {
        Self::on(&choose(asked)?, checks)
    }

    /// Opens this adapter.
    ///
    /// # Errors
    /// [`Error::Temporary`] where it does not open.
    pub fn on(adapter: &wgpu::Adapter, checks: Checks) -> Result<Self> {
        Ok(Self { device: Device::open(adapter, checks)?, checks })
    }

    /// The adapter.
    pub fn adapter(&self) -> &AdapterSummary {
        &self.device.summary
    }

    /// Prices every contract of a chain under every scenario, `repetitions` times over.
    ///
    /// # Errors
    /// [`Error::Temporary`] where the device does not take the kernel, is too small, or is lost.
    pub fn run(&self, chain: &Chain, outputs: Outputs, repetitions: usize) -> Result<PricedChain> {
        let pricer = self.device.pricer(outputs, self.checks)?;
        let pieces = self.pieces(chain, outputs, &pricer)?;
        let mut seconds = Vec::with_capacity(repetitions);
        for _ in 0..repetitions.max(1) {
            let clock = Instant::now();
            for piece in &pieces {
                let index = self.device.price(&pricer, &piece.inputs);
                self.device.wait_for(index)?;
            }
            seconds.push(clock.elapsed().as_secs_f64());
        }
        let (n_outputs, n_scenarios) = (outputs.count(), chain.scenario_count());
        let mut values = vec![0.0; chain.contracts.len() * n_outputs * n_scenarios];
        for piece in &pieces {
            let rows = self.device.read_panel(&piece.panel)?;
            let n_rows = piece.contracts.len() * n_outputs;
            for (index, lanes) in rows.chunks_exact(DEVICE_TILE_SCENARIOS).enumerate() {
                let (tile, row) = (index / n_rows, index % n_rows);
                let first = piece.scenarios.start + tile * DEVICE_TILE_SCENARIOS;
                let len = (piece.scenarios.end - first).min(DEVICE_TILE_SCENARIOS);
                let at = (piece.contracts.start * n_outputs + row) * n_scenarios + first;
                values[at..at + len].copy_from_slice(&lanes[..len]);
            }
        }
        Ok(PricedChain { n_outputs, n_scenarios, values, seconds })
    }

    fn pieces(&self, chain: &Chain, outputs: Outputs, pricer: &Pricer) -> Result<Vec<Piece>> {
        let row_bytes = (DEVICE_TILE_SCENARIOS * size_of::<f32>()) as u64;
        let limits = self.device.limits;
        let n_fields = if outputs == Outputs::Value { MARKET_FIELDS } else { MARKET_FIELDS + RATE_FIELDS };
        let expiry_bytes = (chain.expiry_count() * n_fields) as u64 * row_bytes;
        let by_grid = limits.workgroups_per_dimension as u64 * GROUP_CONTRACTS as u64;
        let contracts = (limits.binding_bytes / (row_bytes * outputs.count() as u64)).min(by_grid) as usize;
        let contracts = contracts.min(chain.contracts.len().max(1));
        let tile_bytes = expiry_bytes.max((contracts * outputs.count()) as u64 * row_bytes);
        let tiles = limits.binding_bytes / tile_bytes.max(1);
        if contracts == 0 || tiles == 0 {
            return Err(Error::Temporary(format!("{} is too small for this chain", self.device.summary)));
        }
        let scenarios = tiles.min(u64::from(limits.workgroups_per_dimension)) as usize * DEVICE_TILE_SCENARIOS;
        let mut pieces = Vec::new();
        for first in (0..chain.scenario_count()).step_by(scenarios) {
            let scenarios = first..(first + scenarios).min(chain.scenario_count());
            let expiries = expiry_tiles(chain, scenarios.clone(), n_fields);
            for first in (0..chain.contracts.len()).step_by(contracts) {
                let contracts = first..(first + contracts).min(chain.contracts.len());
                let records: Vec<Contract> = (0u32..)
                    .zip(&chain.contracts[contracts.clone()])
                    .map(|(k, contract)| packed(contract, k * outputs.count() as u32))
                    .collect();
                let panel = self.device.empty_panel(contracts.len() * outputs.count(), scenarios.len());
                let inputs =
                    PricerInputs { contracts: &records, expiries: &expiries, expiry_count: chain.expiry_count() };
                let inputs = self.device.upload_contracts(pricer, &inputs, &panel);
                pieces.push(Piece { contracts, scenarios: scenarios.clone(), panel, inputs });
            }
        }
        Ok(pieces)
    }
}
