//! Collateral: how much of what is deposited counts.

pub mod haircut;
