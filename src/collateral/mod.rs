//! Collateral: what it counts for, where it stands, how much of it is used.

mod allocation;
mod diversification;
pub mod haircut;
pub mod network;
mod utilisation;

pub use allocation::{Allocation, AllocationAsk, Posted, allocate};
pub use diversification::{Diversification, diversification};
pub use utilisation::{Holder, Utilisation, utilisation};

#[cfg(test)]
mod tests;
