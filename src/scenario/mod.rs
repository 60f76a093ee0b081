//! Shocks as data: factors, scenario sets, and the generators that make them.

mod factor;
mod set;

pub use factor::{Factor, FactorKind};
pub use set::ScenarioSet;
