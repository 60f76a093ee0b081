//! Evaluates every pool under every scenario, certifies every decision, audits the run.

mod outcome;

pub use outcome::{Audit, Figures, Outcome, PoolOutcome, ScenarioOutcome, StageSeconds, State, Totals};
