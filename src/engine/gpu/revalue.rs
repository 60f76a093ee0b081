//! Which option rows the device prices itself, from what, and how far off they may be.

use std::ops::Range;

use rayon::prelude::*;

use super::device::{Checks, Device, Panel};
use super::layout::{Contract, GROUP_CONTRACTS};
use super::pack::RowFacts;
use super::panels::PanelRows;
use super::pricer::{Outputs, Pricer, PricerInputs};
use crate::domain::{InstrumentIndex, Kind};
use crate::engine::job::Job;
use crate::engine::outcome::OptionRevaluation;
use crate::engine::plan::{DEVICE_TILE_SCENARIOS, DeviceLimits, Revaluation};
use crate::error::Result;
use crate::pricing::ShockedMarket;
use crate::pricing::single::{Chain, ContractTerms, MARKET_FIELDS, row_bound};

/// Upload of option rows from which `auto` has a hardware GPU price them. The host has every row in f64 anyway, for it
/// decides what the device cannot, and working out a row's bound costs it about as much as the row did. So pricing on the
/// device saves a transfer and nothing else, and is worth its bounds only where that transfer is large.
const UPLOAD_BYTES_MIN: u64 = 1 << 30;
/// Largest error of a device-priced row, in units of the contract's forward or strike value, whichever is larger. Such a row
/// would leave so many verdicts open that sending it costs less.
const ROW_ERROR_MAX: f64 = 1.0 / 65_536.0;

/// The option rows of a sweep.
#[derive(Debug, Default)]
pub struct DevicePricing {
    chain: Chain,
    /// Options that the device prices.
    contracts: Vec<ContractTerms>,
    rows: Vec<u32>,
    /// Bound on each device-priced row's error; `None` for the others.
    pub errors: Vec<Option<f64>>,
    /// What is said of it.
    pub report: OptionRevaluation,
}

impl DevicePricing {
    /// Decides row by row. `reserved` is a row that the host must send.
    pub fn plan(job: &Job<'_>, device: &Device, reserved: u32) -> Self {
        let rows = job.setting.rows;
        let none = vec![None; rows.len()];
        let held: Vec<InstrumentIndex> = held_options(job);
        let option_rows = held.len() as u64;
        let report = |reason: String| OptionRevaluation { option_rows, device_rows: 0, reason };
        let on_host = |reason: String| Self { errors: none.clone(), report: report(reason), ..Self::default() };
        if held.is_empty() {
            return on_host(String::new());
        }
        let bytes = held.len() as u64 * job.scenario_count() as u64 * size_of::<f32>() as u64;
        let wanted = match job.revaluation {
            Revaluation::Host => return on_host("asked for".into()),
            Revaluation::Device => true,
            Revaluation::Auto => device.summary.is_hardware() && bytes >= UPLOAD_BYTES_MIN,
        };
        if !wanted {
            return on_host(format!("{} MiB of option rows to send", bytes >> 20));
        }
        let market = ShockedMarket::new(job.setting.snapshot, job.scenarios);
        let row_of = |index: InstrumentIndex| rows.of_instrument(index).unwrap_or(reserved);
        let base = |index| rows.base[row_of(index) as usize];
        let chain = Chain::new(job.setting.snapshot, &market, job.scenario_count(), &held, base);
        if let Some(reason) = does_not_fit(&chain, device.limits) {
            return on_host(reason);
        }
        let bounded = chain.contracts.par_iter().map(|contract| {
            let row = row_of(contract.instrument);
            let shocked = rows.shocked.row(row as usize);
            let bound = row_bound(&chain, contract, |scenario| shocked[scenario] - rows.base[row as usize]);
            (*contract, row, bound, bound <= ROW_ERROR_MAX * notional(&chain, contract))
        });
        let mut pricing = Self { errors: none.clone(), report: report(String::new()), ..Self::default() };
        for (contract, row, bound, is_useful) in bounded.collect::<Vec<_>>() {
            if is_useful && row != reserved {
                pricing.contracts.push(contract);
                pricing.rows.push(row);
                pricing.errors[row as usize] = Some(bound);
            }
        }
        pricing.report.device_rows = pricing.rows.len() as u64;
        if pricing.report.device_rows < pricing.report.option_rows {
            pricing.report.reason = "the others' bounds are too wide, or a check needs them".into();
        }
        Self { chain, ..pricing }
    }

    /// What programs need to know of the rows.
    pub fn facts<'r>(&'r self, job: &Job<'r>) -> RowFacts<'r> {
        RowFacts { ranges: job.ranges, errors: &self.errors }
    }

