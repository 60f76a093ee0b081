//! Market values in f64: what one contract is worth at a mark, options by Black's formula with their Greeks, and the rows
//! of values under every scenario.

mod black;
mod contract;
mod greeks;
mod payoff;
mod rows;
mod shocked;
pub mod single;
mod volatility;

pub use black::{European, Numeraire, OptionMarket, Priced};
pub use contract::ContractValue;
pub use greeks::Greeks;
pub use payoff::{entry_value, option_unit_value, unit_value};
pub use rows::{Column, Rows, Unshocked, revalue};
pub use shocked::{ShockedMarket, european};

#[cfg(test)]
mod tests;
