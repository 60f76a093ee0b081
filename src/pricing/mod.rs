//! Market values in f64: what one contract is worth at a mark, and the rows of values under every scenario.

mod payoff;
mod rows;

pub use payoff::{entry_value, unit_value};
pub use rows::{Column, Rows, Unshocked, revalue};

#[cfg(test)]
mod tests;
