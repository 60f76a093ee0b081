//! Options of the engine, shared by every command that sweeps.

use crate::engine::plan::{PlanOptions, Revaluation};
use crate::engine::{EngineChoice, SweepOptions, Totals};
use crate::error::{Error, Result};
use crate::pricing::Unshocked;

/// Which engine, and how; shared by every command that sweeps.
#[derive(Debug, Clone, clap::Args)]
pub struct EngineArgs {
    /// Engine that evaluates the sweep; all publish the same decisions and figures.
    #[arg(long, value_enum, default_value_t = EngineName::Auto)]
    engine: EngineName,
    /// Adapter for the GPU engine: its index, or a part of its name. Naming a software adapter is asking for it. Given several
    /// times, those adapters share the work; `all`: every hardware one, whatever else is named.
    #[arg(long)]
    adapter: Vec<String>,
    /// Worker threads (default: one per core).
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    threads: Option<u32>,
    /// How scenario totals are formed (default: exact on the CPU, bounded on a GPU).
    #[arg(long, value_enum)]
    totals: Option<TotalsName>,
    /// Pools per chunk; results do not depend on it.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    chunk_pools: Option<u32>,
    /// Scenarios per tile of the CPU engine; results do not depend on it.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    tile_scenarios: Option<u32>,
    /// What to do with a held underlying that no factor moves.
    #[arg(long, value_enum, default_value_t = UnshockedName::Refuse)]
    unshocked: UnshockedName,
    /// Where option rows are priced for the GPU engine; results do not depend on it.
    #[arg(long, value_enum, default_value_t = RevalueName::Auto)]
    revalue: RevalueName,
    /// Seed of the audit's sample.
    #[arg(long, default_value_t = 0)]
    audit_seed: u64,
}

/// Names of the engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum EngineName {
    /// The first hardware GPU, else the CPU engine.
    Auto,
    /// A GPU.
    Gpu,
    /// f64 vectors on all cores.
    Cpu,
    /// The plain formulas, pool by pool.
    Reference,
}

/// Names of the kinds of totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum TotalsName {
    /// Summed in integers, equal everywhere.
    Exact,
    /// Summed in floating point, with a bound.
    Bounded,
}

/// Names of the places where options are priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RevalueName {
    /// The device, where it is a hardware GPU and sending the rows would take long; else the host.
    Auto,
    /// The host, in f64.
    Host,
    /// The device, in f32 within a bound.
    Device,
}

/// Names of the answers to a missing factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum UnshockedName {
    /// Refuse the run.
    Refuse,
    /// Hold the price, and list it.
    Hold,
}

impl UnshockedName {
    /// The policy of this name.
    pub fn policy(self) -> Unshocked {
        match self {
            Self::Refuse => Unshocked::Refuse,
            Self::Hold => Unshocked::Hold,
        }
    }
}

impl EngineArgs {
    /// Seed of the audit's sample.
    pub fn audit_seed(&self) -> u64 {
        self.audit_seed
    }

    /// The sweep's options.
    ///
    /// # Errors
    /// [`Error::Usage`] where an adapter is named for an engine that has none.
    pub fn options(&self) -> Result<SweepOptions> {
        let engine = match (self.engine, self.adapter.as_slice()) {
            (EngineName::Gpu, []) => EngineChoice::Gpu(None),
            (EngineName::Auto, []) => EngineChoice::Auto,
            (EngineName::Cpu, []) => EngineChoice::Cpu,
            (EngineName::Reference, []) => EngineChoice::Reference,
            (EngineName::Auto | EngineName::Gpu, names) if names.iter().any(|name| name == "all") => {
                EngineChoice::Gpus(Vec::new())
            }
            (EngineName::Auto | EngineName::Gpu, [adapter]) => EngineChoice::Gpu(Some(adapter.clone())),
            (EngineName::Auto | EngineName::Gpu, adapters) => EngineChoice::Gpus(adapters.to_vec()),
            (EngineName::Cpu | EngineName::Reference, _) => {
                return Err(Error::Usage("--adapter goes with --engine gpu".into()));
            }
        };
        Ok(SweepOptions {
            engine,
            threads: self.threads.map(|threads| threads as usize),
            totals: self.totals.map(|totals| match totals {
                TotalsName::Exact => Totals::Exact,
                TotalsName::Bounded => Totals::Bounded,
            }),
            unshocked: self.unshocked.policy(),
            plan: PlanOptions {
                chunk_pools: self.chunk_pools.map(|pools| pools as usize),
                tile_scenarios: self.tile_scenarios.map(|scenarios| scenarios as usize),
            },
            revaluation: match self.revalue {
                RevalueName::Auto => Revaluation::Auto,
                RevalueName::Host => Revaluation::Host,
                RevalueName::Device => Revaluation::Device,
            },
            seed: self.audit_seed,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        engine: EngineArgs,
    }

    fn engine(adapters: &[&str]) -> EngineChoice {
        let arguments = adapters.iter().flat_map(|adapter| ["--adapter", adapter]);
        let line = Line::try_parse_from(["plimsoll"].into_iter().chain(arguments)).expect("arguments");
        line.engine.options().expect("options").engine
    }

    #[test]
    fn all_adapters_are_asked_for_wherever_all_stands() {
        for adapters in [&["all"][..], &["all", "0"], &["0", "all"]] {
            assert_eq!(engine(adapters), EngineChoice::Gpus(Vec::new()), "{adapters:?}");
        }
        assert_eq!(engine(&["0", "1"]), EngineChoice::Gpus(vec!["0".into(), "1".into()]));
        assert_eq!(engine(&["0"]), EngineChoice::Gpu(Some("0".into())));
    }
}
