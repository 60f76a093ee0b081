//! What a run found, as it is shared: one JSON object.

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use crate::engine::ceiling::Ceilings;
use crate::engine::{Outcome, StageSeconds};

/// What this object is, for whoever reads it later.
pub(super) const SCHEMA: &str = "plimsoll-bench/1";

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    /// [`SCHEMA`].
    pub(super) schema: String,
    /// Version of this program.
    pub(super) version: String,
    /// Commit it was built from, where that is known.
    pub(super) commit: Option<String>,
    /// When the run began, UTC.
    pub(super) date: String,
    /// Seed of every workload.
    pub(super) seed: u64,
    /// The host.
    pub(super) machine: Machine,
    /// What was run, in order.
    pub(super) engines: Vec<Engine>,
    /// What is there and was not run, and why.
    pub(super) not_run: Vec<String>,
    /// Every workload, size and engine, in order.
    pub(super) rows: Vec<Row>,
}

/// An engine, what it ran on, and what that can do at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Engine {
    /// `cpu`, `reference`, or `gpu` and the adapter's index.
    pub(super) name: String,
    /// The adapter; absent for the host's engines.
    pub(super) adapter: Option<Adapter>,
    /// Whether that is a program rather than a GPU.
    pub(super) is_software: bool,
    /// Bytes of a number in its kernels.
    pub(super) number_bytes: u32,
    /// What was measured first.
    pub(super) ceilings: Ceilings,
}

/// An adapter as it calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Adapter {
    pub(super) name: String,
    pub(super) driver: String,
    pub(super) backend: String,
    /// `discrete`, `integrated`, `virtual`, `software`, `other`.
    pub(super) kind: String,
}

/// One workload of one size on one engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) workload: String,
    pub(super) size: String,
    /// Name of the engine.
    pub(super) engine: String,
    /// Whether it ran on a software adapter.
    pub(super) is_software: bool,
    pub(super) accounts: u64,
    pub(super) scenarios: u64,
    #[serde(flatten)]
    pub(super) result: RowResult,
}

/// What came of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub(super) enum RowResult {
    /// Right answers, timed.
    Measured(Measured),
    /// Wrong answers: no speed is told.
    Wrong { reason: String },
    /// No answer.
    Failed { reason: String },
    /// It would not have fitted what was left of the budget.
    LeftOut { needs_seconds: f64 },
}

/// What was timed, and what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) pools: u64,
    pub(super) positions: u64,
    /// Positions × scenarios.
    pub(super) cells: u64,
    /// Digest of the answers, the same on every engine.
    pub(super) digest: String,
    /// Every timed run.
    pub(super) runs: Vec<Stages>,
    /// The run with the median sweep.
    pub(super) seconds: Stages,
    /// Cells per second of that run's sweep.
    pub(super) cells_per_second: f64,
    /// The same with revaluation.
    pub(super) cells_per_second_revalued: f64,
    /// Bytes of rows that the kernel needs at least, per second of the sweep.
    pub(super) bytes_per_second: f64,
    /// What bounds the speed: `l2` or `multiply_add`.
    pub(super) ceiling: String,
    /// The most cells per second under it.
    pub(super) ceiling_cells_per_second: f64,
    /// Share of it that was reached.
    pub(super) ceiling_share: f64,
    /// Share of pools with a verdict that the kernel could not decide.
    pub(super) redecided_share: f64,
    /// Verdicts that needed exact arithmetic.
    pub(super) exact_verdicts: u64,
}

/// Seconds of the stages of one run, without reading and writing: there are no files.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Stages {
    /// Valuing every row under every scenario.
    pub(super) revalue: f64,
    /// Compiling pools, kernels, certification.
    pub(super) sweep: f64,
    /// Recomputing a sample by the plain formulas.
    pub(super) audit: f64,
}

impl From<StageSeconds> for Stages {
    fn from(seconds: StageSeconds) -> Self {
        Self { revalue: seconds.revalue, sweep: seconds.sweep, audit: seconds.audit }
    }
}

/// What bounds the speed of a kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bound {
    /// `l2` or `multiply_add`.
    pub(super) name: &'static str,
    /// Cells per second at most.
    pub(super) cells_per_second: f64,
}

impl Engine {
    /// The lower one of two ceilings: numbers from the second-level cache, and multiply-adds in the kernel's precision.
    pub(super) fn bound(&self, work: super::workload::Work) -> Bound {
        let adds = match self.number_bytes {
            8 => self.ceilings.multiply_adds_f64.unwrap_or(self.ceilings.multiply_adds_f32),
            _ => self.ceilings.multiply_adds_f32,
        };
        let by_l2 = self.ceilings.l2_bytes / (work.numbers * f64::from(self.number_bytes));
        let by_adds = adds / work.operations;
        match by_l2 <= by_adds {
            true => Bound { name: "l2", cells_per_second: by_l2 },
            false => Bound { name: "multiply_add", cells_per_second: by_adds },
        }
    }

    /// What follows from timed runs with the same answers; `None` of no runs, of a sweep that took no time by the clock, and
    /// under a ceiling of nothing or without end: JSON has no number for what would follow.
    pub(super) fn measured(
        &self,
        work: super::workload::Work,
        (outcome, digest): (&Outcome, &str),
        (positions, runs): (u64, Vec<Stages>),
    ) -> Option<Measured> {
        let seconds = median(&runs).filter(|seconds| seconds.sweep > 0.0)?;
        let bound = Some(self.bound(work)).filter(|bound| bound.cells_per_second.is_normal())?;
        let cells = outcome.cells as f64;
        let cells_per_second = cells / seconds.sweep;
        Some(Measured {
            pools: outcome.pools.len() as u64,
            positions,
            cells: outcome.cells,
            digest: digest.into(),
            runs,
            seconds,
            cells_per_second,
            cells_per_second_revalued: cells / (seconds.revalue + seconds.sweep),
            bytes_per_second: cells_per_second * work.numbers * f64::from(self.number_bytes),
            ceiling: bound.name.into(),
            ceiling_cells_per_second: bound.cells_per_second,
            ceiling_share: cells_per_second / bound.cells_per_second,
            redecided_share: outcome.redecided_pools as f64 / (outcome.pools.len() as f64).max(1.0),
            exact_verdicts: outcome.exact_verdicts,
        })
    }
}

/// The run whose sweep is the median; of an even number the slower of the two.
fn median(runs: &[Stages]) -> Option<Stages> {
    let mut sorted = runs.to_vec();
    sorted.sort_by(|a, b| a.sweep.total_cmp(&b.sweep));
    sorted.get(sorted.len() / 2).copied()
}
