//! Auto-deleveraging: how much is taken from accounts in profit ([`severity`]), and from which of them ([`crate::policy::Allocation`]).
//!
//! The two choices are separate (T. Chitra et al., "Autodeleveraging: impossibilities and optimization", 2025). Amounts
//! are integers; whatever the rule, they sum to the budget, or to all capacity where the budget is larger, and nobody
//! gives more than its capacity.

pub mod min_max;
pub mod pro_rata;
pub mod queue;
mod rule;
pub mod severity;
mod shares;
pub mod water_fill;

mod level;
mod winner;

pub use queue::QueueScore;
pub use severity::Severity;
pub use shares::shares;
pub use winner::{Winner, profit_capacity};

#[cfg(test)]
mod tests;
