//! Liquidation: what happens to pools below their maintenance margin.

pub mod cut;
pub mod price;
