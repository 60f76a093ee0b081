//! Thresholds that are just strict enough: free parameters of a rulebook, what is minimised, what must hold.
//!
//! One sweep keeps the losses that could exceed what some candidate requires; every candidate is then measured against those
//! ([`Measured`]), with common scenarios and without a sweep of its own. What must hold is read from what was measured, under
//! any weights of the scenarios, so that a block bootstrap needs no measurement of its own either.

mod answer;
mod block_bootstrap;
mod front;
mod intervals;
mod landscape;
mod search;
mod segments;
mod sensitivity;
mod sizing;
#[cfg(test)]
mod tests;
mod weighted;

pub use answer::{Answer, ConstraintAnswer, CoverageAnswer, Covered, ParameterAnswer};
pub use block_bootstrap::BlockBootstrap;
pub use front::{FrontPoint, front, inversions};
pub use intervals::{Interval, intervals};
pub use landscape::{Axis, Evaluation, Group, Landscape, Measured, Probe, Reading, Strict};
pub use search::{Progress, SearchOptions, Solution, Unmet, Why, solve};
pub use segments::{Division, PoolChange, Segment, segments};
pub use sensitivity::{Sensitivity, sensitivities};
pub use sizing::{
    AccountExcess, AllocationKey, Contribution, CoverNeed, CoverNeeds, FundLevel, KEY_PARTS, Sizing, SizingOptions,
    allocation, cover_needs, fund_levels, static_fund,
};
