//! Which engines run, and what each of them runs on.

use super::report::Engine;
use crate::engine::ceiling::{Ceilings, cpu};
use crate::engine::{EngineChoice, on_threads};
use crate::error::{Error, Result};

/// Which engines are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Asked {
    /// The CPU engine and every hardware GPU, or the adapter that is named.
    Auto,
    /// Every hardware GPU, or the adapter that is named.
    Gpu,
    /// f64 vectors on all cores.
    Cpu,
    /// The plain formulas, pool by pool.
    Reference,
}

/// An engine that runs.
pub(super) struct Contender {
    pub(super) choice: EngineChoice,
    pub(super) engine: Engine,
}

/// What runs, and what is there and does not.
pub(super) struct Lineup {
    pub(super) contenders: Vec<Contender>,
    pub(super) not_run: Vec<String>,
}

impl Lineup {
    /// Finds the engines and measures what each can do at most.
    ///
    /// # Errors
    /// [`Error::Usage`] where an adapter is named for an engine that has none, [`Error::NoAdapter`] where a GPU is asked for
    /// and none may be used, [`Error::Temporary`] where the one that is named cannot be measured.
    pub(super) fn new(asked: Asked, adapter: Option<&str>, threads: Option<usize>) -> Result<Self> {
        if adapter.is_some() && matches!(asked, Asked::Cpu | Asked::Reference) {
            return Err(Error::Usage("--adapter goes with --engine gpu or auto".into()));
        }
        let mut lineup = Self { contenders: Vec::new(), not_run: Vec::new() };
        // A name that nothing has is said before anything is measured.
        let devices = match asked {
            Asked::Auto | Asked::Gpu => devices::find(adapter)?,
            Asked::Cpu | Asked::Reference => devices::Devices::default(),
        };
        let on_host = match asked {
            Asked::Auto | Asked::Cpu => Some(("cpu", EngineChoice::Cpu)),
            Asked::Reference => Some(("reference", EngineChoice::Reference)),
            Asked::Gpu => None,
        };
        if let Some((name, choice)) = on_host {
            lineup.contenders.push(host(name, choice, on_threads(threads, cpu::measure)?));
        }
        devices.join(&mut lineup, adapter)?;
        match lineup.contenders.is_empty() {
            true => Err(Error::NoAdapter(format!("no hardware GPU to run on: {}", lineup.not_run.join("; ")))),
            false => Ok(lineup),
        }
    }
}

fn host(name: &str, choice: EngineChoice, ceilings: Ceilings) -> Contender {
    let number_bytes = size_of::<f64>() as u32;
    let engine = Engine { name: name.into(), adapter: None, is_software: false, number_bytes, ceilings };
    Contender { choice, engine }
}

#[cfg(feature = "gpu")]
mod devices {
    use super::{Contender, EngineChoice, Lineup, Result};
    use crate::cli::bench::standard::report::{Adapter, Engine};
    use crate::engine::gpu::{self, AdapterSummary, ceiling};

    /// Adapters to run on, with their indices, and those that are left alone.
    #[derive(Default)]
    pub(super) struct Devices {
        chosen: Vec<(usize, wgpu::Adapter)>,
        left_alone: Vec<String>,
    }

    pub(super) fn find(asked: Option<&str>) -> Result<Devices> {
        let adapters = gpu::adapters();
        let summaries: Vec<AdapterSummary> =
            adapters.iter().map(|adapter| AdapterSummary::of(&adapter.get_info())).collect();
        let named = match asked {
            None => None,
            Some(_) => Some(gpu::position(&summaries, asked).ok_or_else(|| gpu::none_like(asked, &summaries))?),
        };
        let mut devices = Devices::default();
        for (index, (adapter, summary)) in adapters.into_iter().zip(summaries).enumerate() {
            match named {
                Some(named) if named == index => devices.chosen.push((index, adapter)),
                Some(_) => {}
                None if summary.is_hardware() => devices.chosen.push((index, adapter)),
                None => {
                    let what = if summary.kind == "software" { "software" } else { "of an unknown kind" };
                    let remedy = "name it with --adapter to run it";
                    devices.left_alone.push(format!("gpu {index}: {summary}: {what}, not run; {remedy}"));
                }
            }
        }
        Ok(devices)
    }

    impl Devices {
        /// Measures the adapters and adds them. One that fails stays out, with the reason, unless it was named.
        pub(super) fn join(self, lineup: &mut Lineup, asked: Option<&str>) -> Result<()> {
            lineup.not_run.extend(self.left_alone);
            for (index, adapter) in self.chosen {
                let summary = AdapterSummary::of(&adapter.get_info());
                match ceiling::measure(&adapter) {
                    Ok(ceilings) => lineup.contenders.push(contender(index, &summary, ceilings)),
                    Err(error) if asked.is_some() => return Err(error),
                    Err(error) => lineup.not_run.push(format!("gpu {index}: not run: {error}")),
                }
            }
            Ok(())
        }
    }

    fn contender(index: usize, summary: &AdapterSummary, ceilings: super::Ceilings) -> Contender {
        let AdapterSummary { name, driver, backend, kind } = summary.clone();
        let engine = Engine {
            name: format!("gpu {index}"),
            adapter: Some(Adapter { name, driver, backend, kind: kind.into() }),
            is_software: summary.kind == "software",
            number_bytes: size_of::<f32>() as u32,
            ceilings,
        };
        Contender { choice: EngineChoice::Gpu(Some(index.to_string())), engine }
    }
}

#[cfg(not(feature = "gpu"))]
mod devices {
    use super::{Error, Lineup, Result};

    /// A build without the GPU engine has none.
    #[derive(Default)]
    pub(super) struct Devices;

    pub(super) fn find(asked: Option<&str>) -> Result<Devices> {
        match asked {
            None => Ok(Devices),
            Some(_) => Err(Error::NoAdapter("this build has no GPU engine".into())),
        }
    }

    impl Devices {
        pub(super) fn join(self, lineup: &mut Lineup, _: Option<&str>) -> Result<()> {
            lineup.not_run.push("gpu: this build has no GPU engine".into());
            Ok(())
        }
    }
}
