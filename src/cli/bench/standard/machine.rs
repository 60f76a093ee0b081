//! What a run ran on, as far as people who compare runs need it.

use serde::{Deserialize, Serialize};

/// The host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Machine {
    /// Model of the processor, empty where the system does not say.
    pub(super) cpu: String,
    /// Processors that this process may use.
    pub(super) cores: usize,
    /// Worker threads of the CPU engine.
    pub(super) threads: usize,
    /// Operating system and architecture.
    pub(super) system: String,
}

impl Machine {
    /// This machine, with so many worker threads.
    pub(super) fn here(threads: Option<usize>) -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            cpu: model(&cpuinfo).unwrap_or_default(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            threads: threads.unwrap_or_else(rayon::current_num_threads),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}

/// The model in Linux's list of processors.
fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name") || line.starts_with("Model"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_read_where_there_is_one() {
        let list = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Some CPU @ 2.50GHz\nprocessor\t: 1\n";
        assert_eq!(model(list).as_deref(), Some("Some CPU @ 2.50GHz"));
        assert_eq!(model("processor\t: 0\n"), None);
        assert!(Machine::here(Some(3)).threads == 3 && Machine::here(None).threads > 0);
    }
}
