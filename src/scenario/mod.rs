//! Shocks as data: factors, scenario sets, and the generators that make them.

mod distribution;
mod factor;
#[cfg(test)]
mod fixtures;
mod names;
mod product;
mod set;
mod views;

pub mod correlation;
pub mod depeg;
pub mod events;
pub mod grid;
pub mod history;
pub mod monte_carlo;
pub mod oracle_failures;
pub mod panel;
pub mod philox;
pub mod routes;
pub mod volatility_moves;

/// Days of a year: crypto trades every day.
const YEAR_DAYS: f64 = 365.0;

pub use distribution::inverse_normal;
pub use factor::{Factor, FactorKind};
pub use names::price_factors;
pub use set::ScenarioSet;
