//! Forecasts of volatility: what the next day's variance will be, how likely a spike is, and whether that is better than a
//! plain model says.
//!
//! A [`BarHistory`] gives [`Samples`]: every four hours what was known, and what came. [`walk_forward`] fits every model month by
//! month to the past only; [`Evaluation`] scores what they said and compares them with log-HAR; a [`Model`] that passed that gate
//! is fitted to all that is known and kept as data.

mod block_bootstrap;
mod calendar;
mod evaluation;
mod ewma;
mod features;
mod fits;
mod garch;
mod gate;
mod history;
mod isotonic;
mod label;
mod log_model;
mod logistic;
mod model;
mod model_kind;
mod model_text;
mod outlook;
pub mod overlay;
mod realised;
mod recalibrate;
mod regression;
mod reliability;
mod residuals;
mod sample;
mod scores;
#[cfg(test)]
mod tests;
mod walk_forward;

pub use block_bootstrap::Interval;
pub use evaluation::{Evaluation, Score, SpikeScore};
pub use gate::{Gain, GateRule, Verdict};
pub use history::{BarHistory, Bars};
pub use isotonic::Isotonic;
pub use log_model::{LogModel, Tail};
pub use logistic::Logistic;
pub use model::{Gate, MODEL_VERSION, Model, Training};
pub use model_kind::ModelKind;
pub use outlook::Outlook;
pub use realised::{HORIZON, VARIANCE_FLOOR};
pub use recalibrate::Recalibration;
pub use regression::Regression;
pub use reliability::Bin;
pub use residuals::Residuals;
pub use sample::{STEP_HOURS, Samples};
pub use walk_forward::{Course, Observation, WalkForward, walk_forward};
