//! Collateral: what it counts for, and where it stands.

pub mod network;
