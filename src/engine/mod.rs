//! Evaluates every pool under every scenario, certifies every decision, audits the run.
//!
//! `plan` cuts the work, as data. An engine (`cpu`, `gpu`, `reference`) sweeps chunks of pools; the `arbiter` decides what
//! a kernel cannot; the `ledger` closes each pool with canonical figures, so that every engine publishes the same;
//! `sweep` drives, merges and audits.

mod arbiter;
mod audit;
mod block;
#[cfg(test)]
#[path = "../../tests/suite/books.rs"]
#[allow(dead_code, reason = "the suite uses the rest")]
mod books;
pub mod ceiling;
mod chunk;
mod cpu;
mod digest;
mod direct;
mod explain;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod greeks;
mod guard;
mod hinge;
mod job;
mod ledger;
mod merge;
mod order;
mod outcome;
pub mod plan;
mod progress;
mod reference;
pub mod stream;
mod sweep;
mod tally;
mod tile;
mod verdicts;
mod views;

#[cfg(any(feature = "cli", test))]
pub(crate) use sweep::on_threads;
pub(crate) use tally::{QUANTUM, quanta};

pub use arbiter::{Arbiter, Decision};
pub use digest::{ResultDigest, digest};
pub use explain::{Explainer, Explanation, Reach, Statement};
pub use outcome::{
    Audit, Figures, OptionRevaluation, Outcome, PoolOutcome, ScenarioOutcome, StageSeconds, State, Totals,
    worst_scenarios,
};
pub use progress::Progress;
pub use sweep::{EngineChoice, SweepOptions, sweep};
pub use views::{ViewOutcome, sweep_views};
