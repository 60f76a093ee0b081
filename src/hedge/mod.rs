//! The cheapest cut or hedge of one pool that lifts its adjusted equity to a multiple of its requirement, in the unshocked
//! market or in a scenario.
//!
//! The pool's own formulas are the landscape that [`crate::restore`] searches, their gradients by differences. Trades are
//! rounded outwards to whole lots; the pool they leave is then evaluated again, and whether it meets the target is decided
//! exactly.

mod ask;
mod cost;
mod desk;
mod hedger;
mod legs;
mod plan;
mod slopes;

pub use ask::{Ask, Choice, Cuts, Liquidity, Participation, TradeAt};
pub use cost::CostRates;
pub use hedger::{Hedged, Hedger};
pub use plan::{Method, Plan, PlanOutcome, Trade};
