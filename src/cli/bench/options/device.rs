use rayon::prelude::*;

use super::{Asked, Check, Pricer, Work, worse};
use crate::engine::gpu::{Checks, OptionPricer, Outputs};
use crate::error::Result;
use crate::pricing::single::formula::{OUTPUTS, is_covered};
use crate::pricing::single::{BOUNDED_LANES, Chain, output_bounds};
use crate::pricing::{Column, Greeks};

/// `revalue.wgsl` on an adapter.
pub struct OnDevice {
    pricer: OptionPricer,
}

impl OnDevice {
    /// Opens the adapter asked for, or the first hardware one.
    pub fn open(adapter: Option<&str>) -> Result<Self> {
        Ok(Self { pricer: OptionPricer::open(adapter, Checks::Trusted)? })
    }
}

fn chain(work: &Work) -> Chain {
    Chain::new(&work.snapshot, &work.market(), work.scenarios.len(), &work.indices, |_| 0.0)
}

/// Largest ratios so far, answers compared and left out.
type Seen = ([f64; OUTPUTS], u64, u64);

impl Pricer for OnDevice {
    fn name(&self) -> String {
        format!("device, {}", self.pricer.adapter())
    }

    fn check(&self, work: &Work) -> Result<Check> {
        let (chain, market) = (chain(work), work.market());
        let priced = self.pricer.run(&chain, Outputs::EightGreeks, 1)?;
        let one = |(k, contract): (usize, &crate::pricing::single::ContractTerms)| -> Seen {
            let instrument = &work.snapshot.instruments[contract.instrument as usize];
            let mut seen: Seen = ([0.0; OUTPUTS], 0, 0);
            for first in (0..work.scenarios.len()).step_by(BOUNDED_LANES) {
                let bounds = output_bounds(&chain, contract, first);
                for scenario in first..(first + BOUNDED_LANES).min(work.scenarios.len()) {
                    if !is_covered(&contract.terms, &chain.market(contract.expiry as usize, scenario)) {
                        seen.2 += OUTPUTS as u64;
                        continue;
                    }
                    let exact = market.contract(instrument, Column::Scenario(scenario));
                    let greeks = exact.greeks.to_array();
                    for output in 0..OUTPUTS {
                        let exact = if output == 0 { exact.value } else { greeks[output - 1] };
                        let error = (f64::from(priced.at(k, output, scenario)) - exact).abs();
                        let ratio = error / bounds[output].1[scenario - first];
                        seen.0[output] = worse(seen.0[output], ratio);
                    }
                    seen.1 += OUTPUTS as u64;
                }
            }
            seen
        };
        let add = |a: Seen, b: Seen| -> Seen { (std::array::from_fn(|k| worse(a.0[k], b.0[k])), a.1 + b.1, a.2 + b.2) };
        let none: Seen = ([0.0; OUTPUTS], 0, 0);
        let (worst, compared, left_out) = chain.contracts.par_iter().enumerate().map(one).reduce(|| none, add);
        let names = ["value"].into_iter().chain(Greeks::NAMES);
        Ok(Check { ratios: names.zip(worst).collect(), compared, left_out })
    }

    /// The market of each expiry is worked out and uploaded outside the time: a sweep does it once for all options of an
    /// expiry.
    fn seconds(&self, work: &Work, asked: Asked) -> Result<f64> {
        let outputs = match asked {
            Asked::Value => Outputs::Value,
            Asked::FourGreeks => Outputs::FourGreeks,
            Asked::EightGreeks => Outputs::EightGreeks,
        };
        let priced = self.pricer.run(&chain(work), outputs, 2)?;
        // The first run warms up.
        Ok(priced.seconds.last().copied().unwrap_or(f64::NAN))
    }
}
