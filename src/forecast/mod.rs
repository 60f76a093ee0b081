//! Forecasts of volatility: what the next day's variance will be, how likely a spike is, and whether that is better than a
//! plain model says.

mod outlook;
pub mod overlay;

pub use outlook::Outlook;
