//! Thresholds that are just strict enough: free parameters of a rulebook, what is minimised, what must hold.
//!
//! One sweep keeps the losses that could exceed what some candidate requires; every candidate is then measured against those
//! ([`Measured`]), with common scenarios and without a sweep of its own. What must hold is read from what was measured, under
//! any weights of the scenarios, so that a block bootstrap needs no measurement of its own either.
//!
//! `job` is what is asked, `document` the rulebook file whose numbers change, `parameter` where they stand; `threshold` is what
//! portfolios have against their losses under one candidate, `tail` the sweep, `measure` both put together; `constraint` holds one
//! rule per file; `history` is what an overlay is replayed over. [`Calibration`] is the [`Landscape`] that a search moves over.

mod answer;
mod block_bootstrap;
mod calibrate;
#[expect(clippy::module_inception, reason = "the file of the type of that name")]
mod calibration;
mod candidate;
mod changes;
mod checkpoint;
pub mod constraint;
mod digest;
mod document;
mod front;
mod history;
mod intervals;
mod job;
mod landscape;
mod loss_measure;
mod measure;
mod parameter;
mod path;
mod population;
mod runs;
mod search;
mod segments;
mod sensitivity;
mod setup;
mod sizing;
mod tail;
#[cfg(test)]
mod tests;
mod threshold;
mod touched;
mod weighted;

pub use answer::{Answer, ConstraintAnswer, CoverageAnswer, Covered, ParameterAnswer};
pub use block_bootstrap::BlockBootstrap;
pub use calibrate::calibrate;
pub use calibration::{Calibration, Subject};
pub use checkpoint::{Evaluated, Recorder};
pub use digest::digest;
pub use document::Document;
pub use front::{FrontPoint, front, inversions};
pub use history::{HistoryRequest, OverlayHistory};
pub use intervals::{Interval, intervals};
pub use job::{How, Job, Objective, ParameterRequest, Per, Resources, SearchBudget};
pub use landscape::{Axis, Evaluation, Group, Landscape, Measured, Probe, Reading, Strict};
pub use loss_measure::LossMeasure;
pub use search::{Progress, SearchOptions, Solution, Unmet, Why, solve};
pub use segments::{Division, PoolChange, Segment, segments};
pub use sensitivity::{Sensitivity, sensitivities};
pub use sizing::{
    AccountExcess, AllocationKey, Contribution, CoverNeed, CoverNeeds, FundLevel, KEY_PARTS, Sizing, SizingOptions,
    allocation, cover_needs, fund_levels, static_fund,
};
