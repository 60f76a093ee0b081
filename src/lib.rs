//! Plimsoll: a GPU-accelerated stress kernel for cross-margin portfolios.
//!
//! A [`domain::Snapshot`] of an exchange's book, a [`margin::Rulebook`] (margin rules as data) and a
//! [`scenario::ScenarioSet`] go in; [`engine::sweep`] answers, for every pool under every scenario, who is restricted,
//! liquidatable or bankrupt, and what the exchange loses. Kernels run in f32 on a GPU or in f64 SIMD on the CPU; every
//! decision equals the exact sign of the margin expression, by the bound derived in `NUMERICS.md`.
//!
//! Modules are floors: each uses only those above it in this list.

// The tests of the engines share the books of the test suite, which name this crate from outside.
#[cfg(test)]
extern crate self as plimsoll;

pub mod error;
pub mod number;
mod suggest;

pub mod domain;
pub mod scenario;

pub mod oracle;

pub mod pricing;

pub mod program;

pub mod policy;

pub mod margin;

pub mod engine;

pub mod restore;

pub mod liquidation;

pub mod hedge;

pub mod compare;

pub mod reverse;

pub mod transfer;

pub mod backtest;

pub mod collateral;

pub mod forecast;

pub mod calibration;

pub mod synth;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "io")]
pub mod io;
#[cfg(feature = "io")]
pub mod portable;
#[cfg(feature = "io")]
pub mod report;

pub use error::{Error, Result};
