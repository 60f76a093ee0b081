//! What people look at: a summary for the terminal, and one self-contained HTML file.

mod calibration;
mod calibration_chart;
#[cfg(test)]
mod calibration_tests;
mod chart;
mod collapse;
mod comparison;
mod comparison_chart;
#[cfg(feature = "cli")]
mod comparison_terminal;
mod figures;
mod format;
mod greek_chart;
mod greeks;
mod html;
mod liquidation;
mod liquidation_chart;
#[cfg(feature = "cli")]
mod liquidation_terminal;
mod oracle_stress;
mod page;
mod pools;
mod products;
mod scale;
mod svg;
#[cfg(feature = "cli")]
mod terminal;
mod transfer;

#[cfg(feature = "cli")]
pub(crate) use format::{count, money, percent};

pub use calibration::{CalibrationInput, calibration_html};
pub use collapse::collapse_html;
pub use comparison::{ComparisonInput, comparison_html};
#[cfg(feature = "cli")]
pub use comparison_terminal::comparison_summary;
pub use html::html;
pub use liquidation::{CriticalRow, LiquidationInput, liquidation_html};
#[cfg(feature = "cli")]
pub use liquidation_terminal::liquidation_summary;
#[cfg(feature = "cli")]
pub use oracle_stress::oracle_stress_summary;
pub use oracle_stress::{OracleStressInput, oracle_stress_html};
pub use pools::PoolSummary;
#[cfg(feature = "cli")]
pub use terminal::summary;
pub use transfer::{TransferInput, transfer_html};

use crate::domain::Snapshot;
use crate::engine::Outcome;
use crate::engine::greeks::GreekSummary;
use crate::scenario::ScenarioSet;

/// What a report is made of. The same input gives the same text, byte by byte.
#[derive(Debug, Clone, Copy)]
pub struct ReportInput<'a> {
    /// What the sweep found; of its pools only what `pools` says is read.
    pub outcome: &'a Outcome,
    /// What it found of the pools.
    pub pools: &'a PoolSummary,
    /// The market that was swept.
    pub snapshot: &'a Snapshot,
    /// The scenarios; those of `outcome.scenarios`, in the same order.
    pub scenarios: &'a ScenarioSet,
    /// Greeks of the exchange.
    pub greeks: &'a GreekSummary,
    /// Facts of the run to list (name, value): inputs with their hashes, seed, version, limits.
    pub facts: &'a [(String, String)],
    /// Digest of the results.
    pub digest: &'a str,
}

#[cfg(test)]
mod tests;
