//! Back-tests: what a requirement would have covered of a history of returns.

mod antiprocyclical;
mod christoffersen;
mod coverage;
mod kupiec;
mod procyclicality;
mod traffic_light;

pub use antiprocyclical::{Buffer, floor_at, weigh_stressed};
pub use christoffersen::{Transitions, conditional_coverage};
pub use coverage::Coverage;
pub use kupiec::{LikelihoodRatio, proportion_of_failures};
pub use procyclicality::Procyclicality;
pub use traffic_light::{TrafficLight, Zone};
