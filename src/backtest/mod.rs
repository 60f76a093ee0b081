//! Back-tests: what a requirement would have covered of a history of returns.

mod antiprocyclical;
mod christoffersen;
mod coverage;
mod horizon;
mod kupiec;
mod losses;
mod portfolios;
mod procyclicality;
mod rolling;
mod run;
mod statistics;
#[cfg(test)]
mod tests;
mod traffic_light;

pub use antiprocyclical::{Buffer, floor_at, weigh_stressed};
pub use christoffersen::{Transitions, conditional_coverage};
pub use coverage::Coverage;
pub use horizon::compound;
pub(crate) use losses::Losses;

pub use kupiec::{LikelihoodRatio, proportion_of_failures};
pub use portfolios::{LeftOut, Portfolio, Shape, synthetic};
pub use procyclicality::Procyclicality;
pub use rolling::Rolling;
pub use run::{Backtest, BookTest, LossOf, Model, Options, Requirement, Tested, TestedPool, TestedPortfolio};
pub use statistics::Statistics;
pub use traffic_light::{TrafficLight, Zone};