    /// Makes a panel's rows resident: sent, or priced in place.
    ///
    /// # Errors
    /// As [`Device::pricer`].
    pub fn resident(&self, device: &Device, panels: &[PanelRows]) -> Result<Vec<Panel>> {
        if self.contracts.is_empty() {
            let upload = |panel: &PanelRows| device.upload_panel(&panel.data, panel.row_count(), panel.scenario_count);
            return Ok(panels.iter().map(upload).collect());
        }
        let pricer = device.pricer(Outputs::Value, Checks::Trusted)?;
        let sent: Vec<bool> = self.errors.iter().map(Option::is_none).collect();
        Ok(panels.iter().map(|panel| self.priced(device, &pricer, panel, &sent)).collect())
    }

    fn priced(&self, device: &Device, pricer: &Pricer, rows: &PanelRows, sent: &[bool]) -> Panel {
        let panel = device.upload_panel_part(&rows.data, (rows.row_count(), rows.scenario_count), sent);
        let contracts: Vec<Contract> =
            self.contracts.iter().zip(&self.rows).map(|(contract, &row)| packed(contract, row)).collect();
        let first = rows.first_tile * DEVICE_TILE_SCENARIOS;
        let expiries = expiry_tiles(&self.chain, first..first + rows.scenario_count, MARKET_FIELDS);
        let expiry_count = self.chain.expiry_count();
        let inputs = PricerInputs { contracts: &contracts, expiries: &expiries, expiry_count };
        device.price(pricer, &device.upload_contracts(pricer, &inputs, &panel));
        panel
    }
}

/// Options that the book holds.
fn held_options(job: &Job<'_>) -> Vec<InstrumentIndex> {
    let instruments = (0u32..).zip(&job.setting.snapshot.instruments);
    let is_held = |&(index, _): &(u32, _)| -> bool { job.setting.rows.of_instrument(index).is_some() };
    instruments.filter(is_held).filter(|(_, i)| i.kind == Kind::Option).map(|(index, _)| index).collect()
}

/// Why a chain is too large for a device, if it is.
fn does_not_fit(chain: &Chain, limits: DeviceLimits) -> Option<String> {
    let tiles = chain.scenario_count().div_ceil(DEVICE_TILE_SCENARIOS).min(64);
    let bytes = tiles * chain.expiry_count() * MARKET_FIELDS * DEVICE_TILE_SCENARIOS * size_of::<f32>();
    let groups = chain.contracts.len().div_ceil(GROUP_CONTRACTS);
    let fits = bytes as u64 <= limits.binding_bytes && groups <= limits.workgroups_per_dimension as usize;
    (!fits).then(|| format!("{} options of {} expiries are too many", chain.contracts.len(), chain.expiry_count()))
}

/// Quote units per contract of its forward or strike, the largest over the scenarios.
fn notional(chain: &Chain, contract: &ContractTerms) -> f64 {
    let market = (0..chain.scenario_count()).map(|scenario| chain.market(contract.expiry as usize, scenario));
    let strike = contract.terms.strike;
    let size = market.map(|market| f64::from(market.discount) * f64::from(market.forward.max(strike)));
    f64::from(contract.terms.contract) * size.fold(0.0, f64::max)
}

/// A contract as the device reads it, its first output in this row.
pub fn packed(contract: &ContractTerms, row: u32) -> Contract {
    let terms = contract.terms;
    Contract {
        row,
        expiry: contract.expiry,
        moneyness: terms.moneyness,
        strike: terms.strike,
        volatility: terms.volatility,
        sign: terms.sign,
        contract: terms.contract,
        base: terms.base,
    }
}

/// The first `n_fields` fields of every expiry as the device reads them: `[n_tiles][n_expiries][n_fields × 256]`, the last
/// scenario repeated, so that no lane computes on nothing.
pub fn expiry_tiles(chain: &Chain, scenarios: Range<usize>, n_fields: usize) -> Vec<f32> {
    let n_tiles = scenarios.len().div_ceil(DEVICE_TILE_SCENARIOS);
    let mut data = Vec::with_capacity(n_tiles * chain.expiry_count() * n_fields * DEVICE_TILE_SCENARIOS);
    for first in scenarios.clone().step_by(DEVICE_TILE_SCENARIOS) {
        for expiry in 0..chain.expiry_count() {
            for field in 0..n_fields {
                let values = chain.field(expiry, field);
                data.extend((first..first + DEVICE_TILE_SCENARIOS).map(|k| values[k.min(scenarios.end - 1)]));
            }
        }
    }
    data
}
