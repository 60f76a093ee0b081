//! Thresholds that are just strict enough: free parameters of a rulebook, what is minimised, what must hold.
//!
//! One sweep keeps the losses that could exceed what some candidate requires; every candidate is then measured against those
//! ([`Measured`]), with common scenarios and without a sweep of its own. What must hold is read from what was measured, under
//! any weights of the scenarios, so that a block bootstrap needs no measurement of its own either.

mod landscape;

pub use landscape::{Axis, Evaluation, Group, Landscape, Measured, Probe, Reading, Strict};
